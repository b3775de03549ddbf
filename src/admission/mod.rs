//! The API server's own verdict on an object: would it be taken, and if not, where and why.
//!
//! A [`Judge`] knows a version of Kubernetes, the built-in schemas and the CRDs that were found. It does what the API
//! server does, in its order: read ([`decode`]), drop unknown fields, set defaults, hold against the schema, run CEL
//! rules, then what only Go code knows ([`native`]), then policies of the repository. Webhooks of operators hook in by
//! [`Webhook`]. The room judges and never mends; messages never hold a value of the object. Start with
//! [`Judge::admit`].

mod apply;
mod base64;
mod cel;
mod decode;
mod format;
mod later;
mod names;
mod native;
mod objects;
mod path;
mod quantity;
mod schemas;
mod structural;
mod time;
mod verdict;
mod versions;
mod webhooks;

pub use decode::{Reading, decode};
pub use objects::{judge, judge_written, without_schema};
pub use path::Field;
pub use verdict::{Cause, Causes, Reason, Verdict};
pub use versions::Versions;

use std::collections::BTreeMap;
use std::sync::RwLock;

use indexmap::IndexMap;
use serde_json::Value;

use crate::kube::{Gvk, Scope};
use path::Path;
use schemas::{KindLookup, Schema};

/// How an object is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sending {
    /// As a new object, or one that replaces another.
    #[default]
    Create,
    /// By server-side apply.
    Apply,
}

/// What an operator's webhook says of an object, by its group: called after the schema, with defaults set.
///
/// It may change the object, as a mutating webhook does, before the schema is looked at: see [`Webhook::mutate`].
pub trait Webhook: Sync + Send {
    /// Whether it is asked about a kind.
    fn selects(&self, gvk: &Gvk) -> bool;
    /// Whether it reads an object into its Go type and writes that back: what is required is then there, if empty.
    fn writes_back(&self, _gvk: &Gvk) -> bool {
        false
    }
    /// Changes an object before it is held against its schema.
    fn mutate(&self, _gvk: &Gvk, _object: &mut Value) {}
    /// Says why it refuses an object, and warns.
    fn validate(
        &self,
        gvk: &Gvk,
        object: &Value,
        old: Option<&Value>,
        errors: &mut Causes,
        warnings: &mut Causes,
    );
}

/// Judges objects as the API server of one cluster.
pub struct Judge {
    versions: Versions,
    defined: IndexMap<String, Schema>,
    webhooks: Vec<Box<dyn Webhook>>,
    metadata: Option<Schema>,
    /// What was looked up before.
    looked_up: RwLock<BTreeMap<Gvk, KindLookup>>,
}

impl Judge {
    /// Returns a judge for the versions of a cluster.
    pub fn new(versions: Versions) -> Self {
        let config_map = schemas::built_in(&Gvk::new("v1", "ConfigMap"), versions);
        let metadata = match config_map {
            KindLookup::Schema(schema) => schema.field("metadata"),
            _ => None,
        };
        Self {
            versions,
            defined: IndexMap::new(),
            webhooks: Vec::new(),
            metadata,
            looked_up: RwLock::default(),
        }
    }

    /// Learns the kinds that a CRD defines. They win over those that are built in.
    pub fn define(&mut self, crd: &Value) {
        self.looked_up = RwLock::default();
        for definition in schemas::definitions(crd) {
            let name = format!("{}/{}", definition.api_version, definition.kind);
            self.defined.insert(name, definition.schema);
        }
    }

    /// Learns a kind from its bare schema, where none is known yet.
    pub fn define_schema(&mut self, api_version: &str, kind: &str, schema: &Value) {
        let name = format!("{api_version}/{kind}");
        let make = || schemas::schema_of(schema, Scope::Namespaced);
        self.defined.entry(name).or_insert_with(make);
    }

    /// Asks a webhook about the kinds that it selects.
    pub fn hook(&mut self, webhook: Box<dyn Webhook>) {
        self.webhooks.push(webhook);
    }

    /// Asks the webhooks of the operators that are known, in a cluster that lacks some kinds.
    pub fn hook_operators(&mut self, without: &[String]) {
        let has_snapshots = !without.iter().any(|kind| kind == "VolumeSnapshot");
        self.hook(Box::new(webhooks::PrometheusOperator));
        self.hook(Box::new(webhooks::Cnpg {
            has_snapshots,
            needs_extension_images: self.versions.cnpg == "1.28",
        }));
    }

    fn schema(&self, gvk: &Gvk) -> KindLookup {
        let known = self
            .looked_up
            .read()
            .ok()
            .and_then(|known| known.get(gvk).cloned());
        known.unwrap_or_else(|| {
            let found = self.look_up(gvk);
            if let Ok(mut known) = self.looked_up.write() {
                known.insert(gvk.clone(), found.clone());
            }
            found
        })
    }

    fn look_up(&self, gvk: &Gvk) -> KindLookup {
        let name = format!("{}/{}", gvk.api_version(), gvk.kind);
        match self.defined.get(&name) {
            Some(schema) => KindLookup::Schema(schema.clone()),
            None => schemas::built_in(gvk, self.versions),
        }
    }

    /// Whether there is a schema for a kind, or it is known that there is no such kind.
    pub fn knows(&self, gvk: &Gvk) -> bool {
        !matches!(self.schema(gvk), KindLookup::Nothing)
    }

    /// Judges an object, and the change from the one that it replaces.
    pub fn admit(&self, object: &Value, old: Option<&Value>, sending: Sending) -> Verdict {
        let gvk = gvk_of(object);
        let mut verdict = Verdict {
            object: object.clone(),
            ..Verdict::default()
        };
        match self.schema(&gvk) {
            KindLookup::Schema(schema) => {
                verdict.is_known = true;
                self.judge(&schema, &gvk, old, sending, &mut verdict);
            }
            KindLookup::NotServed { versions } => {
                verdict.is_known = true;
                not_served(&gvk, &versions, &mut verdict);
            }
            KindLookup::Nothing => self.judge_unknown(&gvk, &mut verdict),
        }
        verdict
    }

    fn judge_unknown(&self, _gvk: &Gvk, verdict: &mut Verdict) {
        let mut object = std::mem::take(&mut verdict.object);
        self.metadata(&mut object, verdict);
        let mut causes = Causes::default();
        native::object_meta(
            &object,
            Scope::Namespaced,
            names::dns1123_subdomain,
            &mut causes,
        );
        native::meta_of_new(&object, &mut causes);
        verdict.errors.extend(causes.list);
        verdict.object = object;
    }

    fn metadata(&self, object: &mut Value, verdict: &mut Verdict) {
        if let Some(schema) = &self.metadata {
            native::read_metadata(schema, object, verdict);
        }
    }

    fn judge(
        &self,
        schema: &Schema,
        gvk: &Gvk,
        old: Option<&Value>,
        sending: Sending,
        verdict: &mut Verdict,
    ) {
        let mut object = std::mem::take(&mut verdict.object);
        let given = object.clone();
        let is_read = self.read(schema, &mut object, verdict);
        let stored = old.map(|old| self.replace(schema, gvk, &mut object, old, sending));
        self.complete(schema, gvk, &mut object, sending);
        if is_read {
            self.check(schema, gvk, &mut object, stored.as_ref(), verdict);
        }
        if verdict.errors.is_empty() {
            let apply = apply_only(schema, &object, &given);
            verdict.apply.extend(apply.list);
        }
        verdict.object = object;
    }

    /// Reads an object as it is sent, without defaults. Whether it could be read.
    fn read(&self, schema: &Schema, object: &mut Value, verdict: &mut Verdict) -> bool {
        if schema.is_native {
            return native::read(schema, object, verdict);
        }
        let before = verdict.errors.len();
        self.metadata(object, verdict);
        let mut unknown = Causes::default();
        structural::prune(&schema.arena, schema.root, object, &mut unknown);
        verdict.unknown.extend(unknown.list);
        verdict.errors.len() == before
    }

    /// Drops the nulls of a request, and sets defaults.
    fn complete(&self, schema: &Schema, gvk: &Gvk, object: &mut Value, sending: Sending) {
        if schema.is_native {
            return native::set_defaults(schema, gvk, object);
        }
        if sending == Sending::Create {
            structural::drop_nulls(&schema.arena, schema.root, object);
        }
        structural::set_defaults(&schema.arena, schema.root, object);
    }

    /// Makes of an object what is to be stored in the place of the old one. Returns that one, as it is stored.
    fn replace(
        &self,
        schema: &Schema,
        gvk: &Gvk,
        object: &mut Value,
        old: &Value,
        sending: Sending,
    ) -> Value {
        let mut before = old.clone();
        self.read(schema, &mut before, &mut Verdict::default());
        let mut stored = before.clone();
        self.complete(schema, gvk, &mut stored, Sending::Create);
        if sending == Sending::Apply {
            let merge = apply::Merge {
                arena: &schema.arena,
                is_native: schema.is_native,
            };
            *object = merge.merge(Some(schema.root), &stored, &before, object);
        }
        if schema.is_native {
            native::take_over(gvk, object, &stored);
        }
        stored
    }

    /// What the API server and the webhooks check after an object was read.
    fn check(
        &self,
        schema: &Schema,
        gvk: &Gvk,
        object: &mut Value,
        old: Option<&Value>,
        verdict: &mut Verdict,
    ) {
        let hooks = self.webhooks.iter().map(AsRef::as_ref);
        let hooks: Vec<&dyn Webhook> = hooks.filter(|hook| hook.selects(gvk)).collect();
        hooks.iter().for_each(|hook| hook.mutate(gvk, object));
        let mut written;
        let mut object = &*object;
        if hooks.iter().any(|hook| hook.writes_back(gvk)) {
            written = object.clone();
            structural::set_zeros(&schema.arena, schema.root, &mut written);
            object = &written;
        }
        let (mut causes, mut warnings) = (Causes::default(), Causes::default());
        check(schema, gvk, object, old, &mut causes);
        if causes.is_empty() {
            for hook in hooks {
                hook.validate(gvk, object, old, &mut causes, &mut warnings);
            }
        }
        verdict.warnings.extend(warnings.list);
        verdict.errors.extend(causes.list);
    }
}

/// What only a server-side apply refuses: items twice, and nulls in custom resources, which a create drops.
fn apply_only(schema: &Schema, object: &Value, given: &Value) -> Causes {
    let mut found = Causes::default();
    if schema.is_native {
        structural::lists(&schema.arena, schema.root, object, &Path::ROOT, &mut found);
    } else if has_null(given) {
        let mut given = given.clone();
        structural::prune(
            &schema.arena,
            schema.root,
            &mut given,
            &mut Causes::default(),
        );
        structural::set_defaults(&schema.arena, schema.root, &mut given);
        structural::validate(&schema.arena, schema.root, &given, &Path::ROOT, &mut found);
        found.list.retain(|cause| cause.reason == Reason::Type);
    }
    found
}

fn has_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(fields) => fields.values().any(has_null),
        _ => false,
    }
}

/// What the API server checks after an object was read.
fn check(schema: &Schema, gvk: &Gvk, object: &Value, old: Option<&Value>, causes: &mut Causes) {
    let test = match schema.is_native {
        true => native::name_test(&gvk.group, &gvk.kind),
        false => names::dns1123_subdomain,
    };
    native::object_meta(object, schema.scope, test, causes);
    if old.is_none() {
        native::meta_of_new(object, causes);
    }
    if schema.is_native {
        native::check(gvk, object, causes);
        if let Some(old) = old {
            native::check_update(schema, gvk, object, old, causes);
        }
        return;
    }
    structural::validate(&schema.arena, schema.root, object, &Path::ROOT, causes);
    structural::lists(&schema.arena, schema.root, object, &Path::ROOT, causes);
    // As the API server, which leaves rules out where types are wrong.
    let are_types_right = !causes
        .list
        .iter()
        .any(|c| matches!(c.reason, Reason::Type | Reason::Required));
    if are_types_right {
        structural::check_rules(&schema.arena, schema.root, object, old, causes);
    }
}

fn gvk_of(object: &Value) -> Gvk {
    let text = |field: &str| {
        object
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    Gvk::new(text("apiVersion"), text("kind"))
}

fn not_served(gvk: &Gvk, versions: &[String], verdict: &mut Verdict) {
    let mut causes = Causes::default();
    let (api_version, kind) = (gvk.api_version(), &gvk.kind);
    let message = format!(
        "is {api_version}, and the API server has no kind {kind} in this version (apiVersion, kind)"
    );
    causes.add(&Path::ROOT.field("apiVersion"), Reason::NoKind, message);
    if let Some(last) = best(versions) {
        causes.help(format!("write apiVersion: {last}"));
    }
    verdict.errors.extend(causes.list);
}

/// The version to write: a stable one over others, the newest of them.
fn best(versions: &[String]) -> Option<&str> {
    let rank = |version: &&str| {
        let name = version.rsplit('/').next().unwrap_or_default();
        (
            !name.contains("alpha"),
            !name.contains("beta"),
            name.to_owned(),
        )
    };
    versions.iter().map(String::as_str).max_by_key(rank)
}
