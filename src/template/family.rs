//! Functions and filters that the plugin of the cluster-template family gives its templates.
//!
//! Files are read beneath the root, relative to the directory of the `makejinja.toml`.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use base64::Engine as _;
use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use super::cache::{TemplateCache, list};
use super::error::carried;
use super::python::arguments::bind;
use super::python::text::str_of;
use super::python::{List, failed};
use super::reader::Lookup;
use crate::files::TreePath;

/// The functions of the family.
pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("age_key", age_key),
    ("age_public_key", |r, _| {
        age_key(r, &[Value::from("public")])
    }),
    ("age_private_key", |r, _| {
        age_key(r, &[Value::from("private")])
    }),
    ("cloudflare_tunnel", tunnel_field),
    ("cloudflare_tunnel_id", tunnel_id),
    ("cloudflare_tunnel_secret", tunnel_secret),
    ("github_deploy_key", |r, a| {
        r.stripped("github_deploy_key", a, "github-deploy.key")
    }),
    ("deploy_key", |r, a| {
        r.stripped("deploy_key", a, "deploy.key")
    }),
    ("github_push_token", |r, a| {
        r.stripped("github_push_token", a, "github-push-token.txt")
    }),
    ("webhook_token", |r, a| {
        r.stripped("webhook_token", a, "flux-webhook-token.txt")
    }),
    ("talos_patches", talos_patches),
    ("infrastructure_enabled", infrastructure_enabled),
];

/// The filters of the family.
pub(super) const FILTERS: &[(&str, Function)] = &[("basename", basename), ("nthhost", nthhost)];

/// A function of the family, with what it may read.
pub(super) type Function = fn(&Reader, &[Value]) -> Result<Value, Error>;

/// Reads files for the functions.
#[derive(Clone)]
pub(super) struct Reader {
    pub(super) shelf: TemplateCache,
    pub(super) lookup: Option<Lookup>,
    pub(super) base: TreePath,
}

/// Where the patches of Talos lie below the templates, in the layouts that there were.
const TALOS_PATCHES: [&str; 2] = ["talos/patches", "kubernetes/bootstrap/talos/patches"];

/// A function as MiniJinja calls it.
pub(super) fn callable(function: Function, reader: &Reader) -> super::vocabulary::Shared {
    let reader = reader.clone();
    Arc::new(move |_: &mut State<'_, '_>, arguments: &[Value]| function(&reader, arguments))
}

impl Reader {
    fn path(&self, path: &str) -> Result<TreePath, Error> {
        let beneath = if path.starts_with('/') {
            None
        } else {
            self.base.join(path)
        };
        beneath.ok_or_else(|| failed(format!("{path} leads out of the root")))
    }

    /// The bytes of a file; nothing where there is no such file.
    fn bytes(&self, path: &str) -> Result<Option<Arc<[u8]>>, Error> {
        let path = self.path(path)?;
        match &self.lookup {
            Some(lookup) => {
                let read = self.shelf.file(lookup.files.as_ref(), &path);
                read.map_err(carried)
            }
            None => Ok(None),
        }
    }

    fn text(&self, path: &str) -> Result<String, Error> {
        let bytes = self.bytes(path)?;
        let bytes = bytes.ok_or_else(|| failed(format!("{path} does not exist")))?;
        let text =
            std::str::from_utf8(&bytes).map_err(|_| failed(format!("{path} is not UTF-8")))?;
        Ok(text.trim().to_owned())
    }

    /// A file's text without the blanks around it; the path may be given as the only argument.
    fn stripped(&self, function: &str, arguments: &[Value], default: &str) -> Result<Value, Error> {
        let [path] = bind(function, arguments, ["file_path"])?;
        let path = path.map_or_else(|| default.to_owned(), |p| str_of(&p));
        let text = self.text(&path)?;
        if text.is_empty() {
            return Err(failed(format!("{path} is empty")));
        }
        Ok(Value::from(text))
    }

    fn json(&self, path: &str) -> Result<serde_json::Value, Error> {
        serde_json::from_str(&self.text(path)?).map_err(|_| failed(format!("{path} is not JSON")))
    }
}

fn age_key(reader: &Reader, arguments: &[Value]) -> Result<Value, Error> {
    let [kind, path] = bind("age_key", arguments, ["key_type", "file_path"])?;
    let path = path.map_or_else(|| "age.key".to_owned(), |p| str_of(&p));
    let text = reader.text(&path)?;
    let (start, skip, what) = match kind.as_ref().and_then(Value::as_str) {
        Some("public") => ("# public key: age1", "# public key: ".len(), "public"),
        Some("private") => ("AGE-SECRET-KEY-", 0, "private"),
        _ => return Err(failed("age_key wants 'public' or 'private'")),
    };
    let found = text.match_indices(start).find_map(|(at, _)| {
        let key = &text[at + skip..];
        // The identities of post-quantum keys have one more part: AGE-SECRET-KEY-PQ-1….
        let prefix = ["AGE-SECRET-KEY-PQ-", "AGE-SECRET-KEY-"]
            .iter()
            .find(|p| key.starts_with(**p));
        let head = prefix.map_or(0, |p| p.len());
        let length = key[head..].find(|c: char| c != '_' && !c.is_alphanumeric());
        let key = &key[..length.map_or(key.len(), |l| head + l)];
        (key.len() > head + 4).then(|| key.to_owned())
    });
    found
        .map(Value::from)
        .ok_or_else(|| failed(format!("{path} has no {what} age key")))
}

fn field(data: &serde_json::Value, name: &str, path: &str) -> Result<String, Error> {
    match data.get(name).and_then(serde_json::Value::as_str) {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(failed(format!("{path} has no {name}"))),
    }
}

fn tunnel(
    reader: &Reader,
    function: &str,
    arguments: &[Value],
) -> Result<(serde_json::Value, String), Error> {
    let [path] = bind(function, arguments, ["file_path"])?;
    let path = path.map_or_else(|| "cloudflare-tunnel.json".to_owned(), |p| str_of(&p));
    Ok((reader.json(&path)?, path))
}

fn tunnel_id(reader: &Reader, arguments: &[Value]) -> Result<Value, Error> {
    let (data, path) = tunnel(reader, "cloudflare_tunnel_id", arguments)?;
    field(&data, "TunnelID", &path).map(Value::from)
}

/// A field of the tunnel's file, which had another name in the oldest layout; none where it has no such field.
fn tunnel_field(reader: &Reader, arguments: &[Value]) -> Result<Value, Error> {
    let [name] = bind("cloudflare_tunnel", arguments, ["value"])?;
    let name = str_of(&name.unwrap_or_default());
    let [new, old] = ["cloudflare-tunnel.json", "cloudflared.json"];
    let has_new = reader.bytes(new)?.is_some();
    let has_old = reader.bytes(old)?.is_some();
    let data = reader.json(if has_old && !has_new { old } else { new })?;
    Ok(match data.get(&name) {
        Some(serde_json::Value::String(text)) => Value::from(text.as_str()),
        Some(serde_json::Value::Bool(flag)) => Value::from(*flag),
        Some(serde_json::Value::Number(number)) => Value::from(number.as_i64().unwrap_or_default()),
        _ => Value::from(()),
    })
}

/// The TUNNEL_TOKEN of cloudflared: the account, tunnel and secret as compact JSON in base64.
fn tunnel_secret(reader: &Reader, arguments: &[Value]) -> Result<Value, Error> {
    let (data, path) = tunnel(reader, "cloudflare_tunnel_secret", arguments)?;
    let part = |name: &str| field(&data, name, &path).map(serde_json::Value::from);
    let token = serde_json::json!({"a": part("AccountTag")?, "t": part("TunnelID")?, "s": part("TunnelSecret")?});
    Ok(Value::from(
        base64::engine::general_purpose::STANDARD.encode(token.to_string()),
    ))
}

/// The templates of Talos patches for a kind of node, as paths from the directory of the configuration.
fn talos_patches(reader: &Reader, arguments: &[Value]) -> Result<Value, Error> {
    let [kind] = bind("talos_patches", arguments, ["value"])?;
    let kind = str_of(&kind.unwrap_or_default());
    let usual = reader.base.join("templates/config");
    let Some(lookup) = &reader.lookup else {
        return Ok(List::value(Vec::new()));
    };
    for input in usual.iter().chain(&lookup.directories) {
        for place in TALOS_PATCHES {
            let directory = input.join(&format!("{place}/{kind}"));
            let Some(directory) = directory else { continue };
            let names = list(lookup.files.as_ref(), &directory).map_err(carried)?;
            let Some(names) = names else {
                continue;
            };
            let shown = directory.relative_to(&reader.base);
            let patches = names.iter().filter(|name| name.ends_with(".yaml.j2"));
            let paths = patches.map(|name| Value::from(format!("{shown}/{name}")));
            return Ok(List::value(paths.collect()));
        }
    }
    Ok(List::value(Vec::new()))
}

fn infrastructure_enabled(_: &Reader, arguments: &[Value]) -> Result<Value, Error> {
    let [data] = bind("infrastructure_enabled", arguments, ["data"])?;
    let data = data.unwrap_or_default();
    if data.kind() != ValueKind::Map {
        return Err(failed("infrastructure_enabled wants the values"));
    }
    let is_set = |name: &str| data.get_attr(name).is_ok_and(|v| v.is_true());
    Ok(Value::from(
        is_set("proxmox_api_url") && is_set("proxmox_node"),
    ))
}

/// The last part of a path without its last ending.
fn basename(_: &Reader, arguments: &[Value]) -> Result<Value, Error> {
    let [value] = bind("basename", arguments, ["value"])?;
    let path = str_of(&value.unwrap_or_default());
    let name = path
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default();
    let stem = match name.rfind('.') {
        Some(at) if at > 0 && at + 1 < name.len() => &name[..at],
        _ => name,
    };
    Ok(Value::from(stem))
}

/// The nth address of a network; false where there is none.
fn nthhost(_: &Reader, arguments: &[Value]) -> Result<Value, Error> {
    let [value, query] = bind("nthhost", arguments, ["value", "query"])?;
    let query = query
        .and_then(|q| q.as_i64())
        .ok_or_else(|| failed("nthhost wants a number"))?;
    let value = value.unwrap_or_default();
    let found = u128::try_from(query)
        .ok()
        .and_then(|n| nth_address(value.as_str()?, n));
    Ok(found.map_or_else(|| Value::from(false), Value::from))
}

fn nth_address(network: &str, nth: u128) -> Option<String> {
    let (address, prefix) = match network.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (network, None),
    };
    if let Ok(address) = address.parse::<Ipv4Addr>() {
        let bits = match prefix {
            None => 32,
            Some(prefix) => prefix_length(prefix)?,
        };
        let size = 1u128.checked_shl(32 - bits)?;
        let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
        let start = u128::from(u32::from(address) & mask);
        let found = u32::try_from(start + Some(nth).filter(|n| *n < size)?).ok()?;
        return Some(Ipv4Addr::from(found).to_string());
    }
    let address: Ipv6Addr = address.parse().ok()?;
    let bits: u32 = prefix
        .map_or(Some(128), |p| p.parse().ok())
        .filter(|b| *b <= 128)?;
    let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
    let last = !mask;
    (nth <= last).then(|| Ipv6Addr::from((u128::from(address) & mask) + nth).to_string())
}

/// The length of an IPv4 prefix: a number, or a mask such as 255.255.255.0.
fn prefix_length(prefix: &str) -> Option<u32> {
    if let Ok(bits) = prefix.parse::<u32>() {
        return (bits <= 32).then_some(bits);
    }
    let mask = u32::from(prefix.parse::<Ipv4Addr>().ok()?);
    (mask.leading_ones() + mask.trailing_zeros() == 32).then_some(mask.leading_ones())
}

#[cfg(test)]
mod tests {
    use super::nth_address;

    #[test]
    fn addresses_are_counted_from_the_network() {
        assert_eq!(nth_address("10.0.0.17/24", 1).as_deref(), Some("10.0.0.1"));
        assert_eq!(nth_address("10.0.0.0/30", 4), None);
        assert_eq!(nth_address("10.0.0.0/0", 1).as_deref(), Some("0.0.0.1"));
        assert_eq!(nth_address("fd00::/64", 10).as_deref(), Some("fd00::a"));
        assert_eq!(nth_address("nonsense", 1), None);
    }
}
