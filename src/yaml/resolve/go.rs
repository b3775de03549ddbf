//! Plain scalars as go-yaml v3 resolves them.

use super::number::Number;
use super::timestamp::Timestamp;
use crate::yaml::Tag;

/// The type of a plain scalar. The first byte decides for most texts that they are nothing but text.
pub(super) fn resolve(text: &str) -> Tag {
    let Some(first) = text.bytes().next() else {
        return Tag::Null;
    };
    match first {
        b'0'..=b'9' => number_or_date(text),
        b'+' | b'-' => match text {
            "+.inf" | "+.Inf" | "+.INF" | "-.inf" | "-.Inf" | "-.INF" => Tag::Float,
            _ => number_or_date(text),
        },
        b'.' => match text {
            ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN" => Tag::Float,
            _ if Number::parse(text).is_some() => Tag::Float,
            _ => Tag::Str,
        },
        b't' | b'T' | b'f' | b'F' => match text {
            "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => Tag::Bool,
            _ => Tag::Str,
        },
        b'n' | b'N' | b'~' => match text {
            "null" | "Null" | "NULL" | "~" => Tag::Null,
            _ => Tag::Str,
        },
        b'<' if text == "<<" => Tag::Merge,
        _ => Tag::Str,
    }
}

fn number_or_date(text: &str) -> Tag {
    match Number::parse(text) {
        Some(Number::Int(_) | Number::Uint(_)) => Tag::Int,
        Some(Number::Float(_)) => Tag::Float,
        None if Timestamp::parse(text).is_some() => Tag::Timestamp,
        None => Tag::Str,
    }
}

#[cfg(test)]
mod tests {
    use super::resolve;
    use crate::yaml::Tag;

    #[test]
    fn resolves_as_go_yaml_v3() {
        let rows: &[(Tag, &str)] = &[
            (Tag::Null, " ~ null Null NULL"),
            (Tag::Bool, "true True TRUE false False FALSE"),
            (
                Tag::Int,
                "0 -0 1 +1 017 0o17 -0o17 0x1F 0X1f 0b101 -0b1 1_000 1_ 18446744073709551615 -1_0",
            ),
            (
                Tag::Float,
                "08 1.0 1e3 1E-3 .5 -.5 1. 1_0.5 18446744073709551616 .inf -.Inf +.INF .nan .5e3 099",
            ),
            (
                Tag::Timestamp,
                "2024-01-01 2024-1-2 2024-01-01T10:00:00Z 2024-01-01t1:2:3.5+02:00",
            ),
            (
                Tag::Str,
                "yes no on off y n tRUE nULL 1:20 0x 0xg 0b2 0o8 1e 1e999 -- + - . .. ._5 1.2.3 2024-13-01 2024-02-30 =  -.nan +.nan <<x 0x1FFFFFFFFFFFFFFFFF 2024-01-01T10:00:00 _1",
            ),
            (Tag::Merge, "<<"),
        ];
        for (tag, texts) in rows {
            for text in texts.split(' ') {
                if text.is_empty() && *tag != Tag::Null {
                    continue;
                }
                assert_eq!(resolve(text), *tag, "{text}");
            }
        }
        assert_eq!(resolve("2024-01-01 10:00:00"), Tag::Timestamp);
        assert_eq!(resolve("2024-01-01 10:00:00 Z"), Tag::Str);
    }
}
