//! Lists that can be changed in place.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use minijinja::value::{Enumerator, Object, ObjectRepr};
use minijinja::{Error, ErrorKind, State, Value};

use super::arguments::bind;
use super::compare::sorted;
use super::{failed, iterate, text};

/// A Python list.
#[derive(Default)]
pub(in crate::template) struct List(RwLock<Vec<Value>>);

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::sequence(f, "[", &self.items(), "]")
    }
}

impl Drop for List {
    fn drop(&mut self) {
        iterate::release(std::mem::take(
            self.0.get_mut().unwrap_or_else(PoisonError::into_inner),
        ));
    }
}

impl List {
    /// Its items; it is empty then.
    pub(super) fn into_items(mut self) -> Vec<Value> {
        std::mem::take(self.0.get_mut().unwrap_or_else(PoisonError::into_inner))
    }

    /// Builds the value of a list.
    pub(in crate::template) fn value(items: Vec<Value>) -> Value {
        Value::from_object(Self(RwLock::new(items)))
    }

    /// The items as they are now.
    pub(in crate::template) fn items(&self) -> Vec<Value> {
        self.read(Vec::clone)
    }

    fn read<T>(&self, read: impl FnOnce(&Vec<Value>) -> T) -> T {
        read(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, write: impl FnOnce(&mut Vec<Value>) -> T) -> T {
        write(&mut self.0.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Calls a method that changes the list; `None` when there is no such method.
    fn change(
        &self,
        state: &mut State<'_, '_>,
        name: &str,
        arguments: &[Value],
    ) -> Result<Option<Value>, Error> {
        match name {
            "append" => {
                let [item] = bind(name, arguments, ["object"])?;
                let item = item.ok_or_else(missing)?;
                self.write(|items| items.push(item));
            }
            "extend" => {
                let [more] = bind(name, arguments, ["iterable"])?;
                let more = iterate::items(state, &more.ok_or_else(missing)?)?;
                self.write(|items| items.extend(more));
            }
            "insert" => {
                let [index, item] = bind(name, arguments, ["index", "object"])?;
                let index = index.and_then(|i| i.as_i64()).ok_or_else(missing)?;
                let item = item.ok_or_else(missing)?;
                self.write(|items| {
                    let index = position(index, items.len()).min(items.len());
                    items.insert(index, item);
                });
            }
            "pop" => return self.pop(arguments).map(Some),
            "remove" => {
                let [item] = bind(name, arguments, ["value"])?;
                let index = index_of(&self.items(), &item.ok_or_else(missing)?)?;
                self.write(|items| items.remove(index));
            }
            "clear" => self.write(Vec::clear),
            "reverse" => self.write(|items| items.reverse()),
            "sort" => {
                let [reverse] = bind(name, arguments, ["reverse"])?;
                let keyed = self.items().into_iter().map(|i| (i.clone(), i)).collect();
                let items = sorted(keyed, reverse.is_some_and(|r| r.is_true()))?;
                self.write(|old| *old = items);
            }
            _ => return Ok(None),
        }
        Ok(Some(Value::from(())))
    }

    fn pop(&self, arguments: &[Value]) -> Result<Value, Error> {
        let [index] = bind("pop", arguments, ["index"])?;
        let index = match index {
            None => -1,
            Some(index) => index
                .as_i64()
                .ok_or_else(|| failed("pop wants an integer"))?,
        };
        self.write(|items| {
            let index = position(index, items.len());
            if index < items.len() {
                Ok(items.remove(index))
            } else {
                Err(failed("pop asks for an item that the list does not have"))
            }
        })
    }
}

fn missing() -> Error {
    Error::from(ErrorKind::MissingArgument)
}

/// An index that counts from the end when it is negative; before the start is the start.
fn position(index: i64, length: usize) -> usize {
    let distance = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
    if index < 0 {
        length.saturating_sub(distance)
    } else {
        distance
    }
}

fn index_of(items: &[Value], wanted: &Value) -> Result<usize, Error> {
    items
        .iter()
        .position(|item| item == wanted)
        .ok_or_else(|| failed("the list does not have the item"))
}

/// A method of any list or tuple that only reads.
pub(super) fn sequence_method(
    value: &Value,
    name: &str,
    arguments: &[Value],
) -> Result<Value, Error> {
    let items = || -> Vec<Value> { value.try_iter().into_iter().flatten().collect() };
    match name {
        "count" => {
            let [wanted] = bind(name, arguments, ["value"])?;
            let wanted = wanted.ok_or_else(missing)?;
            Ok(items().iter().filter(|i| **i == wanted).count().into())
        }
        "index" => {
            let [wanted] = bind(name, arguments, ["value"])?;
            Ok(index_of(&items(), &wanted.ok_or_else(missing)?)?.into())
        }
        "copy" if iterate::is_plain_sequence(value) && !value.is_tuple() => {
            Ok(List::value(items()))
        }
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}

impl Object for List {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let index = key.as_usize()?;
        self.read(|items| items.get(index).cloned())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.read(Vec::len))
    }

    fn call_method(
        self: &Arc<Self>,
        state: &mut State<'_, '_>,
        method: &str,
        arguments: &[Value],
    ) -> Result<Value, Error> {
        match self.change(state, method, arguments)? {
            Some(value) => Ok(value),
            None => sequence_method(&Value::from_dyn_object(self.clone()), method, arguments),
        }
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
