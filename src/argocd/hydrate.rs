//! The branch of rendered manifests that Argo CD's source hydrator writes.
//!
//! Follows `WriteForPaths` (commitserver/commit/hydratorhelper.go), `GetCommitMetadata` (util/hydrator/hydrator.go) and
//! `GetReferences` (util/git/client.go) of Argo CD 3.6: objects in the order of the plugin, repeated ones kept, no
//! namespace set, no mark; `manifest.yaml` is written where nothing was rendered, too; the metadata of the root
//! says which commit it was made of, without the trailers that Argo CD knows. The README is our own. Files that
//! are there stay. Cases: `hydrate-*`.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::simulate::{Simulation, simulate};
use super::wire::lists::sorted;
use super::wire::print;
use super::wire::tracking::unmark;
use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::files::TreePath;
use crate::yaml::{self, WriteOptions};

const GIT_ATTRIBUTES: &str =
    "**/README.md linguist-generated=true\n**/hydrator.metadata linguist-generated=true";

/// The prefix of the trailers that Argo CD knows.
const TRAILER: &str = "Argocd-reference-commit-";

/// The commit that is rendered.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Commit {
    /// Who wrote it: `Name <address>`.
    pub author: String,
    /// When, as RFC 3339 has it.
    pub date: String,
    /// Its message, the subject first.
    pub message: String,
}

/// What is written: paths below the branch, and their contents.
pub type Branch = Vec<(TreePath, Vec<u8>)>;

/// Renders an Application with a hydrator, and gives the files of its branch, and what the user should know.
///
/// Fails with [`Code::Usage`] where the Application has no hydrator, with [`Code::OutsideRoot`] where it writes
/// outside of the branch, and as [`simulate`] does.
pub fn hydrate(simulation: &Simulation<'_>, commit: &Commit) -> Result<(Branch, Report), Report> {
    let application = simulation.application;
    let Some(path) = &application.hydrates_to else {
        let phrase = format!("the Application {} has no sourceHydrator", application.name);
        let help = "hydrated is what spec.sourceHydrator.drySource names";
        Err(Diagnostic::new(Code::Usage, phrase).help(help))?
    };
    let directory = directory(path)?;
    let seen = simulate(simulation)?;
    let mut manifests = Vec::new();
    for object in seen.objects() {
        write(&mut manifests, object)?;
    }
    let repository = application
        .sources
        .first()
        .and_then(|source| source.get("repoURL"));
    let repository = repository.and_then(Value::as_str).unwrap_or_default();
    let made = Provenance {
        repository,
        revision: &simulation.settings.revision,
    };
    let at = |directory: &TreePath, name: &str| super::sources::paths::below(directory, name);
    let root = TreePath::root();
    // Where both are one directory, that of the path is written last.
    let branch = vec![
        (at(&root, "hydrator.metadata"), made.metadata(Some(commit))),
        (at(&root, ".gitattributes"), GIT_ATTRIBUTES.into()),
        (at(&directory, "manifest.yaml"), manifests),
        (at(&directory, "hydrator.metadata"), made.metadata(None)),
        (at(&directory, "README.md"), made.readme().into_bytes()),
    ];
    Ok((branch, seen.warnings()))
}

fn directory(path: &str) -> Result<TreePath> {
    let inside = (!path.starts_with('/'))
        .then(|| TreePath::parse(path))
        .flatten();
    inside.ok_or_else(|| {
        let phrase = format!("the path {path} of the hydrator leads out of the branch");
        Diagnostic::new(Code::OutsideRoot, phrase)
            .help("spec.sourceHydrator.syncSource.path is relative, and has no ..")
    })
}

/// Adds an object, with its keys in order and without a mark.
fn write(manifests: &mut Vec<u8>, object: &Value) -> Result<()> {
    let mut object = sorted(object);
    unmark(&mut object).map_err(|words| super::sources::said(&words))?;
    if !manifests.is_empty() {
        manifests.extend_from_slice(b"---\n");
    }
    let options = WriteOptions::indented(2);
    yaml::write_document(manifests, &print::node_of(&object), &options).map_err(|_| {
        Diagnostic::new(
            Code::YamlValue,
            "an object holds a value that cannot be written",
        )
    })
}

struct Provenance<'a> {
    repository: &'a str,
    revision: &'a str,
}

impl Provenance<'_> {
    /// `hydrator.metadata`; what is empty is left out.
    fn metadata(&self, commit: Option<&Commit>) -> Vec<u8> {
        let mut all = vec![("repoURL", self.repository), ("drySha", self.revision)];
        let (subject, body) = commit.map_or(("", String::new()), |commit| {
            let (subject, body) = commit
                .message
                .split_once("\n\n")
                .unwrap_or((&commit.message, ""));
            (subject, without_trailers(body))
        });
        if let Some(commit) = commit {
            all.extend([
                ("author", &*commit.author),
                ("date", &commit.date),
                ("subject", subject),
                ("body", &body),
            ]);
        }
        let set = all.into_iter().filter(|(_, text)| !text.is_empty());
        let set = set.map(|(key, text)| (key.to_owned(), Value::from(text)));
        let metadata = json!(set.collect::<Map<_, _>>());
        format!("{metadata:#}\n").into_bytes()
    }

    fn readme(&self) -> String {
        format!(
            "# Rendered manifests\n\n`manifest.yaml` is what the commit below renders to. Changes belong there; what is here is\nwritten anew.\n\n- Repository: {}\n- Commit: {}\n",
            self.repository, self.revision
        )
    }
}

/// A body without the trailers that Argo CD knows and finds valid; every line that is left ends in a newline.
fn without_trailers(body: &str) -> String {
    let kept = body.lines().filter(|line| !is_trailer(line));
    kept.flat_map(|line| [line, "\n"]).collect()
}

fn is_trailer(line: &str) -> bool {
    let Some((key, value)) = line
        .strip_prefix(TRAILER)
        .and_then(|rest| rest.split_once(": "))
    else {
        return false;
    };
    match key {
        "repourl" | "subject" => true,
        "author" => is_address(value),
        "date" => is_date(value),
        "body" => serde_json::from_str::<String>(value).is_ok(),
        "sha" => {
            let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
            (5..=40).contains(&value.len()) && value.chars().all(is_hex)
        }
        _ => false,
    }
}

/// `name <local@domain>`, or the address alone.
fn is_address(text: &str) -> bool {
    let address = match text.split_once('<') {
        Some((_, rest)) => rest.strip_suffix('>').unwrap_or_default(),
        None => text,
    };
    let has_blank = address.contains(char::is_whitespace);
    !has_blank && matches!(address.split_once('@'), Some((l, d)) if !l.is_empty() && !d.is_empty())
}

/// `2026-01-02T03:04:05Z`, with a fraction or an offset.
fn is_date(text: &str) -> bool {
    let shape = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let head: String = text.chars().take(19).map(shape).collect();
    let tail: String = text.chars().skip(19).map(shape).collect();
    let tail = match tail.strip_prefix('.') {
        Some(fraction) => fraction.trim_start_matches('0'),
        None => &tail,
    };
    head == "0000-00-00T00:00:00" && matches!(tail, "Z" | "+00:00" | "-00:00")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_trailers_leave_the_body() {
        let body = "text\n\nArgocd-reference-commit-author: Bob <bob@example.com>\nArgocd-reference-commit-sha: 0123456789abcdef\nArgocd-reference-commit-sha: XYZ\nArgocd-reference-commit-date: 2026-01-02T03:04:05+01:00\nCo-authored-by: Eve <eve@example.com>";
        let left =
            "text\n\nArgocd-reference-commit-sha: XYZ\nCo-authored-by: Eve <eve@example.com>\n";
        assert_eq!(without_trailers(body), left);
    }

    #[test]
    fn paths_stay_in_the_branch() {
        for inside in ["shop", ".", "", "a/b/"] {
            assert!(directory(inside).is_ok(), "{inside}");
        }
        for outside in ["/shop", "../shop", "a/../../b"] {
            assert!(directory(outside).is_err(), "{outside}");
        }
    }
}
