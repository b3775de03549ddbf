//! Selectors of Kubernetes over the labels of pods, as monitors hold them.

use crate::yaml::Node;

/// What a requirement asks of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    DoesNotExist,
}

/// Requirements that must all be met. None at all match everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Selector(Vec<(String, Test)>);

impl Selector {
    /// Reads a `LabelSelector`. Fails with what is wrong.
    pub(super) fn read(node: &Node) -> Result<Self, String> {
        let mut requirements = Vec::new();
        if let Some(labels) = node.get("matchLabels").and_then(Node::as_mapping) {
            for (key, value) in labels.iter() {
                let value = value.scalar_text().filter(|_| !value.is_null());
                let test = Test::In(vec![value.unwrap_or_default().to_owned()]);
                requirements.push((key.to_owned(), test));
            }
        }
        for expression in items(node.get("matchExpressions")) {
            let key = expression.get("key").and_then(Node::scalar_text);
            let key = key.ok_or("an expression has no key")?;
            requirements.push((key.to_owned(), test(expression)?));
        }
        Ok(Self(requirements))
    }

    /// Whether it selects a pod with these labels.
    pub(super) fn matches(&self, labels: &[(String, String)]) -> bool {
        self.0.iter().all(|(key, test)| {
            let value = labels.iter().find(|(k, _)| k == key).map(|(_, v)| v);
            match test {
                Test::In(wanted) => value.is_some_and(|v| wanted.contains(v)),
                Test::NotIn(unwanted) => value.is_none_or(|v| !unwanted.contains(v)),
                Test::Exists => value.is_some(),
                Test::DoesNotExist => value.is_none(),
            }
        })
    }
}

/// The items of a list; none when there is no list.
pub(super) fn items(node: Option<&Node>) -> &[Node] {
    node.and_then(Node::as_sequence).unwrap_or_default()
}

fn test(expression: &Node) -> Result<Test, String> {
    let values = items(expression.get("values")).iter();
    let values = values
        .map(|v| v.scalar_text().unwrap_or_default().to_owned())
        .collect();
    match expression
        .get("operator")
        .and_then(Node::scalar_text)
        .unwrap_or_default()
    {
        "In" => Ok(Test::In(values)),
        "NotIn" => Ok(Test::NotIn(values)),
        "Exists" => Ok(Test::Exists),
        "DoesNotExist" => Ok(Test::DoesNotExist),
        other => Err(format!("`{other}` is not an operator of an expression")),
    }
}
