//! A Flux Kustomization, read from the object that a parent applies.

use std::fmt;

use crate::diagnostic::{Code, Diagnostic, Place, Report};
use crate::kube::Resource;
use crate::pipeline::{Adjustments, Change, Image};
use crate::yaml::{Mapping, Node, Tag};

/// The group of Kustomizations.
pub const GROUP: &str = "kustomize.toolkit.fluxcd.io";

/// Namespace and name of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Id {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// An object that another one names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// The kind.
    pub kind: String,
    /// Namespace and name.
    pub id: Id,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.id)
    }
}

/// What fills the variables after the build.
#[derive(Debug, Clone, Default)]
pub struct PostBuild {
    /// Where it is written.
    pub place: Option<Place>,
    /// `substitute`, in order.
    pub inline: Vec<(String, String, Option<Place>)>,
    /// `substituteFrom`, in order.
    pub from: Vec<VariableSource>,
    /// Whether substitution runs where there is no variable at all.
    pub always: bool,
}

/// A ConfigMap or Secret whose data are variables.
#[derive(Debug, Clone)]
pub struct VariableSource {
    /// The object.
    pub object: Reference,
    /// Whether it may be missing.
    pub optional: bool,
    /// Where it is named.
    pub place: Option<Place>,
}

/// A Kustomization of `kustomize.toolkit.fluxcd.io`, in any of its versions.
#[derive(Debug, Clone)]
pub struct Kustomization {
    /// Namespace and name.
    pub id: Id,
    /// Where it is written.
    pub place: Option<Place>,
    /// `spec.path`, from the root of its source.
    pub path: String,
    /// Where the path is written.
    pub path_place: Option<Place>,
    /// Where its files come from.
    pub source: Option<Reference>,
    /// What must be applied before it.
    pub depends_on: Vec<(Id, Option<Place>)>,
    /// Whether the controller leaves it alone.
    pub suspended: bool,
    /// Whether it is applied to another cluster.
    pub remote: bool,
    /// What it sets on the root kustomization.
    pub adjustments: Adjustments,
    /// `buildMetadata`.
    pub build_metadata: Vec<String>,
    /// What it says in vain.
    pub without_effect: Vec<Diagnostic>,
    /// Whether sealed manifests are opened.
    pub decrypts: bool,
    /// What fills the variables.
    pub post_build: Option<PostBuild>,
    /// `commonMetadata.labels`.
    pub labels: Vec<(String, String)>,
    /// `commonMetadata.annotations`.
    pub annotations: Vec<(String, String)>,
}

impl Kustomization {
    /// Whether an object is one.
    pub fn is(resource: &Resource) -> bool {
        resource.kind() == "Kustomization" && resource.gvk().group == GROUP
    }

    /// The entry of a cluster where no object says what it is: a path, and nothing set.
    pub fn of_path(id: Id, path: &str) -> Self {
        Self {
            id,
            place: None,
            path: path.to_owned(),
            path_place: None,
            source: None,
            depends_on: Vec::new(),
            suspended: false,
            remote: false,
            adjustments: Adjustments::default(),
            build_metadata: Vec::new(),
            without_effect: Vec::new(),
            decrypts: true,
            post_build: None,
            labels: Vec::new(),
            annotations: Vec::new(),
        }
    }

    /// Reads an object; one without a namespace is taken to be in `namespace`.
    ///
    /// Fails with [`Code::FieldType`] and [`Code::FieldMissing`] for each field that the API server would
    /// refuse, and with [`Code::FluxInvalid`] for what the controller would.
    pub fn read(resource: &Resource, namespace: &str) -> Result<Self, Report> {
        let mut reader = Reader {
            resource,
            namespace: match resource.namespace() {
                "" => namespace,
                own => own,
            },
            found: Report::default(),
        };
        let read = reader.kustomization();
        match reader.found.is_empty() {
            true => Ok(read),
            false => Err(reader.found),
        }
    }

    /// What an object that is applied must have, and this one lacks. One that a parent is still to patch
    /// need not have it.
    pub(super) fn lacking(resource: &Resource) -> Report {
        let mut report = Report::default();
        for field in ["interval", "prune"] {
            if resource.node().lookup(&["spec", field]).is_none() {
                let phrase = format!("{} lacks spec.{field}", resource.id());
                let finding = Diagnostic::new(Code::FieldMissing, phrase)
                    .at(resource.place())
                    .note("the API server refuses it");
                report.push(finding);
            }
        }
        report
    }

    /// As messages name it.
    pub fn shown(&self) -> String {
        format!("Kustomization {}", self.id)
    }
}

struct Reader<'a> {
    resource: &'a Resource,
    namespace: &'a str,
    found: Report,
}

impl<'a> Reader<'a> {
    fn kustomization(&mut self) -> Kustomization {
        let id = Id {
            namespace: self.namespace.to_owned(),
            name: self.resource.name().to_owned(),
        };
        let place = self.resource.place();
        let Some(spec) = self.mapping(self.resource.node().get("spec"), "spec") else {
            self.missing("spec", place.clone());
            return Kustomization::of_path(id, "");
        };
        let mut read = Kustomization::of_path(id, "");
        read.path = self.text(spec, "path").unwrap_or_default();
        read.path_place = self.place_of(spec.get("path")).or(place.clone());
        read.place = place;
        read.source = self.source(spec);
        read.depends_on = self.dependencies(spec);
        read.suspended = self.is_true(spec, "suspend");
        read.remote = spec.get("kubeConfig").is_some_and(|n| !n.is_null());
        read.adjustments = self.adjustments(spec);
        read.build_metadata = self.strings(spec, "buildMetadata");
        read.without_effect = self.without_effect(spec);
        read.decrypts = self.decryption(spec);
        read.post_build = self.post_build(spec);
        if let Some(common) = self.mapping(spec.get("commonMetadata"), "commonMetadata") {
            let pairs = |list: Vec<(String, String, _)>| {
                list.into_iter().map(|(k, v, _)| (k, v)).collect::<Vec<_>>()
            };
            read.labels = pairs(self.pairs(common, "labels"));
            read.annotations = pairs(self.pairs(common, "annotations"));
        }
        read
    }

    fn source(&mut self, spec: &'a Mapping) -> Option<Reference> {
        let Some(node) = self.mapping(spec.get("sourceRef"), "sourceRef") else {
            self.missing("spec.sourceRef", self.resource.place());
            return None;
        };
        Some(self.reference(node, "sourceRef"))
    }

    fn reference(&mut self, node: &'a Mapping, field: &str) -> Reference {
        for key in ["kind", "name"] {
            if !node.contains(key) {
                self.missing(&format!("{field}.{key}"), self.resource.place());
            }
        }
        Reference {
            kind: self.text(node, "kind").unwrap_or_default(),
            id: self.id(node),
        }
    }

    fn id(&mut self, node: &'a Mapping) -> Id {
        Id {
            namespace: self
                .text(node, "namespace")
                .filter(|n| !n.is_empty())
                .unwrap_or_else(|| self.namespace.to_owned()),
            name: self.text(node, "name").unwrap_or_default(),
        }
    }

    fn dependencies(&mut self, spec: &'a Mapping) -> Vec<(Id, Option<Place>)> {
        let items = self.list(spec, "dependsOn");
        let mut found = Vec::new();
        for item in items {
            if let Some(node) = self.mapping(Some(item), "dependsOn") {
                found.push((self.id(node), self.place_of(Some(item))));
            }
        }
        found
    }

    fn adjustments(&mut self, spec: &'a Mapping) -> Adjustments {
        let components = self.strings(spec, "components");
        for component in components.iter().filter(|c| !is_local(c)) {
            let phrase = format!("the component {component} is not a relative path");
            let place = self.place_of(spec.get("components"));
            self.refuse(Code::FluxInvalid, phrase, place);
        }
        let patches = self.list(spec, "patches");
        // An empty string is as if the field were absent: what the file says stays.
        let mut set = |key| self.text(spec, key).filter(|text| !text.is_empty());
        let [namespace, name_prefix, name_suffix] =
            ["targetNamespace", "namePrefix", "nameSuffix"].map(&mut set);
        Adjustments {
            namespace,
            name_prefix,
            name_suffix,
            images: self.images(spec),
            components,
            ignore_missing_components: self.is_true(spec, "ignoreMissingComponents"),
            patches: patches.iter().filter_map(|n| self.patch(n)).collect(),
            ..Adjustments::default()
        }
    }

    /// A patch: of its fields the controller takes the text and the target.
    fn patch(&mut self, node: &'a Node) -> Option<Node> {
        let from = self.mapping(Some(node), "patches")?;
        let Some(text) = self.text(from, "patch") else {
            self.missing("patch", self.place_of(Some(node)));
            return None;
        };
        let mut patch = Mapping::default();
        patch.insert("patch", Node::string(text));
        self.target(from, &mut patch);
        Some(mapping_of(patch))
    }

    fn target(&mut self, from: &'a Mapping, patch: &mut Mapping) {
        let Some(target) = self.mapping(from.get("target"), "target") else {
            return;
        };
        let mut selector = Mapping::default();
        for key in [
            "group",
            "version",
            "kind",
            "name",
            "namespace",
            "labelSelector",
            "annotationSelector",
        ] {
            if let Some(text) = self.text(target, key) {
                selector.insert(key, Node::string(text));
            }
        }
        patch.insert("target", mapping_of(selector));
    }

    /// Fields of older versions, which the controller drops without a word.
    fn without_effect(&self, spec: &Mapping) -> Vec<Diagnostic> {
        let fields = ["patchesStrategicMerge", "patchesJson6902"];
        let found = fields
            .iter()
            .filter_map(|field| Some((field, spec.get(field)?)));
        found
            .map(|(field, node)| {
                let phrase = format!("spec.{field} of {} has no effect", self.resource.id());
                Diagnostic::warning(Code::FluxInvalid, phrase)
                    .at(self.resource.place_of(node))
                    .note("the field belongs to an older API, and the controller drops it")
                    .help("write the patches as spec.patches")
            })
            .collect()
    }

    fn images(&mut self, spec: &'a Mapping) -> Vec<Image> {
        let items = self.list(spec, "images");
        let mut found = Vec::new();
        for item in items {
            let Some(node) = self.mapping(Some(item), "images") else {
                continue;
            };
            let mut set = |key| self.text(node, key).filter(|text| !text.is_empty());
            let (new_name, new_tag, digest) = (set("newName"), set("newTag"), set("digest"));
            // Tag and digest move as one: setting one removes the other.
            let absent = match new_tag.is_some() || digest.is_some() {
                true => Change::Remove,
                false => Change::Keep,
            };
            found.push(Image {
                name: self.text(node, "name").unwrap_or_default(),
                new_name: new_name.map_or(Change::Keep, Change::Set),
                new_tag: new_tag.map_or(absent.clone(), Change::Set),
                digest: digest.map_or(absent, Change::Set),
            });
        }
        found
    }

    fn decryption(&mut self, spec: &'a Mapping) -> bool {
        let Some(node) = self.mapping(spec.get("decryption"), "decryption") else {
            return false;
        };
        match self.text(node, "provider").as_deref() {
            Some("sops") => true,
            _ => {
                let place = self.place_of(spec.get("decryption"));
                let phrase = "decryption.provider is not sops".to_owned();
                self.refuse(Code::FluxInvalid, phrase, place);
                false
            }
        }
    }

    fn post_build(&mut self, spec: &'a Mapping) -> Option<PostBuild> {
        let node = self.mapping(spec.get("postBuild"), "postBuild")?;
        let mut from = Vec::new();
        for item in self.list(node, "substituteFrom") {
            let Some(source) = self.mapping(Some(item), "substituteFrom") else {
                continue;
            };
            let mut object = self.reference(source, "substituteFrom");
            // The controller looks in the namespace of the Kustomization alone.
            object.id.namespace = self.namespace.to_owned();
            let place = self.place_of(Some(item));
            if !matches!(object.kind.as_str(), "ConfigMap" | "Secret") {
                let phrase = format!(
                    "substituteFrom takes ConfigMap and Secret, not {}",
                    object.kind
                );
                self.refuse(Code::FluxInvalid, phrase, place.clone());
                continue;
            }
            from.push(VariableSource {
                object,
                optional: self.is_true(source, "optional"),
                place,
            });
        }
        Some(PostBuild {
            place: self.place_of(spec.get("postBuild")),
            inline: self.pairs(node, "substitute"),
            from,
            always: self.text(node, "substituteStrategy").as_deref() == Some("Always"),
        })
    }

    /// A mapping of texts, with the place of each value.
    fn pairs(&mut self, parent: &'a Mapping, key: &str) -> Vec<(String, String, Option<Place>)> {
        let Some(mapping) = self.mapping(parent.get(key), key) else {
            return Vec::new();
        };
        let mut pairs = Vec::new();
        for (name, value) in mapping.iter() {
            let place = self.place_of(Some(value));
            let is_text = matches!(value.tag(), Tag::Str | Tag::Timestamp);
            match value.scalar_text().filter(|_| is_text) {
                Some(text) => pairs.push((name.to_owned(), text.to_owned(), place)),
                None => {
                    let phrase = format!("{key}.{name} is {}, not text", kind_of(value));
                    self.found.push(
                        Diagnostic::new(Code::FieldType, phrase)
                            .at(place)
                            .note("the API server refuses the Kustomization for it")
                            .help("put it in quotes"),
                    );
                }
            }
        }
        pairs
    }

    fn mapping(&mut self, node: Option<&'a Node>, field: &str) -> Option<&'a Mapping> {
        let node = node.filter(|n| !n.is_null())?;
        let mapping = node.as_mapping();
        if mapping.is_none() {
            self.wrong(field, "a mapping", node);
        }
        mapping
    }

    fn list(&mut self, parent: &'a Mapping, key: &str) -> &'a [Node] {
        let Some(node) = parent.get(key).filter(|n| !n.is_null()) else {
            return &[];
        };
        node.as_sequence().unwrap_or_else(|| {
            self.wrong(key, "a list", node);
            &[]
        })
    }

    fn strings(&mut self, parent: &'a Mapping, key: &str) -> Vec<String> {
        let mut found = Vec::new();
        for node in self.list(parent, key) {
            match node.as_str() {
                Some(text) => found.push(text.to_owned()),
                None => self.wrong(key, "a list of texts", node),
            }
        }
        found
    }

    fn text(&mut self, parent: &'a Mapping, key: &str) -> Option<String> {
        let node = parent.get(key).filter(|n| !n.is_null())?;
        if node.as_str().is_none() {
            self.wrong(key, "text", node);
        }
        node.as_str().map(str::to_owned)
    }

    fn is_true(&mut self, parent: &'a Mapping, key: &str) -> bool {
        let Some(node) = parent.get(key).filter(|n| !n.is_null()) else {
            return false;
        };
        if node.as_bool().is_none() {
            self.wrong(key, "true or false", node);
        }
        node.as_bool() == Some(true)
    }

    fn place_of(&self, node: Option<&Node>) -> Option<Place> {
        self.resource.place_of(node?)
    }

    fn wrong(&mut self, field: &str, wanted: &str, node: &Node) {
        let phrase = format!("{field} is {}, not {wanted}", kind_of(node));
        self.refuse(Code::FieldType, phrase, self.resource.place_of(node));
    }

    fn missing(&mut self, field: &str, place: Option<Place>) {
        let phrase = format!("{} lacks {field}", self.resource.id());
        self.refuse(Code::FieldMissing, phrase, place);
    }

    fn refuse(&mut self, code: Code, phrase: String, place: Option<Place>) {
        self.found.push(Diagnostic::new(code, phrase).at(place));
    }
}

fn kind_of(node: &Node) -> &'static str {
    match node.tag() {
        Tag::Null => "nothing",
        Tag::Bool => "true or false",
        Tag::Int | Tag::Float => "a number",
        Tag::Seq => "a list",
        Tag::Map => "a mapping",
        Tag::Str | Tag::Timestamp | Tag::Binary | Tag::Merge | Tag::Custom => "text",
    }
}

fn mapping_of(mapping: Mapping) -> Node {
    Node::new(crate::yaml::Value::Mapping(mapping), Tag::Map)
}

/// Whether a component is a path of the same source.
fn is_local(path: &str) -> bool {
    const REMOTE: [&str; 8] = [
        "git::",
        "gh:",
        "ssh://",
        "https://",
        "http://",
        "git@",
        "github.com:",
        "github.com/",
    ];
    let lower = path.to_ascii_lowercase();
    let remote = REMOTE
        .iter()
        .any(|r| lower.starts_with(r) && lower.len() > r.len());
    !remote && !path.starts_with('/') && !lower.trim_start_matches("file://").starts_with('/')
}
