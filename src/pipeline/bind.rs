//! The variables that Flux fills after the build.

use super::{Built, Layered, Root};
use crate::diagnostic::{Report, Result};
use crate::kube::ResMap;
use crate::overlay::{Instance, Usage};
use crate::substitute;

/// A root whose variables are filled in.
pub struct Bound {
    /// The objects, in the order of the output.
    pub resources: ResMap,
    /// What the user should know.
    pub warnings: Report,
    /// Which overlay applies to what, and why.
    pub overlays: Vec<Instance>,
    /// Which entries of `for` select something here.
    pub usage: Usage,
}

/// Fills variables, where the host does.
pub(super) fn run(layered: Layered, root: &Root<'_>) -> Result<Bound, Report> {
    let mut bound = Bound {
        resources: layered.built.resources,
        warnings: layered.built.warnings,
        overlays: layered.overlays,
        usage: layered.usage,
    };
    if let Some(flux) = root.request.host.and_then(|host| host.flux.as_ref())
        && let Some(variables) = &flux.variables
    {
        let (resources, told) = substitute::run(bound.resources, variables, flux.strictness)?;
        bound.resources = resources;
        bound.warnings.findings.extend(told.findings);
    }
    bound.warnings.findings.extend(layered.warnings.findings);
    Ok(bound)
}

/// The objects of a build with their variables filled in; `None` where the host fills none.
pub(super) fn filled(built: &Built, root: &Root<'_>) -> Result<Option<ResMap>, Report> {
    let flux = root.request.host.and_then(|host| host.flux.as_ref());
    let variables = flux.and_then(|flux| Some((flux.variables.as_ref()?, flux.strictness)));
    let Some((variables, strictness)) = variables else {
        return Ok(None);
    };
    let (resources, _) = substitute::run(built.resources.clone(), variables, strictness)?;
    Ok(Some(resources))
}
