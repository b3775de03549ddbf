//! `ARGOCD_APP_PARAMETERS`: what an Application sets for this render.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, Result, nearest};
use crate::pipeline::{Adjustments, Change, Image};

/// The names that are known, besides `overlays.OVERLAY.PARAMETER`.
pub const NAMES: [&str; 10] = [
    "images",
    "replicas",
    "namePrefix",
    "nameSuffix",
    "namespace",
    "components",
    "commonLabels",
    "commonAnnotations",
    "set",
    "values",
];

/// The parameters of an Application, read.
#[derive(Debug, Clone, Default)]
pub struct Parameters {
    /// What is set on the root kustomization.
    pub adjustments: Adjustments,
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

impl Parameters {
    fn take(&mut self, entry: Entry) -> Result<()> {
        let adjustments = &mut self.adjustments;
        match entry.name.as_str() {
            "namePrefix" => adjustments.name_prefix = Some(entry.string()?),
            "nameSuffix" => adjustments.name_suffix = Some(entry.string()?),
            "namespace" => adjustments.namespace = Some(entry.string()?),
            "components" => adjustments.components = entry.list()?,
            "images" => {
                adjustments.images = images(&entry.list()?).map_err(|text| {
                    let phrase = format!("the parameter images holds {text}, which {NO_IMAGE}");
                    Diagnostic::new(Code::ParameterInvalid, phrase)
                })?;
                adjustments.sorts_images = true;
            }
            "replicas" => adjustments.replicas = replicas(&entry)?,
            "commonLabels" => adjustments.common_labels = entry.pairs()?,
            "commonAnnotations" => adjustments.common_annotations = entry.pairs()?,
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
            format!("the parameter {} is no {wanted}", self.name),
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

fn replicas(entry: &Entry) -> Result<Vec<(String, u64)>> {
    let count = |(name, count): (String, String)| {
        count
            .parse()
            .map(|count| (name, count))
            .map_err(|_| entry.wrong_shape("map of whole numbers"))
    };
    entry.pairs()?.into_iter().map(count).collect()
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
        assert_eq!(parameters.adjustments.namespace.as_deref(), Some("shop"));
        let [nginx, redis] = parameters.adjustments.images.as_slice() else {
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
        assert_eq!(parameters.adjustments.replicas, [("web".to_owned(), 3)]);
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
