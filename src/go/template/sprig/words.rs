//! Strings: what slim-sprig leaves out. Cases of words after huandu/xstrings, wrapping after Masterminds/goutils.

use crate::go::template::fault::{Fault, Result};
use crate::go::template::function::{Call, Function, row};
use crate::go::template::value::Value;

use super::strings::{int, is_space, text};

pub(super) static TABLE: &[Function] = &[
    row("abbrev", "is", |call, v| {
        abbreviate(call, text(v, 1), 0, int(v, 0))
    }),
    row("abbrevboth", "iis", |call, v| {
        abbreviate(call, text(v, 2), int(v, 0), int(v, 1))
    }),
    row("untitle", "s", |call, v| call.string(untitle(text(v, 0)))),
    row("nospace", "s", |call, v| {
        call.string(text(v, 0).chars().filter(|c| !is_space(*c)).collect())
    }),
    row("initials", "s", initials),
    row("swapcase", "s", |call, v| {
        call.string(swap_case(text(v, 0)))
    }),
    row("snakecase", "s", |call, v| {
        call.string(connected(text(v, 0), '_'))
    }),
    row("kebabcase", "s", |call, v| {
        call.string(connected(text(v, 0), '-'))
    }),
    row("camelcase", "s", |call, v| call.string(camel(text(v, 0)))),
    row("wrap", "is", |call, v| {
        call.string(wrap(text(v, 1), int(v, 0), "\n", false))
    }),
    row("wrapWith", "iss", |call, v| {
        call.string(wrap(text(v, 2), int(v, 0), text(v, 1), true))
    }),
];

/// goutils.AbbreviateFull: `...` on the right, and on the left from an offset on.
fn abbreviate(call: &Call<'_>, text: &str, offset: i64, width: i64) -> Result<Value> {
    if width < 4 || (offset > 0 && width < 7) {
        return Ok(Value::string(text));
    }
    let characters: Vec<char> = text.chars().collect();
    let width = usize::try_from(width).unwrap_or(usize::MAX);
    let mut offset = usize::try_from(offset).unwrap_or(0);
    if characters.len() <= width {
        return Ok(Value::string(text));
    }
    offset = offset.min(characters.len());
    if characters.len() - offset < width - 3 {
        offset = characters.len() - (width - 3);
    }
    let part = |from: usize, to: usize| characters[from..to].iter().collect::<String>();
    if offset <= 4 {
        return call.string(part(0, width - 3) + "...");
    }
    if width < 7 {
        return Err(Fault::new(
            "the width is too small to abbreviate on both sides",
        ));
    }
    if offset + width - 3 < characters.len() {
        let middle = part(offset, offset + width - 6);
        return call.string(format!("...{middle}..."));
    }
    call.string(format!(
        "...{}",
        part(characters.len() - (width - 3), characters.len())
    ))
}

fn words_with(text: &str, change: impl Fn(char) -> char) -> String {
    let mut starts = true;
    text.chars()
        .map(|c| {
            let changed = if starts { change(c) } else { c };
            starts = is_space(c);
            changed
        })
        .collect()
}

fn untitle(text: &str) -> String {
    words_with(text, |c| c.to_lowercase().next().unwrap_or(c))
}

fn initials(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let words = text(values, 0).split(is_space).filter(|w| !w.is_empty());
    call.string(words.filter_map(|w| w.chars().next()).collect())
}

fn swap_case(text: &str) -> String {
    let swapped = |c: char| {
        if c.is_uppercase() {
            c.to_lowercase().next().unwrap_or(c)
        } else {
            c.to_uppercase().next().unwrap_or(c)
        }
    };
    text.chars().map(swapped).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Upper,
    Lower,
    Digit,
    Connector,
    Punctuation,
    Other,
}

fn sort(c: char) -> Sort {
    match c {
        '-' | '_' => Sort::Connector,
        c if is_space(c) => Sort::Connector,
        c if c.is_ascii_punctuation() && !"$+<=>^`|~".contains(c) => Sort::Punctuation,
        c if c.is_uppercase() => Sort::Upper,
        c if c.is_alphabetic() => Sort::Lower,
        c if c.is_numeric() => Sort::Digit,
        _ => Sort::Other,
    }
}

/// The words of a text: capitals and what follows them, small letters, numbers, connectors, signs. The last of
/// several capitals belongs to the small letters behind it: `HTTP` and `Server`.
fn words(text: &str) -> Vec<(Sort, &str)> {
    let characters: Vec<(usize, char)> = text.char_indices().collect();
    let sort_at = |at: usize| characters.get(at).map(|(_, c)| sort(*c));
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(kind) = sort_at(at) {
        let start = at;
        let run =
            |from: usize, kind: Sort| (from..).take_while(|i| sort_at(*i) == Some(kind)).count();
        at += run(at, kind);
        if kind == Sort::Upper && sort_at(at) == Some(Sort::Lower) {
            match at - start {
                1 => at += run(at, Sort::Lower),
                _ => at -= 1,
            }
        }
        let end = characters.get(at).map_or(text.len(), |(end, _)| *end);
        words.push((kind, &text[characters[start].0..end]));
    }
    words
}

/// xstrings.ToSnakeCase and ToKebabCase. A number belongs to the word before it, unless small letters follow it:
/// `Bld4Floor` is `bld4_floor`, `http2xx` is `http_2xx`.
fn connected(text: &str, mark: char) -> String {
    let words = words(text);
    let mut out = String::new();
    let mut at = 0;
    let kind = |at: usize| words.get(at).map(|(kind, _)| *kind);
    let is_joined =
        |at: usize| !matches!(kind(at), None | Some(Sort::Connector | Sort::Punctuation));
    let write = |out: &mut String, at: usize| {
        if let Some((kind, word)) = words.get(at) {
            match kind {
                Sort::Connector => out.extend(word.chars().map(|_| mark)),
                _ => out.push_str(&word.to_lowercase()),
            }
        }
    };
    let letters_and_numbers = |out: &mut String, at: &mut usize| {
        while matches!(kind(*at), Some(Sort::Lower | Sort::Digit)) {
            write(out, *at);
            *at += 1;
        }
    };
    while at < words.len() {
        let this = kind(at);
        write(&mut out, at);
        at += 1;
        match this {
            Some(Sort::Digit) => letters_and_numbers(&mut out, &mut at),
            Some(Sort::Connector | Sort::Punctuation) => continue,
            _ if kind(at) == Some(Sort::Digit) => {
                if kind(at + 1) == Some(Sort::Lower) {
                    out.push(mark);
                    letters_and_numbers(&mut out, &mut at);
                } else {
                    write(&mut out, at);
                    at += 1;
                }
            }
            _ => {}
        }
        if is_joined(at) {
            out.push(mark);
        }
    }
    out
}

/// xstrings.ToPascalCase, as sprig's camelcase: words joined, each with a capital.
fn camel(text: &str) -> String {
    let mut out = String::new();
    let mut starts = true;
    let mut leading = true;
    for c in text.chars() {
        if sort(c) == Sort::Connector {
            if leading {
                out.push(c);
            }
            starts = true;
            continue;
        }
        leading = false;
        if starts {
            out.extend(c.to_uppercase());
        } else {
            out.extend(c.to_lowercase());
        }
        starts = false;
    }
    let trailing = text
        .chars()
        .rev()
        .take_while(|c| sort(*c) == Sort::Connector)
        .count();
    if !leading {
        let tail: Vec<char> = text.chars().rev().take(trailing).collect();
        out.extend(tail.into_iter().rev());
    }
    out
}

/// goutils.WrapCustom: breaks at blanks, and within long words where asked.
fn wrap(text: &str, width: i64, line_end: &str, breaks_words: bool) -> String {
    let characters: Vec<char> = text.chars().collect();
    let width = usize::try_from(width).unwrap_or(0).max(1);
    let line_end = if line_end.is_empty() { "\n" } else { line_end };
    let mut out = String::new();
    let mut at = 0;
    while characters.len() - at > width {
        if characters[at] == ' ' {
            at += 1;
            continue;
        }
        let end = width + at + 1;
        let window = &characters[at..end.min(characters.len())];
        if let Some(blank) = window.iter().rposition(|c| *c == ' ') {
            out.extend(&characters[at..at + blank]);
            out.push_str(line_end);
            at += blank + 1;
        } else if breaks_words {
            out.extend(&characters[at..at + width]);
            out.push_str(line_end);
            at += width;
        } else if let Some(blank) = characters[(at + width)..].iter().position(|c| *c == ' ') {
            let blank = at + width + blank;
            out.extend(&characters[at..blank]);
            out.push_str(line_end);
            at = blank + 1;
        } else {
            break;
        }
    }
    out.extend(&characters[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The samples are those that xstrings documents.
    #[test]
    fn cases_of_words() {
        for (text, snake) in [
            ("FirstName", "first_name"),
            ("HTTPServer", "http_server"),
            ("NoHTTPS", "no_https"),
            ("GO_PATH", "go_path"),
            ("GO PATH", "go_path"),
            ("GO-PATH", "go_path"),
            ("http2xx", "http_2xx"),
            ("HTTP20xOK", "http_20x_ok"),
            ("Duration2m3s", "duration_2m3s"),
            ("Bld4Floor3rd", "bld4_floor_3rd"),
        ] {
            assert_eq!(connected(text, '_'), snake, "{text}");
        }
        assert_eq!(connected("FirstName", '-'), "first-name");
        assert_eq!(camel("http_server"), "HttpServer");
        assert_eq!(camel("some-words here"), "SomeWordsHere");
    }
}
