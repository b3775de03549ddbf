//! The Python file of a loader: what its text says that it defines. It is never run.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::config::Config;
use crate::diagnostic::{Place, Result};
use crate::files::{Files, Kind, TreePath};
use crate::template::error::place;

/// What the Python files of a configuration's loaders define.
#[derive(Debug, Clone, Default)]
pub struct Loader {
    /// Functions, by name: some of them are given to templates.
    pub functions: BTreeMap<String, Place>,
    /// Values that it sets, by name, at the first place that does.
    pub values: BTreeMap<String, Place>,
    /// Where it says that `.mjfilter.py` files leave out directories.
    pub filters: Option<Place>,
}

/// The file in which a directory of the older layouts says when it is left out.
pub(super) const FILTER: &str = ".mjfilter.py";

impl Loader {
    /// Reads the Python files that a configuration's loaders name; those that are not there define nothing.
    pub fn read(config: &Config, files: &dyn Files) -> Result<Self> {
        let mut found = Self::default();
        for (loader, _) in &config.loaders {
            if let Some(path) = file_of(config, files, loader)? {
                let file = files.read(&path)?;
                found.scan(&path, &String::from_utf8_lossy(&file.bytes));
            }
        }
        Ok(found)
    }

    fn scan(&mut self, path: &TreePath, text: &str) {
        let path: Arc<str> = Arc::from(path.as_str());
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let code = line.split(" #").next().unwrap_or_default();
            let at = |offset: usize| place(&path, text, start + offset);
            if let Some(name) = code.strip_prefix("def ").and_then(word) {
                self.functions
                    .entry(name.to_owned())
                    .or_insert_with(|| at(0));
            }
            if code.contains(FILTER) {
                self.filters.get_or_insert_with(|| at(0));
            }
            if !code.trim_start().starts_with('#') {
                for (offset, _) in code.match_indices("data") {
                    if let Some(name) = sets(&text[start + offset + "data".len()..]) {
                        self.values
                            .entry(name.to_owned())
                            .or_insert_with(|| at(offset));
                    }
                }
            }
            start += line.len();
        }
    }
}

/// The name that stands at the start of a text.
fn word(text: &str) -> Option<&str> {
    let end = text.find(|c: char| c != '_' && !c.is_alphanumeric());
    Some(&text[..end.unwrap_or(text.len())]).filter(|w| !w.is_empty())
}

/// The name that `data.setdefault('name'` or `data['name'] =` sets; `text` starts after `data`.
fn sets(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix(".setdefault(") {
        return quoted(rest.trim_start()).map(|(name, _)| name);
    }
    let (name, rest) = quoted(text.strip_prefix('[')?)?;
    let rest = rest.strip_prefix(']')?.trim_start().strip_prefix('=')?;
    (!rest.starts_with('=')).then_some(name)
}

fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| ['\'', '"'].contains(c))?;
    text[1..].split_once(quote)
}

/// The file of `module:Class` or `module.Class`, where Python would look for it.
fn file_of(config: &Config, files: &dyn Files, loader: &str) -> Result<Option<TreePath>> {
    let module = match loader.split_once(':') {
        Some((module, _)) => module,
        None => loader.rsplit_once('.').map_or(loader, |(module, _)| module),
    };
    let base = config.path.parent().unwrap_or_else(TreePath::root);
    let name = module.replace('.', "/");
    for directory in config.import_paths.iter().chain([&base]) {
        for ending in [".py", "/__init__.py"] {
            let path = directory.join(&format!("{name}{ending}"));
            if let Some(path) = path
                && files.kind(&path)? == Some(Kind::File)
            {
                return Ok(Some(path));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_loader_defines() {
        let mut loader = Loader::default();
        let text = "import re\n\ndef encrypt(value: str):\n    return value\n\nclass Plugin:\n    def data(self):\n        data.setdefault('a', 1)\n        data.setdefault(\n            \"b\", 2)\n        data['c'] = 3\n        if data['d'] == 1: pass\n        # data['e'] = 1\n";
        loader.scan(&TreePath::parse("scripts/plugin.py").unwrap(), text);
        let names = |map: &BTreeMap<String, Place>| map.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&loader.functions), ["encrypt"]);
        assert_eq!(names(&loader.values), ["a", "b", "c"]);
        assert_eq!(loader.values["c"].to_string(), "scripts/plugin.py:11:9");
        assert!(loader.filters.is_none());
    }
}
