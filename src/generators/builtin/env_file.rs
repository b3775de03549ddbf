//! Files of variables as the Ruby dotenv library and its Go port read them, which KSOPS uses.
//!
//! `NAME=value` and `NAME: value`, `export`, quotes, escapes, comments after a blank, and `$NAME` for the
//! variables above. The environment is not read: a name that the file does not set is empty.

/// What is wrong in a file, and on which line; never its text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: usize,
    pub(super) what: &'static str,
}

/// Reads a file of variables, in order; a name that is set again has the later value.
pub(super) fn parse(text: &str) -> Result<Vec<(String, String)>, Fault> {
    let text = text.replace("\r\n", "\n");
    let mut variables: Vec<(String, String)> = Vec::new();
    let mut rest = text.as_str();
    while let Some(statement) = next_statement(rest) {
        let line = 1 + text[..text.len() - statement.len()].matches('\n').count();
        let fault = |what| Fault { line, what };
        let (name, after) = name(statement).map_err(fault)?;
        let (value, after) = value(after, &variables).map_err(fault)?;
        match variables.iter_mut().find(|(n, _)| *n == name) {
            Some(slot) => slot.1 = value,
            None => variables.push((name, value)),
        }
        rest = after;
    }
    Ok(variables)
}

/// The text from the next statement on; comments are skipped.
fn next_statement(text: &str) -> Option<&str> {
    let mut rest = text.trim_start();
    while rest.starts_with('#') {
        rest = rest[rest.find('\n')?..].trim_start();
    }
    (!rest.is_empty()).then_some(rest)
}

/// A blank that does not end the line.
fn is_blank(c: char) -> bool {
    matches!(
        c,
        '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}'
    )
}

fn name(statement: &str) -> Result<(String, &str), &'static str> {
    let mut rest = statement.trim_start_matches(is_blank);
    if let Some(after) = rest
        .strip_prefix("export")
        .filter(|a| a.starts_with(is_blank))
    {
        rest = after.trim_start_matches(is_blank);
    }
    for (at, c) in rest.char_indices() {
        match c {
            '=' | ':' => {
                let after = rest[at + 1..].trim_start_matches(is_blank);
                return Ok((rest[..at].trim_end().to_owned(), after));
            }
            '_' | '.' | '-' => {}
            c if is_blank(c) || c.is_alphanumeric() => {}
            _ => return Err("has a character that no name has"),
        }
    }
    // A name at the end of the file that nothing follows sets the empty name, as the library does.
    Ok((String::new(), rest))
}

fn value<'a>(text: &'a str, above: &[(String, String)]) -> Result<(String, &'a str), &'static str> {
    let Some(quote @ ('"' | '\'')) = text.chars().next() else {
        return Ok(unquoted(text, above));
    };
    let bytes = text.as_bytes();
    let is_end = |at: &usize| bytes[*at] == quote as u8 && bytes[at - 1] != b'\\';
    let end = (1..bytes.len())
        .find(is_end)
        .ok_or("has a value without a closing quote")?;
    let inner = text[..end].trim_matches(quote);
    let value = if quote == '"' {
        expand(&unescape(inner), above)
    } else {
        inner.to_owned()
    };
    Ok((value, &text[end + 1..]))
}

fn unquoted<'a>(text: &'a str, above: &[(String, String)]) -> (String, &'a str) {
    let end = text.find(['\n', '\r']).unwrap_or(text.len());
    let (line, rest) = text.split_at(end);
    let mut before = None;
    let comment = line.char_indices().find(|(_, c)| {
        let starts = *c == '#' && before.is_some_and(is_blank);
        before = Some(*c);
        starts
    });
    let line = comment.map_or(line, |(at, _)| &line[..at]);
    (expand(line.trim_matches(is_blank), above), rest)
}

/// `\n` and `\r` become what they say, other escapes what follows them; `\$` stays for [`expand`].
fn unescape(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            result.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => result.push('\n'),
            Some('r') => result.push('\r'),
            Some('$') => result.push_str("\\$"),
            Some(other) => result.push(other),
            None => result.push('\\'),
        }
    }
    result
}

/// Fills `$NAME` and `${NAME}` from the variables above; `\$` and `$(` are text.
fn expand(text: &str, above: &[(String, String)]) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let escaped = rest[..at].ends_with('\\');
        let after = &rest[at + 1..];
        result.push_str(&rest[..at - usize::from(escaped)]);
        let open_paren = usize::from(after.starts_with('('));
        let open = open_paren + usize::from(after[open_paren..].starts_with('{'));
        let name_end = after[open..]
            .find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'))
            .map_or(after.len(), |end| open + end);
        let end = name_end + usize::from(after[name_end..].starts_with('}'));
        let name = &after[open..name_end];
        if escaped {
            result.push('$');
            result.push_str(&after[..end]);
        } else if open_paren > 0 {
            result.push_str(&after[..end]);
        } else if name.is_empty() {
            result.push('$');
            result.push_str(&after[..end]);
        } else {
            let value = above
                .iter()
                .find(|(n, _)| n == name)
                .map(|(_, v)| v.as_str());
            result.push_str(value.unwrap_or_default());
        }
        rest = &after[end..];
    }
    result.push_str(rest);
    result
}

#[cfg(test)]
mod tests {
    use super::{Fault, parse};

    #[test]
    fn reads_what_the_library_reads() {
        let text =
            "# c\nA=1\nexport B: two # x\nC='a b'\nD=\"x\\ny $A \\$A\"\nE=${A}b$NO#c\n\nF=\n";
        let wanted = [
            ("A", "1"),
            ("B", "two"),
            ("C", "a b"),
            ("D", "x\ny 1 $A"),
            ("E", "1b#c"),
            ("F", ""),
        ];
        let wanted: Vec<_> = wanted
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect();
        assert_eq!(parse(text), Ok(wanted));
    }

    #[test]
    fn faults_name_the_line() {
        assert_eq!(
            parse("A=1\nB!=2\n"),
            Err(Fault {
                line: 2,
                what: "has a character that no name has"
            })
        );
        assert_eq!(
            parse("\nA=\"x\n"),
            Err(Fault {
                line: 2,
                what: "has a value without a closing quote"
            })
        );
    }
}
