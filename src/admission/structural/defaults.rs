//! Defaults, before anything is required.

use serde_json::Value;

use crate::admission::schemas::{Arena, Number};

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
