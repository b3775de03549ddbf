//! Numbers, after sprig's numeric.go: everything is made an int64 or a float64 first, nothing fails.

use crate::go::template::fault::{Fault, Result};
use crate::go::template::function::{Call, Function, row};
use crate::go::template::value::{Element, IntType, Value};

use super::strings::{int, text};

pub(super) static TABLE: &[Function] = &[
    row("atoi", "s", |_, v| {
        Ok(Value::int(text(v, 0).parse().unwrap_or(0)))
    }),
    row("int64", "a", |_, v| Ok(Value::int64(to_int(&v[0])))),
    row("int", "a", |_, v| Ok(Value::int(to_int(&v[0])))),
    row("float64", "a", |_, v| Ok(Value::Float(to_float(&v[0])))),
    row("seq", "i*", seq),
    row("toDecimal", "a", to_decimal),
    row("until", "i", |call, v| {
        let end = int(v, 0);
        steps(call, 0, end, if end < 0 { -1 } else { 1 })
    }),
    row("untilStep", "iii", |call, v| {
        steps(call, int(v, 0), int(v, 1), int(v, 2))
    }),
    row("add1", "a", |_, v| {
        Ok(Value::int64(to_int(&v[0]).wrapping_add(1)))
    }),
    row("add", "a*", |_, v| {
        Ok(Value::int64(
            v.iter().map(to_int).fold(0, i64::wrapping_add),
        ))
    }),
    row("sub", "aa", |_, v| {
        Ok(Value::int64(to_int(&v[0]).wrapping_sub(to_int(&v[1]))))
    }),
    row("div", "aa", |_, v| divide(v, i64::wrapping_div)),
    row("mod", "aa", |_, v| divide(v, i64::wrapping_rem)),
    row("mul", "aa*", |_, v| {
        Ok(Value::int64(
            v.iter().map(to_int).fold(1, i64::wrapping_mul),
        ))
    }),
    row("biggest", "aa*", max),
    row("max", "aa*", max),
    row("min", "aa*", |_, v| {
        Ok(Value::int64(v.iter().map(to_int).min().unwrap_or(0)))
    }),
    row("maxf", "aa*", |_, v| {
        Ok(Value::Float(
            v.iter().map(to_float).fold(f64::NEG_INFINITY, f64::max),
        ))
    }),
    row("minf", "aa*", |_, v| {
        Ok(Value::Float(
            v.iter().map(to_float).fold(f64::INFINITY, f64::min),
        ))
    }),
    row("ceil", "a", |_, v| Ok(Value::Float(to_float(&v[0]).ceil()))),
    row("floor", "a", |_, v| {
        Ok(Value::Float(to_float(&v[0]).floor()))
    }),
    row("round", "aif*", round),
];

/// The arithmetic of floats that slim-sprig leaves out. Sprig reckons in decimals, and so `addf 0.1 0.2` is 0.3.
pub(super) static DECIMALS: &[Function] = &[
    row("add1f", "a", |_, v| {
        fold(&[v[0].clone(), Value::int(1)], add)
    }),
    row("addf", "a*", |_, v| {
        fold(&[&[Value::Float(0.0)], v].concat(), add)
    }),
    row("subf", "aa*", |_, v| {
        fold(v, |a, b| {
            add(
                a,
                Decimal {
                    mantissa: -b.mantissa,
                    ..b
                },
            )
        })
    }),
    row("divf", "aa*", |_, v| {
        if v[1..].iter().any(|v| to_float(v) == 0.0) {
            return Err(Fault::new("division by zero"));
        }
        fold(v, divide_decimals)
    }),
    row("mulf", "aa*", |_, v| {
        fold(v, |a, b| {
            Some(Decimal {
                mantissa: a.mantissa.checked_mul(b.mantissa)?,
                places: a.places + b.places,
            })
        })
    }),
];

/// A decimal number: a whole number, and how many of its digits are behind the point.
#[derive(Debug, Clone, Copy)]
struct Decimal {
    mantissa: i128,
    places: u32,
}

impl Decimal {
    /// The shortest decimal that reads back as a float.
    fn of(value: f64) -> Option<Self> {
        let text = format!("{value}");
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        Some(Self {
            mantissa: format!("{whole}{fraction}").parse().ok()?,
            places: u32::try_from(fraction.len()).ok()?,
        })
    }

    fn with_places(self, places: u32) -> Option<i128> {
        self.mantissa
            .checked_mul(10_i128.checked_pow(places.checked_sub(self.places)?)?)
    }

    fn to_float(self) -> f64 {
        format!("{}e-{}", self.mantissa, self.places)
            .parse()
            .unwrap_or(f64::NAN)
    }
}

fn add(a: Decimal, b: Decimal) -> Option<Decimal> {
    let places = a.places.max(b.places);
    Some(Decimal {
        mantissa: a.with_places(places)?.checked_add(b.with_places(places)?)?,
        places,
    })
}

/// A quotient with sixteen digits behind the point, half away from zero, as shopspring/decimal has it.
fn divide_decimals(a: Decimal, b: Decimal) -> Option<Decimal> {
    const PLACES: u32 = 16;
    let dividend = a.with_places((a.places).max(PLACES + b.places))?;
    let places = a.places.max(PLACES + b.places) - b.places;
    let half = b.mantissa.abs() / 2 * dividend.signum();
    let quotient = dividend.checked_add(half)?.checked_div(b.mantissa)?;
    Some(Decimal {
        mantissa: quotient,
        places,
    })
}

fn fold(values: &[Value], operation: fn(Decimal, Decimal) -> Option<Decimal>) -> Result<Value> {
    let too_large = || Fault::new("the number is too large to reckon with");
    let decimal = |value: &Value| Decimal::of(to_float(value)).ok_or_else(too_large);
    let mut total = decimal(&values[0])?;
    for value in &values[1..] {
        total = operation(total, decimal(value)?).ok_or_else(too_large)?;
    }
    Ok(Value::Float(total.to_float()))
}

fn max(_: &Call<'_>, values: &[Value]) -> Result<Value> {
    Ok(Value::int64(values.iter().map(to_int).max().unwrap_or(0)))
}

fn divide(values: &[Value], operation: fn(i64, i64) -> i64) -> Result<Value> {
    let by = to_int(&values[1]);
    if by == 0 {
        return Err(Fault::new("division by zero"));
    }
    Ok(Value::int64(operation(to_int(&values[0]), by)))
}

/// `cast.ToInt64`: what is no number is 0; a string with leading zeros is decimal.
#[expect(clippy::cast_possible_truncation, reason = "Go truncates so, too")]
pub(super) fn to_int(value: &Value) -> i64 {
    match value {
        Value::Int(value, _) => *value,
        Value::Float(value) => *value as i64,
        Value::Bool(value) => i64::from(*value),
        Value::String(text) => int_of(text),
        _ => 0,
    }
}

/// Reads an integer as spf13/cast does: base prefixes are known, zeros at the end of a fraction are dropped.
fn int_of(text: &str) -> i64 {
    let whole = match text.split_once('.') {
        Some((whole, zeros)) if zeros.bytes().all(|b| b == b'0') => whole,
        _ => text,
    };
    crate::go::template::parse::integer(whole).unwrap_or(0)
}

/// `cast.ToFloat64`.
#[expect(clippy::cast_precision_loss, reason = "Go converts it so, too")]
pub(super) fn to_float(value: &Value) -> f64 {
    match value {
        Value::Int(value, _) => *value as f64,
        Value::Float(value) => *value,
        Value::Bool(value) => f64::from(u8::from(*value)),
        Value::String(text) => text.parse().unwrap_or(0.0),
        _ => 0.0,
    }
}

fn steps(call: &Call<'_>, start: i64, stop: i64, step: i64) -> Result<Value> {
    let items = series(call, start, stop, step)?;
    let items = items.into_iter().map(Value::int).collect();
    Ok(Value::list_of(items, Element::Int))
}

/// The numbers from `start` to before `stop`; none where the step leads away.
fn series(call: &Call<'_>, start: i64, stop: i64, step: i64) -> Result<Vec<i64>> {
    if step == 0 || (stop < start) != (step < 0) {
        return Ok(Vec::new());
    }
    let count = stop.abs_diff(start).div_ceil(step.unsigned_abs());
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    call.budget
        .bytes(count.saturating_mul(size_of::<Value>()))?;
    let step_by = |i: usize| start.wrapping_add(step.wrapping_mul(i64::try_from(i).unwrap_or(0)));
    Ok((0..count).map(step_by).collect())
}

fn seq(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let numbers: Vec<i64> = (0..values.len()).map(|i| int(values, i)).collect();
    let (start, step, stop) = match numbers.as_slice() {
        [stop] => (1, if *stop < 1 { -1 } else { 1 }, *stop),
        [start, stop] => (*start, if stop < start { -1 } else { 1 }, *stop),
        [start, step, stop] => (*start, *step, *stop),
        _ => return Ok(Value::string("")),
    };
    if numbers.len() == 3 && (stop < start) != (step < 0) && stop != start {
        return Ok(Value::string(""));
    }
    let beyond = stop.saturating_add(if step < 0 { -1 } else { 1 });
    let items = series(call, start, beyond, step)?;
    let texts: Vec<String> = items.iter().map(ToString::to_string).collect();
    call.string(texts.join(" "))
}

fn to_decimal(_: &Call<'_>, values: &[Value]) -> Result<Value> {
    let text = crate::go::template::print::plain(&values[0])?;
    Ok(Value::int64(i64::from_str_radix(&text, 8).unwrap_or(0)))
}

/// Rounds half up at a number of places, or at the fraction that is given.
fn round(_: &Call<'_>, values: &[Value]) -> Result<Value> {
    let at = match values.get(2) {
        Some(Value::Float(at)) => *at,
        _ => 0.5,
    };
    let places = i32::try_from(int(values, 1)).unwrap_or(0);
    let power = 10_f64.powi(places);
    let digit = power * to_float(&values[0]);
    let rounded = if digit.fract() >= at {
        digit.ceil()
    } else {
        digit.floor()
    };
    Ok(Value::Float(rounded / power))
}

/// The integer types that are no `int`, for `kindIs`.
pub(super) fn unsigned(value: u64) -> Value {
    Value::Int(i64::try_from(value).unwrap_or(i64::MAX), IntType::Uint64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_reckoned_in_decimals() {
        let of = |values: &[f64], operation| {
            let values: Vec<Value> = values.iter().map(|v| Value::Float(*v)).collect();
            to_float(&fold(&values, operation).unwrap()).to_string()
        };
        assert_eq!(of(&[0.1, 0.2], add), "0.3");
        assert_eq!(of(&[1.0, 3.0], divide_decimals), "0.3333333333333333");
        assert_eq!(of(&[2.0, 3.0], divide_decimals), "0.6666666666666667");
        assert_eq!(of(&[-7.5, 2.5], divide_decimals), "-3");
    }
}
