//! One kustomization: what it includes, generates and transforms, in the order of the reference.
//!
//! [`build`] runs the root. A directory in `resources:` gives objects that are added to what is there; a
//! component works on what is there. Name hashes, references, variables and the order come once, at the
//! root.

use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Arc;

use compact_str::CompactString;

use super::decode::Located;
use super::fieldspecs::{BUILT_IN, FieldSpecs};
use super::kustomization::{HelmChart, Kustomization, Text};
use super::loader::{BuildContext, Loader, Target as Followed};
use super::openapi::Schema;
use super::plugins;
use super::variables::Variables;
use super::{
    Built, Feature, Generators, Level, Options, absorb, crds, documents, finish, openapi, origin,
    read, remote,
};
use crate::diagnostic::budget::Growth;
use crate::diagnostic::{Code, Diagnostic, Place, Report, Result, Source};
use crate::files::{File, Files, TreePath};
use crate::kube::merge_keys::{self, BuiltIn};
use crate::kube::{BuildOrigin, ResMap, Resource};

/// Builds the kustomization in a directory.
pub(super) fn build(
    files: &dyn Files,
    directory: &TreePath,
    options: &Options,
    generators: &dyn Generators,
) -> Result<Built> {
    let world = BuildContext {
        options,
        generators,
    };
    let loader = Loader::open(&world, Arc::new(files), directory)?;
    let mut build = Build::default();
    let mut root = Target::load(loader, &mut build)?;
    build.open_schema(&root, true)?;
    if !root.kustomization.build_metadata.is_empty() {
        root.origin = Some(BuildOrigin::default());
    }
    let mut accumulated = Accumulated::default();
    root.accumulate(&mut accumulated, &mut build)?;
    let resources = finish::finish(accumulated, &root, options)?;
    Ok(Built {
        resources,
        warnings: build.warnings,
    })
}

/// What a build gathers beside objects.
#[derive(Default)]
pub(super) struct Build {
    /// What the user should know.
    pub(super) warnings: Report,
    /// The schema that the first kustomization with `openapi` sets.
    pub(super) schema: Schema,
    /// Whether an object of a kind that is not built in was read so far.
    met_custom_kind: bool,
    /// Whether lists were merged by the built-in schema so far.
    has_merged: Cell<bool>,
    /// How many kustomizations were met so far, each as often as it is reached.
    kustomizations: u64,
}

impl Build {
    /// The schema to merge by.
    pub(super) fn merge_keys(&self) -> merge_keys::Schema<'_> {
        self.note_merge();
        self.schema.merge_keys()
    }

    /// Notes that lists are merged.
    pub(super) fn note_merge(&self) {
        self.has_merged.set(true);
    }

    /// What becomes of the built-in types once a file of definitions comes: the reference adds them to its
    /// schema when it needs one first, and later when it was asked for the scope of a custom kind before.
    fn built_in_types(&self) -> BuiltIn {
        match (self.has_merged.get(), self.met_custom_kind) {
            (true, _) => BuiltIn::Below,
            (false, true) => BuiltIn::Above,
            (false, false) => BuiltIn::Absent,
        }
    }

    /// Takes the schema of a kustomization: the root's, else the first that is met.
    fn open_schema(&mut self, target: &Target<'_>, is_root: bool) -> Result<()> {
        let fields = &target.kustomization.openapi;
        let file = match fields.get("path") {
            Some(path) => Some(target.read(path)?),
            None => None,
        };
        if !is_root && !self.schema.is_unset() {
            return Ok(());
        }
        self.schema = match (file, fields.get("version")) {
            (Some(_), Some(version)) => {
                let phrase = "openapi has a version and a path, and only one can count";
                return Err(target.invalid(phrase, version));
            }
            (Some(file), None) => openapi::read(&file, self.built_in_types())?,
            (None, Some(version)) if version.is_empty() => Schema::Unset,
            (None, Some(version)) if &***version == openapi::BUILT_IN_VERSION => Schema::BuiltIn,
            (None, Some(version)) => {
                let (is, known) = (&version.value, openapi::BUILT_IN_VERSION);
                let phrase = format!("the openapi version {is} is not built in");
                return Err(target
                    .invalid(&phrase, version)
                    .help(format!("{known} is, or name a file in openapi.path")));
            }
            (None, None) => Schema::Unset,
        };
        Ok(())
    }
}

/// Objects, and what is needed to change them.
#[derive(Default)]
pub(super) struct Accumulated {
    /// The objects.
    pub(super) resources: ResMap,
    /// The fields that transformers touch.
    fields: Fields,
    /// The vars.
    pub(super) variables: Variables,
}

/// The field specs that were merged so far.
#[derive(Default)]
enum Fields {
    /// None yet.
    #[default]
    Empty,
    /// The built-in ones and no others.
    BuiltIn,
    /// The built-in ones and those of configurations and CRDs.
    Own(Box<FieldSpecs>),
}

impl Fields {
    /// Merges others in. What is covered by a row that is there is left out, so that it matters what was
    /// there before: a configuration's row for a single kind displaces a built-in one for all kinds when
    /// nothing was merged before.
    fn merge(&mut self, others: Self) -> Result<()> {
        match (&mut *self, others) {
            (_, Self::Empty) | (Self::BuiltIn, Self::BuiltIn) => {}
            (Self::Empty, Self::BuiltIn) => *self = Self::BuiltIn,
            (Self::Empty, Self::Own(others)) => {
                let mut fields = FieldSpecs::default();
                fields.merge(*others)?;
                *self = Self::Own(Box::new(fields));
            }
            (Self::BuiltIn, Self::Own(others)) => {
                let mut fields = BUILT_IN;
                fields.merge(*others)?;
                *self = Self::Own(Box::new(fields));
            }
            (Self::Own(fields), Self::BuiltIn) => fields.merge(BUILT_IN)?,
            (Self::Own(fields), Self::Own(others)) => fields.merge(*others)?,
        }
        Ok(())
    }
}

impl Accumulated {
    /// The fields that transformers touch.
    pub(super) fn fields(&self) -> Cow<'_, FieldSpecs> {
        match &self.fields {
            Fields::Own(fields) => Cow::Borrowed(fields),
            Fields::Empty | Fields::BuiltIn => Cow::Owned(BUILT_IN),
        }
    }

    /// Adds all that a directory gave.
    fn merge(&mut self, other: Self) -> Result<()> {
        self.resources.append(other.resources)?;
        self.fields.merge(other.fields)?;
        self.variables.absorb(other.variables)
    }
}

/// A kustomization that is being built.
pub(super) struct Target<'a> {
    /// Reads what it names.
    pub(super) loader: Loader<'a>,
    /// Its fields.
    pub(super) kustomization: Kustomization,
    /// The text it stands in.
    pub(super) source: Arc<Source>,
    /// The file's name in its directory.
    pub(super) file_name: String,
    /// Where it is, when the root was asked to tell.
    pub(super) origin: Option<BuildOrigin>,
    /// The namespace of the nearest kustomization above that has one: charts get it from v5.8 on.
    namespace_above: CompactString,
}

impl<'a> Target<'a> {
    /// Finds and reads the kustomization of a directory.
    fn load(loader: Loader<'a>, build: &mut Build) -> Result<Self> {
        build.kustomizations += 1;
        Growth::Kustomizations.within(build.kustomizations)?;
        let file = read::find(&loader)?;
        let kustomization =
            read::parse(&file, loader.world().options.level(), &mut build.warnings)?;
        Ok(Self {
            loader,
            kustomization,
            source: Arc::clone(&file.source),
            file_name: file.path.file_name().to_owned(),
            origin: None,
            namespace_above: CompactString::default(),
        })
    }

    /// Which kustomize's bytes are given.
    pub(super) fn level(&self) -> Level {
        self.loader.world().options.level()
    }

    /// Whether the level of the build does something.
    pub(super) fn has(&self, feature: Feature) -> bool {
        self.loader.world().options.level().has(feature)
    }

    /// A chart of `helmCharts:`, told the namespace of the nearest kustomization where it has none.
    fn placed_chart(&self, chart: &HelmChart) -> HelmChart {
        let mut chart = chart.clone();
        if self.has(Feature::HelmNamespace) && chart.namespace.is_empty() {
            let own = &self.kustomization.namespace;
            let namespace = if own.is_empty() {
                &self.namespace_above
            } else {
                own
            };
            chart.namespace.clone_from(namespace);
        }
        chart
    }

    /// The place of a text of the kustomization.
    pub(super) fn place<T>(&self, text: &Located<T>) -> Place {
        self.source.place(text.mark.line, text.mark.column)
    }

    /// Reads a file that a field names.
    pub(super) fn read(&self, path: &Text) -> Result<Arc<File>> {
        self.loader
            .read(path)
            .map_err(|error| error.or_at(self.place(path)))
    }

    fn invalid<T>(&self, phrase: &str, text: &Located<T>) -> Diagnostic {
        Diagnostic::new(Code::KustomizationInvalid, phrase).at(self.place(text))
    }

    fn accumulate(&mut self, to: &mut Accumulated, build: &mut Build) -> Result<()> {
        let resources = std::mem::take(&mut self.kustomization.resources);
        self.accumulate_resources(&resources, to, build)?;
        self.add_configurations(to)?;
        self.run_generators(to, build)?;
        let components = std::mem::take(&mut self.kustomization.components);
        for path in &components {
            self.accumulate_component(path, to, build)?;
        }
        self.run_transformers(to, build)?;
        self.run_validators(to, build)?;
        let vars = self.kustomization.vars.as_deref().unwrap_or_default();
        to.variables.declare(vars, &mut to.resources, &self.source)
    }

    /// Adds files and directories in order.
    pub(super) fn accumulate_resources(
        &self,
        paths: &[Text],
        to: &mut Accumulated,
        build: &mut Build,
    ) -> Result<()> {
        self.loader.announce(paths);
        for path in paths {
            self.accumulate_resource(path, to, build)
                .map_err(|error| self.on_the_way(error, path))?;
        }
        Ok(())
    }

    /// Says by which entry the build came to an error.
    fn on_the_way(&self, error: Diagnostic, path: &Text) -> Diagnostic {
        let place = self.place(path);
        if error.place().is_none() {
            error.at(place)
        } else if error.place() == Some(&place) {
            error
        } else {
            error.via(place)
        }
    }

    fn accumulate_resource(
        &self,
        path: &Text,
        to: &mut Accumulated,
        build: &mut Build,
    ) -> Result<()> {
        match self.loader.follow(path)? {
            Followed::File(file) => match documents::read(&file) {
                Ok(mut resources) => {
                    build.schema.tell_scopes(&mut resources);
                    build.met_custom_kind |= resources.iter().any(|r| !r.gvk().is_built_in());
                    self.add_resources(resources, path, to)
                }
                // What http answers for a repository's address is its web page.
                Err(_) if remote::is_file_address(path) && remote::parse(path).is_some() => {
                    self.accumulate_directory(self.loader.enter(path)?, path, to, build)
                }
                Err(error) => Err(error),
            },
            Followed::Directory(loader) => self.accumulate_directory(loader, path, to, build),
        }
    }

    fn add_resources(
        &self,
        resources: Vec<Resource>,
        path: &str,
        to: &mut Accumulated,
    ) -> Result<()> {
        let origin = self.origin.as_ref().map(|here| origin::append(here, path));
        for mut resource in resources {
            if let Some(origin) = &origin {
                resource.change(origin::forget);
                resource.history_mut().origin = Some(Box::new(origin.clone()));
            }
            to.resources.push(resource)?;
        }
        Ok(())
    }

    fn accumulate_directory(
        &self,
        loader: Loader<'a>,
        path: &str,
        to: &mut Accumulated,
        build: &mut Build,
    ) -> Result<()> {
        let mut target = self.sub_target(loader, path, build)?;
        if target.kustomization.kind.value == "Component" {
            let phrase = format!("{path} is a Component, and stands in resources");
            return Err(target
                .invalid(&phrase, &target.kustomization.kind)
                .help("list it in components"));
        }
        let mut below = Accumulated::default();
        target.accumulate(&mut below, build)?;
        to.merge(below)
    }

    fn accumulate_component(
        &self,
        path: &Text,
        to: &mut Accumulated,
        build: &mut Build,
    ) -> Result<()> {
        let run = |to: &mut Accumulated, build: &mut Build| {
            let loader = self.loader.enter(path)?;
            let mut target = self.sub_target(loader, path, build)?;
            if target.kustomization.kind.value != "Component" {
                let phrase = format!("{} is no Component, and stands in components", path.value);
                return Err(target
                    .invalid(&phrase, &target.kustomization.kind)
                    .help("list it in resources, or write kind: Component"));
            }
            target.accumulate(to, build)?;
            to.resources.refuse_twice()
        };
        run(to, build).map_err(|error| self.on_the_way(error, path))
    }

    fn sub_target(&self, loader: Loader<'a>, path: &str, build: &mut Build) -> Result<Self> {
        let mut target = Self::load(loader, build)?;
        target.origin = self.origin.as_ref().map(|here| origin::append(here, path));
        let own = &self.kustomization.namespace;
        let above = if own.is_empty() {
            &self.namespace_above
        } else {
            own
        };
        target.namespace_above.clone_from(above);
        build.open_schema(&target, false)?;
        Ok(target)
    }

    fn add_configurations(&self, to: &mut Accumulated) -> Result<()> {
        let mut own: Option<FieldSpecs> = None;
        for path in &self.kustomization.configurations {
            let file = self.read(path)?;
            let more = read::configuration(&file).map_err(|error| self.on_the_way(error, path))?;
            own.get_or_insert_default()
                .merge(more)
                .map_err(|error| self.on_the_way(error, path))?;
        }
        let fields = match (own, self.kustomization.configurations.first()) {
            (Some(own), Some(path)) => {
                let mut fields = BUILT_IN;
                let merged = fields.merge(own);
                merged.map_err(|error| self.on_the_way(error, path))?;
                Fields::Own(Box::new(fields))
            }
            _ => Fields::BuiltIn,
        };
        to.fields.merge(fields)?;
        for path in &self.kustomization.crds {
            let file = self.read(path)?;
            let more = crds::field_specs(&file).map_err(|error| self.on_the_way(error, path))?;
            let merged = to.fields.merge(Fields::Own(Box::new(more)));
            merged.map_err(|error| self.on_the_way(error, path))?;
        }
        Ok(())
    }

    /// Runs generators in order: ConfigMaps, Secrets, charts, and what `generators:` lists.
    fn run_generators(&self, to: &mut Accumulated, build: &mut Build) -> Result<()> {
        let kustomization = &self.kustomization;
        let global = kustomization.generator_options.as_ref();
        for (kind, name, list) in [
            (
                super::generators::Kind::ConfigMap,
                "ConfigMapGenerator",
                &kustomization.config_map_generator,
            ),
            (
                super::generators::Kind::Secret,
                "SecretGenerator",
                &kustomization.secret_generator,
            ),
        ] {
            for arguments in list {
                let generated = super::generators::generate(
                    kind,
                    arguments,
                    global,
                    &self.loader,
                    &self.source,
                )?;
                self.absorb(vec![generated], self.builtin_origin(name).as_ref(), to)?;
            }
        }
        let globals = kustomization.helm_globals.clone().unwrap_or_default();
        for chart in &kustomization.helm_charts {
            let chart = self.placed_chart(chart);
            let mut generated =
                super::generators::chart::inflate(&chart, &globals, &self.loader, &self.source)?;
            build.schema.tell_scopes(&mut generated);
            let origin = self.builtin_origin("HelmChartInflationGenerator");
            self.absorb(generated, origin.as_ref(), to)?;
        }
        let configurations = self.plugin_configurations(&kustomization.generators, build)?;
        for configuration in configurations.iter() {
            let mut generated = plugins::generate(configuration, self)?;
            build.schema.tell_scopes(&mut generated);
            let origin = self
                .origin
                .as_ref()
                .and_then(|_| origin::of_plugin(configuration));
            self.absorb(generated, origin.as_ref(), to)?;
        }
        Ok(())
    }

    /// The origin of what a builtin makes, when the build was asked to tell.
    pub(super) fn builtin_origin(&self, kind: &str) -> Option<BuildOrigin> {
        let here = self.origin.as_ref()?;
        Some(origin::of_builtin(here, &self.file_name, kind))
    }

    fn absorb(
        &self,
        mut generated: Vec<Resource>,
        origin: Option<&BuildOrigin>,
        to: &mut Accumulated,
    ) -> Result<()> {
        if let Some(origin) = origin {
            origin::set_missing(&mut generated, origin);
        }
        generated
            .into_iter()
            .try_for_each(|resource| absorb::absorb(&mut to.resources, resource))
    }

    /// Reads the objects that configure plugins: texts in place first, then files and directories.
    pub(super) fn plugin_configurations(
        &self,
        entries: &[Text],
        build: &mut Build,
    ) -> Result<ResMap> {
        let mut to = Accumulated::default();
        let mut paths = Vec::new();
        for entry in entries {
            let is_text = entry.contains('\n');
            let first_line = entry.mark.line + u32::from(is_text);
            match documents::read_text(entry, &self.source, first_line) {
                Ok(resources) => self.add_resources(resources, &self.file_name, &mut to)?,
                Err(error) if is_text => return Err(error.or_at(self.place(entry))),
                Err(_) => paths.push(entry.clone()),
            }
        }
        self.accumulate_resources(&paths, &mut to, build)?;
        Ok(to.resources)
    }
}
