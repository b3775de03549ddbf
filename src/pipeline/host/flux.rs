//! What Flux does around the build of a root: it writes the kustomization, and fills variables afterwards.

use crate::substitute::{Strictness, Variables};

use super::adjust::Adjustments;
use super::ignore::Ignore;
use crate::diagnostic::{Code, Diagnostic, Place, Result, Source};
use crate::files::{File, Files, Kind, TreePath};
use crate::kustomize::{KUSTOMIZATION_NAMES, kustomization_path};
use crate::yaml::{self, DuplicateKeys, Mapping, Node, ParseOptions};

/// Project files, and what Flux's sources leave out of an artifact: never manifests of a cluster.
const NO_MANIFESTS: [&str; 12] = [
    "prerender.yaml",
    ".prerender.yaml",
    ".sops.yaml",
    ".flux.yaml",
    ".gitlab-ci.yml",
    ".travis.yml",
    ".drone.yml",
    ".goreleaser.yml",
    "appveyor.yml",
    "cloudbuild.yaml",
    "codeship-services.yml",
    "codeship-steps.yml",
];

/// Directories that Flux's sources leave out of an artifact.
const NO_DIRECTORIES: [&str; 3] = [".git", ".github", ".circleci"];

/// What only Flux does.
#[derive(Debug, Clone, Default)]
pub struct Flux {
    /// Replaces `buildMetadata` where it is not empty.
    pub build_metadata: Vec<String>,
    /// The variables of `postBuild`; `None` where nothing is filled.
    pub variables: Option<Variables>,
    /// Whether a variable that does not exist is an error.
    pub strictness: Strictness,
    /// Paths that are taken out of the lists of the kustomization.
    pub ignore: Option<Ignore>,
}

/// The kustomization of a directory as the controller writes it: generated where there is none, and with
/// what the spec sets; `None` where the one on disk stays as it is.
pub(crate) fn kustomization(
    files: &dyn Files,
    directory: &TreePath,
    adjustments: &Adjustments,
    flux: &Flux,
) -> Result<Option<File>> {
    let found = kustomization_path(files, directory)?;
    let is_generated = found.is_none();
    let mut is_rewritten = false;
    let (path, source, mut mapping, is_empty) = match found {
        Some(path) => {
            let file = files.read(&path)?;
            let (mapping, is_strict) = read(&file)?;
            let resources = mapping.get("resources").and_then(Node::as_sequence);
            let is_empty = resources.is_none_or(<[Node]>::is_empty);
            is_rewritten = !is_strict;
            (path, (*file.source).clone(), mapping, is_empty)
        }
        None => {
            let path = directory
                .join(KUSTOMIZATION_NAMES[0])
                .expect("a name stays in its directory");
            let source = Source::committed(format!("{path} (generated)"));
            (path, source, generated(files, directory)?, false)
        }
    };
    let adjustments = adjustments
        .clone()
        .with_existing_components(files, directory)?;
    if !(is_generated || is_empty || is_rewritten || sets_anything(&adjustments, flux)) {
        return Ok(None);
    }
    if is_empty {
        // The controller does so to keep kustomize from refusing an empty file.
        strings(
            &mut mapping,
            "buildMetadata",
            &["originAnnotations".to_owned()],
        );
    }
    if let Some(ignore) = &flux.ignore {
        drop_ignored(files, directory, &mut mapping, ignore)?;
    }
    adjustments.apply(&mut mapping);
    if !flux.build_metadata.is_empty() {
        strings(&mut mapping, "buildMetadata", &flux.build_metadata);
    }
    let mut bytes = Vec::new();
    let node = Node::new(yaml::Value::Mapping(mapping), yaml::Tag::Map);
    yaml::write_manifest(&mut bytes, &node).map_err(|e| e.at(&source))?;
    Ok(Some(File {
        path,
        bytes: bytes.into(),
        source: source.into(),
    }))
}

/// Reads the root kustomization as the controller does: the first document, the last of repeated keys, and nothing at
/// all is an empty one (cases `kz-two-documents`, `kz-duplicate-field`, `kz-empty-file`). Returns whether kustomize
/// itself would read it so.
fn read(file: &File) -> Result<(Mapping, bool)> {
    let not_a_mapping = || {
        Diagnostic::new(Code::FieldType, "a kustomization is a mapping")
            .at(Place::file(file.path.as_str()))
    };
    let strict = match yaml::parse_config(&file.bytes, &file.source) {
        Ok(node) if !node.is_null() => {
            return Ok((node.as_mapping().cloned().ok_or_else(not_a_mapping)?, true));
        }
        other => other,
    };
    let options = ParseOptions {
        duplicate_keys: DuplicateKeys::LastWins,
        ..ParseOptions::default()
    };
    let text = String::from_utf8_lossy(&file.bytes);
    match yaml::parse_first(&text, options) {
        Ok(None) => Ok((Mapping::default(), false)),
        Ok(Some(node)) if node.is_null() => Ok((Mapping::default(), false)),
        Ok(Some(node)) => Ok((node.as_mapping().cloned().ok_or_else(not_a_mapping)?, false)),
        Err(error) => Err(strict.err().unwrap_or_else(|| error.at(&file.source))),
    }
}

fn sets_anything(adjustments: &Adjustments, flux: &Flux) -> bool {
    !(adjustments.is_empty() && flux.build_metadata.is_empty() && flux.ignore.is_none())
}

/// Takes what is ignored out of the lists of files. Fails with [`Code::FileMissing`] for a path that is not there.
fn drop_ignored(
    files: &dyn Files,
    directory: &TreePath,
    mapping: &mut Mapping,
    ignore: &Ignore,
) -> Result<()> {
    for key in ["resources", "components", "crds"] {
        let Some(items) = mapping.get_mut(key).and_then(Node::as_sequence_mut) else {
            continue;
        };
        let mut kept = Vec::new();
        for item in items.drain(..) {
            let text = item.as_str().filter(|text| !text.contains("://"));
            let Some(path) = text.and_then(|text| directory.join(text)) else {
                kept.push(item);
                continue;
            };
            let kind = files.kind(&path)?.ok_or_else(|| {
                let phrase = format!("{path} does not exist");
                Diagnostic::new(Code::FileMissing, phrase)
            })?;
            if !ignore.leaves_out(&path, kind) {
                kept.push(item);
            }
        }
        *items = kept;
    }
    Ok(())
}

/// The kustomization that the controller generates: each directory that has one, and each manifest of the
/// others, in the order of a walk.
fn generated(files: &dyn Files, directory: &TreePath) -> Result<Mapping> {
    if files.kind(directory)? != Some(Kind::Directory) {
        let phrase = format!("{directory} is no directory");
        return Err(Diagnostic::new(Code::FileMissing, phrase));
    }
    let mut resources = Vec::new();
    scan(files, directory, directory, &mut resources)?;
    let mut mapping = Mapping::default();
    mapping.insert(
        "apiVersion",
        Node::string("kustomize.config.k8s.io/v1beta1"),
    );
    mapping.insert("kind", Node::string("Kustomization"));
    if resources.is_empty() {
        mapping.insert("namespace", Node::string("_placeholder"));
    } else {
        let resources = resources.into_iter().map(Node::string).collect();
        mapping.insert("resources", Node::sequence(resources));
    }
    Ok(mapping)
}

fn scan(
    files: &dyn Files,
    root: &TreePath,
    directory: &TreePath,
    resources: &mut Vec<String>,
) -> Result<()> {
    for name in files.list(directory)? {
        let path = directory.join(&name).expect("a listed name stays below");
        let relative = || format!("./{}", path.relative_to(root));
        match files.kind(&path)? {
            // The walk does not follow a link to a directory; it reads through one to a file.
            Some(Kind::Directory) if files.real_path(&path)? != path => {}
            Some(Kind::Directory) if NO_DIRECTORIES.contains(&name.as_str()) => {}
            Some(Kind::Directory) if kustomization_path(files, &path)?.is_some() => {
                resources.push(relative());
            }
            Some(Kind::Directory) => scan(files, root, &path, resources)?,
            Some(Kind::File) => {
                let is_manifest = name.ends_with(".yaml") || name.ends_with(".yml");
                if is_manifest && !NO_MANIFESTS.contains(&name.as_str()) {
                    resources.push(relative());
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn strings(mapping: &mut Mapping, key: &str, values: &[String]) {
    let values = values.iter().map(|v| Node::string(v.as_str())).collect();
    mapping.insert(key, Node::sequence(values));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Memory;

    fn text(files: &Memory, adjustments: &Adjustments) -> Option<String> {
        let directory = TreePath::parse("app").unwrap();
        let file = kustomization(files, &directory, adjustments, &Flux::default()).unwrap()?;
        Some(String::from_utf8(file.bytes.to_vec()).unwrap())
    }

    #[test]
    fn a_missing_kustomization_is_generated() {
        let files = Memory::from_texts([
            ("app/b.yaml", "x"),
            ("app/a/kustomization.yml", "x"),
            ("app/a/c.yaml", "x"),
            ("app/c/d.yml", "x"),
            ("app/c/notes.txt", "x"),
            ("app/prerender.yaml", "x"),
            ("app/.github/workflows/e.yaml", "x"),
            ("app/cloudbuild.yaml", "x"),
        ]);
        assert_eq!(
            text(&files, &Adjustments::default()).unwrap(),
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- ./a\n- ./b.yaml\n- ./c/d.yml\n"
        );
    }

    #[test]
    fn one_that_nothing_is_set_on_stays_as_it_is() {
        let files = Memory::from_texts([("app/kustomization.yaml", "resources: [a.yaml]\n")]);
        assert_eq!(text(&files, &Adjustments::default()), None);
        let set = Adjustments {
            namespace: Some("shop".to_owned()),
            components: vec!["../missing".to_owned()],
            ignore_missing_components: true,
            ..Adjustments::default()
        };
        assert_eq!(
            text(&files, &set).unwrap(),
            "namespace: shop\nresources:\n- a.yaml\n"
        );
    }

    #[test]
    fn one_without_resources_gets_origins() {
        let files = Memory::from_texts([("app/kustomization.yaml", "components: [../c]\n")]);
        let written = text(&files, &Adjustments::default()).unwrap();
        assert!(
            written.contains("buildMetadata:\n- originAnnotations\n"),
            "{written}"
        );
    }
}
