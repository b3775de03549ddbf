//! Visits every value and comment of a document in order, with its path and whether the rule seals it.

use super::document::{Branch, Comment, Element, Item, Key, Value};
use super::rule::{Rule, Selector};
use crate::diagnostic::Diagnostic;

/// What becomes of a comment in a list that the rule seals, once it was worked on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ListedComment {
    /// It stays.
    Stays,
    /// It is an item.
    IsItem,
    /// It is left out.
    IsLeftOut,
}

/// What is done at each place.
pub(super) trait Visitor {
    /// What becomes of a comment in a list that the rule seals.
    fn listed_comment(_comment: &Comment) -> ListedComment {
        ListedComment::Stays
    }
    /// Works on a scalar; null and collections are not shown.
    fn value(&mut self, value: &mut Value, sealed: bool, at: &Position) -> Result<(), Diagnostic>;
    /// Works on a comment.
    fn comment(
        &mut self,
        comment: &mut Comment,
        sealed: bool,
        at: &Position,
    ) -> Result<(), Diagnostic>;
    /// Gives the comment that a sealed item of a list holds; `None` for an item that is a value.
    fn comment_item(
        &mut self,
        _text: &[u8],
        _at: &Position,
    ) -> Result<Option<Comment>, Diagnostic> {
        Ok(None)
    }
    /// The error for a key that is no text, or an integer that no value can hold.
    fn refuse(&self, phrase: &str, at: &Position) -> Diagnostic;
}

/// Where the walk is.
#[derive(Default)]
pub(super) struct Position {
    /// The keys, each followed by a colon: the associated data of a value.
    path: String,
    /// Where each key begins in `path`.
    starts: Vec<usize>,
    /// The line of the innermost key; 0 where none is known.
    pub(super) line: u32,
}

impl Position {
    /// The associated data of a value here; a lone colon at the top.
    pub(super) fn associated_data(&self) -> &str {
        if self.path.is_empty() {
            ":"
        } else {
            &self.path
        }
    }

    /// The path for a message, keys joined by dots.
    pub(super) fn to_shown(&self) -> String {
        let ends = self.starts.iter().skip(1).copied();
        let ends = ends.chain(std::iter::once(self.path.len()));
        let keys = self.starts.iter().zip(ends);
        let keys = keys.map(|(start, end)| &self.path[*start..end - 1]);
        keys.collect::<Vec<_>>().join(".")
    }

    fn push(&mut self, key: &str, line: u32) {
        self.starts.push(self.path.len());
        self.path.push_str(key);
        self.path.push(':');
        self.line = line;
    }

    fn pop(&mut self) {
        if let Some(start) = self.starts.pop() {
            self.path.truncate(start);
        }
    }
}

/// Walks over every document of a file.
pub(super) fn walk(
    branches: &mut [Branch],
    rule: &Rule,
    visitor: &mut impl Visitor,
) -> Result<(), Diagnostic> {
    for branch in branches {
        let mut walker = Walker {
            selector: Selector::new(rule),
            at: Position::default(),
            visitor: &mut *visitor,
        };
        walker.branch(branch, false)?;
    }
    Ok(())
}

/// Whether a sealed value says that it is a comment; text may follow the closing bracket.
fn names_a_comment(text: &[u8]) -> bool {
    const TYPE: &[u8] = b",type:comment]";
    text.starts_with(b"ENC[") && text.windows(TYPE.len()).any(|window| window == TYPE)
}

struct Walker<'a, V> {
    selector: Selector<'a>,
    at: Position,
    visitor: &'a mut V,
}

impl<V: Visitor> Walker<'_, V> {
    fn branch(&mut self, branch: &mut Branch, key_matches: bool) -> Result<(), Diagnostic> {
        self.selector.enter(key_matches);
        for item in branch {
            match item {
                Item::Comment(comment) => {
                    self.comment(comment)?;
                }
                Item::Entry(entry) => {
                    let Key::Text(key) = &entry.key else {
                        self.at.line = entry.line;
                        return Err(self.visitor.refuse("a key is not text", &self.at));
                    };
                    let matches = self.selector.key_matches(key);
                    self.at.push(key, entry.line);
                    self.value(&mut entry.value, matches)?;
                    self.at.pop();
                    self.selector.item_ends();
                }
            }
        }
        self.selector.leave();
        Ok(())
    }

    fn list(&mut self, list: &mut Vec<Element>, key_matches: bool) -> Result<(), Diagnostic> {
        self.selector.enter(key_matches);
        let mut left_out = Vec::new();
        for (index, element) in list.iter_mut().enumerate() {
            match element {
                Element::Comment(comment) => {
                    let sealed = self.comment(comment)?;
                    match V::listed_comment(comment) {
                        ListedComment::IsItem if sealed => {
                            *element = Element::Value(Value::Text(comment.text.clone()));
                        }
                        ListedComment::IsLeftOut if sealed => left_out.push(index),
                        _ => {}
                    }
                }
                Element::Value(value) => {
                    match self.comment_item(value)? {
                        Some(comment) => *element = Element::Comment(comment),
                        None => self.value(value, false)?,
                    }
                    self.selector.item_ends();
                }
            }
        }
        for index in left_out.into_iter().rev() {
            list.remove(index);
        }
        self.selector.leave();
        Ok(())
    }

    /// sops seals a comment in a list as an item of its own.
    fn comment_item(&mut self, value: &Value) -> Result<Option<Comment>, Diagnostic> {
        match value {
            Value::Text(text) if names_a_comment(text) && self.selector.seals_value(false) => {
                self.visitor.comment_item(text, &self.at)
            }
            _ => Ok(None),
        }
    }

    fn value(&mut self, value: &mut Value, key_matches: bool) -> Result<(), Diagnostic> {
        match value {
            Value::Null => Ok(()),
            Value::Branch(branch) => self.branch(branch, key_matches),
            Value::List(list) => self.list(list, key_matches),
            Value::TooLarge => Err(self
                .visitor
                .refuse("the integer is beyond 64 bits", &self.at)),
            Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Time(_) | Value::Text(_) => {
                let sealed = self.selector.seals_value(key_matches);
                self.visitor.value(value, sealed, &self.at)
            }
        }
    }

    /// Tells whether the rule seals the comment.
    fn comment(&mut self, comment: &mut Comment) -> Result<bool, Diagnostic> {
        let sealed = self.selector.seals_comment(&comment.text);
        self.visitor.comment(comment, sealed, &self.at)?;
        Ok(sealed)
    }
}
