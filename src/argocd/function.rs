//! KSOPS as a program: the KRM exec function, and the exec plugin of older kustomizations.

use crate::diagnostic::{Code, Diagnostic, Place, Result, Source};
use crate::generators::builtin::{Open, generate};
use crate::yaml::{self, Mapping, Node, ParseOptions};

/// Runs as a KRM function: a ResourceList with a functionConfig in, one with what it makes out.
///
/// Items that come in go out before the new ones. Fails with [`Code::GeneratorInvalid`] and as opening a
/// file does.
pub fn function(input: &[u8], open: &Open<'_>) -> Result<Vec<u8>> {
    let source = Source::committed("ResourceList");
    let list = yaml::parse_config(input, &source)?;
    let config = list.get("functionConfig").ok_or_else(|| {
        invalid("standard input is no ResourceList with a functionConfig")
            .help("kustomize runs this program as an exec function; `plugin render` needs none")
    })?;
    let mut items = match list.get("items").and_then(Node::as_sequence) {
        Some(items) => items.to_vec(),
        None => Vec::new(),
    };
    items.extend(made(config, &source, open)?);
    let mut output = Mapping::default();
    output.insert("apiVersion", Node::string("config.kubernetes.io/v1"));
    output.insert("kind", Node::string("ResourceList"));
    output.insert("items", Node::sequence(items));
    written(&[Node::new(yaml::Value::Mapping(output), yaml::Tag::Map)])
}

/// Runs as an exec plugin: the object of a file in, manifests out.
pub fn plugin(config: &[u8], open: &Open<'_>) -> Result<Vec<u8>> {
    let source = Source::committed("the configuration of the plugin");
    let config = yaml::parse_config(config, &source)?;
    written(&made(&config, &source, open)?)
}

fn made(config: &Node, source: &Source, open: &Open<'_>) -> Result<Vec<Node>> {
    let generated = generate(config, source, open)?.ok_or_else(|| {
        invalid("the object is no ksops of viaduct.ai and no SopsSecretGenerator of goabout.com")
    })?;
    let text = String::from_utf8_lossy(&generated.bytes);
    // Made by this program, so that only its own bug could make it fail; it holds secrets.
    let nodes = yaml::parse(&text, ParseOptions::DEFAULT)
        .map_err(|_| invalid("what was made cannot be read"))?;
    Ok(nodes.into_iter().filter(|node| !node.is_null()).collect())
}

fn written(nodes: &[Node]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for (index, node) in nodes.iter().enumerate() {
        if index > 0 {
            bytes.extend_from_slice(b"---\n");
        }
        yaml::write_manifest(&mut bytes, node)
            .map_err(|_| invalid("what was made cannot be written"))?;
    }
    Ok(bytes)
}

fn invalid(phrase: &str) -> Diagnostic {
    Diagnostic::new(Code::GeneratorInvalid, phrase).at(Place::file("standard input"))
}
