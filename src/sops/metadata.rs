//! The metadata of a sealed file: key groups, MAC, rule and version.
//!
//! Values are read leniently, as sops since 3.13 does: flat formats carry only text, so that `"2"` is a
//! number and `"true"` a boolean. What is not known is kept, so that sealing again loses nothing.

use super::document::{Branch, Element, Entry, Item, Value, entry, find};
use super::keys::{Service, ServiceKey};
use super::rule::Rule;
use super::scalar::{float_text, parse_bool};
use super::timestamp::Timestamp;

/// What is wrong with metadata: a phrase that names the field.
pub(super) type Fault = String;

/// The most master keys a file may have: each costs a key agreement for each identity.
const MAX_KEYS: usize = 2000;

/// The most bytes of wrapped keys a file may have: each stanza in them costs a key agreement for each
/// identity, and two hundred post-quantum recipients take half of it.
const MAX_WRAPPED_BYTES: usize = 1 << 20;

/// The most key groups: a share's point is one byte.
const MAX_GROUPS: usize = 255;

/// The metadata of one file.
pub(super) struct Metadata {
    pub(super) groups: Vec<Group>,
    /// How many groups are needed; meaningful for more than one group.
    pub(super) threshold: usize,
    pub(super) last_modified: Timestamp,
    /// The sealed MAC; empty when there is none.
    pub(super) mac: String,
    pub(super) rule: Rule,
    pub(super) mac_only_encrypted: bool,
    /// As it was read, to be written again.
    pub(super) raw: Branch,
}

/// Master keys, each of which opens one share of the data key (or all of it).
#[derive(Clone, Default)]
pub(super) struct Group {
    pub(super) age: Vec<AgeKey>,
    pub(super) others: Vec<OtherKey>,
}

/// A data key wrapped for one age recipient.
#[derive(Clone)]
pub(super) struct AgeKey {
    /// Who can open it; informative.
    pub(super) recipient: String,
    /// An armored age file.
    pub(super) wrapped: String,
    /// As it is written.
    raw: Branch,
}

impl AgeKey {
    /// A key that was wrapped just now.
    pub(super) fn new(recipient: &str, wrapped: String) -> Self {
        let raw = vec![
            entry("enc", Value::text(wrapped.as_str())),
            entry("recipient", Value::text(recipient)),
        ];
        Self {
            recipient: recipient.to_owned(),
            wrapped,
            raw,
        }
    }
}

/// A data key wrapped by something that needs a service or GnuPG.
#[derive(Clone)]
pub(super) struct OtherKey {
    /// Which key.
    pub(super) key: ServiceKey,
    /// As it was read, to be written again.
    raw: Branch,
}

impl Group {
    /// The names of its keys: the other keys stand after those of age.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let age = self.age.iter().map(|key| key.recipient.as_str());
        age.chain(self.others.iter().map(|other| other.key.name.as_str()))
    }

    fn is_empty(&self) -> bool {
        self.age.is_empty() && self.others.is_empty()
    }
}

impl Metadata {
    /// Reads the branch that a store found. Fails with a phrase that names what is missing or wrong.
    pub(super) fn parse(raw: Branch) -> Result<Self, Fault> {
        let modified = text(&raw, "lastmodified")?;
        let last_modified = Timestamp::parse(&modified)
            .ok_or_else(|| missing_or_wrong("lastmodified", &modified, "a time stamp"))?;
        let groups = read_groups(&raw)?;
        let rule = read_rule(&raw)?;
        let version = text(&raw, "version")?;
        if !is_version(&version) {
            return Err(missing_or_wrong("version", &version, "a version"));
        }
        Ok(Self {
            groups,
            threshold: number(&raw, "shamir_threshold")?,
            last_modified,
            mac: text(&raw, "mac")?,
            rule,
            mac_only_encrypted: boolean(&raw, "mac_only_encrypted")?,
            raw,
        })
    }

    /// How many of a number of groups are needed: what is said, or all of them.
    pub(super) fn split_threshold(&self, groups: usize) -> usize {
        match (self.threshold, groups) {
            (0, 2..) => groups,
            (threshold, _) => threshold,
        }
    }

    /// Every age key of every group.
    pub(super) fn age_keys(&self) -> impl Iterator<Item = &AgeKey> {
        self.groups.iter().flat_map(|g| &g.age)
    }

    /// Every key of every group that is not age.
    pub(super) fn other_keys(&self) -> impl Iterator<Item = &OtherKey> {
        self.groups.iter().flat_map(|g| &g.others)
    }
}

fn missing_or_wrong(field: &str, text: &str, wanted: &str) -> Fault {
    if text.is_empty() {
        format!("`{field}` is missing")
    } else {
        format!("`{field}` is not {wanted}")
    }
}

fn read_groups(raw: &Branch) -> Result<Vec<Group>, Fault> {
    let flat = read_group(raw)?;
    let mut groups = Vec::new();
    if !flat.is_empty() {
        groups.push(flat);
    } else {
        for group in list(raw, "key_groups")? {
            let Value::Branch(group) = group else {
                return Err("a key group is not a mapping".to_owned());
            };
            groups.push(read_group(group)?);
        }
    }
    if groups.is_empty() {
        return Err("no key of any kind is named".to_owned());
    }
    let keys: usize = groups.iter().map(|g| g.age.len() + g.others.len()).sum();
    let wrapped: usize = groups
        .iter()
        .flat_map(|g| &g.age)
        .map(|k| k.wrapped.len())
        .sum();
    if keys > MAX_KEYS || groups.len() > MAX_GROUPS || wrapped > MAX_WRAPPED_BYTES {
        let limits = format!(
            "{MAX_KEYS} keys, {MAX_GROUPS} key groups or {MAX_WRAPPED_BYTES} bytes of wrapped keys"
        );
        return Err(format!("more than {limits} are named"));
    }
    Ok(groups)
}

fn read_group(branch: &Branch) -> Result<Group, Fault> {
    let mut group = Group::default();
    for service in Service::ALL {
        let field = service.metadata_field();
        for key in keys(branch, field)? {
            let created = text(key, "created_at")?;
            if Timestamp::parse(&created).is_none() {
                return Err(format!("a key of `{field}` has no valid `created_at`"));
            }
            group.others.push(OtherKey {
                key: ServiceKey::of_fields(service, &|field| text(key, field))?,
                raw: key.clone(),
            });
        }
    }
    for key in keys(branch, "age")? {
        group.age.push(AgeKey {
            recipient: text(key, "recipient")?,
            wrapped: text(key, "enc")?,
            raw: key.clone(),
        });
    }
    Ok(group)
}

fn keys<'a>(branch: &'a Branch, field: &str) -> Result<Vec<&'a Branch>, Fault> {
    let each = list(branch, field)?.into_iter().map(|value| match value {
        Value::Branch(key) => Ok(key),
        _ => Err(format!("a key of `{field}` is not a mapping")),
    });
    each.collect()
}

fn read_rule(raw: &Branch) -> Result<Rule, Fault> {
    let mut found = None;
    for field in Rule::FIELDS {
        let text = text(raw, field)?;
        if text.is_empty() {
            continue;
        }
        if found.is_some() {
            return Err("more than one rule says what is encrypted".to_owned());
        }
        found = Rule::of_field(field, &text);
    }
    Ok(found.unwrap_or_else(Rule::usual))
}

/// The items of a list; none when it is missing or null.
fn list<'a>(branch: &'a Branch, field: &str) -> Result<Vec<&'a Value>, Fault> {
    match find(branch, field).map(|e| &e.value) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::List(items)) => Ok(items.iter().filter_map(element).collect()),
        Some(_) => Err(format!("`{field}` is not a list")),
    }
}

fn element(element: &Element) -> Option<&Value> {
    match element {
        Element::Value(value) => Some(value),
        Element::Comment(_) => None,
    }
}

/// A text; empty when it is missing or null.
fn text(branch: &Branch, field: &str) -> Result<String, Fault> {
    Ok(match find(branch, field).map(|e| &e.value) {
        None | Some(Value::Null) => String::new(),
        // A recipient that is not UTF-8 names nobody, and its key is tried all the same.
        Some(Value::Text(bytes)) => String::from_utf8_lossy(bytes).into_owned(),
        Some(Value::Int(number)) => number.to_string(),
        Some(Value::Float(number)) => float_text(*number),
        Some(Value::Bool(value)) => value.to_string(),
        Some(Value::Time(moment)) => moment.as_str().to_owned(),
        Some(Value::TooLarge | Value::List(_) | Value::Branch(_)) => {
            return Err(format!("`{field}` is not text"));
        }
    })
}

fn number(branch: &Branch, field: &str) -> Result<usize, Fault> {
    let text = text(branch, field)?;
    if text.is_empty() {
        return Ok(0);
    }
    text.parse()
        .map_err(|_| format!("`{field}` is not a number"))
}

fn boolean(branch: &Branch, field: &str) -> Result<bool, Fault> {
    let text = text(branch, field)?;
    if text.is_empty() {
        return Ok(false);
    }
    // The YAML library of sops takes the words of YAML 1.1 for a field that is a boolean.
    match text.to_ascii_lowercase().as_str() {
        "yes" | "on" | "y" => Ok(true),
        "no" | "off" | "n" => Ok(false),
        _ => parse_bool(&text).ok_or_else(|| format!("`{field}` is not true or false")),
    }
}

/// Whether a text is a semantic version: three numbers, and perhaps a pre-release or build.
fn is_version(text: &str) -> bool {
    semver::Version::parse(text).is_ok()
}

/// What fresh metadata say.
pub(super) struct Fresh<'a> {
    pub(super) groups: &'a [Group],
    pub(super) threshold: usize,
    pub(super) last_modified: &'a str,
    pub(super) mac: &'a str,
    /// What is sealed; nothing says it where a file is one value.
    pub(super) rule: Option<&'a Rule>,
    pub(super) mac_only_encrypted: bool,
    pub(super) version: &'a str,
}

impl Fresh<'_> {
    /// The branch that a store writes: the fields in the order of their names, as in sops since 3.13.
    pub(super) fn to_branch(&self) -> Branch {
        let mut branch = Branch::new();
        set(&mut branch, "lastmodified", Value::text(self.last_modified));
        set(&mut branch, "mac", Value::text(self.mac));
        set(&mut branch, "version", Value::text(self.version));
        if let Some((field, text)) = self.rule.map(Rule::to_field) {
            set(&mut branch, field, Value::text(text));
        }
        if self.mac_only_encrypted {
            set(&mut branch, "mac_only_encrypted", Value::Bool(true));
        }
        set_keys(&mut branch, self.groups, self.threshold);
        branch
    }
}

/// Writes key groups into metadata in the place of those that are there.
pub(super) fn set_keys(branch: &mut Branch, groups: &[Group], threshold: usize) {
    let lists = match groups {
        [group] => key_lists(group),
        groups => {
            let groups = groups.iter().map(|group| {
                let mut lists = key_lists(group);
                // sops writes these two of a group even where they are empty.
                for field in ["age", Service::HcVault.metadata_field()] {
                    if find(&lists, field).is_none() {
                        set(&mut lists, field, Value::List(Vec::new()));
                    }
                }
                Element::Value(Value::Branch(lists))
            });
            vec![entry("key_groups", Value::List(groups.collect()))]
        }
    };
    let is_key = |field: &str| {
        let services = Service::ALL.iter().map(|service| service.metadata_field());
        services
            .chain(["age", "key_groups", "shamir_threshold"])
            .any(|known| known == field)
    };
    branch.retain(|item| match item {
        Item::Entry(old) => {
            let field = old.key.as_str();
            !is_key(field) || find(&lists, field).is_some()
        }
        Item::Comment(_) => true,
    });
    for item in lists {
        if let Item::Entry(entry) = item {
            set(branch, entry.key.as_str(), entry.value);
        }
    }
    if threshold > 0 {
        let threshold = i64::try_from(threshold).unwrap_or(i64::MAX);
        set(branch, "shamir_threshold", Value::Int(threshold));
    }
}

/// The keys of a group by their fields.
fn key_lists(group: &Group) -> Branch {
    let mut lists = Branch::new();
    let list = |keys: &mut dyn Iterator<Item = &Branch>| {
        Value::List(
            keys.map(|raw| Element::Value(Value::Branch(raw.clone())))
                .collect(),
        )
    };
    if !group.age.is_empty() {
        let value = list(&mut group.age.iter().map(|key| &key.raw));
        set(&mut lists, "age", value);
    }
    for service in Service::ALL {
        let mut keys = group.others.iter();
        if keys.any(|other| other.key.service == service) {
            let keys = group.others.iter();
            let mut keys = keys
                .filter(|other| other.key.service == service)
                .map(|other| &other.raw);
            set(&mut lists, service.metadata_field(), list(&mut keys));
        }
    }
    lists
}

/// Brings metadata that were read up to a new sealing; keys and unknown fields stay.
pub(super) fn set_fields(
    branch: &mut Branch,
    last_modified: &str,
    mac: &str,
    (rule, mac_only_encrypted): (Option<&Rule>, bool),
) {
    set(branch, "lastmodified", Value::text(last_modified));
    set(branch, "mac", Value::text(mac));
    if let Some((named, text)) = rule.map(Rule::to_field) {
        let is_stale = |key: &str| key != named && Rule::FIELDS.contains(&key);
        branch.retain(|item| !matches!(item, Item::Entry(e) if is_stale(e.key.as_str())));
        set(branch, named, Value::text(text));
    }
    if mac_only_encrypted || find(branch, "mac_only_encrypted").is_some() {
        set(
            branch,
            "mac_only_encrypted",
            Value::Bool(mac_only_encrypted),
        );
    }
}

/// Sets a field: in its place, or before the first one with a later name.
pub(super) fn set(branch: &mut Branch, field: &str, value: Value) {
    let slot = branch.iter_mut().find_map(|item| match item {
        Item::Entry(Entry { key, value, .. }) if key.as_str() == field => Some(value),
        Item::Entry(_) | Item::Comment(_) => None,
    });
    if let Some(slot) = slot {
        *slot = value;
        return;
    }
    let is_later = |item: &Item| matches!(item, Item::Entry(e) if e.key.as_str() > field);
    let at = branch.iter().position(is_later).unwrap_or(branch.len());
    branch.insert(at, entry(field, value));
}
