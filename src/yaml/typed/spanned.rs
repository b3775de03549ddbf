//! A value together with its place.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

use serde::de::value::U32Deserializer;
use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, IntoDeserializer as _, SeqAccess, Visitor,
};

use super::deserializer::NodeDeserializer;
use super::error::FieldError;
use crate::yaml::{Mark, Node};

/// The name by which the deserializer of nodes knows that a place is wanted.
pub(super) const NAME: &str = "$prerender::yaml::Spanned";

/// A value and where it stands in its file.
///
/// A field of a type that [`from_node`](crate::yaml::from_node) reads. It cannot stand within
/// `#[serde(flatten)]` or `#[serde(untagged)]`, which read their values twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it starts.
    pub mark: Mark,
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Spanned<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_struct(NAME, &[], SpannedVisitor(PhantomData))
    }
}

struct SpannedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for SpannedVisitor<T> {
    type Value = Spanned<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value with its place")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Self::Value, A::Error> {
        let missing = || de::Error::custom("a value with its place has three parts");
        let line = parts.next_element()?.ok_or_else(missing)?;
        let column = parts.next_element()?.ok_or_else(missing)?;
        let value = parts.next_element()?.ok_or_else(missing)?;
        Ok(Spanned {
            value,
            mark: Mark { line, column },
        })
    }
}

/// Line, column and value, as a sequence.
pub(super) struct Parts<'de> {
    node: &'de Node,
    next: u8,
}

impl<'de> Parts<'de> {
    pub(super) fn new(node: &'de Node) -> Self {
        Self { node, next: 0 }
    }
}

impl<'de> SeqAccess<'de> for Parts<'de> {
    type Error = FieldError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, FieldError> {
        self.next += 1;
        let mark = self.node.mark();
        let number = |n: u32| -> U32Deserializer<FieldError> { n.into_deserializer() };
        match self.next {
            1 => seed.deserialize(number(mark.line)).map(Some),
            2 => seed.deserialize(number(mark.column)).map(Some),
            3 => seed.deserialize(NodeDeserializer::new(self.node)).map(Some),
            _ => Ok(None),
        }
    }
}
