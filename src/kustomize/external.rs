//! Generators, transformers and validators that run outside: KRM functions and plugins. The caller runs
//! them, if the invoker allows it; the text that goes in and comes out is made and read here.

use std::sync::Arc;

use compact_str::CompactString;

use super::accumulate::Target;
use super::decode::{Decoder, record};
use super::{Program, ProgramCall, documents, metadata};
use crate::diagnostic::{Code, Diagnostic, Result, Source};
use crate::kube::{Behavior, ResMap, Resource};
use crate::yaml::{self, Node};

/// The annotation by which an object is found again when a program renamed it.
const ID: &str = "kustomize.config.k8s.io/id";
const NEEDS_HASH: &str = "kustomize.config.k8s.io/needs-hash";
const BEHAVIOR: &str = "kustomize.config.k8s.io/behavior";
const FUNCTION: [&str; 2] = ["config.kubernetes.io/function", "config.k8s.io/function"];
const CONTAINER: &str = "config.kubernetes.io/container";

record! {
    /// What the annotation of a function says.
    pub(crate) struct FunctionFields {
        /// An image.
        container: Option<Anything> = "container",
        /// A script.
        starlark: Option<Anything> = "starlark",
        /// A program.
        exec: ExecFields = "exec",
        /// Whether what it finds stops the build.
        defer_failure: bool = "deferFailure",
    }
}

record! {
    /// A program and its arguments.
    pub(crate) struct ExecFields {
        /// The program, from the kustomization's directory.
        path: CompactString = "path",
        /// Its arguments.
        args: Vec<CompactString> = "args",
        /// Its environment.
        env: Vec<CompactString> = "env",
    }
}

record! {
    /// What the fields of a plugin's configuration add to its command line.
    pub(crate) struct PluginArguments {
        /// Arguments in one line.
        args_one_liner: CompactString = "argsOneLiner",
        /// A file with an argument in each line.
        args_from_file: CompactString = "argsFromFile",
    }
}

/// Fields that are not looked at: what they configure is refused.
#[derive(Debug, Clone, Default)]
pub(crate) struct Anything;

impl super::decode::Decode for Anything {
    fn decode(&mut self, _: &Node, _: Decoder<'_>) -> Result<()> {
        Ok(())
    }
}

/// Runs a generator and reads what it makes.
pub(super) fn generate(configuration: &Resource, target: &Target<'_>) -> Result<Vec<Resource>> {
    let world = target.loader.world();
    let known = world.generators.generate(
        configuration,
        target.loader.files(),
        target.loader.directory(),
    );
    let mut resources = match known.map_err(|error| error.or_at(configuration.place()))? {
        Some(file) => documents::read(&file)?,
        None => {
            let program = program_of(configuration, target)?;
            let input = match &program {
                Program::Function { .. } => resource_list(configuration, None)?,
                Program::Plugin { .. } => Vec::new(),
            };
            parse(&run(program, input, configuration, target)?, configuration)?
        }
    };
    resources.iter_mut().try_for_each(take_options)?;
    Ok(resources)
}

/// Runs a transformer or validator over every object.
pub(super) fn transform(
    configuration: &Resource,
    target: &Target<'_>,
    resources: &mut ResMap,
) -> Result<()> {
    let program = program_of(configuration, target)?;
    let mut given = resources.clone();
    for (position, resource) in given.iter_mut().enumerate() {
        let id = std::iter::once((ID.into(), position.to_string().into())).collect();
        resource.change(|node| metadata::set_map(node, "annotations", &id));
    }
    let input = match &program {
        Program::Function { .. } => resource_list(configuration, Some(&given))?,
        Program::Plugin { .. } => {
            let mut text = Vec::new();
            given.write(&mut text)?;
            text
        }
    };
    let output = run(program, input, configuration, target)?;
    let changed = parse(&output, configuration)?;
    take_over(changed, resources)
}

/// Puts what a program gave in the place of what it got: by id, what is new at the end, and what is not
/// given back is gone.
fn take_over(changed: Vec<Resource>, resources: &mut ResMap) -> Result<()> {
    let mut given_back = vec![false; resources.len()];
    let mut seen = ResMap::new();
    let mut added = Vec::new();
    for mut resource in changed {
        let mut annotations = metadata::map_of(resource.node(), "annotations");
        let came_from = annotations
            .remove(ID)
            .and_then(|id| id.parse::<usize>().ok());
        resource.change(|node| metadata::replace_map(node, "annotations", &annotations));
        seen.push(resource.clone())?;
        let old = came_from.and_then(|position| resources.get(position));
        if let Some(old) = old {
            *resource.history_mut() = old.history().clone();
        }
        match resources.positions_of(&resource.id()).first() {
            Some(&position) => {
                given_back[position] = true;
                resources.replace(position, resource);
            }
            None => added.push(resource),
        }
    }
    let mut position = 0;
    resources.retain(|_| {
        position += 1;
        given_back[position - 1]
    });
    added
        .into_iter()
        .try_for_each(|resource| resources.push(resource))
}

fn run(
    program: Program,
    input: Vec<u8>,
    configuration: &Resource,
    target: &Target<'_>,
) -> Result<Vec<u8>> {
    let call = ProgramCall {
        program,
        input,
        files: target.loader.files(),
        directory: target.loader.directory(),
    };
    let result = target.loader.world().generators.run(&call);
    result.map_err(|error| error.or_at(configuration.place()))
}

/// Reads what a program printed; a list of resources is unwrapped as every list is.
fn parse(output: &[u8], configuration: &Resource) -> Result<Vec<Resource>> {
    let name = format!("(what {} printed)", configuration.id());
    let source = Arc::new(Source::committed(name));
    let text = std::str::from_utf8(output).map_err(|_| {
        let phrase = format!("{} printed what is not UTF-8", configuration.id());
        Diagnostic::new(Code::PluginInvalid, phrase).at(configuration.place())
    })?;
    documents::read_text(text, &source, 1)
}

/// Finds out what an object wants to have run.
fn program_of(configuration: &Resource, target: &Target<'_>) -> Result<Program> {
    match function_of(configuration)? {
        Some(function) if !function.exec.path.is_empty() => Ok(Program::Function {
            path: function.exec.path.to_string(),
            arguments: function.exec.args.iter().map(ToString::to_string).collect(),
            environment: function.exec.env.iter().map(ToString::to_string).collect(),
        }),
        Some(_) => Err(Diagnostic::new(
            Code::PluginInvalid,
            format!("{} is a function in a container or a script", configuration.id()),
        )
        .at(configuration.place())
        .help("containers and scripts are not run; name a program in exec.path, and pass --enable-alpha-plugins --enable-exec")),
        None => plugin(configuration, target),
    }
}

fn function_of(configuration: &Resource) -> Result<Option<FunctionFields>> {
    let annotations = metadata::map_of(configuration.node(), "annotations");
    let text = FUNCTION
        .iter()
        .filter_map(|key| annotations.get(*key))
        .find(|t| !t.is_empty());
    let source = super::plugins::source_of(configuration);
    let decoder = Decoder {
        source: &source,
        strict: true,
    };
    if let Some(text) = text {
        let node = yaml::parse_first(text, yaml::ParseOptions::default()).map_err(|_| {
            let phrase = format!(
                "the function annotation of {} is not YAML",
                configuration.id()
            );
            Diagnostic::new(Code::PluginInvalid, phrase).at(configuration.place())
        })?;
        let fields = decoder.read(&node.unwrap_or_else(Node::null));
        return fields
            .map(Some)
            .map_err(|error: Diagnostic| error.at(configuration.place()));
    }
    match configuration.node().lookup(&["metadata", "configFn"]) {
        Some(node) if !node.is_null() => return decoder.read(node).map(Some),
        _ => {}
    }
    let image = annotations.get(CONTAINER).filter(|image| !image.is_empty());
    Ok(image.map(|_| FunctionFields::default()))
}

fn plugin(configuration: &Resource, target: &Target<'_>) -> Result<Program> {
    let fields: PluginArguments = super::plugins::read(configuration)?;
    let mut arguments = Vec::new();
    if !fields.args_one_liner.is_empty() {
        let words = shlex::split(&fields.args_one_liner).ok_or_else(|| {
            Diagnostic::new(Code::PluginInvalid, "argsOneLiner has an open quote")
                .at(configuration.place())
        })?;
        arguments.extend(words);
    }
    if !fields.args_from_file.is_empty() {
        let file = target.loader.read(&fields.args_from_file)?;
        let lines = documents::text_of(&file)?.split('\n');
        let lines = lines.map(|line| line.trim_start_matches(' '));
        arguments.extend(lines.filter(|l| !l.is_empty()).map(str::to_owned));
    }
    let mut text = Vec::new();
    write(&mut text, configuration.node(), configuration)?;
    let gvk = configuration.gvk();
    Ok(Program::Plugin {
        group: gvk.group.to_string(),
        version: gvk.version.to_string(),
        kind: gvk.kind.to_string(),
        arguments,
        configuration: text,
    })
}

/// The `ResourceList` that a function reads.
fn resource_list(configuration: &Resource, resources: Option<&ResMap>) -> Result<Vec<u8>> {
    let mut own = configuration.node().clone();
    let local = std::iter::once(("config.kubernetes.io/local-config".into(), "true".into()));
    metadata::set_map(&mut own, "annotations", &local.collect());
    let items = match resources {
        Some(resources) => resources.iter().map(|r| r.node().clone()).collect(),
        None => vec![own.clone()],
    };
    let mut list = Node::mapping();
    let fields = list.as_mapping_mut().expect("just made");
    fields.insert("apiVersion", Node::string("config.kubernetes.io/v1"));
    fields.insert("kind", Node::string("ResourceList"));
    fields.insert("items", Node::sequence(items));
    fields.insert("functionConfig", own);
    let mut text = Vec::new();
    write(&mut text, &list, configuration)?;
    Ok(text)
}

fn write(output: &mut Vec<u8>, node: &Node, configuration: &Resource) -> Result<()> {
    let mut node = node.clone();
    yaml::reread(&mut node);
    yaml::write_manifest(output, &node).map_err(|error| configuration.value_error(error))
}

/// Takes the annotations by which a generator says how its objects are to be treated.
fn take_options(resource: &mut Resource) -> Result<()> {
    let mut annotations = metadata::map_of(resource.node(), "annotations");
    let hash = annotations.remove(NEEDS_HASH);
    let behavior = annotations.remove(BEHAVIOR);
    resource.change(|node| metadata::replace_map(node, "annotations", &annotations));
    let history = resource.history_mut();
    history.behavior = Behavior::parse(behavior.as_deref().unwrap_or_default());
    history.needs_hash = match hash.as_deref() {
        None | Some("0" | "f" | "F" | "false" | "FALSE" | "False") => false,
        Some("1" | "t" | "T" | "true" | "TRUE" | "True") => true,
        Some(_) => {
            let phrase = format!("the annotation {NEEDS_HASH} must be true or false");
            return Err(Diagnostic::new(Code::PluginInvalid, phrase).at(resource.place()));
        }
    };
    Ok(())
}
