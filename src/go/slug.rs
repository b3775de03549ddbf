//! Names for addresses, as github.com/gosimple/slug makes them.

/// `slug.Make` for text that is mostly ASCII: words joined by `-`, cut at a word where asked.
///
/// Follows github.com/gosimple/slug: letters with marks lose them, signs between words become one `-`.
pub fn make(text: &str, longest: i64, cuts_at_words: bool) -> String {
    let mut out = String::new();
    for c in text.trim().chars() {
        match c.to_lowercase().next().unwrap_or(c) {
            c @ ('a'..='z' | '0'..='9' | '_' | '-') => out.push(c),
            '&' => out.push_str("and"),
            '@' => out.push_str("at"),
            '\'' | '\u{2019}' | '"' => {}
            c => match transliterated(c) {
                Some(letters) => out.push_str(letters),
                None => out.push('-'),
            },
        }
    }
    let parts: Vec<&str> = out.split('-').filter(|part| !part.is_empty()).collect();
    let joined = parts.join("-");
    let joined = joined.trim_matches(['-', '_']);
    cut(joined, longest, cuts_at_words)
}

/// The commonest letters with marks.
fn transliterated(c: char) -> Option<&'static str> {
    Some(match c {
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ā' | 'ă' | 'ą' | 'ä' => "a",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' => "d",
        'è' | 'é' | 'ê' | 'ë' | 'ē' | 'ę' | 'ě' => "e",
        'ğ' => "g",
        'ì' | 'í' | 'î' | 'ï' | 'ī' | 'ı' => "i",
        'ł' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ø' | 'ō' | 'ö' => "o",
        'ř' => "r",
        'ś' | 'š' | 'ş' => "s",
        'ß' => "ss",
        'ť' => "t",
        'ù' | 'ú' | 'û' | 'ū' | 'ů' | 'ü' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ž' | 'ż' => "z",
        'æ' => "ae",
        'œ' => "oe",
        _ => return None,
    })
}

fn cut(text: &str, longest: i64, at_words: bool) -> String {
    let Ok(longest) = usize::try_from(longest) else {
        return text.to_owned();
    };
    if longest == 0 || text.len() <= longest {
        return text.to_owned();
    }
    if !at_words {
        return text
            .chars()
            .take(longest)
            .collect::<String>()
            .trim_matches(['-', '_'])
            .to_owned();
    }
    let mut out = String::new();
    for word in text.split('-') {
        let needed = out.len() + usize::from(!out.is_empty()) + word.len();
        if needed > longest {
            break;
        }
        if !out.is_empty() {
            out.push('-');
        }
        out.push_str(word);
    }
    if out.is_empty() {
        out = text.chars().take(longest).collect();
    }
    out
}
