//! The administrator's policy: what each project of Argo CD may open, read and start.
//!
//! It is named by a flag in plugin.yaml and by nothing else: no file of a repository, no parameter and no
//! variable that a tenant can set reaches it. The first rule that matches decides; no match is a refusal.

use std::path::PathBuf;
use std::time::Duration;

use regex::Regex;
use serde::Deserialize;

use crate::diagnostic::budget::{Growth, ROWS};
use crate::diagnostic::{Code, Diagnostic, Place, Result, Source};
use crate::programs::Environment;
use crate::yaml::{self, Spanned};

/// The deadline of a render when the policy says nothing: under Argo CD's 60 s, fetching taken off.
pub const DEFAULT_DEADLINE: Duration = Duration::from_secs(50);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PolicyFile {
    api_version: Spanned<String>,
    kind: Spanned<String>,
    #[serde(default)]
    defaults: DefaultsSection,
    #[serde(default)]
    overlays: OverlaysSection,
    projects: Vec<Spanned<RuleSection>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct DefaultsSection {
    #[serde(default)]
    deadline: Option<Spanned<String>>,
    #[serde(default)]
    memory: Option<Spanned<String>>,
    #[serde(default)]
    secrets: Option<Secrets>,
    #[serde(default)]
    enable: Vec<Program>,
    /// Variables of the sidecar that helm, git and curl see; a name may end in `*`.
    #[serde(default)]
    environment: Vec<String>,
    /// Limits of a render by their names.
    #[serde(default)]
    limits: std::collections::BTreeMap<String, Spanned<u64>>,
}

/// What leaves the plugin where a file is sealed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Secrets {
    /// The plaintext.
    #[default]
    Plain,
    /// The sealed file as it is.
    Keep,
    /// A hash under a key.
    Redact,
}

/// What a render may start or reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Program {
    /// `helm template`, for `helmCharts`.
    Helm,
    /// KRM exec functions of the repository.
    Exec,
    /// Remote resources.
    Network,
}

/// The overlays that every render gets, and what tenants cannot change of them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OverlaysSection {
    /// Sets and their major versions.
    #[serde(default, rename = "use")]
    pub sets: Vec<String>,
    /// Overlays that no project can leave out.
    #[serde(default)]
    pub mandatory: Vec<String>,
    /// Parameters and inputs that only the policy sets.
    #[serde(default)]
    pub lock: Vec<String>,
    /// Parameters of mandatory overlays that others may set as well.
    #[serde(default)]
    pub free: Vec<String>,
    /// Labels and annotations that objects of mandatory overlays may get.
    #[serde(default)]
    pub harmless: Vec<String>,
    /// Parameters and inputs, over those of projects and over values.
    #[serde(default)]
    pub parameters: serde_json::Map<String, serde_json::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleSection {
    #[serde(rename = "match")]
    matches: MatchSection,
    #[serde(default)]
    identities: Vec<PathBuf>,
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default)]
    enable: Option<Vec<Program>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MatchSection {
    project: String,
    #[serde(default)]
    repo: Option<String>,
    #[serde(default)]
    destination: Option<String>,
    #[serde(default)]
    path: Option<String>,
}

/// Which Application asks, as the host tells it.
#[derive(Debug, Clone, Default)]
pub struct Requester {
    /// `ARGOCD_APP_PROJECT_NAME`: set by Argo CD, not by the repository.
    pub project: String,
    /// `ARGOCD_APP_SOURCE_REPO_URL`.
    pub repo: String,
    /// `ARGOCD_APP_NAMESPACE`: the destination.
    pub destination: String,
    /// The Application's directory in the repository, where links and `..` of `ARGOCD_APP_SOURCE_PATH` lead.
    pub path: String,
}

/// What one Application may do.
#[derive(Debug, Clone)]
pub struct Grant {
    /// Files and directories of identities.
    pub identities: Vec<PathBuf>,
    /// Patterns of the paths that may be read, from the root; all when empty.
    pub paths: Vec<Pattern>,
    /// What it may start or reach.
    pub enable: Vec<Program>,
    /// What helm, git and curl see of the sidecar's environment.
    pub environment: Environment,
    /// When the render gives up.
    pub deadline: Duration,
    /// How much memory it may take, where that is bounded.
    pub memory_bytes: Option<u64>,
    /// What leaves the plugin where a file is sealed.
    pub secrets: Secrets,
    /// The policy of overlays.
    pub overlays: OverlaysSection,
}

/// A pattern over slashes: `*` is anything but a slash, `**` anything.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

impl Pattern {
    /// Compiles a pattern.
    pub fn new(text: &str) -> Self {
        let pieces: Vec<String> = text
            .split("**")
            .map(|p| {
                p.split('*')
                    .map(regex::escape)
                    .collect::<Vec<_>>()
                    .join("[^/]*")
            })
            .collect();
        let pattern = format!("^(?:{})$", pieces.join(".*"));
        Self(Regex::new(&pattern).expect("escaped text and two constants make a pattern"))
    }

    /// Whether the whole text fits.
    pub fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

/// Reads the policy and finds the rule for who asks.
///
/// Fails with [`Code::PolicyRefuses`] when no rule matches or Argo CD named no project.
pub fn decide(bytes: &[u8], source: &Source, asking: &Requester) -> Result<Grant> {
    let node = yaml::parse_config(bytes, source)?;
    let policy: PolicyFile = yaml::from_node(&node, source)?;
    if *policy.kind != "HostPolicy" || *policy.api_version != "prerender.dev/v1alpha1" {
        return Err(Diagnostic::new(
            Code::ProjectInvalid,
            "a policy has apiVersion prerender.dev/v1alpha1 and kind HostPolicy",
        )
        .at(at(&policy.kind, source)));
    }
    if asking.project.is_empty() {
        return Err(Diagnostic::new(
            Code::PolicyRefuses,
            "ARGOCD_APP_PROJECT_NAME is not set, so no rule of the policy can apply",
        )
        .at(Place::file(source.path.as_ref())));
    }
    let deadline = policy
        .defaults
        .deadline
        .as_ref()
        .map(|d| duration(d, source))
        .transpose()?;
    for (name, limit) in &policy.defaults.limits {
        let growth = Growth::of_name(name).filter(|_| **limit > 0);
        let growth = growth.ok_or_else(|| {
            let known: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
            Diagnostic::new(Code::FieldType, format!("{name} is not a limit above 0"))
                .at(at(limit, source))
                .help(format!("the limits are {}", known.join(", ")))
        })?;
        growth.set_limit(**limit);
    }
    let memory = policy.defaults.memory.as_ref();
    let memory_bytes = memory.map(|m| size(m, source)).transpose()?;
    let PolicyFile {
        defaults,
        overlays,
        projects,
        ..
    } = policy;
    let rule = projects
        .into_iter()
        .map(|rule| rule.value)
        .find(|rule| rule.matches.fits(asking));
    let rule = rule.ok_or_else(|| refusal(asking, source))?;
    Ok(Grant {
        identities: rule.identities,
        paths: rule.paths.iter().map(|p| Pattern::new(p)).collect(),
        enable: rule.enable.unwrap_or(defaults.enable),
        environment: Environment::named(defaults.environment),
        deadline: deadline.unwrap_or(DEFAULT_DEADLINE),
        memory_bytes,
        secrets: defaults.secrets.unwrap_or_default(),
        overlays,
    })
}

fn refusal(asking: &Requester, source: &Source) -> Diagnostic {
    let Requester {
        project,
        repo,
        destination,
        path,
    } = asking;
    Diagnostic::new(
        Code::PolicyRefuses,
        format!("no rule of the policy matches project {project}"),
    )
    .at(Place::file(source.path.as_ref()))
    .note(format!(
        "repository {repo}, path {path}, destination {destination}"
    ))
    .help("an administrator of Argo CD can add a rule")
}

impl MatchSection {
    fn fits(&self, asking: &Requester) -> bool {
        let fits = |pattern: &Option<String>, text: &str| {
            pattern
                .as_deref()
                .is_none_or(|p| Pattern::new(p).matches(text))
        };
        Pattern::new(&self.project).matches(&asking.project)
            && self
                .repo
                .as_deref()
                .is_none_or(|p| fits_address(p, &asking.repo))
            && fits(&self.destination, &asking.destination)
            && fits(&self.path, &asking.path)
    }
}

/// Whether an address fits a pattern in every form that a server may take it for: as it is written, and decoded.
fn fits_address(pattern: &str, address: &str) -> bool {
    let pattern_of = Pattern::new(pattern);
    let has_user = |text: &str| authority(text).contains('@');
    let mut form = address.to_owned();
    for _ in 0..MAX_DECODINGS {
        let is_plain = !climbs(&form) && !form.contains(is_foreign_in_an_address);
        if !is_plain || !pattern_of.matches(&form) || has_user(&form) != has_user(pattern) {
            return false;
        }
        let decoded = percent_decoded(&form);
        if decoded == form {
            return true;
        }
        form = decoded;
    }
    false
}

/// How often an address is decoded, each form being another one, before it is refused.
const MAX_DECODINGS: usize = 4;

/// What an address of a repository has no use for, and what moves the end of its host.
fn is_foreign_in_an_address(c: char) -> bool {
    matches!(c, '?' | '#' | '\\') || c.is_whitespace() || c.is_control()
}

/// The part of an address up to its path.
fn authority(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split_once('/').map_or(rest, |(host, _)| host)
}

/// An address with `%XX` decoded, once; what is not UTF-8 then is `\u{fffd}`, which fits no pattern by its letters.
fn percent_decoded(address: &str) -> String {
    let bytes = address.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = address.get(at + 1..at + 3);
        let byte = digits.and_then(|d| u8::from_str_radix(d, 16).ok());
        match byte.filter(|_| bytes[at] == b'%') {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Whether an address has a part `.` or `..`, which its server takes away: it is another one than it reads.
fn climbs(address: &str) -> bool {
    let mut parts = address.split(['/', '\\', ':']);
    parts.any(|part| part == "." || part == "..")
}

/// A whole number of milliseconds, seconds or minutes: `50s`, `2m`.
fn duration(text: &Spanned<String>, source: &Source) -> Result<Duration> {
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        _ => None,
    };
    let milliseconds = unit.and_then(|unit| number.parse::<u64>().ok()?.checked_mul(unit));
    milliseconds
        .filter(|m| *m > 0)
        .map(Duration::from_millis)
        .ok_or_else(|| {
            Diagnostic::new(Code::FieldType, format!("{} is no duration", **text))
                .at(at(text, source))
                .help("write 50s or 2m")
        })
}

/// A whole number of mebibytes or gibibytes: `384Mi`, `1Gi`.
fn size(text: &Spanned<String>, source: &Source) -> Result<u64> {
    let units = [("Mi", 20), ("Gi", 30)];
    let bytes = units.into_iter().find_map(|(unit, bits)| {
        let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
        number.checked_mul(1 << bits)
    });
    bytes.filter(|b| *b > 0).ok_or_else(|| {
        Diagnostic::new(Code::FieldType, format!("{} is no size", **text))
            .at(at(text, source))
            .help("write 384Mi or 1Gi")
    })
}

/// The place of a value in the policy.
fn at<T>(value: &Spanned<T>, source: &Source) -> Place {
    source.place(value.mark.line, value.mark.column)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "
apiVersion: prerender.dev/v1alpha1
kind: HostPolicy
defaults: {deadline: 40s}
projects:
  - match: {project: team-a, repo: \"https://git.example/team-a/*\", destination: \"team-a-*\"}
    identities: [/keys/team-a/]
    paths: [\"apps/team-a/**\"]
  - match: {project: platform}
    enable: [helm]
";

    fn asking(project: &str, repo: &str, destination: &str) -> Requester {
        Requester {
            project: project.into(),
            repo: repo.into(),
            destination: destination.into(),
            path: String::new(),
        }
    }

    fn decided(asking: &Requester) -> Result<Grant> {
        decide(POLICY.as_bytes(), &Source::committed("policy.yaml"), asking)
    }

    #[test]
    fn the_first_rule_that_matches_decides() {
        let grant = decided(&asking(
            "team-a",
            "https://git.example/team-a/shop",
            "team-a-prod",
        ))
        .unwrap();
        assert_eq!(grant.deadline, Duration::from_secs(40));
        assert!(grant.paths[0].matches("apps/team-a/x/y.yaml"));
        assert!(!grant.paths[0].matches("apps/team-b/x.yaml"));
        assert!(grant.enable.is_empty());
        assert_eq!(
            decided(&asking("platform", "x", "y")).unwrap().enable,
            [Program::Helm]
        );
    }

    #[test]
    fn an_address_fits_in_every_form_or_not_at_all() {
        let fits = |address| fits_address("https://*.example.com/team-a/*", address);
        assert!(fits("https://git.example.com/team-a/sh%6fp"));
        assert!(!fits("https://evil.com?.example.com/team-a/shop"));
        assert!(!fits("https://me@evil.com#.example.com/team-a/shop"));
        assert!(!fits("https://user@git.example.com/team-a/shop"));
        assert!(fits_address(
            "git@github.com:org/*",
            "git@github.com:org/shop"
        ));
    }

    #[test]
    fn no_rule_and_no_project_are_refused() {
        for asking in [
            asking("team-a", "https://git.example/team-a/..", "team-a-prod"),
            asking("team-a", "https://git.example/team-a/%2E%2e", "team-a-prod"),
            asking("team-a", "https://evil.example/team-a/x", "team-a-prod"),
            asking(
                "team-a",
                "https://git.example/team-a/%2F..%2Fteam-b",
                "team-a-prod",
            ),
            asking(
                "team-a",
                "https://git.example/team-a/.%2e%2fteam-b",
                "team-a-prod",
            ),
            asking(
                "team-a",
                "https://git.example/team-a/x%252F..%252Fy",
                "team-a-prod",
            ),
            asking("team-a", "https://git.example/team-a/x?y", "team-a-prod"),
            asking("", "", ""),
            asking("team-b", "", ""),
        ] {
            assert_eq!(decided(&asking).unwrap_err().code(), Code::PolicyRefuses);
        }
    }
}
