//! The gate: after it objects can be written.

use secrecy::SecretString;

use super::{Landed, Root, layer};
use crate::diagnostic::{Diagnostic, Report, Result};
use crate::files::Asked;
use crate::kube::{ResMap, Resource};
use crate::overlay::Instance;
use crate::project::Checks;
use crate::secrets::{self, Leaves, fits};
use crate::template::Delimiters;
use crate::validate::flows::Assumptions;
use crate::validate::{self, GateOptions, Severities};
use crate::values::named_secrets;

/// A finished render: judged, and the only stage that can be written.
#[derive(Debug)]
pub struct Manifests {
    /// The objects, in the order of the output.
    pub resources: ResMap,
    /// What the user should know.
    pub warnings: Report,
    /// Which overlay applies to what, and why.
    pub overlays: Vec<Instance>,
    /// What the project says of secrets outside of Secrets.
    secrecy: Secrecy,
}

/// What a project says of secrets outside of Secrets.
#[derive(Debug, Clone, Default)]
struct Secrecy {
    /// Objects that may hold them: `Kind/name` or `Kind/namespace/name`.
    allowed: Vec<String>,
    /// Patterns of names of values.
    sensitive: Vec<String>,
}

impl Leaves for Manifests {
    fn sets(&self) -> Vec<&ResMap> {
        vec![&self.resources]
    }

    fn sets_mut(&mut self) -> Vec<&mut ResMap> {
        vec![&mut self.resources]
    }

    fn may_be_plain(&self, object: &Resource) -> bool {
        secrets::made::is_allowed(object.node(), &self.secrecy.allowed)
    }

    fn sensitive(&self) -> Vec<String> {
        self.secrecy.sensitive.clone()
    }

    fn warn(&mut self, finding: Diagnostic) {
        self.warnings.push(finding);
    }
}

impl Manifests {
    /// The manifests, as kustomize prints them.
    pub fn to_yaml(&self) -> Result<Vec<u8>> {
        let mut output = Vec::new();
        self.resources.write(&mut output)?;
        Ok(output)
    }
}

/// A render that was looked at, and may not be written.
#[derive(Debug)]
pub struct Judged {
    /// The objects, and what the user should know.
    pub landed: Landed,
    /// What the gate finds.
    pub found: Report,
    /// What the project has checked.
    pub checks: Checks,
    /// What is in the cluster beside the render.
    pub assumptions: Assumptions,
    /// Whether any overlay is in use.
    pub has_overlays: bool,
    /// What the build asked of the files, where that was noted.
    pub asked: Asked,
}

impl Judged {
    /// Lets objects pass, or reports why not.
    pub fn pass(self) -> Result<Manifests, Report> {
        passed(self.landed, self.found)
    }
}

/// Lets objects pass, or reports why not.
pub(super) fn run(landed: Landed, root: &Root<'_>) -> Result<Manifests, Report> {
    root.enter("gate");
    let judged = root.judge(&landed);
    let mut manifests = passed(landed, judged)?;
    manifests.secrecy = root.secrecy();
    Ok(manifests)
}

fn passed(landed: Landed, judged: Report) -> Result<Manifests, Report> {
    if judged.has_errors() {
        return Err(judged);
    }
    let mut warnings = landed.warnings;
    warnings.findings.extend(judged.findings);
    Ok(Manifests {
        resources: landed.resources,
        warnings,
        overlays: landed.overlays,
        secrecy: Secrecy::default(),
    })
}

impl Root<'_> {
    /// What the project says of secrets outside of Secrets.
    fn secrecy(&self) -> Secrecy {
        let checks = self.session.project().map(|project| &project.checks);
        checks.map_or_else(Secrecy::default, |checks| Secrecy {
            allowed: checks.plaintext_allow.clone(),
            sensitive: checks.sensitive.clone(),
        })
    }

    /// Renders the root, and reports what the gate finds.
    pub fn judged(&self) -> Result<Judged, Report> {
        let landed = self.landed()?;
        self.enter("gate");
        Ok(Judged {
            found: self.judge(&landed),
            checks: self.checks().cloned().unwrap_or_default(),
            assumptions: self.assumptions(),
            has_overlays: !self.overlays().is_empty(),
            asked: self.asked(),
            landed,
        })
    }

    /// Reports what the gate finds, and what overlays add and must not.
    pub fn judge(&self, landed: &Landed) -> Report {
        let mut found = self.gate(&landed.resources);
        found.findings.extend(self.guard(landed).findings);
        match layer::lacking(landed, self) {
            Ok(lacking) => found.findings.extend(lacking.findings),
            Err(error) => found.push(error),
        }
        self.masked(found)
    }

    /// Reports what the gate finds in objects of this root.
    pub fn gate(&self, resources: &ResMap) -> Report {
        let project = self.session.project();
        let delimiters = self.session.templates();
        let delimiters = delimiters.map_or_else(Vec::new, |t| opening(&t.settings.delimiters));
        let sensitive = self.sensitive();
        let sealed = self.opened.plaintexts();
        let named = named_secrets(self.session.values());
        let options = GateOptions {
            severities: if project.is_some() || self.request.host.is_some() {
                Severities::Strict
            } else {
                Severities::Lenient
            },
            delimiters: &delimiters,
            sensitive: &sensitive,
            sealed: &sealed,
            named: &named,
            plaintext_allowed: project.map_or(&[][..], |p| &p.checks.plaintext_allow),
            keep_sealed: self.request.secrets.may_leave_sealed(),
            must_have_objects: self.request.host.is_some_and(|host| !host.allow_empty),
        };
        validate::gate(resources, &options)
    }

    /// Refuses what overlays add and must not, since it drops a flow that CloudNativePG needs.
    fn guard(&self, landed: &Landed) -> Report {
        let guarded: Vec<_> = landed.overlays.iter().flat_map(Instance::guarded).collect();
        if guarded.is_empty() {
            return Report::default();
        }
        validate::guard(&landed.resources, &guarded, &self.assumptions())
    }

    /// The values that `checks.sensitive` lists.
    fn sensitive(&self) -> Vec<SecretString> {
        let project = self.session.project();
        let patterns = project.map_or(&[][..], |p| &p.checks.sensitive);
        let listed = |name: &&str| patterns.iter().any(|p| fits(p, name));
        let values = self.session.values();
        let texts = values
            .names()
            .filter(listed)
            .filter_map(|name| values.get(name));
        texts
            .filter_map(|value| value.as_str().map(SecretString::from))
            .collect()
    }
}

/// The marks that open a tag.
fn opening(delimiters: &Delimiters) -> Vec<String> {
    [&delimiters.block, &delimiters.variable, &delimiters.comment]
        .map(|pair| pair[0].clone())
        .to_vec()
}
