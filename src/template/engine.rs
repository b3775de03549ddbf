//! Renders texts and evaluates expressions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, OutputSpan, OutputSpanKind, UndefinedBehavior, Value};

use super::cache::{TemplateCache, Text};
use super::dialect::{self, ALONE};
use super::error::{ErrorReporter, carried, carried_by, place};
use super::makejinja::Loader;
use super::python::{RESERVE, charge, iterate::measure, method, own, text::write_str};
use super::reader::{Lookup, Reader};
use super::scope::Scope;
use super::settings::{Settings, Undefined};
use super::vocabulary::KnownNames;
use super::{checks, family, filters};
use crate::diagnostic::budget::Growth;
use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::files::{Files, TreePath};

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
pub struct Engine {
    pub(super) environment: Environment<'static>,
    pub(super) reader: Arc<Reader>,
}

/// Builds the context of a render from names and values.
pub fn context<'a>(pairs: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    own(&Value::from_pairs(pairs))
}

impl Engine {
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
        let mut words = KnownNames::register(&mut environment, settings.limits.range_items);
        words.finish(&mut environment);
        let reader = Reader {
            settings,
            words,
            lookup: None,
            loader: Loader::default(),
            shelf: TemplateCache::default(),
        };
        Ok(Self::of(environment, reader))
    }

    /// Joins an environment and what reads the templates that it asks for.
    fn of(mut environment: Environment<'static>, reader: Reader) -> Self {
        let reader = Arc::new(reader);
        let asked = Arc::clone(&reader);
        environment.set_loader(move |name| {
            let text = asked.template(name).map_err(carried)?;
            Ok(text.map(|text| text.translated.text.clone()))
        });
        Self {
            environment,
            reader,
        }
    }

    fn changed(self, change: impl FnOnce(&mut Environment<'static>, &mut Reader)) -> Self {
        let (mut environment, mut reader) = (self.environment, Reader::clone(&self.reader));
        change(&mut environment, &mut reader);
        Self::of(environment, reader)
    }

    /// Lets templates include and import what lies in `directories`, the first that has it.
    #[must_use]
    pub fn with_files(self, files: Arc<dyn Files>, directories: Vec<TreePath>) -> Self {
        self.changed(|_, reader| reader.lookup = Some(Lookup { files, directories }))
    }

    /// Adds the functions and filters of the cluster-template family, which read files relative to `base`,
    /// of those that [`Self::with_files`] gave before.
    #[must_use]
    pub fn with_family(self, base: TreePath) -> Self {
        self.changed(|environment, reader| {
            let family = family::Reader {
                shelf: reader.shelf.clone(),
                lookup: reader.lookup.clone(),
                base,
            };
            for (name, function) in family::FUNCTIONS {
                let callable = family::callable(*function, &family);
                reader.words.shared_function(environment, name, callable);
            }
            for (name, filter) in family::FILTERS {
                let callable = family::callable(*filter, &family);
                reader.words.shared_filter(environment, name, callable);
            }
            reader.words.finish(environment);
        })
    }

    /// Adds the functions that the checks of a profile call.
    #[must_use]
    pub fn with_checks(self) -> Self {
        self.changed(|environment, reader| {
            for (name, function) in checks::FUNCTIONS {
                let callable: super::vocabulary::Shared = Arc::new(*function);
                reader.words.shared_function(environment, name, callable);
            }
            reader.words.finish(environment);
        })
    }

    /// Tells apart what is missing by mistake and what Python code, which is not run, would have provided.
    #[must_use]
    pub fn with_loader(self, loader: Loader) -> Self {
        self.changed(|_, reader| reader.loader = loader)
    }

    /// The settings it was built with.
    pub fn settings(&self) -> &Settings {
        &self.reader.settings
    }

    /// Renders a text. `name` is its path in messages; `context` a map of the names it may read.
    ///
    /// Fails with a `Template…` code that names file, line and column, and how the include came there.
    pub fn render(&self, name: &str, text: &str, context: &Value) -> Result<Rendered> {
        let main = self.reader.text(name, text)?;
        self.check_loader(&main, context, &mut BTreeSet::new())?;
        let scope = Scope::value(context, main.translated.mutates);
        let (text, spans) = self
            .environment
            .template_from_named_str(&main.path, &main.translated.text)
            .and_then(|template| template.render_with_spans(scope.clone()))
            .map_err(|error| self.tell(&main, &scope, &error))?;
        Growth::TemplateBytes
            .charge(text.len() as u64)
            .map_err(|error| error.at(Place::file(name)))?;
        let limit = self.reader.settings.limits.output_bytes;
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
        let main = self.reader.expression(expression)?;
        let scope = Scope::value(context, main.translated.mutates);
        self.environment
            .compile_expression_owned(main.translated.text.clone())
            .and_then(|compiled| compiled.eval(scope.clone()))
            .map_err(|error| self.tell(&main, &scope, &error))
    }

    /// The names that an expression reads from its context.
    pub fn names_of_expression(&self, expression: &str) -> Result<BTreeSet<String>> {
        let text = self.reader.expression(expression)?;
        Ok(text.translated.reads.into_keys().collect())
    }

    /// The names that a text reads from its context before it sets them, and the place of each first read.
    pub fn names_of_text(&self, name: &str, text: &str) -> Result<BTreeMap<String, Place>> {
        let text = self.reader.text(name, text)?;
        let at = |at: usize| place(&text.path, &text.source, at);
        let reads = text.translated.reads.iter();
        Ok(reads
            .map(|(name, offset)| (name.clone(), at(*offset)))
            .collect())
    }

    /// The templates that a text includes or imports by a constant name.
    pub fn includes_of_text(&self, name: &str, text: &str) -> Result<Vec<String>> {
        let includes = self.reader.text(name, text)?.translated.includes;
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
        if self.reader.loader.values.is_empty() {
            return Ok(());
        }
        for (name, at) in &text.translated.reads {
            let Some(python) = self.reader.loader.values.get(name) else {
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
            if seen.insert(name.clone())
                && let Some(text) = self.reader.template(name)?
            {
                self.check_loader(&text, context, seen)?;
            }
        }
        Ok(())
    }

    fn tell(&self, main: &Text, scope: &Value, error: &minijinja::Error) -> Diagnostic {
        if let Some(own) = carried_by(error) {
            return own.or_at(Place::file(Arc::clone(&main.path)));
        }
        let marks = &self.reader.settings.delimiters;
        let teller = ErrorReporter {
            main,
            shelf: &self.reader.shelf,
            context: scope,
            functions: self.reader.words.function_names().collect(),
            closers: [&marks.block[1], &marks.variable[1]],
        };
        self.reader.blame_python(teller.tell(error))
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
