//! What templates need of code that is not built in.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::dialect::{Kind, NameScope, Vocabulary, translate};
use super::makejinja::{Action, Config, plan};
use super::vocabulary::KnownNames;
use crate::diagnostic::Result;
use crate::files::Files;

/// Lists the filters, tests and functions that the templates of a configuration use and that are not built in.
pub fn needs(config: &Config, files: &dyn Files) -> Result<Vec<String>> {
    let mut environment = minijinja::Environment::empty();
    let words = KnownNames::register(&mut environment, config.settings.limits.range_items);
    let noting = Noting {
        words: &words,
        needed: RefCell::default(),
    };
    for planned in plan(config, files)?
        .iter()
        .filter(|p| p.action == Action::Render)
    {
        let file = files.read(&planned.input)?;
        let text = String::from_utf8_lossy(&file.bytes).replace("\r\n", "\n");
        if let Ok(translated) = translate(&text, &config.settings, &noting, NameScope::Context) {
            let calls = translated
                .calls
                .into_iter()
                .map(|name| format!("the function {name}"));
            noting.needed.borrow_mut().extend(calls);
        }
    }
    Ok(noting.needed.into_inner().into_iter().collect())
}

/// Words that note what they do not know instead of refusing it.
struct Noting<'a> {
    words: &'a KnownNames,
    needed: RefCell<BTreeSet<String>>,
}

impl Vocabulary for Noting<'_> {
    fn has_filter(&self, name: &str) -> bool {
        if !self.words.has_filter(name) && name != "filter" && name != "test" {
            self.needed
                .borrow_mut()
                .insert(format!("the filter {name}"));
        }
        true
    }

    fn has_test(&self, name: &str) -> bool {
        if !self.words.has_test(name) && !["filter", "test"].contains(&name) {
            self.needed.borrow_mut().insert(format!("the test {name}"));
        }
        true
    }

    fn has_function(&self, name: &str) -> bool {
        self.words.has_function(name)
    }

    fn nearest(&self, _: Kind, _: &str) -> Option<String> {
        None
    }
}
