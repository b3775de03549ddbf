//! What a kustomization changes in the objects that it has.
//!
//! Each transformer is a function over a [`ResMap`](crate::kube::ResMap) and takes the fields of the
//! kustomization as they are written.

pub(crate) mod affix;
pub(crate) mod annotations;
pub(crate) mod images;
pub(crate) mod labels;
pub(crate) mod namespace;
pub(crate) mod replacements;
pub(crate) mod replicas;
