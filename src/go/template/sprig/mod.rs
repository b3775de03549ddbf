//! The functions of sprig, by what they work on.
//!
//! None reads the clock, the environment or the network. What sprig makes at random is made from a fixed
//! series here, so that the same input gives the same bytes; the host makes another one each time, which is
//! why nobody should compare it. [`ALL`] is the set of Masterminds/sprig v3, [`SLIM`] what is left of it in
//! slim-sprig.

mod defaults;
mod encoding;
mod json;
mod lists;
mod made;
mod maps;
mod numbers;
mod paths;
mod regex;
mod semver;
mod strings;
mod time;
mod url;
mod words;

use super::function::Function;

pub use json::{from_json, to_json};
pub use strings::adler32;

/// Every function of sprig but `env`, `expandenv` and `getHostByName`.
pub static ALL: &[&[Function]] = &[
    defaults::TABLE,
    encoding::TABLE,
    json::TABLE,
    lists::TABLE,
    made::TABLE,
    maps::TABLE,
    maps::MERGES,
    numbers::TABLE,
    numbers::DECIMALS,
    paths::TABLE,
    regex::TABLE,
    semver::TABLE,
    strings::TABLE,
    words::TABLE,
    time::TABLE,
    time::ZONED,
    url::TABLE,
];

/// The hermetic functions of slim-sprig.
pub static SLIM: &[&[Function]] = &[
    defaults::TABLE,
    encoding::TABLE,
    json::TABLE,
    lists::TABLE,
    maps::TABLE,
    numbers::TABLE,
    paths::TABLE,
    regex::TABLE,
    strings::TABLE,
    time::TABLE,
    url::TABLE,
];

/// What [`SLIM`] lacks of the tables that it shares with [`ALL`].
pub const NOT_SLIM: &[&str] = &["deepCopy", "mustDeepCopy", "sha512sum", "mustToDate"];
