//! Rules of one port that cannot be merged: the policy of the endpoint cannot be computed at all.
//!
//! Upstream: `mergePortProto` and `mergeRedirect` of `pkg/policy/rule.go`, `L7ParserType.Merge` of `pkg/policy/l4.go`.
//! Rules are merged where tier, priority, port and selector are the same. Pinned by `layer7/*-on-one-port`.

use std::collections::BTreeMap;

use super::auth::AuthType;
use super::entry::{Action, Entry, Inspection, Level, Parser, Peers};
use super::ports::PortKey;
use super::selector::Selector;

/// What the rules of one port for one selector ask.
#[derive(Debug, Clone, Default)]
struct Merged<'e> {
    parser: Parser,
    http: bool,
    server_names: bool,
    terminating: Option<&'e str>,
    originating: Option<&'e str>,
    listener: Option<(&'e str, i64)>,
    auth: Option<AuthType>,
}

/// Why the entries contradict each other.
///
/// `has_namespace` is about the endpoint: one without a namespace cannot use a listener that is in one.
pub(super) fn find<'e>(
    entries: impl Iterator<Item = &'e Entry> + Clone,
    has_namespace: bool,
) -> Option<String> {
    let is_special =
        |e: &Entry| e.auth.is_some() || e.ports.iter().any(|p| p.inspection.parser != Parser::None);
    if !entries.clone().any(is_special) {
        return None;
    }
    let everything = Selector::everything();
    let mut all: BTreeMap<(Level, &PortKey, &Selector), Merged<'_>> = BTreeMap::new();
    for entry in entries.filter(|e| e.action == Action::Allow) {
        let Peers::Of(selectors) = &entry.peers else {
            continue;
        };
        let selectors = match selectors.as_slice() {
            [] => std::slice::from_ref(&everything),
            some => some,
        };
        for rule in &entry.ports {
            if rule.inspection.in_namespace && !has_namespace {
                return Some("a rule names a listener that is in a namespace".to_owned());
            }
            for (key, selector) in rule
                .ports
                .iter()
                .flat_map(|k| selectors.iter().map(move |s| (k, s)))
            {
                let merged = all.entry((entry.level, key, selector)).or_default();
                if let Err(what) = merged.add(&rule.inspection, entry.auth) {
                    return Some(format!("{what} for one port and the same peers"));
                }
            }
        }
    }
    None
}

impl<'e> Merged<'e> {
    fn add(&mut self, new: &'e Inspection, auth: Option<AuthType>) -> Result<(), &'static str> {
        self.parser = parser(self.parser, new.parser).ok_or("different L7 rules")?;
        self.listener = match (self.listener, new.listener.as_ref()) {
            (old, None) => old,
            (Some((name, rank)), Some((other, new_rank))) if rank == *new_rank && name != other => {
                return Err("different listeners of one priority");
            }
            (Some(old), Some((_, rank))) if old.1 <= *rank => Some(old),
            (_, Some((name, rank))) => Some((name, *rank)),
        };
        self.auth = same(self.auth, auth).ok_or("different modes of authentication")?;
        self.terminating =
            same(self.terminating, new.terminating.as_deref()).ok_or("different TLS contexts")?;
        self.originating =
            same(self.originating, new.originating.as_deref()).ok_or("different TLS contexts")?;
        self.http |= new.http;
        self.server_names |= new.server_names;
        match self.server_names && self.http && self.terminating.is_none() {
            true => Err("serverNames and HTTP rules without terminatingTLS"),
            false => Ok(()),
        }
    }
}

/// What is asked by either, where they do not ask for different things.
fn same<T: PartialEq>(old: Option<T>, new: Option<T>) -> Option<Option<T>> {
    match (&old, &new) {
        (Some(a), Some(b)) if a != b => None,
        (None, _) => Some(new),
        _ => Some(old),
    }
}

fn parser(old: Parser, new: Parser) -> Option<Parser> {
    match (old, new) {
        (a, b) if a == b => Some(a),
        (Parser::None, other) | (other, Parser::None) => Some(other),
        (Parser::Tls, Parser::Http) | (Parser::Http, Parser::Tls) => Some(Parser::Http),
        _ => None,
    }
}
