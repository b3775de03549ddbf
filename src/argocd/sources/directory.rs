//! A directory of plain files, as Argo CD reads it.
//!
//! Follows `findManifests`, `getPotentiallyValidManifestFile` and `getObjsFromYAMLOrJSON` of Argo CD 3.6
//! (reposerver/repository/repository.go). Files that end in `.yaml`, `.yml` and `.json`, in the order of a walk;
//! directories below with `recurse` alone, links to directories never; hidden ones too. A file of YAML that
//! holds no object is left out without a word, unless it looks like one; a file of JSON holds one object.
//! What differs on purpose: Jsonnet is not evaluated, and a file of it is refused. Cases: `directory-*`.

use std::sync::Arc;

use serde_json::Value;

use super::paths::{below, is_link};
use super::said;
use crate::argocd::application::source::DirectoryOptions;
use crate::argocd::wire::{lists, stream};
use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::files::{File, Files, Kind, TreePath};
use crate::go::glob::{Dialect, matches};

/// The most that the files of a directory may hold: the host's default.
const MAX_BYTES: usize = 10 << 20;

/// How deep directories may nest.
const MAX_DEPTH: usize = 100;

/// The mark of a file that is not to be rendered.
const SKIP_MARK: &str = "+argocd:skip-file-rendering";

/// What looks like an object, where a file cannot be read.
const LOOKS_LIKE_AN_OBJECT: [&str; 3] = ["apiVersion:", "kind:", "metadata:"];

/// A directory that is a source.
pub struct Directory<'a> {
    /// The checkout.
    pub files: &'a dyn Files,
    /// The directory in it.
    pub path: &'a TreePath,
    /// What the source says of it.
    pub options: &'a DirectoryOptions,
}

/// A file that may hold objects.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// Its path from the directory.
    pub name: String,
    /// The file.
    pub file: Arc<File>,
}

impl Directory<'_> {
    /// The objects of the directory, in order.
    pub fn objects(&self) -> Result<Vec<Value>> {
        let mut objects = Vec::new();
        for manifest in self.manifests()? {
            objects.extend(manifest.objects()?);
        }
        Ok(objects)
    }

    /// The files that may hold objects, in order.
    pub fn manifests(&self) -> Result<Vec<Manifest>> {
        let pattern = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let filter = Filter {
            include: pattern(&self.options.include),
            exclude: pattern(&self.options.exclude),
            any_ending: self.options.disable_extension_filter,
        };
        let mut manifests = Vec::new();
        if is_link(self.files, self.path)? {
            return Ok(manifests);
        }
        self.walk(self.path, 0, &filter, &mut manifests)?;
        let size: usize = manifests
            .iter()
            .map(|m: &Manifest| m.file.bytes.len())
            .sum();
        match size > MAX_BYTES {
            true => Err(said(
                "failed to get potentially valid manifests: exceeded max combined manifest file size",
            )),
            false => Ok(manifests),
        }
    }

    fn walk(
        &self,
        directory: &TreePath,
        depth: usize,
        filter: &Filter,
        manifests: &mut Vec<Manifest>,
    ) -> Result<()> {
        for name in self.files.list(directory)? {
            let path = below(directory, &name);
            let is_wanted = filter.any_ending || has_known_ending(&name);
            match self.files.kind(&path) {
                Ok(Some(Kind::Directory)) => {
                    let is_walked = self.options.recurse && depth < MAX_DEPTH;
                    if is_walked && !is_link(self.files, &path)? {
                        self.walk(&path, depth + 1, filter, manifests)?;
                    }
                }
                Ok(Some(Kind::File)) if is_wanted => {
                    let relative = path.relative_to(self.path);
                    if filter.takes(&relative) {
                        self.take(&path, relative, manifests)?;
                    }
                }
                Err(error) if is_wanted => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
        Ok(())
    }

    fn take(&self, path: &TreePath, name: String, manifests: &mut Vec<Manifest>) -> Result<()> {
        let file = self.files.read(path)?;
        let mut windows = file.bytes.windows(SKIP_MARK.len());
        if !windows.any(|window| window == SKIP_MARK.as_bytes()) {
            manifests.push(Manifest { name, file });
        }
        Ok(())
    }
}

struct Filter {
    include: Option<String>,
    exclude: Option<String>,
    any_ending: bool,
}

impl Filter {
    fn takes(&self, relative: &str) -> bool {
        let fits = |pattern: &String| matches(pattern, relative, Dialect::Gobwas(None));
        !self.exclude.as_ref().is_some_and(fits) && self.include.as_ref().is_none_or(fits)
    }
}

fn has_known_ending(name: &str) -> bool {
    [".yaml", ".yml", ".json", ".jsonnet"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

impl Manifest {
    /// The objects of the file; Lists stay.
    pub fn objects(&self) -> Result<Vec<Value>> {
        let text = String::from_utf8_lossy(&self.file.bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let place = Place::file(self.file.path.as_str());
        let found = match self.name.rsplit_once('.') {
            Some((_, "jsonnet")) => {
                let phrase = format!("{} is Jsonnet, which is not evaluated here", self.name);
                let help = "write what it gives as YAML, or leave it out with `directory.exclude`";
                return Err(Diagnostic::new(Code::NotEnabled, phrase)
                    .at(place)
                    .help(help));
            }
            Some((_, "json")) => self.json(text),
            _ => self.yaml(text),
        };
        found.map_err(|words| said(&words).at(place))
    }

    fn json(&self, text: &str) -> std::result::Result<Vec<Value>, String> {
        let name = &self.name;
        let (object, is_more) = stream::first_json(text)
            .ok_or_else(|| format!("Failed to unmarshal {name:?}: it is not JSON"))?;
        if is_more {
            return Err(format!(
                "Found multiple objects in {name:?}. Only single objects are allowed in JSON files."
            ));
        }
        lists::check_kind(&object).map_err(|words| self.failed(&words))?;
        Ok(vec![object])
    }

    fn yaml(&self, text: &str) -> std::result::Result<Vec<Value>, String> {
        let (documents, mut broken) = match stream::read(text) {
            Ok(stream) => (stream.documents, None),
            Err(broken) => (broken.before.documents, Some(broken.words)),
        };
        let mut objects = Vec::new();
        for document in documents {
            if let Err(words) = lists::check_kind(&document.value) {
                broken = Some(words);
                break;
            }
            objects.push(document.value);
        }
        let looks_like_one = || LOOKS_LIKE_AN_OBJECT.iter().all(|mark| text.contains(mark));
        match broken {
            Some(words) if !objects.is_empty() || looks_like_one() => Err(self.failed(&words)),
            _ => Ok(objects),
        }
    }

    fn failed(&self, words: &str) -> String {
        format!("Failed to unmarshal {:?}: {words}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Memory;

    fn names(options: &DirectoryOptions) -> Vec<String> {
        let disk = Memory::from_texts([
            ("app/.hidden.yaml", "kind: A\n"),
            ("app/b.YAML", "kind: B\n"),
            ("app/c.yml", "kind: C\n"),
            ("app/s.yaml", "# +argocd:skip-file-rendering\nkind: S\n"),
            ("app/sub/deep/d.json", "{}"),
            ("app/values.txt", "a: b\n"),
        ]);
        let directory = Directory {
            files: &disk,
            path: &TreePath::parse("app").unwrap(),
            options,
        };
        let manifests = directory.manifests().unwrap();
        manifests.into_iter().map(|m| m.name).collect()
    }

    #[test]
    fn files_are_chosen_by_ending_and_pattern() {
        let options = DirectoryOptions::default();
        assert_eq!(names(&options), [".hidden.yaml", "c.yml"]);
        let options = DirectoryOptions {
            recurse: true,
            include: "sub/*".to_owned(),
            ..DirectoryOptions::default()
        };
        assert_eq!(names(&options), ["sub/deep/d.json"]);
    }

    #[test]
    fn a_file_without_objects_is_left_out_unless_it_looks_like_one() {
        let objects = |name: &str, text: &str| {
            let file = File::committed(TreePath::parse(name).unwrap(), text.as_bytes());
            let name = name.to_owned();
            let file = Arc::new(file);
            Manifest { name, file }.objects()
        };
        for (name, text, count) in [
            ("a.yaml", "a: [\n", 0),
            ("a.yaml", "a: b\n", 0),
            ("a.yaml", "kind: A\n---\nkind: B\n", 2),
            ("a.json", "{\"kind\": \"A\"}\n", 1),
        ] {
            assert_eq!(objects(name, text).unwrap().len(), count, "{text}");
        }
        for (name, text) in [
            ("a.yaml", "kind: A\n---\na: b\n"),
            ("a.yaml", "apiVersion: v1\nkind: [\nmetadata: {}\n"),
            ("a.json", "[{\"kind\": \"A\"}]"),
            ("a.json", "{\"kind\": \"A\"}{\"kind\": \"B\"}"),
        ] {
            assert!(objects(name, text).is_err(), "{text}");
        }
    }
}
