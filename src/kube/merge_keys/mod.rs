//! By which keys the items of lists are matched when an object is merged.
//!
//! The built-in kinds come from a table, that of Kubernetes v1.21.2 as in kustomize v5.7.1; a kustomization's
//! `openapi.path` puts a [`Definitions`] in its place. [`Schema::object`] gives the [`Shape`] of a whole
//! object, [`Shape::field`] leads from there to each field.

mod definitions;
mod table;

pub use definitions::{BuiltIn, Definitions};

use crate::yaml::Node;

/// What is known of the types of objects.
#[derive(Debug, Clone, Copy, Default)]
pub enum Schema<'a> {
    /// The kinds that are built into Kubernetes v1.21.2.
    #[default]
    BuiltIn,
    /// The definitions of a custom OpenAPI document, and nothing else.
    Custom(&'a Definitions),
}

impl<'a> Schema<'a> {
    /// The shape of an object, by its `apiVersion` and `kind`; [`Shape::Unknown`] where there is none.
    pub fn object(self, api_version: &str, kind: &str) -> Shape<'a> {
        let shape = match self {
            Self::BuiltIn => built_in_object(api_version, kind),
            Self::Custom(definitions) => definitions.object(api_version, kind),
        };
        shape.unwrap_or(Shape::Unknown)
    }
}

fn built_in_object(api_version: &str, kind: &str) -> Option<Shape<'static>> {
    let row = table::OBJECTS
        .binary_search_by_key(&(api_version, kind), |&(version, kind, _)| (version, kind))
        .ok()?;
    Some(Shape::BuiltIn(table::OBJECTS[row].2))
}

fn built_in_type(name: &str) -> Option<Shape<'static>> {
    let row = table::TYPES
        .binary_search_by_key(&name, |&(name, _)| name)
        .ok()?;
    Some(Shape::BuiltIn(table::TYPES[row].1))
}

/// What is known of a value: which of its fields are merged by which keys.
#[derive(Debug, Clone, Copy)]
pub enum Shape<'a> {
    /// Nothing: no schema speaks of it. Its own `apiVersion` and `kind` may still tell.
    Unknown,
    /// A schema speaks of it, and nothing in it is merged by keys.
    Plain,
    /// A built-in type.
    BuiltIn(&'static Type),
    /// A type of a custom document.
    Custom(&'a Definitions, &'a Node),
}

/// A field as a schema sees it.
#[derive(Debug, Clone, Copy)]
pub struct FieldShape<'a> {
    /// The shape of the value; that of the items for a list.
    pub value: Shape<'a>,
    /// How a list is merged; `None` when it is replaced as a whole.
    pub merge: Option<MergeKeys<'a>>,
}

/// The keys by which the items of a list are matched; none for a set of scalars.
#[derive(Debug, Clone, Copy)]
pub enum MergeKeys<'a> {
    /// From the built-in table.
    BuiltIn(&'static [&'static str]),
    /// One, from a custom document.
    One(&'a str),
    /// Several, from a custom document.
    Several(&'a [Node]),
}

impl<'a> MergeKeys<'a> {
    /// The number of keys.
    pub fn len(self) -> usize {
        match self {
            Self::BuiltIn(keys) => keys.len(),
            Self::One(_) => 1,
            Self::Several(keys) => keys.len(),
        }
    }

    /// Whether the list is a set of scalars.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The keys in order.
    pub fn iter(self) -> impl Iterator<Item = &'a str> {
        (0..self.len()).map(move |i| match self {
            Self::BuiltIn(keys) => keys[i],
            Self::One(key) => key,
            Self::Several(keys) => keys[i].scalar_text().unwrap_or_default(),
        })
    }
}

impl<'a> Shape<'a> {
    /// What is known of a field of this value.
    pub fn field(self, name: &str) -> FieldShape<'a> {
        match self {
            Self::Unknown => FieldShape::of(Self::Unknown),
            Self::Plain => FieldShape::of(Self::Plain),
            Self::BuiltIn(Type(fields)) => fields
                .binary_search_by_key(&name, |f| f.name)
                .map_or(FieldShape::of(Self::Plain), |row| fields[row].shape()),
            Self::Custom(definitions, schema) => definitions.field(schema, name),
        }
    }
}

impl<'a> FieldShape<'a> {
    fn of(value: Shape<'a>) -> Self {
        Self { value, merge: None }
    }
}

/// A built-in type: its fields that have or lead to merge keys, sorted by name.
#[derive(Debug)]
pub struct Type(&'static [Field]);

#[derive(Debug)]
struct Field {
    name: &'static str,
    value: Option<&'static Type>,
    merge: Option<&'static [&'static str]>,
}

impl Field {
    fn shape(&self) -> FieldShape<'static> {
        FieldShape {
            value: self.value.map_or(Shape::Plain, Shape::BuiltIn),
            merge: self.merge.map(MergeKeys::BuiltIn),
        }
    }
}

/// A field that holds an object.
const fn object(name: &'static str, value: &'static Type) -> Field {
    let (value, merge) = (Some(value), None);
    Field { name, value, merge }
}

/// A list that is replaced as a whole; its type tells what an added list is merged with.
const fn list(name: &'static str, value: &'static Type) -> Field {
    object(name, value)
}

/// A set of scalars.
const fn merged(name: &'static str) -> Field {
    merged_by(name, &[])
}

/// A list of plain objects that are matched by keys.
const fn merged_by(name: &'static str, keys: &'static [&'static str]) -> Field {
    let (value, merge) = (None, Some(keys));
    Field { name, value, merge }
}

/// A list of objects that are matched by keys.
const fn merged_list_by(
    name: &'static str,
    keys: &'static [&'static str],
    value: &'static Type,
) -> Field {
    let (value, merge) = (Some(value), Some(keys));
    Field { name, value, merge }
}

#[cfg(test)]
mod tests {
    use super::{Schema, Shape, table};

    fn keys_at(kind: (&str, &str), path: &str) -> Option<Vec<&'static str>> {
        let mut shape = Schema::BuiltIn.object(kind.0, kind.1);
        let mut merge = None;
        for part in path.split('/') {
            let field = shape.field(part);
            (shape, merge) = (field.value, field.merge);
        }
        merge.map(|keys| match keys {
            super::MergeKeys::BuiltIn(keys) => keys.to_vec(),
            _ => unreachable!("the schema is built in"),
        })
    }

    #[test]
    fn the_table_is_sorted() {
        assert!(table::OBJECTS.is_sorted_by_key(|row| (row.0, row.1)));
        assert!(table::TYPES.is_sorted_by_key(|row| row.0));
        for (_, _, kind) in table::OBJECTS {
            assert!(kind.0.is_sorted_by_key(|f| f.name));
        }
    }

    #[test]
    fn leads_to_the_keys_of_a_list() {
        let deployment = ("apps/v1", "Deployment");
        let pod = "spec/template/spec";
        assert_eq!(
            keys_at(deployment, &format!("{pod}/containers")),
            Some(vec!["name"])
        );
        let ports = keys_at(deployment, &format!("{pod}/containers/ports"));
        assert_eq!(ports, Some(vec!["containerPort", "protocol"]));
        assert_eq!(keys_at(deployment, &format!("{pod}/tolerations")), None);
        assert_eq!(keys_at(deployment, "metadata/finalizers"), Some(vec![]));
    }

    #[test]
    fn tells_unknown_kinds_from_plain_fields() {
        assert!(matches!(
            Schema::BuiltIn.object("acme.io/v1", "Pump"),
            Shape::Unknown
        ));
        let service = Schema::BuiltIn.object("v1", "Service");
        assert!(matches!(
            service.field("status").value,
            Shape::Plain | Shape::BuiltIn(_)
        ));
        assert!(matches!(service.field("nonsense").value, Shape::Plain));
    }
}
