//! The metadata of a sealed file: key groups, MAC, rule and version.
//!
//! Values are read leniently, as sops since 3.13 does: flat formats carry only text, so that `"2"` is a
//! number and `"true"` a boolean. What is not known is kept, so that sealing again loses nothing.

use super::document::{Branch, Element, Entry, Item, Value, entry, find};
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
#[derive(Default)]
pub(super) struct Group {
    pub(super) age: Vec<AgeKey>,
    pub(super) others: Vec<OtherKey>,
}

/// A data key wrapped for one age recipient.
pub(super) struct AgeKey {
    /// Who can open it; informative.
    pub(super) recipient: String,
    /// An armored age file.
    pub(super) wrapped: String,
}

/// A data key wrapped by something that needs a service or GnuPG.
pub(super) struct OtherKey {
    /// What it is called in messages.
    pub(super) kind: &'static str,
    /// Which key: an ARN, a fingerprint, an address.
    pub(super) name: String,
}

/// The lists of keys that are not age: the field, its name in messages, the fields that name the key.
const OTHERS: [(&str, &str, &[&str]); 6] = [
    ("kms", "AWS KMS", &["arn"]),
    ("gcp_kms", "GCP KMS", &["resource_id"]),
    ("hckms", "HuaweiCloud KMS", &["key_id"]),
    ("azure_kv", "Azure Key Vault", &["vault_url", "name"]),
    (
        "hc_vault",
        "HashiCorp Vault",
        &["vault_address", "engine_path", "key_name"],
    ),
    ("pgp", "PGP", &["fp"]),
];

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
    if !flat.age.is_empty() || !flat.others.is_empty() {
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
    for (field, kind, names) in OTHERS {
        for key in keys(branch, field)? {
            let created = text(key, "created_at")?;
            if Timestamp::parse(&created).is_none() {
                return Err(format!("a key of `{field}` has no valid `created_at`"));
            }
            let parts: Vec<String> = names
                .iter()
                .map(|n| text(key, n))
                .collect::<Result<_, _>>()?;
            let name = parts.join("/");
            group.others.push(OtherKey { kind, name });
        }
    }
    for key in keys(branch, "age")? {
        group.age.push(AgeKey {
            recipient: text(key, "recipient")?,
            wrapped: text(key, "enc")?,
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
    pub(super) groups: &'a [Vec<AgeKey>],
    pub(super) threshold: usize,
    pub(super) last_modified: &'a str,
    pub(super) mac: &'a str,
    pub(super) rule: &'a Rule,
    pub(super) mac_only_encrypted: bool,
    pub(super) version: &'a str,
}

impl Fresh<'_> {
    /// The branch that a store writes, in the order of sops.
    pub(super) fn to_branch(&self) -> Branch {
        let mut branch = Branch::new();
        match self.groups {
            [group] => branch.push(entry("age", age_list(group))),
            groups => {
                let threshold = i64::try_from(self.threshold).unwrap_or(i64::MAX);
                branch.push(entry("shamir_threshold", Value::Int(threshold)));
                let list = groups
                    .iter()
                    .map(|g| Element::Value(Value::Branch(vec![entry("age", age_list(g))])));
                branch.push(entry("key_groups", Value::List(list.collect())));
            }
        }
        branch.push(entry("lastmodified", Value::text(self.last_modified)));
        branch.push(entry("mac", Value::text(self.mac)));
        let (field, text) = self.rule.to_field();
        branch.push(entry(field, Value::text(text)));
        if self.mac_only_encrypted {
            branch.push(entry("mac_only_encrypted", Value::Bool(true)));
        }
        branch.push(entry("version", Value::text(self.version)));
        branch
    }
}

fn age_list(group: &[AgeKey]) -> Value {
    let keys = group.iter().map(|key| {
        Element::Value(Value::Branch(vec![
            entry("recipient", Value::text(key.recipient.as_str())),
            entry("enc", Value::text(key.wrapped.as_str())),
        ]))
    });
    Value::List(keys.collect())
}

/// Brings metadata that were read up to a new sealing; keys and unknown fields stay.
pub(super) fn set_fields(
    branch: &mut Branch,
    last_modified: &str,
    mac: &str,
    rule: &Rule,
    mac_only_encrypted: bool,
) {
    set(branch, "lastmodified", Value::text(last_modified));
    set(branch, "mac", Value::text(mac));
    let (named, text) = rule.to_field();
    let is_stale = |key: &str| key != named && Rule::FIELDS.contains(&key);
    branch.retain(|item| !matches!(item, Item::Entry(e) if is_stale(e.key.as_str())));
    set(branch, named, Value::text(text));
    if mac_only_encrypted || find(branch, "mac_only_encrypted").is_some() {
        set(
            branch,
            "mac_only_encrypted",
            Value::Bool(mac_only_encrypted),
        );
    }
}

/// Sets a field: in its place, or at the end.
fn set(branch: &mut Branch, field: &str, value: Value) {
    let slot = branch.iter_mut().find_map(|item| match item {
        Item::Entry(Entry { key, value, .. }) if key.as_str() == field => Some(value),
        Item::Entry(_) | Item::Comment(_) => None,
    });
    match slot {
        Some(slot) => *slot = value,
        None => branch.push(entry(field, value)),
    }
}
