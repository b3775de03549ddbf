//! Python's numbers: integers of 128 bits, floats, and booleans that count.

use std::cmp::Ordering;

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};

use super::arguments::bind;
use super::failed;

/// A number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::template) enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    /// The number of a value; booleans are 0 and 1.
    pub(in crate::template) fn of(value: &Value) -> Option<Self> {
        match value.kind() {
            ValueKind::Bool => Some(Self::Integer(i128::from(value.is_true()))),
            ValueKind::Number if value.is_integer() => match i128::try_from(value.clone()) {
                Ok(integer) => Some(Self::Integer(integer)),
                Err(_) => f64::try_from(value.clone()).ok().map(Self::Float),
            },
            ValueKind::Number => f64::try_from(value.clone()).ok().map(Self::Float),
            _ => None,
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "what Python's float() does, too"
    )]
    pub(in crate::template) fn as_float(self) -> f64 {
        match self {
            Self::Integer(integer) => integer as f64,
            Self::Float(float) => float,
        }
    }

    pub(super) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => Some(a.cmp(&b)),
            _ => self.as_float().partial_cmp(&other.as_float()),
        }
    }

    /// One arithmetic operator.
    pub(super) fn apply(self, operator: Operator, other: Self) -> Result<Self, Error> {
        if let (Self::Integer(a), Self::Integer(b)) = (self, other)
            && let Some(result) = operator.integers(a, b)
        {
            return result.map(Self::Integer);
        }
        operator
            .floats(self.as_float(), other.as_float())
            .map(Self::Float)
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        match number {
            Number::Integer(integer) => match i64::try_from(integer) {
                Ok(small) => Self::from(small),
                Err(_) => Self::from(integer),
            },
            Number::Float(float) => Self::from(float),
        }
    }
}

/// The arithmetic operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::template) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Floor,
    Modulo,
    Power,
}

impl Operator {
    /// Integer arithmetic; `None` where the result is a float.
    fn integers(self, a: i128, b: i128) -> Option<Result<i128, Error>> {
        let result = match self {
            Self::Add => a.checked_add(b),
            Self::Subtract => a.checked_sub(b),
            Self::Multiply => a.checked_mul(b),
            Self::Divide => return None,
            Self::Floor | Self::Modulo if b == 0 => return Some(Err(failed("division by zero"))),
            Self::Floor => a.checked_div(b).map(|q| {
                if a % b != 0 && (a < 0) != (b < 0) {
                    q - 1
                } else {
                    q
                }
            }),
            Self::Modulo => a.checked_rem(b).map(|r| {
                if r != 0 && (r < 0) != (b < 0) {
                    r + b
                } else {
                    r
                }
            }),
            Self::Power if b < 0 => return None,
            Self::Power => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
        };
        Some(result.ok_or_else(|| failed("the number has more than 128 bits")))
    }

    fn floats(self, a: f64, b: f64) -> Result<f64, Error> {
        Ok(match self {
            Self::Add => a + b,
            Self::Subtract => a - b,
            Self::Multiply => a * b,
            Self::Divide | Self::Floor | Self::Modulo if b == 0.0 => {
                return Err(failed("division by zero"));
            }
            Self::Divide => a / b,
            Self::Floor => (a / b).floor(),
            Self::Modulo => {
                let rest = a % b;
                if rest != 0.0 && (rest < 0.0) != (b < 0.0) {
                    rest + b
                } else {
                    rest
                }
            }
            Self::Power if a == 0.0 && b < 0.0 => return Err(failed("zero to a negative power")),
            Self::Power => a.powf(b),
        })
    }
}

/// Calls a method of numbers.
pub(super) fn method(value: &Value, name: &str, arguments: &[Value]) -> Result<Value, Error> {
    let number = Number::of(value);
    match (name, number) {
        ("bit_length", Some(Number::Integer(i))) => {
            let [] = bind(name, arguments, [])?;
            Ok(Value::from(128 - i.unsigned_abs().leading_zeros()))
        }
        ("is_integer", Some(Number::Float(number))) => {
            let [] = bind(name, arguments, [])?;
            Ok(Value::from(number.fract() == 0.0))
        }
        _ => Err(Error::from(ErrorKind::UnknownMethod)),
    }
}
