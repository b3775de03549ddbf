//! `.sops.yaml`: whom a file is sealed for, what in it is sealed, and how it is indented.

use super::Format;
use super::document::{Branch, Element, Item, Value, find};
use super::keys::Recipient;
use super::rule::Rule;
use super::stores::{self, Indents};
use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::go::regexp;

/// A `.sops.yaml`.
pub struct Config {
    name: String,
    rules: Vec<RuleText>,
    /// How documents are indented.
    pub indents: Indents,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Config")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A creation rule as it is written; only the one that fits a file is read.
struct RuleText {
    branch: Branch,
    line: u32,
}

/// Whom a file is sealed for, and what in it is sealed.
pub struct CreationRule {
    pub(super) groups: Vec<Vec<Recipient>>,
    pub(super) threshold: usize,
    pub(super) rule: Rule,
    pub(super) mac_only_encrypted: bool,
}

impl std::fmt::Debug for CreationRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreationRule")
            .field("rule", &self.rule)
            .finish_non_exhaustive()
    }
}

/// What the command line says instead of a creation rule.
#[derive(Debug, Clone, Default)]
pub struct RuleOverride {
    /// Recipients, separated by commas.
    pub age: Option<String>,
    /// A field of [`CreationRule`] that chooses values, and its text.
    pub selection: Option<(String, String)>,
    /// Whether the MAC covers sealed values only.
    pub mac_only_encrypted: bool,
}

/// Master keys that need a service or GnuPG, by the fields that name them.
const UNSUPPORTED: [&str; 8] = [
    "pgp",
    "kms",
    "gcp_kms",
    "hckms",
    "azure_keyvault",
    "azure_kv",
    "hc_vault_transit_uri",
    "hc_vault",
];

/// The deepest `merge` of key groups that is followed.
const MAX_MERGE_DEPTH: usize = 16;

impl Config {
    /// Reads a `.sops.yaml`. Unknown fields are ignored, as in sops. Fails with [`Code::SopsConfig`] or
    /// `YamlSyntax`.
    pub fn parse(bytes: &[u8], name: &str) -> Result<Self> {
        let branches =
            stores::read_plain(bytes, Format::Yaml).map_err(|e| e.to_diagnostic(name))?;
        let branch = branches.into_iter().next().unwrap_or_default();
        let config = |phrase: &str, line| {
            Diagnostic::new(Code::SopsConfig, phrase).at(Place::new(name, line, 0))
        };
        let mut rules = Vec::new();
        if let Some(entry) = find(&branch, "creation_rules") {
            let not_a_list = || config("`creation_rules` is not a list of mappings", entry.line);
            for value in items(&entry.value).ok_or_else(not_a_list)? {
                let Value::Branch(rule) = value else {
                    return Err(not_a_list());
                };
                rules.push(RuleText {
                    branch: rule.clone(),
                    line: first_line(rule, entry.line),
                });
            }
        }
        Ok(Self {
            name: name.to_owned(),
            rules,
            indents: indents(&branch).map_err(|phrase| config(&phrase, 0))?,
        })
    }

    /// Whether there is any creation rule.
    pub fn has_rules(&self) -> bool {
        !self.rules.is_empty()
    }

    /// The recipients of the first rule, as `age:` would name them.
    pub fn first_recipients(&self) -> Option<String> {
        let rule = self.rules.first().and_then(|rule| self.read(rule).ok())?;
        let recipients: Vec<&str> = rule.recipients().collect();
        (!recipients.is_empty()).then(|| recipients.join(","))
    }

    /// The first creation rule whose `path_regex` fits a path, which is relative to the directory of the
    /// configuration.
    ///
    /// Fails with [`Code::SopsNoRule`] when none fits, [`Code::SopsConfig`] when the rule contradicts
    /// itself, and [`Code::SopsRecipient`] for keys that cannot be used.
    pub fn rule_for(&self, path: &str) -> Result<CreationRule> {
        for rule in &self.rules {
            let pattern = text(&rule.branch, "path_regex").map_err(|p| self.wrong(rule, p))?;
            if !pattern.is_empty() {
                let regex = regexp::compile(&pattern)
                    .map_err(|_| self.wrong(rule, "`path_regex` is not a regular expression"))?;
                if !regex.is_match(path) {
                    continue;
                }
            }
            return self.read(rule);
        }
        let phrase = format!("no creation rule of {} fits {path}", self.name);
        Err(Diagnostic::new(Code::SopsNoRule, phrase))
    }

    fn wrong(&self, rule: &RuleText, phrase: impl Into<String>) -> Diagnostic {
        Diagnostic::new(Code::SopsConfig, phrase).at(Place::new(self.name.as_str(), rule.line, 0))
    }

    fn read(&self, text: &RuleText) -> Result<CreationRule> {
        let branch = &text.branch;
        let wrong = |phrase: String| self.wrong(text, phrase);
        let mut rule = None;
        for field in Rule::FIELDS {
            let pattern = self::text(branch, field).map_err(wrong)?;
            if !pattern.is_empty()
                && rule
                    .replace(valid_rule(field, &pattern).map_err(wrong)?)
                    .is_some()
            {
                return Err(wrong(
                    "the rule has more than one field that says what is encrypted".to_owned(),
                ));
            }
        }
        let at = |phrase: String| {
            Diagnostic::new(Code::SopsRecipient, phrase).at(Place::new(
                self.name.as_str(),
                text.line,
                0,
            ))
        };
        let groups = groups(branch).map_err(|phrase| {
            let only_age = phrase.ends_with("not supported");
            let error = at(phrase);
            if only_age {
                error.help("only age recipients can be sealed for; use `sops` for this file")
            } else {
                error
            }
        })?;
        let threshold = number(branch, "shamir_threshold").map_err(wrong)?;
        Ok(CreationRule {
            threshold: valid_threshold(groups.len(), threshold).map_err(wrong)?,
            groups,
            rule: rule.unwrap_or_else(Rule::usual),
            mac_only_encrypted: boolean(branch, "mac_only_encrypted").map_err(wrong)?,
        })
    }
}

impl CreationRule {
    /// Replaces what the command line says; `None` where there is no rule and no recipient is given.
    ///
    /// Fails with [`Code::SopsRecipient`] and [`Code::Usage`].
    pub fn with(rule: Option<Self>, given: &RuleOverride) -> Result<Option<Self>> {
        let groups = match &given.age {
            Some(list) => {
                let parsed: Result<Vec<_>, String> = recipients_of(list).collect();
                let recipients = parsed.map_err(|p| Diagnostic::new(Code::SopsRecipient, p))?;
                if recipients.is_empty() {
                    return Err(Diagnostic::new(
                        Code::SopsRecipient,
                        "no recipient is given",
                    ));
                }
                Some(vec![recipients])
            }
            None => None,
        };
        let mut rule = match (rule, groups) {
            (Some(rule), Some(groups)) => Self {
                groups,
                threshold: 0,
                ..rule
            },
            (Some(rule), None) => rule,
            (None, None) => return Ok(None),
            (None, Some(groups)) => Self {
                groups,
                threshold: 0,
                rule: Rule::usual(),
                mac_only_encrypted: false,
            },
        };
        if let Some((field, text)) = &given.selection {
            rule.rule = valid_rule(field, text).map_err(|p| Diagnostic::new(Code::Usage, p))?;
        }
        rule.mac_only_encrypted |= given.mac_only_encrypted;
        Ok(Some(rule))
    }

    /// The public keys that a file is sealed for, group by group.
    pub fn recipients(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().flatten().map(Recipient::as_str)
    }
}

/// An expression that does not compile would choose nothing, and leave everything readable.
fn valid_rule(field: &str, text: &str) -> Result<Rule, String> {
    let rule = Rule::of_field(field, text).ok_or_else(|| format!("`{field}` is no rule"))?;
    match rule.pattern() {
        Some(pattern) if !pattern.is_valid() => {
            Err(format!("`{field}` is not a regular expression"))
        }
        _ => Ok(rule),
    }
}

fn valid_threshold(groups: usize, threshold: usize) -> Result<usize, String> {
    if groups < 2 {
        return Ok(0);
    }
    match threshold {
        0 => Ok(groups),
        1 => Err("`shamir_threshold` must be at least 2".to_owned()),
        n if n > groups => Err(format!(
            "`shamir_threshold` is {n}, and there are {groups} key groups"
        )),
        n => Ok(n),
    }
}

fn groups(branch: &Branch) -> Result<Vec<Vec<Recipient>>, String> {
    let mut groups = Vec::new();
    match find(branch, "key_groups")
        .and_then(|e| items(&e.value))
        .filter(|g| !g.is_empty())
    {
        Some(list) => {
            for group in list {
                let Value::Branch(group) = group else {
                    return Err("a key group is not a mapping".to_owned());
                };
                let mut recipients = Vec::new();
                collect(group, &mut recipients, 0)?;
                groups.push(recipients);
            }
        }
        None => {
            let mut recipients = Vec::new();
            collect(branch, &mut recipients, 0)?;
            groups.push(recipients);
        }
    }
    if groups.len() > 255 {
        return Err("there are more than 255 key groups".to_owned());
    }
    match groups.iter().position(Vec::is_empty) {
        Some(_) if groups.len() == 1 => Err("the rule names no recipient".to_owned()),
        Some(index) => Err(format!("key group {} names no recipient", index + 1)),
        None => Ok(groups),
    }
}

fn collect(group: &Branch, recipients: &mut Vec<Recipient>, depth: usize) -> Result<(), String> {
    if depth > MAX_MERGE_DEPTH {
        return Err("`merge` nests too deep".to_owned());
    }
    for field in UNSUPPORTED {
        let named = find(group, field).is_some_and(|entry| match &entry.value {
            Value::Null => false,
            Value::Text(text) => !text.is_empty(),
            Value::List(list) => !list.is_empty(),
            _ => true,
        });
        if named {
            return Err(format!(
                "the rule names `{field}` keys, which are not supported"
            ));
        }
    }
    for merged in find(group, "merge")
        .and_then(|e| items(&e.value))
        .unwrap_or_default()
    {
        if let Value::Branch(merged) = merged {
            collect(merged, recipients, depth + 1)?;
        }
    }
    for text in age_texts(group)? {
        for recipient in recipients_of(&text) {
            let recipient = recipient?;
            if !recipients.iter().any(|r| r.as_str() == recipient.as_str()) {
                recipients.push(recipient);
            }
        }
    }
    Ok(())
}

/// The recipients of `age`, which is a text with commas or a list.
fn age_texts(group: &Branch) -> Result<Vec<String>, String> {
    let wrong = || "`age` is neither text nor a list of texts".to_owned();
    let to_text = |value: &Value| {
        let text = value.as_text().and_then(|t| std::str::from_utf8(t).ok());
        text.map(str::to_owned).ok_or_else(wrong)
    };
    match find(group, "age").map(|e| &e.value) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(value) => match items(value) {
            Some(list) => list.into_iter().map(to_text).collect(),
            None => Ok(vec![to_text(value)?]),
        },
    }
}

fn recipients_of(list: &str) -> impl Iterator<Item = Result<Recipient, String>> {
    let texts = list.split(',').map(str::trim).filter(|t| !t.is_empty());
    texts.map(|text| {
        let shown = if text.starts_with("AGE-") {
            "what is given".to_owned()
        } else {
            format!("`{}`", super::keys::shorten(text))
        };
        Recipient::parse(text).map_err(|what| format!("{shown} {what}"))
    })
}

fn indents(branch: &Branch) -> Result<Indents, String> {
    let Some(Value::Branch(stores)) = find(branch, "stores").map(|e| &e.value) else {
        return Ok(Indents::default());
    };
    let indent = |store: &str| match find(stores, store).map(|e| &e.value) {
        Some(Value::Branch(branch)) => match find(branch, "indent").map(|e| &e.value) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Int(indent)) => Ok(Some(*indent)),
            Some(_) => Err(format!("`indent` of `{store}` is not a number")),
        },
        _ => Ok(None),
    };
    let json = |store: &str| match indent(store)? {
        None | Some(-1) => Ok(None),
        Some(blanks) => usize::try_from(blanks)
            .ok()
            .filter(|b| *b <= MAX_INDENT)
            .map(Some)
            .ok_or_else(|| format!("`indent` of `{store}` is not from -1 to {MAX_INDENT}")),
    };
    let yaml = match indent("yaml")? {
        None | Some(0) => 4,
        Some(blanks @ 2..=9) => usize::try_from(blanks).unwrap_or(4),
        // What go-yaml makes of the others.
        Some(1 | 10..) => 2,
        Some(_) => return Err("`indent` of `yaml` is negative".to_owned()),
    };
    Ok(Indents {
        yaml,
        json: json("json")?,
        json_binary: json("json_binary")?,
    })
}

/// The widest indent of JSON: a hostile file could ask for gigabytes of blanks.
const MAX_INDENT: usize = 64;

fn items(value: &Value) -> Option<Vec<&Value>> {
    match value {
        Value::Null => Some(Vec::new()),
        Value::List(list) => Some(
            list.iter()
                .filter_map(|element| match element {
                    Element::Value(value) => Some(value),
                    Element::Comment(_) => None,
                })
                .collect(),
        ),
        _ => None,
    }
}

fn text(branch: &Branch, field: &str) -> Result<String, String> {
    match find(branch, field).map(|e| &e.value) {
        None | Some(Value::Null) => Ok(String::new()),
        Some(value) => {
            let text = value.as_text().and_then(|t| std::str::from_utf8(t).ok());
            text.map(str::to_owned)
                .ok_or_else(|| format!("`{field}` is not text"))
        }
    }
}

/// A boolean, by the words that the YAML library of sops takes for one.
fn boolean(branch: &Branch, field: &str) -> Result<bool, String> {
    let not_one = || format!("`{field}` is not true or false");
    match find(branch, field).map(|e| &e.value) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(value) => match value.as_text() {
            Some(b"y" | b"Y" | b"yes" | b"on") => Ok(true),
            Some(b"n" | b"N" | b"no" | b"off") => Ok(false),
            _ => Err(not_one()),
        },
    }
}

fn number(branch: &Branch, field: &str) -> Result<usize, String> {
    match find(branch, field).map(|e| &e.value) {
        None | Some(Value::Null) => Ok(0),
        Some(Value::Int(number)) => {
            usize::try_from(*number).map_err(|_| format!("`{field}` is negative"))
        }
        Some(_) => Err(format!("`{field}` is not a number")),
    }
}

fn first_line(branch: &Branch, otherwise: u32) -> u32 {
    let lines = branch.iter().map(|item| match item {
        Item::Entry(entry) => entry.line,
        Item::Comment(_) => 0,
    });
    lines.filter(|line| *line > 0).min().unwrap_or(otherwise)
}
