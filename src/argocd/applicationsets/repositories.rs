//! Which directory a repository's URL is, and what of it is checked in.
//!
//! A checkout holds what the index lists and nothing that lies beside it on the disk. URLs are one where
//! `NormalizeGitURL` (util/git/git.go) makes one of them; as a kindness ssh and https are, too.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

use crate::diagnostic::Result;
use crate::files::{Files, Kind, Tree, TreePath, head, leaving_link, tracked};

/// Entries of a directory tree that are listed where there is no index.
const MAX_FILES: usize = 200_000;

/// A commit that nothing has.
const NO_REVISION: &str = "0000000000000000000000000000000000000000";

/// A repository on this disk.
pub struct Repository {
    /// Its files.
    pub files: Arc<dyn Files>,
    /// The same, where they lie on the disk.
    pub tree: Option<Arc<Tree>>,
    /// The paths of what is checked in, sorted by bytes.
    paths: Vec<String>,
    /// Whether `.git` lies in its root.
    has_git: bool,
    /// The commit that it is at.
    revision: String,
    leaving_link: OnceLock<Option<String>>,
}

impl Repository {
    /// Lists a repository: its index where it has one, else the disk.
    pub fn open(tree: Arc<Tree>) -> Result<Self> {
        let tracked = tracked(tree.root())?;
        let has_git = tracked.is_some();
        let mut paths = match tracked {
            Some(paths) => paths,
            None => on_disk(&*tree)?,
        };
        paths.sort();
        let revision = head(tree.root()).unwrap_or_else(|| NO_REVISION.to_owned());
        Ok(Self {
            files: Arc::clone(&tree) as Arc<dyn Files>,
            tree: Some(tree),
            paths,
            has_git,
            revision,
            leaving_link: OnceLock::new(),
        })
    }

    /// Lists files that need not lie on the disk: all of them, since there is no index.
    pub fn of_files(files: Arc<dyn Files>) -> Result<Self> {
        let mut paths = on_disk(&*files)?;
        paths.sort();
        Ok(Self {
            files,
            tree: None,
            paths,
            has_git: false,
            revision: NO_REVISION.to_owned(),
            leaving_link: OnceLock::new(),
        })
    }

    /// The commit that it is at; zeros where nothing says it.
    pub fn revision(&self) -> &str {
        &self.revision
    }

    /// The first link that leads out of it, which fails every Application of the repository.
    pub fn leaving_link(&self) -> Option<&str> {
        let find = || leaving_link(self.tree.as_ref()?.root()).ok().flatten();
        let found = self.leaving_link.get_or_init(find);
        found.as_deref()
    }

    /// The paths of what is checked in.
    pub fn paths(&self) -> &[String] {
        &self.paths
    }

    /// Every directory below the root that holds something, in the order of a walk. Hidden ones count where asked.
    pub fn directories(&self, with_hidden: bool) -> Vec<String> {
        let mut found = BTreeSet::new();
        for path in &self.paths {
            for (at, _) in path.match_indices('/') {
                found.insert(path[..at].split('/').map(str::to_owned).collect::<Vec<_>>());
            }
        }
        if with_hidden && self.has_git {
            found.insert(vec![".git".to_owned()]);
        }
        let is_hidden = |parts: &Vec<String>| parts.iter().any(|part| part.starts_with('.'));
        (found.into_iter())
            .filter(|parts| with_hidden || !is_hidden(parts))
            .map(|parts| parts.join("/"))
            .collect()
    }
}

/// Everything below a root that has no index, but what lies in `.git`.
fn on_disk(tree: &dyn Files) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut open = vec![TreePath::root()];
    while let Some(directory) = open.pop() {
        for name in tree.list(&directory)? {
            let Some(path) = directory.join(&name).filter(|_| name != ".git") else {
                continue;
            };
            let is_link = tree.real_path(&path).is_ok_and(|real| real != path);
            match tree.kind(&path) {
                Ok(Some(Kind::Directory)) if !is_link => open.push(path),
                _ => found.push(path.as_str().to_owned()),
            }
            if found.len() > MAX_FILES {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// The repositories that are known, by URL.
#[derive(Default)]
pub struct Repositories {
    known: Vec<(String, usize)>,
    opened: Vec<Repository>,
}

impl Repositories {
    /// Adds a repository under its URLs.
    pub fn add(&mut self, urls: &[String], repository: Repository) {
        let index = self.opened.len();
        self.opened.push(repository);
        self.known
            .extend(urls.iter().map(|url| (one_form(url), index)));
    }

    /// The repository at a URL.
    pub fn find(&self, url: &str) -> Option<&Repository> {
        let wanted = one_form(url);
        let (_, index) = self.known.iter().find(|(known, _)| *known == wanted)?;
        self.opened.get(*index)
    }
}

/// `NormalizeGitURL`: lower case, no `.git`, `git@host:path` as a URL. Empty where it is not a URL.
pub(super) fn normalized_url(url: &str) -> String {
    let mut url = url.trim().to_lowercase();
    if is_ssh(&url) && !url.starts_with("ssh://") {
        url = format!("ssh://{}", url.replacen(':', "/", 1));
    }
    let url = url.strip_suffix(".git").unwrap_or(&url);
    if !is_url(url) {
        return String::new();
    }
    let escaped = escaped(url);
    escaped
        .strip_prefix("ssh://")
        .unwrap_or(&escaped)
        .to_owned()
}

/// `user@` before anything with a slash or a colon.
fn is_ssh(url: &str) -> bool {
    let rest = url.strip_prefix("ssh://").unwrap_or(url);
    (rest.split_once('@')).is_some_and(|(user, after)| {
        !user.contains(['/', ':']) && !after.is_empty() && !after.contains('@')
    })
}

/// What `URL.String` escapes of a path.
fn escaped(url: &str) -> String {
    let path_at = url.find("://").map_or(0, |at| at + 3);
    let path_at = url[path_at..]
        .find('/')
        .map_or(url.len(), |at| path_at + at);
    let end = url[path_at..]
        .find(['?', '#'])
        .map_or(url.len(), |at| path_at + at);
    let mut out = url[..path_at].to_owned();
    for byte in url[path_at..end].bytes() {
        match byte {
            b'{' | b'}' | b'<' | b'>' | b'"' | b'^' | b'|' | b'\\' | b'`' | b' ' | 0x80.. => {
                let _ = write!(out, "%{byte:02X}");
            }
            plain => out.push(char::from(plain)),
        }
    }
    out + &url[end..]
}

/// Whether Go's `url.Parse` takes it: a scheme that is one, a host without odd signs, escapes that are whole.
fn is_url(url: &str) -> bool {
    let has_colon_first = url
        .split('/')
        .next()
        .is_some_and(|first| first.contains(':'));
    let Some((scheme, rest)) = url.split_once("://") else {
        let scheme = url.split(':').next().unwrap_or_default();
        return !has_colon_first || is_scheme(scheme);
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let is_odd = |c: char| {
        matches!(
            c,
            ' ' | '{' | '}' | '^' | '|' | '\\' | '`' | '<' | '>' | '"'
        )
    };
    let port_is_number = match host.rsplit_once(':') {
        Some((_, port)) => port.bytes().all(|b| b.is_ascii_digit()),
        None => true,
    };
    is_scheme(scheme) && !host.contains(is_odd) && port_is_number
}

fn is_scheme(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic())
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'))
}

/// As [`normalized_url`], with schemes and users left out.
fn one_form(url: &str) -> String {
    let normal = normalized_url(url);
    let rest = normal
        .split_once("://")
        .map_or(normal.as_str(), |(_, rest)| rest);
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    format!("{host}/{}", path.trim_end_matches('/'))
}
