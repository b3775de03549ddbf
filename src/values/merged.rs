//! Values in a tree that knows where each came from.

use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::Value;

use crate::diagnostic::Place;
use crate::template;

/// Who set a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// A file that was committed as it is.
    File,
    /// A file that was sealed.
    Sealed,
    /// `--set`.
    Set,
    /// The host: parameters of its application.
    Host,
    /// A `derive:` expression, or a profile.
    Derived,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Who set it.
    pub from: From,
    /// Where, as far as it is known.
    pub place: Place,
}

/// A value, where it comes from, and what it holds.
#[derive(Debug, Clone)]
pub(super) struct MergedValue {
    pub(super) content: Content,
    pub(super) origin: Arc<Origin>,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    Scalar(Value),
    List(Vec<MergedValue>),
    Map(IndexMap<Value, MergedValue>),
}

impl MergedValue {
    pub(super) fn empty() -> Self {
        let place = Place::file("");
        let from = From::File;
        Self {
            content: Content::Map(IndexMap::new()),
            origin: Arc::new(Origin { from, place }),
        }
    }

    /// Holds a value that has one origin throughout.
    pub(super) fn of(value: Value, origin: &Arc<Origin>) -> Self {
        Self {
            content: Content::Scalar(value),
            origin: Arc::clone(origin),
        }
    }

    pub(super) fn entries(&self) -> Option<&IndexMap<Value, Self>> {
        match &self.content {
            Content::Map(entries) => Some(entries),
            Content::Scalar(_) | Content::List(_) => None,
        }
    }

    pub(super) fn entries_mut(&mut self) -> Option<&mut IndexMap<Value, Self>> {
        match &mut self.content {
            Content::Map(entries) => Some(entries),
            Content::Scalar(_) | Content::List(_) => None,
        }
    }

    /// Lays another mapping over this one; mappings in both are merged when `deep`.
    pub(super) fn lay(&mut self, over: Self, deep: bool) {
        match (&mut self.content, over.content) {
            (Content::Map(below), Content::Map(above)) => {
                for (key, value) in above {
                    match below.get_mut(&key) {
                        Some(old)
                            if deep && old.entries().is_some() && value.entries().is_some() =>
                        {
                            old.lay(value, true);
                        }
                        Some(old) => *old = value,
                        None => {
                            below.insert(key, value);
                        }
                    }
                }
            }
            (_, content) => {
                self.content = content;
                self.origin = over.origin;
            }
        }
    }

    /// Sets a dotted path; what stands in the way is replaced by mappings.
    pub(super) fn set(&mut self, path: &[&str], value: Self) {
        let Some((first, rest)) = path.split_first() else {
            *self = value;
            return;
        };
        if let Content::List(items) = &mut self.content
            && let Some(item) = first.parse::<usize>().ok().and_then(|i| items.get_mut(i))
        {
            item.set(rest, value);
            return;
        }
        if self.entries().is_none() {
            self.content = Content::Map(IndexMap::new());
        }
        let origin = Arc::clone(&value.origin);
        if let Some(entries) = self.entries_mut() {
            let empty = || Self {
                content: Content::Map(IndexMap::new()),
                origin,
            };
            let slot = entries.entry(Value::from(*first)).or_insert_with(empty);
            slot.set(rest, value);
        }
    }

    /// The value as templates read it.
    pub(super) fn to_value(&self) -> Value {
        match &self.content {
            Content::Scalar(value) => value.clone(),
            Content::List(items) => template::list(items.iter().map(Self::to_value).collect()),
            Content::Map(entries) => {
                let pairs = entries
                    .iter()
                    .map(|(key, held)| (key.clone(), held.to_value()));
                template::mapping(pairs)
            }
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries()
            .into_iter()
            .flatten()
            .filter_map(|(key, _)| key.as_str())
    }

    pub(super) fn origin(&self, path: &str) -> Option<&Origin> {
        let mut held = self;
        for part in path.split('.') {
            held = match &held.content {
                Content::Map(entries) => match entries.get(&Value::from(part)) {
                    Some(inner) => inner,
                    None => return Some(&*held.origin).filter(|o| !o.place.file.is_empty()),
                },
                Content::List(items) => match part.parse::<usize>().ok().and_then(|i| items.get(i))
                {
                    Some(inner) => inner,
                    None => return Some(&held.origin),
                },
                Content::Scalar(_) => return Some(&held.origin),
            };
        }
        Some(&held.origin)
    }

    pub(super) fn origins(&self) -> Vec<(String, &Origin)> {
        let mut found = Vec::new();
        self.collect("", &mut found);
        found
    }

    fn collect<'a>(&'a self, prefix: &str, found: &mut Vec<(String, &'a Origin)>) {
        let Content::Map(entries) = &self.content else {
            found.push((prefix.to_owned(), &self.origin));
            return;
        };
        for (key, held) in entries {
            let path = if prefix.is_empty() {
                key.to_string()
            } else {
                format!("{prefix}.{key}")
            };
            held.collect(&path, found);
        }
    }
}
