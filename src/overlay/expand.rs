//! Finds the instances of the overlays in use, renders them, and attaches them to the root.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexSet;
use minijinja::Value;

use super::applied::is_applied;
use super::conflict::{self, Existing, Fate};
use super::convert::to_value;
use super::definition::{Addition, Definition, Find, Once, Rule};
use super::language::Language;
use super::library::{Library, Loaded, is_unpinned, own_folders};
use super::root::Root;
use super::settings::{self, Layers};
use super::splice::add_to_list;
use super::target::Target;
use super::world::World;
use super::{Attached, Expansion, Instance, Request, State};
use crate::diagnostic::{Code, Diagnostic, Origin, Place, Report, Result, Source};
use crate::files::{File, Kind, Layer, TreePath};
use crate::kube::{Gvk, ResId, Resource};
use crate::yaml::{self, Node, ParseOptions};

/// An object that an instance adds.
pub(super) struct NewObject {
    pub(super) text: String,
    pub(super) node: Node,
    /// Its identity in the finished build.
    pub(super) id: ResId,
}

/// A file that an instance adds.
struct NewFile {
    name: String,
    objects: Vec<NewObject>,
}

/// A patch that an instance adds, written as the entry of `patches` that names it.
struct NewPatch {
    name: String,
    text: String,
    target: String,
    independent: bool,
}

/// An instance before it is known what the root has already.
pub(super) struct Draft<'a> {
    definition: Arc<Definition>,
    pub(super) target: Rc<Target<'a>>,
    pub(super) instance: Instance,
    /// What recognises an object that does the same under another name.
    pub(super) covers: Option<conflict::Cover>,
    files: Vec<NewFile>,
    patches: Vec<NewPatch>,
}

impl Draft<'_> {
    /// Every object that it adds.
    pub(super) fn objects(&self) -> impl Iterator<Item = &NewObject> {
        self.files.iter().flat_map(|f| &f.objects)
    }
}

/// Decides and attaches: see [`super::view`].
pub(super) fn expand<'a>(request: &Request<'a>) -> Result<Expansion<'a>> {
    let language = Language::new()?;
    check_pins(request)?;
    let library = Library::load(request.config, request.files, &language)?;
    settings::check_names(request.config, &library)?;
    let root = Root::read(
        request.files,
        request.directory,
        request.host.target_namespace,
    )?;
    let world = World::new(request, root, &language, &library);
    let mut finder = Drafter::new(&world, &library);
    let drafts = finder.drafts()?;
    let Drafter {
        used,
        names,
        mut report,
        ..
    } = finder;
    settings::tell_unused(
        request,
        &used,
        &names.into_iter().collect::<Vec<_>>(),
        &mut report,
    );
    attach(&world, drafts, report)
}

fn check_pins(request: &Request<'_>) -> Result<()> {
    if !request.host.must_pin {
        return Ok(());
    }
    let own = own_folders(request.config, request.files)?;
    let unpinned = request
        .config
        .used
        .iter()
        .find(|u| is_unpinned(&u.text, |name| own.contains_key(name)));
    match unpinned {
        None => Ok(()),
        Some(name) => {
            let phrase = format!("{} is used without a version", name.text);
            Err(Diagnostic::new(Code::OverlayConfig, phrase)
                .at(name.place.clone())
                .help(format!(
                    "a host renders what was reviewed: write {}@1",
                    name.text
                )))
        }
    }
}

/// Goes through overlays, rules and targets.
struct Drafter<'w, 'a> {
    world: &'w World<'w, 'a>,
    library: &'w Library,
    exists: Option<Value>,
    /// Which entries of `for` selected something.
    used: Vec<bool>,
    /// The names of all targets, to tell a typing error.
    names: IndexSet<String>,
    report: Report,
}

impl<'w, 'a> Drafter<'w, 'a> {
    fn new(world: &'w World<'w, 'a>, library: &'w Library) -> Self {
        let used = vec![false; world.request.config.overrides.len()];
        Self {
            world,
            library,
            exists: None,
            used,
            names: IndexSet::new(),
            report: Report::default(),
        }
    }

    fn drafts(&mut self) -> Result<Vec<Draft<'a>>> {
        let mut drafts = Vec::new();
        for overlay in &self.library.overlays {
            let definition = &overlay.definition;
            let mut inputs = None;
            for rule in &definition.rules {
                let mut seen = IndexSet::new();
                for target in self.world.targets(&rule.find, self.library)? {
                    self.names.insert(target.name.clone());
                    let scope = match rule.once {
                        Once::Object => None,
                        Once::Namespace => Some(target.namespace.clone()),
                        Once::Root => Some(String::new()),
                    };
                    if inputs.is_none() {
                        inputs = Some(self.base(definition)?);
                    }
                    let base = inputs.as_deref().expect("it was set above");
                    if scope.as_ref().is_some_and(|s| seen.contains(s)) {
                        continue;
                    }
                    let draft = self.draft(overlay, rule, target, base)?;
                    if !draft.files.is_empty() || !draft.patches.is_empty() {
                        seen.extend(scope);
                    }
                    drafts.push(draft);
                }
            }
        }
        Ok(drafts)
    }

    /// What is the same for all targets of an overlay.
    fn base(&mut self, definition: &Definition) -> Result<Vec<(String, Value)>> {
        let mut base = settings::inputs(definition, self.world.request)?;
        let exists = self
            .exists
            .get_or_insert_with(|| self.world.exists())
            .clone();
        base.push(("exists".to_owned(), exists));
        base.push(("objects".to_owned(), self.world.reader(definition)));
        let (prefix, suffix) = (
            self.world.root.prefix.clone(),
            self.world.root.suffix.clone(),
        );
        let named = move |name: &str| format!("{prefix}{name}{suffix}");
        base.push(("final_name".to_owned(), Value::from_function(named)));
        Ok(base)
    }

    fn draft(
        &mut self,
        overlay: &Loaded,
        rule: &Rule,
        target: Rc<Target<'a>>,
        base: &[(String, Value)],
    ) -> Result<Draft<'a>> {
        let definition = &overlay.definition;
        let layers = Layers::of(self.world.request, &target, &mut self.used)?;
        let target = with_namespace(target, &layers);
        let mut draft = Draft::new(definition, &target);
        if self.is_skipped(definition, &target, &layers) {
            return Ok(draft.ended(State::Skipped, "skip"));
        }
        let language = self.world.language;
        let pairs = base
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()));
        let about = [("target", target.value())];
        let context = Value::from_pairs(pairs.clone().chain(about.clone()));
        let parameters = layers.parameters(definition, language, &context)?;
        let params = [("params", to_value(&parameters))];
        let context = Value::from_pairs(pairs.chain(about).chain(params));
        draft.instance.parameters = parameters.clone();
        draft.instance.mode = parameters
            .get("mode")
            .and_then(Node::as_str)
            .map(str::to_owned);
        if let Some(when) = &rule.when
            && !language.evaluate(when, &context)?.is_true()
        {
            let reason = if target.resource.is_none() {
                "not for objects that a chart makes"
            } else {
                "its condition does not hold"
            };
            return Ok(draft.ended(State::Off, reason));
        }
        self.check_assertions(definition, &target, &context)?;
        if let Some(reason) = self.obstacle(definition, rule, &target)? {
            return Ok(draft.ended(State::LeftOut, &reason));
        }
        self.render(overlay, rule, &target, &context, &mut draft)?;
        draft.covers = match &definition.covers {
            Some(covers) if !rule.resources.is_empty() => {
                let selects = language.resolve(&covers.selects, &covers.place, &context)?;
                Some(conflict::Cover {
                    kind: covers.kind.clone(),
                    at: covers.at.clone(),
                    selects,
                })
            }
            _ => None,
        };
        Ok(draft)
    }

    fn is_skipped(
        &mut self,
        definition: &Definition,
        target: &Target<'_>,
        layers: &Layers<'_>,
    ) -> bool {
        let Some(name) = layers.skips().find(|n| n.text == *definition.name) else {
            return false;
        };
        let policy = self.world.request.host.policy;
        if policy.is_some_and(|p| p.mandatory.iter().any(|m| *m == *definition.name)) {
            let phrase = format!(
                "{} is mandatory here, and applies to {} although it is skipped",
                definition.name,
                target.display()
            );
            self.report
                .push(Diagnostic::warning(Code::OverlayConfig, phrase).at(name.place.clone()));
            return false;
        }
        true
    }

    fn check_assertions(
        &self,
        definition: &Definition,
        target: &Target<'_>,
        context: &Value,
    ) -> Result<()> {
        let language = self.world.language;
        for assertion in &definition.assertions {
            if language.evaluate(&assertion.that, context)?.is_true() {
                continue;
            }
            let fill =
                |e: &super::definition::Expression| language.fill(&e.text, &e.place, context);
            let mut error = Diagnostic::new(Code::OverlayAssertion, fill(&assertion.message)?)
                .at(target.place.clone());
            if let Some(help) = &assertion.help {
                error = error.help(fill(help)?);
            }
            return Err(error.note(format!("{} asks for it", definition.name)));
        }
        Ok(())
    }

    /// Why a rule cannot be applied to a target; told once as a warning.
    fn obstacle(
        &mut self,
        definition: &Definition,
        rule: &Rule,
        target: &Target<'_>,
    ) -> Result<Option<String>> {
        let name = &definition.name;
        if target.resource.is_none()
            && matches!(rule.find, Find::Each(_))
            && rule.patches.iter().any(|p| !p.independent)
        {
            let phrase = format!(
                "{name} is left out for {}: it patches the object, which is not in the build",
                target.display()
            );
            let help = "set the same in the values of the chart that makes it, and skip the overlay for it";
            self.report.push(
                Diagnostic::warning(Code::OverlayLeftOut, phrase)
                    .at(target.place.clone())
                    .help(help),
            );
            return Ok(Some("a chart makes the object".to_owned()));
        }
        if target.namespace.is_empty() {
            let phrase = format!(
                "{name} adds objects for {}, whose namespace is not known",
                target.display()
            );
            return Err(Diagnostic::new(Code::OverlayNamespace, phrase).at(target.place.clone()).help(format!(
                "set `namespace:` in the kustomization of {}, or `namespace` in an entry of `overlays.for`",
                shown(&self.world.root.directory)
            )));
        }
        let moved = self
            .world
            .root
            .namespace
            .as_ref()
            .filter(|n| self.world.filled(n) != target.namespace);
        if let Some(moved) = moved {
            let phrase = format!(
                "{name} is left out for {}: the root moves everything it lists to {moved}",
                target.display()
            );
            let help = format!(
                "render {} from a root that leaves it in {}",
                target.display(),
                target.namespace
            );
            self.report.push(
                Diagnostic::warning(Code::OverlayNamespace, phrase)
                    .at(target.place.clone())
                    .help(help),
            );
            return Ok(Some(format!("the root moves its objects to {moved}")));
        }
        Ok(None)
    }

    fn render(
        &self,
        overlay: &Loaded,
        rule: &Rule,
        target: &Target<'_>,
        context: &Value,
        draft: &mut Draft<'a>,
    ) -> Result<()> {
        let language = self.world.language;
        let rendered = |addition: &Addition| -> Result<Option<(String, String, String)>> {
            if let Some(when) = &addition.when
                && !language.evaluate(when, context)?.is_true()
            {
                return Ok(None);
            }
            let (path, text) = overlay
                .file(&addition.file)
                .expect("the library read every file that is named");
            let name = language.fill(&addition.name.text, &addition.name.place, context)?;
            Ok(Some((
                file_name(&name),
                path.to_owned(),
                language.render(path, text, context)?,
            )))
        };
        for addition in &rule.resources {
            if let Some((name, path, text)) = rendered(addition)? {
                let objects = self.objects(&path, &text)?;
                if !objects.is_empty() {
                    draft
                        .instance
                        .adds
                        .extend(objects.iter().map(|o| o.id.clone()));
                    draft.files.push(NewFile { name, objects });
                }
            }
        }
        for addition in &rule.patches {
            if let Some((name, path, text)) = rendered(addition)?
                && let Some(resource) = target.resource
                && !is_patched(&path, &text, resource)?
            {
                let target = self.world.patch_target(resource);
                draft.patches.push(NewPatch {
                    name,
                    text,
                    target,
                    independent: addition.independent,
                });
            }
        }
        Ok(())
    }

    /// The objects of a rendered file, each with its own text.
    fn objects(&self, path: &str, text: &str) -> Result<Vec<NewObject>> {
        let mut objects = Vec::new();
        for text in documents(text) {
            let Some(node) = parse_one(path, &text)? else {
                continue;
            };
            let resource = Resource::new(node, None);
            let invalid = |phrase: String| {
                Diagnostic::new(Code::OverlayInvalid, phrase).at(Place::file(path))
            };
            if resource.kind().is_empty() || resource.name().is_empty() {
                return Err(invalid(
                    "an added object lacks apiVersion, kind or metadata.name".to_owned(),
                ));
            }
            let scoped = resource.gvk().scope() == crate::kube::Scope::Namespaced;
            if scoped && resource.namespace().is_empty() {
                let phrase = format!("{} is added without metadata.namespace", resource.id());
                return Err(invalid(phrase).help("write `namespace: #{ target.namespace }#`"));
            }
            let id = self.world.final_id(&resource);
            objects.push(NewObject {
                text,
                node: resource.into_node(),
                id,
            });
        }
        Ok(objects)
    }
}

/// Gives a target that has no namespace the one of its entry of `for`.
fn with_namespace<'a>(target: Rc<Target<'a>>, layers: &Layers<'_>) -> Rc<Target<'a>> {
    match layers.namespace() {
        Some(namespace) if target.namespace.is_empty() => Rc::new(target.in_namespace(namespace)),
        _ => target,
    }
}

impl<'a> Draft<'a> {
    fn new(definition: &Arc<Definition>, target: &Rc<Target<'a>>) -> Self {
        let instance = Instance {
            overlay: Arc::clone(&definition.name),
            target: target.display(),
            mode: None,
            state: State::Added,
            reason: String::new(),
            adds: Vec::new(),
            files: Vec::new(),
            names: [
                target.name.clone(),
                target.namespace.clone(),
                target.source_name.clone(),
            ],
            parameters: Node::null(),
        };
        Self {
            definition: Arc::clone(definition),
            target: Rc::clone(target),
            instance,
            covers: None,
            files: Vec::new(),
            patches: Vec::new(),
        }
    }

    fn ended(mut self, state: State, reason: &str) -> Self {
        self.instance.state = state;
        reason.clone_into(&mut self.instance.reason);
        self.instance.adds.clear();
        self.files.clear();
        self.patches.clear();
        self
    }
}

impl World<'_, '_> {
    /// A text with the host's variables filled in.
    pub(super) fn filled(&self, text: &str) -> String {
        self.request
            .host
            .substitute
            .map_or_else(|| text.to_owned(), |fill| fill(text))
    }

    /// The identity that an object gets which the root lists.
    fn final_id(&self, resource: &Resource) -> ResId {
        let scoped = resource.gvk().scope() == crate::kube::Scope::Namespaced;
        let namespace = match (&self.root.namespace, scoped) {
            (Some(namespace), true) => namespace.as_str(),
            _ => resource.namespace(),
        };
        ResId {
            gvk: resource.gvk().clone(),
            namespace: self.filled(namespace).into(),
            name: self.filled(&self.root.name_after(resource.name())).into(),
        }
    }

    /// The `target` of a patch on a built object, as the root knows it when its patches apply.
    pub(super) fn patch_target(&self, resource: &Resource) -> String {
        let Gvk {
            group,
            version,
            kind,
        } = resource.gvk();
        let name = self
            .root
            .name_before(resource.name())
            .unwrap_or_else(|| resource.original_name());
        let mut parts = Vec::new();
        if !group.is_empty() {
            parts.push(format!("group: {group}"));
        }
        parts.push(format!("version: {version}"));
        parts.push(format!("kind: {kind}"));
        parts.push(format!("name: {}", pattern(name)));
        let namespace =
            Some(resource.namespace()).filter(|n| !n.is_empty() && self.root.namespace.is_none());
        parts.extend(namespace.map(|n| format!("namespace: {}", pattern(n))));
        format!("{{{}}}", parts.join(", "))
    }
}

/// A name as the regular expression that a patch target takes, quoted where YAML needs it.
fn pattern(name: &str) -> String {
    let escaped = regex::escape(name).replace(r"\-", "-");
    let plain = escaped
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '\\'));
    let starts = escaped.starts_with(|c: char| c.is_ascii_alphabetic());
    if plain && starts && !escaped.contains('\\') {
        escaped
    } else {
        format!("'{escaped}'")
    }
}

/// A file name with nothing in it that a shell, a URL or YAML would read otherwise.
fn file_name(name: &str) -> String {
    let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    name.chars().filter(fits).collect()
}

/// A directory in messages.
fn shown(directory: &TreePath) -> String {
    directory.to_string()
}

/// The documents of a rendered text; what stands before the first `---` is one too.
fn documents(text: &str) -> Vec<String> {
    let mut documents = vec![String::new()];
    for line in text.split_inclusive('\n') {
        if line.trim_end() == "---" {
            documents.push(String::new());
        } else {
            documents
                .last_mut()
                .expect("it is never empty")
                .push_str(line);
        }
    }
    documents.retain(|d| {
        d.lines()
            .any(|l| !l.trim().is_empty() && !l.trim_start().starts_with('#'))
    });
    documents
}

fn parse_one(path: &str, text: &str) -> Result<Option<Node>> {
    let source = Source::committed(path);
    let documents = yaml::parse(text, ParseOptions::default());
    let documents = documents.map_err(|e| {
        e.at(&source)
            .at(Place::file(path))
            .note("it is what the overlay's file renders to")
    })?;
    Ok(documents.into_iter().find(|n| !n.is_null()))
}

fn is_patched(path: &str, text: &str, resource: &Resource) -> Result<bool> {
    Ok(parse_one(path, text)?.is_none_or(|patch| is_applied(&patch, resource.node())))
}

/// Compares the drafts with what the root has, and puts the rest into a view.
fn attach<'a>(
    world: &World<'_, 'a>,
    mut drafts: Vec<Draft<'a>>,
    mut report: Report,
) -> Result<Expansion<'a>> {
    conflict::check_distinct(&drafts)?;
    let existing = Existing::find(world, &drafts);
    let mut attacher = Attacher::new(world);
    let mut applied: IndexSet<String> = IndexSet::new();
    // Overlays that need another one come after it, whatever the order of use.
    drafts.sort_by_key(|d| !d.definition.needs.is_empty());
    for draft in &mut drafts {
        let active = !draft.files.is_empty()
            || !draft.patches.is_empty()
            || draft.instance.state == State::Present;
        if active {
            let missing = draft
                .definition
                .needs
                .iter()
                .find(|n| !applied.contains(*n));
            if let Some(missing) = missing {
                let overlay = &draft.instance.overlay;
                let phrase = format!(
                    "{overlay} is left out for {}: it needs {missing}, which is not applied as it is meant",
                    draft.instance.target
                );
                let help = format!(
                    "use {missing}, or list the object that stands in its way under overlays.replace"
                );
                report.push(
                    Diagnostic::warning(Code::OverlayLeftOut, phrase)
                        .at(draft.target.place.clone())
                        .help(help),
                );
                let reason = format!("it needs {missing}");
                draft.instance.state = State::LeftOut;
                draft.instance.reason = reason;
                draft.instance.adds.clear();
                continue;
            }
            attacher.attach(draft, &existing, &mut report)?;
        }
        if matches!(
            draft.instance.state,
            State::Added | State::Present | State::Replaced
        ) {
            applied.insert(draft.instance.overlay.to_string());
        }
    }
    conflict::tell_unused(world, &mut report);
    let view = attacher.finish()?;
    let instances = drafts.into_iter().map(|d| d.instance).collect();
    Ok(Expansion {
        instances,
        report,
        view,
    })
}

/// Collects the files and the entries of the root kustomization that name them.
struct Attacher<'w, 'a> {
    world: &'w World<'w, 'a>,
    files: BTreeMap<TreePath, File>,
    resources: Vec<String>,
    patches: Vec<String>,
}

impl<'w, 'a> Attacher<'w, 'a> {
    fn new(world: &'w World<'w, 'a>) -> Self {
        Self {
            world,
            files: BTreeMap::new(),
            resources: Vec::new(),
            patches: Vec::new(),
        }
    }

    fn attach(
        &mut self,
        draft: &mut Draft<'a>,
        existing: &Existing<'a>,
        report: &mut Report,
    ) -> Result<()> {
        let fate = conflict::decide(self.world, draft, existing, report)?;
        let overlay = Arc::clone(&draft.instance.overlay);
        let namespace = draft.target.namespace.clone();
        let mut added = Vec::new();
        let mut attached = Vec::new();
        for file in &draft.files {
            let new: Vec<_> = file
                .objects
                .iter()
                .filter(|o| fate.of(&o.id) == Fate::New)
                .collect();
            if new.is_empty() {
                continue;
            }
            let text: String = new.iter().map(|o| format!("---\n{}", o.text)).collect();
            let name = self.put(&file.name, &namespace, text, &overlay)?;
            self.attached(&mut attached, name, None);
            added.extend(new.iter().map(|o| o.id.clone()));
        }
        for patch in conflict::replacements(self.world, draft, existing, &fate)? {
            let name = self.put(&patch.name, &namespace, patch.text, &overlay)?;
            self.attached(&mut attached, name, Some(patch.target));
        }
        let may_patch = |p: &&NewPatch| p.independent || !fate.is_kept();
        let mut patched = false;
        for patch in draft.patches.iter().filter(may_patch) {
            let name = self.put(&patch.name, &namespace, patch.text.clone(), &overlay)?;
            self.attached(&mut attached, name, Some(patch.target.clone()));
            patched = true;
        }
        draft.instance.files = attached;
        draft.instance.state = fate.state(!added.is_empty() || patched);
        draft.instance.reason = fate.reason();
        draft.instance.adds = added;
        Ok(())
    }

    /// Lists a file in the root kustomization, and in its instance.
    fn attached(&mut self, files: &mut Vec<Attached>, name: String, target: Option<String>) {
        let attached = Attached { name, target };
        let list = if attached.target.is_some() {
            &mut self.patches
        } else {
            &mut self.resources
        };
        list.push(attached.entry());
        files.push(attached);
    }

    /// Puts a file beside the root kustomization, under another name where its own is taken.
    fn put(
        &mut self,
        name: &str,
        namespace: &str,
        text: String,
        overlay: &Arc<str>,
    ) -> Result<String> {
        let names = [
            name.to_owned(),
            format!("prerender-{name}"),
            format!("prerender-{}-{name}", file_name(namespace)),
        ];
        for name in names {
            let path = self
                .world
                .root
                .directory
                .join(&name)
                .expect("a file name stays in its directory");
            let is_free =
                !self.files.contains_key(&path) && self.world.request.files.kind(&path)?.is_none();
            if is_free {
                self.add(
                    path,
                    text,
                    Origin::Overlay {
                        name: Arc::clone(overlay),
                    },
                );
                return Ok(name);
            }
        }
        let phrase = format!(
            "{overlay} cannot add {name}: the name and those with prerender- before it are taken"
        );
        Err(Diagnostic::new(Code::OverlayConflict, phrase)
            .at(Place::file(self.world.root.directory.as_str())))
    }

    fn add(&mut self, path: TreePath, text: String, origin: Origin) {
        let source = Source {
            path: Arc::from(path.as_str()),
            origin,
            secrets: Arc::from([]),
        };
        let file = File {
            path: path.clone(),
            bytes: Arc::from(text.into_bytes()),
            source: Arc::new(source),
        };
        self.files.insert(path, file);
    }

    fn finish(mut self) -> Result<Option<Layer<'a>>> {
        if self.resources.is_empty() && self.patches.is_empty() {
            return Ok(None);
        }
        let root = &self.world.root;
        match &root.file {
            Some(file) => {
                let text = String::from_utf8_lossy(&file.bytes);
                let text = add_to_list(&text, &file.source, "resources", &self.resources)?;
                let text = add_to_list(&text, &file.source, "patches", &self.patches)?;
                let changed = File {
                    bytes: Arc::from(text.into_bytes()),
                    ..File::clone(file)
                };
                self.files.insert(file.path.clone(), changed);
            }
            None => {
                let path = root
                    .directory
                    .join(super::root::NAMES[0])
                    .expect("a name stays in its directory");
                let mut resources = manifests(self.world)?;
                resources.append(&mut self.resources);
                let source = Source::committed(path.as_str());
                let head = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";
                let text = add_to_list(head, &source, "resources", &resources)?;
                let text = add_to_list(&text, &source, "patches", &self.patches)?;
                self.add(
                    path,
                    text,
                    Origin::Overlay {
                        name: Arc::from("prerender"),
                    },
                );
            }
        }
        Ok(Some(Layer::new(
            self.world.request.files,
            self.files.into_values(),
        )))
    }
}

/// What a directory without a kustomization applies: its manifests, and directories that have one.
fn manifests(world: &World<'_, '_>) -> Result<Vec<String>> {
    let files = world.request.files;
    let mut found = Vec::new();
    let mut open = vec![world.root.directory.clone()];
    while let Some(directory) = open.pop() {
        let mut below = Vec::new();
        for name in files.list(&directory)? {
            let path = directory
                .join(&name)
                .expect("a listed name stays in its directory");
            let is_manifest = [".yaml", ".yml"].iter().any(|e| name.ends_with(e));
            match files.kind(&path)? {
                Some(Kind::File) if is_manifest => {
                    found.push(path.relative_to(&world.root.directory))
                }
                Some(Kind::Directory) if !name.starts_with('.') => below.push(path),
                _ => {}
            }
        }
        for path in below.into_iter().rev() {
            let has = |name: &&str| {
                let file = path.join(name).expect("a name stays in its directory");
                files.kind(&file).is_ok_and(|k| k == Some(Kind::File))
            };
            if super::root::NAMES.iter().any(|n| has(&n)) {
                found.push(path.relative_to(&world.root.directory));
            } else {
                open.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
