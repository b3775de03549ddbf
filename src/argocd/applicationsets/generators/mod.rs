//! Generators: what an ApplicationSet makes its parameters of.
//!
//! Follows `Transform` (applicationset/generators/generator_spec_processor.go) of Argo CD: each kind that one item of
//! `generators` names makes its parameters, a selector keeps some of them, and the generator's own template is filled
//! up from the set's. The first fault is the whole set's. Nested generators lose what they may not hold.

mod clusters;
mod decision;
mod git;
mod list;
mod nested;
mod others;

use serde_json::{Map, Value as Json};

use super::Failure;
use super::fill;
use super::params::{self, Params};
use super::render::{Data, Renderer};
use super::repositories::Repositories;
use super::selector::{Selector, Values};
use super::world::ClusterState;

/// Switches of Argo CD's that change what generators see.
#[derive(Debug, Clone, Copy, Default)]
pub struct Switches {
    /// `--enable-new-git-file-globbing`.
    pub new_globbing: bool,
    /// `--include-hidden-directories`.
    pub hidden_directories: bool,
}

/// What generators may look at.
pub(super) struct Context<'a> {
    pub(super) world: &'a ClusterState,
    pub(super) repositories: &'a Repositories,
    pub(super) switches: Switches,
    pub(super) renderer: Renderer<'a>,
    /// The spec of the ApplicationSet.
    pub(super) spec: &'a Json,
    /// Its name.
    pub(super) set: &'a str,
}

/// The parameters of one kind of generator, and the template that they fill.
pub(super) struct Generated {
    pub(super) params: Vec<Params>,
    pub(super) template: Json,
}

type Generate = fn(&Context<'_>, &Json) -> Result<Vec<Params>, Failure>;

/// The kinds, in the order in which one item with several of them is taken.
const KINDS: &[(&str, Generate)] = &[
    ("list", list::generate),
    ("clusters", clusters::generate),
    ("git", git::generate),
    ("scmProvider", others::scm_provider),
    ("clusterDecisionResource", decision::generate),
    ("pullRequest", others::pull_request),
    ("matrix", nested::matrix),
    ("merge", nested::merge),
    ("plugin", others::plugin),
];

/// Makes the parameters of one item of `generators`, with those of the generator before it in a matrix.
pub(super) fn transform(
    context: &Context<'_>,
    generator: &Json,
    template: &Json,
    given: &Params,
) -> Result<Vec<Generated>, Failure> {
    let selector = generator.get("selector").filter(|s| !s.is_null());
    let selector = selector
        .map(|s| Selector::read(s, Values::Any))
        .transpose()?;
    let mut all = Vec::new();
    for (kind, generate) in KINDS {
        let Some(own) = generator.get(*kind).filter(|value| !value.is_null()) else {
            continue;
        };
        let filled = context.renderer.generator(generator, &Data::new(given))?;
        let mut params = generate(context, filled.get(*kind).unwrap_or(own))?;
        if let Some(selector) = &selector {
            params.retain(|params| is_selected(params, selector));
        }
        let own_template = own
            .get("template")
            .cloned()
            .unwrap_or_else(|| Json::Object(Map::new()));
        all.push(Generated {
            params,
            template: fill::up(own_template, template),
        });
    }
    Ok(all)
}

fn is_selected(params: &Params, selector: &Selector) -> bool {
    let flat: Vec<(String, String)> = (params::flattened(params).into_iter())
        .map(|(key, value)| (key, params::printed(&value)))
        .collect();
    selector.matches(|label| {
        let found = flat.iter().find(|(key, _)| key == label);
        found.map(|(_, value)| value.as_str())
    })
}

/// The string of a field; empty where there is none.
fn text<'j>(json: &'j Json, key: &str) -> &'j str {
    json.get(key).and_then(Json::as_str).unwrap_or_default()
}

/// The items of a field.
fn items<'j>(json: &'j Json, key: &str) -> impl Iterator<Item = &'j Json> {
    json.get(key).and_then(Json::as_array).into_iter().flatten()
}
