//! Lists, unrolled as the repo-server does, and what it refuses of an object.
//!
//! Follows `GenerateManifests` (reposerver/repository/repository.go) and `UnmarshalJSON` of `Unstructured`: any
//! object with a list of `items` is a List, whatever its kind; a List in a List stays an object; `items: null`
//! makes an object vanish that has neither spec nor status.

use serde_json::Value;

use super::object::gvk;

/// Takes the items of anything that has a list of them. Fails, in the host's words, on items that are not
/// objects and on anything without a kind.
pub fn unrolled(value: Value) -> Result<Vec<Value>, String> {
    check_kind(&value)?;
    let is_null_list = value.get("items").is_some_and(Value::is_null)
        && value.get("spec").is_none()
        && value.get("status").is_none();
    if is_null_list {
        return Ok(Vec::new());
    }
    let Some(items) = value.get("items").and_then(Value::as_array) else {
        return Ok(vec![value]);
    };
    if !items.iter().all(Value::is_object) {
        return Err("items member should be an object".to_owned());
    }
    Ok(items.clone())
}

/// The value with its keys in order, as Go writes maps.
pub fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().map(|(k, v)| (k.clone(), sorted(v))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().collect())
        }
        other => other.clone(),
    }
}

/// Fails on what is not an object of a kind.
pub fn check_kind(value: &Value) -> Result<(), String> {
    if !value.is_object() {
        return Err(
            "json: cannot unmarshal a value that is not an object into Go value of type map[string]interface {}"
                .to_owned(),
        );
    }
    match gvk(value).2.is_empty() {
        true => Err(format!("Object 'Kind' is missing in '{}'", sorted(value))),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn anything_with_items_is_a_list() {
        let list =
            json!({"kind": "Anything", "items": [{"kind": "A"}, {"kind": "List", "items": []}]});
        let items = unrolled(list).unwrap();
        assert_eq!(items.len(), 2);
        for nothing in [
            json!({"kind": "A", "items": []}),
            json!({"kind": "A", "items": null}),
        ] {
            assert!(unrolled(nothing).unwrap().is_empty());
        }
        let kept = json!({"kind": "A", "items": null, "spec": {}});
        assert_eq!(unrolled(kept).unwrap().len(), 1);
        for bad in [
            json!({"kind": "A", "items": [1]}),
            json!({"kind": 1}),
            json!(["A"]),
        ] {
            assert!(unrolled(bad).is_err());
        }
        let three_parts = json!({"apiVersion": "a/b/c", "kind": "A"});
        assert!(
            unrolled(three_parts)
                .unwrap_err()
                .contains("'Kind' is missing")
        );
    }
}
