//! ResourceSets of flux-operator: templates that are filled once for each set of inputs.
//!
//! Follows `flux-operator build resourceset` (cmd/cli/build_resourceset.go, internal/builder/resourceset.go,
//! internal/inputs) at commit 17c6aea, after v0.58.1. `resources` go by resource and then by input, `resourcesTemplate`
//! by input after them; the first of two equal objects counts. What differs on purpose: a null among the inputs is an
//! error, where the original crashes. Cases: `rset-*`.

mod inputs;
mod objects;

use serde_json::Value as Json;

pub use inputs::Given;

use crate::diagnostic::{Code, Diagnostic, Result};
use crate::go::template::{Budget, Fault, Functions, MissingKey, Options, Template, Value, sprig};
use crate::yaml::to_go_yaml;
use objects::{Objects, text};

/// What all templates of one ResourceSet may make.
const MAX_OBJECTS: usize = 50_000;

/// A step, and what it applies; one step without a name where the set has none.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its name.
    pub name: String,
    /// Its objects, in order.
    pub objects: Vec<Json>,
}

/// Builds the objects of a ResourceSet.
///
/// Fails with [`Code::HostError`] where the operator does: on inputs that are not there, templates that cannot be
/// filled, results that are not objects, and where nothing is made.
pub fn build(set: &Json, given: &Given) -> Result<Vec<Step>> {
    let set = inputs::named(set)?;
    let combined = inputs::combined(&set, given)?;
    let filling = Filling {
        functions: objects::functions(),
        budget: Budget::default(),
        inputs: &combined,
    };
    let spec = set.get("spec").cloned().unwrap_or_default();
    let mut steps = filling.steps(&spec)?;
    if steps.iter().all(|step| step.objects.is_empty()) {
        return Err(wrong("the ResourceSet makes no object"));
    }
    for object in steps.iter_mut().flat_map(|step| &mut step.objects) {
        let common = &spec["commonMetadata"];
        objects::set_metadata(object, "labels", common.get("labels"));
        objects::set_metadata(object, "annotations", common.get("annotations"));
        let owner = serde_json::json!({
            "resourceset.fluxcd.controlplane.io/name": text(&set, "/metadata/name"),
            "resourceset.fluxcd.controlplane.io/namespace": text(&set, "/metadata/namespace"),
        });
        objects::set_metadata(object, "labels", Some(&owner));
    }
    Ok(steps)
}

fn wrong(words: impl Into<String>) -> Diagnostic {
    Diagnostic::new(Code::HostError, words.into())
}

/// Fills the templates of one set.
struct Filling<'a> {
    functions: Functions,
    budget: Budget,
    inputs: &'a [Value],
}

impl Filling<'_> {
    fn steps(&self, spec: &Json) -> Result<Vec<Step>> {
        let steps = spec
            .get("steps")
            .and_then(Json::as_array)
            .filter(|steps| !steps.is_empty());
        let Some(steps) = steps else {
            let objects = self.objects(spec)?;
            return Ok(vec![Step {
                name: String::new(),
                objects,
            }]);
        };
        if has_templates(spec) {
            return Err(wrong(
                "spec.steps stands beside spec.resources or spec.resourcesTemplate",
            ));
        }
        let mut made: Vec<Step> = Vec::new();
        for step in steps {
            let name = text(step, "/name").to_owned();
            if !has_templates(step) {
                return Err(wrong(format!(
                    "the step {name:?} has neither resources nor a resourcesTemplate"
                )));
            }
            let objects = self.objects(step)?;
            for earlier in made.iter().filter(|earlier| earlier.name != name) {
                if let Some(twice) = objects.iter().find(|o| {
                    earlier
                        .objects
                        .iter()
                        .any(|e| objects::key(e) == objects::key(o))
                }) {
                    let shown =
                        format!("{}/{}", text(twice, "/kind"), text(twice, "/metadata/name"));
                    let phrase = format!(
                        "{shown} of the step {name:?} is in the step {:?}, too",
                        earlier.name
                    );
                    return Err(wrong(phrase));
                }
            }
            made.push(Step { name, objects });
        }
        Ok(made)
    }

    fn objects(&self, part: &Json) -> Result<Vec<Json>> {
        let mut all = Objects::default();
        let resources = part.get("resources").and_then(Json::as_array);
        for (index, resource) in resources.into_iter().flatten().enumerate() {
            self.resource(resource, &mut all)
                .map_err(|error| error.note(format!("in spec.resources[{index}]")))?;
        }
        let template = text(part, "/resourcesTemplate");
        if !template.is_empty() {
            self.template(template, &mut all)
                .map_err(|error| error.note("in spec.resourcesTemplate"))?;
        }
        Ok(all.into_vec())
    }

    fn resource(&self, resource: &Json, all: &mut Objects) -> Result<()> {
        let template = self.parse(&to_go_yaml(resource), Text::Made)?;
        if self.inputs.is_empty() {
            let object = objects::one(&self.fill(&template, &Value::Nil, Text::Made)?)?;
            return all.add(object, false);
        }
        for input in self.inputs {
            let object = objects::one(&self.fill(&template, input, Text::Made)?)?;
            if !objects::is_disabled(&object) {
                all.add(object, true)?;
            }
        }
        Ok(())
    }

    fn template(&self, written: &str, all: &mut Objects) -> Result<()> {
        let template = self.parse(written, Text::Written)?;
        let nothing = [Value::Nil];
        let inputs = if self.inputs.is_empty() {
            &nothing[..]
        } else {
            self.inputs
        };
        let mut made = Vec::new();
        for input in inputs {
            made.extend(objects::several(&self.fill(
                &template,
                input,
                Text::Written,
            )?)?);
        }
        for object in made
            .into_iter()
            .filter(|object| !objects::is_disabled(object))
        {
            all.add(object, true)?;
        }
        Ok(())
    }

    fn parse(&self, template: &str, text: Text) -> Result<Template> {
        let options = Options {
            left: "<<",
            right: ">>",
            missing_key: MissingKey::Error,
        };
        Template::parse(template, &options, &self.functions)
            .map_err(|fault| text.fault("the template is wrong", fault))
    }

    fn fill(&self, template: &Template, input: &Value, text: Text) -> Result<String> {
        template
            .fill_with(&Value::Missing, input, &self.functions, &self.budget)
            .map_err(|fault| text.fault("the template cannot be filled", fault))
    }
}

/// What a template is: as the user wrote it, or an object of `resources` written as YAML, whose lines are ours.
#[derive(Debug, Clone, Copy)]
enum Text {
    Written,
    Made,
}

impl Text {
    fn fault(self, what: &str, mut fault: Fault) -> Diagnostic {
        if matches!(self, Self::Made) {
            fault.line = 0;
        }
        wrong(format!("{what}: {fault}"))
    }
}

fn has_templates(part: &Json) -> bool {
    let has_resources = part
        .get("resources")
        .and_then(Json::as_array)
        .is_some_and(|r| !r.is_empty());
    has_resources || !text(part, "/resourcesTemplate").is_empty()
}

/// The tables of flux-operator: slim-sprig's hermetic functions, `slugify` and YAML.
fn tables() -> Vec<&'static [crate::go::template::Function]> {
    let mut tables = sprig::SLIM.to_vec();
    tables.push(objects::OWN);
    tables
}
