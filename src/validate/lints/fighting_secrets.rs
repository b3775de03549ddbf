//! ExternalSecrets that fight a Secret of the repository, or wait for one that nobody makes.

use super::text;
use crate::diagnostic::{Code, Diagnostic, Report};
use crate::kube::{ResMap, Resource};
use crate::validate::walk;
use crate::yaml::Node;

pub(super) fn check(resources: &ResMap, report: &mut Report) {
    for external in resources
        .iter()
        .filter(|r| r.gvk().is("external-secrets.io", "ExternalSecret"))
    {
        report.findings.extend(target(external, resources));
        report.findings.extend(lost_label(external));
    }
}

fn target(external: &Resource, resources: &ResMap) -> Option<Diagnostic> {
    let name = text(external, &["spec", "target", "name"]).unwrap_or(external.name());
    let policy = text(external, &["spec", "target", "creationPolicy"]).unwrap_or("Owner");
    let secret = resources.iter().find(|r| {
        r.gvk().is("", "Secret")
            && r.name() == name
            && r.effective_namespace() == external.effective_namespace()
    });
    let (phrase, note, help) = match (secret, policy) {
        (Some(secret), "Merge") if !shares_a_key(external, secret) => return None,
        (Some(secret), "Owner" | "Merge" | "Orphan") => (
            format!(
                "{} writes {}, which the repository has too",
                external.id(),
                secret.id()
            ),
            "the host restores the old value at each reconcile, and External Secrets writes its own again",
            "take the Secret out of the repository, or give the ExternalSecret a target of its own",
        ),
        (None, "Merge")
            if is_of_cnpg(name, external, resources)
                && !made_by_cnpg(name, external, resources) =>
        {
            (
                format!(
                    "{} merges into Secret/{name}, which nothing here makes",
                    external.id()
                ),
                "Merge never creates the Secret: without it the ExternalSecret waits for the next refresh",
                "use creationPolicy: Owner",
            )
        }
        _ => return None,
    };
    let finding = Diagnostic::warning(Code::SecretFought, phrase)
        .at(external.place())
        .note(note)
        .help(help);
    Some(match secret.and_then(Resource::place) {
        Some(place) => finding.note(format!("the Secret is at {place}")),
        None => finding,
    })
}

/// Whether both write one of the keys, or may: what `dataFrom` finds is not known. Merging into a Secret of the
/// repository is right where each has keys of its own.
fn shares_a_key(external: &Resource, secret: &Resource) -> bool {
    let spec = |path: &[&str]| external.node().lookup(path);
    let template = spec(&["spec", "target", "template", "data"]).and_then(Node::as_mapping);
    let listed = super::list(external.node(), &["spec", "data"]).iter();
    let written: Vec<&str> = match template {
        Some(template) => template.iter().map(|(key, _)| key).collect(),
        None => listed
            .filter_map(|d| d.get("secretKey")?.scalar_text())
            .collect(),
    };
    let is_open = written.is_empty()
        || (template.is_none() && !super::list(external.node(), &["spec", "dataFrom"]).is_empty());
    let mut kept = ["data", "stringData"]
        .iter()
        .filter_map(|field| secret.node().get(field)?.as_mapping())
        .flat_map(|m| m.iter().map(|(key, _)| key));
    is_open || kept.any(|key| written.contains(&key))
}

/// Whether a Secret is for CNPG: a Cluster names it, or it is to be reloaded or holds a generated password.
/// Other controllers make Secrets of their own, which merging is for.
fn is_of_cnpg(name: &str, external: &Resource, resources: &ResMap) -> bool {
    let reload = ["metadata", "labels", "cnpg.io/reload"];
    let sources = super::list(external.node(), &["spec", "dataFrom"]);
    let generates = |s: &Node| s.lookup(&["sourceRef", "generatorRef"]).is_some();
    external.node().lookup(&reload).is_some()
        || sources.iter().any(generates)
        || super::clusters(resources).any(|cluster| {
            let mut named = false;
            walk::scalars(cluster.node(), &mut |path, _, node| {
                named |= path.len() > 2 && node.scalar_text() == Some(name);
            });
            named && cluster.effective_namespace() == external.effective_namespace()
        })
}

/// CNPG makes `CLUSTER-app` and `CLUSTER-superuser` itself.
fn made_by_cnpg(name: &str, external: &Resource, resources: &ResMap) -> bool {
    super::clusters(resources)
        .filter(|c| c.effective_namespace() == external.effective_namespace())
        .any(|c| {
            ["app", "superuser"]
                .iter()
                .any(|s| name == format!("{}-{s}", c.name()))
        })
}

/// Labels of the ExternalSecret reach the Secret only while there is no template.
fn lost_label(external: &Resource) -> Option<Diagnostic> {
    const RELOAD: &str = "cnpg.io/reload";
    let node = external.node();
    let own = node.lookup(&["metadata", "labels", RELOAD])?;
    let template = node.lookup(&["spec", "target", "template"])?;
    if template.lookup(&["metadata", "labels", RELOAD]).is_some() {
        return None;
    }
    let phrase = format!(
        "the label {RELOAD} of {} does not reach the Secret",
        external.id()
    );
    Some(
        Diagnostic::warning(Code::SecretFought, phrase)
            .at(external.place_of(own))
            .note("labels are copied only while there is no target.template; CNPG would not reload the password")
            .help(format!("set it under spec.target.template.metadata.labels: {RELOAD}: \"true\"")),
    )
}
