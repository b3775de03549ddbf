//! Every test that is code of its own, in one program.

mod argocd;
mod expand;
mod flux;
mod layers;
mod readme;
mod remote;
mod sops_fuzz;
mod sops_mutations;
mod sops_sealing;
mod words;
