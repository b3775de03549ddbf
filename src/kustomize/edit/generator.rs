//! `configMapGenerator` and `secretGenerator`: `add`, `set` and `remove`.

use std::sync::Arc;

use compact_str::CompactString;
use indexmap::IndexMap;

use crate::diagnostic::{Diagnostic, Report, Result, Source};
use crate::files::{Files, TreePath};
use crate::kube::Resource;
use crate::kustomize::generators::{self, Kind};
use crate::kustomize::kustomization::{GeneratorArguments, GeneratorOptions, Kustomization, Text};
use crate::kustomize::loader::{BuildContext, Loader};
use crate::kustomize::{Chart, ChartCall, Generators, Options, ProgramCall, RepositoryAddress};

use super::{note, refused};

/// Which list of generators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GeneratorKind {
    /// `configMapGenerator`.
    ConfigMap,
    /// `secretGenerator`.
    Secret,
}

impl GeneratorKind {
    fn of(self, kustomization: &mut Kustomization) -> &mut Vec<GeneratorArguments> {
        match self {
            Self::ConfigMap => &mut kustomization.config_map_generator,
            Self::Secret => &mut kustomization.secret_generator,
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::ConfigMap => Kind::ConfigMap,
            Self::Secret => Kind::Secret,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::ConfigMap => "configmap",
            Self::Secret => "secret",
        }
    }
}

/// What is added to a generator, or set in one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GeneratorChange {
    /// The generator's name.
    pub name: String,
    /// Its namespace; none is `default`.
    pub namespace: String,
    /// `[key=]path` texts.
    pub files: Vec<String>,
    /// `key=value` texts.
    pub literals: Vec<String>,
    /// A file of `key=value` lines.
    pub env: String,
    /// `create`, `merge` or `replace`.
    pub behavior: String,
    /// The type of a new Secret.
    pub secret_type: String,
    /// Whether the name gets no hash.
    pub disable_name_suffix_hash: bool,
    /// The namespace that it is moved to.
    pub new_namespace: String,
}

/// The files that a generator may read.
#[derive(Clone)]
pub struct GeneratorFiles {
    /// The files.
    pub files: Arc<dyn Files>,
    /// The directory of the kustomization.
    pub directory: TreePath,
}

fn same_namespace(a: &str, b: &str) -> bool {
    let effective = |namespace| {
        if str::is_empty(namespace) {
            "default"
        } else {
            namespace
        }
        .to_owned()
    };
    effective(a) == effective(b)
}

fn is(entry: &GeneratorArguments, name: &str, namespace: &str) -> bool {
    entry.name == name && same_namespace(&entry.namespace, namespace)
}

fn texts(new: &[String]) -> impl Iterator<Item = Text> {
    new.iter().map(|text| Text {
        value: CompactString::from(&**text),
        ..Text::default()
    })
}

/// Adds sources to a generator, which is made where there is none, and makes what it makes to see that it can be made.
pub(super) fn add(
    kustomization: &mut Kustomization,
    kind: GeneratorKind,
    change: &GeneratorChange,
    world: &GeneratorFiles,
) -> Result<()> {
    let global = kustomization.generator_options.clone();
    let list = kind.of(kustomization);
    let at = match list
        .iter()
        .position(|entry| is(entry, &change.name, &change.namespace))
    {
        Some(at) => at,
        None => {
            list.push(GeneratorArguments {
                name: (&*change.name).into(),
                namespace: (&*change.namespace).into(),
                secret_type: (&*change.secret_type).into(),
                ..GeneratorArguments::default()
            });
            list.len() - 1
        }
    };
    let entry = &mut list[at];
    entry.literals.extend(texts(&change.literals));
    entry.files.extend(texts(&change.files));
    if !change.env.is_empty() {
        entry.envs.extend(texts(std::slice::from_ref(&change.env)));
    }
    if change.disable_name_suffix_hash {
        entry.options = Some(GeneratorOptions {
            disable_name_suffix_hash: true,
            ..GeneratorOptions::default()
        });
    }
    if !change.behavior.is_empty() {
        entry.behavior = (&*change.behavior).into();
    }
    finish(entry, kind, global.as_ref(), world)
}

/// Sets literals of a generator that is there, or moves it to another namespace.
pub(super) fn set(
    kustomization: &mut Kustomization,
    kind: GeneratorKind,
    change: &GeneratorChange,
    world: &GeneratorFiles,
) -> Result<()> {
    let global = kustomization.generator_options.clone();
    let list = kind.of(kustomization);
    let found = list
        .iter_mut()
        .find(|entry| is(entry, &change.name, &change.namespace));
    let Some(entry) = found else {
        return Err(refused(format!(
            "there is no {} {}",
            kind.word(),
            change.name
        )));
    };
    if !change.literals.is_empty() {
        set_literals(entry, &change.literals)?;
    }
    if !change.new_namespace.is_empty() {
        entry.namespace = (&*change.new_namespace).into();
    }
    finish(entry, kind, global.as_ref(), world)
}

/// Sets the values of keys that are there; of a key that stands twice one is left.
fn set_literals(entry: &mut GeneratorArguments, new: &[String]) -> Result<()> {
    let mut literals = IndexMap::new();
    for text in &entry.literals {
        let (key, value) = key_and_value(text)?;
        literals.insert(key.to_owned(), value.to_owned());
    }
    for text in new {
        let (key, value) = key_and_value(text)?;
        let Some(slot) = literals.get_mut(key) else {
            return Err(refused(format!("{} has no literal {key}", entry.name)));
        };
        value.clone_into(slot);
    }
    let all: Vec<String> = literals
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    entry.literals = texts(&all).collect();
    Ok(())
}

fn key_and_value(text: &str) -> Result<(&str, &str)> {
    let pair = text
        .split_once('=')
        .filter(|(_, value)| !value.contains('='));
    pair.ok_or_else(|| refused("a literal must be key=value, with one ="))
}

/// Removes generators by their names. Fails where none of them is there.
pub(super) fn remove(
    kustomization: &mut Kustomization,
    kind: GeneratorKind,
    names: &[String],
    namespace: &str,
    report: &mut Report,
) -> Result<()> {
    let list = kind.of(kustomization);
    let is_found = |name: &String| list.iter().any(|entry| is(entry, name, namespace));
    let (found, missing): (Vec<_>, Vec<_>) = names.iter().partition(|name| is_found(name));
    if found.is_empty() {
        return Err(refused(format!(
            "none of these {}s is in the kustomization",
            kind.word()
        )));
    }
    for name in missing {
        note(
            report,
            format!("{} {name} is not in the kustomization", kind.word()),
        );
    }
    list.retain(|entry| !found.iter().any(|name| is(entry, name, namespace)));
    Ok(())
}

/// Copies the options of all generators into one, as the reference does, and sees that it can be made.
fn finish(
    entry: &mut GeneratorArguments,
    kind: GeneratorKind,
    global: Option<&GeneratorOptions>,
    world: &GeneratorFiles,
) -> Result<()> {
    if global.is_some() {
        entry.options = Some(generators::merged(entry.options.as_ref(), global));
    }
    let options = Options::default();
    let generators = Nothing;
    let shared = BuildContext {
        options: &options,
        generators: &generators,
    };
    let loader = Loader::open(&shared, Arc::clone(&world.files), &world.directory)?;
    let source = Arc::new(Source::committed("(arguments)"));
    generators::generate(kind.kind(), entry, None, &loader, &source)?;
    Ok(())
}

/// Allows nothing outside of the files.
struct Nothing;

impl Nothing {
    fn refuse<T>() -> Result<T> {
        Err(Diagnostic::new(
            crate::diagnostic::Code::NotEnabled,
            "a change of a kustomization fetches nothing",
        ))
    }
}

impl Generators for Nothing {
    fn fetch(&self, _: &str) -> Result<Arc<crate::files::File>> {
        Self::refuse()
    }

    fn clone_repository(&self, _: &RepositoryAddress) -> Result<Arc<dyn Files>> {
        Self::refuse()
    }

    fn generate(
        &self,
        _: &Resource,
        _: &dyn Files,
        _: &TreePath,
    ) -> Result<Option<Arc<crate::files::File>>> {
        Ok(None)
    }

    fn run(&self, _: &ProgramCall<'_>) -> Result<Vec<u8>> {
        Self::refuse()
    }

    fn chart<'a>(&'a self, _: &'a ChartCall<'a>) -> Result<Box<dyn Chart + 'a>> {
        Self::refuse()
    }
}
