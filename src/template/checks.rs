//! What the checks of a profile ask of values: texts of a form, addresses and networks of IPv4.
//!
//! Only profiles call these; to a template they are as unknown as they are to Jinja2.

use std::net::Ipv4Addr;

use minijinja::{Error, State, Value};

use super::python::arguments::bind;
use super::python::iterate::items;
use super::python::text::str_of;
use super::python::{Native, failed};
use crate::go::regexp;

/// The functions of checks.
pub(super) const FUNCTIONS: &[(&str, Native)] = &[
    ("__matches", matches),
    ("__inside", inside),
    ("__networks", networks),
    ("__disjoint", disjoint),
];

/// `(texts, pattern)`: whether all of each text has a form.
fn matches(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [texts, pattern] = bind("matches", arguments, ["texts", "pattern"])?;
    let pattern = pattern.map_or_else(String::new, |p| str_of(&p));
    let pattern = regexp::compile_anchored(&pattern)
        .map_err(|_| failed("the pattern is no regular expression"))?;
    let texts = items(state, &texts.unwrap_or_default())?;
    Ok(Value::from(texts.iter().all(|text| {
        text.as_str().is_some_and(|text| pattern.is_match(text))
    })))
}

/// `(addresses, network)`: whether each address is one, and lies in the network.
fn inside(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [addresses, network] = bind("inside", arguments, ["addresses", "network"])?;
    let network = network.as_ref().and_then(Network::of);
    let addresses = items(state, &addresses.unwrap_or_default())?;
    Ok(Value::from(network.is_some_and(|network| {
        addresses.iter().all(|address| {
            let address = address.as_str().and_then(|a| a.parse::<Ipv4Addr>().ok());
            address.is_some_and(|a| (network.first..=network.last).contains(&u32::from(a)))
        })
    })))
}

/// `(networks)`: whether each is a network, written with its own address.
fn networks(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [networks] = bind("networks", arguments, ["networks"])?;
    let networks = items(state, &networks.unwrap_or_default())?;
    Ok(Value::from(networks.iter().all(|network| {
        Network::of(network).is_some_and(|network| network.has_own_address)
    })))
}

/// `(networks)`: whether no two of them have an address in common.
fn disjoint(state: &mut State<'_, '_>, arguments: &[Value]) -> Result<Value, Error> {
    let [networks] = bind("disjoint", arguments, ["networks"])?;
    let networks = items(state, &networks.unwrap_or_default())?;
    let mut networks: Vec<Network> = networks.iter().filter_map(Network::of).collect();
    networks.sort_by_key(|network| network.first);
    let mut pairs = networks.windows(2);
    Ok(Value::from(pairs.all(|pair| pair[0].last < pair[1].first)))
}

/// A network of IPv4.
struct Network {
    first: u32,
    last: u32,
    has_own_address: bool,
}

impl Network {
    fn of(value: &Value) -> Option<Self> {
        let text = value.as_str()?;
        let (address, bits) = text.split_once('/').unwrap_or((text, "32"));
        let address = u32::from(address.parse::<Ipv4Addr>().ok()?);
        let bits: u32 = bits.parse().ok().filter(|bits| *bits <= 32)?;
        let hosts = u32::MAX.checked_shr(bits).unwrap_or(0);
        Some(Self {
            first: address & !hosts,
            last: address | hosts,
            has_own_address: address & hosts == 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use minijinja::Value;

    use super::Network;

    #[test]
    fn networks_have_ends() {
        let network = |text: &str| {
            let network = Network::of(&Value::from(text))?;
            Some((network.last - network.first, network.has_own_address))
        };
        assert_eq!(network("10.0.0.0/24"), Some((255, true)));
        assert_eq!(network("10.0.0.1/24"), Some((255, false)));
        assert_eq!(network("0.0.0.0/0"), Some((u32::MAX, true)));
        assert_eq!(network("10.0.0.1/32"), Some((0, true)));
        assert_eq!(network("10.0.0.0/33"), None);
        assert_eq!(network("::/0"), None);
    }
}
