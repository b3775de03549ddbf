//! The credentials of databases: whose they are, and whether they stay the same.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::made::Thing;
use super::{References, list, text};
use crate::diagnostic::{Code, Diagnostic, Report};
use crate::kube::Resource;
use crate::yaml::Node;

/// The group of databases.
const GROUP: &str = "postgresql.cnpg.io";

/// The user of `superuserSecret`.
const SUPERUSER: &str = "postgres";

/// How a database is bootstrapped, where an owner and a Secret may be said.
const BOOTSTRAPS: [&str; 3] = ["initdb", "recovery", "pg_basebackup"];

/// Generators of external-secrets whose values are not meant to be made anew.
const LASTING: [&str; 2] = ["Password", "UUID"];

pub(super) fn check(references: &References<'_>, report: &mut Report) {
    for cluster in references.of_kind(GROUP, "Cluster") {
        for (secret, user) in secrets(cluster) {
            let Some(name) = secret.get("name").and_then(Node::as_str) else {
                continue;
            };
            let Some(made) = references.maker(Thing::Secret, cluster.namespace(), name) else {
                continue;
            };
            if let Some(user) = user
                && username(made.by).is_some_and(|found| found != user)
            {
                report.push(of_another(cluster, made.by, secret, name, &user));
            }
            report
                .findings
                .extend(made_anew(references, cluster, made.by, name));
        }
    }
}

/// The Secrets that a database takes a user and a password from, and the user where that is known.
fn secrets(cluster: &Resource) -> Vec<(&Node, Option<String>)> {
    let spec = |path: &[&str]| {
        let path: Vec<&str> = std::iter::once("spec")
            .chain(path.iter().copied())
            .collect();
        cluster.node().lookup(&path)
    };
    let mut found = Vec::new();
    found.extend(spec(&["superuserSecret"]).map(|secret| (secret, Some(SUPERUSER.to_owned()))));
    for how in BOOTSTRAPS {
        let Some(secret) = spec(&["bootstrap", how, "secret"]) else {
            continue;
        };
        let said = |field| spec(&["bootstrap", how, field]).and_then(Node::as_str);
        let owner = said("owner").or_else(|| said("database"));
        // Only a new database has an owner of its own accord.
        let owner = owner.or(Some("app").filter(|_| how == "initdb"));
        found.push((secret, owner.map(str::to_owned)));
    }
    for role in list(cluster.node(), &["spec", "managed", "roles"]) {
        let name = text(role, &["name"]).map(str::to_owned);
        found.extend(role.get("passwordSecret").map(|secret| (secret, name)));
    }
    found
}

/// The user of a Secret, where it can be known.
fn username(maker: &Resource) -> Option<String> {
    let node = maker.node();
    if maker.kind() == "ExternalSecret" {
        let constant = text(node, &["spec", "target", "template", "data", "username"])?;
        return (super::is_known(constant) && !constant.contains("{{"))
            .then(|| constant.to_owned());
    }
    if maker.kind() != "Secret" {
        return None;
    }
    let plain = text(node, &["stringData", "username"]).map(str::to_owned);
    let packed = || {
        let bytes = BASE64_STANDARD
            .decode(text(node, &["data", "username"])?)
            .ok()?;
        String::from_utf8(bytes).ok()
    };
    let found = plain.or_else(packed)?;
    (super::is_known(&found) && !found.starts_with("ENC[")).then_some(found)
}

fn of_another(
    cluster: &Resource,
    maker: &Resource,
    node: &Node,
    name: &str,
    user: &str,
) -> Diagnostic {
    let phrase = format!(
        "{} takes Secret/{name} for the user {user}, and its username is another",
        cluster.id()
    );
    Diagnostic::new(Code::ReferenceMissing, phrase)
        .at(cluster.place_of(node))
        .via(maker.place())
        .note("the instance manager refuses it, and the password is never set")
        .help(format!(
            "set username: {user} in the Secret, or name another one"
        ))
}

/// A password that a generator makes anew each time the ExternalSecret is refreshed.
fn made_anew(
    references: &References<'_>,
    cluster: &Resource,
    maker: &Resource,
    name: &str,
) -> Option<Diagnostic> {
    if maker.kind() != "ExternalSecret" {
        return None;
    }
    let spec = maker.node().get("spec")?;
    let is_lasting = match text(spec, &["refreshPolicy"]) {
        None | Some("Periodic") => {
            let interval = spec.get("refreshInterval").and_then(Node::scalar_text);
            interval.is_some_and(|interval| interval.trim_end_matches(char::is_alphabetic) == "0")
        }
        Some(_) => true,
    };
    let refers = |entry: &Node| {
        let generator = entry.lookup(&["sourceRef", "generatorRef"])?;
        let (kind, named) = (text(generator, &["kind"])?, text(generator, &["name"])?);
        is_random(references, kind, named).then_some(())
    };
    let mut sources = list(spec, &["dataFrom"]).iter();
    if is_lasting || !sources.any(|entry| refers(entry).is_some()) {
        return None;
    }
    let phrase = format!(
        "Secret/{name} of {} is made anew at each refresh of {}",
        cluster.id(),
        maker.id()
    );
    Some(
        Diagnostic::warning(Code::SecretFought, phrase)
            .at(maker.place())
            .note("a generator gives another value each time it is asked, and the password changes with it")
            .help("set refreshPolicy: CreatedOnce, or refreshInterval: \"0\""),
    )
}

/// Whether a generator makes values that are to stay; a ClusterGenerator says its kind itself.
fn is_random(references: &References<'_>, kind: &str, name: &str) -> bool {
    const GENERATORS: &str = "generators.external-secrets.io";
    if kind != "ClusterGenerator" {
        return LASTING.contains(&kind);
    }
    let mut generators = references.of_kind(GENERATORS, kind);
    let found = generators.find(|generator| generator.name() == name);
    let made = found.and_then(|generator| text(generator.node(), &["spec", "kind"]));
    made.is_some_and(|made| LASTING.contains(&made))
}
