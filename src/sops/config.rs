//! `.sops.yaml`: whom a file is sealed for, what in it is sealed, and how it is indented.

use super::Format;
use super::document::{Branch, Element, Item, Value, find};
use super::keys::{MasterKey, Recipient, Service, ServiceKey};
use super::rule::Rule;
use super::stores::{self, Indents, MAX_INDENT};
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
    pub(super) groups: Vec<Vec<MasterKey>>,
    pub(super) threshold: usize,
    pub(super) rule: Rule,
    pub(super) mac_only_encrypted: bool,
    /// Which files it is for; empty for all.
    pattern: String,
    /// Where it is written; nowhere for one of the command line.
    place: Option<Place>,
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
    /// Keys of services: the field of a rule that would name them, and their names, separated by commas.
    pub services: Vec<(String, String)>,
    /// How many of several key groups are needed.
    pub threshold: Option<usize>,
    /// A field of [`CreationRule`] that chooses values, and its text.
    pub selection: Option<(String, String)>,
    /// Whether the MAC covers sealed values only.
    pub mac_only_encrypted: bool,
}

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

    /// The recipients of the first rule, as `age:` would name them; `None` where they are more than a list of age
    /// recipients: a rule that is made of them would be weaker.
    pub fn first_recipients(&self) -> Option<String> {
        let rule = self.rules.first().and_then(|rule| self.read(rule).ok())?;
        let is_age = |key: &MasterKey| matches!(key, MasterKey::Age(_));
        let [group] = rule.groups.as_slice() else {
            return None;
        };
        let names: Vec<&str> = group.iter().map(MasterKey::name).collect();
        group.iter().all(is_age).then(|| names.join(","))
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
        let groups = groups(branch).map_err(at)?;
        let threshold = number(branch, "shamir_threshold").map_err(wrong)?;
        Ok(CreationRule {
            threshold: valid_threshold(groups.len(), threshold).map_err(wrong)?,
            groups,
            rule: rule.unwrap_or_else(Rule::usual),
            mac_only_encrypted: boolean(branch, "mac_only_encrypted").map_err(wrong)?,
            pattern: self::text(branch, "path_regex").map_err(wrong)?,
            place: Some(Place::new(self.name.as_str(), text.line, 0)),
        })
    }
}

impl CreationRule {
    /// Replaces what the command line says; `None` where there is no rule and no recipient is given.
    ///
    /// Fails with [`Code::SopsRecipient`] and [`Code::Usage`].
    pub fn with(rule: Option<Self>, given: &RuleOverride) -> Result<Option<Self>> {
        let groups = MasterKey::of_flags(given.age.as_deref(), &given.services)
            .map_err(|phrase| Diagnostic::new(Code::SopsRecipient, phrase))?
            .map(|keys| vec![keys]);
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
                pattern: String::new(),
                place: None,
            },
        };
        if let Some((field, text)) = &given.selection {
            rule.rule = valid_rule(field, text).map_err(|p| Diagnostic::new(Code::Usage, p))?;
        }
        rule.mac_only_encrypted |= given.mac_only_encrypted;
        if let Some(threshold) = given.threshold {
            rule.threshold = valid_threshold(rule.groups.len(), threshold)
                .map_err(|phrase| Diagnostic::new(Code::Usage, phrase))?;
        }
        Ok(Some(rule))
    }

    /// Where it is written, for messages.
    pub fn place(&self) -> String {
        self.place
            .as_ref()
            .map_or_else(|| "the command line".to_owned(), Place::to_string)
    }

    /// Which files it is for; empty for all.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Whether it means a file by its name, and not every file beside it with its ending.
    pub fn means(&self, path: &str) -> bool {
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        !self.fits(&format!("{directory}/{}", stand_in(path))) && self.is_for_a_directory(path)
    }

    /// Whether it is for the files of a directory, and not for every file with an ending.
    pub fn is_for_a_directory(&self, path: &str) -> bool {
        !self.fits(&stand_in(path))
    }

    fn fits(&self, path: &str) -> bool {
        self.pattern.is_empty()
            || regexp::compile(&self.pattern).is_ok_and(|regex| regex.is_match(path))
    }

    /// The names of the keys that a file is sealed for, group by group.
    pub fn recipients(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().flatten().map(MasterKey::name)
    }
}

impl MasterKey {
    /// The keys that flags name, each list separated by commas; `None` where no flag is given. Fails with a phrase.
    pub(super) fn of_flags(
        age: Option<&str>,
        services: &[(String, String)],
    ) -> Result<Option<Vec<Self>>, String> {
        if age.is_none() && services.is_empty() {
            return Ok(None);
        }
        let mut keys = Vec::new();
        for recipient in recipients_of(age.unwrap_or_default()) {
            add(&mut keys, Self::Age(recipient?));
        }
        for (field, list) in services {
            let named = |service: &Service| service.rule_field() == field;
            let service = Service::ALL.into_iter().find(named);
            let service = service.ok_or_else(|| format!("`{field}` names no service"))?;
            for name in list
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
            {
                add(&mut keys, Self::Service(ServiceKey::of_text(service, name)));
            }
        }
        if keys.is_empty() {
            return Err("no recipient is given".to_owned());
        }
        Ok(Some(keys))
    }
}

/// A name that no rule means, with the ending of another.
fn stand_in(name: &str) -> String {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    format!("zzz-any-zzz.{ending}")
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

fn groups(branch: &Branch) -> Result<Vec<Vec<MasterKey>>, String> {
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
                let mut keys = Vec::new();
                collect(group, &mut keys, 0)?;
                groups.push(keys);
            }
        }
        None => groups.push(keys_of_rule(branch)?),
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

/// The keys that a rule names by itself: each field is a string with commas or a list.
fn keys_of_rule(branch: &Branch) -> Result<Vec<MasterKey>, String> {
    let mut keys = Vec::new();
    age_keys(branch, &mut keys)?;
    for service in Service::ALL {
        for text in texts(branch, service.rule_field())? {
            let names = text
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty());
            let named = names.map(|name| ServiceKey::of_text(service, name));
            named.for_each(|key| add(&mut keys, MasterKey::Service(key)));
        }
    }
    Ok(keys)
}

/// The keys of a key group, those that it merges first.
fn collect(group: &Branch, keys: &mut Vec<MasterKey>, depth: usize) -> Result<(), String> {
    if depth > MAX_MERGE_DEPTH {
        return Err("`merge` nests too deep".to_owned());
    }
    for merged in find(group, "merge")
        .and_then(|e| items(&e.value))
        .unwrap_or_default()
    {
        if let Value::Branch(merged) = merged {
            collect(merged, keys, depth + 1)?;
        }
    }
    age_keys(group, keys)?;
    for service in Service::ALL {
        for key in keys_of_service(group, service)? {
            add(keys, MasterKey::Service(key));
        }
    }
    Ok(())
}

fn age_keys(branch: &Branch, keys: &mut Vec<MasterKey>) -> Result<(), String> {
    for text in texts(branch, "age")? {
        for recipient in recipients_of(&text) {
            add(keys, MasterKey::Age(recipient?));
        }
    }
    Ok(())
}

fn keys_of_service(group: &Branch, service: Service) -> Result<Vec<ServiceKey>, String> {
    let (field, fields) = service.group_field();
    if fields.is_empty() {
        let texts = texts(group, field)?;
        let keys = texts.iter().map(|text| ServiceKey::of_text(service, text));
        return Ok(keys.collect());
    }
    let listed = find(group, field).map(|e| items(&e.value).unwrap_or_default());
    let keys = listed.into_iter().flatten().map(|value| match value {
        Value::Branch(key) => {
            let texts: Result<Vec<_>, _> = fields.iter().map(|name| text(key, name)).collect();
            Ok(ServiceKey::of_group(service, &texts?))
        }
        _ => Err(format!("a key of `{field}` is not a mapping")),
    });
    keys.collect()
}

/// Adds a key that is not there yet.
fn add(keys: &mut Vec<MasterKey>, key: MasterKey) {
    if !keys.iter().any(|known| known.name() == key.name()) {
        keys.push(key);
    }
}

/// A field that is a string or a list of strings.
fn texts(branch: &Branch, field: &str) -> Result<Vec<String>, String> {
    let wrong = || format!("`{field}` is neither a string nor a list of strings");
    let to_text = |value: &Value| {
        let text = value.as_text().and_then(|t| std::str::from_utf8(t).ok());
        text.map(str::to_owned).ok_or_else(wrong)
    };
    match find(branch, field).map(|e| &e.value) {
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
    let yaml = usize::try_from(indent("yaml")?.unwrap_or(0))
        .map(stores::yaml_indent)
        .map_err(|_| "`indent` of `yaml` is negative".to_owned())?;
    Ok(Indents {
        yaml,
        json: json("json")?,
        json_binary: json("json_binary")?,
    })
}

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
