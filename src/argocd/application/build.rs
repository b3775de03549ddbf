//! The build environment: what variables of a source mean, and what the commands of a plugin get.
//!
//! Follows `newEnv`, `getPluginEnvs`, `populatePluginAppDetails` (reposerver/repository/repository.go), `Envsubst`,
//! `Environ` (pkg/apis/application/v1alpha1/types.go) of Argo CD 3.6 and Go's `os.Expand`. What `plugin.env` takes
//! from a variable that the call does not have is empty. Cases: `env-*`, `announce-dynamic-environment*`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::source::{AppSource, Parameter, PluginOptions};
use crate::go;

/// The facts of a call that variables say.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// The name that builds see: with the namespace where that is not Argo CD's.
    pub instance: String,
    /// The project.
    pub project: String,
    /// The destination's namespace.
    pub destination: String,
    /// The commit.
    pub revision: String,
    /// The version of the cluster; empty where the host does not pass it on.
    pub kube_version: String,
    /// The API versions of the cluster.
    pub api_versions: Vec<String>,
}

/// Variables with their values, in order; of two with one name the later counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables(pub Vec<(String, String)>);

/// The names of the variables of a build.
const BUILD: [&str; 9] = [
    "ARGOCD_APP_NAME",
    "ARGOCD_APP_NAMESPACE",
    "ARGOCD_APP_PROJECT_NAME",
    "ARGOCD_APP_REVISION",
    "ARGOCD_APP_REVISION_SHORT",
    "ARGOCD_APP_REVISION_SHORT_8",
    "ARGOCD_APP_SOURCE_REPO_URL",
    "ARGOCD_APP_SOURCE_PATH",
    "ARGOCD_APP_SOURCE_TARGET_REVISION",
];

impl Variables {
    /// The variables of a build.
    pub fn of_build(facts: &Facts, source: &AppSource) -> Self {
        let short = |length| facts.revision.get(..length).unwrap_or(&facts.revision);
        let values = [
            &*facts.instance,
            &facts.destination,
            &facts.project,
            &facts.revision,
            short(7),
            short(8),
            &source.repo_url,
            &source.path,
            &source.target_revision,
        ];
        let pairs: Vec<(&str, &str)> = BUILD.into_iter().zip(values).collect();
        Self::of(&pairs)
    }

    /// The variables of a build, as a plugin got them.
    pub fn of_call(read: impl Fn(&str) -> String) -> Self {
        Self(
            BUILD
                .iter()
                .map(|name| ((*name).to_owned(), read(name)))
                .collect(),
        )
    }

    /// The variables of `discover`, `init` and `generate`. Fails on a version of the cluster that is not one.
    pub fn of_generate(facts: &Facts, source: &AppSource) -> Result<Self, String> {
        let mut variables = Self::of_build(facts, source);
        let version = normalized_version(&facts.kube_version).map_err(|words| {
            format!(
                "could not parse kubernetes version {}: {words}",
                facts.kube_version
            )
        })?;
        let versions = facts.api_versions.join(",");
        variables
            .0
            .extend(Self::of(&[("KUBE_VERSION", &version), ("KUBE_API_VERSIONS", &versions)]).0);
        Ok(variables.with_plugin(source.plugin.as_ref()))
    }

    /// The variables of `parameters`: no project, so that nothing may be opened there.
    pub fn of_announcement(facts: &Facts, source: &AppSource) -> Self {
        let pairs = [
            ("ARGOCD_APP_NAME", &*facts.instance),
            ("ARGOCD_APP_SOURCE_REPO_URL", &source.repo_url),
            ("ARGOCD_APP_SOURCE_PATH", &source.path),
            ("ARGOCD_APP_SOURCE_TARGET_REVISION", &source.target_revision),
        ];
        Self::of(&pairs).with_plugin(source.plugin.as_ref())
    }

    fn of(pairs: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self(pairs.iter().map(owned).collect())
    }

    fn with_plugin(mut self, plugin: Option<&PluginOptions>) -> Self {
        let Some(plugin) = plugin else {
            return self;
        };
        let mut added = Vec::new();
        for variable in plugin.env.iter().flatten().flatten() {
            let value = self.fill(&variable.value);
            // The name may hold a `=`: what is behind the first one is the value's.
            let whole = format!("ARGOCD_ENV_{}={value}", variable.name);
            let (name, value) = whole.split_once('=').unwrap_or((&whole, ""));
            added.push((name.to_owned(), value.to_owned()));
        }
        let json = parameters_json(plugin.parameters.as_deref());
        added.push(("ARGOCD_APP_PARAMETERS".to_owned(), json));
        added.extend(plugin.parameters.iter().flatten().flat_map(single));
        self.0.extend(added);
        self
    }

    /// Fills `$NAME` and `${NAME}`; `$$` is a dollar, an unknown name nothing.
    pub fn fill(&self, text: &str) -> String {
        let known: BTreeMap<&str, &str> = self.0.iter().map(|(n, v)| (&**n, &**v)).collect();
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find('$') {
            filled.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            match name_of(rest) {
                // Nothing that is a name follows: the dollar stays.
                (_, 0) => filled.push('$'),
                ("$", _) => filled.push('$'),
                (name, _) => filled.push_str(known.get(name).copied().unwrap_or_default()),
            }
            rest = &rest[name_of(rest).1..];
        }
        filled + rest
    }
}

/// The name after a dollar, and how much of the text it takes.
fn name_of(text: &str) -> (&str, usize) {
    let is_special = |c: char| c.is_ascii_digit() || "*#$@!?-".contains(c);
    if let Some(braced) = text.strip_prefix('{') {
        return match braced.find('}') {
            Some(end) => (&braced[..end], end + 2),
            None => ("", 1),
        };
    }
    if text.starts_with(is_special) {
        return (&text[..1], 1);
    }
    let is_name = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    (&text[..end], end)
}

/// The list as Go writes it: `null` where there is none, keys in order, only the shape that is set.
fn parameters_json(parameters: Option<&[Parameter]>) -> String {
    let Some(parameters) = parameters else {
        return "null".to_owned();
    };
    let one = |parameter: &Parameter| {
        let mut object = Map::new();
        if let Some(array) = &parameter.array {
            object.insert("array".to_owned(), array.clone().into());
        }
        if let Some(map) = &parameter.map {
            let map = map.iter().map(|(k, v)| (k.clone(), Value::from(&**v)));
            object.insert("map".to_owned(), map.collect::<Map<_, _>>().into());
        }
        object.insert("name".to_owned(), Value::from(&*parameter.name));
        if let Some(text) = &parameter.string {
            object.insert("string".to_owned(), Value::from(&**text));
        }
        Value::Object(object)
    };
    go_json(&parameters.iter().map(one).collect())
}

/// JSON with strings escaped as Go does: `<`, `>`, `&` and two separators of lines among them.
pub fn go_json(value: &Value) -> String {
    let mut out = Vec::new();
    write_json(&mut out, value);
    String::from_utf8_lossy(&out).into_owned()
}

fn write_json(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::String(text) => go::json::write_string(out, text),
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_json(out, item);
            }
            out.push(b']');
        }
        Value::Object(map) => {
            out.push(b'{');
            for (index, (key, item)) in map.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                go::json::write_string(out, key);
                out.push(b':');
                write_json(out, item);
            }
            out.push(b'}');
        }
        other => out.extend_from_slice(other.to_string().as_bytes()),
    }
}

/// `PARAM_…`, one for each string.
fn single(parameter: &Parameter) -> Vec<(String, String)> {
    let base = format!("PARAM_{}", escaped(&parameter.name));
    let mut variables = Vec::new();
    variables.extend(parameter.string.clone().map(|text| (base.clone(), text)));
    for (key, value) in parameter.map.iter().flatten() {
        variables.push((format!("{base}_{}", escaped(key)), value.clone()));
    }
    for (index, value) in parameter.array.iter().flatten().enumerate() {
        variables.push((format!("{base}_{index}"), value.clone()));
    }
    variables
}

/// Upper case letter by letter (Go's `ToUpper` knows no `ß` to `SS`), and all else an underscore.
fn escaped(name: &str) -> String {
    let upper = |c: char| match (c.to_uppercase().next(), c.to_uppercase().count()) {
        (Some(upper), 1) => upper,
        _ => c,
    };
    let keep = |c: char| match c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_' {
        true => c,
        false => '_',
    };
    name.chars().map(upper).map(keep).collect()
}

/// A version of Kubernetes as `ParseGeneric` of apimachinery prints it again: at least two numbers, without `v`
/// and without what stands behind them.
pub fn normalized_version(version: &str) -> Result<String, String> {
    if version.is_empty() {
        return Ok(String::new());
    }
    let wrong = || format!("could not parse {version:?} as version");
    let text = version.trim_start();
    let text = text.strip_prefix('v').unwrap_or(text);
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let numbers: Vec<&str> = text[..end].trim_end_matches('.').split('.').collect();
    let is_number =
        |n: &&str| !n.is_empty() && (*n == "0" || !n.starts_with('0')) && n.parse::<u32>().is_ok();
    match numbers.len() >= 2 && numbers.iter().all(is_number) {
        true => Ok(numbers.join(".")),
        false => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn variables(plugin: &Value) -> BTreeMap<String, String> {
        let facts = Facts {
            instance: "shop".to_owned(),
            project: "team-a".to_owned(),
            destination: "shop".to_owned(),
            revision: "0123456789abcdef0123456789abcdef01234567".to_owned(),
            kube_version: "v1.34.1-gke.5".to_owned(),
            api_versions: vec!["v1".to_owned(), "apps/v1".to_owned()],
        };
        let source = json!({
            "repoURL": "https://git.example/shop", "path": "apps/shop", "targetRevision": "main", "plugin": plugin,
        });
        let source = AppSource::read(&source).unwrap();
        let variables = Variables::of_generate(&facts, &source).unwrap();
        variables.0.into_iter().collect()
    }

    /// A.3: the variables of the build.
    #[test]
    fn the_build_is_described() {
        let given = variables(&Value::Null);
        for (name, value) in [
            ("ARGOCD_APP_NAMESPACE", "shop"),
            ("ARGOCD_APP_PROJECT_NAME", "team-a"),
            ("ARGOCD_APP_REVISION_SHORT", "0123456"),
            ("ARGOCD_APP_REVISION_SHORT_8", "01234567"),
            ("ARGOCD_APP_SOURCE_TARGET_REVISION", "main"),
            ("KUBE_API_VERSIONS", "v1,apps/v1"),
            ("KUBE_VERSION", "1.34.1"),
        ] {
            assert_eq!(given[name], value);
        }
        assert!(
            !given.contains_key("ARGOCD_APP_PARAMETERS"),
            "no plugin block"
        );
    }

    /// A.3: values of `plugin.env` are filled from the build's variables.
    #[test]
    fn variables_of_the_application_are_prefixed_and_filled() {
        let value = "$ARGOCD_APP_NAME-${ARGOCD_APP_PROJECT_NAME}-$$-$NO-${X:-d}-${-$";
        let given = variables(&json!({"name": "p", "env": [{"name": "A", "value": value}]}));
        assert_eq!(given["ARGOCD_ENV_A"], "shop-team-a-$----$");
        assert_eq!(given["ARGOCD_APP_PARAMETERS"], "null");
    }

    /// A.3: parameters come as JSON and one by one.
    #[test]
    fn parameters_come_in_two_forms() {
        let given = variables(&json!({"parameters": [
            {"name": "images", "array": ["a:1", "<b>"]},
            {"name": "größe", "string": "x"},
            {"name": "set", "map": {"a.b": "c"}},
        ]}));
        assert_eq!(
            given["ARGOCD_APP_PARAMETERS"],
            r#"[{"array":["a:1","\u003cb\u003e"],"name":"images"},{"name":"größe","string":"x"},{"map":{"a.b":"c"},"name":"set"}]"#
        );
        assert_eq!(given["PARAM_IMAGES_1"], "<b>");
        assert_eq!(given["PARAM_GR__E"], "x");
        assert_eq!(given["PARAM_SET_A_B"], "c");
    }

    /// A.3: an announcement knows no project.
    #[test]
    fn announcements_know_no_project() {
        let source = AppSource::read(&json!({"plugin": {"name": "p"}})).unwrap();
        let given = Variables::of_announcement(&Facts::default(), &source);
        let names: Vec<&str> = given.0.iter().map(|(name, _)| name.as_str()).collect();
        assert!(!names.contains(&"ARGOCD_APP_PROJECT_NAME"));
        assert!(!names.contains(&"KUBE_VERSION"));
        assert!(names.contains(&"ARGOCD_APP_PARAMETERS"));
    }

    #[test]
    fn versions_are_normalized() {
        for (written, read) in [
            ("v1.34.1", "1.34.1"),
            ("1.28+", "1.28"),
            ("1.33.0-rc.1+abc", "1.33.0"),
            ("", ""),
        ] {
            assert_eq!(normalized_version(written).as_deref(), Ok(read));
        }
        for wrong in ["1", " ", "next", "1.08"] {
            assert!(normalized_version(wrong).is_err(), "{wrong}");
        }
    }
}
