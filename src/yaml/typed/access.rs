//! Items and entries as serde asks for them; each step adds its name to an error's path.

use serde::de::{
    self, DeserializeSeed, Deserializer as _, EnumAccess, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

use super::deserializer::{KeyDeserializer, NodeDeserializer};
use super::error::FieldError;
use crate::yaml::{Entry, Node};

/// The items of a sequence.
pub(super) struct Items<'de> {
    items: std::iter::Enumerate<std::slice::Iter<'de, Node>>,
}

impl<'de> Items<'de> {
    pub(super) fn new(items: &'de [Node]) -> Self {
        Self {
            items: items.iter().enumerate(),
        }
    }
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = FieldError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, FieldError> {
        let Some((index, node)) = self.items.next() else {
            return Ok(None);
        };
        let value = seed.deserialize(NodeDeserializer::new(node));
        value
            .map(Some)
            .map_err(|error| error.at(node.mark()).in_item(index))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

/// The entries of a mapping.
pub(super) struct Entries<'de> {
    entries: std::slice::Iter<'de, Entry>,
    current: Option<&'de Entry>,
}

impl<'de> Entries<'de> {
    pub(super) fn new(entries: &'de [Entry]) -> Self {
        Self {
            entries: entries.iter(),
            current: None,
        }
    }
}

impl<'de> MapAccess<'de> for Entries<'de> {
    type Error = FieldError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, FieldError> {
        self.current = self.entries.next();
        let Some(entry) = self.current else {
            return Ok(None);
        };
        let key = seed.deserialize(KeyDeserializer::new(entry));
        key.map(Some).map_err(|error| error.at(entry.key.mark()))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, FieldError> {
        let entry = self.current.expect("serde reads a key before its value");
        read_value(entry, seed)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.entries.len())
    }
}

fn read_value<'de, V: DeserializeSeed<'de>>(
    entry: &'de Entry,
    seed: V,
) -> Result<V::Value, FieldError> {
    let name = entry.key.scalar_text().unwrap_or_default();
    seed.deserialize(NodeDeserializer::new(&entry.value))
        .map_err(|error| error.at(entry.value.mark()).in_field(name))
}

/// An enum written as a mapping with one entry: the variant's name and what it holds.
pub(super) struct Variant<'de> {
    entry: &'de Entry,
}

impl<'de> Variant<'de> {
    pub(super) fn new(entry: &'de Entry) -> Self {
        Self { entry }
    }
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = FieldError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self), FieldError> {
        let name = seed.deserialize(KeyDeserializer::new(self.entry));
        let name = name.map_err(|error| error.at(self.entry.key.mark()))?;
        Ok((name, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = FieldError;

    fn unit_variant(self) -> Result<(), FieldError> {
        let error: FieldError = de::Error::custom("expected the name alone");
        Err(error.at(self.entry.value.mark()))
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, FieldError> {
        read_value(self.entry, seed)
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        _length: usize,
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        NodeDeserializer::new(&self.entry.value).deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, FieldError> {
        NodeDeserializer::new(&self.entry.value).deserialize_map(visitor)
    }
}
