//! Names for addresses, as github.com/gosimple/slug makes them.

/// `slug.Make` for text that is mostly ASCII: words joined by `-`, cut at a word where asked.
///
/// Follows github.com/gosimple/slug: letters with marks lose them, signs between words become one `-`.
pub fn make(text: &str, longest: i64, cuts_at_words: bool) -> String {
    let mut out = String::new();
    for c in text.trim().chars() {
        match c.to_lowercase().next().unwrap_or(c) {
            '&' => out.push_str("and"),
            '@' => out.push_str("at"),
            '\'' | '\u{2019}' | '"' => {}
            c if c.is_ascii() => out.push(c),
            c => out.push_str(transliterated(c).unwrap_or("-")),
        }
    }
    let longest = usize::try_from(longest).unwrap_or(0);
    if !cuts_at_words {
        // Everything is one byte a character by now.
        out.truncate(longest);
    }
    let is_kept = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let parts: Vec<&str> = (out.split(|c: char| !is_kept(c)))
        .filter(|part| !part.is_empty())
        .collect();
    let joined = parts.join("-");
    let joined = joined.trim_matches(['-', '_']);
    if !cuts_at_words || longest == 0 || joined.len() <= longest {
        return joined.to_owned();
    }
    let end = joined.as_bytes()[..=longest]
        .iter()
        .rposition(|b| *b == b'-');
    joined[..end.unwrap_or(longest)].to_owned()
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

#[cfg(test)]
mod tests {
    use super::make;

    #[test]
    fn names_are_cut_at_words_or_anywhere() {
        assert_eq!(make("Ünïcödé & Söns", 50, true), "unicode-and-sons");
        assert_eq!(make("don't stop", 50, true), "dont-stop");
        assert_eq!(make("abc-defgh", 5, true), "abc");
        assert_eq!(make("abcdefgh", 5, true), "abcde");
        assert_eq!(make("aaa bbb ccc ddd", 12, false), "aaa-bbb-ccc");
        assert_eq!(make("_a__b_", 0, true), "a__b");
    }
}
