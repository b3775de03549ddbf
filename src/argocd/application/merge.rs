//! What a repository sets on a source: `.argocd-source.yaml` and `.argocd-source-NAME.yaml` of its directory.
//!
//! Follows `mergeSourceParameters` (reposerver/repository/repository.go) of Argo CD 3.6: the source as JSON, a
//! merge patch (RFC 7386 as json-patch has it: keys in order, nulls below new values gone), and the result read
//! into the old source by the rules of [`fields`](super::fields). So `null` deletes nothing, and an empty file is
//! an error. Repository, path, chart and revision stay. Cases: `merge-*`.

use serde_json::Value;

use super::fields::{self, SOURCE};
use super::source::AppSource;
use crate::argocd::wire::lists::sorted;
use crate::argocd::wire::yaml;
use crate::diagnostic::Result as Found;
use crate::files::{Files, Kind, TreePath};

/// A source after merging.
#[derive(Debug, Clone)]
pub struct Merged {
    /// The source.
    pub source: AppSource,
    /// The names of the files that were merged.
    pub files: Vec<String>,
}

/// Merges into a source as it is written. The inner failure is what the host says.
pub fn merged(
    written: &Value,
    files: &dyn Files,
    directory: &TreePath,
    instance: &str,
) -> Found<Result<Merged, String>> {
    let mut value = match fields::decode(&SOURCE, written, None) {
        Ok(value) => value.unwrap_or_default(),
        Err(words) => return Ok(Err(words)),
    };
    let original = AppSource::of_decoded(&value);
    let mut names = Vec::new();
    let own = (!instance.is_empty()).then(|| format!(".argocd-source-{instance}.yaml"));
    for name in std::iter::once(".argocd-source.yaml".to_owned()).chain(own) {
        let path = directory
            .join(&name)
            .filter(|path| path.file_name() == name);
        let Some(path) = path else { continue };
        if files.kind(&path)? != Some(Kind::File) {
            continue;
        }
        let file = files.read(&path)?;
        match patched(&value, &String::from_utf8_lossy(&file.bytes)) {
            Ok(patched) => value = patched,
            Err(words) => {
                let words = format!("error while parsing source parameters: {path}: {words}");
                return Ok(Err(words));
            }
        }
        names.push(name);
    }
    let source = AppSource {
        repo_url: original.repo_url,
        path: original.path,
        target_revision: original.target_revision,
        chart: original.chart,
        ..AppSource::of_decoded(&value)
    };
    Ok(Ok(Merged {
        source,
        files: names,
    }))
}

fn patched(old: &Value, text: &str) -> Result<Value, String> {
    let patch = yaml::read(text).map_err(|error| error.0)?;
    if !patch.is_object() {
        return Err("Invalid JSON Patch".to_owned());
    }
    let mut data = old.clone();
    patch_into(&mut data, patch);
    // Go writes maps with their keys in order, and the order decides between `Plugin` and `plugin`.
    let data = sorted(&data);
    let decoded = fields::decode(&SOURCE, &data, Some(old))?;
    Ok(decoded.unwrap_or_default())
}

/// RFC 7386.
fn patch_into(target: &mut Value, patch: Value) {
    let (Value::Object(target), Value::Object(patch)) = (target, patch) else {
        return;
    };
    for (key, mut value) in patch {
        if value.is_null() {
            target.shift_remove(&key);
            continue;
        }
        match target.get_mut(&key) {
            Some(old) if old.is_object() && value.is_object() => patch_into(old, value),
            Some(old) if old.is_object() => *old = value,
            _ => {
                prune(&mut value);
                target.insert(key, value);
            }
        }
    }
}

/// Removes the keys of objects whose values are null; entries of lists stay.
fn prune(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(prune);
        }
        Value::Array(items) => items.iter_mut().for_each(prune),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Memory;
    use serde_json::json;

    #[test]
    fn files_of_the_repository_are_merged_into_the_source() {
        let disk = Memory::from_texts([
            (
                "apps/shop/.argocd-source.yaml",
                "path: elsewhere\nplugin: {env: [{name: A, value: c}], name: other}\n",
            ),
            (
                "apps/shop/.argocd-source-teams_shop.yaml",
                "plugin: {name: null, parameters: [{name: p, string: s}]}\n",
            ),
        ]);
        let directory = TreePath::parse("apps/shop").unwrap();
        let written = json!({"repoURL": "r", "path": "apps/shop", "plugin": {"name": "p", "env": [{"name": "A", "value": "b"}]}});
        let merged = merged(&written, &disk, &directory, "teams_shop")
            .unwrap()
            .unwrap();
        assert_eq!(merged.files.len(), 2);
        assert_eq!(merged.source.path, "apps/shop");
        let plugin = merged.source.plugin.unwrap();
        let env = plugin.env.unwrap();
        let value = env[0].as_ref().map(|v| &*v.value);
        assert_eq!((&*plugin.name, value), ("other", Some("c")));
        assert_eq!(plugin.parameters.unwrap()[0].string.as_deref(), Some("s"));
    }

    #[test]
    fn an_empty_file_is_an_error() {
        for text in ["", "# nothing\n", "null\n", "[]\n", "plugin: 5\n"] {
            let disk = Memory::from_texts([(".argocd-source.yaml", text)]);
            let merged = merged(&json!({}), &disk, &TreePath::root(), "a").unwrap();
            assert!(merged.is_err(), "{text:?}");
        }
    }
}
