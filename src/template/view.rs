//! The view in which a template reads as what it renders to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use minijinja::Value;
use secrecy::SecretString;

use super::engine::Engine;
use super::makejinja::{Config, takes};
use super::reader::not_utf8;
use crate::diagnostic::{Code, Diagnostic, Origin, Place, Result, Source};
use crate::files::{File, Files, Kind, TreePath};

/// A tree of templates that reads as if what it renders to stood elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where the templates are.
    pub from: TreePath,
    /// Where what they render to is read.
    pub to: TreePath,
}

/// What a view needs besides the files below.
pub struct ViewSettings {
    /// The language, with the files that templates include.
    pub engine: Engine,
    /// The values that templates read.
    pub context: Value,
    /// Values of single templates, by their name below the mount.
    pub own: BTreeMap<String, Value>,
    /// Values that must not be told, as they may stand in what is rendered.
    pub secrets: Arc<[SecretString]>,
    /// How the names of templates end.
    pub suffix: String,
    /// Trees that are mounted; where two have a file, the earlier one wins.
    pub mounts: Vec<Mount>,
    /// Which files of the mounts are taken; all when absent.
    pub config: Option<Config>,
}

type Once = Arc<OnceLock<Result<Option<Arc<File>>>>>;

/// Files over the ones below: `NAME` is rendered from `NAME.j2` when it is asked for, once.
///
/// What a mounted tree makes wins over what is below; elsewhere a `NAME` beside its `NAME.j2` is an error.
/// A template asked for by its own name is read as it is. A template that renders to blanks makes no file.
pub struct View {
    below: Arc<dyn Files>,
    settings: ViewSettings,
    rendered: Mutex<BTreeMap<TreePath, Once>>,
}

/// What makes a file.
enum Maker {
    /// A template.
    Template(TreePath, String),
    /// A file of a mounted tree that is no template.
    Copy(TreePath),
    /// The file below.
    Below,
}

impl View {
    /// Builds the view.
    pub fn new(below: Arc<dyn Files>, settings: ViewSettings) -> Self {
        Self {
            below,
            settings,
            rendered: Mutex::default(),
        }
    }

    /// The templates that were rendered so far, by the path that was asked for.
    pub fn rendered(&self) -> Vec<TreePath> {
        let rendered = self.rendered.lock().unwrap_or_else(PoisonError::into_inner);
        let done = rendered
            .iter()
            .filter(|(_, once)| matches!(once.get(), Some(Ok(Some(_)))));
        done.map(|(path, _)| path.clone()).collect()
    }

    /// The template that a path is rendered from, where there is one.
    pub fn template_of(&self, path: &TreePath) -> Result<Option<TreePath>> {
        Ok(match self.maker(path)? {
            Maker::Template(template, _) => Some(template),
            Maker::Copy(_) | Maker::Below => None,
        })
    }

    /// The file of a template tree that a path is made from: a template, or what is copied as it is.
    pub fn made_from(&self, path: &TreePath) -> Result<Option<TreePath>> {
        Ok(match self.maker(path)? {
            Maker::Template(from, _) | Maker::Copy(from) => Some(from),
            Maker::Below => None,
        })
    }

    /// Where a path lies in a mounted tree, when it lies beneath the mount.
    fn in_mount(mount: &Mount, path: &TreePath) -> Option<TreePath> {
        if !path.is_within(&mount.to) {
            return None;
        }
        mount.from.join(&path.relative_to(&mount.to))
    }

    fn is_taken(&self, mount: &Mount, path: &TreePath) -> bool {
        self.settings
            .config
            .as_ref()
            .is_none_or(|config| takes(config, &mount.from, path))
    }

    fn with_suffix(&self, path: &TreePath) -> Option<TreePath> {
        TreePath::parse(&format!("{}{}", path.as_str(), self.settings.suffix))
    }

    fn is_file(&self, path: &TreePath) -> Result<bool> {
        Ok(self.below.kind(path)? == Some(Kind::File))
    }

    fn maker(&self, path: &TreePath) -> Result<Maker> {
        for mount in &self.settings.mounts {
            let Some(inside) = Self::in_mount(mount, path) else {
                continue;
            };
            let Some(template) = self.with_suffix(&inside) else {
                continue;
            };
            if self.is_taken(mount, &template) && self.is_file(&template)? {
                self.refuse_directory(path, &template)?;
                let name = template.relative_to(&mount.from);
                return Ok(Maker::Template(template, name));
            }
            let is_template = inside.as_str().ends_with(&self.settings.suffix);
            if !is_template
                && inside != *path
                && self.is_taken(mount, &inside)
                && self.is_file(&inside)?
            {
                self.refuse_directory(path, &inside)?;
                return Ok(Maker::Copy(inside));
            }
        }
        let Some(template) = self.with_suffix(path) else {
            return Ok(Maker::Below);
        };
        if path.as_str().ends_with(&self.settings.suffix) || !self.is_file(&template)? {
            return Ok(Maker::Below);
        }
        if self.below.kind(path)?.is_some() {
            let phrase = format!("{path} stands beside its template {}", template.file_name());
            return Err(Diagnostic::new(Code::TemplateConflict, phrase)
                .at(Place::file(path.as_str()))
                .help("remove one of them, or mount the tree of templates where it is written"));
        }
        let name = template.as_str().to_owned();
        Ok(Maker::Template(template, name))
    }

    /// A file cannot be made where a directory is.
    fn refuse_directory(&self, path: &TreePath, template: &TreePath) -> Result<()> {
        if self.below.kind(path)? != Some(Kind::Directory) {
            return Ok(());
        }
        let phrase = format!("{template} makes the file {path}, which is a directory");
        Err(Diagnostic::new(Code::TemplateConflict, phrase)
            .at(Place::file(template.as_str()))
            .help("rename the template or the directory"))
    }

    fn once(&self, path: &TreePath) -> Once {
        let mut rendered = self.rendered.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(rendered.entry(path.clone()).or_default())
    }

    /// Renders a template once; nothing when it gives blanks alone.
    fn render(
        &self,
        path: &TreePath,
        template: &TreePath,
        name: &str,
    ) -> Result<Option<Arc<File>>> {
        self.once(path)
            .get_or_init(|| self.render_now(path, template, name))
            .clone()
    }

    fn render_now(
        &self,
        path: &TreePath,
        template: &TreePath,
        name: &str,
    ) -> Result<Option<Arc<File>>> {
        let file = self.below.read(template)?;
        let text = std::str::from_utf8(&file.bytes).map_err(|_| not_utf8(template.as_str()))?;
        let settings = &self.settings;
        let context = settings.own.get(name).unwrap_or(&settings.context);
        let rendered = settings.engine.render(template.as_str(), text, context)?;
        let keeps = settings.config.as_ref().is_some_and(|c| c.keep_empty);
        if rendered.text.trim().is_empty() && !keeps {
            return Ok(None);
        }
        let source = Source {
            path: Arc::from(path.as_str()),
            origin: Origin::Rendered {
                template: Arc::from(template.as_str()),
                lines: rendered.lines,
            },
            secrets: Arc::clone(&settings.secrets),
        };
        Ok(Some(Arc::new(File {
            path: path.clone(),
            bytes: rendered.text.into_bytes().into(),
            source: Arc::new(source),
        })))
    }

    /// The kind of a directory that only a mounted tree has.
    fn mounted_directory(&self, path: &TreePath) -> Result<bool> {
        for mount in &self.settings.mounts {
            if mount.to.is_within(path) && self.below.kind(&mount.from)? == Some(Kind::Directory) {
                return Ok(true);
            }
            let inside = Self::in_mount(mount, path);
            if let Some(inside) = inside
                && self.below.kind(&inside)? == Some(Kind::Directory)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The names that files of a directory read by: templates without their ending.
    fn virtual_names(&self, directory: &TreePath, names: &mut BTreeSet<String>) -> Result<()> {
        for name in self.below.list(directory)? {
            match name
                .strip_suffix(&self.settings.suffix)
                .filter(|n| !n.is_empty())
            {
                Some(stem) => names.insert(stem.to_owned()),
                None => names.insert(name),
            };
        }
        Ok(())
    }
}

impl Files for View {
    fn read(&self, path: &TreePath) -> Result<Arc<File>> {
        match self.maker(path)? {
            Maker::Below => self.below.read(path),
            Maker::Copy(from) => {
                let file = self.below.read(&from)?;
                Ok(Arc::new(File {
                    path: path.clone(),
                    ..(*file).clone()
                }))
            }
            Maker::Template(template, name) => {
                let rendered = self.render(path, &template, &name)?;
                rendered.ok_or_else(|| {
                    Diagnostic::new(Code::FileMissing, format!("{path} does not exist"))
                        .at(Place::file(path.as_str()))
                        .note(format!(
                            "the template {template} gives blanks alone with these values"
                        ))
                })
            }
        }
    }

    fn kind(&self, path: &TreePath) -> Result<Option<Kind>> {
        match self.maker(path)? {
            Maker::Copy(_) => Ok(Some(Kind::File)),
            Maker::Template(template, name) => {
                let rendered = self.render(path, &template, &name)?;
                Ok(rendered.map(|_| Kind::File))
            }
            Maker::Below => match self.below.kind(path)? {
                Some(Kind::File) if self.mounted_directory(path)? => {
                    let phrase =
                        format!("{path} is a file, where mounted templates make a directory");
                    Err(Diagnostic::new(Code::TemplateConflict, phrase)
                        .at(Place::file(path.as_str()))
                        .help("remove the file"))
                }
                Some(kind) => Ok(Some(kind)),
                None => Ok(self.mounted_directory(path)?.then_some(Kind::Directory)),
            },
        }
    }

    fn list(&self, directory: &TreePath) -> Result<Vec<String>> {
        let mut names = BTreeSet::new();
        let mut found = false;
        if self.below.kind(directory)? == Some(Kind::Directory) {
            found = true;
            self.virtual_names(directory, &mut names)?;
        }
        for mount in &self.settings.mounts {
            if let Some(inside) = Self::in_mount(mount, directory)
                && self.below.kind(&inside)? == Some(Kind::Directory)
            {
                found = true;
                self.virtual_names(&inside, &mut names)?;
            }
        }
        if !found {
            // The error of a directory that is not there.
            return self.below.list(directory);
        }
        Ok(names.into_iter().collect())
    }

    fn real_path(&self, path: &TreePath) -> Result<TreePath> {
        if self.below.kind(path)?.is_some() {
            return self.below.real_path(path);
        }
        match path.parent() {
            Some(parent) => {
                let parent = self.real_path(&parent)?;
                Ok(parent
                    .join(path.file_name())
                    .unwrap_or_else(|| path.clone()))
            }
            None => Ok(path.clone()),
        }
    }

    fn from_absolute(&self, path: &str) -> Option<TreePath> {
        self.below.from_absolute(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::Memory;
    use crate::template::{Settings, context};

    fn path(text: &str) -> TreePath {
        TreePath::parse(text).expect("a path below the root")
    }

    fn view(files: Memory, mounts: &[(&str, &str)]) -> View {
        let engine = Engine::new(Settings::strict()).unwrap();
        let mounts = mounts.iter().map(|(from, to)| Mount {
            from: path(from),
            to: path(to),
        });
        let settings = ViewSettings {
            engine,
            context: context([("name", "orders".into())]),
            own: BTreeMap::new(),
            secrets: Arc::from([]),
            suffix: ".j2".to_owned(),
            mounts: mounts.collect(),
            config: None,
        };
        View::new(Arc::new(files), settings)
    }

    fn text(view: &View, at: &str) -> String {
        String::from_utf8(view.read(&path(at)).unwrap().bytes.to_vec()).unwrap()
    }

    #[test]
    fn a_name_reads_as_what_its_template_renders_to() {
        let files = Memory::from_texts([(
            "app/db.yaml.j2",
            "a: 1\n#% if true %#\nname: #{ name }#\n#% endif %#\n",
        )]);
        let view = view(files, &[]);
        assert_eq!(text(&view, "app/db.yaml"), "a: 1\nname: orders\n");
        assert!(text(&view, "app/db.yaml.j2").contains("#{ name }#"));
        assert_eq!(view.list(&path("app")).unwrap(), ["db.yaml"]);
        let file = view.read(&path("app/db.yaml")).unwrap();
        assert_eq!(file.source.place(2, 1).to_string(), "app/db.yaml.j2:3");
        assert_eq!(view.rendered(), [path("app/db.yaml")]);
    }

    #[test]
    fn a_mounted_tree_wins_over_what_it_generated() {
        let files = Memory::from_texts([
            ("templates/config/apps/db.yaml.j2", "new: #{ name }#\n"),
            ("templates/config/apps/plain.yaml", "plain: true\n"),
            (
                "templates/config/apps/blank.yaml.j2",
                "#% if false %#x#% endif %#\n",
            ),
            ("apps/db.yaml", "old: true\n"),
            ("apps/own.yaml", "own: true\n"),
        ]);
        let view = view(files, &[("templates/config", "")]);
        assert_eq!(text(&view, "apps/db.yaml"), "new: orders\n");
        assert_eq!(text(&view, "apps/plain.yaml"), "plain: true\n");
        assert_eq!(text(&view, "apps/own.yaml"), "own: true\n");
        assert_eq!(view.kind(&path("apps/blank.yaml")).unwrap(), None);
        assert_eq!(view.kind(&path("apps")).unwrap(), Some(Kind::Directory));
        assert_eq!(
            view.list(&path("apps")).unwrap(),
            ["blank.yaml", "db.yaml", "own.yaml", "plain.yaml"]
        );
    }

    #[test]
    fn what_makes_a_file_twice_is_refused() {
        let files = Memory::from_texts([
            ("app/db.yaml.j2", "x"),
            ("app/db.yaml", "x"),
            ("templates/made.j2", "x"),
            ("made/inside", "x"),
        ]);
        let view = view(files, &[("templates", "")]);
        let error = view.read(&path("app/db.yaml")).unwrap_err();
        assert_eq!(error.code(), Code::TemplateConflict);
        let error = view.kind(&path("made")).unwrap_err();
        assert_eq!(error.code(), Code::TemplateConflict);
    }
}
