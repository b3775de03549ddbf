//! The environment that a command of a plugin gets from Argo CD.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::application::{AppSource, Parameter};

/// The facts of a call that variables tell.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts<'a> {
    /// The name that the plugin sees.
    pub(super) name: &'a str,
    /// The project.
    pub(super) project: &'a str,
    /// The destination's namespace.
    pub(super) destination: &'a str,
    /// The commit.
    pub(super) revision: &'a str,
    /// The version of the cluster.
    pub(super) kube_version: &'a str,
    /// The API versions of the cluster.
    pub(super) api_versions: &'a [String],
}

/// The variables of `discover`, `init` and `generate`. Of two with one name the later counts.
pub(super) fn of_generate(facts: &Facts<'_>, source: &AppSource) -> Vec<(String, String)> {
    let short = |length| facts.revision.get(..length).unwrap_or(facts.revision);
    let build = [
        ("ARGOCD_APP_NAME", facts.name),
        ("ARGOCD_APP_NAMESPACE", facts.destination),
        ("ARGOCD_APP_PROJECT_NAME", facts.project),
        ("ARGOCD_APP_REVISION", facts.revision),
        ("ARGOCD_APP_REVISION_SHORT", short(7)),
        ("ARGOCD_APP_REVISION_SHORT_8", short(8)),
        ("ARGOCD_APP_SOURCE_REPO_URL", &source.repo_url),
        ("ARGOCD_APP_SOURCE_PATH", &source.path),
        ("ARGOCD_APP_SOURCE_TARGET_REVISION", &source.target_revision),
        ("KUBE_VERSION", facts.kube_version),
        ("KUBE_API_VERSIONS", &facts.api_versions.join(",")),
    ];
    with_plugin(&build, source)
}

/// The variables of `parameters`: no project, so that nothing may be opened there.
pub(super) fn of_parameters(facts: &Facts<'_>, source: &AppSource) -> Vec<(String, String)> {
    let build = [
        ("ARGOCD_APP_NAME", facts.name),
        ("ARGOCD_APP_SOURCE_REPO_URL", &source.repo_url),
        ("ARGOCD_APP_SOURCE_PATH", &source.path),
        ("ARGOCD_APP_SOURCE_TARGET_REVISION", &source.target_revision),
    ];
    with_plugin(&build, source)
}

fn with_plugin(build: &[(&str, &str)], source: &AppSource) -> Vec<(String, String)> {
    let known: BTreeMap<&str, &str> = build.iter().copied().collect();
    let mut variables: Vec<(String, String)> = build
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let Some(plugin) = &source.plugin else {
        return variables;
    };
    for variable in &plugin.env {
        let value = expand(&variable.value, &known);
        variables.push((format!("ARGOCD_ENV_{}", variable.name), value));
    }
    variables.push((
        "ARGOCD_APP_PARAMETERS".to_owned(),
        json(&plugin.parameters).to_string(),
    ));
    for parameter in &plugin.parameters {
        variables.extend(single(parameter));
    }
    variables
}

/// The list as Argo CD writes it: keys in order, only the shape that is set.
fn json(parameters: &[Parameter]) -> Value {
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
    parameters.iter().map(one).collect()
}

/// `PARAM_…`, one for each text.
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

fn escaped(name: &str) -> String {
    let keep = |c: char| match c.is_ascii_uppercase() || c.is_ascii_digit() {
        true => c,
        false => '_',
    };
    name.to_uppercase().chars().map(keep).collect()
}

/// Fills `$NAME` and `${NAME}`; `$$` is a dollar, an unknown name nothing.
fn expand(text: &str, known: &BTreeMap<&str, &str>) -> String {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        expanded.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (name, length) = name_of(rest);
        match (name, length) {
            // Nothing that is a name follows: the dollar stays.
            (_, 0) => expanded.push('$'),
            ("$", _) => expanded.push('$'),
            _ => expanded.push_str(known.get(name).copied().unwrap_or_default()),
        }
        rest = &rest[length..];
    }
    expanded + rest
}

/// The name after a dollar, and how much of the text it takes.
fn name_of(text: &str) -> (&str, usize) {
    if let Some(braced) = text.strip_prefix('{') {
        return match braced.find('}') {
            Some(end) => (&braced[..end], end + 2),
            None => ("", 1),
        };
    }
    if text.starts_with(|c: char| c.is_ascii_digit() || "*#$@!?-".contains(c)) {
        return (&text[..1], 1);
    }
    let is_name = |c: char| c == '_' || c.is_ascii_alphanumeric();
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    (&text[..end], end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;
    use serde_json::json;

    fn source(plugin: Value) -> AppSource {
        AppSource::deserialize(json!({
            "repoURL": "https://git.example/shop", "path": "apps/shop", "targetRevision": "main", "plugin": plugin,
        }))
        .unwrap()
    }

    fn variables(plugin: Value) -> BTreeMap<String, String> {
        let facts = Facts {
            name: "shop",
            project: "team-a",
            destination: "shop",
            revision: "0123456789abcdef0123456789abcdef01234567",
            kube_version: "1.34.0",
            api_versions: &["v1".to_owned(), "apps/v1".to_owned()],
        };
        of_generate(&facts, &source(plugin)).into_iter().collect()
    }

    /// A.3: the variables of the build.
    #[test]
    fn the_build_is_told() {
        let given = variables(Value::Null);
        for (name, value) in [
            ("ARGOCD_APP_NAMESPACE", "shop"),
            ("ARGOCD_APP_PROJECT_NAME", "team-a"),
            ("ARGOCD_APP_REVISION_SHORT", "0123456"),
            ("ARGOCD_APP_REVISION_SHORT_8", "01234567"),
            ("ARGOCD_APP_SOURCE_TARGET_REVISION", "main"),
            ("KUBE_API_VERSIONS", "v1,apps/v1"),
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
        let env =
            json!([{"name": "A", "value": "$ARGOCD_APP_NAME-${ARGOCD_APP_PROJECT_NAME}-$$-$NO-$"}]);
        let given = variables(json!({"name": "p", "env": env}));
        assert_eq!(given["ARGOCD_ENV_A"], "shop-team-a-$--$");
        assert_eq!(given["ARGOCD_APP_PARAMETERS"], "[]");
    }

    /// A.3: parameters come as JSON and one by one.
    #[test]
    fn parameters_come_in_two_forms() {
        let given = variables(json!({"parameters": [
            {"name": "images", "array": ["a:1", "b:2"]},
            {"name": "name-prefix", "string": "x"},
            {"name": "set", "map": {"a.b": "c"}},
        ]}));
        assert_eq!(
            given["ARGOCD_APP_PARAMETERS"],
            r#"[{"array":["a:1","b:2"],"name":"images"},{"name":"name-prefix","string":"x"},{"map":{"a.b":"c"},"name":"set"}]"#
        );
        assert_eq!(given["PARAM_IMAGES_1"], "b:2");
        assert_eq!(given["PARAM_NAME_PREFIX"], "x");
        assert_eq!(given["PARAM_SET_A_B"], "c");
    }

    /// A.3: an announcement knows no project.
    #[test]
    fn announcements_know_no_project() {
        let given = of_parameters(&Facts::default(), &source(json!({"name": "p"})));
        let names: Vec<&str> = given.iter().map(|(name, _)| name.as_str()).collect();
        assert!(!names.contains(&"ARGOCD_APP_PROJECT_NAME"));
        assert!(!names.contains(&"KUBE_VERSION"));
        assert!(names.contains(&"ARGOCD_APP_PARAMETERS"));
    }
}
