//! The git generator: directories or files of a repository.
//!
//! Follows applicationset/generators/git.go, and of the repo-server `GetGitDirectories`, `GetGitFiles` and `LsFiles`
//! (util/git/client.go). Only what is checked in counts. A linked file is read through its link, but never out of the
//! repository, though the original does that. Cases: `dirs-*`, `files-*`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::{Context, items, text};
use crate::argocd::applicationsets::Failure;
use crate::argocd::applicationsets::names;
use crate::argocd::applicationsets::params::{self, Params};
use crate::argocd::applicationsets::repositories::Repository;
use crate::files::{File, Files, Kind, TreePath};
use crate::go::filepath;
use crate::go::glob::{self, Dialect};
use crate::go::pathspec::Pathspec;
use crate::go::template::Value;
use crate::yaml::sigs;

pub(super) fn generate(context: &Context<'_>, git: &Json) -> Result<Vec<Params>, Failure> {
    let project = context
        .spec
        .pointer("/template/spec/project")
        .and_then(Json::as_str)
        .unwrap_or_default();
    if !project.contains("{{") && context.world.project(project).is_none() {
        return Err(Failure::new(format!("there is no project {project:?}")));
    }
    let url = text(git, "repoURL");
    let has = |key: &str| items(git, key).next().is_some();
    if !has("directories") && !has("files") {
        return Err(Failure::new(
            "a git generator needs `directories` or `files`",
        ));
    }
    let repository = context.repositories.find(url).ok_or_else(|| {
        Failure::new(format!(
            "no directory is known for the repository {url:?}: name one with --repo-map"
        ))
    })?;
    match has("directories") {
        true => directories(context, git, repository),
        false => files(context, git, repository),
    }
}

fn directories(
    context: &Context<'_>,
    git: &Json,
    repository: &Repository,
) -> Result<Vec<Params>, Failure> {
    let fits =
        |item: &Json, path: &str| filepath::matches(text(item, "path"), path).unwrap_or_default();
    let excludes = |item: &Json| {
        item.get("exclude")
            .and_then(Json::as_bool)
            .unwrap_or_default()
    };
    let mut all = Vec::new();
    for path in repository.directories(context.switches.hidden_directories) {
        let matching: Vec<&Json> = items(git, "directories")
            .filter(|item| fits(item, &path))
            .collect();
        if matching.is_empty() || matching.iter().any(|item| excludes(item)) {
            continue;
        }
        let mut params = Params::new();
        put_path(
            &mut params,
            &path,
            None,
            text(git, "pathParamPrefix"),
            context.renderer.is_go,
        );
        context.renderer.add_values(git, &mut params)?;
        all.push(params);
    }
    Ok(all)
}

/// Adds the parameters of a path: of a directory, or of a file's directory and its name.
fn put_path(params: &mut Params, directory: &str, file: Option<&str>, prefix: &str, is_go: bool) {
    let base = match directory.rsplit('/').next() {
        Some(last) if !last.is_empty() => last,
        _ => ".",
    };
    let mut parts = vec![
        ("basename", base.to_owned()),
        ("basenameNormalized", names::normalized(base)),
    ];
    if let Some(file) = file {
        parts.push(("filename", file.to_owned()));
        parts.push(("filenameNormalized", names::normalized(file)));
    }
    if is_go {
        let mut path = Params::from([
            ("path".into(), params::text(directory)),
            ("segments".into(), Value::strings(directory.split('/'))),
        ]);
        path.extend(
            parts
                .into_iter()
                .map(|(key, part)| (key.into(), params::text(&part))),
        );
        let path = Value::map(path);
        match prefix {
            "" => params.insert("path".into(), path),
            prefix => params.insert(prefix.into(), Value::map([("path".into(), path)])),
        };
        return;
    }
    let name = match prefix {
        "" => "path".to_owned(),
        prefix => format!("{prefix}.path"),
    };
    for (key, part) in parts {
        params.insert(format!("{name}.{key}").into(), params::text(&part));
    }
    for (index, segment) in directory
        .split('/')
        .enumerate()
        .filter(|(_, s)| !s.is_empty())
    {
        params.insert(format!("{name}[{index}]").into(), params::text(segment));
    }
    params.insert(name.into(), params::text(directory));
}

fn files(
    context: &Context<'_>,
    git: &Json,
    repository: &Repository,
) -> Result<Vec<Params>, Failure> {
    let excludes = |item: &&Json| {
        item.get("exclude")
            .and_then(Json::as_bool)
            .unwrap_or_default()
    };
    let mut found: BTreeMap<String, Arc<File>> = BTreeMap::new();
    for item in items(git, "files").filter(|item| !excludes(item)) {
        for path in listed(context, repository, text(item, "path"))? {
            let file = read(repository, &path)?;
            found.insert(path, file);
        }
    }
    for item in items(git, "files").filter(excludes) {
        for path in listed(context, repository, text(item, "path"))? {
            read(repository, &path)?;
            found.remove(&path);
        }
    }
    let mut all = Vec::new();
    for (path, file) in &found {
        for object in objects(path, &file.bytes)? {
            let mut params = of_object(&object, context.renderer.is_go);
            let (directory, name) = path.rsplit_once('/').unwrap_or((".", path));
            put_path(
                &mut params,
                directory,
                Some(name),
                text(git, "pathParamPrefix"),
                context.renderer.is_go,
            );
            context.renderer.add_values(git, &mut params)?;
            all.push(params);
        }
    }
    Ok(all)
}

pub(super) fn of_object(object: &Json, is_go: bool) -> Params {
    let params = params::of_json(object).unwrap_or_default();
    if is_go {
        return params;
    }
    (params::flattened(&params).into_iter())
        .map(|(key, value)| (key.into(), params::text(&params::printed(&value))))
        .collect()
}

/// The paths that a pattern names.
fn listed(
    context: &Context<'_>,
    repository: &Repository,
    pattern: &str,
) -> Result<Vec<String>, Failure> {
    if context.switches.new_globbing {
        return listed_by_doublestar(repository, pattern);
    }
    let pathspec = Pathspec::parse(pattern)
        .map_err(|_| Failure::new(format!("git cannot list the files of {pattern:?}")))?;
    Ok(repository
        .paths()
        .iter()
        .filter(|path| pathspec.takes(path))
        .cloned()
        .collect())
}

fn listed_by_doublestar(repository: &Repository, pattern: &str) -> Result<Vec<String>, Failure> {
    let clean = clean(pattern)
        .ok_or_else(|| Failure::new(format!("{pattern:?} leads out of the repository")))?;
    let is_directory =
        |path: &str| Failure::new(format!("{path:?} is a directory, and {pattern:?} takes it"));
    if clean.is_empty() {
        return Err(is_directory("."));
    }
    let regex = glob::compile(&clean, Dialect::Doublestar)
        .map_err(|_| Failure::new(format!("{pattern:?} is not a pattern")))?;
    let (files, directories) = entries(repository);
    if regex.is_match("") {
        return Err(is_directory("."));
    }
    if let Some(path) = directories.iter().find(|path| regex.is_match(path)) {
        return Err(is_directory(path));
    }
    Ok(files
        .into_iter()
        .filter(|path| regex.is_match(path))
        .collect())
}

/// A path below the root with `.` and `..` taken out; `None` where it leads above.
fn clean(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Files and directories, with what linked directories hold.
fn entries(repository: &Repository) -> (Vec<String>, Vec<String>) {
    let mut files = Vec::new();
    let mut directories = repository.directories(true);
    for path in repository.paths() {
        let linked = TreePath::parse(path)
            .filter(|p| matches!(repository.files.kind(p), Ok(Some(Kind::Directory))))
            .and_then(|p| repository.files.real_path(&p).ok());
        let Some(real) = linked else {
            files.push(path.clone());
            continue;
        };
        directories.push(path.clone());
        let below = format!("{}/", real.as_str());
        let held = repository
            .paths()
            .iter()
            .filter_map(|p| p.strip_prefix(&below));
        files.extend(held.map(|rest| format!("{path}/{rest}")));
    }
    (files, directories)
}

fn read(repository: &Repository, path: &str) -> Result<Arc<File>, Failure> {
    let parsed = TreePath::parse(path);
    let parsed =
        parsed.ok_or_else(|| Failure::new(format!("{path:?} is not a path that can be read")))?;
    repository
        .files
        .read(&parsed)
        .map_err(|error| Failure::new(format!("{path}: {}", error.phrase())))
}

/// The objects that a file holds: one, or a list of them. A file of nothing is an object without fields.
fn objects(path: &str, bytes: &[u8]) -> Result<Vec<Json>, Failure> {
    let wrong = |why: &str| Failure::new(format!("{path}: {why}"));
    let text = std::str::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let read = sigs::read(text).map_err(|error| wrong(&error.0))?;
    match read {
        Json::Null => Ok(vec![Json::Object(serde_json::Map::new())]),
        object @ Json::Object(_) => Ok(vec![object]),
        Json::Array(list) => list
            .into_iter()
            .map(|item| match item {
                Json::Null => Ok(Json::Object(serde_json::Map::new())),
                object @ Json::Object(_) => Ok(object),
                _ => Err(wrong("the list holds something that is not an object")),
            })
            .collect(),
        _ => Err(wrong("it holds neither an object nor a list of objects")),
    }
}
