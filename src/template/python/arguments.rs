//! Arguments by position and by name.

use minijinja::value::Kwargs;
use minijinja::{Error, Value};

use super::failed;

/// Splits off the named arguments.
pub(in crate::template) fn split(arguments: &[Value]) -> (&[Value], Vec<(Value, Value)>) {
    match arguments.split_last() {
        Some((last, positional)) if last.is_kwargs() => {
            let pairs = last.as_object().and_then(|o| o.try_iter_pairs());
            (positional, pairs.into_iter().flatten().collect())
        }
        _ => (arguments, Vec::new()),
    }
}

/// Puts arguments in the order of their names. Fails on one too many, unknown or given twice.
pub(in crate::template) fn bind<const N: usize>(
    function: &str,
    arguments: &[Value],
    names: [&str; N],
) -> Result<[Option<Value>; N], Error> {
    let (positional, named) = split(arguments);
    let mut bound = [const { None }; N];
    if positional.len() > N {
        let phrase = format!(
            "{function} takes {N} arguments and got {}",
            positional.len()
        );
        return Err(failed(phrase));
    }
    for (slot, value) in bound.iter_mut().zip(positional) {
        *slot = Some(value.clone());
    }
    for (name, value) in named {
        let name = name.as_str().unwrap_or_default();
        let Some(index) = names.iter().position(|n| *n == name) else {
            let phrase = format!("{function} has no argument {name}");
            return Err(failed(phrase));
        };
        if bound[index].replace(value).is_some() {
            return Err(failed(format!("{function} got the argument {name} twice")));
        }
    }
    Ok(bound)
}

/// Builds the value of named arguments, for a call.
pub(in crate::template) fn named(pairs: impl IntoIterator<Item = (String, Value)>) -> Value {
    Value::from(pairs.into_iter().collect::<Kwargs>())
}
