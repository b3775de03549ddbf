//! Reading JSON where what is absent, null and empty are mostly the same.

use serde_json::Value;

use crate::admission::later::is_later;

static NULL: Value = Value::Null;

/// Look-ups that never fail.
pub(in crate::admission) trait Look {
    /// The value of a field; null when it is absent.
    fn at(&self, field: &str) -> &Value;
    /// The text of a field; empty when it is absent or no text.
    fn text(&self, field: &str) -> &str;
    /// The items of a field; none when it is absent or no list.
    fn items(&self, field: &str) -> &[Value];
    /// The number of a field.
    fn int(&self, field: &str) -> Option<i64>;
    /// Whether a field is true.
    fn flag(&self, field: &str) -> bool;
    /// Whether a field is given.
    fn has(&self, field: &str) -> bool;
    /// Follows fields.
    fn down(&self, fields: &[&str]) -> &Value;
    /// The entries of a map, each with its text.
    fn texts(&self, field: &str) -> Vec<(&str, &str)>;
    /// The texts of a list.
    fn words(&self, field: &str) -> Vec<&str>;
    /// The entries of a field that is a map.
    fn entries(&self, field: &str) -> Vec<(&str, &Value)>;
}

impl Look for Value {
    fn at(&self, field: &str) -> &Value {
        self.get(field).unwrap_or(&NULL)
    }

    fn text(&self, field: &str) -> &str {
        self.at(field).as_str().unwrap_or_default()
    }

    fn items(&self, field: &str) -> &[Value] {
        self.at(field).as_array().map_or(&[], Vec::as_slice)
    }

    fn int(&self, field: &str) -> Option<i64> {
        self.at(field).as_i64()
    }

    fn flag(&self, field: &str) -> bool {
        self.at(field).as_bool().unwrap_or_default()
    }

    fn has(&self, field: &str) -> bool {
        !self.at(field).is_null()
    }

    fn down(&self, fields: &[&str]) -> &Value {
        fields.iter().fold(self, |value, field| value.at(field))
    }

    fn texts(&self, field: &str) -> Vec<(&str, &str)> {
        let entries = self.entries(field).into_iter();
        entries
            .map(|(key, value)| (key, value.as_str().unwrap_or_default()))
            .collect()
    }

    fn words(&self, field: &str) -> Vec<&str> {
        self.items(field)
            .iter()
            .map(|item| item.as_str().unwrap_or_default())
            .collect()
    }

    fn entries(&self, field: &str) -> Vec<(&str, &Value)> {
        let fields = self.at(field).as_object().into_iter().flatten();
        fields.map(|(key, value)| (&**key, value)).collect()
    }
}

/// Whether nothing can be said of a text yet.
pub(super) fn is_open(text: &str) -> bool {
    is_later(text)
}
