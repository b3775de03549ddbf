//! Objects of CRDs: what the API server's own code does with a structural schema, in its order.
//!
//! `k8s.io/apiextensions-apiserver/pkg/apiserver/schema` v0.34 is the reference: `pruning/algorithm.go`,
//! `defaulting/algorithm.go` (`PruneNonNullableNullsWithoutDefaults` before it), `pkg/apiserver/validation/validation.go`
//! over kube-openapi, `listtype/validation.go`, and `cel/validation.go`. CEL rules are run only where nothing else is
//! wrong with types, as there. The cases of testdata/admission pin each step.

mod defaults;
mod prune;
pub(super) mod rules;
mod schema;

pub(super) use defaults::{set as set_defaults, zeros as set_zeros};
pub(super) use prune::{drop_nulls, prune, suggest};
pub(super) use rules::check as check_rules;
pub(super) use schema::{lists, name_of, validate};
