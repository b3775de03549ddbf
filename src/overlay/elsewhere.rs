//! Whether something that a root does not hold may be in another root of the project.
//!
//! A project has many roots, and an entry of `for` is seldom about all of them. What no other file of the
//! project mentions is a typing error.

use crate::files::{Files, Kind, TreePath};

/// How many files are read at most where nobody asked to be strict: it is a hint, and rendering is to be fast.
const MAX_FILES: usize = 200;

/// How many files are read at most where warnings are errors.
const MAX_FILES_STRICT: usize = 20_000;

/// The names of project files, which mention what they are about.
const PROJECT_FILES: [&str; 2] = ["prerender.yaml", ".prerender.yaml"];

/// Whether any manifest below a directory may mention a name, outside of one root.
///
/// Templates and variables make names that cannot be seen, so these may; so may what is too much to read.
pub(super) fn is_mentioned(
    files: &dyn Files,
    project: &TreePath,
    root: &TreePath,
    name: &str,
    is_strict: bool,
) -> bool {
    let limit = if is_strict {
        MAX_FILES_STRICT
    } else {
        MAX_FILES
    };
    let mut read = 0;
    let mut open = vec![project.clone()];
    while let Some(directory) = open.pop() {
        let Ok(names) = files.list(&directory) else {
            return true;
        };
        for path in names.iter().filter_map(|n| directory.join(n)) {
            let file_name = path.file_name();
            match files.kind(&path) {
                Ok(Some(Kind::Directory)) if path != *root && !file_name.starts_with('.') => {
                    open.push(path);
                }
                Ok(Some(Kind::File)) if is_manifest(file_name) => {
                    read += 1;
                    if read > limit || may_mention(files, &path, name) {
                        return true;
                    }
                }
                _ => {}
            }
        }
    }
    false
}

fn is_manifest(file_name: &str) -> bool {
    let ends = [".yaml", ".yml", ".json", ".j2"];
    ends.iter().any(|e| file_name.ends_with(e)) && !PROJECT_FILES.contains(&file_name)
}

fn may_mention(files: &dyn Files, path: &TreePath, name: &str) -> bool {
    if path.as_str().ends_with(".j2") {
        return true;
    }
    let Ok(file) = files.read(path) else {
        return true;
    };
    let text = String::from_utf8_lossy(&file.bytes);
    text.contains(name) || text.contains("${")
}
