//! What is accepted, what it is, and what is refused, by rows.

mod comments;

use super::{MAX_DEPTH, ParseOptions, SyntaxKind, parse};
use crate::yaml::{Node, Value};

/// A node in one line: `{a: 1}`, strings quoted, other scalars with their tag.
fn show(node: &Node) -> String {
    match node.value() {
        Value::Scalar(text) => match node.as_str() {
            Some(text) => format!("{text:?}"),
            None => format!("{:?}({text})", node.tag()),
        },
        Value::Sequence(items) => {
            let items: Vec<_> = items.iter().map(show).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Mapping(mapping) => {
            let entries = mapping.entries().iter();
            let entries: Vec<_> = entries
                .map(|e| format!("{}: {}", show(&e.key), show(&e.value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

fn read(text: &str) -> String {
    match parse(text, ParseOptions::default()) {
        Ok(documents) => documents.iter().map(show).collect::<Vec<_>>().join(" --- "),
        Err(error) => format!("{error}"),
    }
}

#[test]
fn reads_documents() {
    let rows = [
        ("", ""),
        ("# only a comment\n", ""),
        ("---\n", "Null()"),
        ("a", "\"a\""),
        (
            "a: 1\n---\nb: 2\n...\n---\n",
            "{\"a\": Int(1)} --- {\"b\": Int(2)} --- Null()",
        ),
        ("\u{FEFF}a: b", "{\"a\": \"b\"}"),
        ("a: b\r\nc:\r\n- d\r\n", "{\"a\": \"b\", \"c\": [\"d\"]}"),
        ("%YAML 1.1\n---\na: b\n", "{\"a\": \"b\"}"),
        ("--- a\n", "\"a\""),
        ("--- |\n a\n", "\"a\\n\""),
        ("a: b\n%YAML 1.1\n---\nc", "{\"a\": \"b\"} --- \"c\""),
    ];
    for (text, expected) in rows {
        assert_eq!(read(text), expected, "{text:?}");
    }
}

#[test]
fn reads_collections() {
    let rows = [
        (
            "a:\n  b: c\nd:\n- e\n- f: g\n  h:\n",
            "{\"a\": {\"b\": \"c\"}, \"d\": [\"e\", {\"f\": \"g\", \"h\": Null()}]}",
        ),
        ("- - a\n  - b\n-\n- c\n", "[[\"a\", \"b\"], Null(), \"c\"]"),
        (
            "{a: b, c, 'd':e, \"f\": }",
            "{\"a\": \"b\", \"c\": Null(), \"d\": \"e\", \"f\": Null()}",
        ),
        ("[a, b: c, [d], ]", "[\"a\", {\"b\": \"c\"}, [\"d\"]]"),
        ("a: [b,\nc]", "{\"a\": [\"b\", \"c\"]}"),
        ("? a\n: b\n? c\n", "{\"a\": \"b\", \"c\": Null()}"),
        (
            "[a]: b\n{c: d}: e\n",
            "{[\"a\"]: \"b\", {\"c\": \"d\"}: \"e\"}",
        ),
        ("a:\tb", "{\"a\": \"b\"}"),
        (
            "\"a\":b",
            "1:4: the document has ended; a line with `---` starts another",
        ),
        ("a: [b]#c", "{\"a\": [\"b\"]}"),
        ("? - a\n  - b\n: - c\n", "{[\"a\", \"b\"]: [\"c\"]}"),
        (
            ": a\n",
            "1:1: expected a key here, as in the mapping that starts at line 1",
        ),
        (
            "a: {b: {c: [1, {d: 2}]}}",
            "{\"a\": {\"b\": {\"c\": [Int(1), {\"d\": Int(2)}]}}}",
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(read(text), expected, "{text:?}");
    }
}

#[test]
fn reads_scalars() {
    let rows = [
        ("a b\n c\n\n d # e", "\"a b c\\nd\""),
        ("'it''s\n  b\n\n  c '", "\"it's b\\nc \""),
        ("\"a\\tb\\x41\\u00e9\\\n  c\\\\\"", "\"a\\tbAéc\\\\\""),
        (
            "a: |\n  b\n   c\n\n  d\n\ne: f",
            "{\"a\": \"b\\n c\\n\\nd\\n\", \"e\": \"f\"}",
        ),
        (
            "a: >-\n  b\n  c\n\n  d\n   e\n  f\n",
            "{\"a\": \"b c\\nd\\n e\\nf\"}",
        ),
        ("a: |+\n  b\n\n", "{\"a\": \"b\\n\\n\"}"),
        ("a: |2-\n   b\n", "{\"a\": \" b\"}"),
        ("a: |#c\n b", "{\"a\": \"b\"}"),
        ("a: 'b'#c", "{\"a\": \"b\"}"),
        ("a: b#c", "{\"a\": \"b#c\"}"),
        ("a: http://b:8080/", "{\"a\": \"http://b:8080/\"}"),
        (
            "- yes\n- 017\n- 1.50\n- ~\n- .inf\n- True\n- 2024-01-01\n",
            "[\"yes\", Int(017), Float(1.50), Null(~), Float(.inf), Bool(True), Timestamp(2024-01-01)]",
        ),
        ("!!str 1", "\"1\""),
        ("!!int \"1\"", "Int(1)"),
        ("!custom x", "Custom(x)"),
        ("! 1", "Int(1)"),
        ("é: ü\n", "{\"é\": \"ü\"}"),
    ];
    for (text, expected) in rows {
        assert_eq!(read(text), expected, "{text:?}");
    }
}

#[test]
fn expands_aliases_and_merge_keys() {
    let rows = [
        ("a: &x 1\nb: *x\n", "{\"a\": Int(1), \"b\": Int(1)}"),
        (
            "a: &x {b: &y [1]}\nc: *x\nd: *y\n",
            "{\"a\": {\"b\": [Int(1)]}, \"c\": {\"b\": [Int(1)]}, \"d\": [Int(1)]}",
        ),
        ("&k a: *k\n", "{\"a\": \"a\"}"),
        (
            "x: &x {a: 1, b: 2}\ny:\n  b: 3\n  <<: *x\n",
            "{\"x\": {\"a\": Int(1), \"b\": Int(2)}, \"y\": {\"b\": Int(3), \"a\": Int(1)}}",
        ),
        (
            "<<: [{a: 1}, {a: 2, b: 2}]\n",
            "{\"a\": Int(1), \"b\": Int(2)}",
        ),
        ("\"<<\": {a: 1}\n", "{\"<<\": {\"a\": Int(1)}}"),
        ("<<: 1", "1:5: `<<` takes a mapping or a list of mappings"),
        (
            "a: *x",
            "1:4: this alias names no anchor above it in the document",
        ),
        (
            "a: &x [*x]",
            "1:8: this alias stands inside the node that its anchor marks",
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(read(text), expected, "{text:?}");
    }
}

#[test]
fn refuses_with_a_place() {
    let rows = [
        (
            "a: b: c",
            "1:5: a `:` cannot start a value here; a text with `: ` in it needs quotes",
        ),
        ("a: b\nc\nd: e\n", "2:1: a key without a `:` after it"),
        ("-\ta\n", "1:2: a tab indents here, where only spaces may"),
        (
            "a:\n\tb: c\n",
            "2:1: a tab indents here, where only spaces may",
        ),
        ("a: 'b", "1:4: these quotes are not closed"),
        (
            "a: [b",
            "2:1: expected `,` or `]` after an item of the `[` at line 1",
        ),
        ("a: @b", "1:4: a value cannot start with this character"),
        ("a: \"\\/\"", "1:5: YAML has no such escape"),
        (
            "%YAML 1.2\n---\na",
            "1:1: only one `%YAML 1.1` line is understood; leave it out",
        ),
        (
            "%FOO\n---\na",
            "1:1: a line that starts with `%` is a directive, and this one is unknown",
        ),
        (
            "a: 1\nb: 2\na: 3\n",
            "3:1: this key is already in the mapping, at line 1",
        ),
        (
            "a: \u{1}",
            "1:4: a control character is not allowed here; write it as an escape in double quotes",
        ),
        (
            "  a: b\n c: d",
            "2:2: the document has ended; a line with `---` starts another",
        ),
        ("a: !!int b", "1:4: this value does not fit its tag"),
    ];
    for (text, expected) in rows {
        assert_eq!(read(text), expected, "{text:?}");
    }
}

#[test]
fn limits_depth() {
    let deep = "[".repeat(MAX_DEPTH + 1);
    let error = parse(&deep, ParseOptions::default()).unwrap_err();
    assert_eq!(error.kind, SyntaxKind::Limit);
    let fits = format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
    assert!(parse(&fits, ParseOptions::default()).is_ok());
}

#[test]
fn limits_tag_handles() {
    let lines = |count: usize| (0..count).map(|n| format!("%TAG !a{n}! tag:x,{n}:\n"));
    let text = |count| format!("{}---\na: 1\n", lines(count).collect::<String>());
    assert!(parse(&text(100), ParseOptions::default()).is_ok());
    let error = parse(&text(101), ParseOptions::default()).unwrap_err();
    assert_eq!(error.kind, SyntaxKind::Limit);
}
