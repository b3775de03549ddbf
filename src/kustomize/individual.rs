//! One file an object, under the names that `kustomize build -o DIR` gives them (`build/writer.go`, v5.8.1).
//!
//! Where a name leaves the directory, or two objects have the same, it is refused: the reference writes elsewhere, and
//! loses one (cases `build-o-dir-name-dots`, `build-o-dir-case-collision`).

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic, Result};
use crate::kube::{ResMap, Resource, Scope};
use crate::yaml;

/// A file that holds one object.
pub struct IndividualFile {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Whether it holds a Secret.
    pub holds_secrets: bool,
}

/// The files of all objects, in the order of their names.
pub fn individual_files(resources: &ResMap) -> Result<Vec<IndividualFile>> {
    let is_namespaced = |object: &Resource| object.scope() == Scope::Namespaced;
    let namespaced = resources.iter().filter(|object| is_namespaced(object));
    let mut namespaces: Vec<&str> = namespaced.map(Resource::effective_namespace).collect();
    namespaces.sort_unstable();
    namespaces.dedup();
    let mut files = BTreeMap::new();
    for object in resources {
        let mut name = name_of(object);
        if is_namespaced(object) && namespaces.len() > 1 {
            name = format!("{}_{name}", object.effective_namespace().to_lowercase());
        }
        let id = object.id();
        if name.contains('/') {
            let phrase = format!("the file of {id} would be {name}, which leaves the directory");
            return Err(refused(object, phrase));
        }
        let mut bytes = Vec::new();
        yaml::write_manifest(&mut bytes, object.node())
            .map_err(|error| refused(object, error.kind.to_string()))?;
        let holds_secrets = object.kind() == "Secret";
        let file = IndividualFile {
            name: name.clone(),
            bytes,
            holds_secrets,
        };
        if files.insert(name.clone(), file).is_some() {
            let phrase = format!("two objects would be written to {name}; one is {id}");
            return Err(refused(object, phrase));
        }
    }
    Ok(files.into_values().collect())
}

fn refused(object: &Resource, phrase: String) -> Diagnostic {
    Diagnostic::new(Code::WriteFailed, phrase).at(object.place())
}

/// `group_version_kind_name.yaml`, parts that are empty left out.
fn name_of(object: &Resource) -> String {
    let gvk = object.gvk();
    let parts = [&*gvk.group, &*gvk.version, &*gvk.kind, object.name()];
    let parts: Vec<String> = parts
        .iter()
        .filter(|part| !part.is_empty())
        .map(|part| part.to_lowercase())
        .collect();
    format!("{}.yaml", parts.join("_"))
}
