//! Templates without goTemplate: `{{name}}` stands for a parameter that is a string.
//!
//! Follows `Replace` of applicationset/utils/utils.go and github.com/valyala/fasttemplate: nothing is read in a text of
//! which no line holds `{{…}}`; otherwise every `{{` needs its `}}`, over lines, too. What is not a string stays as
//! it is written. Cases: `functions/fast.json`, `fast-*`.

use super::Failure;
use super::params::Params;
use crate::go::template::Value;

/// Fills a text.
pub(super) fn fill(text: &str, params: &Params) -> Result<String, Failure> {
    if !text.lines().any(holds_a_tag) {
        return Ok(text.to_owned());
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((tag, after)) = after.split_once("}}") else {
            return Err(Failure::new("a `{{` of the template is not closed"));
        };
        match params.get(tag.trim()) {
            Some(Value::String(value)) if !tag.trim().is_empty() => out.push_str(value),
            _ => {
                out.push_str("{{");
                out.push_str(tag);
                out.push_str("}}");
            }
        }
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

fn holds_a_tag(line: &str) -> bool {
    line.split_once("{{")
        .is_some_and(|(_, after)| after.contains("}}"))
}
