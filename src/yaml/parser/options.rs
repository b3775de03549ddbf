//! What a caller wants of a parse.

/// What to do with `*alias`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Aliases {
    /// Each alias becomes a copy of what its anchor stands at.
    #[default]
    Expand,
    /// An alias is an error.
    Refuse,
}

/// What to do with the plain key `<<`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MergeKeys {
    /// Its mappings are merged in: explicit keys win, then the earlier mapping of a list.
    #[default]
    Expand,
    /// It stays a key of its own, [`Tag::Merge`](crate::yaml::Tag::Merge), its value expanded.
    Keep,
}

/// What to do when a mapping has a key twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DuplicateKeys {
    /// It is an error, as in go-yaml v3.
    #[default]
    Refuse,
    /// The last value counts, at the place of the first.
    LastWins,
    /// All entries are kept.
    Keep,
}

/// Which plain scalars are more than text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Schema {
    /// go-yaml v3: YAML 1.2 booleans, YAML 1.1 numbers, dates; texts stay as written.
    #[default]
    Go,
    /// PyYAML's `safe_load`: YAML 1.1. Booleans and numbers are rewritten to the form that Go's schema
    /// and [`Node::as_bool`](crate::yaml::Node::as_bool) know: `yes` to `true`, `0777` to `511`, `1:30`
    /// to `90`. Merged keys come first, and a repeated key is replaced in its place.
    Python,
}

/// Whether values are what they are after kustomize has written and read them once more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reread {
    /// As YAML has it.
    #[default]
    No,
    /// An absent value in a flow mapping (`{a: }`) is null in [`Style::Flow`](crate::yaml::Style::Flow), which
    /// is written as the empty string; a text `<<` is no key. For folded texts see
    /// [`reread`](crate::yaml::reread).
    AsKustomize,
}

/// How to parse. The default reads what go-yaml v3 decodes into a map: no comments, aliases and merge
/// keys expanded, duplicate keys refused.
///
/// ```
/// use prerender::yaml::{self, ParseOptions};
/// let options = ParseOptions { comments: true, ..ParseOptions::default() };
/// let documents = yaml::parse("a: 1 # one\n", options).expect("valid YAML");
/// assert_eq!(documents[0].get("a").and_then(yaml::Node::scalar_text), Some("1"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ParseOptions {
    /// Attach comments to nodes as go-yaml v3 does.
    pub comments: bool,
    /// What to do with aliases.
    pub aliases: Aliases,
    /// What to do with merge keys.
    pub merge_keys: MergeKeys,
    /// What to do with repeated keys.
    pub duplicate_keys: DuplicateKeys,
    /// Which plain scalars are more than text.
    pub schema: Schema,
    /// Whether values are changed as by writing and reading them once more.
    pub reread: Reread,
    /// The line number of the text's first line: more than 1 for a piece cut out of a file.
    pub first_line: u32,
}

impl ParseOptions {
    /// The default, for constants.
    pub const DEFAULT: Self = Self {
        comments: false,
        aliases: Aliases::Expand,
        merge_keys: MergeKeys::Expand,
        duplicate_keys: DuplicateKeys::Refuse,
        schema: Schema::Go,
        reread: Reread::No,
        first_line: 1,
    };
}

impl Default for ParseOptions {
    fn default() -> Self {
        Self::DEFAULT
    }
}
