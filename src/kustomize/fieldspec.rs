//! Field specs: which fields of which objects a transformer touches, and how they are reached.

use std::borrow::Cow;

use crate::kube::Gvk;

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
