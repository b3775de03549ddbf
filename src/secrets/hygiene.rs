//! What is wrong with how a repository is sealed, found without a key: the rules of `.sops.yaml` against what the files are.
//!
//! One judgement behind `check` and `secrets scan`: [`of_entry`] for what a rule says, [`of_plain`] for what no rule says.
//! Pinned by the findings `check-misses-*`.

use super::repository::{Entry, survey};
use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::files::{Files, TreePath};
use crate::kustomize::KUSTOMIZATION_NAMES;
use crate::sops::{self, CreationRule, Format, KeyChanges, Readable, SealedKeys, Threshold};
use crate::yaml::{self, Node, ParseOptions};

/// Names that are never sealed, whatever a rule says of their directory.
const NEVER_SEALED: [&str; 5] = [
    ".sops.yaml",
    ".gitignore",
    ".gitattributes",
    ".gitkeep",
    "README.md",
];

/// Judges every file below a directory by its rule. Fails with what reading the directory fails with.
pub fn of_tree(files: &dyn Files, directory: &TreePath) -> Result<Vec<Diagnostic>> {
    let entries = survey(files, directory)?;
    Ok(entries.iter().flat_map(of_entry).collect())
}

/// Judges a file by its rule: sealed as it says, and nothing in it readable that is to be sealed.
pub fn of_entry(entry: &Entry) -> Vec<Diagnostic> {
    if let Some(Err(error)) = &entry.rule {
        return vec![error.clone()];
    }
    match entry.sealed_file() {
        Some(sealed) => {
            let mut found = of_readable(entry, sops::readable(&sealed));
            found.extend(unfinished(entry));
            found.extend(drift(entry).and_then(|changes| differs(entry, &changes)));
            found
        }
        None => entry
            .rule()
            .and_then(|rule| unsealed(entry, rule))
            .into_iter()
            .collect(),
    }
}

/// What the rule of a sealed file would change about its keys; `None` where it has no rule or cannot be read.
pub fn drift(entry: &Entry) -> Option<KeyChanges> {
    let keys = SealedKeys::load(&entry.sealed_file()?).ok()?;
    Some(keys.compare(entry.rule()?, Threshold::OfTheRule))
}

fn place(entry: &Entry, line: u32) -> Place {
    Place::new(entry.file.path.as_str(), line, 0)
}

fn of_readable(entry: &Entry, readable: Result<Vec<Readable>>) -> Vec<Diagnostic> {
    let readable = match readable {
        Ok(readable) => readable,
        Err(error) => return vec![error],
    };
    let told = readable.into_iter().map(|value| {
        let phrase = format!("`{}` is readable, and the file says that it is sealed", value.path);
        Diagnostic::new(Code::SecretReadable, phrase)
            .at(place(entry, value.line))
            .help("take it out, and set it with `plugin sops set` or `plugin sops edit`; what was pushed is no secret any more")
    });
    told.collect()
}

fn unfinished(entry: &Entry) -> Option<Diagnostic> {
    let text = String::from_utf8_lossy(&entry.file.bytes);
    let line = text.lines().position(|line| line.contains(sops::OURS))?;
    let phrase = "a merge of this file is not finished: both sides of a value are in it";
    Some(
        Diagnostic::new(Code::SopsConflict, phrase)
            .at(place(entry, u32::try_from(line + 1).unwrap_or(0)))
            .help("take one of them in `plugin sops edit`"),
    )
}

fn differs(entry: &Entry, changes: &KeyChanges) -> Option<Diagnostic> {
    if changes.is_empty() {
        return None;
    }
    let names = |of: fn(&sops::GroupChange) -> &Vec<String>| {
        let names = changes
            .groups
            .iter()
            .flat_map(of)
            .map(|name| sops::shorten(name));
        names.collect::<Vec<_>>().join(", ")
    };
    let (added, removed) = (names(|group| &group.added), names(|group| &group.removed));
    let phrase = "the file is sealed for others than its rule names";
    let mut error = Diagnostic::warning(Code::SopsDrift, phrase).at(place(entry, 0));
    if !added.is_empty() {
        error = error.note(format!("not sealed for {added}"));
    }
    if !removed.is_empty() {
        error = error.note(format!("still sealed for {removed}"));
    }
    if changes.threshold.0 != changes.threshold.1 {
        let (has, wanted) = changes.threshold;
        error = error.note(format!(
            "{has} key groups are needed, and the rule says {wanted}"
        ));
    }
    Some(error.help("`plugin secrets updatekeys` seals it for whom the rule names"))
}

/// A plain file that its rule says is sealed: one that the rule means, or a Secret with values.
fn unsealed(entry: &Entry, rule: &CreationRule) -> Option<Diagnostic> {
    let name = entry.file.path.file_name();
    if NEVER_SEALED.contains(&name) || KUSTOMIZATION_NAMES.contains(&name) {
        return None;
    }
    let format = Format::of_path(name);
    let values = sops::would_be_sealed(&entry.file.bytes, format, rule);
    let secrets = secret_values(entry, format);
    let is_meant = match (secrets, format, rule.means(&entry.below)) {
        (Kind::Secret(lines), _, _) => {
            let line = lines
                .iter()
                .find(|line| values.iter().any(|v| v.line == **line))?;
            Some(*line)
        }
        (Kind::Object, _, true) | (Kind::None, _, true) => values.first().map(|v| v.line),
        (Kind::None, Format::Yaml | Format::Json | Format::Dotenv | Format::Ini, false)
            if rule.is_for_a_directory(&entry.below) =>
        {
            values.first().map(|v| v.line)
        }
        _ => None,
    };
    let phrase = "a creation rule says that this file is sealed, and it is not";
    Some(
        Diagnostic::new(Code::SecretReadable, phrase)
            .at(place(entry, is_meant?))
            .note(format!("the rule is at {}", rule.place()))
            .help(format!(
                "seal it with `plugin encrypt -i {}`",
                entry.file.path
            ))
            .help("what was pushed is no secret any more: change it"),
    )
}

/// What a plain file is to Kubernetes.
enum Kind {
    /// A Secret with values, by their lines.
    Secret(Vec<u32>),
    /// Other objects alone.
    Object,
    /// No object.
    None,
}

fn secret_values(entry: &Entry, format: Format) -> Kind {
    if !matches!(format, Format::Yaml | Format::Json) {
        return Kind::None;
    }
    let text = String::from_utf8_lossy(&entry.file.bytes);
    let Ok(documents) = yaml::parse(&text, ParseOptions::default()) else {
        return Kind::None;
    };
    let field = |node: &Node, name: &str| {
        node.get(name)
            .and_then(|found| found.scalar_text().map(str::to_owned))
    };
    let is_object =
        |node: &&Node| field(node, "kind").is_some() && field(node, "apiVersion").is_some();
    let objects: Vec<&Node> = documents.iter().filter(is_object).collect();
    if objects.is_empty() {
        return Kind::None;
    }
    let secrets = objects
        .iter()
        .filter(|node| field(node, "kind").as_deref() == Some("Secret"));
    let lines: Vec<u32> = secrets.flat_map(|node| value_lines(node)).collect();
    match lines.is_empty() {
        true => Kind::Object,
        false => Kind::Secret(lines),
    }
}

/// The lines of the values of a Secret that are no placeholder.
fn value_lines(secret: &Node) -> Vec<u32> {
    let maps = ["data", "stringData"]
        .into_iter()
        .filter_map(|field| secret.get(field));
    let entries = maps
        .filter_map(Node::as_mapping)
        .flat_map(yaml::Mapping::entries);
    let is_value = |entry: &&yaml::Entry| {
        let text = entry.value.scalar_text().unwrap_or_default().trim();
        let is_placeholder = ["${", "<", "{{", "ENC["]
            .iter()
            .any(|start| text.starts_with(start));
        !text.is_empty() && !entry.value.is_null() && !is_placeholder
    };
    entries
        .filter(is_value)
        .map(|entry| entry.key.mark().line)
        .collect()
}

/// What no rule says of a plain file, and `secrets scan` tells: private keys, and Secrets with values.
pub fn of_plain(entry: &Entry) -> Option<Diagnostic> {
    if entry.sealed.is_some() {
        return None;
    }
    let told = |phrase: &str, line: u32| {
        Diagnostic::new(Code::SecretReadable, phrase).at(place(entry, line))
    };
    let name = entry.file.path.file_name();
    if let Some(line) = private_key(&entry.file.bytes) {
        let error = told("a private key is in the repository", line);
        return Some(
            error.help("take it out and make another: what was pushed is no secret any more"),
        );
    }
    if name.ends_with(".agekey") {
        return Some(told("a file of age identities is in the repository", 0));
    }
    match secret_values(entry, Format::of_path(name)) {
        Kind::Secret(lines) => {
            let error = Diagnostic::warning(
                Code::SecretReadable,
                "a Secret is readable, and no creation rule fits it",
            );
            let line = lines.first().copied().unwrap_or(0);
            Some(
                error
                    .at(place(entry, line))
                    .help("write a creation rule for it into .sops.yaml, and seal it"),
            )
        }
        Kind::Object | Kind::None => None,
    }
}

/// The line of an identity of age, or of a private key in PEM with something in it.
fn private_key(bytes: &[u8]) -> Option<u32> {
    const IDENTITY: &str = "AGE-SECRET-KEY-";
    /// Fewer characters are part of a sentence on identities.
    const MIN_CHARS: usize = 50;
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = (1..).zip(text.lines()).peekable();
    while let Some((number, line)) = lines.next() {
        let identity = line.find(IDENTITY).map(|at| &line[at + IDENTITY.len()..]);
        let length = identity.map_or(0, |rest| {
            rest.bytes()
                .take_while(|b| b.is_ascii_alphanumeric() || *b == b'-')
                .count()
        });
        let is_pem =
            line.trim().starts_with("-----BEGIN") && line.trim().ends_with("PRIVATE KEY-----");
        let has_body = lines
            .peek()
            .is_some_and(|(_, next)| next.trim().len() >= 40);
        if length >= MIN_CHARS || is_pem && has_body {
            return Some(number);
        }
    }
    None
}
