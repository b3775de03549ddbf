//! Defaults, before anything is required.

use serde_json::Value;

use crate::admission::schemas::{Arena, Kind, Number};

/// Sets what is not given, or is null where no null may be, to its default.
pub(in crate::admission) fn set(arena: &Arena, number: Number, value: &mut Value) {
    let kind = arena.get(number);
    let default_of = |number: Number, value: Option<&Value>| {
        let kind = arena.get(number);
        let is_missing = value.is_none_or(|v| v.is_null() && !kind.nullable);
        kind.default.clone().filter(|_| is_missing)
    };
    match value {
        Value::Object(fields) => {
            for (name, number) in &kind.properties {
                if let Some(default) = default_of(*number, fields.get(name)) {
                    fields.insert(name.clone(), default);
                }
            }
            for (name, value) in fields.iter_mut() {
                match (kind.properties.get(name), kind.values) {
                    (Some(number), _) => set(arena, *number, value),
                    (None, Some(number)) => {
                        if let Some(default) = default_of(number, Some(value)) {
                            *value = default;
                        }
                        set(arena, number, value);
                    }
                    (None, None) => {}
                }
            }
        }
        Value::Array(items) => {
            let Some(number) = kind.items else { return };
            for item in items {
                if let Some(default) = default_of(number, Some(item)) {
                    *item = default;
                }
                set(arena, number, item);
            }
        }
        _ => {}
    }
}

/// Gives what is required and missing the zero value of its type, as a Go type does that is written back: in a CRD
/// of controller-gen a field is required where Go has no `omitempty`.
pub(in crate::admission) fn zeros(arena: &Arena, number: Number, value: &mut Value) {
    let kind = arena.get(number);
    match value {
        Value::Object(fields) => {
            for name in &kind.required {
                let Some(number) = kind.properties.get(name) else {
                    continue;
                };
                if !fields.contains_key(name)
                    && let Some(zero) = zero(arena.get(*number).kind)
                {
                    fields.insert(name.clone(), zero);
                }
            }
            for (name, value) in fields.iter_mut() {
                if let Some(number) = kind.properties.get(name).copied().or(kind.values) {
                    zeros(arena, number, value);
                }
            }
        }
        Value::Array(items) => {
            let Some(number) = kind.items else { return };
            items.iter_mut().for_each(|item| zeros(arena, number, item));
        }
        _ => {}
    }
}

fn zero(kind: Option<Kind>) -> Option<Value> {
    match kind? {
        Kind::Object => Some(Value::Object(serde_json::Map::new())),
        Kind::String => Some(Value::from("")),
        Kind::Integer | Kind::Number => Some(Value::from(0)),
        Kind::Boolean => Some(Value::from(false)),
        // A nil slice is null, which the schema refuses.
        Kind::Array => None,
    }
}
