//! Gives the value of a reference.

use std::borrow::Cow;

use super::expression::{Fault, Operator, Piece, Reference};
use super::pattern::Pattern;
use super::{Strictness, Variables, placeholder};
use crate::diagnostic::budget::Growth;

/// Writes the value of pieces. Values are bytes: a substring may cut a character in two.
pub(super) fn write(
    out: &mut Vec<u8>,
    pieces: &[Piece<'_>],
    variables: &Variables,
    strictness: Strictness,
) -> Result<(), Fault> {
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
            Piece::Reference(reference) => {
                let before = out.len();
                reference_to(out, reference, variables, strictness)?;
                let longer = (out.len() - before) as u64;
                Growth::SubstitutedBytes
                    .charge(longer)
                    .map_err(|_| Fault::Spent)?;
            }
        }
    }
    Ok(())
}

/// Writes the value of one reference. Arguments are evaluated first, used or not.
fn reference_to(
    out: &mut Vec<u8>,
    reference: &Reference<'_>,
    variables: &Variables,
    strictness: Strictness,
) -> Result<(), Fault> {
    let mut arguments = Vec::with_capacity(reference.arguments.len());
    for argument in &reference.arguments {
        let mut value = Vec::new();
        write(
            &mut value,
            std::slice::from_ref(argument),
            variables,
            strictness,
        )?;
        arguments.push(value);
    }
    let value = match (variables.value(reference.name), strictness) {
        (Some(value), _) => Cow::Borrowed(value),
        (None, _) if reference.operator == Operator::Default => Cow::Borrowed(""),
        (None, Strictness::Strict) => return Err(Fault::NotSet(reference.name.to_owned())),
        (None, Strictness::Lenient) => Cow::Borrowed(""),
        (None, Strictness::Marked) => Cow::Owned(placeholder(reference.name)),
    };
    apply(out, reference, &value, &arguments)
}

fn apply(
    out: &mut Vec<u8>,
    reference: &Reference<'_>,
    value: &str,
    arguments: &[Vec<u8>],
) -> Result<(), Fault> {
    let argument = |index: usize| arguments.get(index).map_or(&[][..], Vec::as_slice);
    match reference.operator {
        Operator::Plain => out.extend_from_slice(value.as_bytes()),
        Operator::Default if value.is_empty() => {
            arguments.iter().for_each(|a| out.extend_from_slice(a));
        }
        Operator::Default => out.extend_from_slice(value.as_bytes()),
        Operator::Length => out.extend_from_slice(value.len().to_string().as_bytes()),
        Operator::UpperFirst => first(out, value, upper),
        Operator::LowerFirst => first(out, value, lower),
        Operator::Upper => text(out, &value.chars().map(upper).collect::<String>()),
        Operator::Lower => text(out, &value.chars().map(lower).collect::<String>()),
        Operator::Substring => {
            let cut = substring(value.as_bytes(), arguments)
                .ok_or_else(|| Fault::NegativeLength(reference.name.to_owned()))?;
            out.extend_from_slice(cut);
        }
        Operator::ShortestPrefix => {
            out.extend_from_slice(prefix_removed(value, argument(0), Pattern::shortest_prefix));
        }
        Operator::LongestPrefix => {
            out.extend_from_slice(prefix_removed(value, argument(0), Pattern::longest_prefix));
        }
        Operator::ShortestSuffix => {
            text(
                out,
                &suffix_removed(value, argument(0), Pattern::shortest_prefix),
            );
        }
        Operator::LongestSuffix => {
            text(
                out,
                &suffix_removed(value, argument(0), Pattern::longest_prefix),
            );
        }
        Operator::ReplaceFirst => replace(out, value.as_bytes(), argument(0), argument(1), 1),
        Operator::ReplaceAll => {
            replace(out, value.as_bytes(), argument(0), argument(1), usize::MAX);
        }
        Operator::ReplacePrefix => {
            let changed = arguments.len() == 2 && value.as_bytes().starts_with(argument(0));
            replace(
                out,
                value.as_bytes(),
                argument(0),
                argument(1),
                usize::from(changed),
            );
        }
        Operator::ReplaceSuffix => match value.as_bytes().strip_suffix(argument(0)) {
            Some(rest) if arguments.len() == 2 => {
                out.extend_from_slice(rest);
                out.extend_from_slice(argument(1));
            }
            _ => text(out, value),
        },
    }
    Ok(())
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn first(out: &mut Vec<u8>, value: &str, map: fn(char) -> char) {
    let mut characters = value.chars();
    if let Some(head) = characters.next() {
        out.extend_from_slice(map(head).encode_utf8(&mut [0; 4]).as_bytes());
        text(out, characters.as_str());
    }
}

/// The simple upper case of a character, as Go maps it: one character for one.
fn upper(character: char) -> char {
    let mut mapped = character.to_uppercase();
    match (mapped.next(), mapped.next()) {
        (Some(only), None) => only,
        _ => match character {
            '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => {
                char::from_u32(character as u32 + 8).unwrap_or(character)
            }
            '\u{1fb3}' => '\u{1fbc}',
            '\u{1fc3}' => '\u{1fcc}',
            '\u{1ff3}' => '\u{1ffc}',
            other => other,
        },
    }
}

/// The simple lower case of a character.
fn lower(character: char) -> char {
    // Only U+0130 maps to two characters, of which Go keeps the first.
    character.to_lowercase().next().unwrap_or(character)
}

/// `${v:offset}` and `${v:offset:length}`, in bytes; `None` for a length below zero.
fn substring<'v>(value: &'v [u8], arguments: &[Vec<u8>]) -> Option<&'v [u8]> {
    let number = |index: usize| {
        std::str::from_utf8(arguments.get(index)?)
            .ok()?
            .parse::<i64>()
            .ok()
    };
    let size = i64::try_from(value.len()).ok()?;
    // What is no plain integer leaves the value whole.
    let Some(offset) = number(0) else {
        return Some(value);
    };
    let start = if offset < 0 {
        (size + offset).max(0)
    } else {
        offset.min(size)
    };
    let mut end = size;
    if arguments.len() > 1 {
        let Some(length) = number(1) else {
            return Some(value);
        };
        let reach = offset.max(start).saturating_add(length);
        if reach < size {
            end = reach;
        }
    }
    value.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
}

type Prefix = fn(&Pattern, &str) -> Option<usize>;

fn prefix_removed<'v>(value: &'v str, pattern: &[u8], find: Prefix) -> &'v [u8] {
    let pattern = String::from_utf8_lossy(pattern);
    let length = Pattern::parse(&pattern).and_then(|p| find(&p, value));
    &value.as_bytes()[length.unwrap_or(0)..]
}

/// Removes a suffix as upstream does: the prefix of the reversed value by the reversed pattern.
fn suffix_removed(value: &str, pattern: &[u8], find: Prefix) -> String {
    let reverse = |bytes: Cow<'_, str>| bytes.chars().rev().collect::<String>();
    let reversed = reverse(Cow::Borrowed(value));
    let pattern = reverse(String::from_utf8_lossy(pattern));
    let kept = prefix_removed(&reversed, pattern.as_bytes(), find);
    reverse(String::from_utf8_lossy(kept))
}

/// Replaces up to `limit` occurrences, from the left.
fn replace(out: &mut Vec<u8>, value: &[u8], pattern: &[u8], replacement: &[u8], limit: usize) {
    let mut rest = value;
    if !pattern.is_empty() {
        for _ in 0..limit {
            let Some(at) = find(rest, pattern) else { break };
            out.extend_from_slice(&rest[..at]);
            out.extend_from_slice(replacement);
            rest = &rest[at + pattern.len()..];
        }
    } else if limit > 0 {
        replace_empty(out, &mut rest, replacement, limit);
    }
    out.extend_from_slice(rest);
}

/// An empty pattern (a nested reference without a value) matches before each character and at the end.
fn replace_empty(out: &mut Vec<u8>, rest: &mut &[u8], replacement: &[u8], limit: usize) {
    let value = *rest;
    let characters = String::from_utf8_lossy(value);
    let mut at = 0;
    for character in characters.chars().take(limit) {
        out.extend_from_slice(replacement);
        out.extend_from_slice(&value[at..at + character.len_utf8()]);
        at += character.len_utf8();
    }
    if limit > characters.chars().count() {
        out.extend_from_slice(replacement);
    }
    *rest = &value[at..];
}

fn find(value: &[u8], pattern: &[u8]) -> Option<usize> {
    value.windows(pattern.len()).position(|w| w == pattern)
}

#[cfg(test)]
mod tests {
    use super::{lower, replace, upper};

    #[test]
    fn case_is_mapped_one_to_one() {
        assert_eq!(
            ['ß', 'ŉ', 'ᾳ', 'ᾀ', 'é'].map(upper),
            ['ß', 'ŉ', 'ᾼ', 'ᾈ', 'É']
        );
        assert_eq!(['İ', 'Σ'].map(lower), ['i', 'σ']);
    }

    #[test]
    fn empty_pattern() {
        let run = |limit| {
            let mut out = Vec::new();
            replace(&mut out, b"ab", b"", b"-", limit);
            String::from_utf8(out).expect("text")
        };
        assert_eq!([run(1), run(usize::MAX)], ["-ab", "-a-b-"]);
    }
}
