//! `generate`: one render as the host asks for it, within what the policy grants.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::confined::Confined;
use super::environment::Call;
use super::policy::{self, Grant, OverlaysSection, Program};
use super::root::ApplicationRoot;
use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::files::{Files, TreePath};
use crate::generators::Outside;
use crate::kustomize::Options;
use crate::overlay::{HostParameter, Policy};
use crate::pipeline::{self, Host, Manifests, Progress, Request};
use crate::programs::Helm;
use crate::secrets::Opener;
use crate::secrets::Secrets;
use crate::values::Overrides;
use crate::values::Setting;

/// What `generate` works on.
pub struct Generation<'a> {
    /// What the host asks for.
    pub call: &'a Call,
    /// What the policy grants.
    pub grant: &'a Grant,
    /// What the host sent.
    pub files: Arc<dyn Files>,
    /// The Application's directory in it.
    pub directory: &'a TreePath,
    /// Opens sealed files with the identities that the policy grants.
    pub opener: Arc<Opener>,
    /// Noted for the watchdog.
    pub progress: &'a Progress,
}

/// Renders. Fails as [`pipeline::render()`] does, and with [`Code::PolicyRefuses`] at a path that is not granted.
pub fn generate(generation: &Generation<'_>) -> Result<Manifests, Report> {
    let Generation {
        call,
        grant,
        directory,
        opener,
        progress,
        ..
    } = generation;
    let below = Arc::clone(&generation.files);
    let files = Confined::new(below, call.above.clone(), grant.paths.clone());
    let request = Request {
        directory,
        build: Options::default(),
        outside: &outside(call, grant),
        opener: Arc::clone(opener),
        secrets: secrets(call, grant),
        overrides: &overrides(call, &files)?,
        overlays: &grant.overlays.sets,
        strict: false,
        host: Some(&Host {
            rewrite: Some(Box::new(ApplicationRoot::of(call))),
            destination_namespace: Some(call.asking.destination.clone()).filter(|n| !n.is_empty()),
            parameters: parameters(call),
            policy: Some(overlay_policy(&grant.overlays)),
            allow_empty: call.allow_empty,
            flux: None,
            progress: (*progress).clone(),
            ..Host::default()
        }),
    };
    pipeline::render(&request, Arc::new(files)).map_err(|report| explained(report, call))
}

/// What the plugin may have done outside of its files.
fn outside(call: &Call, grant: &Grant) -> Outside {
    let may = |program| grant.enable.contains(&program);
    let helm = Helm {
        command: "helm".into(),
        api_versions: call.api_versions.clone(),
        kube_version: call.kube_version.clone(),
        is_debug: false,
        environment: grant.environment.clone(),
    };
    Outside {
        root: call.root.clone(),
        network: may(Program::Network),
        helm: may(Program::Helm).then_some(helm),
        helm_home: may(Program::Exec),
        plugins: may(Program::Exec),
        exec: may(Program::Exec),
        visible: grant.environment.clone(),
        ..Outside::default()
    }
}

/// What leaves the plugin: the policy's choice, or the Application's where it asks for less.
fn secrets(call: &Call, grant: &Grant) -> Secrets {
    let plain = grant.secrets == policy::Secrets::Plain;
    match call.secrets.filter(|_| plain).unwrap_or(grant.secrets) {
        policy::Secrets::Plain => Secrets::Plain,
        policy::Secrets::Keep => Secrets::Keep,
        policy::Secrets::Redact => Secrets::Redact,
    }
}

/// Values that the Application sets: files beneath the root, then single ones.
fn overrides(call: &Call, files: &dyn Files) -> Result<Overrides> {
    let mut overrides = Overrides::default();
    for name in &call.parameters.values {
        let outside = || {
            Diagnostic::new(
                Code::OutsideRoot,
                format!("the parameter values names {name}, which leads out of the root"),
            )
        };
        let file = files.read(&TreePath::parse(name).ok_or_else(outside)?)?;
        let text = String::from_utf8_lossy(&file.bytes).into_owned();
        overrides.files.push((name.clone(), Zeroizing::new(text)));
    }
    for (path, value) in &call.parameters.set {
        overrides
            .host
            .push(Setting::text(path, value, "the parameter set"));
    }
    Ok(overrides)
}

fn parameters(call: &Call) -> Vec<HostParameter> {
    let origin = "ARGOCD_APP_PARAMETERS";
    let one = |(overlay, name, value): &(String, String, serde_json::Value)| {
        HostParameter::new(overlay, name, value, origin)
    };
    call.parameters.overlays.iter().map(one).collect()
}

fn overlay_policy(section: &OverlaysSection) -> Policy {
    let mut policy = Policy::default();
    policy.mandatory.clone_from(&section.mandatory);
    policy.lock.clone_from(&section.lock);
    policy.free.clone_from(&section.free);
    policy.harmless.clone_from(&section.harmless);
    for (name, value) in &section.parameters {
        policy.set(name, value, "the policy");
    }
    policy
}

/// Puts the host's remedies in the place of the command line's.
fn explained(mut report: Report, call: &Call) -> Report {
    let explain = |finding: Diagnostic| match finding.code() {
        Code::FileMissing | Code::OutsideRoot => {
            let finding = finding.map_text(without_flags);
            match call.is_whole {
                true => finding,
                false => finding.help("the host sent a part of the repository only: add the path to the Application's annotation argocd.argoproj.io/manifest-generate-paths"),
            }
        }
        Code::NotEnabled => finding.map_text(by_the_policy),
        Code::RenderEmpty => finding.map_text(by_the_application),
        Code::SopsNoIdentity => finding.map_text(from_the_sidecar),
        _ => finding,
    };
    report.findings = report.findings.into_iter().map(explain).collect();
    report
}

fn without_flags(text: &str) -> String {
    text.replace(", or name a wider root with --root", "")
}

fn by_the_application(text: &str) -> String {
    let switch = "set PRERENDER_ALLOW_EMPTY=true under plugin.env of the Application";
    text.replace("pass --allow-empty", switch)
}

fn from_the_sidecar(text: &str) -> String {
    match text.starts_with("set SOPS_AGE") {
        true => "put the identity into the Secret of the sidecar, and let the policy grant it",
        false => text,
    }
    .to_owned()
}

/// What the policy has to say for a flag that a remedy names.
fn by_the_policy(text: &str) -> String {
    let enable = match text.strip_prefix("pass ") {
        Some(flags) if flags.contains("--network") => "network",
        Some(flags) if flags.contains("--enable-helm") => "helm",
        Some(_) => "exec",
        None => return text.to_owned(),
    };
    format!(
        "an administrator of Argo CD can add {enable} to `enable` of the project's rule in the policy"
    )
}
