//! Which series an expression of Prometheus names.

/// What stands before a list of labels in parentheses.
const BEFORE_LABELS: [&str; 6] = [
    "by",
    "without",
    "on",
    "ignoring",
    "group_left",
    "group_right",
];

/// The names in an expression that may be metrics, each once: no text in quotes, no comment, and no label of
/// a selector, a grouping or a match.
pub(super) fn series(expression: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = expression;
    let mut before = "";
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '"' | '\'' | '`' => after_quote(rest, first),
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '{' => after(rest, '}'),
            '(' if is_before_labels(before) => after(rest, ')'),
            c if is_part_of_name(c) => rest.find(|c| !is_part_of_name(c)).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        let (token, remainder) = rest.split_at(end);
        if is_part_of_name(first) && !found.contains(&token) {
            found.push(token);
        }
        if !token.trim().is_empty() {
            before = token;
        }
        rest = remainder;
    }
    found
}

fn is_part_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == ':'
}

fn is_before_labels(word: &str) -> bool {
    BEFORE_LABELS.iter().any(|w| w.eq_ignore_ascii_case(word))
}

/// Where a text in quotes ends: a backslash takes the next character along, but not between backticks.
fn after_quote(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (index, c) in text.char_indices().skip(1) {
        if c == quote && !is_escaped {
            return index + c.len_utf8();
        }
        is_escaped = c == '\\' && !is_escaped && quote != '`';
    }
    text.len()
}

/// Where a group ends, texts in quotes and groups within it left aside.
fn after(text: &str, close: char) -> usize {
    let mut index = 1;
    while let Some(c) = text[index..].chars().next() {
        index += match c {
            '"' | '\'' | '`' => after_quote(&text[index..], c),
            c => c.len_utf8(),
        };
        if c == close {
            break;
        }
    }
    index
}

#[cfg(test)]
mod tests {
    use super::series;

    fn ours(expression: &str) -> Vec<&str> {
        let mut found = series(expression);
        found.retain(|name| name.starts_with("cnpg_"));
        found
    }

    #[test]
    fn labels_and_texts_are_no_series() {
        for (expression, names) in [
            (
                r#"max by (cnpg_io_cluster) (cnpg_a{job="cnpg_x"}) == 1 or cnpg_a"#,
                &["cnpg_a"][..],
            ),
            (
                "sum without(cnpg_b) (cnpg_a) / ON (cnpg_c) group_left ( cnpg_d ) cnpg_e",
                &["cnpg_a", "cnpg_e"],
            ),
            (r#"cnpg_a{cnpg_b="}", cnpg_c!~'x\'}'} > 1"#, &["cnpg_a"]),
            ("cnpg_a # cnpg_b\n+ cnpg_c", &["cnpg_a", "cnpg_c"]),
            (
                r#"label_replace(cnpg_a, "cnpg_b", `cnpg_\`, 'cnpg_d', "")"#,
                &["cnpg_a"],
            ),
            ("(cnpg_a{", &["cnpg_a"]),
            ("cnpg_a{x=\"", &["cnpg_a"]),
            ("count(cnpg_ä)", &["cnpg_"]),
        ] {
            assert_eq!(ours(expression), names, "{expression}");
        }
    }
}
