//! Seals what templates make of secrets before it is written.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::differ::Worlds;
use super::redact::{Renamed, redacted};
use super::redaction::RedactionKey;
use super::sealing::{EncryptRequest, encrypt, is_sealed};
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

/// Whether a template makes a file that a creation rule seals, so that `expand` writes it sealed.
pub(crate) fn will_be_sealed(files: &dyn Files, file: &File) -> Result<bool> {
    if !matches!(file.source.origin, Origin::Rendered { .. }) {
        return Ok(false);
    }
    let Some((config, directory)) = config(files, &file.path)? else {
        return Ok(false);
    };
    let directory = TreePath::parse(&directory).unwrap_or_else(TreePath::root);
    Ok(config.rule_for(&file.path.relative_to(&directory)).is_ok())
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

/// The same files in other worlds, whose sealed values are other ones: see [`super::leave()`].
pub(crate) struct OtherFiles {
    /// In the first.
    pub(crate) first: Arc<dyn Files>,
    /// In the second.
    pub(crate) second: Arc<dyn Files>,
}

impl OtherFiles {
    /// Whether a file is not the same in all worlds; one that is not there is not.
    pub(crate) fn differ(&self, file: &File) -> bool {
        let is_same = |files: &Arc<dyn Files>| {
            files
                .read(&file.path)
                .is_ok_and(|other| other.bytes == file.bytes)
        };
        !is_same(&self.first) || !is_same(&self.second)
    }
}

/// The error for a file that a template made of sealed values, and that is not a Secret.
pub(crate) fn depends(file: &File) -> Diagnostic {
    let phrase = format!("{} depends on a sealed value", file.path);
    Diagnostic::new(Code::SecretLeaves, phrase)
        .at(Place::file(file.path.as_str()))
        .note("a template makes it of the values, and expand writes no plaintext")
        .help("let a Secret hold the value, and the object refer to the Secret")
        .help("or list the object in checks.plaintext.allow of the project file, to have it written as it is")
}

/// Redacts the files of one expansion.
pub(crate) struct Redacting<'a> {
    /// The files in other worlds; none where nothing sealed was opened.
    pub(crate) others: Option<&'a OtherFiles>,
    /// Gives the tokens.
    pub(crate) key: &'a RedactionKey,
    /// Which files hold secrets.
    pub(crate) rule: SecretRule<'a>,
}

impl Redacting<'_> {
    /// The bytes of a file that a template made or that was sealed, a token for every secret in it; `None` for every
    /// other file.
    ///
    /// Fails with [`Code::SecretUnsealable`] where a secret stands in a kustomization.
    pub(crate) fn redacted(&self, file: &File) -> Result<Option<Vec<u8>>> {
        let is_sealed = matches!(file.source.origin, Origin::Decrypted);
        if !is_sealed && !matches!(file.source.origin, Origin::Rendered { .. }) {
            return Ok(None);
        }
        let holds_secret = is_sealed || must_be_sealed(file, &self.rule)?;
        let of = |files: &Arc<dyn Files>| files.read(&file.path).ok();
        let (first, second) = match self.others {
            Some(others) => (of(&others.first), of(&others.second)),
            None => (Some(Arc::new(file.clone())), Some(Arc::new(file.clone()))),
        };
        let (Some(first), Some(second)) = (first, second) else {
            let phrase = format!("{} is there because of a sealed value", file.path);
            return Err(Diagnostic::new(Code::SecretLeaves, phrase)
                .at(Place::file(file.path.as_str()))
                .note("what is redacted says nothing of a value, and this file would"));
        };
        match Format::of_path(file.path.as_str()) {
            Format::Yaml | Format::Json => self
                .documents(file, &first, &second, holds_secret)
                .map(Some),
            _ => Ok(Some(self.lines(file, &first, &second, holds_secret))),
        }
    }

    fn documents(
        &self,
        file: &File,
        first: &File,
        second: &File,
        holds_secret: bool,
    ) -> Result<Vec<u8>> {
        let (real, second) = (documents(file), documents(second));
        let renamed = Renamed::none();
        let mut bytes = Vec::new();
        for (index, node) in documents(first).iter().enumerate() {
            if index > 0 {
                bytes.extend_from_slice(b"---\n");
            }
            // Of what is not an object every value is secret, as in a file of a generator.
            let is_whole = holds_secret && !is_secret(node) && node.get("kind").is_none();
            let worlds = Worlds {
                real: real.get(index),
                first: node,
                second: second.get(index).filter(|_| !is_whole),
            };
            let at = format!("{} {index}", file.path);
            let redacted = redacted(worlds, &renamed, self.key, &at);
            yaml::write_manifest(&mut bytes, &redacted).map_err(|e| e.at(&file.source))?;
        }
        Ok(bytes)
    }

    /// The lines of a file that is not YAML: a token for each that differs, or for what follows its name.
    fn lines(&self, file: &File, first: &File, second: &File, holds_secret: bool) -> Vec<u8> {
        let text = |file: &File| String::from_utf8_lossy(&file.bytes).into_owned();
        let (real, first, second) = (text(file), text(first), text(second));
        let mut shown = String::new();
        for (index, line) in first.lines().enumerate() {
            let is_same = second.lines().nth(index) == Some(line);
            if is_same && !holds_secret {
                shown.push_str(line);
                shown.push('\n');
                continue;
            }
            let real = real.lines().nth(index).unwrap_or(line);
            let name = line.split_once('=').map(|(name, _)| name);
            let name = name.filter(|name| real.split_once('=').is_some_and(|(n, _)| n == *name));
            let at = format!("{}/{}", file.path, name.unwrap_or_default());
            let token = self.key.token(&at, real.as_bytes());
            match name {
                Some(name) => shown.push_str(&format!("{name}={token}\n")),
                None => shown.push_str(&format!("{token}\n")),
            }
        }
        shown.into_bytes()
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
pub(crate) fn is_allowed(object: &Node, patterns: &[String]) -> bool {
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
