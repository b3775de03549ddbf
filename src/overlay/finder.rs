//! Recognises an object by group, kind and an expression over it.

use super::definition::{Expression, GroupKind, expression, group_kind};
use super::language::Language;
use super::read::Reader;
use crate::diagnostic::{Code, Diagnostic, Result, Source};
use crate::yaml::Node;
use indexmap::IndexMap;
use minijinja::Value;

/// One alternative of a list of objects that say the same, such as that an operator is installed here.
#[derive(Debug, Clone)]
pub(super) struct Finder {
    pub(super) place: Where,
    pub(super) condition: Option<Expression>,
    /// The name of what was found, where it is not the object's own.
    pub(super) name: Option<Expression>,
    /// The namespace of what was found, where it is not the object's own.
    pub(super) namespace: Option<Expression>,
    /// The kinds of other objects that its expressions read.
    pub(super) reads: Vec<GroupKind>,
    /// More names that the other expressions read, in order.
    with: Vec<(String, Expression)>,
}

/// Where a finder looks.
#[derive(Debug, Clone)]
pub(super) enum Where {
    /// At the built objects of a kind.
    Objects(GroupKind),
    /// At the entries of a field of the root kustomization.
    Field(String),
}

/// What a finder found.
pub(super) struct FinderMatch {
    pub(super) name: Option<String>,
    pub(super) namespace: Option<String>,
}

/// Reads a list of finders.
pub(super) fn read_finders(node: &Node, source: &Source, what: &str) -> Result<Vec<Finder>> {
    let Some(items) = node.as_sequence() else {
        let phrase = format!(
            "{what} must be a list, and is {}",
            super::read::type_name(node)
        );
        return Err(Diagnostic::new(Code::FieldType, phrase).at(super::read::place(node, source)));
    };
    items.iter().map(|n| Finder::read(n, source)).collect()
}

impl Finder {
    fn read(node: &Node, source: &Source) -> Result<Self> {
        let known = [
            "group",
            "kind",
            "field",
            "where",
            "name",
            "namespace",
            "with",
            "reads",
        ];
        let reader = Reader::new(node, source, "an entry of contains", &known)?;
        let place = match reader.text("field")? {
            Some(field) => Where::Field(field.to_owned()),
            None => Where::Objects(GroupKind {
                group: reader.text("group")?.unwrap_or_default().to_owned(),
                kind: reader.need_text("kind")?.to_owned(),
            }),
        };
        let mut with = Vec::new();
        if let Some(node) = reader.node("with") {
            let names: Vec<_> = node
                .as_mapping()
                .into_iter()
                .flat_map(|m| m.iter())
                .map(|(n, _)| n)
                .collect();
            let below = Reader::new(node, source, "with", &names)?;
            for name in names {
                with.extend(expression(&below, name)?.map(|e| (name.to_owned(), e)));
            }
        }
        Ok(Self {
            place,
            condition: expression(&reader, "where")?,
            name: expression(&reader, "name")?,
            namespace: expression(&reader, "namespace")?,
            reads: reader
                .list("reads")?
                .iter()
                .map(|n| group_kind(n, source, "an entry of reads"))
                .collect::<Result<_>>()?,
            with,
        })
    }

    /// What it looks for, in words.
    pub(super) fn describe(&self) -> String {
        match &self.place {
            Where::Objects(kind) if kind.group.is_empty() => kind.kind.clone(),
            Where::Objects(kind) => format!("{} ({})", kind.kind, kind.group),
            Where::Field(field) => format!("{field} of its kustomization"),
        }
    }

    /// The names that its `with` defines.
    pub(super) fn names(&self) -> Vec<&str> {
        self.with.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Every expression of it.
    pub(super) fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let with = self.with.iter().map(|(_, e)| e);
        self.condition
            .iter()
            .chain(&self.name)
            .chain(&self.namespace)
            .chain(with)
    }

    /// Tells whether an object fits, and what it says of name and namespace. `others` gives the objects of
    /// a kind.
    pub(super) fn find(
        &self,
        language: &Language,
        object: &Value,
        others: &dyn Fn(&GroupKind) -> Vec<Value>,
    ) -> Result<Option<FinderMatch>> {
        let read = self.reads.iter().map(|kind| (kind.clone(), others(kind)));
        let read: IndexMap<GroupKind, Vec<Value>> = read.collect();
        let objects = move |group: String, kind: String| {
            let found = read.get(&GroupKind { group, kind });
            found.cloned().unwrap_or_default()
        };
        let mut names = vec![
            ("object".to_owned(), object.clone()),
            ("objects".to_owned(), Value::from_function(objects)),
        ];
        for (name, value) in &self.with {
            let value = language.evaluate(value, &context(&names))?;
            names.push((name.clone(), value));
        }
        let context = context(&names);
        if let Some(condition) = &self.condition
            && !language.evaluate(condition, &context)?.is_true()
        {
            return Ok(None);
        }
        let text = |expression: &Option<Expression>| -> Result<Option<String>> {
            let Some(expression) = expression else {
                return Ok(None);
            };
            let value = language.evaluate(expression, &context)?;
            Ok(value.as_str().filter(|t| !t.is_empty()).map(str::to_owned))
        };
        Ok(Some(FinderMatch {
            name: text(&self.name)?,
            namespace: text(&self.namespace)?,
        }))
    }
}

fn context(names: &[(String, Value)]) -> Value {
    Value::from_pairs(names.iter().map(|(n, v)| (n.as_str(), v.clone())))
}
