//! Seals what templates make of secrets before it is written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::mask::Mask;
use super::sealing::{EncryptRequest, encrypt, is_sealed};
use super::view::Opened;
use crate::diagnostic::{Code, Diagnostic, Origin, Place, Result};
use crate::files::{File, Files, Kind, Tree, TreePath};
use crate::kustomize::KUSTOMIZATION_NAMES;
use crate::sops::{
    Config, Format, Identities, Indents, PlainFile, RuleOverride, SealedFile, Sealer,
};
use crate::yaml::{self, Node, ParseOptions};

/// The file that says for whom files are sealed.
pub(super) const CONFIG: &str = ".sops.yaml";

/// Seals the files of one expansion.
pub(crate) struct Sealing<'a, 'r> {
    /// Where `.sops.yaml` is looked for: a template may make it.
    pub(crate) files: &'a dyn Files,
    /// What is in the output already; an unchanged secret keeps its ciphertext there.
    pub(crate) present: Option<&'a Tree>,
    /// Looks for the identities that open it.
    pub(crate) identities: &'a dyn Fn() -> &'a Identities,
    /// The moment, and randomness.
    pub(crate) sealer: &'a mut Sealer<'r>,
    /// Which files hold secrets.
    pub(crate) rule: SecretRule<'a>,
}

/// What tells whether a template made a secret.
#[derive(Debug, Clone)]
pub(crate) struct SecretRule<'a> {
    /// The files that generators of Secrets read.
    pub(crate) sources: BTreeSet<TreePath>,
    /// The objects that the project lets stand as plaintext.
    pub(crate) allowed: &'a [String],
}

impl Sealing<'_, '_> {
    /// The sealed bytes of a file in which a template wrote a secret, for its place in the output; `None` for
    /// every other file.
    ///
    /// Fails with [`Code::SopsNoRule`] where nothing says how, with [`Code::SopsNoIdentity`] where the file in
    /// the output cannot be opened, and with [`Code::SecretUnsealable`] where sealing would break the file.
    pub(crate) fn sealed(&mut self, file: &File, placed: &TreePath) -> Result<Option<Vec<u8>>> {
        if !must_be_sealed(file, &self.rule)? {
            return Ok(None);
        }
        let name = file.path.as_str();
        let format = Format::of_path(name);
        let config = config(self.files, &file.path)?;
        let directory = config.as_ref().map(|(_, directory)| directory.clone());
        let directory = directory.unwrap_or_default();
        let previous = self.previous(placed)?;
        let shown = self.present.map(|tree| tree.root().join(placed.as_str()));
        let shown = shown.map_or_else(String::new, |path| path.display().to_string());
        let request = EncryptRequest {
            file: PlainFile {
                name,
                bytes: &file.bytes,
                format,
                output: format,
            },
            path: Path::new(name),
            config: config
                .as_ref()
                .map(|(config, _)| (config, Path::new(&directory))),
            given: RuleOverride::default(),
            indents: config
                .as_ref()
                .map_or_else(Indents::default, |(config, _)| config.indents),
            previous: previous.as_ref().map(|file| SealedFile {
                name: &shown,
                bytes: &file.bytes,
                format,
            }),
        };
        let identities = match previous {
            Some(_) => (self.identities)(),
            None => &Identities::default(),
        };
        let sealed = encrypt(&request, identities, self.sealer);
        sealed.map(|(sealed, _)| Some(sealed)).map_err(|error| {
            let error = match error.code() {
                Code::SopsNoRule => without_rule(file, &error),
                _ => error,
            };
            error
                .or_at(Place::file(name))
                .note("a template makes a secret here, and expand writes no plaintext")
        })
    }

    /// The sealed file that the output has already.
    fn previous(&self, placed: &TreePath) -> Result<Option<Arc<File>>> {
        let Some(present) = self.present else {
            return Ok(None);
        };
        if present.kind(placed)? != Some(Kind::File) {
            return Ok(None);
        }
        let file = present.read(placed)?;
        Ok(is_sealed(&file.bytes, Path::new(placed.file_name())).then_some(file))
    }
}

/// The nearest `.sops.yaml` above a file, and its directory; `files` has it even where a template makes it.
pub(crate) fn config(files: &dyn Files, path: &TreePath) -> Result<Option<(Config, String)>> {
    let mut above = path.parent();
    while let Some(directory) = above {
        let config = directory
            .join(CONFIG)
            .expect("a name stays in its directory");
        if files.kind(&config)? == Some(Kind::File) {
            let file = files.read(&config)?;
            let config = Config::parse(&file.bytes, config.as_str())?;
            return Ok(Some((config, directory.as_str().to_owned())));
        }
        above = directory.parent();
    }
    Ok(None)
}

/// The error for a secret that no creation rule seals: the ways out of it.
fn without_rule(file: &File, error: &Diagnostic) -> Diagnostic {
    let name = file.path.as_str();
    let error = Diagnostic::new(Code::SopsNoRule, error.phrase())
        .help(format!("write a creation rule for {name} into {CONFIG}"));
    match secrets(file).first() {
        Some(secret) if !name.contains(".sops.") => error
            .help("or let a template of its own make the Secret, in a *.sops.yaml")
            .help(format!(
                "or list {} in checks.plaintext.allow of the project file, to have it written as it is",
                shown(secret)
            )),
        _ => error,
    }
}

/// Redacts the files of one expansion.
pub(crate) struct Redacting<'a> {
    /// Gives the texts that stand for secrets.
    pub(crate) opened: &'a Opened,
    /// What the values hold that was sealed.
    pub(crate) values: Mask,
    /// Which files hold secrets.
    pub(crate) rule: SecretRule<'a>,
}

impl Redacting<'_> {
    /// The bytes of a file that a template made, every secret in it replaced; `None` for every other file.
    ///
    /// Fails with [`Code::SecretUnsealable`] where a secret stands in a kustomization.
    pub(crate) fn redacted(&self, file: &File) -> Result<Option<Vec<u8>>> {
        if !matches!(file.source.origin, Origin::Rendered { .. }) {
            return Ok(None);
        }
        let at = file.path.as_str();
        let text = String::from_utf8_lossy(&file.bytes);
        if !must_be_sealed(file, &self.rule)? {
            let token = |value: &str| self.opened.token(at, value.as_bytes());
            return Ok(Some(self.values.replaced(&text, token).into_bytes()));
        }
        if !matches!(Format::of_path(at), Format::Yaml | Format::Json) {
            let line = |line: &str| match line.split_once('=') {
                Some((name, value)) => format!("{name}={}\n", self.token(at, name, value)),
                None => format!("{}\n", self.token(at, "", line)),
            };
            return Ok(Some(
                text.lines().map(line).collect::<String>().into_bytes(),
            ));
        }
        let mut bytes = Vec::new();
        for (index, mut node) in documents(file).into_iter().enumerate() {
            if index > 0 {
                bytes.extend_from_slice(b"---\n");
            }
            let is_secret = is_secret(&node);
            self.redact(&mut node, at, is_secret);
            yaml::write_manifest(&mut bytes, &node).map_err(|e| e.at(&file.source))?;
        }
        Ok(Some(bytes))
    }

    fn token(&self, at: &str, name: &str, value: &str) -> String {
        self.opened.token(&format!("{at}/{name}"), value.as_bytes())
    }

    /// Replaces the values of a Secret, or every value of another document.
    fn redact(&self, node: &mut Node, at: &str, is_secret: bool) {
        if let Some(mapping) = node.as_mapping_mut() {
            for entry in mapping.entries_mut() {
                let key = entry.key.scalar_text().unwrap_or_default().to_owned();
                let is_data = matches!(key.as_str(), "data" | "stringData" | "items");
                if !is_secret || is_data {
                    self.redact(&mut entry.value, &format!("{at}/{key}"), false);
                }
            }
        } else if let Some(items) = node.as_sequence_mut() {
            for item in items {
                let is_object = self::is_secret(item);
                self.redact(item, at, is_object);
            }
        } else if let Some(text) = node.scalar_text().filter(|text| !text.is_empty()) {
            *node = Node::string(self.opened.token(at, text.as_bytes()));
        }
    }
}

/// Whether a template made a file that holds a secret.
fn must_be_sealed(file: &File, rule: &SecretRule<'_>) -> Result<bool> {
    let name = file.path.file_name();
    let is_made = matches!(file.source.origin, Origin::Rendered { .. });
    if !is_made || name == CONFIG || is_sealed(&file.bytes, Path::new(name)) {
        return Ok(false);
    }
    if KUSTOMIZATION_NAMES.contains(&name) {
        return refuse_literals(file).map(|()| false);
    }
    let is_named = name.contains(".sops.") || rule.sources.contains(&file.path);
    Ok(is_named
        || secrets(file)
            .iter()
            .any(|secret| !is_allowed(secret, rule.allowed)))
}

/// The Secrets of a file that stand there as plaintext because the project lets them: `Secret/namespace/name`.
pub(crate) fn left_plain(file: &File, rule: &SecretRule<'_>) -> Result<Vec<String>> {
    let is_made = matches!(file.source.origin, Origin::Rendered { .. });
    if rule.allowed.is_empty() || !is_made || must_be_sealed(file, rule)? {
        return Ok(Vec::new());
    }
    Ok(secrets(file).iter().map(shown).collect())
}

/// The paths that `secretGenerator` entries of some kustomizations read.
pub(crate) fn secret_sources(files: &BTreeMap<TreePath, Arc<File>>) -> BTreeSet<TreePath> {
    let mut sources = BTreeSet::new();
    for (path, file) in files {
        if !KUSTOMIZATION_NAMES.contains(&path.file_name()) {
            continue;
        }
        let directory = path.parent().unwrap_or_else(TreePath::root);
        for generator in secret_generators(file) {
            for key in ["files", "envs", "env"] {
                let value = generator.get(key);
                let list = value.and_then(Node::as_sequence).unwrap_or_default();
                let texts = list.iter().chain(value).filter_map(Node::as_str);
                for text in texts {
                    let name = text.split_once('=').map_or(text, |(_, path)| path);
                    sources.extend(directory.join(name));
                }
            }
        }
    }
    sources
}

fn secret_generators(file: &File) -> Vec<Node> {
    let node = documents(file).into_iter().next();
    let list = node.and_then(|n| n.get("secretGenerator").cloned());
    let list = list.as_ref().and_then(Node::as_sequence);
    list.unwrap_or_default().to_vec()
}

/// Refuses literals of Secrets that a template wrote into a kustomization, which cannot be sealed.
fn refuse_literals(file: &File) -> Result<()> {
    let is_literal = |generator: &Node| generator.get("literals").is_some();
    if !secret_generators(file).iter().any(is_literal) {
        return Ok(());
    }
    let phrase =
        "a template makes literals of a secretGenerator, and a kustomization cannot be sealed";
    Err(Diagnostic::new(Code::SecretUnsealable, phrase)
        .at(Place::file(file.path.as_str()))
        .help("write them into a file with a template of its own, and name it under envs or files"))
}

/// The Secrets with data that a file has.
fn secrets(file: &File) -> Vec<Node> {
    let is_manifest = [".yaml", ".yml", ".json"]
        .iter()
        .any(|ending| file.path.as_str().ends_with(ending));
    let mentions = |word: &[u8]| file.bytes.windows(word.len()).any(|w| w == word);
    if !is_manifest || !mentions(b"Secret") {
        return Vec::new();
    }
    let mut documents = documents(file);
    let of_lists = documents.iter().filter_map(|node| node.get("items"));
    let of_lists = of_lists.filter_map(Node::as_sequence).flatten().cloned();
    let of_lists: Vec<Node> = of_lists.collect();
    documents.extend(of_lists);
    documents.retain(has_data);
    documents
}

/// Whether one of the patterns `Kind/name` and `Kind/namespace/name` means an object; `*` stands for anything.
/// An object without a namespace gets one from its kustomization, which may be any.
fn is_allowed(object: &Node, patterns: &[String]) -> bool {
    let fits = |part: &str, text: &str| part == "*" || part == text;
    let (kind, namespace, name) = identity(object);
    patterns
        .iter()
        .any(|pattern| match pattern.split('/').collect::<Vec<_>>()[..] {
            [k, n] => fits(k, kind) && fits(n, name),
            [k, ns, n] => {
                fits(k, kind) && (namespace.is_empty() || fits(ns, namespace)) && fits(n, name)
            }
            _ => false,
        })
}

/// Kind, namespace and name of an object; empty where it has none.
fn identity(object: &Node) -> (&str, &str, &str) {
    let text = |path: &[&str]| {
        let found = object.lookup(path).and_then(Node::as_str);
        found.unwrap_or_default()
    };
    (
        text(&["kind"]),
        text(&["metadata", "namespace"]),
        text(&["metadata", "name"]),
    )
}

/// An object as messages and `checks.plaintext.allow` name it.
fn shown(object: &Node) -> String {
    match identity(object) {
        (kind, "", name) => format!("{kind}/{name}"),
        (kind, namespace, name) => format!("{kind}/{namespace}/{name}"),
    }
}

fn is_secret(node: &Node) -> bool {
    let items = node.get("items").and_then(Node::as_sequence);
    has_data(node) || items.is_some_and(|items| items.iter().any(is_secret))
}

/// Whether an object is a Secret with data.
fn has_data(node: &Node) -> bool {
    let text = |key| node.get(key).and_then(Node::as_str);
    let has = |key: &&str| {
        let data = node.get(key).and_then(Node::as_mapping);
        data.is_some_and(|data| !data.is_empty())
    };
    text("kind") == Some("Secret")
        && text("apiVersion") == Some("v1")
        && ["data", "stringData"].iter().any(has)
}

/// The documents of a file; none where it is not YAML, which holds no object either.
fn documents(file: &File) -> Vec<Node> {
    let text = String::from_utf8_lossy(&file.bytes);
    yaml::parse(&text, ParseOptions::default()).unwrap_or_default()
}
