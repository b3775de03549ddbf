//! The part of a document that `--extract` names: `["data"]["list"][0]`.

use super::document::{Branches, Element, Value, find};
use crate::diagnostic::{Code, Diagnostic, Result};

/// A path into a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extract(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Key(String),
    Index(usize),
}

impl Extract {
    /// Reads a path: keys in quotes and indexes, each in brackets. Fails with [`Code::Usage`].
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || {
            Diagnostic::new(
                Code::Usage,
                "the path of --extract is not of the form [\"key\"][0]",
            )
        };
        let steps = text.split('[').filter(|part| !part.is_empty()).map(|part| {
            let inner = part.strip_suffix(']').ok_or_else(wrong)?;
            if let Some(quote @ ('"' | '\'')) = inner.chars().next() {
                let key = inner[1..].strip_suffix(quote).ok_or_else(wrong)?;
                return Ok(Step::Key(key.to_owned()));
            }
            inner.parse().map(Step::Index).map_err(|_| wrong())
        });
        let steps = steps.collect::<Result<Vec<_>>>()?;
        if steps.is_empty() {
            Err(wrong())
        } else {
            Ok(Self(steps))
        }
    }

    /// Finds the part in the first document. Comments count as items of a list, as in sops.
    pub(super) fn find<'a>(&self, branches: &'a Branches) -> Result<&'a Value> {
        let missing = |what: String| Diagnostic::new(Code::SopsExtract, what);
        let mut steps = self.0.iter();
        let Some(Step::Key(first)) = steps.next() else {
            return Err(missing(
                "the document is a mapping, and has no items".to_owned(),
            ));
        };
        let no_key = |key: &str| missing(format!("there is no key `{key}` where --extract looks"));
        let root = branches.first().and_then(|branch| find(branch, first));
        let mut value = &root.ok_or_else(|| no_key(first))?.value;
        for step in steps {
            value = match (step, value) {
                (Step::Key(key), Value::Branch(branch)) => {
                    &find(branch, key).ok_or_else(|| no_key(key))?.value
                }
                (Step::Index(index), Value::List(list)) => match list.get(*index) {
                    Some(Element::Value(value)) => value,
                    _ => {
                        return Err(missing(format!(
                            "there is no item {index} where --extract looks"
                        )));
                    }
                },
                (Step::Key(key), _) => return Err(no_key(key)),
                (Step::Index(index), _) => {
                    return Err(missing(format!(
                        "there is no list for item {index} where --extract looks"
                    )));
                }
            };
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::Extract;

    #[test]
    fn reads_keys_and_indexes() {
        assert!(Extract::parse("[\"data\"]['x'][0]").is_ok());
        for text in ["", "data", "[\"data\"", "[data]", "[\"]"] {
            assert!(Extract::parse(text).is_err(), "{text}");
        }
    }
}
