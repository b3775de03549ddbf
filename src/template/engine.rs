//! Renders texts and evaluates expressions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, OutputSpan, OutputSpanKind, UndefinedBehavior, Value};

use super::dialect::{self, ALONE, Reach, translate, translate_expression};
use super::error::{Teller, place, syntax, wanted};
use super::makejinja::Loader;
use super::python::{RESERVE, charge, iterate::measure, method, own, text::write_str};
use super::scope::Scope;
use super::settings::{Settings, Undefined};
use super::shelf::{Shelf, Text, Wanted};
use super::vocabulary::Words;
use super::{checks, family, filters};
use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::files::{Files, Kind, TreePath};

/// What a render gives.
#[derive(Debug, Clone)]
pub struct Rendered {
    /// The text.
    pub text: String,
    /// For each line of the text, from the first: the line of the template it comes from.
    pub lines: Arc<[u32]>,
}

/// Renders texts of one language.
///
/// ```
/// use prerender::template::{Engine, Settings, context};
/// let engine = Engine::new(Settings::strict()).expect("the marks are distinct");
/// let values = context([("name", "orders-db".into())]);
/// let rendered = engine.render("db.yaml.j2", "name: #{ name }#\n", &values).expect("name is set");
/// assert_eq!(rendered.text, "name: orders-db\n");
/// assert!(engine.evaluate("name == 'orders-db'", &values).expect("name is set").is_true());
/// ```
pub struct Engine<'f> {
    settings: Settings,
    pub(super) environment: Environment<'static>,
    pub(super) words: Words,
    pub(super) shelf: Shelf,
    files: Option<Lookup<'f>>,
    loader: Loader,
}

/// Where `include` and `import` look, and what functions read below.
struct Lookup<'f> {
    files: &'f dyn Files,
    directories: Vec<TreePath>,
}

/// How often one render may ask for files that it names by an expression.
const MAX_ROUNDS: usize = 1000;

/// Builds the context of a render from names and values.
pub fn context<'a>(pairs: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    own(&Value::from_pairs(pairs))
}

impl<'f> Engine<'f> {
    /// Builds an engine whose templates include nothing. Fails with [`Code::TemplateSettings`] when two
    /// marks are the same or one is empty.
    pub fn new(settings: Settings) -> Result<Self> {
        check_marks(&settings)?;
        let mut environment = Environment::empty();
        environment.set_syntax(syntax_of_translations()?);
        environment.set_undefined_behavior(match settings.undefined {
            Undefined::Default | Undefined::Debug => UndefinedBehavior::Lenient,
            Undefined::Chainable => UndefinedBehavior::Chainable,
            Undefined::Strict => UndefinedBehavior::Strict,
        });
        environment.set_formatter(|out, state, value| {
            charge(state)?;
            measure(value)?;
            let escapes = matches!(state.auto_escape(), AutoEscape::Html) && !value.is_safe();
            let written = if escapes {
                let text = super::python::text::str_of(value);
                out.write_str(&filters::escaped(&text))
            } else {
                write_str(out, value)
            };
            written.map_err(|_| minijinja::ErrorKind::WriteFailure.into())
        });
        environment.set_unknown_method_callback(method);
        environment.set_fuel(Some(settings.limits.fuel.saturating_add(RESERVE)));
        environment.set_recursion_limit(settings.limits.recursion);
        environment.set_debug(true);
        let mut words = Words::register(&mut environment, settings.limits.range_items);
        words.finish(&mut environment);
        let shelf = Shelf::default();
        let loader = shelf.clone();
        environment.set_loader(move |name| match loader.template(name) {
            Some(text) => Ok(text.map(|t| t.translated.text.clone())),
            None => Err(minijinja::Error::from(Wanted::Template(name.to_owned()))),
        });
        Ok(Self {
            settings,
            environment,
            words,
            shelf,
            files: None,
            loader: Loader::default(),
        })
    }

    /// Lets templates include and import what lies in `directories`, the first that has it.
    #[must_use]
    pub fn with_files(mut self, files: &'f dyn Files, directories: Vec<TreePath>) -> Self {
        self.files = Some(Lookup { files, directories });
        self
    }

    /// Adds the functions and filters of the cluster-template family, which read files relative to `base`.
    #[must_use]
    pub fn with_family(mut self, base: TreePath) -> Self {
        let directories = self.files.as_ref().map(|f| f.directories.clone());
        let reader = family::Reader {
            shelf: self.shelf.clone(),
            base,
            inputs: directories.unwrap_or_default(),
        };
        for (name, function) in family::FUNCTIONS {
            let callable = family::callable(*function, &reader);
            self.words
                .shared_function(&mut self.environment, name, callable);
        }
        for (name, filter) in family::FILTERS {
            let callable = family::callable(*filter, &reader);
            self.words
                .shared_filter(&mut self.environment, name, callable);
        }
        self.words.finish(&mut self.environment);
        self
    }

    /// Adds the functions that the checks of a profile call.
    #[must_use]
    pub fn with_checks(mut self) -> Self {
        for (name, function) in checks::FUNCTIONS {
            let callable: super::vocabulary::Shared = Arc::new(*function);
            self.words
                .shared_function(&mut self.environment, name, callable);
        }
        self.words.finish(&mut self.environment);
        self
    }

    /// Tells apart what is missing by mistake and what Python code, which is not run, would have provided.
    #[must_use]
    pub fn with_loader(mut self, loader: Loader) -> Self {
        self.loader = loader;
        self
    }

    /// The settings it was built with.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Renders a text. `name` is its path in messages; `context` a map of the names it may read.
    ///
    /// Fails with a `Template…` code that names file, line and column, and how the include came there.
    pub fn render(&self, name: &str, text: &str, context: &Value) -> Result<Rendered> {
        let main = self.read_text(name, text)?;
        self.prefetch(&main)?;
        self.check_loader(&main, context, &mut BTreeSet::new())?;
        let scope = Scope::value(context, main.translated.mutates);
        let (text, spans) = self.repeat(&main, &scope, || {
            let template = self
                .environment
                .template_from_named_str(&main.path, &main.translated.text)?;
            template.render_with_spans(scope.clone())
        })?;
        let limit = self.settings.limits.output_bytes;
        if text.len() > limit {
            let phrase = format!("the template gives more than {limit} bytes");
            return Err(Diagnostic::new(Code::TemplateLimit, phrase).at(Place::file(name)));
        }
        let lines = lines(&text, &spans, &main);
        Ok(Rendered { text, lines })
    }

    /// Evaluates one expression, without marks around it.
    ///
    /// A name that neither the context nor the language knows is an error where it is used, in every
    /// mode but [`Undefined::Chainable`]; its place is in `expression`, whose name is in the message.
    pub fn evaluate(&self, expression: &str, context: &Value) -> Result<Value> {
        let main = self.read_expression(expression)?;
        let scope = Scope::value(context, main.translated.mutates);
        self.repeat(&main, &scope, || {
            let compiled = self
                .environment
                .compile_expression_owned(main.translated.text.clone())?;
            compiled.eval(scope.clone())
        })
    }

    /// The names that an expression reads from its context.
    pub fn names_of_expression(&self, expression: &str) -> Result<BTreeSet<String>> {
        let text = self.read_expression(expression)?;
        Ok(text.translated.reads.into_keys().collect())
    }

    /// The names that a text reads from its context before it sets them, and the place of each first read.
    pub fn names_of_text(&self, name: &str, text: &str) -> Result<BTreeMap<String, Place>> {
        let text = self.read_text(name, text)?;
        let at = |at: usize| place(&text.path, &text.source, at);
        let reads = text.translated.reads.iter();
        Ok(reads
            .map(|(name, offset)| (name.clone(), at(*offset)))
            .collect())
    }

    /// The templates that a text includes or imports by a constant name.
    pub fn includes_of_text(&self, name: &str, text: &str) -> Result<Vec<String>> {
        let includes = self.read_text(name, text)?.translated.includes;
        let plain = |(name, _): (String, usize)| name.trim_start_matches(ALONE).to_owned();
        Ok(includes.into_iter().map(plain).collect())
    }

    /// Refuses a name that only Python code would set: templates would render, to something else.
    fn check_loader(
        &self,
        text: &Text,
        context: &Value,
        seen: &mut BTreeSet<String>,
    ) -> Result<()> {
        if self.loader.values.is_empty() {
            return Ok(());
        }
        for (name, at) in &text.translated.reads {
            let Some(python) = self.loader.values.get(name) else {
                continue;
            };
            if context.get_attr(name).is_ok_and(|v| !v.is_undefined()) {
                continue;
            }
            let phrase = format!("{name} is set by Python code, which is not run");
            return Err(Diagnostic::new(Code::TemplateUndefined, phrase)
                .at(place(&text.path, &text.source, *at))
                .note(format!("{python} sets it, and the profile does not"))
                .help(format!(
                    "set {name} in the values, or derive it in prerender.yaml: `derive: {{{name}: …}}`"
                )));
        }
        for (name, _) in &text.translated.includes {
            if let Some(text) = self.shelf.template(name).flatten()
                && seen.insert(name.clone())
            {
                self.check_loader(&text, context, seen)?;
            }
        }
        Ok(())
    }

    /// Adds to an error about an unknown function or filter that Python code would have provided it.
    fn blame_python(&self, diagnostic: Diagnostic) -> Diagnostic {
        let name = ["there is no function ", "there is no filter "]
            .iter()
            .find_map(|p| diagnostic.phrase().strip_prefix(p));
        match name.and_then(|name| Some((name, self.loader.functions.get(name)?))) {
            Some((name, place)) => {
                let note = format!("{place} defines {name} in Python, which is not run");
                diagnostic.note(note)
            }
            None => diagnostic,
        }
    }

    fn read_text(&self, name: &str, text: &str) -> Result<Text> {
        self.read_text_with(name, text, Reach::Context)
    }

    fn read_text_with(&self, name: &str, text: &str, reach: Reach) -> Result<Text> {
        let path: Arc<str> = Arc::from(name);
        let source = if text.contains('\r') {
            text.replace("\r\n", "\n").replace('\r', "\n")
        } else {
            text.to_owned()
        };
        let translated = translate(&source, &self.settings, &self.words, reach)
            .map_err(|fault| self.blame_python(syntax(&path, &source, &fault)))?;
        Ok(Text {
            path,
            source,
            translated,
        })
    }

    fn read_expression(&self, expression: &str) -> Result<Text> {
        let path: Arc<str> = Arc::from("<expression>");
        let translated = translate_expression(expression, &self.settings, &self.words)
            .map_err(|fault| syntax(&path, expression, &fault).note(format!("in {expression}")))?;
        Ok(Text {
            path,
            source: expression.to_owned(),
            translated,
        })
    }

    /// Runs until nothing is asked for that the shelf does not hold.
    fn repeat<T>(
        &self,
        main: &Text,
        scope: &Value,
        run: impl Fn() -> Result<T, minijinja::Error>,
    ) -> Result<T> {
        for _ in 0..MAX_ROUNDS {
            match run() {
                Ok(done) => return Ok(done),
                Err(error) => match wanted(&error) {
                    Some(wanted) => self.fetch(&wanted, main)?,
                    None => return Err(self.tell(main, scope, &error)),
                },
            }
        }
        let phrase = format!("the template asks for more than {MAX_ROUNDS} files");
        Err(Diagnostic::new(Code::TemplateLimit, phrase).at(Place::file(Arc::clone(&main.path))))
    }

    fn tell(&self, main: &Text, scope: &Value, error: &minijinja::Error) -> Diagnostic {
        let marks = &self.settings.delimiters;
        let teller = Teller {
            main,
            shelf: &self.shelf,
            context: scope,
            functions: self.words.function_names().collect(),
            closers: [&marks.block[1], &marks.variable[1]],
        };
        self.blame_python(teller.tell(error))
    }

    /// Puts the templates that a text includes by constant names on the shelf.
    fn prefetch(&self, text: &Text) -> Result<()> {
        for (name, _) in &text.translated.includes {
            if self.shelf.template(name).is_none() {
                self.fetch(&Wanted::Template(name.clone()), text)?;
            }
        }
        Ok(())
    }

    fn fetch(&self, wanted: &Wanted, asker: &Text) -> Result<()> {
        match wanted {
            Wanted::Template(name) => {
                let (plain, reach) = match name.strip_prefix(ALONE) {
                    Some(plain) => (plain, Reach::Values),
                    None => (name.as_str(), Reach::Context),
                };
                let found = self.find_template(plain, asker)?;
                let text = found
                    .map(|(path, source)| self.read_text_with(&path, &source, reach))
                    .transpose()?;
                let text = text.map(Arc::new);
                self.shelf.put_template(name, text.clone());
                text.map_or(Ok(()), |text| self.prefetch(&text))
            }
            Wanted::File(path) => {
                let bytes = match &self.files {
                    None => None,
                    Some(lookup) => read(lookup.files, &below(path, asker)?)?,
                };
                self.shelf.put_file(path, bytes);
                Ok(())
            }
            Wanted::List(path) => {
                let names = match &self.files {
                    None => None,
                    Some(lookup) => list(lookup.files, &below(path, asker)?)?,
                };
                self.shelf.put_list(path, names);
                Ok(())
            }
        }
    }

    fn find_template(&self, name: &str, asker: &Text) -> Result<Option<(String, String)>> {
        let Some(lookup) = &self.files else {
            return Ok(None);
        };
        // As Jinja2's loader: names do not climb.
        let parts_climb = name.split('/').any(|part| part == "..");
        for directory in lookup.directories.iter().filter(|_| !parts_climb) {
            let Some(path) = directory.join(name) else {
                return Err(outside(name, asker));
            };
            if let Some(bytes) = read(lookup.files, &path)? {
                let text =
                    String::from_utf8(bytes.to_vec()).map_err(|_| not_utf8(path.as_str()))?;
                return Ok(Some((path.as_str().to_owned(), text)));
            }
        }
        Ok(None)
    }
}

/// The error for a template that is not text.
pub(super) fn not_utf8(path: &str) -> Diagnostic {
    Diagnostic::new(Code::TemplateSyntax, "the template is not UTF-8").at(Place::file(path))
}

fn outside(name: &str, asker: &Text) -> Diagnostic {
    let phrase = format!("{name} leads out of the root");
    Diagnostic::new(Code::OutsideRoot, phrase).at(Place::file(Arc::clone(&asker.path)))
}

fn below(path: &str, asker: &Text) -> Result<TreePath> {
    TreePath::parse(path).ok_or_else(|| outside(path, asker))
}

fn read(files: &dyn Files, path: &TreePath) -> Result<Option<Arc<[u8]>>> {
    match files.read(path) {
        Ok(file) => Ok(Some(Arc::clone(&file.bytes))),
        Err(error) if error.code() == Code::FileMissing => Ok(None),
        Err(error) => Err(error),
    }
}

fn list(files: &dyn Files, path: &TreePath) -> Result<Option<Vec<String>>> {
    match files.kind(path)? {
        Some(Kind::Directory) => files.list(path).map(Some),
        _ => Ok(None),
    }
}

/// The marks and whitespace of translated texts.
fn syntax_of_translations() -> Result<SyntaxConfig> {
    SyntaxConfig::builder()
        .block_delimiters(dialect::BLOCK_START, dialect::BLOCK_END)
        .variable_delimiters(dialect::VARIABLE_START, dialect::VARIABLE_END)
        .comment_delimiters(dialect::COMMENT_START, dialect::COMMENT_END)
        .keep_trailing_newline(true)
        .build()
        .map_err(|_| Diagnostic::new(Code::Internal, "the marks of translated texts are wrong"))
}

fn check_marks(settings: &Settings) -> Result<()> {
    let d = &settings.delimiters;
    let all = [&d.block, &d.variable, &d.comment];
    if all.iter().any(|pair| pair.iter().any(String::is_empty)) {
        return Err(Diagnostic::new(
            Code::TemplateSettings,
            "a delimiter is empty",
        ));
    }
    if d.block[0] == d.variable[0] || d.block[0] == d.comment[0] || d.variable[0] == d.comment[0] {
        let phrase = "two opening delimiters are the same";
        return Err(Diagnostic::new(Code::TemplateSettings, phrase));
    }
    Ok(())
}

/// For each line of a text, the line of the template that gave its start.
fn lines(text: &str, spans: &[OutputSpan], main: &Text) -> Arc<[u32]> {
    let starts = |text: &str| -> Vec<usize> {
        std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect()
    };
    let source_starts = starts(&main.source);
    let line_of = |offset: usize| {
        u32::try_from(source_starts.partition_point(|start| *start <= offset)).unwrap_or(0)
    };
    let mut lines = Vec::new();
    let mut spans = spans.iter().peekable();
    let mut last = 1;
    for start in starts(text) {
        while spans.next_if(|s| s.output_range().end <= start).is_some() {}
        if let Some(span) = spans.peek().filter(|s| s.name() == &*main.path) {
            let inside = match span.kind() {
                OutputSpanKind::Raw => start.saturating_sub(span.output_range().start),
                _ => 0,
            };
            last = line_of(
                main.translated
                    .map
                    .source_of(span.source_range().start + inside),
            );
        }
        lines.push(last);
    }
    lines.into()
}

/// What a value is called in messages about types.
pub fn kind_of(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::Undefined => "nothing",
        _ => super::python::type_name(value),
    }
}
