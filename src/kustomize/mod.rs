//! Builds a kustomization into a [`ResMap`](crate::kube::ResMap), byte for byte as kustomize v5.7.1 does.

mod decode;
mod fault;
pub(crate) mod fieldspec;
pub(crate) mod fieldspecs;
mod kustomization;
mod label_selector;
mod names;
pub(crate) mod patches;
mod scalar;
pub(crate) mod selector;
pub(crate) mod transformers;
