//! Which Kustomizations can be rendered now, and which wait for what never comes.

use std::collections::{BTreeMap, BTreeSet};

use super::kustomization::{Id, Kustomization};
use super::variables::Objects;
use crate::diagnostic::{Code, Diagnostic, Report};

/// How much of what a Kustomization waits for must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patience {
    /// What it depends on, and every object that it takes variables from.
    All,
    /// As [`Self::All`], but objects that may be missing.
    Needed,
    /// What it depends on.
    Order,
    /// Nothing.
    Nothing,
}

impl Patience {
    /// From the most patient to the least.
    pub(super) const EACH: [Self; 4] = [Self::All, Self::Needed, Self::Order, Self::Nothing];

    /// Whether a Kustomization has waited enough.
    pub(super) fn is_met(
        self,
        kustomization: &Kustomization,
        done: &BTreeSet<Id>,
        objects: &Objects,
    ) -> bool {
        let ordered = kustomization
            .depends_on
            .iter()
            .all(|(id, _)| done.contains(id));
        let from = kustomization.post_build.iter().flat_map(|p| &p.from);
        let mut from = from.filter(|source| !objects.contains(&source.object));
        match self {
            Self::All => ordered && from.next().is_none(),
            Self::Needed => ordered && from.all(|source| source.optional),
            Self::Order => ordered,
            Self::Nothing => true,
        }
    }
}

/// Tells of dependencies that do not exist, and of cycles.
///
/// `waiting` are the Kustomizations whose dependencies are not all done; `known` are all there are.
pub(super) fn stuck(waiting: &[&Kustomization], known: &BTreeSet<Id>) -> Report {
    let mut report = Report::default();
    for kustomization in waiting {
        for (id, place) in &kustomization.depends_on {
            if known.contains(id) {
                continue;
            }
            let phrase = format!(
                "{} depends on {id}, which does not exist",
                kustomization.shown()
            );
            let mut finding = Diagnostic::new(Code::FluxMissing, phrase)
                .at(place.clone())
                .note("the controller never applies it");
            if let Some(near) = near(id, known) {
                finding = finding.note(format!("there is {near}"));
            }
            report.push(finding);
        }
    }
    report.findings.extend(cycles(waiting));
    report
}

/// The Kustomization that a name may have been meant for: of the same name, or a similar one.
pub(super) fn near<'a>(id: &Id, known: &'a BTreeSet<Id>) -> Option<&'a Id> {
    let same = known.iter().find(|k| k.name == id.name);
    same.or_else(|| {
        let name = crate::diagnostic::nearest(&id.name, known.iter().map(|k| k.name.as_str()))?;
        known.iter().find(|k| k.name == name)
    })
}

/// One finding for each cycle.
fn cycles(waiting: &[&Kustomization]) -> Vec<Diagnostic> {
    let by_id: BTreeMap<&Id, &Kustomization> = waiting.iter().map(|k| (&k.id, *k)).collect();
    let mut settled: BTreeSet<&Id> = BTreeSet::new();
    let mut found = Vec::new();
    for start in waiting {
        let mut path: Vec<&Id> = Vec::new();
        let mut current = Some(&start.id);
        // Each is stuck on at least one of the others: following the first of these meets every cycle once.
        while let Some(id) = current.filter(|id| !settled.contains(id)) {
            if let Some(at) = path.iter().position(|seen| *seen == id) {
                found.push(cycle(&path[at..], &by_id));
                break;
            }
            path.push(id);
            let next = by_id.get(id).into_iter().flat_map(|k| &k.depends_on);
            current = next.map(|(id, _)| id).find(|id| by_id.contains_key(id));
        }
        settled.extend(path);
    }
    found
}

fn cycle(path: &[&Id], by_id: &BTreeMap<&Id, &Kustomization>) -> Diagnostic {
    let chain: Vec<String> = path
        .iter()
        .chain(path.first())
        .map(ToString::to_string)
        .collect();
    let first = by_id[path[0]];
    let phrase = match path.len() {
        1 => format!("{} depends on itself", first.shown()),
        _ => format!("Kustomizations wait for each other: {}", chain.join(" -> ")),
    };
    let place = first
        .depends_on
        .first()
        .and_then(|(_, place)| place.clone());
    Diagnostic::new(Code::FluxCycle, phrase)
        .at(place)
        .note("the controller never applies them")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(name: &str) -> Id {
        Id {
            namespace: "n".to_owned(),
            name: name.to_owned(),
        }
    }

    fn kustomization(name: &str, depends_on: &[&str]) -> Kustomization {
        let mut read = Kustomization::of_path(id(name), "x");
        read.depends_on = depends_on.iter().map(|d| (id(d), None)).collect();
        read
    }

    #[test]
    fn each_cycle_is_told_once_and_missing_ones_with_what_is_near() {
        let all = [
            kustomization("a", &["b"]),
            kustomization("b", &["c"]),
            kustomization("c", &["b"]),
            kustomization("d", &["d"]),
            kustomization("e", &["atlas"]),
        ];
        let known = all
            .iter()
            .map(|k| k.id.clone())
            .chain([id("atlass")])
            .collect();
        let waiting: Vec<&Kustomization> = all.iter().collect();
        let report = stuck(&waiting, &known);
        let phrases: Vec<&str> = report.findings.iter().map(Diagnostic::phrase).collect();
        assert_eq!(
            phrases,
            [
                "Kustomization n/e depends on n/atlas, which does not exist",
                "Kustomizations wait for each other: n/b -> n/c -> n/b",
                "Kustomization n/d depends on itself",
            ]
        );
        assert_eq!(report.findings[0].notes()[1], "there is n/atlass");
    }
}
