use super::*;
use crate::yaml::{Mapping, Tag};

fn entry(key: &str, value: Node) -> Entry {
    Entry {
        key: Node::string(key),
        value,
    }
}

fn map(entries: Vec<Entry>) -> Node {
    Node::new(Value::Mapping(Mapping::from_entries(entries)), Tag::Map)
}

fn written(node: &Node) -> String {
    let mut out = Vec::new();
    write_document(&mut out, node, &WriteOptions::default()).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn scalars() {
    for (tag, text, expected) in [
        (Tag::Str, "<<", "!!merge <<"),
        (Tag::Str, "on", "\"on\""),
        (Tag::Str, "0o+7", "\"0o+7\""),
        (Tag::Str, "a: b", "'a: b'"),
        (Tag::Str, "a\tb", "\"a\\tb\""),
        (Tag::Str, "🔒", "\"\\U0001F512\""),
        (Tag::Str, "a\n\tb\n", "|\n    a\n    \tb"),
        (Tag::Str, "\ta\nb", "\"\\ta\\nb\""),
        (Tag::Str, " a\nb", "|4-\n     a\n    b"),
        (Tag::Int, "0x1F", "31"),
        (Tag::Float, "1e6", "1e+06"),
        (Tag::Float, "-0.0", "-0"),
        (Tag::Float, "-.INF", "-.inf"),
        (Tag::Timestamp, "2024-1-1", "2024-01-01T00:00:00Z"),
        (Tag::Binary, "aGk=", "hi"),
        (Tag::Binary, "/w==", "!!binary /w=="),
        (Tag::Null, "", "null"),
    ] {
        let node = map(vec![entry("v", Node::scalar(tag, text))]);
        assert_eq!(
            written(&node),
            format!("v: {expected}\n"),
            "{tag:?} {text:?}"
        );
    }
}

#[test]
fn bytes_are_broken_into_lines() {
    let bytes = Node::scalar(Tag::Binary, format!("{}w==", "/".repeat(93)));
    let expected = format!(
        "v: !!binary |\n    {}\n    {}w==\n",
        "/".repeat(70),
        "/".repeat(23)
    );
    assert_eq!(written(&map(vec![entry("v", bytes)])), expected);
}

#[test]
fn collections_are_indented_by_the_step() {
    let inner = Node::sequence(vec![Node::string("b")]);
    let item = map(vec![
        entry("c", Node::sequence(vec![Node::string("d")])),
        entry("e", Node::mapping()),
    ]);
    let nested = Node::sequence(vec![Node::sequence(vec![Node::string("a"), inner]), item]);
    let node = map(vec![
        entry("m", nested.clone()),
        entry("m", Node::sequence(vec![])),
    ]);
    assert_eq!(
        written(&node),
        "m:\n    - - a\n      - - b\n    - c:\n        - d\n      e: {}\nm: []\n"
    );
    let mut out = Vec::new();
    let narrow = WriteOptions::indented(2);
    write_documents(&mut out, [&nested, &Node::mapping()], &narrow).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "- - a\n  - - b\n- c:\n    - d\n  e: {}\n---\n{}\n"
    );
}

#[test]
fn keys_that_cannot_stand_before_their_value() {
    let node = map(vec![
        entry("k\nl", Node::sequence(vec![Node::int(1)])),
        entry("m\nn", map(vec![entry("a", Node::int(1))])),
    ]);
    assert_eq!(
        written(&node),
        "? |-\n    k\n    l\n:   - 1\n? |-\n    m\n    n\n:   a: 1\n"
    );
}

#[test]
fn comments_stand_where_their_node_does() {
    let mut first = entry("a", Node::string("x"));
    first.key.comments_mut().head = "# before a".to_owned();
    first.key.comments_mut().foot = "# after a\n# and more".to_owned();
    first.value.comments_mut().line = "# beside".to_owned();
    let mut item = Node::string("i\nj");
    item.comments_mut().head = "no sign".to_owned();
    item.comments_mut().line = "# beside a block".to_owned();
    let mut inner = map(vec![entry("c", Node::sequence(vec![item]))]);
    inner.comments_mut().head = "# before c".to_owned();
    let mut second = entry("b", inner);
    second.key.comments_mut().line = "# beside a key".to_owned();
    let mut empty = Node::mapping();
    empty.comments_mut().head = "# inside".to_owned();
    let mut node = map(vec![first, second, entry("d", empty)]);
    node.comments_mut().foot = "# end".to_owned();
    let expected = "\
# before a
a: x # beside
# after a
# and more

b: # beside a key
    # before c
    c:
        # no sign
        - |- # beside a block
          i
          j
d: {
    # inside
}

# end
";
    assert_eq!(written(&node), expected);
}
