//! `set image`: `name=new:tag`, `name:tag`, `name@digest` and their like.

use crate::diagnostic::Result;
use crate::kustomize::kustomization::{Image, Kustomization};

use super::refused;

/// Images as they are given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images(pub Vec<String>);

/// What keeps the part that is there.
const KEEP: &str = "*";

/// Replaces the entries of images, each as a whole.
///
/// Of two entries of a name the first counts. The reference sorts all of them; where the order is kept, new ones follow
/// in the order of their names.
pub(super) fn set(
    kustomization: &mut Kustomization,
    images: &Images,
    keeps_order: bool,
) -> Result<()> {
    let mut new: Vec<Image> = Vec::new();
    for text in &images.0 {
        let image = parse(text)?;
        new.retain(|other| other.name != image.name);
        new.push(image);
    }
    // Each further entry of a name fills what is still to be kept, and then the last that was there counts; but one
    // that is set stays.
    let mut result: Vec<Image> = Vec::new();
    for there in std::mem::take(&mut kustomization.images) {
        if let Some(image) = new.iter_mut().find(|image| image.name == there.name) {
            keep(image, &there);
            if !result.iter().any(|other| other.name == there.name) {
                result.push(there);
            }
        } else if !result.iter().any(|other| other.name == there.name) {
            result.push(there);
        }
    }
    for entry in &mut result {
        if let Some(at) = new.iter().position(|image| image.name == entry.name) {
            *entry = new.swap_remove(at);
        }
    }
    new.sort_by(|a, b| a.name.cmp(&b.name));
    result.extend(new);
    for image in &mut result {
        keep(image, &Image::default());
    }
    if !keeps_order {
        result.sort_by(|a, b| a.name.cmp(&b.name));
    }
    kustomization.images = result;
    Ok(())
}

/// Takes over the parts that are to be kept; a suffix never is.
fn keep(image: &mut Image, there: &Image) {
    let parts = [
        (&mut image.new_name, &there.new_name),
        (&mut image.new_tag, &there.new_tag),
        (&mut image.digest, &there.digest),
    ];
    for (part, old) in parts {
        if part == KEEP {
            part.clone_from(old);
        }
    }
}

fn parse(text: &str) -> Result<Image> {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (key, value),
        None => ("", text),
    };
    let (name, tag, digest) = split(value);
    if name == text {
        return Err(
            refused(format!("{text} does not say a new name, tag or digest"))
                .help("write name=new:tag, name:tag, name@digest or a mix of them"),
        );
    }
    let mut image = Image {
        new_tag: tag.into(),
        digest: digest.into(),
        ..Image::default()
    };
    if key.is_empty() {
        image.name = name.into();
    } else {
        image.name = key.into();
        image.new_name = name.into();
    }
    Ok(image)
}

/// Splits an image into its name, tag and digest. Only what stands from the first `/` on is looked at, where there is one
/// behind the first character.
fn split(image: &str) -> (&str, &str, &str) {
    let start = image.find('/').filter(|at| *at > 0).unwrap_or(0);
    let at = |sign| image[start..].find(sign).map(|at| at + start);
    match (at(':'), at('@')) {
        (None, None) => (image, "", ""),
        (Some(colon), Some(at)) if colon < at => {
            (&image[..colon], &image[colon + 1..at], &image[at + 1..])
        }
        (_, Some(at)) => (&image[..at], "", &image[at + 1..]),
        (Some(colon), None) => (&image[..colon], &image[colon + 1..], ""),
    }
}
