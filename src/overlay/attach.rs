//! Lists what instances add in the root kustomization, and puts the files beside it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::conflict::{self, ConflictOutcome, Existing};
use super::draft::{Draft, NewPatch};
use super::names::file_name;
use super::splice::add_to_list;
use super::verify::Expected;
use super::world::RootObjects;
use super::{Attached, root};
use crate::diagnostic::{Code, Diagnostic, Origin, Place, Report, Result, Source};
use crate::files::{File, Kind, Layer, TreePath};

/// Collects the files and the entries of the root kustomization that name them.
pub(super) struct Attacher<'w, 'a> {
    world: &'w RootObjects<'w, 'a>,
    files: BTreeMap<TreePath, File>,
    resources: Vec<String>,
    patches: Vec<String>,
}

impl<'w, 'a> Attacher<'w, 'a> {
    pub(super) fn new(world: &'w RootObjects<'w, 'a>) -> Self {
        Self {
            world,
            files: BTreeMap::new(),
            resources: Vec::new(),
            patches: Vec::new(),
        }
    }

    pub(super) fn attach(
        &mut self,
        draft: &mut Draft<'a>,
        existing: &Existing<'a>,
        report: &mut Report,
    ) -> Result<()> {
        let fate = conflict::decide(self.world, draft, existing, report)?;
        let overlay = Arc::clone(&draft.instance.overlay);
        let namespace = draft.target.namespace.clone();
        let mut added = Vec::new();
        let mut attached = Vec::new();
        let mut expected = Vec::new();
        let policy = self.world.request.host.policy;
        let is_mandatory = policy.is_some_and(|p| p.demands(&overlay));
        for file in &draft.files {
            let new: Vec<_> = file
                .objects
                .iter()
                .filter(|o| fate.of(&o.id) == ConflictOutcome::New)
                .collect();
            if new.is_empty() {
                continue;
            }
            let text: String = new.iter().map(|o| format!("---\n{}", o.text)).collect();
            let name = self.put(&file.name, &namespace, text, &overlay)?;
            self.attached(&mut attached, name, None);
            added.extend(new.iter().map(|o| o.id.clone()));
            expected.extend(new.iter().map(|o| Expected::added(o, is_mandatory)));
        }
        for patch in conflict::replacements(self.world, draft, existing, &fate)? {
            let name = self.put(&patch.name, &namespace, patch.text, &overlay)?;
            self.attached(&mut attached, name, Some(patch.target));
            expected.push(Expected::Changed(patch.id));
        }
        let may_patch = |p: &&NewPatch| p.independent || !fate.is_kept();
        let mut patched = false;
        for patch in draft.patches.iter().filter(may_patch) {
            let name = self.put(&patch.name, &namespace, patch.text.clone(), &overlay)?;
            self.attached(&mut attached, name, Some(patch.target.clone()));
            expected.push(Expected::Changed(patch.id.clone()));
            patched = true;
        }
        draft.instance.files = attached;
        draft.instance.expected = expected;
        if draft.definition.keeps_needed_flows && !fate.is_kept() {
            draft.instance.guarded = draft.objects().map(|o| o.id.clone()).collect();
        }
        draft.instance.state = fate.state(!added.is_empty() || patched);
        draft.instance.reason = fate.reason();
        draft.instance.adds = added;
        Ok(())
    }

    /// Lists a file in the root kustomization, and in its instance.
    fn attached(&mut self, files: &mut Vec<Attached>, name: String, target: Option<String>) {
        let attached = Attached { name, target };
        let list = if attached.target.is_some() {
            &mut self.patches
        } else {
            &mut self.resources
        };
        list.push(attached.entry());
        files.push(attached);
    }

    /// Puts a file beside the root kustomization, under another name where its own is taken.
    fn put(
        &mut self,
        name: &str,
        namespace: &str,
        text: String,
        overlay: &Arc<str>,
    ) -> Result<String> {
        let names = [
            name.to_owned(),
            format!("prerender-{name}"),
            format!("prerender-{}-{name}", file_name(namespace)),
        ];
        for name in names {
            let path = self
                .world
                .root
                .directory
                .join(&name)
                .expect("a file name stays in its directory");
            let is_free =
                !self.files.contains_key(&path) && self.world.request.files.kind(&path)?.is_none();
            if is_free {
                self.add(
                    path,
                    text,
                    Origin::Overlay {
                        name: Arc::clone(overlay),
                    },
                );
                return Ok(name);
            }
        }
        let phrase = format!(
            "{overlay} cannot add {name}: the name and those with prerender- before it are taken"
        );
        Err(Diagnostic::new(Code::OverlayConflict, phrase)
            .at(Place::file(self.world.root.directory.as_str())))
    }

    fn add(&mut self, path: TreePath, text: String, origin: Origin) {
        let source = Source {
            path: Arc::from(path.as_str()),
            origin,
            secrets: Arc::from([]),
        };
        let file = File {
            path: path.clone(),
            bytes: Arc::from(text.into_bytes()),
            source: Arc::new(source),
        };
        self.files.insert(path, file);
    }

    pub(super) fn finish(mut self) -> Result<Option<Arc<Layer>>> {
        if self.resources.is_empty() && self.patches.is_empty() {
            return Ok(None);
        }
        let root = &self.world.root;
        match &root.file {
            Some(file) => {
                let text = String::from_utf8_lossy(&file.bytes);
                let text = add_to_list(&text, &file.source, "resources", &self.resources)?;
                let text = add_to_list(&text, &file.source, "patches", &self.patches)?;
                let changed = File {
                    bytes: Arc::from(text.into_bytes()),
                    ..File::clone(file)
                };
                self.files.insert(file.path.clone(), changed);
            }
            None => {
                let path = root
                    .directory
                    .join(root::NAMES[0])
                    .expect("a name stays in its directory");
                let mut resources = manifests(self.world)?;
                resources.append(&mut self.resources);
                let source = Source::committed(path.as_str());
                let head = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";
                let text = add_to_list(head, &source, "resources", &resources)?;
                let text = add_to_list(&text, &source, "patches", &self.patches)?;
                self.add(
                    path,
                    text,
                    Origin::Overlay {
                        name: Arc::from("prerender"),
                    },
                );
            }
        }
        let below = Arc::clone(self.world.request.files);
        Ok(Some(Arc::new(Layer::new(below, self.files.into_values()))))
    }
}

/// What a directory without a kustomization applies: its manifests, and directories that have one.
fn manifests(world: &RootObjects<'_, '_>) -> Result<Vec<String>> {
    let files = world.request.files;
    let mut found = Vec::new();
    let mut open = vec![world.root.directory.clone()];
    while let Some(directory) = open.pop() {
        let mut below = Vec::new();
        for name in files.list(&directory)? {
            let path = directory
                .join(&name)
                .expect("a listed name stays in its directory");
            let is_manifest = [".yaml", ".yml"].iter().any(|e| name.ends_with(e));
            match files.kind(&path)? {
                Some(Kind::File) if is_manifest => {
                    found.push(path.relative_to(&world.root.directory));
                }
                Some(Kind::Directory) if !name.starts_with('.') => below.push(path),
                _ => {}
            }
        }
        for path in below.into_iter().rev() {
            let has = |name: &&str| {
                let file = path.join(name).expect("a name stays in its directory");
                files.kind(&file).is_ok_and(|k| k == Some(Kind::File))
            };
            if root::NAMES.iter().any(has) {
                found.push(path.relative_to(&world.root.directory));
            } else {
                open.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
