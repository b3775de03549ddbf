//! The objects of Argo CD that a tree holds, and what becomes of them.
//!
//! Applications and sets are applied in rounds: those of a round are rendered, what they render to is applied, sets
//! make theirs, and the next round begins with what is new. An Application that was rendered is not changed any
//! more, so that loops end. Cases: `tree-*`, `real-*`.

use indexmap::IndexMap;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use serde_json::{Value as Json, json};

use super::crd;
use super::generators::Switches;
use super::projects::{self, Project};
use super::repositories::Repositories;
use super::sets;
use super::sources::{RenderedSources, Sources};
use super::world::{ClusterState, NAMESPACE};
use crate::argocd::wire::object::{at, gvk, name, namespace, set_namespace, shown, text};
use crate::go::template::Budget;
use crate::kube::{Gvk, Scope};

/// The most Applications that one tree may make: a loop that makes ever new ones ends there.
const MAX_APPLICATIONS: usize = 20_000;

/// An object that is applied, and the file that it was read from.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The object.
    pub object: Json,
    /// The file, as the user named it.
    pub file: String,
    /// The line on which it begins, from 1.
    pub line: u32,
}

/// What is asked for.
pub struct Request<'a> {
    /// What is applied to begin with.
    pub entries: Vec<Entry>,
    /// Documents that say what the cluster and the APIs of others hold.
    pub values: Vec<Json>,
    /// Which directory each repository is.
    pub repositories: &'a Repositories,
    /// How sources are rendered; nothing where they are not.
    pub sources: Option<&'a Sources<'a>>,
    /// Whether what Applications render to is applied.
    pub is_recursive: bool,
    /// Argo CD's switches.
    pub switches: Switches,
}

/// Where an Application comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A file, and the line in it.
    File(String, u32),
    /// A set, `NAMESPACE/NAME`, and the number of its generator.
    Set(String, usize),
    /// An Application, `NAMESPACE/NAME`.
    Application(String),
}

/// An Application, and all that is known of it.
#[derive(Debug, Clone)]
pub struct Listed {
    /// As it lies in the cluster.
    pub manifest: Json,
    /// Where it comes from.
    pub origin: Origin,
    /// Why Argo CD will not sync it.
    pub conditions: Vec<String>,
    /// What of a source does not render.
    pub error: Option<String>,
    /// Whether a source is in a repository that is not known here.
    pub is_elsewhere: bool,
    /// Why a source was not rendered.
    pub skipped: Option<String>,
    /// What its project does not permit.
    pub not_permitted: Vec<String>,
    /// What it renders to.
    pub objects: Vec<Json>,
    is_rendered: bool,
}

/// A set, and what is wrong with it.
#[derive(Debug, Clone)]
pub struct ListedSet {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// What is wrong.
    pub error: Option<String>,
}

/// An object that the API server would not take.
#[derive(Debug, Clone)]
pub struct Refused {
    /// `Kind/NAMESPACE/NAME`.
    pub object: String,
    /// Why.
    pub errors: Vec<String>,
}

/// Everything that was found.
#[derive(Debug, Default)]
pub struct Listing {
    /// Applications, by namespace and name.
    pub applications: IndexMap<String, Listed>,
    /// Sets.
    pub sets: Vec<ListedSet>,
    /// What is refused.
    pub refused: Vec<Refused>,
    /// What Argo CD drops or does without a word.
    pub warnings: Vec<String>,
}

impl Listing {
    /// Whether anything has an error.
    pub fn has_errors(&self) -> bool {
        let is_wrong = |a: &Listed| {
            !a.conditions.is_empty() || a.error.is_some() || !a.not_permitted.is_empty()
        };
        !self.refused.is_empty()
            || self.sets.iter().any(|set| set.error.is_some())
            || self.applications.values().any(is_wrong)
    }
}

/// Applies the entries and lists what is then in the cluster.
pub fn list(request: Request<'_>) -> Listing {
    let mut cluster = Cluster {
        world: ClusterState::new(),
        listing: Listing::default(),
        pending_sets: Vec::new(),
        known_sets: IndexMap::new(),
        budget: Budget::default(),
        request: &request,
    };
    for document in &request.values {
        match document.as_object() {
            Some(fields) if !fields.contains_key("kind") => cluster.world.add_answers(fields),
            _ => cluster.world.add(document.clone()),
        }
    }
    let (settings, others): (Vec<&Entry>, Vec<&Entry>) = (request.entries.iter())
        .partition(|entry| !text(&entry.object, &["kind"]).starts_with("Application"));
    for entry in settings.into_iter().chain(others) {
        let origin = Origin::File(entry.file.clone(), entry.line);
        cluster.apply(entry.object.clone(), NAMESPACE, &origin);
    }
    cluster.reconcile_sets();
    cluster.rounds();
    cluster.listing
}

struct Cluster<'a> {
    world: ClusterState,
    listing: Listing,
    pending_sets: Vec<Json>,
    /// The sets that were applied.
    known_sets: IndexMap<String, ()>,
    /// What filling the templates of all sets may cost.
    budget: Budget,
    request: &'a Request<'a>,
}

fn key(object: &Json) -> String {
    format!("{}/{}", namespace(object), name(object))
}

impl Cluster<'_> {
    /// Applies an object that Argo CD itself acts on; all others are nothing to it.
    fn apply(&mut self, mut object: Json, default_namespace: &str, origin: &Origin) {
        let (group, _, kind) = gvk(&object);
        let is_own = group == "argoproj.io"
            && matches!(kind, "Application" | "ApplicationSet" | "AppProject");
        if !is_own {
            if kind == "Secret" && group.is_empty() {
                if namespace(&object).is_empty() {
                    set_namespace(&mut object, default_namespace);
                }
                self.world.add(object);
            }
            return;
        }
        let kind = kind.to_owned();
        // The API server keeps one version, whatever the manifest names.
        if let Some(fields) = object.as_object_mut() {
            fields.insert("apiVersion".to_owned(), "argoproj.io/v1alpha1".into());
        }
        if namespace(&object).is_empty() {
            set_namespace(&mut object, default_namespace);
        }
        if !self.admit(&mut object, origin) {
            return;
        }
        match kind.as_str() {
            "AppProject" => self.apply_project(object),
            "ApplicationSet" => self.apply_set(object),
            _ => self.apply_application(object, origin.clone()),
        }
    }

    fn admit(&mut self, object: &mut Json, origin: &Origin) -> bool {
        let admitted = crd::admit(object);
        if text(object, &["kind"]) == "Application" {
            crd::as_typed(object);
        }
        let shown = format!("{}/{}", text(object, &["kind"]), key(object));
        for field in admitted.unknown {
            let place = match origin {
                Origin::File(file, line) => format!("{file}:{line}: "),
                _ => String::new(),
            };
            self.listing.warnings.push(format!(
                "{place}{shown}: the field {field} is not known and is dropped"
            ));
        }
        if admitted.errors.is_empty() {
            return true;
        }
        self.listing.refused.push(Refused {
            object: shown,
            errors: admitted.errors,
        });
        false
    }

    fn apply_project(&mut self, project: Json) {
        if Project(&project).denies() {
            self.listing.warnings.push(format!(
                "AppProject {}: a pattern with `!` permits everything that it does not deny",
                key(&project)
            ));
        }
        self.world.add(project);
    }

    fn apply_set(&mut self, set: Json) {
        let key = key(&set);
        if self.known_sets.insert(key.clone(), ()).is_some() {
            match self
                .pending_sets
                .iter_mut()
                .find(|other| self::key(other) == key)
            {
                Some(slot) => *slot = set,
                None => self
                    .listing
                    .warnings
                    .push(format!("ApplicationSet {key} is applied twice")),
            }
            return;
        }
        self.pending_sets.push(set);
    }

    fn apply_application(&mut self, manifest: Json, origin: Origin) {
        let key = key(&manifest);
        if let Some(known) = self.listing.applications.get(&key) {
            if origin_is_file(&origin) || !matches!(origin, Origin::Set(..)) {
                self.listing
                    .warnings
                    .push(format!("Application {key} is applied twice"));
            }
            if known.is_rendered {
                return;
            }
        }
        if self.listing.applications.len() >= MAX_APPLICATIONS {
            let words = format!(
                "there are more than {MAX_APPLICATIONS} Applications: the others are left out"
            );
            if self.listing.warnings.last() != Some(&words) {
                self.listing.warnings.push(words);
            }
            return;
        }
        let listed = Listed {
            manifest,
            origin,
            conditions: Vec::new(),
            error: None,
            is_elsewhere: false,
            skipped: None,
            not_permitted: Vec::new(),
            objects: Vec::new(),
            is_rendered: false,
        };
        self.listing.applications.insert(key, listed);
    }

    /// Has the sets that are new make their Applications.
    fn reconcile_sets(&mut self) {
        let request = self.request;
        for set in std::mem::take(&mut self.pending_sets) {
            let made = sets::make(
                &self.world,
                request.repositories,
                request.switches,
                &set,
                &self.budget,
            );
            let set_key = key(&set);
            self.listing.warnings.extend(
                made.silent
                    .iter()
                    .map(|words| format!("ApplicationSet {set_key}: {words}")),
            );
            let policy = text(&set, &["spec", "syncPolicy", "applicationsSync"]);
            let mut error = made.error;
            for (application, generator) in made.applications.into_iter().zip(made.generators) {
                let origin = Origin::Set(set_key.clone(), generator);
                if let Some(wrong) = self.create(application, origin, policy) {
                    error.get_or_insert(wrong);
                }
            }
            self.listing.sets.push(ListedSet {
                namespace: namespace(&set).to_owned(),
                name: name(&set).to_owned(),
                error,
            });
        }
    }

    /// Creates or updates an Application for a set; what comes back is why it was not.
    fn create(&mut self, mut application: Json, origin: Origin, policy: &str) -> Option<String> {
        let key = key(&application);
        let admitted = crd::admit(&mut application);
        if let Some(error) = admitted.errors.first() {
            return Some(format!("Application {key}: {error}"));
        }
        if let Some(known) = self.listing.applications.get(&key) {
            if let Origin::Set(other, _) = &known.origin {
                return Some(format!(
                    "Application {key} belongs to the ApplicationSet {other}"
                ));
            }
            if matches!(policy, "create-only" | "create-delete") {
                return None;
            }
        }
        self.apply_application(application, origin);
        None
    }

    fn rounds(&mut self) {
        loop {
            let round: Vec<String> = (self.listing.applications.iter())
                .filter(|(_, listed)| !listed.is_rendered)
                .map(|(key, _)| key.clone())
                .collect();
            if round.is_empty() {
                return;
            }
            let rendered = self.rendered(&round);
            let mut applied = Vec::new();
            for (key, rendered) in round.iter().zip(rendered) {
                applied.extend(self.judge(key, rendered));
            }
            for (object, namespace, origin) in applied {
                self.apply(object, &namespace, &origin);
            }
            self.reconcile_sets();
        }
    }

    /// Renders the Applications of a round beside each other.
    fn rendered(&self, round: &[String]) -> Vec<RenderedSources> {
        let Some(sources) = self.request.sources else {
            return round.iter().map(|_| RenderedSources::default()).collect();
        };
        let manifests: Vec<&Json> = round
            .iter()
            .map(|key| &self.listing.applications[key].manifest)
            .collect();
        manifests
            .par_iter()
            .map(|manifest| sources.render(manifest))
            .collect()
    }

    /// Judges one Application that was rendered; what comes back is what its sync applies.
    fn judge(&mut self, key: &str, rendered: RenderedSources) -> Vec<(Json, String, Origin)> {
        let Some(mut listed) = self.listing.applications.get(key).cloned() else {
            return Vec::new();
        };
        listed.is_rendered = true;
        listed.conditions = projects::conditions(&self.world, &listed.manifest);
        listed.error = rendered.error;
        listed.is_elsewhere = rendered.is_elsewhere;
        listed.skipped = rendered.skipped;
        listed.objects = rendered.objects;
        if listed.conditions.is_empty() {
            listed.not_permitted = self.not_permitted(&listed);
        }
        let stops = !listed.conditions.is_empty()
            || listed.error.is_some()
            || !listed.not_permitted.is_empty();
        let mut applied = Vec::new();
        if self.request.is_recursive && !stops {
            let namespace = text(&listed.manifest, &["spec", "destination", "namespace"]);
            let origin = Origin::Application(key.to_owned());
            applied = (listed.objects.iter())
                .map(|object| (object.clone(), namespace.to_owned(), origin.clone()))
                .collect();
        }
        self.listing.applications.insert(key.to_owned(), listed);
        applied
    }

    /// The objects that the project does not permit: their kinds, and the namespaces that they go to.
    fn not_permitted(&self, listed: &Listed) -> Vec<String> {
        let spec = &listed.manifest["spec"];
        let project = match text(spec, &["project"]) {
            "" => "default",
            project => project,
        };
        let destination = at(spec, &["destination"])
            .cloned()
            .unwrap_or_else(|| json!({}));
        let (Some(project), Ok(cluster)) = (
            self.world.project(project).map(Project),
            self.world.destination(&destination),
        ) else {
            return Vec::new();
        };
        let mut refused = Vec::new();
        for object in &listed.objects {
            let (group, _, kind) = gvk(object);
            let is_namespaced = is_namespaced(object);
            let place = match namespace(object) {
                "" => text(&destination, &["namespace"]),
                own => own,
            };
            let permits = project.permits_kind(group, kind, name(object), is_namespaced)
                && (!is_namespaced || project.permits_destination(&self.world, &cluster, place));
            if !permits {
                refused.push(shown(object));
            }
        }
        refused
    }
}

fn origin_is_file(origin: &Origin) -> bool {
    matches!(origin, Origin::File(..))
}

/// Whether objects of a kind lie in namespaces: as Kubernetes has it, else as the object says.
fn is_namespaced(object: &Json) -> bool {
    let gvk = Gvk::new(text(object, &["apiVersion"]), text(object, &["kind"]));
    match gvk.is_built_in() {
        true => gvk.scope() == Scope::Namespaced,
        false => !namespace(object).is_empty(),
    }
}
