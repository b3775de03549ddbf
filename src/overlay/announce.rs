//! What can be set for the overlays in use, for a host that offers it.

use super::Config;
use super::language::Language;
use super::library::Library;
use crate::diagnostic::Result;
use crate::files::Files;
use crate::yaml::Node;

/// A parameter of an overlay in use.
#[derive(Debug, Clone)]
pub struct Announced {
    /// The overlay.
    pub overlay: String,
    /// The parameter.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Its JSON Schema.
    pub schema: Node,
    /// What it is now, where no expression decides: the project's value, else the overlay's default.
    pub current: Option<Node>,
}

/// The parameters of every overlay that a project uses, and of `sets` besides. No value is loaded.
///
/// Fails as loading the overlays does.
pub fn announced(config: &Config, sets: &[String], files: &dyn Files) -> Result<Vec<Announced>> {
    let mut config = config.clone();
    config.merge(Config::of_names(sets.iter().map(String::as_str)));
    if config.is_empty() {
        return Ok(Vec::new());
    }
    let library = Library::load(&config, files, &Language::new()?)?;
    let mut all = Vec::new();
    for overlay in &library.overlays {
        let definition = &overlay.definition;
        for (name, parameter) in &definition.parameters {
            let set = config.parameters.get(name).map(|located| &located.node);
            let current = set.or_else(|| parameter.schema.get("default"));
            all.push(Announced {
                overlay: definition.name.to_string(),
                name: name.clone(),
                description: parameter.description.clone(),
                schema: parameter.schema.clone(),
                current: current.filter(|node| !is_expression(node)).cloned(),
            });
        }
    }
    Ok(all)
}

fn is_expression(node: &Node) -> bool {
    node.as_str().is_some_and(|text| text.contains("#{"))
}
