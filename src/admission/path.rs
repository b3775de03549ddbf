//! Where in an object something is, as the API server writes it: `spec.containers[0].resources.limits[cpu]`.

use std::fmt;

/// One step from a value into what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step<'p> {
    /// A field of an object: `.name`.
    Field(&'p str),
    /// An item of a list: `[0]`.
    Index(usize),
    /// An entry of a map: `[name]`.
    Key(&'p str),
}

/// A place in an object, as a chain of steps that lives on the stack of who walks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Path<'p> {
    before: Option<(&'p Self, Step<'p>)>,
}

impl<'p> Path<'p> {
    /// The object itself.
    pub(crate) const ROOT: Path<'static> = Path { before: None };

    /// A field below this place.
    pub(crate) fn field(&'p self, name: &'p str) -> Self {
        self.then(Step::Field(name))
    }

    /// An item below this place.
    pub(crate) fn index(&'p self, index: usize) -> Self {
        self.then(Step::Index(index))
    }

    /// An entry of a map below this place.
    pub(crate) fn key(&'p self, key: &'p str) -> Self {
        self.then(Step::Key(key))
    }

    fn then(&'p self, step: Step<'p>) -> Self {
        Self {
            before: Some((self, step)),
        }
    }

    /// Whether this is the object itself.
    pub(crate) fn is_root(&self) -> bool {
        self.before.is_none()
    }

    /// The steps from the object to here.
    pub(crate) fn steps(&self) -> Vec<Step<'p>> {
        let mut steps = Vec::new();
        let mut at = self;
        while let Some((before, step)) = &at.before {
            steps.push(*step);
            at = before;
        }
        steps.reverse();
        steps
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.steps().into_iter().enumerate() {
            match step {
                Step::Field(name) if position == 0 => f.write_str(name)?,
                Step::Field(name) => write!(f, ".{name}")?,
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) => write!(f, "[{key}]")?,
            }
        }
        Ok(())
    }
}

/// A place that is kept: its text, and the steps by which a document is searched for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    text: String,
    steps: Vec<Owned>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Owned {
    Name(String),
    Index(usize),
}

impl Field {
    /// As the API server writes it; empty for the object itself.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The key of the field that the place names, or what [`Field::locate`] finds.
    pub fn locate_key<'n>(&self, root: &'n crate::yaml::Node) -> &'n crate::yaml::Node {
        let Some((Owned::Name(name), above)) = self.steps.split_last() else {
            return self.locate(root);
        };
        let above = Self {
            text: String::new(),
            steps: above.to_vec(),
        };
        let mapping = above.locate(root).as_mapping();
        // Of a key that is there twice, the second one.
        let mut entries = mapping.into_iter().flat_map(|m| m.entries()).rev();
        match entries.find(|entry| entry.key.scalar_text() == Some(name)) {
            Some(entry) => &entry.key,
            None => self.locate(root),
        }
    }

    /// The node that the place names, or the nearest one above it that is there.
    pub fn locate<'n>(&self, root: &'n crate::yaml::Node) -> &'n crate::yaml::Node {
        let mut node = root;
        for step in &self.steps {
            let next = match step {
                Owned::Name(name) => node.as_mapping().and_then(|m| m.entry(name)),
                Owned::Index(index) => {
                    let Some(item) = node.as_sequence().and_then(|s| s.get(*index)) else {
                        return node;
                    };
                    node = item;
                    continue;
                }
            };
            let Some(entry) = next else { return node };
            node = &entry.value;
        }
        node
    }
}

impl From<&Path<'_>> for Field {
    fn from(path: &Path<'_>) -> Self {
        let own = |step: Step<'_>| match step {
            Step::Field(name) | Step::Key(name) => Owned::Name(name.to_owned()),
            Step::Index(index) => Owned::Index(index),
        };
        Self {
            text: path.to_string(),
            steps: path.steps().into_iter().map(own).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Path;

    #[test]
    fn is_written_as_the_api_server_writes_it() {
        let spec = Path::ROOT.field("spec");
        let containers = spec.field("containers");
        let first = containers.index(0);
        let limits = first.field("limits");
        assert_eq!(
            limits.key("cpu").to_string(),
            "spec.containers[0].limits[cpu]"
        );
        assert_eq!(Path::ROOT.to_string(), "");
    }
}
