//! Schemas that stand in comments: `items: # {"type": "array", "x-kubernetes-patch-strategy": "merge"}`.
//!
//! A comment at a list or mapping, or at its key, that is a JSON object takes the place of what the schema
//! says of it. Also one that was written for another program (`# {"$imagepolicy": …}`) does: such a list has no
//! merge keys.

use std::cell::OnceCell;

use crate::kube::merge_keys::{BuiltIn, Definitions, FieldShape, Schema};
use crate::yaml::{self, Node, ParseOptions};

/// The schemas that were read from comments so far, each text once.
#[derive(Default)]
pub(super) struct Comments {
    /// What references lead to where the build has no definitions of its own.
    built_in: OnceCell<Definitions>,
    first: Link,
}

type Link = OnceCell<Box<Read>>;

struct Read {
    text: String,
    /// `None` for a comment that is no schema.
    schema: Option<Node>,
    next: Link,
}

impl Comments {
    /// What the first of some nodes with a schema in its comment says.
    pub(super) fn of<'s, 'n>(
        &'s self,
        nodes: impl IntoIterator<Item = &'n Node>,
        schema: Schema<'s>,
    ) -> Option<FieldShape<'s>> {
        let found = nodes.into_iter().find_map(|node| {
            let comments = node.comments()?;
            let texts = [&comments.line, &comments.head];
            self.schema(texts.into_iter().find(|text| !text.is_empty())?)
        })?;
        let definitions = match schema {
            Schema::Custom(definitions) => definitions,
            Schema::BuiltIn => self
                .built_in
                .get_or_init(|| Definitions::default().with_built_in(BuiltIn::Above)),
        };
        Some(definitions.of_schema(found))
    }

    fn schema(&self, comment: &str) -> Option<&Node> {
        let text = comment.trim_start_matches('#').trim();
        if !text.starts_with('{') {
            return None;
        }
        let mut link = &self.first;
        loop {
            let read = link.get_or_init(|| Box::new(Read::new(text)));
            if read.text == text {
                return read.schema.as_ref();
            }
            link = &read.next;
        }
    }
}

impl Read {
    fn new(text: &str) -> Self {
        let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
        let node = is_json.then(|| yaml::parse_first(text, ParseOptions::default()));
        let node = node.and_then(|parsed| parsed.ok().flatten());
        Self {
            text: text.to_owned(),
            schema: node.filter(|node| node.as_mapping().is_some_and(|m| !m.is_empty())),
            next: Link::new(),
        }
    }
}

/// Whether a text has a comment that may be a schema.
pub(crate) fn may_have_schema(text: &str) -> bool {
    text.match_indices('#').any(|(at, _)| {
        text[at + 1..]
            .trim_start_matches(['#', ' ', '\t'])
            .starts_with('{')
    })
}
