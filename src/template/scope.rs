//! The names that one render reads.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::Value;
use minijinja::value::{Enumerator, Object};

use super::python::{Dict, own};

/// Values by name. Where a template changes lists in place it gets copies, so that renders stay apart.
pub(super) struct Scope {
    values: Value,
    copies: Option<Mutex<BTreeMap<String, Value>>>,
}

impl Scope {
    pub(super) fn value(values: &Value, copies: bool) -> Value {
        let values = if values.downcast_object_ref::<Dict>().is_some() {
            values.clone()
        } else {
            own(values)
        };
        let copies = copies.then(Mutex::default);
        Value::from_object(Self { values, copies })
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<values>")
    }
}

impl Object for Scope {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if key == "__values" {
            return Some(Value::from_dyn_object(self.clone()));
        }
        let Some(copies) = &self.copies else {
            return self.values.get_attr(key).ok().filter(|v| !v.is_undefined());
        };
        let mut copies = copies.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(copy) = copies.get(key) {
            return Some(copy.clone());
        }
        let value = self
            .values
            .get_attr(key)
            .ok()
            .filter(|v| !v.is_undefined())?;
        let copy = own(&value);
        copies.insert(key.to_owned(), copy.clone());
        Some(copy)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.values.try_iter().into_iter().flatten().collect())
    }
}
