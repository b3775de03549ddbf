//! Functions of templates: how they are declared, and how arguments become what they take.
//!
//! A function is a row: its name, what it takes, its body. The letters of what it takes are Go's types:
//!
//! | letter | type |
//! |---|---|
//! | `s` `i` `l` `f` `b` | string, int, int64, float64, bool |
//! | `m` `L` `S` | map[string]any, []any, []string |
//! | `a` | any; a missing value is nil |
//! | `r` | any, as builtins take it |
//! | `*` | after a letter: any number of it |

use super::budget::Budget;
use super::fault::{Fault, Result};
use super::print;
use super::tree::{Number, Operand};
use super::value::{Element, IntType, Value};

/// A row of a table of functions.
#[derive(Clone, Copy)]
pub struct Function {
    /// The name.
    pub name: &'static str,
    /// What it takes, a letter for each parameter.
    pub takes: &'static str,
    /// What it does. The arguments have the types that `takes` names.
    pub body: Body,
}

/// What a function does.
pub type Body = fn(&Call<'_>, &[Value]) -> Result<Value>;

/// What a function is called with, besides its arguments.
pub struct Call<'e> {
    /// What is left to spend.
    pub budget: &'e Budget,
    /// What the caller of the template handed over for functions of its own.
    pub given: &'e Value,
    /// A number that differs from call to call of one template and is the same in every run.
    pub serial: u64,
}

/// A row of a table.
pub const fn row(name: &'static str, takes: &'static str, body: Body) -> Function {
    Function { name, takes, body }
}

/// The parameters of a function, from its letters.
pub(super) struct Parameters {
    letters: &'static [u8],
    is_variadic: bool,
}

impl Parameters {
    pub(super) fn of(function: &Function) -> Self {
        let letters = function.takes.as_bytes();
        match letters.split_last() {
            Some((b'*', fixed)) => Self {
                letters: fixed,
                is_variadic: true,
            },
            _ => Self {
                letters,
                is_variadic: false,
            },
        }
    }

    /// The letter of an argument.
    pub(super) fn letter(&self, index: usize) -> u8 {
        let last = self.letters.last().copied().unwrap_or(b'a');
        self.letters.get(index).copied().unwrap_or(last)
    }

    /// Fails where a function takes another number of arguments.
    pub(super) fn check(&self, name: &str, count: usize) -> Result<()> {
        let fixed = self.letters.len() - usize::from(self.is_variadic);
        if count == fixed || (self.is_variadic && count > fixed) {
            return Ok(());
        }
        let least = if self.is_variadic { "at least " } else { "" };
        Err(Fault::new(format!(
            "`{name}` takes {least}{fixed} arguments, not {count}"
        )))
    }
}

/// Makes a value what a parameter takes, as Go assigns it.
pub(super) fn assign(name: &str, value: Value, letter: u8) -> Result<Value> {
    let fits = match (letter, &value) {
        (b'a' | b'r', _) => return Ok(value),
        (_, Value::Missing) => return zero(name, letter),
        (b's', Value::String(_))
        | (b'i', Value::Int(_, IntType::Int))
        | (b'l', Value::Int(_, IntType::Int64))
        | (b'f', Value::Float(_))
        | (b'b', Value::Bool(_)) => true,
        (b'm', Value::Map(map)) => map.element == Element::Any,
        (b'L', Value::List(list)) => list.element == Element::Any,
        (b'S', Value::List(list)) => list.element == Element::String,
        _ => false,
    };
    if fits {
        return Ok(value);
    }
    Err(wrong_type(name, letter, value.type_name()))
}

/// Makes a constant what a parameter takes.
pub(super) fn assign_constant(name: &str, operand: &Operand, letter: u8) -> Result<Value> {
    match (letter, operand) {
        (b'a' | b'r', operand) => Ok(constant(operand)),
        (b's', Operand::String(text)) => Ok(Value::String(text.clone())),
        (b'b', Operand::Bool(value)) => Ok(Value::Bool(*value)),
        (b'i', Operand::Number(Number { int: Some(int), .. })) => Ok(Value::int(*int)),
        (b'l', Operand::Number(Number { int: Some(int), .. })) => Ok(Value::int64(*int)),
        (b'f', Operand::Number(number)) => Ok(Value::Float(number.float)),
        (b'm' | b'L' | b'S', Operand::Nil) => zero(name, letter),
        (_, operand) => Err(wrong_type(name, letter, constant(operand).type_name())),
    }
}

/// What a constant is where nothing says what it should be.
pub(super) fn constant(operand: &Operand) -> Value {
    match operand {
        Operand::String(text) => Value::String(text.clone()),
        Operand::Bool(value) => Value::Bool(*value),
        Operand::Number(number) => match number.int {
            Some(int) if number.is_char => Value::Int(int, IntType::Int32),
            Some(int) if !number.is_float => Value::int(int),
            _ => Value::Float(number.float),
        },
        _ => Value::Nil,
    }
}

fn zero(name: &str, letter: u8) -> Result<Value> {
    match letter {
        b'm' => Ok(Value::map([])),
        b'L' => Ok(Value::list(Vec::new())),
        b'S' => Ok(Value::list_of(Vec::new(), Element::String)),
        _ => Err(wrong_type(name, letter, "nothing")),
    }
}

fn wrong_type(name: &str, letter: u8, found: &str) -> Fault {
    let expected = match letter {
        b's' => "a string",
        b'i' => "an int",
        b'l' => "an int64",
        b'f' => "a float64",
        b'b' => "a bool",
        b'm' => "a map of anything",
        b'L' => "a list of anything",
        b'S' => "a list of strings",
        _ => "a value",
    };
    Fault::new(format!("`{name}` takes {expected} and was given {found}"))
}

impl Call<'_> {
    /// A string that is charged to the budget.
    pub fn string(&self, text: String) -> Result<Value> {
        self.budget.bytes(text.len())?;
        Ok(Value::String(text.into()))
    }

    /// The text of a value as sprig's `strval` has it.
    pub fn text(&self, value: &Value) -> Result<String> {
        let text = print::display(value)?;
        self.budget.bytes(text.len())?;
        Ok(text)
    }

    /// A list that is charged to the budget.
    pub fn list(&self, items: Vec<Value>) -> Result<Value> {
        self.budget.bytes(items.len() * size_of::<Value>())?;
        Ok(Value::list(items))
    }
}
