//! The functions of ApplicationSets' templates: sprig's, and five of Argo CD's own.
//!
//! Follows `init` of applicationset/utils/utils.go and template_functions.go. Cases: `functions/argo.json`.

use std::sync::OnceLock;

use super::names;
use crate::go::slug;
use crate::go::template::{Call, Fault, Function, Functions, Result, Value, row, sprig};
use crate::yaml::sigs;

/// Argo CD's own functions.
static OWN: &[Function] = &[
    row("normalize", "s", |call, v| {
        call.string(names::normalized(text(&v[0])))
    }),
    row("slugify", "a*", slugify),
    row("toYaml", "a", to_yaml),
    row("fromYaml", "s", |call, v| match read(call, text(&v[0]))? {
        serde_json::Value::Null => Ok(Value::map([])),
        object @ serde_json::Value::Object(_) => Ok(sprig::from_json(&object)),
        _ => Err(Fault::new("the text is not a mapping")),
    }),
    row("fromYamlArray", "s", |call, v| {
        match read(call, text(&v[0]))? {
            serde_json::Value::Null => Ok(Value::list(Vec::new())),
            list @ serde_json::Value::Array(_) => Ok(sprig::from_json(&list)),
            _ => Err(Fault::new("the text is not a list")),
        }
    }),
];

/// Everything that such a template may call.
pub(super) fn all() -> &'static Functions {
    static ALL: OnceLock<Functions> = OnceLock::new();
    ALL.get_or_init(|| {
        let mut tables = sprig::ALL.to_vec();
        tables.push(OWN);
        Functions::new(&tables)
    })
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// `slugify [LENGTH [CUT AT WORDS]] NAME`; 50 and true unless told.
fn slugify(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let Some((name, options)) = values.split_last() else {
        return Ok(Value::string(""));
    };
    let wrong = || Fault::new("it takes a length, a truth and a name, in this order");
    let longest = match options.first() {
        None => 50,
        Some(Value::Int(longest, _)) => *longest,
        Some(_) => return Err(wrong()),
    };
    let cuts_at_words = match options.get(1) {
        None => true,
        Some(Value::Bool(cuts)) => *cuts,
        Some(_) => return Err(wrong()),
    };
    let name = name.as_str().ok_or_else(wrong)?;
    call.string(slug::make(&names::normalized(name), longest, cuts_at_words))
}

fn to_yaml(call: &Call<'_>, values: &[Value]) -> Result<Value> {
    let json = sprig::to_json(&values[0])?;
    let text = crate::yaml::to_go_yaml(&json);
    call.string(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

fn read(call: &Call<'_>, text: &str) -> Result<serde_json::Value> {
    call.budget.bytes(text.len())?;
    sigs::read(text).map_err(|_| Fault::new("the text is not YAML"))
}
