//! How an Application applies, and which differences it ignores.

use serde_json::Value;

use super::{Apply, Step};
use crate::argocd::wire::object::{at, gvk, name, namespace, text};

const COMPARE_OPTIONS: &str = "argocd.argoproj.io/compare-options";
const SYNC_OPTIONS: &str = "argocd.argoproj.io/sync-options";

/// How the objects of one Application are applied and compared.
#[derive(Debug, Clone, Default)]
pub struct ModeOf {
    /// What the Application says.
    pub apply: Apply,
    /// What it ignores.
    pub ignored: Ignored,
}

/// Differences that an Application ignores: `spec.ignoreDifferences`.
#[derive(Debug, Clone, Default)]
pub struct Ignored(Vec<Rule>);

#[derive(Debug, Clone)]
struct Rule {
    group: String,
    kind: String,
    name: String,
    namespace: String,
    /// Places that it ignores, with all below: `*` for any key or item.
    paths: Vec<Vec<String>>,
}

impl ModeOf {
    /// Reads an Application.
    pub fn application(application: &Value) -> Self {
        let spec = application.get("spec").unwrap_or(&Value::Null);
        let options = at(spec, &["syncPolicy", "syncOptions"]).and_then(Value::as_array);
        let options = options.into_iter().flatten().filter_map(Value::as_str);
        let compare = text(application, &["metadata", "annotations", COMPARE_OPTIONS]);
        let is_server = options
            .into_iter()
            .any(|option| option == "ServerSideApply=true");
        Self {
            apply: match (is_server, has(compare, "ServerSideDiff=true")) {
                (_, true) => Apply::ServerDiff,
                (true, false) => Apply::Server,
                (false, false) => Apply::Client,
            },
            ignored: Ignored::read(spec.get("ignoreDifferences")),
        }
    }

    /// How one object is applied, which may say so itself.
    pub fn of(&self, object: &Value) -> Apply {
        let annotation = |key| text(object, &["metadata", "annotations", key]);
        let (sync, compare) = (annotation(SYNC_OPTIONS), annotation(COMPARE_OPTIONS));
        let is_server = match self.apply {
            Apply::Client => has(sync, "ServerSideApply=true"),
            Apply::Server | Apply::ServerDiff => !has(sync, "ServerSideApply=false"),
        };
        let has_diff = match self.apply {
            Apply::ServerDiff => !has(compare, "ServerSideDiff=false"),
            Apply::Client | Apply::Server => has(compare, "ServerSideDiff=true"),
        };
        match (is_server, has_diff) {
            (_, true) => Apply::ServerDiff,
            (true, false) => Apply::Server,
            (false, false) => Apply::Client,
        }
    }
}

/// Whether a list of options, parted by commas, has one.
fn has(options: &str, option: &str) -> bool {
    options.split(',').any(|one| one.trim() == option)
}

impl Ignored {
    fn read(rules: Option<&Value>) -> Self {
        let rules = rules.and_then(Value::as_array);
        Self(rules.into_iter().flatten().map(Rule::read).collect())
    }

    /// Whether a difference of an object at a place is ignored.
    pub fn takes(&self, object: &Value, path: &[Step]) -> bool {
        self.0
            .iter()
            .any(|rule| rule.selects(object) && rule.covers(path))
    }
}

impl Rule {
    fn read(rule: &Value) -> Self {
        let field = |key| text(rule, &[key]).to_owned();
        let list = |key| rule.get(key).and_then(Value::as_array);
        let texts = |key| list(key).into_iter().flatten().filter_map(Value::as_str);
        let pointers = texts("jsonPointers").map(pointer);
        let expressions = texts("jqPathExpressions").filter_map(expression);
        Self {
            group: field("group"),
            kind: field("kind"),
            name: field("name"),
            namespace: field("namespace"),
            paths: pointers.chain(expressions).collect(),
        }
    }

    fn selects(&self, object: &Value) -> bool {
        let (group, _, kind) = gvk(object);
        let fits = |pattern: &str, text: &str| pattern == "*" || pattern == text;
        let is_one = |wanted: &str, text: &str| wanted.is_empty() || wanted == text;
        fits(&self.group, group)
            && fits(&self.kind, kind)
            && is_one(&self.name, name(object))
            && is_one(&self.namespace, namespace(object))
    }

    fn covers(&self, path: &[Step]) -> bool {
        let same = |(wanted, step): (&String, &Step)| match step {
            _ if wanted == "*" => true,
            Step::Key(key) => key == wanted,
            Step::Index(index) => *wanted == index.to_string(),
        };
        self.paths
            .iter()
            .any(|wanted| wanted.len() <= path.len() && wanted.iter().zip(path).all(same))
    }
}

/// The parts of a JSON pointer.
fn pointer(text: &str) -> Vec<String> {
    let parts = text.split('/').skip(1);
    parts
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
        .collect()
}

/// The parts of a path of jq, where it is a plain one: `.spec.plugins[].enabled`. Anything else is not judged.
fn expression(text: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("[]") {
            parts.push("*".to_owned());
            rest = after.trim_start_matches('?');
        } else if let Some(after) = rest.strip_prefix('[') {
            let (inner, after) = after.split_once(']')?;
            parts.push(inner.trim_matches('"').to_owned());
            rest = after;
        } else {
            let after = rest.strip_prefix('.')?;
            let is_plain = |c: char| c.is_alphanumeric() || "_-".contains(c);
            let end = after.find(|c| !is_plain(c)).unwrap_or(after.len());
            if end > 0 {
                parts.push(after[..end].to_owned());
            } else if let Some(quoted) = after.strip_prefix('"') {
                let (key, after) = quoted.split_once('"')?;
                parts.push(key.to_owned());
                rest = after;
                continue;
            } else if !after.starts_with('[') {
                return None;
            }
            rest = &after[end..];
        }
    }
    (!parts.is_empty()).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_application_says_how_it_applies_and_what_it_ignores() {
        let mode = ModeOf::application(&json!({
            "metadata": {"annotations": {COMPARE_OPTIONS: "IncludeMutationWebhook=true,ServerSideDiff=false"}},
            "spec": {
                "syncPolicy": {"syncOptions": ["CreateNamespace=true", "ServerSideApply=true"]},
                "ignoreDifferences": [
                    {"group": "a.b", "kind": "C", "jqPathExpressions": [".spec.list[].x", ".spec[\"y\"]", "select(.a)"]},
                    {"group": "*", "kind": "*", "jsonPointers": ["/status", "/spec/list/1"]},
                ],
            },
        }));
        assert_eq!(mode.apply, Apply::Server);
        let object = json!({"apiVersion": "a.b/v1", "kind": "C"});
        let key = |key: &str| Step::Key(key.to_owned());
        let taken = |path: &[Step]| mode.ignored.takes(&object, path);
        assert!(taken(&[key("spec"), key("list"), Step::Index(0), key("x")]));
        assert!(taken(&[key("spec"), key("y"), key("z")]));
        assert!(taken(&[key("spec"), key("list"), Step::Index(1), key("q")]));
        assert!(!taken(&[
            key("spec"),
            key("list"),
            Step::Index(0),
            key("q")
        ]));
        let own = json!({"metadata": {"annotations": {SYNC_OPTIONS: "ServerSideApply=false"}}});
        assert_eq!(mode.of(&own), Apply::Client);
    }
}
