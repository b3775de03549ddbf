//! The objects of Argo CD that lie in a tree as plain files.

use serde_json::Value as Json;

use super::tree::Entry;
use crate::argocd::wire::object::text;
use crate::files::{Files, TreePath};
use crate::yaml::sigs::stream;

/// The group of Argo CD's own kinds.
pub const GROUP: &str = "argoproj.io/";

/// The objects of a text, Lists taken apart, each with the line that names it. Fails, in words, on what is not YAML.
pub fn parse(bytes: &[u8], file: &str) -> Result<Vec<Entry>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "the file is not UTF-8".to_owned())?;
    let stream = stream::read(text).map_err(|broken| broken.words)?;
    let mut entries = Vec::new();
    for document in stream.documents {
        let items = match document.value.get("items").and_then(Json::as_array) {
            Some(items) => items.clone(),
            None => vec![document.value],
        };
        entries.extend(items.into_iter().map(|object| Entry {
            line: line_of(text, &object),
            object,
            file: file.to_owned(),
        }));
    }
    Ok(entries)
}

/// The line that names an object; 1 where none does plainly.
fn line_of(text: &str, object: &Json) -> u32 {
    let name = self::text(object, &["metadata", "name"]);
    let names = |line: &str| {
        let value = line
            .trim_start_matches([' ', '-', '{'])
            .strip_prefix("name:");
        value.is_some_and(|value| value.trim().trim_matches(['"', '\'']) == name)
    };
    let found = text.lines().position(names).unwrap_or(0);
    u32::try_from(found).unwrap_or(0) + 1
}

/// Whether a path is one of a file that may hold objects.
pub fn is_manifest(path: &str) -> bool {
    [".yaml", ".yml", ".json"]
        .iter()
        .any(|ending| path.ends_with(ending))
}

/// What a file of a tree holds of Argo CD; files that are something else, or templates, hold nothing. `shown` is how
/// the user would name the file.
pub fn of_file(files: &dyn Files, path: &TreePath, shown: &str) -> Vec<Entry> {
    let Ok(file) = files.read(path) else {
        return Vec::new();
    };
    let mentions = |word: &[u8]| file.bytes.windows(word.len()).any(|window| window == word);
    if !mentions(GROUP.as_bytes()) {
        return Vec::new();
    }
    let mut entries = parse(&file.bytes, shown).unwrap_or_default();
    entries.retain(|entry| {
        let kind = text(&entry.object, &["kind"]);
        text(&entry.object, &["apiVersion"]).starts_with(GROUP)
            && matches!(kind, "Application" | "ApplicationSet" | "AppProject")
    });
    entries
}
