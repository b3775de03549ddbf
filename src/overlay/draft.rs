//! Instances before it is known what the root has already: settled, checked and rendered.

use std::rc::Rc;
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};
use minijinja::Value;

use super::applied::is_applied;
use super::conflict;
use super::convert::to_value;
use super::definition::{Addition, Definition, Expression, Find, Once, Rule};
use super::library::{Library, Loaded};
use super::names::file_name;
use super::settings::{self, Layers};
use super::target::OverlayTarget;
use super::world::RootObjects;
use super::{Instance, State};
use crate::diagnostic::{Code, Diagnostic, Place, Report, Result, Source};
use crate::kube::{ResId, Resource, Scope};
use crate::yaml::{self, Node, ParseOptions};

/// An object that an instance adds.
pub(super) struct NewObject {
    pub(super) text: String,
    pub(super) node: Node,
    /// Its identity in the cluster.
    pub(super) id: ResId,
    /// Its name in the finished build, where variables are not filled in yet.
    pub(super) built_name: String,
}

/// A file that an instance adds.
pub(super) struct NewFile {
    pub(super) name: String,
    pub(super) objects: Vec<NewObject>,
}

/// A patch that an instance adds, written as the entry of `patches` that names it.
pub(super) struct NewPatch {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) target: String,
    /// The object that it changes, as the build has it.
    pub(super) id: ResId,
    pub(super) independent: bool,
}

/// An instance before it is known what the root has already.
pub(super) struct Draft<'a> {
    pub(super) definition: Arc<Definition>,
    pub(super) target: Rc<OverlayTarget<'a>>,
    pub(super) instance: Instance,
    /// What recognises an object that does the same under another name.
    pub(super) covers: Option<conflict::Cover>,
    pub(super) files: Vec<NewFile>,
    pub(super) patches: Vec<NewPatch>,
}

impl Draft<'_> {
    /// Every object that it adds.
    pub(super) fn objects(&self) -> impl Iterator<Item = &NewObject> {
        self.files.iter().flat_map(|f| &f.objects)
    }
}

/// Goes through overlays, rules and targets.
pub(super) struct Drafter<'w, 'a> {
    world: &'w RootObjects<'w, 'a>,
    library: &'w Library,
    exists: Option<Value>,
    /// Which entries of `for` selected something.
    pub(super) used: Vec<bool>,
    /// The names of all targets, to tell a typing error.
    pub(super) names: IndexSet<String>,
    pub(super) report: Report,
}

impl<'w, 'a> Drafter<'w, 'a> {
    pub(super) fn new(world: &'w RootObjects<'w, 'a>, library: &'w Library) -> Self {
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

    pub(super) fn drafts(&mut self) -> Result<Vec<Draft<'a>>> {
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
        let namer = self.world.root.namer();
        let named = move |name: &str| namer(name);
        base.push(("final_name".to_owned(), Value::from_function(named)));
        base.push(("found".to_owned(), self.finder(definition)?));
        let text = |text: String| super::names::as_text(&text);
        base.push(("text".to_owned(), Value::from_function(text)));
        Ok(base)
    }

    /// What an overlay's expressions may ask the root for: where it holds what `finds` lists.
    fn finder(&mut self, definition: &Definition) -> Result<Value> {
        let mut found: IndexMap<String, Value> = IndexMap::new();
        for (name, finders) in &definition.finds {
            let Some(target) = self.world.contained(finders)? else {
                found.insert(name.clone(), Value::from(()));
                continue;
            };
            let layers = Layers::of(self.world.request, &target, &mut self.used)?;
            let target = with_namespace(Rc::new(target), &layers);
            found.insert(name.clone(), target.value());
        }
        let overlay = Arc::clone(&definition.name);
        Ok(Value::from_function(move |name: String| {
            found.get(&name).cloned().ok_or_else(|| {
                let message = format!("{overlay} does not declare {name} in finds");
                minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, message)
            })
        }))
    }

    fn draft(
        &mut self,
        overlay: &Loaded,
        rule: &Rule,
        target: Rc<OverlayTarget<'a>>,
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
        layers.tell_unheard(definition, &mut self.report);
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
        target: &OverlayTarget<'_>,
        layers: &Layers<'_>,
    ) -> bool {
        let Some(name) = layers.skips().find(|n| n.text == *definition.name) else {
            return false;
        };
        let policy = self.world.request.host.policy;
        if policy.is_some_and(|p| p.demands(&definition.name)) {
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
        target: &OverlayTarget<'_>,
        context: &Value,
    ) -> Result<()> {
        let language = self.world.language;
        for assertion in &definition.assertions {
            if language.evaluate(&assertion.that, context)?.is_true() {
                continue;
            }
            let fill = |e: &Expression| language.fill(&e.text, &e.place, context);
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
        target: &OverlayTarget<'_>,
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
                self.world.root.directory
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
        target: &OverlayTarget<'_>,
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
                    id: resource.id(),
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
            let scoped = resource.gvk().scope() == Scope::Namespaced;
            if scoped && resource.namespace().is_empty() {
                let phrase = format!("{} is added without metadata.namespace", resource.id());
                return Err(invalid(phrase).help("write `namespace: #{ target.namespace }#`"));
            }
            let id = self.world.final_id(&resource);
            let built_name = self.world.root.name_after(resource.gvk(), resource.name());
            objects.push(NewObject {
                text,
                node: resource.into_node(),
                id,
                built_name,
            });
        }
        Ok(objects)
    }
}

/// Gives a target that has no namespace the one of its entry of `for`.
fn with_namespace<'a>(target: Rc<OverlayTarget<'a>>, layers: &Layers<'_>) -> Rc<OverlayTarget<'a>> {
    match layers.namespace() {
        Some(namespace) if target.namespace.is_empty() => Rc::new(target.in_namespace(namespace)),
        _ => target,
    }
}

impl<'a> Draft<'a> {
    fn new(definition: &Arc<Definition>, target: &Rc<OverlayTarget<'a>>) -> Self {
        let instance = Instance {
            overlay: Arc::clone(&definition.name),
            target: target.display(),
            mode: None,
            state: State::Added,
            reason: String::new(),
            adds: Vec::new(),
            files: Vec::new(),
            guarded: Vec::new(),
            expected: Vec::new(),
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
        self.instance.guarded.clear();
        self.files.clear();
        self.patches.clear();
        self
    }
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
