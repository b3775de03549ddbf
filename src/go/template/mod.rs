//! Go's `text/template`: a parser and an evaluator of our own, and the functions of sprig that need no clock,
//! environment or network.
//!
//! ApplicationSets, ResourceSets, External Secrets and Prometheus rules are templates of this kind. Values are
//! Go's ([`Value`]), since what `printf`, `eq` or a missing key do depends on its types. Every text is bounded:
//! nesting by constants, work and output by a [`Budget`].
//!
//! ```
//! use prerender::go::template::{Budget, Functions, Options, Template, Value, sprig};
//! let functions = Functions::new(sprig::ALL);
//! let template = Template::parse("{{ .name | upper }}", &Options::default(), &functions)?;
//! let data = Value::map([("name".into(), Value::string("shop"))]);
//! assert_eq!(template.fill(&data, &functions, &Budget::default())?, "SHOP");
//! # Ok::<(), prerender::go::template::Fault>(())
//! ```

mod budget;
mod builtins;
mod compare;
mod evaluate;
mod fault;
mod function;
mod lex;
mod parse;
mod print;
pub mod sprig;
#[cfg(test)]
mod tests;
mod tree;
mod value;

pub use budget::Budget;
pub use fault::{Cause, Fault, Result};
pub use function::{Body, Call, Function, row};
pub use print::{display, plain};
pub use sprig::adler32;
pub use value::{Element, IntType, List, Map, Object, Value};

/// The largest template that is read.
const MAX_TEMPLATE_BYTES: usize = 4 << 20;

/// What a key that is not in a map yields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MissingKey {
    /// Nothing, which prints `<no value>`.
    #[default]
    Default,
    /// The zero of the map's values.
    Zero,
    /// An error.
    Error,
}

impl MissingKey {
    /// Reads an option as `Template.Option` takes it; `None` where it is not known.
    pub fn parse(option: &str) -> Option<Self> {
        match option {
            "missingkey=default" | "missingkey=invalid" => Some(Self::Default),
            "missingkey=zero" => Some(Self::Zero),
            "missingkey=error" => Some(Self::Error),
            _ => None,
        }
    }
}

/// How a template is written.
#[derive(Debug, Clone, Copy)]
pub struct Options<'o> {
    /// What opens an action.
    pub left: &'o str,
    /// What closes it.
    pub right: &'o str,
    /// What a key that is not there yields.
    pub missing_key: MissingKey,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            left: "{{",
            right: "}}",
            missing_key: MissingKey::Default,
        }
    }
}

/// The functions that a template may call, Go's own ones included.
pub struct Functions {
    rows: Vec<Function>,
}

impl Functions {
    /// Joins tables; a later row of the same name wins.
    pub fn new(tables: &[&[Function]]) -> Self {
        let mut rows: Vec<Function> = builtins::TABLE.to_vec();
        for table in tables {
            rows.extend_from_slice(table);
        }
        rows.reverse();
        rows.sort_by_key(|row| row.name);
        rows.dedup_by_key(|row| row.name);
        Self { rows }
    }

    /// Leaves functions out.
    #[must_use]
    pub fn without(mut self, names: &[&str]) -> Self {
        self.rows.retain(|row| !names.contains(&row.name));
        self
    }

    fn find(&self, name: &str) -> Option<Function> {
        let at = self.rows.binary_search_by_key(&name, |row| row.name).ok()?;
        Some(self.rows[at])
    }

    fn contains(&self, name: &str) -> bool {
        matches!(name, "and" | "or") || self.find(name).is_some()
    }
}

/// A parsed template.
#[derive(Debug)]
pub struct Template {
    tree: tree::Tree,
    missing_key: MissingKey,
}

impl Template {
    /// Parses a template. Fails with the line where it is not one, or calls what is not known.
    pub fn parse(text: &str, options: &Options<'_>, functions: &Functions) -> Result<Self> {
        if text.len() > MAX_TEMPLATE_BYTES {
            return Err(Fault::limit("the template is too long"));
        }
        let tokens = lex::tokens(text, options.left, options.right)?;
        let tree = parse::parse(&tokens, &|name| functions.contains(name))?;
        Ok(Self {
            tree,
            missing_key: options.missing_key,
        })
    }

    /// Fills it. Fails with the line of what cannot be evaluated, or when the budget is used up.
    pub fn fill(&self, data: &Value, functions: &Functions, budget: &Budget) -> Result<String> {
        self.fill_with(data, &Value::Missing, functions, budget)
    }

    /// As [`Template::fill`]; `given` is what the caller's own functions see in [`Call::given`].
    pub fn fill_with(
        &self,
        data: &Value,
        given: &Value,
        functions: &Functions,
        budget: &Budget,
    ) -> Result<String> {
        let mut evaluation = evaluate::Evaluation {
            tree: &self.tree,
            functions,
            missing_key: self.missing_key,
            budget,
            given,
            out: String::new(),
            variables: Vec::new(),
            depth: 0,
            calls: 0,
        };
        evaluation.template("", data)?;
        Ok(evaluation.out)
    }
}
