//! Merges lists item by item.
//!
//! Items are matched by the values of the merge keys. The usual list, whose items all have their keys and
//! differ in them, is merged in one pass. Every other list goes the way of the reference step by step, since
//! what becomes of items without a key follows from its steps and from nothing else.

use std::collections::BTreeMap;

use super::irregular;
use super::strategic::{
    DIRECTIVE, Directive, Merge, PatchOutcome, parse_directive, take_directive as take,
};
use crate::kube::merge_keys::{FieldShape, MergeKeys, Shape};
use crate::kustomize::fault::Fault;
use crate::kustomize::scalar;
use crate::yaml::{Mark, Node};

/// What a list of a target meets.
pub(super) enum Patch {
    /// Nothing.
    Nothing,
    /// Itself: the patch adds the list.
    Itself,
    /// The list of a patch.
    Items(Vec<Node>),
}

/// Takes the directive out of a list: an item that holds nothing else, the first with a directive.
pub(super) fn take_directive(items: &mut Vec<Node>, mark: Mark) -> Result<Directive, Fault> {
    let first = items.iter().find_map(|item| {
        let mapping = item.as_mapping()?;
        mapping.get(DIRECTIVE).map(|value| (mapping.len(), value))
    });
    let Some((1, value)) = first else {
        return Ok(Directive::Merge);
    };
    let directive = parse_directive(&value.clone().with_mark(mark))?;
    let text = value.scalar_text().unwrap_or_default().to_owned();
    // Every item with this directive goes, and every empty one.
    items.retain(|item| {
        !scalar::is_null(item)
            && item.as_mapping().is_none_or(|mapping| {
                !mapping.is_empty()
                    && mapping.get(DIRECTIVE).and_then(Node::scalar_text) != Some(&text)
            })
    });
    Ok(directive)
}

/// Merges the items of a patch into those of a target.
pub(super) fn merge<'s>(
    merge: &Merge<'s>,
    target: &mut Vec<Node>,
    patch: Patch,
    keys: MergeKeys<'s>,
    item: Shape<'s>,
) -> Result<(), Fault> {
    let keys: Vec<&str> = if keys.is_empty() {
        vec![""]
    } else {
        keys.iter().collect()
    };
    let new: &[Node] = match &patch {
        Patch::Items(items) => items,
        Patch::Nothing | Patch::Itself => &[],
    };
    if target.is_empty() && new.is_empty() {
        return Ok(());
    }
    let item = FieldShape {
        value: item,
        merge: None,
    };
    match Regular::of(target, new, &keys) {
        Some(regular) => regular.merge(merge, target, patch, item),
        None => irregular::merge(merge, target, patch, &keys, item),
    }
}

/// The text by which an item is matched: that of a field, or for an empty key its own.
///
/// `None` where there is no such field; lists and mappings have an empty text.
pub(super) fn text_of<'n>(item: &'n Node, key: &str) -> Option<&'n str> {
    let value = if key.is_empty() {
        item
    } else {
        item.as_mapping()?.get(key)?
    };
    Some(value.scalar_text().unwrap_or_default())
}

/// A usual list: all items have the same keys, and their values differ within each side.
struct Regular<'k> {
    /// The keys that the items have.
    keys: Vec<&'k str>,
}

/// The values of an item's keys.
type Identity = Vec<String>;

/// An item of the target, until it has found its place.
struct Slot {
    item: Option<Node>,
    is_settled: bool,
}

impl<'k> Regular<'k> {
    fn of(target: &[Node], new: &[Node], keys: &[&'k str]) -> Option<Self> {
        let first = target.first().or(new.first())?;
        let used: Vec<&str> = keys.iter().copied().filter(|key| has(first, key)).collect();
        if used.first() != keys.first() {
            return None;
        }
        let regular = Self { keys: used };
        let fits = |item: &Node| {
            keys.iter()
                .all(|key| has(item, key) == regular.keys.contains(key))
        };
        let is_regular = target.iter().chain(new).all(fits)
            && regular.all_differ(target)
            && regular.all_differ(new);
        is_regular.then_some(regular)
    }

    fn all_differ(&self, items: &[Node]) -> bool {
        let mut identities: Vec<Vec<&str>> =
            items.iter().map(|i| self.texts(i).collect()).collect();
        identities.sort_unstable();
        identities.windows(2).all(|pair| pair[0] != pair[1])
    }

    fn texts<'n>(&self, item: &'n Node) -> impl Iterator<Item = &'n str> {
        self.keys
            .iter()
            .map(|key| text_of(item, key).unwrap_or_default())
    }

    fn identity(&self, item: &Node) -> Identity {
        self.texts(item).map(str::to_owned).collect()
    }

    fn merge<'s>(
        &self,
        merge: &Merge<'s>,
        target: &mut Vec<Node>,
        patch: Patch,
        item: FieldShape<'s>,
    ) -> Result<(), Fault> {
        match patch {
            Patch::Nothing => visit(target, |node| merge.keep(node, item)),
            Patch::Itself => visit(target, |node| merge.add_within(node, item)),
            Patch::Items(new) => self.merge_items(merge, target, new, item),
        }
    }

    fn merge_items<'s>(
        &self,
        merge: &Merge<'s>,
        target: &mut Vec<Node>,
        new: Vec<Node>,
        item: FieldShape<'s>,
    ) -> Result<(), Fault> {
        let identities = target.iter().map(|node| self.identity(node));
        let positions: BTreeMap<Identity, usize> = identities.zip(0..).collect();
        let mut old: Vec<Slot> = std::mem::take(target).into_iter().map(Slot::new).collect();
        // With one key the patch orders the items; with several, those that were there stay behind the new.
        let is_ordered_by_patch = self.keys.len() == 1;
        for mut patch in new {
            let Some(&at) = positions.get(&self.identity(&patch)) else {
                if merge.add(&mut patch, item)? == PatchOutcome::Keep && !scalar::is_empty(&patch) {
                    target.push(patch);
                }
                continue;
            };
            old[at].meet(merge, patch, item)?;
            if is_ordered_by_patch {
                target.extend(old[at].item.take());
            }
        }
        for slot in old {
            target.extend(slot.settle(merge, item)?);
        }
        Ok(())
    }
}

/// Whether an item has a value for a key.
fn has(item: &Node, key: &str) -> bool {
    let is_sort = match key {
        "" => item.scalar_text().is_some() && !scalar::is_null(item),
        key => item
            .get(key)
            .is_some_and(|value| value.scalar_text().is_some() && !scalar::is_null(value)),
    };
    is_sort && text_of(item, key).is_some_and(|text| !text.is_empty())
}

impl Slot {
    fn new(item: Node) -> Self {
        Self {
            item: Some(item),
            is_settled: false,
        }
    }

    /// Merges the item of the patch that has the same keys.
    fn meet<'s>(
        &mut self,
        merge: &Merge<'s>,
        mut patch: Node,
        shape: FieldShape<'s>,
    ) -> Result<(), Fault> {
        let Some(item) = self
            .item
            .as_mut()
            .filter(|item| item.as_mapping().is_some())
        else {
            return Ok(());
        };
        self.is_settled = true;
        let shape = merge.identify(shape.value, [&*item, &patch]);
        match take(&mut patch)? {
            Directive::Merge => merge.fields(item, patch, shape)?,
            Directive::Delete => self.item = None,
            // The reference puts the old item back in the place of the new one.
            Directive::Replace => {}
        }
        Ok(())
    }

    fn settle<'s>(
        mut self,
        merge: &Merge<'s>,
        shape: FieldShape<'s>,
    ) -> Result<Option<Node>, Fault> {
        if let Some(item) = self.item.as_mut().filter(|_| !self.is_settled)
            && merge.keep(item, shape)? == PatchOutcome::Remove
        {
            return Ok(None);
        }
        Ok(self.item.filter(|item| !scalar::is_empty(item)))
    }
}

/// Settles every item and drops those that are to go, and those that are empty then.
fn visit(
    items: &mut Vec<Node>,
    mut settle: impl FnMut(&mut Node) -> Result<PatchOutcome, Fault>,
) -> Result<(), Fault> {
    let mut fault = None;
    items.retain_mut(|item| {
        if fault.is_some() {
            return true;
        }
        match settle(item) {
            Ok(fate) => fate == PatchOutcome::Keep && !scalar::is_empty(item),
            Err(error) => {
                fault = Some(error);
                true
            }
        }
    });
    fault.map_or(Ok(()), Err)
}
