//! `images`: new names, tags and digests.

use regex::Regex;

use crate::diagnostic::{Code, Diagnostic, Result, Source};
use crate::go::regexp;
use crate::kube::{ResMap, Resource};
use crate::kustomize::fault::Fault;
use crate::kustomize::fieldspec::{self, FieldSpec, Missing, need_scalar};
use crate::kustomize::kustomization::Image;
use crate::kustomize::scalar;
use crate::yaml::{Node, Value};

/// What may follow a name: a tag, and a digest.
const AFTER_NAME: &str = "(:[a-zA-Z0-9_.{}-]*)?(@sha256:[a-zA-Z0-9_.{}-]*)?$";

/// Changes the images of every object but CustomResourceDefinitions: in `containers` and `initContainers`
/// wherever they are, and at the fields that the rows select.
///
/// A field that both ways lead to is changed twice, as in the reference. Fails with
/// [`Code::SelectorInvalid`] on a name that is no regular expression.
pub(crate) fn apply(
    resources: &mut ResMap,
    images: &[Image],
    rows: &[FieldSpec],
    source: &Source,
) -> Result<()> {
    if images.is_empty() {
        return Ok(());
    }
    let changes: Vec<Change> = images
        .iter()
        .map(|image| Change::new(image, source))
        .collect::<Result<_>>()?;
    for resource in resources.iter_mut() {
        if resource.kind() != "CustomResourceDefinition" {
            change_object(resource, &changes, rows)?;
        }
    }
    Ok(())
}

fn change_object(
    resource: &mut Resource,
    changes: &[Change<'_>],
    rows: &[FieldSpec],
) -> Result<()> {
    let rows: Vec<&FieldSpec> = rows.iter().filter(|r| r.selects(resource.gvk())).collect();
    let mut places = Vec::new();
    let found = find(resource.node(), &mut Vec::new(), &mut places);
    found.map_err(|fault| fault.of(resource))?;
    for change in changes {
        let in_containers = resource.change(|node| {
            places.iter().try_for_each(|place| {
                let image = reach(node, place).expect("changing scalars moves nothing");
                change.apply(image)
            })
        });
        in_containers.map_err(|fault| fault.of(resource))?;
        fieldspec::apply(resource, rows.iter().copied(), Missing::Skip, |node| {
            change.apply(node)
        })?;
    }
    Ok(())
}

/// The way to a node: the position of an entry or item in each collection.
type Way = Vec<usize>;

/// Collects the ways to every `image` in an item of a list `containers` or `initContainers`.
fn find(node: &Node, way: &mut Way, places: &mut Vec<Way>) -> Result<(), Fault> {
    match node.value() {
        Value::Scalar(_) => {}
        Value::Sequence(items) => {
            for (at, item) in items.iter().enumerate() {
                way.push(at);
                find(item, way, places)?;
                way.pop();
            }
        }
        Value::Mapping(mapping) => {
            for (at, (key, value)) in mapping.iter().enumerate() {
                way.push(at);
                find(value, way, places)?;
                if matches!(key, "containers" | "initContainers") {
                    find_in_list(value, way, places)?;
                }
                way.pop();
            }
        }
    }
    Ok(())
}

fn find_in_list(list: &Node, way: &Way, places: &mut Vec<Way>) -> Result<(), Fault> {
    for (at, item) in list.as_sequence().unwrap_or_default().iter().enumerate() {
        if scalar::is_null(item) {
            continue;
        }
        let Some(container) = item.as_mapping() else {
            return Err(Fault::wrong_sort(item, "a mapping"));
        };
        if let Some(image) = container.position("image") {
            places.push([way.as_slice(), &[at, image]].concat());
        }
    }
    Ok(())
}

fn reach<'n>(node: &'n mut Node, way: &[usize]) -> Option<&'n mut Node> {
    let Some((&at, rest)) = way.split_first() else {
        return Some(node);
    };
    let next = match node.value_mut() {
        Value::Sequence(items) => items.get_mut(at)?,
        Value::Mapping(mapping) => &mut mapping.entries_mut().get_mut(at)?.value,
        Value::Scalar(_) => return None,
    };
    reach(next, rest)
}

/// One entry of `images`, its name compiled.
struct Change<'i> {
    image: &'i Image,
    name: Name<'i>,
}

/// The name of an entry, which is a regular expression.
enum Name<'i> {
    /// Characters, and `.` for any: what nearly all names are, which need not be compiled.
    Dotted(&'i str),
    Pattern(Regex),
}

impl<'i> Name<'i> {
    fn new(name: &'i str) -> Result<Self, regexp::Error> {
        let is_dotted = name.split('.').all(regexp::is_literal);
        if is_dotted {
            return Ok(Self::Dotted(name));
        }
        regexp::compile(&format!("^{name}{AFTER_NAME}")).map(Self::Pattern)
    }

    fn is_match(&self, image: &str) -> bool {
        match self {
            Self::Dotted(name) => after_dotted(name, image).is_some_and(is_after_name),
            Self::Pattern(pattern) => pattern.is_match(image),
        }
    }
}

/// What follows a name that an image starts with.
fn after_dotted<'t>(name: &str, image: &'t str) -> Option<&'t str> {
    let mut rest = image.chars();
    for wanted in name.chars() {
        let is = rest.next()?;
        let fits = is == wanted || (wanted == '.' && is != '\n');
        if !fits {
            return None;
        }
    }
    Some(rest.as_str())
}

/// Whether a text is a tag and a digest, each of them there or not: [`AFTER_NAME`].
fn is_after_name(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_.{}-".contains(c);
    let text = match text.strip_prefix(':') {
        Some(tag) => tag.trim_start_matches(is_part),
        None => text,
    };
    match text.strip_prefix("@sha256:") {
        Some(digest) => digest.trim_start_matches(is_part).is_empty(),
        None => text.is_empty(),
    }
}

impl<'i> Change<'i> {
    fn new(image: &'i Image, source: &Source) -> Result<Self> {
        let name = Name::new(&image.name).map_err(|error| {
            let phrase = format!("image name {} is no regular expression", image.name);
            Diagnostic::new(Code::SelectorInvalid, phrase)
                .at(source.place(image.mark.line, image.mark.column))
                .note(error.to_string())
        })?;
        Ok(Self { image, name })
    }

    fn apply(&self, node: &mut Node) -> Result<(), Fault> {
        need_scalar(node)?;
        let text = node.scalar_text().unwrap_or_default();
        if !self.name.is_match(text) {
            return Ok(());
        }
        let changed = self.changed(text);
        scalar::set_untagged(node, changed);
        Ok(())
    }

    fn changed(&self, text: &str) -> String {
        let Image {
            new_name,
            new_tag,
            tag_suffix,
            digest,
            ..
        } = self.image;
        let (old_name, old_tag, old_digest) = split(text);
        let name = if new_name.is_empty() {
            old_name
        } else {
            new_name
        };
        let (tag, digest) = match (&**new_tag, &**digest, &**tag_suffix) {
            ("", "", "") => (old_tag.to_owned(), old_digest),
            ("", "", suffix) => (format!("{old_tag}{suffix}"), ""),
            (tag, digest, _) => (tag.to_owned(), digest),
        };
        let mut changed = name.to_owned();
        for (separator, part) in [(":", &*tag), ("@", digest)] {
            if !part.is_empty() {
                changed.push_str(separator);
                changed.push_str(part);
            }
        }
        changed
    }
}

/// Splits `[host[:port]/]name[:tag][@digest]` into name, tag and digest.
fn split(image: &str) -> (&str, &str, &str) {
    let start = image.find('/').unwrap_or(0);
    let find = |c| image[start..].find(c).map(|at| at + start);
    let (rest, digest) = match find('@') {
        Some(at) => (&image[..at], &image[at + 1..]),
        None => (image, ""),
    };
    match find(':').filter(|&colon| colon < rest.len()) {
        Some(colon) => (&rest[..colon], &rest[colon + 1..], digest),
        None => (rest, "", digest),
    }
}

#[cfg(test)]
mod tests {
    use super::{AFTER_NAME, Change, Name, split};
    use crate::diagnostic::Source;
    use crate::go::regexp;
    use crate::kustomize::kustomization::Image;

    #[test]
    fn plain_names_match_as_patterns_do() {
        let names = ["nginx", "a.b/c", "", "host:5000/nginx", "x-y_z"];
        let images = [
            "nginx",
            "nginx:1",
            "nginx:",
            "nginx@sha256:",
            "nginx:1@sha256:ab",
            "nginx:1@sha512:ab",
            "nginx:1:2",
            "nginxy",
            "a.b/c:v1.2_3-{}",
            "axb/c",
            "a\nb/c",
            "",
            ":t",
            "x-y_z:é",
            "host:5000/nginx:7",
            "nginx:1@sha256:a/b",
            "nginx@sha256:a@sha256:b",
        ];
        for name in names {
            let pattern = regexp::compile(&format!("^{name}{AFTER_NAME}")).expect("a pattern");
            for image in images {
                let ours = Name::new(name).expect("a plain name").is_match(image);
                assert_eq!(ours, pattern.is_match(image), "{name} {image}");
            }
        }
    }

    #[test]
    fn splits_images() {
        let cases = [
            ("nginx", ("nginx", "", "")),
            ("nginx:1.2", ("nginx", "1.2", "")),
            ("host:5000/nginx", ("host:5000/nginx", "", "")),
            ("host:5000/nginx:1", ("host:5000/nginx", "1", "")),
            ("nginx@sha256:abc", ("nginx", "", "sha256:abc")),
            ("nginx:1@sha256:abc", ("nginx", "1", "sha256:abc")),
        ];
        for (image, parts) in cases {
            assert_eq!(split(image), parts, "{image}");
        }
    }

    fn change(edit: impl FnOnce(&mut Image), text: &str) -> String {
        let mut image = Image {
            name: "nginx".into(),
            ..Image::default()
        };
        edit(&mut image);
        let change = Change::new(&image, &Source::committed("k.yaml")).expect("a pattern");
        if change.name.is_match(text) {
            change.changed(text)
        } else {
            "no match".to_owned()
        }
    }

    #[test]
    fn changes_what_the_entry_names() {
        let image = "nginx:1@sha256:abc";
        assert_eq!(change(|i| i.new_tag = "2".into(), image), "nginx:2");
        assert_eq!(
            change(|i| i.digest = "sha256:d".into(), image),
            "nginx@sha256:d"
        );
        assert_eq!(change(|i| i.tag_suffix = "-x".into(), image), "nginx:1-x");
        assert_eq!(change(|i| i.new_name = "n".into(), image), "n:1@sha256:abc");
        let both = |i: &mut Image| {
            i.new_tag = "2".into();
            i.digest = "sha256:d".into();
        };
        assert_eq!(change(both, image), "nginx:2@sha256:d");
        assert_eq!(change(|i| i.new_tag = "2".into(), "my/nginx"), "no match");
        let any = |i: &mut Image| {
            i.name = ".*/nginx".into();
            i.new_tag = "2".into();
        };
        assert_eq!(change(any, "my/nginx"), "my/nginx:2");
    }
}
