//! The filters, tests and functions of the language, and their registration.

use std::collections::BTreeMap;

use minijinja::value::{Rest, ValueOrKwargs};
use minijinja::{Environment, Error, State, Value};

use super::dialect::{Kind, Vocabulary};
use super::python::arguments::bind;
use super::python::{Native, operators};
use super::{filters, functions, tests};
use crate::diagnostic::nearest;

/// A function that an engine gets from outside: of a template family, reading files of the tree.
pub(super) type Shared =
    std::sync::Arc<dyn Fn(&mut State<'_, '_>, &[Value]) -> Result<Value, Error> + Send + Sync>;

/// The names that the language knows.
#[derive(Debug, Default, Clone)]
pub(super) struct KnownNames {
    filters: BTreeMap<String, ()>,
    tests: BTreeMap<String, ()>,
    functions: BTreeMap<String, ()>,
}

/// Names that stand for something without being set by values.
const IMPLIED: &[&str] = &[
    "range", "loop", "self", "super", "caller", "varargs", "kwargs",
];

impl KnownNames {
    /// Registers everything that Jinja2 has.
    pub(super) fn register(environment: &mut Environment<'static>, range_items: usize) -> Self {
        let mut words = Self::default();
        for (name, filter) in filters::tables() {
            words.filters.insert((*name).to_owned(), ());
            let filter = *filter;
            environment.add_filter(
                *name,
                move |state: &mut State, arguments: Rest<ValueOrKwargs>| {
                    filter(state, &arguments.into_values())
                },
            );
        }
        for (name, test) in tests::TABLE {
            words.tests.insert((*name).to_owned(), ());
            let test = *test;
            environment.add_test(
                *name,
                move |state: &mut State, arguments: Rest<ValueOrKwargs>| {
                    test(state, &arguments.into_values())
                },
            );
        }
        for (name, function) in operators::TABLE.iter().chain(functions::TABLE) {
            words.function(environment, name, *function);
        }
        for name in IMPLIED {
            words.functions.insert((*name).to_owned(), ());
        }
        environment.add_function("range", move |arguments: Rest<ValueOrKwargs>| {
            functions::range(&arguments.into_values(), range_items)
        });
        words
    }

    fn function(
        &mut self,
        environment: &mut Environment<'static>,
        name: &'static str,
        body: Native,
    ) {
        self.functions.insert(name.to_owned(), ());
        environment.add_function(
            name,
            move |state: &mut State, arguments: Rest<ValueOrKwargs>| {
                body(state, &arguments.into_values())
            },
        );
    }

    /// Adds a function of a template family.
    pub(super) fn shared_function(
        &mut self,
        environment: &mut Environment<'static>,
        name: &'static str,
        body: Shared,
    ) {
        self.functions.insert(name.to_owned(), ());
        environment.add_function(
            name,
            move |state: &mut State, arguments: Rest<ValueOrKwargs>| {
                body(state, &arguments.into_values())
            },
        );
    }

    /// Adds a filter of a template family.
    pub(super) fn shared_filter(
        &mut self,
        environment: &mut Environment<'static>,
        name: &'static str,
        body: Shared,
    ) {
        self.filters.insert(name.to_owned(), ());
        environment.add_filter(
            name,
            move |state: &mut State, arguments: Rest<ValueOrKwargs>| {
                body(state, &arguments.into_values())
            },
        );
    }

    /// Adds the tests that ask which filters and tests there are.
    pub(super) fn finish(&mut self, environment: &mut Environment<'static>) {
        self.tests.insert("filter".to_owned(), ());
        self.tests.insert("test".to_owned(), ());
        for (question, known) in [("filter", &self.filters), ("test", &self.tests)] {
            let known = known.clone();
            environment.add_test(
                question,
                move |_: &mut State, arguments: Rest<ValueOrKwargs>| {
                    let [name] = bind("filter", &arguments.into_values(), ["value"])?;
                    Ok::<_, Error>(
                        name.is_some_and(|n| known.contains_key(n.as_str().unwrap_or_default())),
                    )
                },
            );
        }
    }

    /// The functions that templates may call, for suggestions.
    pub(super) fn function_names(&self) -> impl Iterator<Item = &str> {
        self.functions
            .keys()
            .map(String::as_str)
            .filter(|n| !n.starts_with("__"))
    }
}

impl Vocabulary for KnownNames {
    fn has_filter(&self, name: &str) -> bool {
        self.filters.contains_key(name)
    }

    fn has_test(&self, name: &str) -> bool {
        self.tests.contains_key(name)
    }

    fn has_function(&self, name: &str) -> bool {
        self.functions.contains_key(name)
    }

    fn nearest(&self, kind: Kind, name: &str) -> Option<String> {
        let known = match kind {
            Kind::Filter => &self.filters,
            Kind::Test => &self.tests,
        };
        nearest(name, known.keys().map(String::as_str)).map(str::to_owned)
    }
}
