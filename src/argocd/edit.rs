//! `kustomize edit` as Argo CD's repo-server calls it, before it builds an Application with overrides.

use super::parameters::{NO_IMAGE, images};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::files::File;
use crate::pipeline::Adjustments;
use crate::yaml::{self, Mapping, Node, ParseOptions, WriteOptions};

/// What is changed in a kustomization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// `set namespace`.
    Namespace(String),
    /// `set nameprefix`.
    NamePrefix(String),
    /// `set namesuffix`.
    NameSuffix(String),
    /// `set image`: `name=new:tag` and its like.
    Images(Vec<String>),
    /// `set replicas`: `name=count`.
    Replicas(Vec<String>),
    /// `add component`.
    Components(Vec<String>),
    /// `add annotation`: `key:value`.
    Annotations(Pairs),
    /// `add label`: `key:value`.
    Labels(Pairs, Reach),
}

/// Keys and values that are added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pairs {
    /// `key:value` each, the value in quotes or not; a key alone has an empty value.
    pub texts: Vec<String>,
    /// Whether a key that is there is replaced.
    pub force: bool,
}

/// What labels are put on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Objects, selectors and templates.
    Selectors,
    /// Objects.
    Objects,
    /// Objects and templates.
    Templates,
}

/// Changes a kustomization file; comments and the order of its fields stay.
///
/// Fails with [`Code::Usage`] on a value of the wrong form or a key that is there already.
pub fn edit(file: &File, edit: &Edit) -> Result<Vec<u8>> {
    let options = ParseOptions {
        comments: true,
        ..ParseOptions::DEFAULT
    };
    let text = String::from_utf8_lossy(&file.bytes);
    let node = yaml::parse_first(&text, options).map_err(|e| e.at(&file.source))?;
    let mut node = node.filter(|n| !n.is_null()).unwrap_or_else(Node::mapping);
    let kustomization = node
        .as_mapping_mut()
        .ok_or_else(|| Diagnostic::new(Code::FieldType, "a kustomization is a mapping"))?;
    change(kustomization, edit)?;
    let mut bytes = Vec::new();
    yaml::write_document(&mut bytes, &node, &WriteOptions::indented(2))
        .map_err(|e| e.at(&file.source))?;
    Ok(bytes)
}

/// Changes a kustomization.
pub(super) fn change(kustomization: &mut Mapping, edit: &Edit) -> Result<()> {
    let mut adjustments = Adjustments::default();
    match edit {
        Edit::Namespace(name) => adjustments.namespace = Some(name.clone()),
        Edit::NamePrefix(text) => adjustments.name_prefix = Some(text.clone()),
        Edit::NameSuffix(text) => adjustments.name_suffix = Some(text.clone()),
        Edit::Images(texts) => {
            adjustments.images =
                images(texts).map_err(|text| wrong(format!("{text} {NO_IMAGE}")))?;
            adjustments.sorts_images = true;
        }
        Edit::Replicas(replicas) => {
            let replicas = replicas.iter().map(|text| replica(text));
            adjustments.replicas = replicas.collect::<Result<_>>()?;
        }
        Edit::Components(paths) => {
            let there: Vec<&str> = kustomization
                .get("components")
                .and_then(Node::as_sequence)
                .map_or_else(Vec::new, |list| {
                    list.iter().filter_map(Node::as_str).collect()
                });
            let new = paths.iter().filter(|path| !there.contains(&path.as_str()));
            adjustments.components = new.cloned().collect();
        }
        Edit::Annotations(pairs) => {
            let there = kustomization.get("commonAnnotations");
            adjustments.common_annotations = read(pairs, there, "annotation")?;
        }
        Edit::Labels(pairs, Reach::Selectors) => {
            let there = kustomization.get("commonLabels");
            adjustments.common_labels = read(pairs, there, "label")?;
        }
        Edit::Labels(pairs, reach) => return add_labels(kustomization, pairs, *reach),
    }
    adjustments.apply(kustomization);
    Ok(())
}

fn replica(text: &str) -> Result<(String, u64)> {
    text.split_once('=')
        .and_then(|(name, count)| Some((name.to_owned(), count.parse().ok()?)))
        .ok_or_else(|| wrong(format!("{text} is not of the form name=count")))
}

fn wrong(phrase: String) -> Diagnostic {
    Diagnostic::new(Code::Usage, phrase)
}

/// The pairs, none of which may be there.
fn read(pairs: &Pairs, there: Option<&Node>, what: &str) -> Result<Vec<(String, String)>> {
    let pair = |text: &String| {
        let (key, value) = text.split_once(':').unwrap_or((text, ""));
        if key.is_empty() {
            return Err(wrong(format!("{text} is not of the form key:value")));
        }
        if !pairs.force && there.is_some_and(|node| node.get(key).is_some()) {
            return Err(wrong(format!("{what} {key} already in kustomization file"))
                .help("replace it with --force"));
        }
        let quoted = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
        Ok((key.to_owned(), quoted.unwrap_or(value).to_owned()))
    };
    pairs.texts.iter().map(pair).collect()
}

/// Adds to the entry of `labels` that reaches as far, which is made when there is none.
fn add_labels(kustomization: &mut Mapping, pairs: &Pairs, reach: Reach) -> Result<()> {
    let labels = kustomization.get_or_insert_with("labels", || Node::sequence(Vec::new()));
    let Some(list) = labels.as_sequence_mut() else {
        return Err(wrong("labels of the kustomization are no list".to_owned()));
    };
    let has_templates = reach == Reach::Templates;
    let flag = |entry: &Node, key| entry.get(key).and_then(Node::as_bool) == Some(true);
    let fits = |entry: &Node| {
        !flag(entry, "includeSelectors")
            && flag(entry, "includeTemplates") == has_templates
            && entry.get("fields").is_none()
    };
    let index = list.iter().position(fits).unwrap_or_else(|| {
        let mut entry = Node::mapping();
        let mapping = entry.as_mapping_mut().expect("just made");
        if has_templates {
            mapping.insert("includeTemplates", Node::bool(true));
        }
        list.push(entry);
        list.len() - 1
    });
    let entry = list[index].as_mapping_mut().expect("only mappings fit");
    let there = entry.get_or_insert_with("pairs", Node::mapping);
    let new = read(pairs, Some(there), "label")?;
    let there = there
        .as_mapping_mut()
        .ok_or_else(|| wrong("pairs of labels are no mapping".to_owned()))?;
    for (key, value) in new {
        there.insert(key, Node::string(value));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::TreePath;

    fn edited(text: &str, change: &Edit) -> Result<String> {
        let path = TreePath::parse("kustomization.yaml").unwrap();
        let bytes = edit(&File::committed(path, text.as_bytes()), change)?;
        Ok(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn comments_and_order_stay() {
        let text = "# shop\nresources:\n  - a.yaml # first\nnamePrefix: x-\n";
        assert_eq!(
            edited(text, &Edit::NamePrefix("y-".into())).unwrap(),
            "# shop\nresources:\n  - a.yaml # first\nnamePrefix: y-\n"
        );
    }

    #[test]
    fn an_image_takes_the_place_of_its_entry() {
        let text =
            "images:\n- name: z\n- name: b\n  newName: c\n  newTag: \"1\"\n  digest: sha256:0\n";
        let images = |list: &[&str]| Edit::Images(list.iter().map(|i| (*i).to_owned()).collect());
        let set = |list: &[&str]| edited(text, &images(list)).unwrap();
        assert_eq!(
            set(&["b:2", "a=*:3"]),
            "images:\n  - name: a\n    newTag: \"3\"\n  - name: b\n    newTag: \"2\"\n  - name: z\n"
        );
        let kept = set(&["b=*:2@*"]);
        assert!(
            kept.contains("newName: c\n    newTag: \"2\"\n    digest: sha256:0\n"),
            "{kept}"
        );
        assert!(edited(text, &images(&["nginx"])).is_err());
    }

    #[test]
    fn labels_without_selectors_have_an_entry_of_their_own() {
        let pairs = Pairs {
            texts: vec!["a:b".to_owned(), "c:\"x,y:z\"".to_owned()],
            force: false,
        };
        let once = edited(
            "resources: []\n",
            &Edit::Labels(pairs.clone(), Reach::Templates),
        )
        .unwrap();
        assert!(
            once.ends_with("includeTemplates: true\n    pairs:\n      a: b\n      c: x,y:z\n"),
            "{once}"
        );
        let again = edited(&once, &Edit::Labels(pairs, Reach::Templates)).unwrap_err();
        assert_eq!(again.phrase(), "label a already in kustomization file");
    }
}
