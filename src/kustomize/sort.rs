//! The order of the output.

use std::cmp::Ordering;

use super::Order;
use super::kustomization::SortOptions;
use crate::diagnostic::{Code, Diagnostic, Result, Source};
use crate::kube::{Gvk, ResMap, Resource, order};

/// Sorts as the kustomization says, else as the caller does.
pub(super) fn apply(
    resources: &mut ResMap,
    options: Option<&SortOptions>,
    default: Order,
    source: &Source,
) -> Result<()> {
    let Some(options) = options else {
        if default == Order::Legacy {
            sort(resources, |kind| {
                order::rank(kind, order::FIRST, order::LAST)
            });
        }
        return Ok(());
    };
    let mark = options.order.mark;
    let lists = options.legacy_sort_options.as_ref();
    match (&*options.order.value, lists) {
        ("fifo", None) => Ok(()),
        ("fifo", Some(lists)) => {
            let phrase = "sortOptions.legacySortOptions is set, but the order is fifo";
            Err(Diagnostic::new(Code::KustomizationInvalid, phrase)
                .at(source.place(lists.mark.line, lists.mark.column))
                .help("remove it, or set the order to legacy"))
        }
        ("legacy", None) => {
            sort(resources, |kind| {
                order::rank(kind, order::FIRST, order::LAST)
            });
            Ok(())
        }
        ("legacy", Some(lists)) => {
            sort(resources, |kind| {
                order::rank(kind, &lists.order_first, &lists.order_last)
            });
            Ok(())
        }
        (other, _) => {
            let mark = if mark.line == 0 { options.mark } else { mark };
            let phrase = format!("sortOptions.order must be fifo or legacy, not {other:?}");
            Err(Diagnostic::new(Code::KustomizationInvalid, phrase)
                .at(source.place(mark.line, mark.column)))
        }
    }
}

/// Sorts by rank, then by group, version and kind, then by namespace and name, all as the reference spells
/// what is empty.
fn sort(resources: &mut ResMap, rank: impl Fn(&str) -> i64) {
    resources.rearrange(|resources| {
        let mut keyed: Vec<(i64, Resource)> = resources
            .into_iter()
            .map(|resource| (rank(resource.kind()), resource))
            .collect();
        keyed.sort_by(|(rank_a, a), (rank_b, b)| {
            rank_a
                .cmp(rank_b)
                .then_with(|| compare_gvk(a.gvk(), b.gvk()))
                .then_with(|| {
                    compare_joined(
                        [or(a.namespace(), "~X"), "|", or(a.name(), "~N")],
                        [or(b.namespace(), "~X"), "|", or(b.name(), "~N")],
                    )
                })
        });
        keyed.into_iter().map(|(_, resource)| resource).collect()
    });
}

fn compare_gvk(a: &Gvk, b: &Gvk) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    let order = compare_joined(
        [or(&a.group, "~G"), "_", or(&a.version, "~V"), "_", &a.kind],
        [or(&b.group, "~G"), "_", or(&b.version, "~V"), "_", &b.kind],
    );
    let are_namespaces = a.kind == "Namespace" && b.kind == "Namespace";
    if are_namespaces && (a.group.is_empty() || b.group.is_empty()) {
        order.reverse()
    } else {
        order
    }
}

fn or<'a>(text: &'a str, empty: &'a str) -> &'a str {
    if text.is_empty() { empty } else { text }
}

/// Compares texts as if each list of them were joined.
fn compare_joined<const N: usize>(a: [&str; N], b: [&str; N]) -> Ordering {
    a.iter()
        .flat_map(|part| part.bytes())
        .cmp(b.iter().flat_map(|part| part.bytes()))
}
