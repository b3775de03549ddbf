use super::*;
use crate::yaml::{Mapping, Mark};

fn entry(key: &str, value: Node) -> Entry {
    Entry {
        key: Node::string(key),
        value,
    }
}

fn map(entries: Vec<Entry>) -> Node {
    Node::new(Value::Mapping(Mapping::from_entries(entries)), Tag::Map)
}

fn written(node: &Node) -> Result<String, ValueErrorKind> {
    let mut out = b"kept".to_vec();
    let result = write_manifest(&mut out, node);
    let text = String::from_utf8(out).unwrap();
    let text = text.strip_prefix("kept").unwrap();
    result.map_err(|error| {
        assert_eq!(text, "");
        error.kind
    })?;
    Ok(text.to_owned())
}

fn value(tag: Tag, text: &str) -> String {
    let written = written(&map(vec![entry("v", Node::scalar(tag, text))])).unwrap();
    let value = written.strip_prefix("v: ").unwrap();
    value.strip_suffix('\n').unwrap().to_owned()
}

#[test]
fn scalars_go_through_json() {
    for (tag, text, expected) in [
        (Tag::Int, "0x1F", "31"),
        (Tag::Int, "017", "15"),
        (Tag::Int, "-0", "0"),
        (Tag::Int, "18446744073709551615", "18446744073709551615"),
        (Tag::Float, "08", "8"),
        (Tag::Float, "1.0", "1"),
        (Tag::Float, "-0.0", "0"),
        (Tag::Float, "1e3", "1000"),
        (Tag::Float, "1234567.5", "1.2345675e+06"),
        (Tag::Float, "1e20", "1e+20"),
        (Tag::Float, "9223372036854775808.0", "9223372036854776000"),
        (Tag::Float, "18446744073709551616", "1.8446744073709552e+19"),
        (Tag::Float, "0.00001", "1e-05"),
        (Tag::Bool, "TRUE", "true"),
        (Tag::Null, "~", "null"),
        (Tag::Timestamp, "2024-1-1", "\"2024-01-01T00:00:00Z\""),
        (Tag::Binary, "aGVs\nbG8=", "hello"),
        (Tag::Binary, "/w==", "\u{fffd}"),
        (Tag::Custom, "1", "\"1\""),
    ] {
        assert_eq!(value(tag, text), expected, "{tag:?} {text}");
    }
}

#[test]
fn strings_take_the_first_style_that_holds_them() {
    for (text, expected) in [
        ("plain text", "plain text"),
        ("<<", "<<"),
        ("", "\"\""),
        ("yes", "\"yes\""),
        ("1:20", "\"1:20\""),
        ("a: b", "'a: b'"),
        ("'a'", "'''a'''"),
        ("- a", "'- a'"),
        ("-", "'-'"),
        (" a", "' a'"),
        ("a\tb", "\"a\\tb\""),
        ("a \nb", "\"a \\nb\""),
        ("🔒", "\"\\U0001F512\""),
        ("\u{feff}a", "\"\\uFEFF\\x61\""),
        ("a\nb", "|-\n  a\n  b"),
        (" a\n", "|2\n   a"),
        ("a\u{2028}b", "'a\u{2028}  b'"),
    ] {
        assert_eq!(value(Tag::Str, text), expected, "{text:?}");
    }
}

#[test]
fn long_lines_fold_after_column_80() {
    let words = ["word"; 20].join(" ");
    let expected = format!("{}\n  {}", ["word"; 16].join(" "), ["word"; 4].join(" "));
    assert_eq!(value(Tag::Str, &words), expected);
    assert_eq!(value(Tag::Str, &"x".repeat(200)), "x".repeat(200));
}

#[test]
fn collections_are_blocks() {
    let item = map(vec![
        entry("b", Node::int(1)),
        entry("a", Node::sequence(vec![Node::null()])),
    ]);
    let inner = Node::sequence(vec![Node::int(1), Node::mapping()]);
    let node = map(vec![
        entry("list", Node::sequence(vec![inner, item])),
        entry("none", Node::sequence(vec![])),
        entry("map", Node::mapping()),
    ]);
    assert_eq!(
        written(&node).unwrap(),
        "list:\n- - 1\n  - {}\n- a:\n  - null\n  b: 1\nmap: {}\nnone: []\n"
    );
    assert_eq!(written(&Node::mapping()).unwrap(), "{}\n");
    assert_eq!(
        written(&Node::sequence(vec![Node::int(1)])).unwrap(),
        "- 1\n"
    );
    assert_eq!(written(&Node::string("a\n")).unwrap(), "|\n  a\n");
}

#[test]
fn keys_that_cannot_stand_before_their_value() {
    let long = "k".repeat(129);
    let node = map(vec![
        entry(&long, Node::sequence(vec![Node::int(1)])),
        entry("m\nn", map(vec![entry("a", Node::int(1))])),
        entry("o\rp", Node::int(1)),
    ]);
    let expected = format!("? {long}\n: - 1\n? |-\n  m\n  n\n: a: 1\n? \"o\\rp\"\n: 1\n");
    assert_eq!(written(&node).unwrap(), expected);
    let simple = map(vec![
        entry("a: b", Node::int(1)),
        entry("on", Node::int(1)),
        entry(" ", Node::int(1)),
    ]);
    assert_eq!(written(&simple).unwrap(), "' ': 1\n'a: b': 1\n\"on\": 1\n");
}

#[test]
fn keys_that_are_no_strings() {
    let number_key = || {
        vec![Entry {
            key: Node::int(1),
            value: Node::null(),
        }]
    };
    assert_eq!(written(&map(number_key())).unwrap(), "\"1\": null\n");
    let nested = map(vec![entry("a", map(number_key()))]);
    assert_eq!(written(&nested), Err(ValueErrorKind::KeyNotString));
    let null_key = map(vec![Entry {
        key: Node::null(),
        value: Node::null(),
    }]);
    assert_eq!(written(&null_key), Err(ValueErrorKind::KeyNotString));
}

#[test]
fn values_that_json_cannot_hold() {
    for (tag, text, kind) in [
        (Tag::Float, "-.inf", ValueErrorKind::NotFinite),
        (Tag::Int, "1.5", ValueErrorKind::Mismatch(Tag::Int)),
        (Tag::Bool, "yes", ValueErrorKind::Mismatch(Tag::Bool)),
        (Tag::Binary, "a", ValueErrorKind::Mismatch(Tag::Binary)),
        (
            Tag::Timestamp,
            "2024-01-01T00:00:00+24:00",
            ValueErrorKind::TimestampOffset,
        ),
    ] {
        assert_eq!(
            written(&Node::sequence(vec![Node::scalar(tag, text)])),
            Err(kind)
        );
    }
}

#[test]
fn a_key_that_is_set_twice_names_both_places() {
    let mark = |line| Mark { line, column: 3 };
    let entries = [2, 4].map(|line| Entry {
        key: Node::string("a").with_mark(mark(line)),
        value: Node::null(),
    });
    let error = write_manifest(&mut Vec::new(), &map(entries.into())).unwrap_err();
    assert_eq!(
        error,
        ValueError {
            mark: mark(4),
            kind: ValueErrorKind::DuplicateKey(mark(2))
        }
    );
    assert_eq!(error.kind.to_string(), "key is already set at line 2");
}

#[test]
fn next_lines_fold() {
    let rows = [
        ("a\u{85}b", "a b"),
        ("a \u{85} b", "a b"),
        ("a\u{85}", "'a '"),
        ("\u{85}a", "' a'"),
        ("a\u{85} \u{85}b", "|-\n  a\n  b"),
    ];
    for (text, expected) in rows {
        assert_eq!(value(Tag::Str, text), expected, "{text:?}");
    }
}
