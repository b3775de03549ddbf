//! Dicts that can be changed in place.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use indexmap::IndexMap;
use minijinja::value::{Enumerator, Object};
use minijinja::{Error, ErrorKind, State, Value};

use super::arguments::{bind, split};
use super::views::View;
use super::{failed, iterate, text, tuple};

type Entries = IndexMap<Value, Value>;

/// A Python dict.
#[derive(Default)]
pub(in crate::template) struct Dict(RwLock<Entries>);

impl fmt::Debug for Dict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::entries(f, self.entries().into_iter())
    }
}

impl Drop for Dict {
    fn drop(&mut self) {
        let entries = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        iterate::release(std::mem::take(entries).into_values().collect());
    }
}

impl Dict {
    /// Its values; it is empty then.
    pub(super) fn into_items(mut self) -> Vec<Value> {
        let entries = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(entries).into_values().collect()
    }

    /// Builds the value of a dict.
    pub(in crate::template) fn value(entries: Entries) -> Value {
        Value::from_object(Self(RwLock::new(entries)))
    }

    /// The entries as they are now.
    pub(in crate::template) fn entries(&self) -> Entries {
        self.read(Entries::clone)
    }

    /// Sets a key.
    pub(in crate::template) fn insert(&self, key: Value, value: Value) {
        self.write(|entries| entries.insert(key, value));
    }

    fn read<T>(&self, read: impl FnOnce(&Entries) -> T) -> T {
        read(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, write: impl FnOnce(&mut Entries) -> T) -> T {
        write(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Calls a method of dicts.
    pub(super) fn method(&self, name: &str, arguments: &[Value]) -> Result<Value, Error> {
        let missing = || Error::from(ErrorKind::MissingArgument);
        let none = || Value::from(());
        match name {
            "keys" => Ok(View::keys(self.read(|e| e.keys().cloned().collect()))),
            "values" => Ok(View::values(self.read(|e| e.values().cloned().collect()))),
            "items" => Ok(View::items(self.read(|e| {
                e.iter()
                    .map(|(k, v)| tuple(vec![k.clone(), v.clone()]))
                    .collect()
            }))),
            "get" => {
                let [key, default] = bind(name, arguments, ["key", "default"])?;
                let found = self.read(|e| e.get(&key.unwrap_or_default()).cloned());
                Ok(found.or(default).unwrap_or_else(none))
            }
            "copy" => Ok(Self::value(self.entries())),
            "update" => self.update(arguments),
            "setdefault" => {
                let [key, default] = bind(name, arguments, ["key", "default"])?;
                let key = key.ok_or_else(missing)?;
                let default = default.unwrap_or_else(none);
                Ok(self.write(|e| e.entry(key).or_insert(default).clone()))
            }
            "pop" => {
                let [key, default] = bind(name, arguments, ["key", "default"])?;
                let key = key.ok_or_else(missing)?;
                self.write(|e| e.shift_remove(&key))
                    .or(default)
                    .ok_or_else(|| failed("pop asks for a key that the dict does not have"))
            }
            "popitem" => {
                let last = self.write(Entries::pop);
                let (key, value) = last.ok_or_else(|| failed("popitem asks an empty dict"))?;
                Ok(tuple(vec![key, value]))
            }
            "clear" => {
                self.write(Entries::clear);
                Ok(none())
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn update(&self, arguments: &[Value]) -> Result<Value, Error> {
        let (positional, named) = split(arguments);
        if positional.len() > 1 {
            return Err(Error::from(ErrorKind::TooManyArguments));
        }
        for source in positional {
            let pairs = iterate::pairs(source)?;
            self.write(|e| e.extend(pairs));
        }
        self.write(|e| e.extend(named));
        Ok(Value::from(()))
    }
}

impl Object for Dict {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.read(|e| e.get(key).cloned())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.read(|e| e.keys().cloned().collect()))
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.read(Entries::len))
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        arguments: &[Value],
    ) -> Result<Value, Error> {
        self.method(method, arguments)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
