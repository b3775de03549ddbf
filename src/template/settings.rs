//! What a template language is set to: delimiters, undefined names, whitespace, limits.

/// The three pairs of marks that set code apart from text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delimiters {
    /// Around statements.
    pub block: [String; 2],
    /// Around printed expressions.
    pub variable: [String; 2],
    /// Around comments; both marks may be the same.
    pub comment: [String; 2],
}

impl Delimiters {
    /// The marks of Jinja2: `{%`, `{{`, `{#`.
    pub fn jinja() -> Self {
        Self::new(["{%", "%}"], ["{{", "}}"], ["{#", "#}"])
    }

    /// The marks of the project and of all overlay files: `#%`, `#{`, `#|`. They leave Helm's and Flux's alone.
    pub fn hash() -> Self {
        Self::new(["#%", "%#"], ["#{", "}#"], ["#|", "#|"])
    }

    fn new(block: [&str; 2], variable: [&str; 2], comment: [&str; 2]) -> Self {
        let owned = |pair: [&str; 2]| pair.map(str::to_owned);
        Self {
            block: owned(block),
            variable: owned(variable),
            comment: owned(comment),
        }
    }
}

/// What a name that is not set does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Undefined {
    /// Prints nothing, is empty to loops and false; reading a field of it is an error.
    Default,
    /// As `Default`, and a field of it is undefined too.
    Chainable,
    /// As `Default`, and prints itself: `{{ name }}`.
    Debug,
    /// Every use but `is defined` and `default` is an error.
    Strict,
}

/// How far a template may go. Repository content is hostile: each bound ends in an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Units of work of one render; an instruction, or 64 bytes of data.
    pub fuel: u64,
    /// Nested includes and macro calls, in units of the engine: an include costs 10, a macro call 4.
    pub recursion: usize,
    /// Bytes that one render may give.
    pub output_bytes: usize,
    /// Numbers that one `range` may give.
    pub range_items: usize,
}

impl Default for Limits {
    /// The largest templates of real cluster repositories need less than a hundredth of each.
    fn default() -> Self {
        Self {
            fuel: 2_000_000,
            recursion: 400,
            output_bytes: 32 << 20,
            range_items: 100_000,
        }
    }
}

/// The settings of an [`Engine`](super::Engine).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The marks.
    pub delimiters: Delimiters,
    /// What an unset name does.
    pub undefined: Undefined,
    /// Whether the newline after a statement is dropped.
    pub trim_blocks: bool,
    /// Whether blanks before a statement that starts its line are dropped.
    pub lstrip_blocks: bool,
    /// Whether the last newline of a template is kept.
    pub keep_trailing_newline: bool,
    /// What lines of the result end with.
    pub newline: &'static str,
    /// A mark that makes the rest of its line a statement.
    pub line_statement_prefix: Option<String>,
    /// A mark that makes the rest of its line a comment.
    pub line_comment_prefix: Option<String>,
    /// The bounds of one render.
    pub limits: Limits,
}

impl Settings {
    /// What makejinja sets when its configuration says nothing: Jinja2's marks, whitespace kept tidy.
    pub fn makejinja() -> Self {
        Self {
            delimiters: Delimiters::jinja(),
            undefined: Undefined::Default,
            trim_blocks: true,
            lstrip_blocks: true,
            keep_trailing_newline: true,
            newline: "\n",
            line_statement_prefix: None,
            line_comment_prefix: None,
            limits: Limits::default(),
        }
    }

    /// What overlay files and project expressions use: the `#` marks, and unset names are errors.
    pub fn strict() -> Self {
        Self {
            delimiters: Delimiters::hash(),
            undefined: Undefined::Strict,
            ..Self::makejinja()
        }
    }
}
