//! The variables of one Flux Kustomization.

use std::fmt;

use indexmap::IndexMap;
use secrecy::{ExposeSecret, SecretString};

use crate::diagnostic::{Code, Diagnostic, Place, Result};

/// Whether a variable that does not exist is an error, as it is since Flux 2.9, or empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Strictness {
    /// An error, but under an operator that gives a default.
    #[default]
    Strict,
    /// Empty.
    Lenient,
    /// A text that says that its value is not known here: see [`placeholder`].
    Marked,
}

/// How every text starts that stands for a value which is made in the cluster, or sealed to another key.
pub const PLACEHOLDER: &str = "placeholder-of-";

/// The text that stands for the value of a variable which is not known here. It is a DNS label.
pub fn placeholder(name: &str) -> String {
    format!("{PLACEHOLDER}{}", name.to_lowercase().replace('_', "-"))
}

/// `spec.postBuild.substituteStrategy`: what happens where there is no variable at all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Nothing is substituted: defaults and `$$` stay as they are.
    #[default]
    WithVariables,
    /// Substitution always runs.
    Always,
}

/// Variables by name, and whose they are. Their values are secret: they do not print.
///
/// ```
/// use prerender::substitute::{self, Strictness, Variables};
/// let mut variables = Variables::of("Kustomization flux-system/apps", None);
/// variables.insert("env", "prod", None).expect("it is a name");
/// let text = substitute::expand("${env}-${region:=eu}", &variables, Strictness::Strict);
/// assert_eq!(text.expect("both have a value"), b"prod-eu");
/// ```
#[derive(Clone, Default)]
pub struct Variables {
    values: IndexMap<String, SecretString>,
    owner: Option<String>,
    owner_place: Option<Place>,
    strategy: Strategy,
}

impl Variables {
    /// Returns no variables, for what `owner` applies: `Kustomization flux-system/apps`.
    pub fn of(owner: impl Into<String>, place: Option<Place>) -> Self {
        Self {
            owner: Some(owner.into()),
            owner_place: place,
            ..Self::default()
        }
    }

    /// Sets what happens where there is no variable at all.
    #[must_use]
    pub fn with_strategy(mut self, strategy: Strategy) -> Self {
        self.strategy = strategy;
        self
    }

    /// Sets a variable; a later value wins. Newlines are removed from the value, as Flux does.
    ///
    /// Fails with [`Code::VariableName`] when the name is not one that Flux takes.
    pub fn insert(&mut self, name: &str, value: &str, place: Option<Place>) -> Result<()> {
        self.check_name(name, place)?;
        self.insert_unchecked(name, &value.replace('\n', ""));
        Ok(())
    }

    /// Sets a variable as the engine alone takes it: of any name, its value as it is.
    pub fn insert_unchecked(&mut self, name: &str, value: &str) {
        self.values
            .insert(name.to_owned(), SecretString::from(value));
    }

    /// Flux's own test, which is stricter than what the engine can read.
    fn check_name(&self, name: &str, place: Option<Place>) -> Result<()> {
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if starts && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Ok(());
        }
        let phrase = format!("`{name}` is no name for a variable");
        Err(Diagnostic::new(Code::VariableName, phrase)
            .at(place.or_else(|| self.owner_place.clone()))
            .note("Flux refuses the whole Kustomization for it")
            .help("use letters, digits and `_`, and begin with a letter or `_`"))
    }

    /// The value of a variable.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(ExposeSecret::expose_secret)
    }

    /// The names, in the order in which they were first set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Whether there is no variable.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Whether substitution does anything.
    pub fn apply(&self) -> bool {
        !self.is_empty() || self.strategy == Strategy::Always
    }

    /// Whose variables they are, and where it is written.
    pub(super) fn owner(&self) -> (Option<&str>, Option<&Place>) {
        (self.owner.as_deref(), self.owner_place.as_ref())
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variables")
            .field("owner", &self.owner)
            .field("names", &self.values.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
