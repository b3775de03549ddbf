//! Which values of a document are sealed.

use regex::Regex;

use crate::go::regexp;

/// The rule that chooses the sealed values of a document.
#[derive(Debug, Clone)]
pub(super) enum Rule {
    /// All but those with a key on their path that ends so.
    UnencryptedSuffix(String),
    /// Those with a key on their path that ends so.
    EncryptedSuffix(String),
    /// All but those with a key on their path that matches.
    UnencryptedRegex(Pattern),
    /// Those with a key on their path that matches.
    EncryptedRegex(Pattern),
    /// All but those below a comment that matches.
    UnencryptedCommentRegex(Pattern),
    /// Those below a comment that matches.
    EncryptedCommentRegex(Pattern),
}

/// An expression as written; one that does not compile never matches, as in sops.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    pub(super) source: String,
    regex: Option<Regex>,
}

impl Pattern {
    pub(super) fn new(source: &str) -> Self {
        Self {
            source: source.to_owned(),
            regex: regexp::compile(source).ok(),
        }
    }

    pub(super) fn is_valid(&self) -> bool {
        self.regex.is_some()
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.regex.as_ref().is_some_and(|r| r.is_match(text))
    }
}

impl Rule {
    /// The names that metadata and `.sops.yaml` give the rules, in the order of both.
    pub(super) const FIELDS: [&'static str; 6] = [
        "unencrypted_suffix",
        "encrypted_suffix",
        "unencrypted_regex",
        "encrypted_regex",
        "unencrypted_comment_regex",
        "encrypted_comment_regex",
    ];

    /// What holds where no rule is named.
    pub(super) fn usual() -> Self {
        Self::UnencryptedSuffix("_unencrypted".to_owned())
    }

    /// The rule of a field of [`Self::FIELDS`].
    pub(super) fn of_field(field: &str, text: &str) -> Option<Self> {
        Some(match field {
            "unencrypted_suffix" => Self::UnencryptedSuffix(text.to_owned()),
            "encrypted_suffix" => Self::EncryptedSuffix(text.to_owned()),
            "unencrypted_regex" => Self::UnencryptedRegex(Pattern::new(text)),
            "encrypted_regex" => Self::EncryptedRegex(Pattern::new(text)),
            "unencrypted_comment_regex" => Self::UnencryptedCommentRegex(Pattern::new(text)),
            "encrypted_comment_regex" => Self::EncryptedCommentRegex(Pattern::new(text)),
            _ => return None,
        })
    }

    /// The field that names it, and its text.
    pub(super) fn to_field(&self) -> (&'static str, &str) {
        match self {
            Self::UnencryptedSuffix(s) => ("unencrypted_suffix", s),
            Self::EncryptedSuffix(s) => ("encrypted_suffix", s),
            Self::UnencryptedRegex(p) => ("unencrypted_regex", &p.source),
            Self::EncryptedRegex(p) => ("encrypted_regex", &p.source),
            Self::UnencryptedCommentRegex(p) => ("unencrypted_comment_regex", &p.source),
            Self::EncryptedCommentRegex(p) => ("encrypted_comment_regex", &p.source),
        }
    }

    /// Its expression, when it has one.
    pub(super) fn pattern(&self) -> Option<&Pattern> {
        match self {
            Self::UnencryptedSuffix(_) | Self::EncryptedSuffix(_) => None,
            Self::UnencryptedRegex(p)
            | Self::EncryptedRegex(p)
            | Self::UnencryptedCommentRegex(p)
            | Self::EncryptedCommentRegex(p) => Some(p),
        }
    }

    fn key_matches(&self, key: &str) -> bool {
        match self {
            Self::UnencryptedSuffix(suffix) | Self::EncryptedSuffix(suffix) => {
                key.ends_with(suffix)
            }
            Self::UnencryptedRegex(pattern) | Self::EncryptedRegex(pattern) => pattern.matches(key),
            Self::UnencryptedCommentRegex(_) | Self::EncryptedCommentRegex(_) => false,
        }
    }

    fn comment_matches(&self, comment: &[u8]) -> bool {
        match self {
            Self::UnencryptedCommentRegex(pattern) | Self::EncryptedCommentRegex(pattern) => {
                pattern.matches(&String::from_utf8_lossy(comment))
            }
            Self::UnencryptedSuffix(_)
            | Self::EncryptedSuffix(_)
            | Self::UnencryptedRegex(_)
            | Self::EncryptedRegex(_) => false,
        }
    }
}

/// Follows a walk over a document and tells at each place whether the rule seals it.
///
/// A key decides for all that is below it, a comment for the item after it and all below: so what was
/// found on the way in is carried, and each key and comment is matched once.
pub(super) struct Selector<'a> {
    rule: &'a Rule,
    /// For each mapping or list that is open: what the keys and comments around it said, and what the
    /// comments directly before the next item say.
    levels: Vec<Level>,
}

#[derive(Clone, Copy, Default)]
struct Level {
    /// A key or an outer comment matched.
    outside: bool,
    /// A comment before the next item matched.
    here: bool,
}

impl<'a> Selector<'a> {
    pub(super) fn new(rule: &'a Rule) -> Self {
        Self {
            rule,
            levels: Vec::new(),
        }
    }

    fn top(&self) -> Level {
        self.levels.last().copied().unwrap_or_default()
    }

    /// Goes into a mapping or list; `key_matches` is what [`Self::enter_key`] said for it.
    pub(super) fn enter(&mut self, key_matches: bool) {
        let top = self.top();
        self.levels.push(Level {
            outside: top.outside || top.here || key_matches,
            here: false,
        });
    }

    /// Leaves the mapping or list.
    pub(super) fn leave(&mut self) {
        self.levels.pop();
    }

    /// Whether a key by itself decides for what is below it.
    pub(super) fn key_matches(&self, key: &str) -> bool {
        self.rule.key_matches(key)
    }

    /// Whether the value of a key (or an item, with `false`) is sealed.
    pub(super) fn seals_value(&self, key_matches: bool) -> bool {
        let top = self.top();
        self.verdict(top.outside || top.here || key_matches)
    }

    /// Whether a comment is sealed; it counts for what follows.
    pub(super) fn seals_comment(&mut self, comment: &[u8]) -> bool {
        let itself = self.rule.comment_matches(comment);
        let top = self.top();
        let before = top.outside || top.here;
        if let Some(level) = self.levels.last_mut() {
            level.here |= itself;
        }
        // The comment that asks for sealing stays readable; the one that forbids it does as well.
        match self.rule {
            Rule::EncryptedCommentRegex(_) => before,
            Rule::UnencryptedCommentRegex(_) => !(before || itself),
            _ => self.verdict(before),
        }
    }

    /// An item that is no comment ended: the comments before it no longer count.
    pub(super) fn item_ends(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.here = false;
        }
    }

    fn verdict(&self, matched: bool) -> bool {
        match self.rule {
            Rule::UnencryptedSuffix(_)
            | Rule::UnencryptedRegex(_)
            | Rule::UnencryptedCommentRegex(_) => !matched,
            Rule::EncryptedSuffix(_) | Rule::EncryptedRegex(_) | Rule::EncryptedCommentRegex(_) => {
                matched
            }
        }
    }
}
