//! Which files of a directory go into an artifact: what `flux push artifact` takes.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::files::{Files, Kind, RECORD, TreePath};

/// Names that are left out wherever they stand: version control, CI and tools, as Flux's sources do.
const IGNORED_NAMES: [&str; 19] = [
    ".git",
    ".gitignore",
    ".gitmodules",
    ".gitattributes",
    ".github",
    ".circleci",
    ".travis.yml",
    ".gitlab-ci.yml",
    "appveyor.yml",
    ".drone.yml",
    "cloudbuild.yaml",
    "codeship-services.yml",
    "codeship-steps.yml",
    ".goreleaser.yml",
    ".goreleaser.brew.yml",
    ".sops.yaml",
    ".flux.yaml",
    ".sourceignore",
    RECORD,
];
/// Endings of files that are no manifests, as Flux's sources leave them out.
const IGNORED_ENDINGS: [&str; 8] = [
    ".jpg", ".jpeg", ".gif", ".png", ".wmv", ".flv", ".tar.gz", ".zip",
];
/// The most that an artifact may hold: the largest that Flux's and Argo CD's defaults let them unpack.
pub const MAX_BYTES: usize = 1 << 30;

/// Whether a directory was written by `render -o DIR/` or `expand`, and so is finished.
pub fn is_written(files: &dyn Files, directory: &TreePath) -> Result<bool> {
    let record = directory
        .join(RECORD)
        .expect("a name stays in its directory");
    Ok(files.kind(&record)? == Some(Kind::File))
}

/// The files of a directory as they are, by their path from it.
///
/// Fails with [`Code::FileMissing`] where there is nothing to pack, with [`Code::FileTooLarge`] past
/// [`MAX_BYTES`], and as [`Files::read`] does.
pub fn of_directory(files: &dyn Files, directory: &TreePath) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut packed = BTreeMap::new();
    let mut total = 0;
    let mut open = vec![directory.clone()];
    while let Some(current) = open.pop() {
        for name in files.list(&current)? {
            let path = current.join(&name).expect("a listed name stays below");
            let ignored = IGNORED_NAMES.contains(&name.as_str());
            match files.kind(&path)? {
                _ if ignored => {}
                Some(Kind::Directory) if files.real_path(&path)? == path => open.push(path),
                Some(Kind::File) if !IGNORED_ENDINGS.iter().any(|e| name.ends_with(e)) => {
                    let bytes = files.read(&path)?.bytes.to_vec();
                    total += bytes.len();
                    if total > MAX_BYTES {
                        return Err(too_large(directory));
                    }
                    packed.insert(path.relative_to(directory), bytes);
                }
                _ => {}
            }
        }
    }
    if packed.is_empty() {
        let phrase = format!("{directory} holds nothing to pack");
        return Err(
            Diagnostic::new(Code::FileMissing, phrase).at(Place::file(directory.to_string()))
        );
    }
    Ok(packed)
}

fn too_large(directory: &TreePath) -> Diagnostic {
    let phrase = format!("{directory} holds more than {} MiB", MAX_BYTES >> 20);
    Diagnostic::new(Code::FileTooLarge, phrase).at(Place::file(directory.to_string()))
}

/// The kustomization of rendered files, so that both hosts build them the same way.
pub fn kustomization<'a>(paths: impl Iterator<Item = &'a String>) -> Vec<u8> {
    let mut text = String::from(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n",
    );
    for path in paths {
        // A plain scalar cannot begin with the sign of an escape.
        match path.starts_with('%') {
            true => text.push_str(&format!("- '{path}'\n")),
            false => text.push_str(&format!("- {path}\n")),
        }
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Memory;

    #[test]
    fn version_control_and_pictures_are_left_out() {
        let files = Memory::from_texts([
            ("out/.git/config", "x"),
            ("out/.prerender-files", "a.yaml\n"),
            ("out/a.yaml", "a"),
            ("out/b/logo.png", "x"),
            ("out/b/c.yaml", "c"),
        ]);
        let directory = TreePath::parse("out").unwrap();
        let packed = of_directory(&files, &directory).unwrap();
        assert_eq!(
            packed.into_keys().collect::<Vec<_>>(),
            ["a.yaml", "b/c.yaml"]
        );
        assert!(is_written(&files, &directory).unwrap());
    }
}
