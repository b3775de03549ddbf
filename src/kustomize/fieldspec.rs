//! Field specs: which fields of which objects a transformer touches, and how they are reached.

use std::borrow::Cow;

use super::fault::Fault;
use super::scalar;
use crate::diagnostic::{Code, Result};
use crate::kube::{Gvk, Resource};
use crate::yaml::{Node, Tag, Value};

/// The field is made when it is missing.
pub(crate) const CREATE: bool = true;

/// The field is left alone when it is missing.
pub(crate) const KEEP: bool = false;

/// A field of objects of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FieldSpec {
    /// The group; empty for any.
    pub(crate) group: Cow<'static, str>,
    /// The version; empty for any.
    pub(crate) version: Cow<'static, str>,
    /// The kind; empty for any.
    pub(crate) kind: Cow<'static, str>,
    /// The names that lead to it, separated by `/`, with `\/` for a `/` in a name and `[]` after the
    /// name of a list.
    pub(crate) path: Cow<'static, str>,
    /// Whether it is made when it is missing.
    pub(crate) create: bool,
}

/// The fields that name an object of a kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NameReference {
    /// The group of what is named; empty for any.
    pub(crate) group: Cow<'static, str>,
    /// The version of what is named; empty for any.
    pub(crate) version: Cow<'static, str>,
    /// The kind of what is named; empty for any.
    pub(crate) kind: Cow<'static, str>,
    /// The fields.
    pub(crate) referrers: Cow<'static, [FieldSpec]>,
}

/// A row of a table of field specs.
pub(crate) const fn row(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    path: &'static str,
    create: bool,
) -> FieldSpec {
    FieldSpec {
        group: Cow::Borrowed(group),
        version: Cow::Borrowed(version),
        kind: Cow::Borrowed(kind),
        path: Cow::Borrowed(path),
        create,
    }
}

/// A row of the table of name references.
pub(crate) const fn reference(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    referrers: &'static [FieldSpec],
) -> NameReference {
    NameReference {
        group: Cow::Borrowed(group),
        version: Cow::Borrowed(version),
        kind: Cow::Borrowed(kind),
        referrers: Cow::Borrowed(referrers),
    }
}

impl FieldSpec {
    /// Whether objects of this kind have the field: each part is empty or the same.
    pub(crate) fn selects(&self, gvk: &Gvk) -> bool {
        fits(&self.kind, &gvk.kind)
            && fits(&self.group, &gvk.group)
            && fits(&self.version, &gvk.version)
    }

    /// Whether this row means the field of another row, and maybe that of other kinds too.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.path == other.path
            && fits(&self.kind, &other.kind)
            && fits(&self.group, &other.group)
            && fits(&self.version, &other.version)
    }
}

impl NameReference {
    /// Whether both tell of objects of the same kind.
    pub(crate) fn names_the_same(&self, other: &Self) -> bool {
        self.kind == other.kind && self.group == other.group && self.version == other.version
    }
}

fn fits(wanted: &str, is: &str) -> bool {
    wanted.is_empty() || wanted == is
}

/// What is made where a field is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// Nothing, whatever the row says.
    Skip,
    /// A mapping, when the row says so.
    Mapping,
    /// A scalar, when the row says so; null becomes one of this type.
    Scalar(Tag),
}

/// Calls `set` with each node of an object that one of the rows leads to.
///
/// A list on the way stands for all of its items. Fails with [`Code::FieldType`] when a scalar is in the
/// way, and as `set` does.
pub(crate) fn apply<'r>(
    resource: &mut Resource,
    rows: impl IntoIterator<Item = &'r FieldSpec>,
    missing: Missing,
    mut set: impl FnMut(&mut Node) -> Result<(), Fault>,
) -> Result<()> {
    for row in rows {
        if !row.selects(resource.gvk()) {
            continue;
        }
        let missing = if row.create { missing } else { Missing::Skip };
        let mut walk = Walk {
            missing,
            set: &mut set,
        };
        let done = resource.change(|node| walk.follow(node, Some(without_root(&row.path))));
        if let Err(fault) = done {
            let note = format!("at field {} of {}", row.path, resource.id());
            return Err(fault.of(resource).note(note));
        }
    }
    Ok(())
}

/// A path may start with `/`.
fn without_root(path: &str) -> &str {
    path.strip_prefix('/').unwrap_or(path)
}

struct Walk<'s, F> {
    missing: Missing,
    set: &'s mut F,
}

impl<F: FnMut(&mut Node) -> Result<(), Fault>> Walk<'_, F> {
    fn follow(&mut self, node: &mut Node, path: Option<&str>) -> Result<(), Fault> {
        let Some(path) = path else {
            return (self.set)(node);
        };
        if scalar::is_null(node) {
            return Ok(());
        }
        match node.value_mut() {
            Value::Sequence(items) => items
                .iter_mut()
                .try_for_each(|item| self.follow(item, Some(path))),
            Value::Mapping(_) => self.enter(node, path),
            Value::Scalar(_) => Err(Fault::wrong_sort(node, "a mapping or a list")),
        }
    }

    fn enter(&mut self, node: &mut Node, path: &str) -> Result<(), Fault> {
        let (part, rest) = split(path);
        let (name, is_list) = match part.strip_suffix("[]") {
            Some(name) => (name, true),
            None => (&*part, false),
        };
        if name.is_empty() {
            return Err(Fault::new(
                Code::FieldSpecInvalid,
                node,
                "a field spec has an empty name in its path",
            ));
        }
        let name = name.trim();
        if name.is_empty() {
            return self.follow(node, rest);
        }
        if is_list_place(name) {
            return Err(Fault::wrong_sort(node, "a list"));
        }
        let wanted = self.wanted(is_list, rest.is_none());
        let mapping = node.as_mapping_mut().expect("the caller saw a mapping");
        let at = match (mapping.position(name), &wanted) {
            (Some(at), _) => at,
            (None, ValueShape::Nothing | ValueShape::List) => return Ok(()),
            (None, ValueShape::Mapping) => {
                scalar::push(mapping, name, Node::mapping());
                mapping.len() - 1
            }
            (None, ValueShape::Scalar(_)) => {
                scalar::push(mapping, name, scalar::untagged(""));
                mapping.len() - 1
            }
        };
        let field = &mut mapping.entries_mut()[at].value;
        if scalar::is_null(field) {
            replace_null(field, &wanted);
        }
        self.follow(field, rest)
    }

    fn wanted(&self, is_list: bool, is_last: bool) -> ValueShape {
        match self.missing {
            _ if is_list => ValueShape::List,
            Missing::Skip => ValueShape::Nothing,
            Missing::Scalar(tag) if is_last => ValueShape::Scalar(tag),
            Missing::Mapping | Missing::Scalar(_) => ValueShape::Mapping,
        }
    }
}

/// What must be at a part of a path.
enum ValueShape {
    Nothing,
    /// A list; it is not made, but null becomes an empty one.
    List,
    Mapping,
    Scalar(Tag),
}

fn replace_null(field: &mut Node, wanted: &ValueShape) {
    match wanted {
        ValueShape::Nothing => {}
        ValueShape::List => *field = Node::sequence(Vec::new()).with_mark(field.mark()),
        ValueShape::Mapping => *field = Node::mapping().with_mark(field.mark()),
        ValueShape::Scalar(tag) => field.set_tag(*tag),
    }
}

/// Splits a path after its first part; `\/` does not end a part.
fn split(path: &str) -> (Cow<'_, str>, Option<&str>) {
    let Some((first, mut rest)) = path.split_once('/') else {
        return (Cow::Borrowed(path), None);
    };
    if !first.ends_with('\\') {
        return (Cow::Borrowed(first), Some(rest));
    }
    let mut part = first.to_owned();
    while part.ends_with('\\') {
        part.pop();
        part.push('/');
        let Some((more, after)) = rest.split_once('/') else {
            part.push_str(rest);
            return (Cow::Owned(part), None);
        };
        part.push_str(more);
        rest = after;
    }
    (Cow::Owned(part), Some(rest))
}

/// Whether a part means a place in a list: an index, `-`, `*` or `[key=value]`.
fn is_list_place(name: &str) -> bool {
    name == "-"
        || name == "*"
        || (name.starts_with('[') && name.ends_with(']'))
        || name.parse::<i64>().is_ok()
}

/// Sets a scalar to a text and a type. Fails with [`Code::FieldType`] on a list or mapping.
pub(crate) fn set_scalar(node: &mut Node, text: &str, tag: Tag) -> Result<(), Fault> {
    need_scalar(node)?;
    scalar::set(node, text, tag);
    Ok(())
}

/// Fails with [`Code::FieldType`] on a list or mapping.
pub(crate) fn need_scalar(node: &Node) -> Result<(), Fault> {
    match node.value() {
        Value::Scalar(_) => Ok(()),
        Value::Sequence(_) | Value::Mapping(_) => Err(Fault::wrong_sort(node, "a single value")),
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn splits_at_slashes_that_are_not_escaped() {
        let cases = [
            ("a", "a", None),
            ("a/b/c", "a", Some("b/c")),
            (r"a.b\/c/d", "a.b/c", Some("d")),
            (r"a\/b\/c", "a/b/c", None),
            ("a/", "a", Some("")),
        ];
        for (path, part, rest) in cases {
            let (first, after) = split(path);
            assert_eq!((&*first, after), (part, rest), "{path}");
        }
    }
}
