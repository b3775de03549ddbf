//! Where comments go. The places are go-yaml v3's; its own test table was run once against this reader.

use crate::yaml::{Node, ParseOptions, Value, parse};

/// Each node that has comments: `path head=… line=… foot=…`.
fn places(text: &str) -> Vec<String> {
    let options = ParseOptions {
        comments: true,
        ..ParseOptions::default()
    };
    let mut found = Vec::new();
    for document in parse(text, options).unwrap() {
        collect(&document, "", &mut found);
    }
    found
}

fn collect(node: &Node, path: &str, found: &mut Vec<String>) {
    if let Some(comments) = node.comments() {
        let parts = [
            ("head", &comments.head),
            ("line", &comments.line),
            ("foot", &comments.foot),
        ];
        for (name, text) in parts.into_iter().filter(|(_, text)| !text.is_empty()) {
            found.push(format!("{path} {name}={text}"));
        }
    }
    match node.value() {
        Value::Scalar(_) => {}
        Value::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                collect(item, &format!("{path}/{index}"), found);
            }
        }
        Value::Mapping(mapping) => {
            for entry in mapping.entries() {
                let name = entry.key.scalar_text().unwrap_or("?");
                collect(&entry.key, &format!("{path}/{name}"), found);
                collect(&entry.value, &format!("{path}/{name}="), found);
            }
        }
    }
}

#[test]
fn attaches_comments_where_go_yaml_does() {
    let rows: &[(&str, &[&str])] = &[
        ("a: 1 # one\n", &["/a= line=# one"]),
        (
            "# top\n\n# of a\na: 1\n",
            &[" head=# top", "/a head=# of a"],
        ),
        ("a: 1\n# foot of a\n\nb: 2\n", &["/a foot=# foot of a"]),
        ("a: 1\n\n# head of b\nb: 2\n", &["/b head=# head of b"]),
        ("a: # of a\n  b: 1\n", &["/a line=# of a"]),
        (
            "a:\n  # head of b\n  b: 1\n  # foot of b\n\nc: 2\n",
            &["/a=/b head=# head of b", "/a=/b foot=# foot of b"],
        ),
        (
            "- z\n- a # one\n# foot of a\n\n- b\n",
            &["/1 line=# one", "/1 foot=# foot of a"],
        ),
        // After a line comment on the very first line go-yaml sees no foot.
        (
            "- a # one\n# c\n\n- b\n",
            &["/0 line=# one", "/1 head=# c\n"],
        ),
        ("- # head of a\n  a: 1\n", &["/0/a head=# head of a"]),
        ("# head\n- a: 1\n  b: 2\n", &["/0 head=# head"]),
        (
            "a: [b, # of b\n  c] # of list\n",
            &["/a= line=# of list", "/a=/0 line=# of b"],
        ),
        (
            "a: | # of text\n  b # no comment\n",
            &["/a= line=# of text"],
        ),
        ("a: 'b # no comment'\n", &[]),
        ("a: 1\n\n# the end\n", &[" foot=# the end"]),
        (
            "x: &x # of x\n  a: 1\ny: *x # of y\n",
            &["/x=/a line=# of x", "/y= line=# of y", "/y=/a line=# of x"],
        ),
        ("a: 1\n# c\n# d\nb: 2\n", &["/b head=# c\n# d"]),
    ];
    for (text, expected) in rows {
        assert_eq!(places(text), *expected, "{text}");
    }
}
