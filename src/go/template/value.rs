//! The values that a template sees, as Go's `reflect` tells them apart.
//!
//! Maps are references, as in Go: `set` changes the map that every other name of it sees.

use std::cell::{Ref, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use super::fault::{Fault, Result};

/// How deep values may nest where they are walked: printed, copied, compared.
pub(super) const MAX_DEPTH: u32 = 300;

/// One value.
#[derive(Debug, Clone, Default)]
pub enum Value {
    /// Nothing at all: what a missing key yields. Prints `<no value>`.
    #[default]
    Missing,
    /// A nil that stands in an interface: a key whose value is null.
    Nil,
    /// A boolean.
    Bool(bool),
    /// An integer, with the type that Go would call it.
    Int(i64, IntType),
    /// A `float64`.
    Float(f64),
    /// A string.
    String(Rc<str>),
    /// A slice.
    List(List),
    /// A map with strings as keys.
    Map(Map),
    /// What only methods can be asked of: a version, a point in time.
    Object(Rc<dyn Object>),
}

/// The integer types that templates meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IntType {
    /// `int`: constants, lengths, indices.
    Int,
    /// `int64`: results of arithmetic.
    Int64,
    /// `int32`: characters.
    Int32,
    /// `uint8`: bytes.
    Uint8,
    /// `uint64`: parts of versions.
    Uint64,
    /// `uint32`: checksums.
    Uint32,
}

/// A value with methods.
pub trait Object: std::fmt::Debug {
    /// The name of its type, as `%T` prints it.
    fn type_name(&self) -> &'static str;
    /// What `%v` prints.
    fn print(&self) -> String;
    /// Calls a method; `None` where there is none of that name.
    fn call(&self, method: &str, arguments: &[Value]) -> Option<Result<Value>>;
    /// The same object, for functions that know its type.
    fn as_any(&self) -> &dyn std::any::Any;
}

/// What the elements of a list or a map are declared as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Element {
    /// `interface {}`.
    Any,
    /// `string`.
    String,
    /// `int`.
    Int,
}

/// A slice.
#[derive(Debug, Clone)]
pub struct List {
    body: Rc<Body<Vec<Value>>>,
    /// What its elements are declared as.
    pub element: Element,
}

/// A map.
#[derive(Debug, Clone)]
pub struct Map {
    body: Rc<RefCell<Body<Entries>>>,
    /// What its values are declared as.
    pub element: Element,
}

/// What a map holds, sorted by key.
type Entries = BTreeMap<Rc<str>, Value>;

/// Children that are taken apart without recursion: nesting made by a loop can be deeper than the stack.
#[derive(Debug, Default)]
struct Body<T: Children>(T);

trait Children: Default {
    fn move_to(&mut self, open: &mut Vec<Value>);
}

impl Children for Vec<Value> {
    fn move_to(&mut self, open: &mut Vec<Value>) {
        open.append(self);
    }
}

impl Children for Entries {
    fn move_to(&mut self, open: &mut Vec<Value>) {
        open.extend(std::mem::take(self).into_values());
    }
}

impl<T: Children> Drop for Body<T> {
    fn drop(&mut self) {
        let mut open = Vec::new();
        self.0.move_to(&mut open);
        while let Some(value) = open.pop() {
            match value {
                Value::List(list) => {
                    if let Some(mut body) = Rc::into_inner(list.body) {
                        body.0.move_to(&mut open);
                    }
                }
                Value::Map(map) => {
                    if let Some(body) = Rc::into_inner(map.body) {
                        body.into_inner().0.move_to(&mut open);
                    }
                }
                _ => {}
            }
        }
    }
}

impl List {
    /// The items.
    pub fn items(&self) -> &[Value] {
        &self.body.0
    }
}

impl Map {
    /// The entries, sorted by key.
    pub fn entries(&self) -> Ref<'_, Entries> {
        Ref::map(self.body.borrow(), |body| &body.0)
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<Value> {
        self.entries().get(key).cloned()
    }

    /// Sets a key, for every name of this map.
    pub fn set(&self, key: &str, value: Value) {
        self.body.borrow_mut().0.insert(key.into(), value);
    }

    /// Removes a key.
    pub fn unset(&self, key: &str) {
        let removed = self.body.borrow_mut().0.remove(key);
        drop(removed);
    }

    /// Whether both are one and the same map.
    pub fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.body, &other.body)
    }
}

impl Value {
    /// A string.
    pub fn string(text: impl AsRef<str>) -> Self {
        Self::String(text.as_ref().into())
    }

    /// An `int`.
    pub fn int(value: i64) -> Self {
        Self::Int(value, IntType::Int)
    }

    /// An `int64`.
    pub fn int64(value: i64) -> Self {
        Self::Int(value, IntType::Int64)
    }

    /// The `int` of a length.
    pub fn length(value: usize) -> Self {
        Self::int(i64::try_from(value).unwrap_or(i64::MAX))
    }

    /// A `[]interface {}`.
    pub fn list(items: Vec<Self>) -> Self {
        Self::list_of(items, Element::Any)
    }

    /// A `[]string`.
    pub fn strings<S: AsRef<str>>(items: impl IntoIterator<Item = S>) -> Self {
        Self::list_of(
            items.into_iter().map(Self::string).collect(),
            Element::String,
        )
    }

    /// A slice of elements of one type.
    pub fn list_of(items: Vec<Self>, element: Element) -> Self {
        Self::List(List {
            body: Rc::new(Body(items)),
            element,
        })
    }

    /// A `map[string]interface {}`.
    pub fn map(entries: impl IntoIterator<Item = (Rc<str>, Self)>) -> Self {
        Self::map_of(entries, Element::Any)
    }

    /// A map of values of one type.
    pub fn map_of(entries: impl IntoIterator<Item = (Rc<str>, Self)>, element: Element) -> Self {
        Self::Map(Map {
            body: Rc::new(RefCell::new(Body(entries.into_iter().collect()))),
            element,
        })
    }

    /// Whether it is nothing or nil.
    pub fn is_nothing(&self) -> bool {
        matches!(self, Self::Missing | Self::Nil)
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// What an interface holds: a nil in it is nothing.
    #[must_use]
    pub fn unwrapped(self) -> Self {
        match self {
            Self::Nil => Self::Missing,
            other => other,
        }
    }

    /// Whether `if` takes it: not false, zero, empty or nothing.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Missing | Self::Nil => false,
            Self::Bool(value) => *value,
            Self::Int(value, _) => *value != 0,
            Self::Float(value) => *value != 0.0,
            Self::String(text) => !text.is_empty(),
            Self::List(list) => !list.items().is_empty(),
            Self::Map(map) => !map.entries().is_empty(),
            Self::Object(_) => true,
        }
    }

    /// The name of its type, as `%T` prints it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Missing | Self::Nil => "<nil>",
            Self::Bool(_) => "bool",
            Self::Int(_, kind) => kind.name(),
            Self::Float(_) => "float64",
            Self::String(_) => "string",
            Self::List(list) => match list.element {
                Element::Any => "[]interface {}",
                Element::String => "[]string",
                Element::Int => "[]int",
            },
            Self::Map(map) => match map.element {
                Element::Any => "map[string]interface {}",
                Element::String => "map[string]string",
                Element::Int => "map[string]int",
            },
            Self::Object(object) => object.type_name(),
        }
    }

    /// The name of its kind, as `reflect.Kind` prints it.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Self::Missing | Self::Nil => "invalid",
            Self::List(_) => "slice",
            Self::Map(_) => "map",
            Self::Object(object) => {
                if object.type_name().starts_with('*') {
                    "ptr"
                } else {
                    "struct"
                }
            }
            scalar => scalar.type_name(),
        }
    }

    /// Copies it, maps and all. Fails where it nests too deeply.
    pub fn deep_copy(&self, depth: u32) -> Result<Self> {
        let depth = deeper(depth)?;
        Ok(match self {
            Self::List(list) => {
                let items: Result<_> = list.items().iter().map(|i| i.deep_copy(depth)).collect();
                Self::list_of(items?, list.element)
            }
            Self::Map(map) => {
                let copied: Result<Vec<_>> = (map.entries().iter())
                    .map(|(k, v)| Ok((Rc::clone(k), v.deep_copy(depth)?)))
                    .collect();
                Self::map_of(copied?, map.element)
            }
            other => other.clone(),
        })
    }

    /// Whether both are equal as `reflect.DeepEqual` has it: types count.
    pub fn deep_equal(&self, other: &Self, depth: u32) -> Result<bool> {
        let depth = deeper(depth)?;
        Ok(match (self, other) {
            (Self::Missing | Self::Nil, Self::Missing | Self::Nil) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a, s), Self::Int(b, t)) => a == b && s == t,
            (Self::Float(a), Self::Float(b)) => a == b,
            (Self::String(a), Self::String(b)) => a == b,
            (Self::List(a), Self::List(b)) => {
                if a.element != b.element || a.items().len() != b.items().len() {
                    return Ok(false);
                }
                for (x, y) in a.items().iter().zip(b.items()) {
                    if !x.deep_equal(y, depth)? {
                        return Ok(false);
                    }
                }
                true
            }
            (Self::Map(a), Self::Map(b)) => {
                let (x, y) = (a.entries(), b.entries());
                if a.element != b.element || x.len() != y.len() {
                    return Ok(false);
                }
                for ((k, v), (l, w)) in x.iter().zip(y.iter()) {
                    if k != l || !v.deep_equal(w, depth)? {
                        return Ok(false);
                    }
                }
                true
            }
            (Self::Object(a), Self::Object(b)) => {
                a.type_name() == b.type_name() && a.print() == b.print()
            }
            _ => false,
        })
    }
}

impl IntType {
    fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Int64 => "int64",
            Self::Int32 => "int32",
            Self::Uint8 => "uint8",
            Self::Uint64 => "uint64",
            Self::Uint32 => "uint32",
        }
    }
}

/// One level further down, where that is allowed.
pub(super) fn deeper(depth: u32) -> Result<u32> {
    if depth >= MAX_DEPTH {
        return Err(Fault::new("a value nests too deeply"));
    }
    Ok(depth + 1)
}
