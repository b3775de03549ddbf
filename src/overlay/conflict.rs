//! Objects that the root has already: by identity, or under another name.

use indexmap::IndexMap;

use super::State;
use super::config::OnConflict;
use super::definition::GroupKind;
use super::draft::{Draft, NewObject};
use super::meaning::{has_same_content, is_same, lacks};
use super::world::RootObjects;
use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::kube::{ResId, Resource, Scope};
use crate::yaml::{self, Mapping, Node};

/// What becomes of an object that an instance adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ConflictOutcome {
    /// It is added.
    New,
    /// It is there with the same meaning.
    Same,
    /// It is there, and differs; it stays.
    Kept,
    /// It is there, and differs; its content is replaced.
    Replaced,
}

/// The fates of an instance's objects.
pub(super) struct Fates {
    by_id: Vec<(ResId, ConflictOutcome)>,
    reason: String,
}

impl Fates {
    pub(super) fn of(&self, id: &ResId) -> ConflictOutcome {
        self.by_id
            .iter()
            .find(|(i, _)| i == id)
            .map_or(ConflictOutcome::New, |(_, fate)| *fate)
    }

    pub(super) fn is_kept(&self) -> bool {
        self.by_id
            .iter()
            .any(|(_, fate)| *fate == ConflictOutcome::Kept)
    }

    pub(super) fn reason(&self) -> String {
        self.reason.clone()
    }

    /// The state of the instance; `changed` tells whether it adds or patches anything.
    pub(super) fn state(&self, changed: bool) -> State {
        let has = |wanted| self.by_id.iter().any(|(_, fate)| *fate == wanted);
        match (
            has(ConflictOutcome::Kept),
            has(ConflictOutcome::Replaced),
            changed,
        ) {
            (true, ..) => State::Kept,
            (_, true, _) => State::Replaced,
            (.., true) => State::Added,
            _ => State::Present,
        }
    }
}

/// What an object selects that does an instance's work under another name.
pub(super) struct Cover {
    pub(super) kind: GroupKind,
    pub(super) at: Vec<String>,
    pub(super) selects: Node,
}

/// The built objects that stand where instances would add theirs.
pub(super) struct Existing<'a> {
    by_id: IndexMap<[String; 4], &'a Resource>,
}

fn key(id: &ResId) -> [String; 4] {
    [&id.gvk.group, &id.gvk.kind, &id.namespace, &id.name].map(ToString::to_string)
}

impl<'a> Existing<'a> {
    /// Looks through the built objects once.
    pub(super) fn find(world: &RootObjects<'_, 'a>, drafts: &[Draft<'a>]) -> Self {
        let wanted: IndexMap<_, ()> = drafts
            .iter()
            .flat_map(Draft::objects)
            .map(|o| (key(&o.id), ()))
            .collect();
        let mut by_id = IndexMap::new();
        if wanted.is_empty() {
            return Self { by_id };
        }
        for resource in world.request.built {
            let id = world.built_id(resource);
            let key = key(&id);
            if wanted.contains_key(&key) {
                by_id.insert(key, resource);
            }
        }
        Self { by_id }
    }

    /// The object with the identity of one that an instance adds.
    pub(super) fn of(&self, object: &NewObject) -> Option<&'a Resource> {
        self.by_id.get(&key(&object.id)).copied()
    }
}

impl RootObjects<'_, '_> {
    /// The identity of a built object in the cluster.
    pub(super) fn built_id(&self, resource: &Resource) -> ResId {
        let mut id = resource.id();
        let host = &self.request.host;
        let scoped = resource.gvk().scope() == Scope::Namespaced;
        let namespace = match (&self.root.namespace, scoped) {
            (Some(namespace), true) => namespace.as_str(),
            (None, true) if id.namespace.is_empty() => {
                host.destination_namespace.unwrap_or_default()
            }
            _ => &id.namespace,
        };
        id.namespace = self.filled(namespace).into();
        id.name = self.filled(&id.name).into();
        id
    }
}

/// Refuses two instances that add one object. Fails with [`Code::OverlayConflict`].
pub(super) fn check_distinct(drafts: &[Draft<'_>]) -> Result<()> {
    let mut seen: IndexMap<[String; 4], &Draft<'_>> = IndexMap::new();
    for draft in drafts {
        for object in draft.objects() {
            let Some(first) = seen.insert(key(&object.id), draft) else {
                continue;
            };
            let (a, b) = (&first.instance, &draft.instance);
            let phrase = if a.overlay == b.overlay {
                format!(
                    "{} adds {} for {} and for {}",
                    a.overlay, object.id, a.target, b.target
                )
            } else {
                format!("{} and {} both add {}", a.overlay, b.overlay, object.id)
            };
            return Err(Diagnostic::new(Code::OverlayConflict, phrase)
                .at(draft.target.place.clone())
                .help("skip one of them for this target"));
        }
    }
    Ok(())
}

/// Compares the objects of an instance with those of the root.
pub(super) fn decide<'a>(
    world: &RootObjects<'_, 'a>,
    draft: &Draft<'a>,
    existing: &Existing<'a>,
    report: &mut Report,
) -> Result<Fates> {
    let mut fates = Fates {
        by_id: Vec::new(),
        reason: String::new(),
    };
    for object in draft.objects() {
        let present = existing.of(object);
        let fate = match present {
            Some(resource) if is_same(&object.node, resource.node()) => {
                fates.reason = format!("{} is there", object.id);
                ConflictOutcome::Same
            }
            Some(resource) => {
                differing(world, draft, object, &[resource], &mut fates.reason, report)?
            }
            None => {
                let covering = covering(world, draft, object);
                if covering.is_empty() {
                    ConflictOutcome::New
                } else {
                    covered(world, draft, object, &covering, &mut fates.reason, report)?
                }
            }
        };
        fates.by_id.push((object.id.clone(), fate));
    }
    Ok(fates)
}

fn covered<'a>(
    world: &RootObjects<'_, 'a>,
    draft: &Draft<'a>,
    object: &NewObject,
    covering: &[&'a Resource],
    reason: &mut String,
    report: &mut Report,
) -> Result<ConflictOutcome> {
    let nodes: Vec<_> = covering.iter().map(|r| r.node()).collect();
    if lacks(&object.node, &nodes).is_none() {
        *reason = format!("{} does the same", world.built_id(covering[0]));
        return Ok(ConflictOutcome::Same);
    }
    differing(world, draft, object, covering, reason, report)
}

/// Built objects of the same namespace that select the same under another name.
pub(super) fn covering<'a>(
    world: &RootObjects<'_, 'a>,
    draft: &Draft<'a>,
    object: &NewObject,
) -> Vec<&'a Resource> {
    let Some(cover) = &draft.covers else {
        return Vec::new();
    };
    let gvk = &object.id.gvk;
    if gvk.kind != cover.kind.kind || gvk.group != cover.kind.group {
        return Vec::new();
    }
    let keys: Vec<&str> = cover.at.iter().map(String::as_str).collect();
    let selects = |resource: &Resource| {
        let Some(selector) = resource.node().lookup(&keys).and_then(Node::as_mapping) else {
            return false;
        };
        let wanted = cover.selects.as_mapping().map_or(&[][..], Mapping::entries);
        let same = |key: &str, value: &Node| {
            selector.iter().any(|(k, v)| {
                let bare = k
                    .strip_prefix("k8s:")
                    .or_else(|| k.strip_prefix("any:"))
                    .unwrap_or(k);
                bare == key
                    && v.scalar_text().map(|t| world.filled(t))
                        == value.scalar_text().map(str::to_owned)
            })
        };
        selector.len() == wanted.len()
            && wanted
                .iter()
                .all(|e| same(e.key.scalar_text().unwrap_or_default(), &e.value))
    };
    let objects = world.objects(&cover.kind).iter().copied();
    objects
        .filter(|r| world.built_id(r).namespace == object.id.namespace && selects(r))
        .collect()
}

/// Decides about an object that is there and differs.
fn differing<'a>(
    world: &RootObjects<'_, 'a>,
    draft: &Draft<'a>,
    object: &NewObject,
    present: &[&'a Resource],
    reason: &mut String,
    report: &mut Report,
) -> Result<ConflictOutcome> {
    let config = world.request.config;
    let id = world.built_id(present[0]);
    let listed = config.replace.iter().any(|name| names(&name.text, &id));
    let nodes: Vec<_> = present.iter().map(|r| r.node()).collect();
    let what = lacks(&object.node, &nodes).unwrap_or_else(|| "says more".to_owned());
    let policy = world.request.host.policy;
    let is_mandatory = policy.is_some_and(|p| p.demands(&draft.instance.overlay));
    let on_conflict = match config.on_conflict {
        _ if listed => OnConflict::Replace,
        Some(OnConflict::Replace) => OnConflict::Replace,
        _ if is_mandatory => OnConflict::Fail,
        chosen => chosen.unwrap_or_default(),
    };
    if on_conflict == OnConflict::Replace {
        // Replacing leaves names and labels: what was replaced before has the content, if not the labels.
        if has_same_content(&object.node, present[0].node()) {
            *reason = format!("{id} has the content");
            return Ok(ConflictOutcome::Same);
        }
        *reason = format!("{id} differs");
        return Ok(ConflictOutcome::Replaced);
    }
    let others = match present.len() {
        1 => String::new(),
        n => format!(" (with {} more that select the same)", n - 1),
    };
    let subject = &draft.instance.overlay;
    let phrase = format!("{id}{others} differs from what {subject} adds: it {what}");
    *reason = format!("{id} differs");
    let help = format!(
        "list {} under overlays.replace, or skip {subject} for {}",
        written(&id),
        draft.instance.target
    );
    if on_conflict == OnConflict::Fail {
        let error = Diagnostic::new(Code::OverlayConflict, phrase).at(present[0].place());
        if is_mandatory {
            return Err(error
                .note(format!("{subject} is mandatory here"))
                .help(format!("list {} under overlays.replace", written(&id))));
        }
        return Err(error.help(help));
    }
    report.push(
        Diagnostic::warning(Code::OverlayConflict, phrase)
            .at(present[0].place())
            .note("it is kept as it is")
            .help(help),
    );
    Ok(ConflictOutcome::Kept)
}

/// Whether `Kind/namespace/name` or `Kind/name` names an object.
fn names(text: &str, id: &ResId) -> bool {
    match text.split('/').collect::<Vec<_>>()[..] {
        [kind, namespace, name] => {
            kind == id.gvk.kind && namespace == id.namespace && name == id.name
        }
        [kind, name] => kind == id.gvk.kind && name == id.name,
        _ => false,
    }
}

fn written(id: &ResId) -> String {
    id.to_string()
}

/// A patch that replaces the content of an object.
pub(super) struct Replacement {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) target: String,
    /// The object that it changes, as the build has it.
    pub(super) id: ResId,
}

/// The patches that replace what is there by what an instance adds.
pub(super) fn replacements<'a>(
    world: &RootObjects<'_, 'a>,
    draft: &Draft<'a>,
    existing: &Existing<'a>,
    fates: &Fates,
) -> Result<Vec<Replacement>> {
    let mut patches = Vec::new();
    for object in draft
        .objects()
        .filter(|o| fates.of(&o.id) == ConflictOutcome::Replaced)
    {
        let present = match existing.of(object) {
            Some(resource) => vec![resource],
            None => covering(world, draft, object),
        };
        // Of several objects that do the work together, the first gets the whole content.
        let Some(resource) = present.first() else {
            continue;
        };
        let id = world.built_id(resource);
        patches.push(Replacement {
            name: format!("patch-{}-{}.yaml", id.gvk.kind.to_lowercase(), id.name),
            text: replacement(&object.node, resource.node())?,
            target: world.patch_target(resource),
            id: resource.id(),
        });
    }
    Ok(patches)
}

/// JSON patch operations that give `theirs` the content of `ours`; name, namespace and labels stay.
fn replacement(ours: &Node, theirs: &Node) -> Result<String> {
    let is_content = |key: &str| !matches!(key, "apiVersion" | "kind" | "metadata" | "status");
    let mut operations = Vec::new();
    for (key, value) in ours
        .as_mapping()
        .into_iter()
        .flat_map(Mapping::iter)
        .filter(|(k, _)| is_content(k))
    {
        let op = if theirs.get(key).is_some() {
            "replace"
        } else {
            "add"
        };
        operations.push(operation(op, key, Some(value)));
    }
    for (key, _) in theirs
        .as_mapping()
        .into_iter()
        .flat_map(Mapping::iter)
        .filter(|(k, _)| is_content(k))
    {
        if ours.get(key).is_none() {
            operations.push(operation("remove", key, None));
        }
    }
    let mut out = Vec::new();
    yaml::write_manifest(&mut out, &Node::sequence(operations)).map_err(|_| {
        Diagnostic::new(
            Code::OverlayInvalid,
            "an added object has a value that is no manifest",
        )
    })?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

fn operation(op: &str, key: &str, value: Option<&Node>) -> Node {
    let mut node = Node::mapping();
    let mapping = node.as_mapping_mut().expect("it was just made");
    mapping.insert("op", Node::string(op));
    mapping.insert(
        "path",
        Node::string(format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
    );
    if let Some(value) = value {
        mapping.insert("value", value.clone());
    }
    node
}

/// Tells about entries of `replace` that name no object.
pub(super) fn tell_unused(world: &RootObjects<'_, '_>, report: &mut Report) {
    for name in &world.request.config.replace {
        let parts = name.text.split('/').count();
        if !(2..=3).contains(&parts) {
            let phrase = format!("{} names no object", name.text);
            report.push(
                Diagnostic::warning(Code::OverlayConfig, phrase)
                    .with_severity(world.request.host.severity())
                    .at(name.place.clone())
                    .help("write Kind/namespace/name"),
            );
        }
    }
}
