//! What is done to objects before their names follow their content: SOPS files below `data` of a Secret are opened.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use super::outside::Outside;
use crate::diagnostic::{Code, Result};
use crate::files::{File, Files, TreePath};
use crate::kube::{ResMap, Resource};
use crate::kustomize::{self, ChartCall, Generators, ProgramCall, RepositoryAddress};
use crate::secrets::{Opened, Secrets};
use crate::sops::{self, Format, SealedFile};
use crate::yaml::Node;

/// The work of a build that is done outside of it.
pub struct OutsideWork<'a> {
    outside: &'a Outside,
    opened: &'a Opened,
}

impl<'a> OutsideWork<'a> {
    /// Takes what is allowed, and the view of opened files.
    pub fn new(outside: &'a Outside, opened: &'a Opened) -> Self {
        Self { outside, opened }
    }

    fn settle_secret(&self, resource: &mut Resource) -> Result<()> {
        let mut failure = None;
        let shown = resource.place().map_or_else(
            || resource.original_id().to_string(),
            |place| place.file.to_string(),
        );
        resource.change(|node| {
            let data = node.get_mut("data").and_then(Node::as_mapping_mut);
            for entry in data.into_iter().flat_map(|map| map.entries_mut()) {
                let key = entry.key.scalar_text().unwrap_or_default().to_owned();
                if let Err(error) = self.open(&mut entry.value, &key, &shown) {
                    failure.get_or_insert(error);
                }
            }
        });
        match failure {
            Some(error) => Err(error.or_at(resource.place())),
            None => Ok(()),
        }
    }

    /// Opens a SOPS file that is a value of a Secret, as Flux does.
    fn open(&self, node: &mut Node, key: &str, shown: &str) -> Result<()> {
        let Some(bytes) = node.as_str().and_then(unpacked) else {
            return Ok(());
        };
        let Some(format) = sops::detect(&bytes, key) else {
            return Ok(());
        };
        if self.opened.secrets() == Secrets::Keep {
            return Ok(());
        }
        let name = format!("{shown} (data.{key})");
        let sealed = SealedFile {
            name: &name,
            bytes: &bytes,
            format,
        };
        match self.opened.open_bytes(&sealed, output_of(key, format)) {
            Ok(plain) => {
                *node = Node::string(BASE64_STANDARD.encode(&*plain));
                Ok(())
            }
            Err(error)
                if self.opened.secrets() == Secrets::Openable
                    && error.code() == Code::SopsNoIdentity =>
            {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// The format in which the value of a key is wanted: that of its name, else the one it was sealed in.
fn output_of(key: &str, sealed: Format) -> Format {
    match Format::of_path(key) {
        Format::Binary if key == ".dockerconfigjson" => Format::Json,
        Format::Binary => sealed,
        by_name => by_name,
    }
}

fn unpacked(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let packed: String = text.split_ascii_whitespace().collect();
    BASE64_STANDARD.decode(packed).ok().map(Zeroizing::new)
}

impl Generators for OutsideWork<'_> {
    fn fetch(&self, address: &str) -> Result<Arc<File>> {
        self.outside.fetch(address)
    }

    fn clone_repository(&self, address: &RepositoryAddress) -> Result<Arc<dyn Files>> {
        self.outside.clone_repository(address)
    }

    fn generate(
        &self,
        object: &Resource,
        files: &dyn Files,
        directory: &TreePath,
    ) -> Result<Option<Arc<File>>> {
        self.outside.generate(object, files, directory)
    }

    fn run(&self, call: &ProgramCall<'_>) -> Result<Vec<u8>> {
        self.outside.run(call)
    }

    fn chart<'a>(&'a self, call: &'a ChartCall<'a>) -> Result<Box<dyn kustomize::Chart + 'a>> {
        self.outside.chart(call)
    }

    fn settle(&self, resources: &mut ResMap) -> Result<()> {
        for resource in resources.iter_mut() {
            if resource.gvk().is("", "Secret") {
                self.settle_secret(resource)?;
            }
        }
        Ok(())
    }
}
