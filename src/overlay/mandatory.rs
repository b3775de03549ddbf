//! What an administrator makes mandatory, judged on the objects as the host will hold them.
//!
//! The overlays are decided once more, on the finished objects and not on those of the build: what a patch, a
//! transformer, a list in another kind or a changed kind made is there by now. Each object of a mandatory overlay
//! has to be there whole: name, namespace and content, and no metadata by which a host or a controller would skip,
//! move or remove it. Nothing is added here any more.

use super::conflict::{Existing, covering};
use super::draft::{Draft, Drafter, NewObject};
use super::language::Language;
use super::library::Library;
use super::meaning::has_same_content;
use super::root::Root;
use super::world::RootObjects;
use super::{Policy, Request, State};
use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::kube::Resource;
use crate::yaml::{Mapping, Node};

/// The metadata that an object may have besides labels and annotations.
const IDENTITY: [&str; 2] = ["name", "namespace"];

/// Labels and annotations that nothing acts on; those without a domain are harmless, too.
const HARMLESS: [&str; 4] = [
    "app.kubernetes.io/",
    "config.kubernetes.io/origin",
    "alpha.config.kubernetes.io/transformations",
    "prerender.dev/",
];

/// Reports each mandatory overlay that does not hold whole for a target among the finished objects.
///
/// `request.built` has the finished objects, lists unrolled. Fails as [`super::view`] does.
pub fn lacking(request: &Request<'_>) -> Result<Report> {
    let mut report = Report::default();
    let Some(policy) = request.host.policy.filter(|p| !p.mandatory.is_empty()) else {
        return Ok(report);
    };
    let language = Language::new()?;
    let library = Library::load(request.config, request.files, &language)?;
    let has = |name: &String| {
        library
            .overlays
            .iter()
            .any(|o| *o.definition.name == **name)
    };
    if let Some(unknown) = policy.mandatory.iter().find(|name| !has(name)) {
        let phrase = format!("the policy makes {unknown} mandatory, and no set in use has it");
        let help =
            "an administrator of Argo CD can name its set in the policy, under `overlays.use`";
        return Err(Diagnostic::new(Code::PolicyRefuses, phrase).help(help));
    }
    let mut root = Root::read(request.files, request.directory, None)?;
    // Objects have their namespaces by now, and some may have another one than the root says.
    root.namespace = None;
    let world = RootObjects::new(request, root, &language, &library);
    let mut drafts = Drafter::new(&world, &library).drafts()?;
    drafts.retain(|draft| policy.demands(&draft.instance.overlay));
    let existing = Existing::find(&world, &drafts);
    for draft in &drafts {
        report
            .findings
            .extend(judge(&world, policy, draft, &existing));
    }
    Ok(report)
}

fn judge<'a>(
    world: &RootObjects<'_, 'a>,
    policy: &Policy,
    draft: &Draft<'a>,
    existing: &Existing<'a>,
) -> Option<Diagnostic> {
    let instance = &draft.instance;
    let subject = format!("{} is mandatory here, and", instance.overlay);
    if matches!(instance.state, State::Off | State::Skipped | State::LeftOut) {
        let phrase = format!("{subject} does not apply to {}", instance.target);
        let why = format!("{}: {}", instance.state.name(), instance.reason);
        let help = "remove what keeps it away; an administrator of Argo CD can set its inputs in the policy, under `overlays.parameters`";
        return Some(
            Diagnostic::new(Code::PolicyRefuses, phrase)
                .note(why)
                .help(help),
        );
    }
    draft.objects().find_map(|object| {
        let wrong = fault(world, policy, draft, object, existing)?;
        let phrase = format!("{subject} {wrong}");
        let help = "take what changes it out of the root; what is harmless, an administrator of Argo CD can list in the policy, under `overlays.harmless`";
        Some(
            Diagnostic::new(Code::PolicyRefuses, phrase)
                .at(draft.target.place.clone())
                .note(format!("it applies to {}", instance.target))
                .help(help),
        )
    })
}

/// Why an object of a mandatory overlay does not hold.
fn fault<'a>(
    world: &RootObjects<'_, 'a>,
    policy: &Policy,
    draft: &Draft<'a>,
    object: &NewObject,
    existing: &Existing<'a>,
) -> Option<String> {
    let id = &object.id;
    let present = match existing.of(object) {
        Some(resource) => vec![resource],
        None => covering(world, draft, object),
    };
    if present.is_empty() {
        return Some(format!("the finished render has no {id}"));
    }
    let is_whole = |resource: &&&Resource| {
        resource.gvk().version == id.gvk.version && has_same_content(&object.node, resource.node())
    };
    let mut same = present.iter().filter(is_whole).peekable();
    if same.peek().is_none() {
        return Some(format!("{id} has another content"));
    }
    let faults = same.map(|resource| metadata_fault(policy, object, resource));
    // One that holds is enough.
    let faults: Option<Vec<String>> = faults.collect();
    faults.and_then(|mut faults| (!faults.is_empty()).then(|| faults.remove(0)))
}

/// What of an object's metadata could keep it from being applied, or remove it again.
fn metadata_fault(policy: &Policy, object: &NewObject, resource: &Resource) -> Option<String> {
    let id = &object.id;
    let fields = |node: &'_ Node| -> Vec<(String, Node)> {
        let metadata = node.get("metadata").and_then(Node::as_mapping);
        let fields = metadata.into_iter().flat_map(Mapping::iter);
        fields
            .map(|(key, value)| (key.to_owned(), value.clone()))
            .collect()
    };
    let ours = fields(&object.node);
    for (key, value) in fields(resource.node()) {
        let own = ours.iter().find(|(k, _)| *k == key).map(|(_, v)| v);
        if IDENTITY.contains(&key.as_str()) || own == Some(&value) {
            continue;
        }
        if !matches!(key.as_str(), "labels" | "annotations") {
            return Some(format!("{id} has metadata.{key}"));
        }
        for (name, text) in value.as_mapping().into_iter().flat_map(Mapping::iter) {
            let declared = own.and_then(|own| own.get(name));
            if declared != Some(text) && !policy.is_harmless(name) {
                return Some(format!("{id} has metadata.{key}.{name}"));
            }
        }
    }
    None
}

impl Policy {
    /// Whether nothing that reads a label or annotation of this name skips, moves or removes its object.
    fn is_harmless(&self, name: &str) -> bool {
        let listed = self.harmless.iter().any(|p| match p.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == p,
        });
        !name.contains('/') || HARMLESS.iter().any(|h| name.starts_with(h)) || listed
    }
}
