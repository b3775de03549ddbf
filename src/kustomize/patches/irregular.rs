//! Merges a list in which items lack keys, share them, or differ in which they have.
//!
//! What comes out follows from the steps of the reference alone, so these are its steps: the values of the
//! keys are collected from patch and target and reconciled, the pair of items of each is merged, and the
//! items of the target are then put among the merged ones one by one.

use std::collections::BTreeSet;

use super::lists::{Patch, text_of};
use super::strategic::{Directive, Merge, PatchOutcome, clash, take_directive};
use crate::diagnostic::Code;
use crate::kube::merge_keys::FieldShape;
use crate::kustomize::fault::Fault;
use crate::kustomize::scalar;
use crate::yaml::Node;

/// The most items of such a list: merging it takes quadratic time.
const MAX_ITEMS: usize = 4096;

/// The values of the keys of an item, `""` for one that it lacks.
type Values = Vec<String>;

/// An item, by its position in [`Steps::items`].
type Item = usize;

/// Merges the items of a patch into those of a target.
pub(super) fn merge<'s>(
    merge: &Merge<'s>,
    target: &mut Vec<Node>,
    patch: Patch,
    keys: &[&str],
    shape: FieldShape<'s>,
) -> Result<(), Fault> {
    let mut steps = Steps::new(merge, std::mem::take(target), patch, keys, shape)?;
    let order = steps.run()?;
    *target = steps.take(&order);
    Ok(())
}

struct Steps<'m, 's> {
    merge: &'m Merge<'s>,
    shape: FieldShape<'s>,
    /// Every item of both sides.
    items: Vec<Node>,
    target: Vec<Item>,
    /// The items of the patch; `None` when there is none, or it is the target itself.
    patch: Option<Vec<Item>>,
    is_itself: bool,
    keys: Vec<String>,
}

impl<'m, 's> Steps<'m, 's> {
    fn new(
        merge: &'m Merge<'s>,
        target: Vec<Node>,
        patch: Patch,
        keys: &[&str],
        shape: FieldShape<'s>,
    ) -> Result<Self, Fault> {
        let is_itself = matches!(patch, Patch::Itself);
        let count = target.len();
        let mut items = target;
        let patch = match patch {
            Patch::Items(new) => {
                items.extend(new);
                Some((count..items.len()).collect())
            }
            Patch::Nothing | Patch::Itself => None,
        };
        if items.len() > MAX_ITEMS {
            let phrase =
                format!("a list of more than {MAX_ITEMS} items has items without merge keys");
            return Err(Fault::new(Code::PatchLimit, &items[0], phrase));
        }
        Ok(Self {
            merge,
            shape,
            items,
            target: (0..count).collect(),
            patch,
            is_itself,
            keys: keys.iter().map(|&key| key.to_owned()).collect(),
        })
    }

    /// Returns the items of the result in order; an item may come twice.
    fn run(&mut self) -> Result<Vec<Item>, Fault> {
        let mut all = self.all_values();
        if self.keys.len() > 1 {
            reconcile(&mut all);
        }
        if all.is_empty() {
            return Ok(self.target.clone());
        }
        let used = self.used_keys(&all);
        let mut merged: Vec<Item> = Vec::new();
        for values in &all {
            let values = self.values_of(values, &used);
            let Some(item) = self.merge_pair(&values, &used)? else {
                let mut target = std::mem::take(&mut self.target);
                self.set(&mut target, None, &used, &values)?;
                self.target = target;
                continue;
            };
            self.fill_in(item, &values, &used)?;
            self.set(&mut merged, Some(item), &used, &values)?;
        }
        self.put_target_among(merged, &used)
    }

    /// The values of every item, those of the patch first, each once.
    fn all_values(&self) -> Vec<Values> {
        let sides = [self.patch.as_deref().unwrap_or_default(), &self.target];
        let mut seen = BTreeSet::new();
        let values = sides.into_iter().flatten().map(|&item| self.values(item));
        values
            .filter(|values| seen.insert(values.clone()))
            .collect()
    }

    fn values(&self, item: Item) -> Values {
        let item = &self.items[item];
        let value = |key: &String| {
            let is_empty = !key.is_empty() && item.get(key).is_none_or(scalar::is_empty);
            let text = text_of(item, key).filter(|_| !is_empty);
            text.unwrap_or_default().to_owned()
        };
        self.keys.iter().map(value).collect()
    }

    /// The keys for which any item has a value; all of them when none has any.
    fn used_keys(&self, all: &[Values]) -> Vec<usize> {
        let is_used = |&key: &usize| all.iter().any(|values| !values[key].is_empty());
        let used: Vec<usize> = (0..self.keys.len()).filter(is_used).collect();
        if used.is_empty() {
            return (0..self.keys.len()).collect();
        }
        used
    }

    fn values_of(&self, values: &[String], used: &[usize]) -> Values {
        used.iter().map(|&key| values[key].clone()).collect()
    }

    /// Merges the first items of both sides that have these values. `None` when nothing is left.
    fn merge_pair(&mut self, values: &[String], used: &[usize]) -> Result<Option<Item>, Fault> {
        let there = self.first(&self.target, values, used);
        let new = match &self.patch {
            Some(patch) => self.first(patch, values, used),
            None if self.is_itself => there,
            None => None,
        };
        let item = match (there, new) {
            (None, None) => return Ok(None),
            (Some(there), None) => self.settle(there, |merge, node, s| merge.keep(node, s))?,
            (None, Some(new)) => self.settle(new, |merge, node, s| merge.add(node, s))?,
            (Some(there), Some(new)) if there == new => {
                self.settle(new, |merge, node, s| merge.add_within(node, s))?
            }
            (Some(there), Some(new)) => self.merge_items(there, new)?,
        };
        Ok(
            item.filter(|&item| {
                !scalar::is_null(&self.items[item]) && !self.is_empty_mapping(item)
            }),
        )
    }

    fn is_empty_mapping(&self, item: Item) -> bool {
        self.items[item].as_mapping().is_some_and(|m| m.is_empty())
    }

    fn settle(
        &mut self,
        item: Item,
        settle: impl FnOnce(&Merge<'s>, &mut Node, FieldShape<'s>) -> Result<PatchOutcome, Fault>,
    ) -> Result<Option<Item>, Fault> {
        let fate = settle(self.merge, &mut self.items[item], self.shape)?;
        Ok((fate == PatchOutcome::Keep).then_some(item))
    }

    fn merge_items(&mut self, there: Item, new: Item) -> Result<Option<Item>, Fault> {
        if scalar::is_null(&self.items[new]) {
            return Ok(None);
        }
        if scalar::is_null(&self.items[there]) {
            return self.settle(new, |merge, node, s| merge.add(node, s));
        }
        let (target, patch) = (&self.items[there], &self.items[new]);
        match (target.as_mapping(), patch.as_mapping()) {
            (Some(_), Some(_)) => {}
            (None, None) => return Ok(Some(new)),
            _ => return Err(clash(target, patch)),
        }
        let shape = self.merge.identify(self.shape.value, [target, patch]);
        match take_directive(&mut self.items[new])? {
            Directive::Delete => Ok(None),
            Directive::Replace => self.settle(new, |merge, node, s| merge.add_within(node, s)),
            Directive::Merge => {
                let patch = self.items[new].clone();
                self.merge.fields(&mut self.items[there], patch, shape)?;
                Ok(Some(there))
            }
        }
    }

    /// The first item that has all of the values that are not empty, or empty ones when all are.
    fn first(&self, side: &[Item], values: &[String], used: &[usize]) -> Option<Item> {
        let mut wanted: Vec<(&str, &str)> = used
            .iter()
            .zip(values)
            .map(|(&key, value)| (self.keys[key].as_str(), value.as_str()))
            .collect();
        if wanted.iter().any(|(_, value)| !value.is_empty()) {
            wanted.retain(|(_, value)| !value.is_empty());
        }
        let fits = |&&item: &&Item| {
            wanted
                .iter()
                .all(|(key, value)| text_of(&self.items[item], key) == Some(value))
        };
        side.iter().find(fits).copied()
    }

    /// Gives a merged item the keys by which it was found.
    fn fill_in(&mut self, item: Item, values: &[String], used: &[usize]) -> Result<(), Fault> {
        for (&key, value) in used.iter().zip(values) {
            let key = &self.keys[key];
            let node = &mut self.items[item];
            if value.is_empty() || key.is_empty() || node.get(key).is_some() {
                continue;
            }
            let wrong = Fault::wrong_sort(node, "a mapping");
            let mapping = node.as_mapping_mut().ok_or(wrong)?;
            scalar::insert_untagged(mapping, key, value);
        }
        Ok(())
    }

    /// Replaces the items of a list that have the values, or removes them; adds the item when none has.
    ///
    /// An empty value means any. Null and empty items go.
    fn set(
        &self,
        list: &mut Vec<Item>,
        element: Option<Item>,
        used: &[usize],
        values: &[String],
    ) -> Result<(), Fault> {
        let sets_mapping =
            !self.keys[used[0]].is_empty() && values.first().is_some_and(|v| !v.is_empty());
        let mut is_found = false;
        let mut result = Vec::with_capacity(list.len() + 1);
        for &item in list.iter() {
            let node = &self.items[item];
            if scalar::is_null(node) || self.is_empty_mapping(item) {
                continue;
            }
            if node.as_mapping().is_none() && sets_mapping {
                result.push(item);
                continue;
            }
            if self.has_values(node, used, values)? {
                is_found = true;
                result.extend(element);
            } else if !values.is_empty() {
                result.push(item);
            }
        }
        *list = result;
        if let Some(element) = element
            && !is_found
            && !scalar::is_null(&self.items[element])
        {
            list.push(element);
        }
        Ok(())
    }

    /// Keys without a value of their own are as the key before them.
    fn has_values(&self, node: &Node, used: &[usize], values: &[String]) -> Result<bool, Fault> {
        if values.is_empty() {
            return Ok(false);
        }
        for (&key, value) in used.iter().zip(values) {
            let key = self.keys[key].as_str();
            if key.is_empty() && node.scalar_text().is_none() {
                return Err(Fault::wrong_sort(node, "a single value"));
            }
            if !key.is_empty() && node.as_mapping().is_none() {
                return Err(Fault::wrong_sort(node, "a mapping"));
            }
            let text = text_of(node, key);
            let fits = match value.as_str() {
                "" if !key.is_empty() => text.is_some(),
                value => text == Some(value),
            };
            if !fits {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Puts the items of the target among the merged ones, each in the place of what has its keys.
    fn put_target_among(&self, merged: Vec<Item>, used: &[usize]) -> Result<Vec<Item>, Fault> {
        let mut result = merged;
        for &item in &self.target {
            let node = &self.items[item];
            let mut values = Vec::new();
            for &key in used {
                let key = self.keys[key].as_str();
                if !key.is_empty() && node.as_mapping().is_none() && !scalar::is_null(node) {
                    return Err(Fault::wrong_sort(node, "a mapping"));
                }
                match text_of(node, key) {
                    Some(text) => values.push(text.to_owned()),
                    None => result.push(item),
                }
            }
            if used.len() > 1 {
                self.set(&mut result, None, used, &values)?;
            }
            self.set(&mut result, Some(item), used, &values)?;
        }
        Ok(result)
    }

    fn take(&self, order: &[Item]) -> Vec<Node> {
        order.iter().map(|&item| self.items[item].clone()).collect()
    }
}

/// Makes the values of two items one when they agree but for values that one of them lacks.
fn reconcile(all: &mut [Values]) {
    for i in 0..all.len() {
        let mine = all[i].clone();
        for j in 0..all.len() {
            if let Some(common) = common(&mine, &all[j]) {
                all[i].clone_from(&common);
                all[j] = common;
            }
        }
    }
}

/// What two items have in common; `None` when they disagree, or share nothing.
fn common(mine: &[String], other: &[String]) -> Option<Values> {
    let mut shares = false;
    let mut result = Vec::with_capacity(mine.len());
    for (a, b) in mine.iter().zip(other) {
        shares |= a == b;
        if a != b && !a.is_empty() && !b.is_empty() {
            return None;
        }
        result.push(if a.is_empty() { b } else { a }.clone());
    }
    shares.then_some(result)
}
