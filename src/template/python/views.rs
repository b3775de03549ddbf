//! Views of dicts, ranges and generators.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{Error, ErrorKind, State, Value};

use super::list::sequence_method;
use super::text;

/// What `keys()`, `values()` and `items()` of a dict give: items with a length and no index.
pub(in crate::template) struct View {
    name: &'static str,
    items: Vec<Value>,
}

impl View {
    pub(super) fn keys(items: Vec<Value>) -> Value {
        Value::from_object(Self {
            name: "dict_keys",
            items,
        })
    }

    pub(super) fn values(items: Vec<Value>) -> Value {
        Value::from_object(Self {
            name: "dict_values",
            items,
        })
    }

    pub(super) fn items(items: Vec<Value>) -> Value {
        Value::from_object(Self {
            name: "dict_items",
            items,
        })
    }
}

impl fmt::Debug for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.name)?;
        text::sequence(f, "[", &self.items, "])")
    }
}

impl Object for View {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.items.clone())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.items.len())
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What `range(…)` gives.
pub(in crate::template) struct Range {
    pub(in crate::template) start: i64,
    pub(in crate::template) stop: i64,
    pub(in crate::template) step: i64,
}

impl Range {
    /// How many numbers it gives.
    pub(in crate::template) fn length(&self) -> usize {
        let (low, high, step) = if self.step > 0 {
            (self.start, self.stop, self.step.unsigned_abs())
        } else {
            (self.stop, self.start, self.step.unsigned_abs())
        };
        if high <= low {
            return 0;
        }
        let span = high.abs_diff(low);
        usize::try_from(span.div_ceil(step)).unwrap_or(usize::MAX)
    }
}

impl fmt::Debug for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "range({}, {}", self.start, self.stop)?;
        if self.step != 1 {
            write!(f, ", {}", self.step)?;
        }
        f.write_str(")")
    }
}

impl Object for Range {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let index = key.as_usize().filter(|i| *i < self.length())?;
        Some(Value::from(
            self.start + i64::try_from(index).ok()? * self.step,
        ))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.length())
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        arguments: &[Value],
    ) -> Result<Value, Error> {
        sequence_method(&Value::from_dyn_object(self.clone()), method, arguments)
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What `map`, `select` and their like give: it can be iterated once, is true, and has no length.
pub(in crate::template) struct Generator(Mutex<Vec<Value>>);

impl Generator {
    /// Builds the value of a generator.
    pub(in crate::template) fn value(items: Vec<Value>) -> Value {
        Value::from_object(Self(Mutex::new(items)))
    }

    /// Takes what was not taken before.
    pub(in crate::template) fn take(&self) -> Vec<Value> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the first item.
    pub(in crate::template) fn next(&self) -> Option<Value> {
        let mut items = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (!items.is_empty()).then(|| items.remove(0))
    }
}

impl fmt::Debug for Generator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<generator object>")
    }
}

impl Object for Generator {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Iterable
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.take())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        None
    }

    fn is_true(self: &Arc<Self>) -> bool {
        true
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// What `groupby` gives: a pair whose parts also have names.
#[derive(Debug)]
pub(in crate::template) struct Group {
    pub(in crate::template) grouper: Value,
    pub(in crate::template) list: Value,
}

impl Object for Group {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        match (key.as_str(), key.as_usize()) {
            (Some("grouper"), _) | (_, Some(0)) => Some(self.grouper.clone()),
            (Some("list"), _) | (_, Some(1)) => Some(self.list.clone()),
            _ => None,
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(vec![self.grouper.clone(), self.list.clone()])
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::sequence(f, "(", &[self.grouper.clone(), self.list.clone()], ")")
    }
}

/// What `cycler(…)` gives.
#[derive(Debug)]
pub(in crate::template) struct Cycler {
    items: Vec<Value>,
    position: Mutex<usize>,
}

impl Cycler {
    /// Builds the value of a cycler.
    pub(in crate::template) fn value(items: Vec<Value>) -> Value {
        Value::from_object(Self {
            items,
            position: Mutex::new(0),
        })
    }
}

impl Object for Cycler {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let position = *self.position.lock().unwrap_or_else(PoisonError::into_inner);
        (key.as_str()? == "current").then(|| self.items[position].clone())
    }

    fn call_method(
        self: &Arc<Self>,
        _state: &mut State<'_, '_>,
        method: &str,
        _arguments: &[Value],
    ) -> Result<Value, Error> {
        let mut position = self.position.lock().unwrap_or_else(PoisonError::into_inner);
        match method {
            "next" => {
                let item = self.items[*position].clone();
                *position = (*position + 1) % self.items.len();
                Ok(item)
            }
            "reset" => {
                *position = 0;
                Ok(Value::from(()))
            }
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }
}

/// What `joiner(…)` gives: nothing when it is called first, its text from then on.
#[derive(Debug)]
pub(in crate::template) struct Joiner {
    text: Value,
    used: Mutex<bool>,
}

impl Joiner {
    /// Builds the value of a joiner.
    pub(in crate::template) fn value(text: Value) -> Value {
        Value::from_object(Self {
            text,
            used: Mutex::new(false),
        })
    }
}

impl Object for Joiner {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn call(self: &Arc<Self>, _state: &mut State<'_, '_>, _: &[Value]) -> Result<Value, Error> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let was_used = std::mem::replace(&mut *used, true);
        Ok(if was_used {
            self.text.clone()
        } else {
            Value::from("")
        })
    }
}
