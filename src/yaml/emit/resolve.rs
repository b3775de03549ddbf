//! What a plain text would be taken for: the strings that need quotes.

use super::analysis::Dialect;
use crate::yaml::{Number, Timestamp};

/// Whether a plain text would be read as anything but a string: by go-yaml, by a parser of YAML 1.1 or by one that
/// knows numbers in base 60.
pub(super) fn is_ambiguous(text: &str, dialect: Dialect) -> bool {
    let Some(first) = text.as_bytes().first() else {
        return true;
    };
    match first {
        b'0'..=b'9' | b'+' | b'-' => {
            (Number::parse(text).is_some() && !(is_signed_octal(text) && dialect == Dialect::V2))
                || is_base_60(text.as_bytes())
                || Timestamp::parse(text).is_some()
        }
        b'.' => Number::parse(text).is_some() || is_separated_fraction(text),
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~' => is_word(text),
        _ => false,
    }
}

fn is_word(text: &str) -> bool {
    matches!(
        text,
        "~" | "null"
            | "Null"
            | "NULL"
            | "true"
            | "True"
            | "TRUE"
            | "false"
            | "False"
            | "FALSE"
            | "y"
            | "Y"
            | "yes"
            | "Yes"
            | "YES"
            | "on"
            | "On"
            | "ON"
            | "n"
            | "N"
            | "no"
            | "No"
            | "NO"
            | "off"
            | "Off"
            | "OFF"
    )
}

/// Whether a text is a number in base 60: `1:20`, `-190:20:30.15`. The first group may have any length.
pub(super) fn is_base_60(text: &[u8]) -> bool {
    let text = text
        .strip_prefix(b"-")
        .or_else(|| text.strip_prefix(b"+"))
        .unwrap_or(text);
    let mut groups = text.split(|&b| b == b':');
    let whole = groups.next().unwrap_or_default();
    if !matches!(whole, [b'0'..=b'9', rest @ ..] if is_digits(rest)) {
        return false;
    }
    let mut groups = groups.peekable();
    if groups.peek().is_none() {
        return false;
    }
    while let Some(group) = groups.next() {
        let mut parts = group.splitn(2, |&b| b == b'.');
        let minutes = parts.next().unwrap_or_default();
        if !matches!(minutes, [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']) {
            return false;
        }
        if let Some(fraction) = parts.next()
            && (groups.peek().is_some() || !is_digits(fraction))
        {
            return false;
        }
    }
    true
}

fn is_digits(text: &[u8]) -> bool {
    text.iter().all(|b| b.is_ascii_digit() || *b == b'_')
}

/// `0o-17`: go-yaml v3 takes a sign after the base of octal numbers, v2 after that of binary ones alone.
fn is_signed_octal(text: &str) -> bool {
    text.starts_with("0o+") || text.starts_with("0o-")
}

/// `.5_0`: a number that starts with its point may have `_` between digits.
fn is_separated_fraction(text: &str) -> bool {
    let bytes = text.as_bytes();
    let separates = |&(index, _): &(usize, &u8)| {
        bytes[index - 1].is_ascii_digit() && bytes.get(index + 1).is_some_and(u8::is_ascii_digit)
    };
    let mut separators = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_');
    separators.all(|at| separates(&at)) && Number::parse(&text.replace('_', "")).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ambiguous_texts() {
        for text in [
            "",
            "~",
            "null",
            "y",
            "N",
            "yes",
            "Off",
            "true",
            "1",
            "-1",
            "+1",
            "1_000",
            "0_",
            "017",
            "0o17",
            "08",
            "0x1F",
            "0b1",
            "0b+1",
            "0b-1_0",
            "1.5",
            "1e3",
            "1.",
            ".5",
            ".5_0",
            "-.5",
            ".inf",
            "+.INF",
            ".nan",
            "1:20",
            "-190:20:30.15",
            "1_0:5",
            "1:5.",
            "2024-01-01",
            "2024-1-2t3:4:5Z",
            "18446744073709551616",
        ] {
            assert!(is_ambiguous(text, Dialect::V2), "{text}");
            assert!(is_ambiguous(text, Dialect::V3), "{text}");
        }
    }

    #[test]
    fn plain_texts() {
        for text in [
            "a",
            "yEs",
            "nulL",
            "tRUE",
            "-",
            "--",
            "+",
            ".",
            "..",
            "._5",
            ".5_",
            ".5__0",
            "1e",
            "e1",
            "0x",
            "0b",
            "0b2",
            "0b+2",
            "0o8",
            "+-1",
            "_1",
            "1:60",
            "1:",
            ":1",
            "1:5:",
            "1.5:20",
            "1:5.5:2",
            "a:20",
            "1:5.a",
            "1.2.3",
            "1e999",
            "2024-02-30",
            "2024-01-01T10:00:00",
            "=",
            "<<",
        ] {
            assert!(!is_ambiguous(text, Dialect::V2), "{text}");
            assert!(!is_ambiguous(text, Dialect::V3), "{text}");
        }
        assert!(is_ambiguous("0o+7", Dialect::V3));
        assert!(!is_ambiguous("0o+7", Dialect::V2));
    }
}
