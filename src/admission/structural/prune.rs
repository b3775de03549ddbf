//! Fields that a schema does not have, and nulls where none may be.

use serde_json::{Map, Value};

use crate::admission::path::Path;
use crate::admission::schemas::{Arena, Number, Type};
use crate::admission::verdict::{Causes, Reason};
use crate::diagnostic::nearest;

/// The fields of every object.
const OF_OBJECTS: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Drops the fields that a schema does not have, and says which.
pub(in crate::admission) fn prune(
    arena: &Arena,
    root: Number,
    object: &mut Value,
    unknown: &mut Causes,
) {
    Pruner { arena, unknown }.value(root, object, &Path::ROOT);
}

struct Pruner<'p> {
    arena: &'p Arena,
    unknown: &'p mut Causes,
}

impl Pruner<'_> {
    fn value(&mut self, number: Number, value: &mut Value, path: &Path<'_>) {
        let kind = self.arena.get(number);
        match value {
            Value::Object(fields) => self.object(kind, fields, path),
            Value::Array(items) => {
                let Some(number) = kind.items else { return };
                for (index, item) in items.iter_mut().enumerate() {
                    self.value(number, item, &path.index(index));
                }
            }
            _ => {}
        }
    }

    fn object(&mut self, kind: &Type, fields: &mut Map<String, Value>, path: &Path<'_>) {
        let is_object = path.is_root() || kind.embedded;
        let names: Vec<String> = fields.keys().cloned().collect();
        for name in names {
            let number = kind.properties.get(&name).copied().or(kind.values);
            if is_object && OF_OBJECTS.contains(&&*name) {
                continue;
            }
            match (number, fields.get_mut(&name)) {
                (Some(number), Some(value)) => self.value(number, value, &path.field(&name)),
                _ if kind.open => {}
                _ => {
                    self.unknown
                        .add(&path.field(&name), Reason::Unknown, "is unknown");
                    suggest(self.unknown, kind, &name);
                    fields.shift_remove(&name);
                }
            }
        }
    }
}

/// Adds the nearest name, or the names that are known where they are few.
pub(in crate::admission) fn suggest(unknown: &mut Causes, kind: &Type, name: &str) {
    let known = || kind.properties.keys().map(String::as_str);
    if let Some(near) = nearest(name, known()) {
        unknown.help(format!("did you mean {near}?"));
    } else if kind.properties.len() <= 12 && !kind.properties.is_empty() {
        unknown.help(format!(
            "known here: {}",
            known().collect::<Vec<_>>().join(", ")
        ));
    }
}

/// Drops nulls that may not be there, unless a default takes their place: they count as not given. One in a list stays.
pub(in crate::admission) fn drop_nulls(arena: &Arena, number: Number, value: &mut Value) {
    let kind = arena.get(number);
    match value {
        Value::Object(fields) => {
            fields.retain(|name, value| {
                let number = kind.properties.get(name).copied().or(kind.values);
                let stays = |kind: &Type| kind.nullable || kind.default.is_some();
                !value.is_null() || number.is_none_or(|n| stays(arena.get(n)))
            });
            for (name, value) in fields.iter_mut() {
                if let Some(number) = kind.properties.get(name).copied().or(kind.values) {
                    drop_nulls(arena, number, value);
                }
            }
        }
        Value::Array(items) => {
            let Some(number) = kind.items else { return };
            for item in items {
                drop_nulls(arena, number, item);
            }
        }
        _ => {}
    }
}
