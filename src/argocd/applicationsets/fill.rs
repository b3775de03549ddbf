//! Templates of generators, filled up from the set's.
//!
//! Follows `mergeGeneratorTemplate`: mergo without override. What is empty on the left is taken from the right, field by
//! field, so that `false` never wins over `true`; a list counts as a whole, and so do values of Helm. Cases: `override-*`.

use serde_json::Value as Json;

use super::crd::is_empty;

/// Fields that are one value to Go, whatever they hold.
const WHOLE: &[&str] = &["valuesObject"];

/// Fills up `own` from `base`.
pub(super) fn up(own: Json, base: &Json) -> Json {
    match (own, base) {
        (Json::Object(mut own), Json::Object(base)) => {
            for (key, value) in base {
                let filled = match own.shift_remove(key) {
                    None => value.clone(),
                    Some(known) if WHOLE.contains(&key.as_str()) => match is_empty(&known) {
                        true => value.clone(),
                        false => known,
                    },
                    Some(known) => up(known, value),
                };
                own.insert(key.clone(), filled);
            }
            Json::Object(own)
        }
        (own, base) if is_empty(&own) => base.clone(),
        (own, _) => own,
    }
}
