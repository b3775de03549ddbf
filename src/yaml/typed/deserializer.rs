//! A serde deserializer over a node.

use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, Deserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::access::{Entries, Items, Variant};
use super::error::FieldError;
use super::{node, spanned};
use crate::yaml::{Entry, Node, Number, Tag, Value};

/// Reads from a node.
#[derive(Clone, Copy)]
pub(super) struct NodeDeserializer<'de> {
    node: &'de Node,
}

impl<'de> NodeDeserializer<'de> {
    pub(super) fn new(node: &'de Node) -> Self {
        Self { node }
    }

    fn scalar<V: Visitor<'de>>(self, text: &'de str, visitor: V) -> Result<V::Value, FieldError> {
        let tag = self.node.tag();
        match (tag, Number::parse(text)) {
            (Tag::Null, _) => visitor.visit_unit(),
            (Tag::Bool, _) => visitor.visit_bool(self.node.as_bool() == Some(true)),
            (Tag::Int, Some(Number::Int(int))) => visitor.visit_i64(int),
            (Tag::Int, Some(Number::Uint(uint))) => visitor.visit_u64(uint),
            (Tag::Int | Tag::Float, Some(number)) => visitor.visit_f64(number.as_f64()),
            _ => visitor.visit_borrowed_str(text),
        }
    }

    fn is_text(self) -> bool {
        let is_number = matches!(
            self.node.tag(),
            Tag::Null | Tag::Bool | Tag::Int | Tag::Float
        );
        !is_number && self.node.scalar_text().is_some()
    }

    fn unexpected(self) -> Unexpected<'static> {
        match self.node.tag() {
            Tag::Null => Unexpected::Unit,
            Tag::Bool => Unexpected::Bool(true),
            Tag::Int => Unexpected::Signed(0),
            Tag::Float => Unexpected::Float(0.0),
            Tag::Seq => Unexpected::Seq,
            Tag::Map => Unexpected::Map,
            Tag::Str | Tag::Timestamp | Tag::Binary | Tag::Merge | Tag::Custom => {
                Unexpected::Str("")
            }
        }
    }
}

impl<'de> Deserializer<'de> for NodeDeserializer<'de> {
    type Error = FieldError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        let result = match self.node.value() {
            Value::Scalar(text) => self.scalar(text, visitor),
            Value::Sequence(items) => visitor.visit_seq(Items::new(items)),
            Value::Mapping(mapping) => visitor.visit_map(Entries::new(mapping.entries())),
        };
        result.map_err(|error| error.at(self.node.mark()))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        if self.node.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        if name == node::NAME {
            return node::hand_over(self.node, visitor);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        if name == spanned::NAME {
            return visitor.visit_seq(spanned::Parts::new(self.node));
        }
        self.deserialize_map(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        match self.node.value() {
            Value::Mapping(_) => self.deserialize_any(visitor),
            Value::Scalar(_) | Value::Sequence(_) => {
                let error = de::Error::invalid_type(self.unexpected(), &"a mapping");
                Err(FieldError::at(error, self.node.mark()))
            }
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        let result = match self.node.value() {
            Value::Scalar(text) if self.is_text() => {
                visitor.visit_enum(BorrowedStrDeserializer::new(text))
            }
            Value::Mapping(mapping) => match mapping.entries() {
                [entry] => visitor.visit_enum(Variant::new(entry)),
                _ => Err(de::Error::custom("expected a mapping with one entry")),
            },
            _ => Err(de::Error::invalid_type(
                self.unexpected(),
                &"one of the known names",
            )),
        };
        result.map_err(|error: FieldError| error.at(self.node.mark()))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct identifier
    }
}

/// Reads a key: any scalar is the text that it is written as.
pub(super) struct KeyDeserializer<'de> {
    entry: &'de Entry,
}

impl<'de> KeyDeserializer<'de> {
    pub(super) fn new(entry: &'de Entry) -> Self {
        Self { entry }
    }
}

impl<'de> Deserializer<'de> for KeyDeserializer<'de> {
    type Error = FieldError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        let key = &self.entry.key;
        match key.scalar_text() {
            Some(text) => visitor.visit_borrowed_str(text),
            None => NodeDeserializer::new(key).deserialize_any(visitor),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        NodeDeserializer::new(&self.entry.key).deserialize_struct(name, fields, visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        NodeDeserializer::new(&self.entry.key).deserialize_enum(name, variants, visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, FieldError> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf
        unit unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}
