//! Profiles: what the Python plugin of a known family of repositories derives, as data.

use crate::diagnostic::{Code, Diagnostic, Place, Result, Source, nearest};
use crate::yaml::{self, Node, ParseOptions};

/// The profiles that are built in.
const BUILT_IN: &[(&str, &str)] = &[(
    "cluster-template",
    include_str!("../../plugin/profiles/cluster-template.yaml"),
)];

/// The defaults and derived values of a family of repositories.
#[derive(Debug, Clone)]
pub struct Profile {
    name: String,
    steps: Vec<Step>,
}

/// One thing that a profile does; names and expressions.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// Sets a name that is not set.
    Default(String, String),
    /// Sets a name.
    Set(String, String),
    /// Does one of two things.
    When(String, Vec<Self>, Vec<Self>),
    /// Gives each item of a list the names that it does not have.
    Each(String, Vec<(String, String)>),
    /// Fails with a message unless an expression holds.
    Check(String, String),
}

impl Profile {
    /// Finds a profile by name. Fails with [`Code::ProjectInvalid`] when none has it.
    pub fn find(name: &str, place: &Place) -> Result<Self> {
        let Some((_, text)) = BUILT_IN.iter().find(|(known, _)| *known == name) else {
            let phrase = format!("there is no profile {name}");
            let diagnostic = Diagnostic::new(Code::ProjectInvalid, phrase).at(place.clone());
            return Err(
                match nearest(name, BUILT_IN.iter().map(|(known, _)| *known)) {
                    Some(near) => diagnostic.help(format!("did you mean {near}?")),
                    None => diagnostic,
                },
            );
        };
        Self::read(name, text)
    }

    fn read(name: &str, text: &str) -> Result<Self> {
        let source = Source::committed(format!("plugin/profiles/{name}.yaml"));
        let documents = yaml::parse(text, ParseOptions::default()).map_err(|e| e.at(&source))?;
        let wrong = |node: &Node, phrase: &str| {
            let mark = node.mark();
            Diagnostic::new(Code::FieldType, phrase).at(source.place(mark.line, mark.column))
        };
        let steps = documents.first().and_then(|d| d.get("derive"));
        let steps = steps.map_or_else(|| Ok(Vec::new()), |node| steps_of(node, &wrong))?;
        Ok(Self {
            name: name.to_owned(),
            steps,
        })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether any of its steps sets a name.
    pub fn sets(&self, name: &str) -> bool {
        fn any(steps: &[Step], name: &str) -> bool {
            let is = |set: &String| set.split('.').next() == Some(name);
            steps.iter().any(|step| match step {
                Step::Default(set, _) | Step::Set(set, _) => is(set),
                Step::When(_, then, otherwise) => any(then, name) || any(otherwise, name),
                Step::Each(list, _) => is(list),
                Step::Check(..) => false,
            })
        }
        any(&self.steps, name)
    }

    pub(super) fn place(&self) -> String {
        format!("plugin/profiles/{}.yaml", self.name)
    }

    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }
}

fn steps_of(node: &Node, wrong: &dyn Fn(&Node, &str) -> Diagnostic) -> Result<Vec<Step>> {
    let items = node
        .as_sequence()
        .ok_or_else(|| wrong(node, "steps are a list"))?;
    let mut steps = Vec::new();
    for item in items {
        let mapping = item
            .as_mapping()
            .ok_or_else(|| wrong(item, "a step is a mapping"))?;
        if let Some(condition) = mapping.get("when") {
            let condition = condition
                .as_str()
                .ok_or_else(|| wrong(condition, "when is an expression"))?;
            let branch = |key| {
                mapping
                    .get(key)
                    .map_or_else(|| Ok(Vec::new()), |n| steps_of(n, wrong))
            };
            steps.push(Step::When(
                condition.to_owned(),
                branch("then")?,
                branch("else")?,
            ));
            continue;
        }
        if let Some(list) = mapping.get("each") {
            let list = list
                .as_str()
                .ok_or_else(|| wrong(list, "each is the name of a list"))?;
            let mut defaults = Vec::new();
            for (name, expression) in mapping
                .get("default")
                .and_then(Node::as_mapping)
                .into_iter()
                .flat_map(|m| m.iter())
            {
                let text = expression
                    .as_str()
                    .ok_or_else(|| wrong(expression, "an expression is a string"))?;
                defaults.push((name.to_owned(), text.to_owned()));
            }
            steps.push(Step::Each(list.to_owned(), defaults));
            continue;
        }
        for (kind, entries) in mapping.iter() {
            let entries = entries
                .as_mapping()
                .ok_or_else(|| wrong(entries, "names and expressions are a mapping"))?;
            for (name, expression) in entries.iter() {
                let text = expression
                    .as_str()
                    .ok_or_else(|| wrong(expression, "an expression is a string"))?;
                steps.push(match kind {
                    "default" => Step::Default(name.to_owned(), text.to_owned()),
                    "set" => Step::Set(name.to_owned(), text.to_owned()),
                    "check" => Step::Check(name.to_owned(), text.to_owned()),
                    _ => return Err(wrong(item, "a step is default, set, check, each or when")),
                });
            }
        }
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_profiles_are_well_formed() {
        for (name, _) in BUILT_IN {
            assert!(
                !Profile::find(name, &Place::file(""))
                    .unwrap()
                    .steps
                    .is_empty()
            );
        }
    }
}
