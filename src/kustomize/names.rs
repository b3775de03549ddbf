//! Finds objects by a name that they have or had, without looking at all of them each time.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use compact_str::CompactString;

use crate::kube::{ResMap, Resource};

/// The positions of objects by every name that they have or had.
///
/// Built when it is first asked. Names that are no more stay: whoever asks looks at the object itself.
#[derive(Debug, Default)]
pub(crate) struct Names {
    positions: Option<BTreeMap<CompactString, Vec<usize>>>,
}

impl Names {
    /// The positions, in order, of the objects that may have or have had a name; all for an empty one.
    pub(crate) fn candidates(
        &mut self,
        resources: &ResMap,
        name: &str,
    ) -> Box<dyn Iterator<Item = usize>> {
        if name.is_empty() {
            return Box::new(0..resources.len());
        }
        let positions = self.positions.get_or_insert_with(|| index(resources));
        let found = positions.get(name).cloned().unwrap_or_default();
        Box::new(found.into_iter())
    }

    /// As [`Self::candidates`], for names that start with a text.
    pub(crate) fn starting_with(
        &mut self,
        resources: &ResMap,
        start: &str,
    ) -> Box<dyn Iterator<Item = usize>> {
        if start.is_empty() {
            return Box::new(0..resources.len());
        }
        let positions = self.positions.get_or_insert_with(|| index(resources));
        let from = positions.range::<str, _>((Bound::Included(start), Bound::Unbounded));
        let found = from.take_while(|(name, _)| name.starts_with(start));
        let found: BTreeSet<usize> = found.flat_map(|(_, at)| at).copied().collect();
        Box::new(found.into_iter())
    }

    /// Takes note of the names of an object that was changed.
    pub(crate) fn note(&mut self, at: usize, object: &Resource) {
        if let Some(positions) = &mut self.positions {
            register(positions, at, object);
        }
    }
}

fn index(resources: &ResMap) -> BTreeMap<CompactString, Vec<usize>> {
    let mut positions = BTreeMap::new();
    for (at, object) in resources.iter().enumerate() {
        register(&mut positions, at, object);
    }
    positions
}

fn register(positions: &mut BTreeMap<CompactString, Vec<usize>>, at: usize, object: &Resource) {
    let previous = object.history().previous.iter().map(|p| &*p.name);
    for name in previous.chain([object.name()]) {
        match positions.get_mut(name) {
            Some(found) => {
                if let Err(place) = found.binary_search(&at) {
                    found.insert(place, at);
                }
            }
            None => {
                positions.insert(name.into(), vec![at]);
            }
        }
    }
}
