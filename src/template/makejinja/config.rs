//! `makejinja.toml`, read with the places of what is wrong in it.

use std::collections::BTreeMap;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Code, Diagnostic, Place, Result, nearest};
use crate::files::{Files, TreePath};
use crate::template::settings::{Settings, Undefined};

/// The profile that holds what a Python loader derives, where its work is built in.
///
/// The family's loader is the class `Plugin` of a module `plugin`, in whatever package.
pub fn profile_of(loader: &str) -> Option<&'static str> {
    let (module, class) = loader.split_once(':').or_else(|| loader.rsplit_once('.'))?;
    let module = module.rsplit('.').next().unwrap_or(module);
    (module == "plugin" && class == "Plugin").then_some("cluster-template")
}

/// Jinja extensions that the language always has.
const EXTENSIONS: &[&str] = &["jinja2.ext.do", "jinja2.ext.loopcontrols"];

/// A `makejinja.toml`. Paths are beneath the root; they are written relative to the file's directory.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it lies.
    pub path: TreePath,
    /// Files and directories of templates, the first wins.
    pub inputs: Vec<TreePath>,
    /// Where it says that output goes.
    pub output: Option<TreePath>,
    /// Which files of the input directories are taken.
    pub include_patterns: Vec<String>,
    /// Which of these are not.
    pub exclude_patterns: Vec<String>,
    /// How the names of templates end; every file is a template when empty.
    pub jinja_suffix: String,
    /// Whether the ending stays in the output.
    pub keep_jinja_suffix: bool,
    /// Whether files of blanks alone are written.
    pub keep_empty: bool,
    /// Whether rendered files get their template's mode and time.
    pub copy_metadata: bool,
    /// Whether files that exist are written anew.
    pub force: bool,
    /// Whether the output is emptied first.
    pub clean: bool,
    /// Files and directories of values.
    pub data: Vec<TreePath>,
    /// Values by dotted name, on top of `data`.
    pub data_vars: Vec<(String, toml::Value)>,
    /// Files of values for single templates, by the template's path below its input.
    pub file_data: BTreeMap<String, Vec<TreePath>>,
    /// Python classes, and where each is named.
    pub loaders: Vec<(String, Place)>,
    /// Where Python modules are looked for.
    pub import_paths: Vec<TreePath>,
    /// Directories that are left out; set once values are known, see [`filters`](super::filters).
    pub left_out: Vec<TreePath>,
    /// The language.
    pub settings: Settings,
    /// Where the values are named, for errors about them.
    pub data_place: Place,
}

type Entry<'a> = (&'a str, &'a Spanned<DeValue<'a>>);

struct Reader<'a> {
    text: &'a str,
    path: &'a TreePath,
    directory: TreePath,
}

impl Config {
    /// Reads a `makejinja.toml`.
    ///
    /// Fails with [`Code::MakejinjaInvalid`] at what is wrong: an unknown key, another type, a shell
    /// command, a Python extension; and with [`Code::OutsideRoot`] for a path that leaves the root.
    pub fn read(files: &dyn Files, path: &TreePath) -> Result<Self> {
        let file = files.read(path)?;
        let text = std::str::from_utf8(&file.bytes).map_err(|_| {
            Diagnostic::new(Code::MakejinjaInvalid, "the file is not UTF-8")
                .at(Place::file(path.as_str()))
        })?;
        let reader = Reader {
            text,
            path,
            directory: path.parent().unwrap_or_else(TreePath::root),
        };
        let document = DeTable::parse(text).map_err(|e| {
            let at = e.span().map_or(0, |s| s.start);
            reader
                .wrong(at, "this is not TOML")
                .note(e.message().to_owned())
        })?;
        let mut config = Self::new(path);
        // Tables of other tools may stand beside it; without it one of them is misspelled.
        let is_there = document.get_ref().contains_key("makejinja");
        for (name, value) in entries(document.get_ref()) {
            match (name, value.get_ref()) {
                ("makejinja", DeValue::Table(table)) => {
                    for entry in entries(table) {
                        config.set(&reader, entry)?;
                    }
                }
                _ if is_there && name != "makejinja" => {}
                _ => return Err(reader.unknown(name, value.span().start, &["makejinja"])),
            }
        }
        Ok(config)
    }

    fn new(path: &TreePath) -> Self {
        Self {
            path: path.clone(),
            inputs: Vec::new(),
            output: None,
            include_patterns: vec!["**/*".to_owned()],
            exclude_patterns: Vec::new(),
            jinja_suffix: ".jinja".to_owned(),
            keep_jinja_suffix: false,
            keep_empty: false,
            copy_metadata: false,
            force: false,
            clean: false,
            data: Vec::new(),
            data_vars: Vec::new(),
            file_data: BTreeMap::new(),
            loaders: Vec::new(),
            import_paths: Vec::new(),
            left_out: Vec::new(),
            settings: Settings::makejinja(),
            data_place: Place::file(path.as_str()),
        }
    }

    fn set(&mut self, reader: &Reader<'_>, entry: Entry<'_>) -> Result<()> {
        let (name, value) = entry;
        match name {
            "inputs" => self.inputs = reader.paths(entry)?,
            "output" => {
                self.output = Some(reader.path_of(value.span().start, &reader.string(entry)?)?);
            }
            "include_patterns" => self.include_patterns = reader.strings(entry)?,
            "exclude_patterns" => self.exclude_patterns = reader.strings(entry)?,
            "jinja_suffix" => self.jinja_suffix = reader.string(entry)?,
            "keep_jinja_suffix" => self.keep_jinja_suffix = reader.boolean(entry)?,
            "keep_empty" => self.keep_empty = reader.boolean(entry)?,
            "copy_metadata" => self.copy_metadata = reader.boolean(entry)?,
            "force" => self.force = reader.boolean(entry)?,
            "clean" => self.clean = reader.boolean(entry)?,
            "quiet" => drop(reader.boolean(entry)?),
            "data" => {
                self.data = reader.paths(entry)?;
                self.data_place = reader.place(value.span().start);
            }
            "data_vars" => {
                for (key, value) in reader.table(entry)? {
                    self.data_vars.push((key.to_owned(), plain(value)));
                }
            }
            "file_data" => {
                for (template, value) in reader.table(entry)? {
                    let paths = reader.paths((template, value))?;
                    self.file_data.insert(template.to_owned(), paths);
                }
            }
            "loaders" | "plugins" => {
                let place = reader.place(value.span().start);
                let named = reader
                    .strings(entry)?
                    .into_iter()
                    .map(|l| (l, place.clone()));
                self.loaders.extend(named);
            }
            "import_paths" => self.import_paths = reader.paths(entry)?,
            "extensions" => reader.extensions(entry)?,
            "undefined" => self.settings.undefined = reader.undefined(entry)?,
            "exec_pre" | "exec_post" => return Err(reader.command(entry)),
            "delimiter" => self.delimiter(reader, entry)?,
            "prefix" => self.prefix(reader, entry)?,
            "whitespace" => self.whitespace(reader, entry)?,
            "internal" => reader.internal(entry)?,
            _ => return Err(reader.unknown(name, value.span().start, KEYS)),
        }
        Ok(())
    }

    fn delimiter(&mut self, reader: &Reader<'_>, entry: Entry<'_>) -> Result<()> {
        let marks = &mut self.settings.delimiters;
        for (name, value) in reader.table(entry)? {
            let text = reader.string((name, value))?;
            let slot = match name {
                "block_start" => &mut marks.block[0],
                "block_end" => &mut marks.block[1],
                "variable_start" => &mut marks.variable[0],
                "variable_end" => &mut marks.variable[1],
                "comment_start" => &mut marks.comment[0],
                "comment_end" => &mut marks.comment[1],
                _ => return Err(reader.unknown(name, value.span().start, DELIMITERS)),
            };
            *slot = text;
        }
        Ok(())
    }

    fn prefix(&mut self, reader: &Reader<'_>, entry: Entry<'_>) -> Result<()> {
        for (name, value) in reader.table(entry)? {
            let text = Some(reader.string((name, value))?).filter(|t| !t.is_empty());
            match name {
                "line_statement" => self.settings.line_statement_prefix = text,
                "line_comment" => self.settings.line_comment_prefix = text,
                _ => {
                    return Err(reader.unknown(
                        name,
                        value.span().start,
                        &["line_statement", "line_comment"],
                    ));
                }
            }
        }
        Ok(())
    }

    fn whitespace(&mut self, reader: &Reader<'_>, entry: Entry<'_>) -> Result<()> {
        for (name, value) in reader.table(entry)? {
            let settings = &mut self.settings;
            match name {
                "trim_blocks" => settings.trim_blocks = reader.boolean((name, value))?,
                "lstrip_blocks" => settings.lstrip_blocks = reader.boolean((name, value))?,
                "keep_trailing_newline" => {
                    settings.keep_trailing_newline = reader.boolean((name, value))?;
                }
                "newline_sequence" => {
                    settings.newline = match reader.string((name, value))?.as_str() {
                        "\n" => "\n",
                        "\r\n" => "\r\n",
                        "\r" => "\r",
                        _ => {
                            return Err(reader.wrong(
                                value.span().start,
                                "newline_sequence is \\n, \\r\\n or \\r",
                            ));
                        }
                    }
                }
                _ => return Err(reader.unknown(name, value.span().start, WHITESPACE)),
            }
        }
        Ok(())
    }
}

/// The keys of `[makejinja]`.
const KEYS: &[&str] = &[
    "inputs",
    "output",
    "include_patterns",
    "exclude_patterns",
    "jinja_suffix",
    "keep_jinja_suffix",
    "keep_empty",
    "copy_metadata",
    "data",
    "data_vars",
    "file_data",
    "loaders",
    "plugins",
    "import_paths",
    "extensions",
    "undefined",
    "exec_pre",
    "exec_post",
    "clean",
    "force",
    "quiet",
    "delimiter",
    "prefix",
    "whitespace",
    "internal",
];
const DELIMITERS: &[&str] = &[
    "block_start",
    "block_end",
    "variable_start",
    "variable_end",
    "comment_start",
    "comment_end",
];
const WHITESPACE: &[&str] = &[
    "trim_blocks",
    "lstrip_blocks",
    "newline_sequence",
    "keep_trailing_newline",
];
const INTERNAL: &[&str] = &[
    "optimized",
    "autoescape",
    "cache_size",
    "auto_reload",
    "enable_async",
];

fn entries<'a>(table: &'a DeTable<'a>) -> impl Iterator<Item = Entry<'a>> {
    table.iter().map(|(key, value)| (&**key.get_ref(), value))
}

impl Reader<'_> {
    fn place(&self, at: usize) -> Place {
        let path: Arc<str> = Arc::from(self.path.as_str());
        crate::template::error::place(&path, self.text, at)
    }

    fn wrong(&self, at: usize, phrase: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Code::MakejinjaInvalid, phrase).at(self.place(at))
    }

    fn unknown(&self, name: &str, at: usize, known: &[&str]) -> Diagnostic {
        let diagnostic = self.wrong(at, format!("makejinja has no key {name}"));
        match nearest(name, known.iter().copied()) {
            Some(near) => diagnostic.help(format!("did you mean {near}?")),
            None => diagnostic.help(format!("it has {}", known.join(", "))),
        }
    }

    fn typed<'a, T>(
        &self,
        (name, value): Entry<'a>,
        wanted: &str,
        read: impl Fn(&'a DeValue<'a>) -> Option<T>,
    ) -> Result<T> {
        read(value.get_ref())
            .ok_or_else(|| self.wrong(value.span().start, format!("{name} is {wanted}")))
    }

    fn string(&self, entry: Entry<'_>) -> Result<String> {
        self.typed(entry, "a string", |v| v.as_str().map(str::to_owned))
    }

    fn boolean(&self, entry: Entry<'_>) -> Result<bool> {
        self.typed(entry, "true or false", |v| v.as_bool())
    }

    fn strings(&self, entry: Entry<'_>) -> Result<Vec<String>> {
        self.typed(entry, "a list of strings", |v| {
            let items = v
                .as_array()?
                .iter()
                .map(|i| i.get_ref().as_str().map(str::to_owned));
            items.collect()
        })
    }

    fn table<'a>(&self, entry: Entry<'a>) -> Result<Vec<Entry<'a>>> {
        self.typed(entry, "a table", |v| match v {
            DeValue::Table(table) => Some(entries(table).collect()),
            _ => None,
        })
    }

    fn path_of(&self, at: usize, path: &str) -> Result<TreePath> {
        let beneath = if path.starts_with('/') {
            None
        } else {
            self.directory.join(path)
        };
        beneath.ok_or_else(|| {
            Diagnostic::new(Code::OutsideRoot, format!("{path} leads out of the root"))
                .at(self.place(at))
                .help("move it below the root, or name a wider root with --root")
        })
    }

    fn paths(&self, entry: Entry<'_>) -> Result<Vec<TreePath>> {
        let at = entry.1.span().start;
        self.strings(entry)?
            .iter()
            .map(|path| self.path_of(at, path))
            .collect()
    }

    fn extensions(&self, entry: Entry<'_>) -> Result<()> {
        for extension in self.strings(entry)? {
            if !EXTENSIONS.contains(&extension.as_str()) {
                let phrase =
                    format!("the Jinja extension {extension} is Python code that is not built in");
                return Err(self
                    .wrong(entry.1.span().start, phrase)
                    .help(format!("built in are {}", EXTENSIONS.join(" and "))));
            }
        }
        Ok(())
    }

    fn undefined(&self, entry: Entry<'_>) -> Result<Undefined> {
        Ok(match self.string(entry)?.as_str() {
            "default" => Undefined::Default,
            "chainable" => Undefined::Chainable,
            "debug" => Undefined::Debug,
            "strict" => Undefined::Strict,
            _ => {
                let phrase = "undefined is default, chainable, debug or strict";
                return Err(self.wrong(entry.1.span().start, phrase));
            }
        })
    }

    fn command(&self, (name, value): Entry<'_>) -> Diagnostic {
        self.wrong(
            value.span().start,
            format!("{name} runs shell commands, which templates may not"),
        )
        .help(format!("remove {name}, and run its commands yourself"))
    }

    fn internal(&self, entry: Entry<'_>) -> Result<()> {
        for (name, value) in self.table(entry)? {
            match name {
                "optimized" | "auto_reload" => drop(self.boolean((name, value))?),
                "cache_size" => {}
                "autoescape" | "enable_async" if !self.boolean((name, value))? => {}
                "autoescape" | "enable_async" => {
                    let phrase = format!("{name} is not supported");
                    return Err(self.wrong(value.span().start, phrase));
                }
                _ => return Err(self.unknown(name, value.span().start, INTERNAL)),
            }
        }
        Ok(())
    }
}

/// A value without places.
fn plain(value: &Spanned<DeValue<'_>>) -> toml::Value {
    match value.get_ref() {
        DeValue::String(text) => toml::Value::String(text.to_string()),
        DeValue::Boolean(flag) => toml::Value::Boolean(*flag),
        DeValue::Datetime(datetime) => toml::Value::Datetime(*datetime),
        DeValue::Integer(integer) => {
            let parsed = i64::from_str_radix(integer.as_str(), integer.radix());
            parsed.map_or_else(
                |_| toml::Value::String(integer.to_string()),
                toml::Value::Integer,
            )
        }
        DeValue::Float(float) => toml::Value::Float(float.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Array(items) => toml::Value::Array(items.iter().map(plain).collect()),
        DeValue::Table(table) => toml::Value::Table(
            entries(table)
                .map(|(k, v)| (k.to_owned(), plain(v)))
                .collect(),
        ),
    }
}
