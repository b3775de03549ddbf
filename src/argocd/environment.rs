//! What the CMP server tells a `generate` by its environment and working directory.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::parameters::{self, Parameters};
use super::policy::{Asking, Secrets};
use crate::diagnostic::{Code, Diagnostic, Result, nearest};

/// The prefix that Argo CD puts before what an Application sets under `plugin.env`.
const TENANT_PREFIX: &str = "ARGOCD_ENV_";

/// What an Application may set under `plugin.env`. None of them widens what it may do.
const SWITCHES: [&str; 2] = ["PRERENDER_ALLOW_EMPTY", "PRERENDER_SECRETS"];

/// One call of the host.
#[derive(Debug, Clone)]
pub struct Call {
    /// The top of what the host sent: the repository, or the part of it that manifest-generate-paths names.
    pub root: PathBuf,
    /// The Application's directory.
    pub directory: PathBuf,
    /// Whether the whole source path could be taken off: otherwise only a part of the repository was sent.
    pub is_whole: bool,
    /// Who asks.
    pub asking: Asking,
    /// The Application's name.
    pub application: String,
    /// The version of the cluster, for charts.
    pub kube_version: Option<String>,
    /// The API versions of the cluster, for charts.
    pub api_versions: Vec<String>,
    /// What the Application sets.
    pub parameters: Parameters,
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
        root(working_directory, source_path).0,
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
    let source_path = text("ARGOCD_APP_SOURCE_PATH");
    let (root, is_whole) = root(working_directory, source_path);
    let parameters = match text("ARGOCD_APP_PARAMETERS") {
        "" => Parameters::default(),
        json => parameters::parse(json)?,
    };
    let switches = switches(environment)?;
    Ok(Call {
        root,
        directory: working_directory.to_owned(),
        is_whole,
        asking: Asking {
            project: text("ARGOCD_APP_PROJECT_NAME").to_owned(),
            repo: text("ARGOCD_APP_SOURCE_REPO_URL").to_owned(),
            destination: text("ARGOCD_APP_NAMESPACE").to_owned(),
            path: source_path.to_owned(),
        },
        application: text("ARGOCD_APP_NAME").to_owned(),
        kube_version: Some(text("KUBE_VERSION").to_owned()).filter(|v| !v.is_empty()),
        api_versions: list(text("KUBE_API_VERSIONS")),
        parameters,
        allow_empty: switches.allow_empty,
        secrets: switches.secrets,
    })
}

fn list(text: &str) -> Vec<String> {
    let items = text.split(',').filter(|item| !item.is_empty());
    items.map(str::to_owned).collect()
}

/// Takes the parts of the source path off the end of the working directory, as far as they match.
fn root(working_directory: &Path, source_path: &str) -> (PathBuf, bool) {
    let mut root = working_directory;
    for part in Path::new(source_path).components().rev() {
        let std::path::Component::Normal(name) = part else {
            continue;
        };
        match (root.file_name() == Some(name), root.parent()) {
            (true, Some(parent)) => root = parent,
            _ => return (root.to_owned(), false),
        }
    }
    (root.to_owned(), true)
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

    #[test]
    fn the_root_is_what_was_sent() {
        let whole = read(
            &environment(&[("ARGOCD_APP_SOURCE_PATH", "apps/shop")]),
            Path::new("/tmp/u/apps/shop"),
        )
        .unwrap();
        assert_eq!(
            (whole.root.to_str(), whole.is_whole),
            (Some("/tmp/u"), true)
        );
        let part = read(
            &environment(&[("ARGOCD_APP_SOURCE_PATH", "apps/team/shop")]),
            Path::new("/tmp/u/shop"),
        )
        .unwrap();
        assert_eq!((part.root.to_str(), part.is_whole), (Some("/tmp/u"), false));
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
