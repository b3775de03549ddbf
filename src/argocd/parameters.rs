//! `ARGOCD_APP_PARAMETERS`: what an Application sets for this render.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::application::source::{DirectoryOptions, KustomizeOptions, Replicas};
use super::application::{PATCH, decode};
use super::wire::yaml;
use crate::diagnostic::{Code, Diagnostic, Result, nearest};
use crate::pipeline::{Change, Image};

/// The names that are known, besides `overlays.OVERLAY.PARAMETER`.
pub const NAMES: [&str; 20] = [
    "images",
    "replicas",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "components",
    "ignoreMissingComponents",
    "commonLabels",
    "forceCommonLabels",
    "labelWithoutSelector",
    "labelIncludeTemplates",
    "commonAnnotations",
    "forceCommonAnnotations",
    "commonAnnotationsEnvsubst",
    "patches",
    "kubeVersion",
    "apiVersions",
    "directory",
    "set",
    "values",
];

/// The parameters of an Application, read.
#[derive(Debug, Clone, Default)]
pub struct Parameters {
    /// What is set on the root kustomization: Argo CD's own options.
    pub kustomize: KustomizeOptions,
    /// How a directory without a kustomization is read; `None` where it is refused.
    pub directory: Directories,
    /// `key=value` pairs over all values.
    pub set: Vec<(String, String)>,
    /// Files of values beneath the root, over the project's.
    pub values: Vec<String>,
    /// Overlay parameters: overlay, parameter, value.
    pub overlays: Vec<(String, String, Value)>,
}

/// One entry of the list, in any of its three shapes.
#[derive(Debug, Deserialize)]
struct Entry {
    name: String,
    #[serde(default)]
    string: Option<String>,
    #[serde(default)]
    array: Option<Vec<String>>,
    #[serde(default)]
    map: Option<BTreeMap<String, String>>,
}

/// Reads the JSON list that Argo CD passes: `null` where the Application sets none (Go writes a nil list so).
///
/// Fails with [`Code::ParameterInvalid`] on text that is no such list, on a name that is not known, with the
/// nearest one, and on a value of another shape than its name takes.
pub fn parse(json: &str) -> Result<Parameters> {
    let entries: Option<Vec<Entry>> = serde_json::from_str(json).map_err(|e| {
        let phrase = format!(
            "ARGOCD_APP_PARAMETERS is not a list of parameters (column {})",
            e.column()
        );
        Diagnostic::new(Code::ParameterInvalid, phrase)
    })?;
    let mut parameters = Parameters::default();
    for entry in entries.into_iter().flatten() {
        parameters.take(entry)?;
    }
    Ok(parameters)
}

/// Whether directories without a kustomization are rendered.
#[derive(Debug, Clone, Default)]
pub enum Directories {
    /// As Argo CD's own directory source does.
    Rendered(DirectoryOptions),
    /// So, where nothing is set that needs a kustomization.
    #[default]
    Plain,
    /// They are refused.
    Refused,
}

impl Parameters {
    fn take(&mut self, entry: Entry) -> Result<()> {
        let kustomize = &mut self.kustomize;
        match entry.name.as_str() {
            "namePrefix" => kustomize.name_prefix = entry.string()?,
            "nameSuffix" => kustomize.name_suffix = entry.string()?,
            "namespace" => kustomize.namespace = entry.string()?,
            "components" => kustomize.components = entry.list()?,
            "ignoreMissingComponents" => kustomize.ignore_missing_components = entry.flag()?,
            "images" => kustomize.images = entry.images()?,
            "replicas" => kustomize.replicas = entry.replicas()?,
            "commonLabels" => kustomize.common_labels = entry.pairs()?.into_iter().collect(),
            "forceCommonLabels" => kustomize.force_common_labels = entry.flag()?,
            "labelWithoutSelector" => kustomize.label_without_selector = entry.flag()?,
            "labelIncludeTemplates" => kustomize.label_include_templates = entry.flag()?,
            "commonAnnotations" => {
                kustomize.common_annotations = entry.pairs()?.into_iter().collect();
            }
            "forceCommonAnnotations" => kustomize.force_common_annotations = entry.flag()?,
            "commonAnnotationsEnvsubst" => kustomize.common_annotations_envsubst = entry.flag()?,
            "patches" => kustomize.patches = entry.patches()?,
            "kubeVersion" => kustomize.kube_version = entry.string()?,
            "apiVersions" => kustomize.api_versions = entry.list()?,
            "directory" => self.directory = entry.directory()?,
            "set" => self.set = entry.pairs()?,
            "values" => self.values = entry.list()?,
            name => {
                let Some((overlay, parameter)) = name
                    .strip_prefix("overlays.")
                    .and_then(|n| n.split_once('.'))
                else {
                    return Err(unknown(name));
                };
                self.overlays
                    .push((overlay.to_owned(), parameter.to_owned(), entry.value()));
            }
        }
        Ok(())
    }
}

impl Entry {
    fn wrong_shape(&self, wanted: &str) -> Diagnostic {
        Diagnostic::new(
            Code::ParameterInvalid,
            format!(
                "the parameter {} is not {} {wanted}",
                self.name,
                article(wanted)
            ),
        )
        .help(format!(
            "give it as `{}:` in the Application's plugin parameters",
            wanted.split(' ').next().unwrap_or(wanted)
        ))
    }

    fn string(&self) -> Result<String> {
        self.string
            .clone()
            .ok_or_else(|| self.wrong_shape("string"))
    }

    /// An array; a string is an array of its comma-separated parts.
    fn list(&self) -> Result<Vec<String>> {
        match (&self.array, &self.string) {
            (Some(array), _) => Ok(array.clone()),
            (None, Some(text)) => Ok(text
                .split(',')
                .map(str::trim)
                .filter(|p| !p.is_empty())
                .map(str::to_owned)
                .collect()),
            (None, None) => Err(self.wrong_shape("array")),
        }
    }

    /// A map; an array of `key=value` is one too.
    fn pairs(&self) -> Result<Vec<(String, String)>> {
        if let Some(map) = &self.map {
            return Ok(map.iter().map(|(k, v)| (k.clone(), v.clone())).collect());
        }
        let list = self.array.as_ref().ok_or_else(|| self.wrong_shape("map"))?;
        let pair = |p: &String| p.split_once('=').map(|(k, v)| (k.to_owned(), v.to_owned()));
        list.iter()
            .map(|p| pair(p).ok_or_else(|| self.wrong_shape("map")))
            .collect()
    }

    /// `"true"` or `"false"`.
    fn flag(&self) -> Result<bool> {
        match self.string.as_deref() {
            Some("true") => Ok(true),
            Some("false" | "") => Ok(false),
            _ => Err(self.wrong_shape("string: true or false")),
        }
    }

    fn images(&self) -> Result<Vec<String>> {
        let texts = self.list()?;
        images(&texts).map_err(|text| {
            let phrase = format!("the parameter images holds {text}, which {NO_IMAGE}");
            Diagnostic::new(Code::ParameterInvalid, phrase)
        })?;
        Ok(texts)
    }

    fn replicas(&self) -> Result<Vec<Replicas>> {
        let count = |(name, count): (String, String)| match count.parse::<u64>() {
            Ok(count) => Ok(Replicas {
                name,
                count: count.into(),
            }),
            Err(_) => Err(self.wrong_shape("map of whole numbers")),
        };
        self.pairs()?.into_iter().map(count).collect()
    }

    /// Patches as a kustomization has them, each a string of YAML or JSON.
    fn patches(&self) -> Result<Vec<Value>> {
        let Some(texts) = &self.array else {
            return Err(self.wrong_shape("array"));
        };
        let one = |(index, text): (usize, &String)| {
            let wrong = |words: &str| {
                let phrase = format!("entry {} of the parameter patches: {words}", index + 1);
                Diagnostic::new(Code::ParameterInvalid, phrase)
                    .help("a patch is a mapping of path or patch, target and options")
            };
            let value = yaml::read(text).map_err(|_| wrong("it is not YAML"))?;
            let decoded = decode(&PATCH, &value, None).map_err(|words| wrong(&words))?;
            decoded.ok_or_else(|| wrong("it is empty"))
        };
        texts.iter().enumerate().map(one).collect()
    }

    /// `"true"`, `"false"`, or a map of the options of a directory.
    fn directory(&self) -> Result<Directories> {
        let Some(map) = &self.map else {
            return Ok(match self.flag()? {
                true => Directories::Rendered(DirectoryOptions::default()),
                false => Directories::Refused,
            });
        };
        let mut options = DirectoryOptions::default();
        for (name, value) in map {
            match (name.as_str(), value.as_str()) {
                ("include", pattern) => pattern.clone_into(&mut options.include),
                ("exclude", pattern) => pattern.clone_into(&mut options.exclude),
                ("recurse", "true" | "false") => options.recurse = value == "true",
                _ => return Err(self.wrong_shape("map of include, exclude and recurse")),
            }
        }
        Ok(Directories::Rendered(options))
    }

    fn value(self) -> Value {
        match (self.string, self.array, self.map) {
            (Some(text), ..) => Value::from(text),
            (None, Some(array), _) => Value::from(array),
            (None, None, Some(map)) => map
                .into_iter()
                .map(|(k, v)| (k, Value::from(v)))
                .collect::<serde_json::Map<_, _>>()
                .into(),
            (None, None, None) => Value::Null,
        }
    }
}

fn unknown(name: &str) -> Diagnostic {
    let error = Diagnostic::new(
        Code::ParameterInvalid,
        format!("there is no parameter {name}"),
    );
    match nearest(name, NAMES) {
        Some(known) => error.help(format!("did you mean {known}?")),
        None => error.help(format!(
            "known are {}, and overlays.OVERLAY.PARAMETER",
            NAMES.join(", ")
        )),
    }
}

/// The article of a shape.
fn article(wanted: &str) -> &'static str {
    match wanted.starts_with('a') {
        true => "an",
        false => "a",
    }
}

/// What is wrong with a text that [`images`] gives back.
pub(super) const NO_IMAGE: &str =
    "is not of the form name=new, name:tag or name@digest, or several of them in one";

/// Images as `kustomize edit set image` takes them, or the text that is none.
pub(super) fn images(texts: &[String]) -> Result<Vec<Image>, String> {
    let image = |text: &String| image(text).ok_or_else(|| text.clone());
    texts.iter().map(image).collect()
}

/// `[name=]new[:tag][@digest]`. What is left out is removed from an entry that is there, `*` keeps what it has.
fn image(text: &str) -> Option<Image> {
    let (name, target) = match text.split_once('=') {
        Some((name, target)) => (Some(name), target),
        None => (None, text),
    };
    let (new_name, tag, digest) = split(target);
    if new_name == text {
        return None;
    }
    let change = |text: &str| match text {
        "" => Change::Remove,
        "*" => Change::Keep,
        text => Change::Set(text.to_owned()),
    };
    Some(Image {
        name: name.unwrap_or(new_name).to_owned(),
        new_name: name.map_or(Change::Remove, |_| change(new_name)),
        new_tag: change(tag),
        digest: change(digest),
    })
}

/// Name, tag and digest of an image, as kustomize tells them apart.
fn split(image: &str) -> (&str, &str, &str) {
    // A colon before the first slash is a registry's port.
    let path = image.find('/').unwrap_or(0);
    let colon = image[path..].find(':').map(|at| at + path);
    let digest = image[path..].find('@').map(|at| at + path);
    match (colon, digest) {
        (None, None) => (image, "", ""),
        (Some(colon), Some(at)) if colon < at => {
            (&image[..colon], &image[colon + 1..at], &image[at + 1..])
        }
        (_, Some(at)) => (&image[..at], "", &image[at + 1..]),
        (Some(colon), None) => (&image[..colon], &image[colon + 1..], ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_shapes() {
        let parameters = parse(
            r#"[{"name":"namespace","string":"shop"},
                {"name":"images","array":["nginx=registry:5000/nginx:1.29","redis@sha256:ab"]},
                {"name":"replicas","map":{"web":"3"}},
                {"name":"overlays.cnpg-cluster-policy.mode","string":"enforce"}]"#,
        )
        .unwrap();
        assert_eq!(parameters.kustomize.namespace, "shop");
        let read = images(&parameters.kustomize.images).unwrap();
        let [nginx, redis] = read.as_slice() else {
            unreachable!("two images")
        };
        let set = |text: &str| Change::Set(text.to_owned());
        assert_eq!(
            (&nginx.new_name, &nginx.new_tag, &nginx.digest),
            (&set("registry:5000/nginx"), &set("1.29"), &Change::Remove)
        );
        assert_eq!(
            (&*redis.name, &redis.new_name, &redis.digest),
            ("redis", &Change::Remove, &set("sha256:ab"))
        );
        let replicas = &parameters.kustomize.replicas[0];
        assert_eq!((&*replicas.name, replicas.count.as_i64()), ("web", Some(3)));
        assert_eq!(parameters.overlays[0].1, "mode");
    }

    #[test]
    fn an_asterisk_keeps_what_is_there_and_a_bare_name_is_no_image() {
        let [image] = &images(&["a=*:1@*".to_owned()]).unwrap()[..] else {
            unreachable!("one image")
        };
        assert_eq!(
            (&image.new_name, &image.digest),
            (&Change::Keep, &Change::Keep)
        );
        let error = parse(r#"[{"name":"images","array":["a:1","nginx"]}]"#).unwrap_err();
        assert!(
            error
                .phrase()
                .contains("holds nginx, which is not of the form")
        );
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_nearest() {
        let error = parse(r#"[{"name":"imagse","array":[]}]"#).unwrap_err();
        assert_eq!(error.remedies(), ["did you mean images?"]);
    }
}
