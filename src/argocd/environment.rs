//! What the CMP server tells a `generate` by its environment and working directory.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::application::Variables;
use super::parameters::{self, Parameters};
use super::policy::{Requester, Secrets};
use crate::diagnostic::{Code, Diagnostic, Result, nearest};
use crate::files::{TreePath, resolved};

/// The prefix that Argo CD puts before what an Application sets under `plugin.env`.
const TENANT_PREFIX: &str = "ARGOCD_ENV_";

/// What an Application may set under `plugin.env`. None of them widens what it may do.
const SWITCHES: [&str; 2] = ["PRERENDER_ALLOW_EMPTY", "PRERENDER_SECRETS"];

/// The directory of the plugin server below which every call has one of its own.
const WORK_DIRECTORY: &str = "_cmp_server";

/// One call of the host.
#[derive(Debug, Clone)]
pub struct Call {
    /// The top of what the host sent: the repository, or the part of it that manifest-generate-paths names.
    pub root: PathBuf,
    /// The Application's directory.
    pub directory: PathBuf,
    /// Where in the repository that top is: its own root, unless only a part of it was sent.
    pub above: TreePath,
    /// Whether all of the repository was sent.
    pub is_whole: bool,
    /// Who asks.
    pub asking: Requester,
    /// The Application's name.
    pub application: String,
    /// The version of the cluster, for charts.
    pub kube_version: Option<String>,
    /// The API versions of the cluster, for charts.
    pub api_versions: Vec<String>,
    /// What the Application sets.
    pub parameters: Parameters,
    /// What `$NAME` stands for in images and labels.
    pub variables: Variables,
    /// Whether an empty render is wanted.
    pub allow_empty: bool,
    /// How secrets leave, where the Application asks for less than it may have.
    pub secrets: Option<Secrets>,
}

/// The top of what the host sent, and the Application's directory: all that announcements need to know.
pub fn places(
    environment: &BTreeMap<OsString, OsString>,
    working_directory: &Path,
) -> (PathBuf, PathBuf) {
    let source_path = environment.get(OsStr::new("ARGOCD_APP_SOURCE_PATH"));
    let source_path = source_path.and_then(|v| v.to_str()).unwrap_or_default();
    (
        Sent::find(working_directory, source_path).root,
        working_directory.to_owned(),
    )
}

/// Reads a call.
///
/// Fails with [`Code::ParameterInvalid`] on parameters or switches that are not known.
pub fn read(environment: &BTreeMap<OsString, OsString>, working_directory: &Path) -> Result<Call> {
    let text = |name: &str| {
        environment
            .get(OsStr::new(name))
            .and_then(|v| v.to_str())
            .unwrap_or_default()
    };
    let sent = Sent::find(working_directory, text("ARGOCD_APP_SOURCE_PATH"));
    let parameters = match text("ARGOCD_APP_PARAMETERS") {
        "" => Parameters::default(),
        json => parameters::parse(json)?,
    };
    let switches = switches(environment)?;
    let versions = [&parameters.kustomize.kube_version, text("KUBE_VERSION")];
    let kube_version = versions.into_iter().find(|v| !v.is_empty());
    let kube_version = kube_version.map(str::to_owned);
    let api_versions = match &parameters.kustomize.api_versions[..] {
        [] => list(text("KUBE_API_VERSIONS")),
        own => own.to_vec(),
    };
    Ok(Call {
        root: sent.root,
        directory: working_directory.to_owned(),
        above: sent.above,
        is_whole: sent.is_whole,
        asking: Requester {
            project: text("ARGOCD_APP_PROJECT_NAME").to_owned(),
            repo: text("ARGOCD_APP_SOURCE_REPO_URL").to_owned(),
            destination: text("ARGOCD_APP_NAMESPACE").to_owned(),
            path: sent.path.to_string(),
        },
        application: text("ARGOCD_APP_NAME").to_owned(),
        kube_version,
        api_versions,
        variables: Variables::of_call(|name| text(name).to_owned()),
        parameters,
        allow_empty: switches.allow_empty,
        secrets: switches.secrets,
    })
}

fn list(text: &str) -> Vec<String> {
    let items = text.split(',').filter(|item| !item.is_empty());
    items.map(str::to_owned).collect()
}

/// What the host sent.
struct Sent {
    /// Its top on disk.
    root: PathBuf,
    /// Where in the repository that is.
    above: TreePath,
    /// The Application's directory in the repository, where its links lead.
    path: TreePath,
    /// Whether the top is the root of the repository.
    is_whole: bool,
}

impl Sent {
    /// Finds the top: the call's own directory below the plugin server's, from which the source path, or the
    /// end of it where only a part was sent, leads to the working directory. Links on the way are followed, and
    /// `..` is taken by text, as the host does: neither makes the top another one.
    fn find(working_directory: &Path, source_path: &str) -> Self {
        let path = TreePath::parse(source_path).unwrap_or_else(TreePath::root);
        let Some(root) = own_directory(working_directory) else {
            return Self::stripped(working_directory, path);
        };
        let parts: Vec<&str> = path.as_str().split('/').filter(|p| !p.is_empty()).collect();
        let leads_here = |count: &usize| {
            let rest = root.join(parts[*count..].join("/"));
            resolved(&rest).is_ok_and(|found| found == working_directory)
        };
        let missing = (0..=parts.len()).find(leads_here);
        let above = parts[..missing.unwrap_or(0)].join("/");
        let above = TreePath::parse(&above).expect("parts of a path that stays below");
        let below = working_directory.strip_prefix(root).ok();
        let below = below.and_then(Path::to_str).unwrap_or_default();
        Self {
            root: root.to_owned(),
            path: above.join(below).expect("a directory below the top"),
            above,
            is_whole: missing == Some(0),
        }
    }

    /// Takes the parts of the source path off the end of the working directory, as far as they match: for
    /// calls that no plugin server makes.
    fn stripped(working_directory: &Path, path: TreePath) -> Self {
        let mut root = working_directory;
        let mut is_whole = true;
        for name in path.as_str().rsplit('/').filter(|p| !p.is_empty()) {
            match root.parent() {
                Some(parent) if root.file_name() == Some(OsStr::new(name)) => root = parent,
                _ => {
                    is_whole = false;
                    break;
                }
            }
        }
        Self {
            root: root.to_owned(),
            above: TreePath::root(),
            path,
            is_whole,
        }
    }
}

/// The directory that the plugin server made for a call. A repository has no part in what is above it.
fn own_directory(working_directory: &Path) -> Option<&Path> {
    let above = |directory: &&Path| {
        let parent = directory.parent().and_then(Path::file_name);
        parent == Some(OsStr::new(WORK_DIRECTORY))
    };
    working_directory.ancestors().filter(above).last()
}

#[derive(Default)]
struct Switches {
    allow_empty: bool,
    secrets: Option<Secrets>,
}

fn switches(environment: &BTreeMap<OsString, OsString>) -> Result<Switches> {
    let mut switches = Switches::default();
    for (name, value) in environment {
        let Some(name) = name.to_str().and_then(|n| n.strip_prefix(TENANT_PREFIX)) else {
            continue;
        };
        match (name, value.to_str().unwrap_or_default()) {
            ("PRERENDER_ALLOW_EMPTY", "true") => switches.allow_empty = true,
            ("PRERENDER_ALLOW_EMPTY", "false" | "") => {}
            ("PRERENDER_SECRETS", "keep") => switches.secrets = Some(Secrets::Keep),
            ("PRERENDER_SECRETS", "redact") => switches.secrets = Some(Secrets::Redact),
            ("PRERENDER_ALLOW_EMPTY", _) => return Err(switch_value(name, "true or false")),
            ("PRERENDER_SECRETS", _) => return Err(switch_value(name, "keep or redact")),
            // What is not ours is the business of whoever set it.
            (other, _) if !other.starts_with("PRERENDER_") => {}
            (other, _) => return Err(unknown_switch(other)),
        }
    }
    Ok(switches)
}

fn switch_value(name: &str, wanted: &str) -> Diagnostic {
    Diagnostic::new(
        Code::ParameterInvalid,
        format!("{name} in plugin.env is not {wanted}"),
    )
}

fn unknown_switch(name: &str) -> Diagnostic {
    let error = Diagnostic::new(
        Code::ParameterInvalid,
        format!("plugin.env cannot set {name}"),
    );
    match nearest(name, SWITCHES) {
        Some(known) => error.help(format!("did you mean {known}?")),
        None => error.help(format!(
            "it can set {}; all else is the administrator's",
            SWITCHES.join(" and ")
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> BTreeMap<OsString, OsString> {
        pairs
            .iter()
            .map(|(k, v)| (OsString::from(k), OsString::from(v)))
            .collect()
    }

    /// Root below the scratch directory, where it is in the repository, the Application's directory, and
    /// whether all was sent.
    fn sent(
        top: &Path,
        working_directory: &str,
        source_path: &str,
    ) -> (String, String, String, bool) {
        let directory = resolved(&top.join(working_directory)).unwrap();
        let variables = environment(&[("ARGOCD_APP_SOURCE_PATH", source_path)]);
        let call = read(&variables, &directory).unwrap();
        let root = call.root.strip_prefix(resolved(top).unwrap()).unwrap();
        (
            root.to_str().unwrap().to_owned(),
            call.above.as_str().to_owned(),
            call.asking.path,
            call.is_whole,
        )
    }

    #[test]
    fn the_root_is_what_was_sent() {
        let scratch = tempfile::tempdir().unwrap();
        let own = scratch.path().join("_cmp_server/4b3c");
        for directory in ["apps/team-a/_cmp_server/x", "apps/team-b"] {
            std::fs::create_dir_all(own.join(directory)).unwrap();
        }
        std::os::unix::fs::symlink("../team-b", own.join("apps/team-a/link")).unwrap();
        let asked = |directory, source_path| {
            let (root, above, path, is_whole) = sent(&own, directory, source_path);
            assert_eq!((&*root, &*above), ("", ""), "{source_path}");
            (path, is_whole)
        };
        let b = ("apps/team-b".to_owned(), true);
        assert_eq!(asked("apps/team-b", "apps/team-b"), b);
        assert_eq!(asked("apps/team-b", "./apps//team-b/"), b);
        assert_eq!(asked("apps/team-b", "apps/team-a/../team-b"), b);
        assert_eq!(asked("apps/team-a/link", "apps/team-a/link"), b);
        let own_name = "apps/team-a/_cmp_server/x";
        assert_eq!(asked(own_name, own_name), (own_name.to_owned(), true));
        assert_eq!(asked("", "."), (".".to_owned(), true));
    }

    #[test]
    fn a_part_is_known_by_what_is_missing() {
        let scratch = tempfile::tempdir().unwrap();
        let own = scratch.path().join("_cmp_server/4b3c");
        std::fs::create_dir_all(own.join("team-a/shop")).unwrap();
        std::os::unix::fs::symlink("team-a", own.join("link")).unwrap();
        let part =
            |above: &str, path: &str| (String::new(), above.to_owned(), path.to_owned(), false);
        assert_eq!(
            sent(&own, "team-a/shop", "apps/team-a/shop"),
            part("apps", "apps/team-a/shop")
        );
        assert_eq!(
            sent(&own, "link/shop", "apps/link/shop"),
            part("apps", "apps/team-a/shop")
        );
        assert_eq!(sent(&own, "", "apps/all"), part("apps/all", "apps/all"));
    }

    #[test]
    fn without_a_plugin_server_the_source_path_is_taken_off() {
        let call = |directory: &str, source_path| {
            let variables = environment(&[("ARGOCD_APP_SOURCE_PATH", source_path)]);
            let call = read(&variables, Path::new(directory)).unwrap();
            (call.root.to_str().unwrap().to_owned(), call.is_whole)
        };
        assert_eq!(call("/u/apps/shop", "apps/shop"), ("/u".to_owned(), true));
        assert_eq!(call("/u/shop", "apps/team/shop"), ("/u".to_owned(), false));
    }

    #[test]
    fn a_tenant_cannot_widen() {
        for pair in [
            ("ARGOCD_ENV_PRERENDER_SECRETS", "plain"),
            ("ARGOCD_ENV_PRERENDER_KEYS", "/keys/other"),
        ] {
            let error = read(&environment(&[pair]), Path::new("/tmp")).unwrap_err();
            assert_eq!(error.code(), Code::ParameterInvalid);
        }
        assert!(read(&environment(&[("ARGOCD_ENV_LANG", "C")]), Path::new("/tmp")).is_ok());
    }
}
