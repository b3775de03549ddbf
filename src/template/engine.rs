//! Renders texts and evaluates expressions.

use std::collections::BTreeSet;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, Value};

use super::error::diagnose;
use super::settings::{Settings, Undefined};
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
pub struct Engine<'f> {
    settings: Settings,
    environment: Environment<'static>,
    files: Option<Lookup<'f>>,
}

/// Where `include` and `import` look.
struct Lookup<'f> {
    files: &'f dyn Files,
    directories: Vec<TreePath>,
}

/// Builds the context of a render from names and values.
pub fn context<'a>(pairs: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::from_pairs(pairs)
}

impl<'f> Engine<'f> {
    /// Builds an engine whose templates include nothing. Fails with [`Code::TemplateSettings`] when two
    /// marks are the same or one is empty.
    pub fn new(settings: Settings) -> Result<Self> {
        let mut environment = Environment::new();
        environment.set_syntax(syntax(&settings)?);
        environment.set_undefined_behavior(match settings.undefined {
            Undefined::Default | Undefined::Debug => UndefinedBehavior::Lenient,
            Undefined::Chainable => UndefinedBehavior::Chainable,
            Undefined::Strict => UndefinedBehavior::Strict,
        });
        environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        environment
            .set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.set_fuel(Some(settings.limits.fuel));
        environment.set_recursion_limit(settings.limits.recursion);
        environment.set_debug(true);
        Ok(Self {
            settings,
            environment,
            files: None,
        })
    }

    /// Lets templates include and import what lies in `directories`, the first that has it.
    #[must_use]
    pub fn with_files(mut self, files: &'f dyn Files, directories: Vec<TreePath>) -> Self {
        self.files = Some(Lookup { files, directories });
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
        let text = text.replace("\r\n", "\n");
        let template = self
            .environment
            .template_from_named_str(name, &text)
            .map_err(|e| diagnose(&e, name))?;
        let (text, spans) = template
            .render_with_spans(context.clone())
            .map_err(|e| diagnose(&e, name))?;
        if text.len() > self.settings.limits.output_bytes {
            let phrase = format!(
                "the template gives more than {} bytes",
                self.settings.limits.output_bytes
            );
            return Err(Diagnostic::new(Code::TemplateLimit, phrase).at(Place::file(name)));
        }
        let mut lines = Vec::new();
        let mut starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .peekable();
        for span in &spans {
            while starts.next_if(|at| *at < span.output_range().end).is_some() {
                lines.push(u32::try_from(span.line()).unwrap_or(0));
            }
        }
        Ok(Rendered {
            text,
            lines: lines.into(),
        })
    }

    /// Evaluates one expression, without marks around it.
    ///
    /// A name that neither the context nor the language knows is an error where it is used, in every
    /// mode but [`Undefined::Chainable`].
    pub fn evaluate(&self, expression: &str, context: &Value) -> Result<Value> {
        let compiled = self
            .environment
            .compile_expression(expression)
            .map_err(|e| diagnose(&e, expression))?;
        compiled
            .eval(context.clone())
            .map_err(|e| diagnose(&e, expression))
    }

    /// The names that an expression reads from its context.
    pub fn names_of_expression(&self, expression: &str) -> Result<BTreeSet<String>> {
        let compiled = self
            .environment
            .compile_expression(expression)
            .map_err(|e| diagnose(&e, expression))?;
        Ok(compiled.undeclared_variables(false).into_iter().collect())
    }

    /// The names that a text reads from its context, without what it sets itself or includes.
    pub fn names_of_text(&self, name: &str, text: &str) -> Result<BTreeSet<String>> {
        let template = self
            .environment
            .template_from_named_str(name, text)
            .map_err(|e| diagnose(&e, name))?;
        Ok(template.undeclared_variables(false).into_iter().collect())
    }
}

fn syntax(settings: &Settings) -> Result<SyntaxConfig> {
    let marks = &settings.delimiters;
    let [block, variable, comment] =
        [&marks.block, &marks.variable, &marks.comment].map(|[a, b]| (a.clone(), b.clone()));
    SyntaxConfig::builder()
        .block_delimiters(block.0, block.1)
        .variable_delimiters(variable.0, variable.1)
        .comment_delimiters(comment.0, comment.1)
        .trim_blocks(settings.trim_blocks)
        .lstrip_blocks(settings.lstrip_blocks)
        .keep_trailing_newline(settings.keep_trailing_newline)
        .build()
        .map_err(|_| Diagnostic::new(Code::TemplateSettings, "the delimiters are not distinct"))
}
