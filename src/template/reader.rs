//! Reads templates when they are asked for: finds the file of a name, and translates it.

use std::sync::Arc;

use super::cache::{TemplateCache, Text, read};
use super::dialect::{ALONE, NameScope, translate, translate_expression};
use super::error::syntax;
use super::makejinja::Loader;
use super::settings::Settings;
use super::vocabulary::KnownNames;
use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::files::{Files, TreePath};

/// Where `include` and `import` look, and what functions read below.
#[derive(Clone)]
pub(super) struct Lookup {
    pub(super) files: Arc<dyn Files>,
    pub(super) directories: Vec<TreePath>,
}

/// What it takes to read a template.
#[derive(Clone)]
pub(super) struct Reader {
    pub(super) settings: Settings,
    pub(super) words: KnownNames,
    pub(super) lookup: Option<Lookup>,
    /// What Python code, which is not run, would have provided.
    pub(super) loader: Loader,
    pub(super) shelf: TemplateCache,
}

impl Reader {
    /// The template of the name that a translated include uses; nothing where there is no such template.
    pub(super) fn template(&self, name: &str) -> Result<Option<Arc<Text>>> {
        if let Some(known) = self.shelf.template(name) {
            return Ok(known);
        }
        let (plain, reach) = match name.strip_prefix(ALONE) {
            Some(plain) => (plain, NameScope::Values),
            None => (name, NameScope::Context),
        };
        let found = self.find(plain)?;
        let text = found
            .map(|(path, source)| self.text_with(&path, &source, reach))
            .transpose()?
            .map(Arc::new);
        self.shelf.put_template(name, text.clone())?;
        Ok(text)
    }

    fn find(&self, name: &str) -> Result<Option<(String, String)>> {
        let Some(lookup) = &self.lookup else {
            return Ok(None);
        };
        // As Jinja2's loader: names do not climb.
        let parts_climb = name.split('/').any(|part| part == "..");
        for directory in lookup.directories.iter().filter(|_| !parts_climb) {
            let Some(path) = directory.join(name) else {
                let phrase = format!("{name} leads out of the root");
                return Err(Diagnostic::new(Code::OutsideRoot, phrase));
            };
            if let Some(bytes) = read(lookup.files.as_ref(), &path)? {
                let text =
                    String::from_utf8(bytes.to_vec()).map_err(|_| not_utf8(path.as_str()))?;
                return Ok(Some((path.as_str().to_owned(), text)));
            }
        }
        Ok(None)
    }

    /// Reads a text as a template. `name` is its path in messages.
    pub(super) fn text(&self, name: &str, text: &str) -> Result<Text> {
        self.text_with(name, text, NameScope::Context)
    }

    fn text_with(&self, name: &str, text: &str, reach: NameScope) -> Result<Text> {
        let path: Arc<str> = Arc::from(name);
        let source = if text.contains('\r') {
            text.replace("\r\n", "\n").replace('\r', "\n")
        } else {
            text.to_owned()
        };
        let translated =
            translate(&source, &self.settings, &self.words, reach).map_err(|mut fault| {
                if self.of_python(&fault.phrase).is_some() {
                    // The nearest name is not what is meant.
                    fault.help = Some(INSTEAD_OF_PYTHON.to_owned());
                }
                self.blame_python(syntax(&path, &source, &fault))
            })?;
        Ok(Text {
            path,
            source,
            translated,
        })
    }

    /// Reads an expression.
    pub(super) fn expression(&self, expression: &str) -> Result<Text> {
        let path: Arc<str> = Arc::from("<expression>");
        let translated = translate_expression(expression, &self.settings, &self.words)
            .map_err(|fault| syntax(&path, expression, &fault).note(format!("in {expression}")))?;
        Ok(Text {
            path,
            source: expression.to_owned(),
            translated,
        })
    }

    /// The function or filter that a phrase misses and the loader defines, and where.
    fn of_python<'p>(&self, phrase: &'p str) -> Option<(&'p str, &Place)> {
        let name = ["there is no function ", "there is no filter "]
            .iter()
            .find_map(|p| phrase.strip_prefix(p))?;
        Some((name, self.loader.functions.get(name)?))
    }

    /// Adds to an error about an unknown function or filter that Python code would have provided it.
    pub(super) fn blame_python(&self, diagnostic: Diagnostic) -> Diagnostic {
        match self.of_python(diagnostic.phrase()) {
            Some((name, place)) => {
                let note = format!("{place} defines {name} in Python, which is not run");
                diagnostic.note(note)
            }
            None => diagnostic,
        }
    }
}

/// What to do about a filter of the loader.
const INSTEAD_OF_PYTHON: &str =
    "write its work in Jinja, or compute the value with `derive:` in prerender.yaml";

/// The error for a template that is not text.
pub(super) fn not_utf8(path: &str) -> Diagnostic {
    Diagnostic::new(Code::TemplateSyntax, "the template is not UTF-8").at(Place::file(path))
}
