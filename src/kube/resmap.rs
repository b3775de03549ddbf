//! The objects of a build, in order.

use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};

use indexmap::IndexMap;
use rayon::prelude::*;

use super::res_id::effective_namespace;
use super::{Gvk, ResId, Resource};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::yaml;

/// Objects in order of appearance, and a look-up by every identity that they have or had.
///
/// Reading by id, `push` and `update` take constant time; `iter_mut` costs one rebuild of the look-up at
/// the next of them. Objects that a patch emptied are skipped by look-ups and go with `drop_empties`.
#[derive(Debug, Clone, Default)]
pub struct ResMap {
    resources: Vec<Resource>,
    /// Positions by the hash of an identity; `None` after a change that the map did not see.
    index: Option<Index>,
}

/// Positions of the objects that have, or had, an identity with this hash.
type Index = IndexMap<u64, Positions, BuildHasherDefault<DefaultHasher>>;

#[derive(Debug, Clone)]
enum Positions {
    One(usize),
    Many(Vec<usize>),
}

impl Positions {
    fn as_slice(&self) -> &[usize] {
        match self {
            Self::One(position) => std::slice::from_ref(position),
            Self::Many(positions) => positions,
        }
    }

    fn insert(&mut self, position: usize) {
        match self {
            Self::One(one) if *one == position => {}
            Self::One(one) => *self = Self::Many(vec![(*one).min(position), (*one).max(position)]),
            Self::Many(positions) => {
                if let Err(at) = positions.binary_search(&position) {
                    positions.insert(at, position);
                }
            }
        }
    }
}

impl ResMap {
    /// Builds an empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// The objects in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Resource> {
        self.resources.iter()
    }

    /// The objects in order, to change them.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, Resource> {
        self.index = None;
        self.resources.iter_mut()
    }

    /// The objects in order, to change them by position or in parallel.
    pub fn as_mut_slice(&mut self) -> &mut [Resource] {
        self.index = None;
        &mut self.resources
    }

    /// The number of objects.
    pub fn len(&self) -> usize {
        self.resources.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty()
    }

    /// The object at a position.
    pub fn get(&self, position: usize) -> Option<&Resource> {
        self.resources.get(position)
    }

    /// Adds an object at the end. Fails with [`Code::ResourceDuplicate`] when its id is taken.
    pub fn push(&mut self, resource: Resource) -> Result<()> {
        let id = resource.id();
        if let Some(&taken) = self.positions_of(&id).first() {
            return Err(duplicate(&self.resources[taken], &resource));
        }
        self.push_unchecked(resource);
        Ok(())
    }

    /// Adds an object at the end, whatever its id.
    pub fn push_unchecked(&mut self, resource: Resource) {
        let position = self.resources.len();
        if let Some(index) = &mut self.index {
            register(index, &resource, position);
        }
        self.resources.push(resource);
    }

    /// Adds every object of another map at the end. Fails as [`ResMap::push`] does.
    pub fn append(&mut self, other: Self) -> Result<()> {
        if self.is_empty() {
            other.refuse_twice()?;
            *self = other;
            return Ok(());
        }
        other.resources.into_iter().try_for_each(|r| self.push(r))
    }

    /// Fails with [`Code::ResourceDuplicate`] when two objects have come to the same id since they were added.
    pub fn refuse_twice(&self) -> Result<()> {
        let mut seen: IndexMap<u64, &Resource, BuildHasherDefault<DefaultHasher>> =
            IndexMap::with_capacity_and_hasher(self.len(), BuildHasherDefault::default());
        for second in self.iter().filter(|r| !r.is_empty()) {
            let (id, namespace) = (second.id(), second.effective_namespace());
            let hash = hash_of(&id.gvk, second.kind(), namespace, &id.name);
            let first = seen.insert(hash, second);
            if let Some(first) = first.filter(|first| has_id_now(first, &id, namespace)) {
                return Err(same(
                    format!("two objects are {id} now"),
                    first,
                    second,
                    "the other is",
                ));
            }
        }
        Ok(())
    }

    /// The positions of the objects that have this id now.
    pub fn positions_of(&mut self, id: &ResId) -> Vec<usize> {
        let namespace = id.effective_namespace();
        self.candidates(id, namespace, |r| has_id_now(r, id, namespace))
    }

    /// The positions of the objects that have this id now, or had it before.
    pub fn positions_of_any(&mut self, id: &ResId) -> Vec<usize> {
        let namespace = id.effective_namespace();
        self.candidates(id, namespace, |r| {
            has_id_now(r, id, namespace) || had_id(r, id, namespace)
        })
    }

    fn candidates(
        &mut self,
        id: &ResId,
        namespace: &str,
        fits: impl Fn(&Resource) -> bool,
    ) -> Vec<usize> {
        let resources = &self.resources;
        let index = self.index.get_or_insert_with(|| index_of(resources));
        let found = index.get(&hash_of(&id.gvk, &id.gvk.kind, namespace, &id.name));
        let positions = found.map_or(&[][..], Positions::as_slice);
        positions
            .iter()
            .copied()
            .filter(|&p| !resources[p].is_empty() && fits(&resources[p]))
            .collect()
    }

    /// Changes the object at a position and keeps the look-up right.
    pub fn update<R>(&mut self, position: usize, change: impl FnOnce(&mut Resource) -> R) -> R {
        let result = change(&mut self.resources[position]);
        if let Some(index) = &mut self.index {
            // What it was called before stays in the look-up: every hit is compared with the object.
            register(index, &self.resources[position], position);
        }
        result
    }

    /// Puts an object in the place of another.
    pub fn replace(&mut self, position: usize, resource: Resource) {
        self.update(position, |slot| *slot = resource);
    }

    /// Keeps the objects that a test accepts.
    pub fn retain(&mut self, keep: impl FnMut(&Resource) -> bool) {
        let before = self.resources.len();
        self.resources.retain(keep);
        if self.resources.len() != before {
            self.index = None;
        }
    }

    /// Removes the objects of which nothing is left.
    pub fn drop_empties(&mut self) {
        self.retain(|r| !r.is_empty());
    }

    /// Changes the order, or the set as a whole.
    pub fn rearrange(&mut self, arrange: impl FnOnce(Vec<Resource>) -> Vec<Resource>) {
        self.index = None;
        self.resources = arrange(std::mem::take(&mut self.resources));
    }

    /// Takes the objects in order.
    pub fn into_resources(self) -> Vec<Resource> {
        self.resources
    }

    /// Writes the documents as kustomize prints them, `---` between them.
    ///
    /// What follows the first [`PARALLEL_BYTES`] is written in parallel, some at a time. Fails with
    /// [`Code::YamlValue`] on the first value that has no JSON form.
    pub fn write(&self, output: &mut Vec<u8>) -> Result<()> {
        let start = output.len();
        for (position, resource) in self.resources.iter().enumerate() {
            let written = output.len() - start;
            if written > PARALLEL_BYTES {
                let size = (written / position).max(1);
                return write_in_parallel(&self.resources[position..], size, output);
            }
            if position > 0 {
                output.extend_from_slice(SEPARATOR);
            }
            write_one(resource, output)?;
        }
        Ok(())
    }
}

/// What stands between two documents.
const SEPARATOR: &[u8] = b"---\n";

/// So much is written before threads are started, which has its price.
const PARALLEL_BYTES: usize = 512 << 10;

/// How much a thread writes at once, about.
const PART_BYTES: usize = 64 << 10;

/// How many parts are in memory beside the output.
const PARTS: usize = 16;

fn write_one(resource: &Resource, output: &mut Vec<u8>) -> Result<()> {
    yaml::write_manifest(output, resource.node()).map_err(|error| resource.value_error(error))
}

/// Writes documents of about `size` bytes, each after a separator.
fn write_in_parallel(resources: &[Resource], size: usize, output: &mut Vec<u8>) -> Result<()> {
    let count = (PART_BYTES / size).max(1);
    output.reserve(resources.len() * size);
    for some in resources.chunks(count * PARTS) {
        let write = |part: &[Resource]| -> Result<Vec<u8>> {
            let mut output = Vec::with_capacity(2 * PART_BYTES);
            for resource in part {
                output.extend_from_slice(SEPARATOR);
                write_one(resource, &mut output)?;
            }
            Ok(output)
        };
        let parts: Vec<_> = some.par_chunks(count).map(write).collect();
        for part in parts {
            output.extend_from_slice(&part?);
        }
    }
    Ok(())
}

impl<'a> IntoIterator for &'a ResMap {
    type Item = &'a Resource;
    type IntoIter = std::slice::Iter<'a, Resource>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

fn has_id_now(resource: &Resource, id: &ResId, namespace: &str) -> bool {
    resource.name() == id.name
        && *resource.gvk() == id.gvk
        && resource.effective_namespace() == namespace
}

fn had_id(resource: &Resource, id: &ResId, namespace: &str) -> bool {
    let gvk = resource.gvk();
    gvk.group == id.gvk.group
        && gvk.version == id.gvk.version
        && resource.history().previous.iter().any(|p| {
            p.name == id.name && p.kind == id.gvk.kind && effective_namespace_of(p) == namespace
        })
}

fn effective_namespace_of(previous: &super::PreviousId) -> &str {
    effective_namespace(super::Scope::Namespaced, &previous.namespace)
}

fn index_of(resources: &[Resource]) -> Index {
    let mut index = Index::with_capacity_and_hasher(resources.len(), BuildHasherDefault::default());
    for (position, resource) in resources.iter().enumerate() {
        register(&mut index, resource, position);
    }
    index
}

fn register(index: &mut Index, resource: &Resource, position: usize) {
    let mut add = |hash| {
        index
            .entry(hash)
            .and_modify(|p| p.insert(position))
            .or_insert(Positions::One(position));
    };
    add(hash_of(
        resource.gvk(),
        resource.kind(),
        resource.effective_namespace(),
        resource.name(),
    ));
    for previous in &resource.history().previous {
        let namespace = effective_namespace_of(previous);
        add(hash_of(
            resource.gvk(),
            &previous.kind,
            namespace,
            &previous.name,
        ));
    }
}

fn hash_of(gvk: &Gvk, kind: &str, namespace: &str, name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&*gvk.group, &*gvk.version, kind, namespace, name).hash(&mut hasher);
    hasher.finish()
}

fn duplicate(first: &Resource, second: &Resource) -> Diagnostic {
    let phrase = format!("{} is declared twice", second.id());
    same(phrase, first, second, "it is first declared")
}

fn same(phrase: String, first: &Resource, second: &Resource, other: &str) -> Diagnostic {
    let error = Diagnostic::new(Code::ResourceDuplicate, phrase).at(second.place());
    match first.place() {
        Some(place) => error.note(format!("{other} at {place}")),
        None => error,
    }
}
