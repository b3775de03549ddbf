//! The pre-render plugin: from a Git directory to Kubernetes manifests, in one process and in memory.
//!
//! Data runs one way. Up to the build each stage is a *view*: it implements [`files::Files`] over the
//! one below, and works on a file when the build asks for it. From the build on, each stage takes the
//! last one's output by value. [`pipeline::render`] joins them; start reading there.
//!
//! | room | does |
//! |---|---|
//! | [`cli`] | reads arguments and environment into a request, prints, exits |
//! | [`init`], [`expand`], [`doctor`] | the commands of those names |
//! | [`cluster`] | what is applied: the roots, and their objects as their hosts hold them |
//! | [`argocd`], [`flux`] | what a host does around a build |
//! | [`pipeline`] | joins the stages |
//! | [`generators`] | what a build has done outside of kustomize |
//! | [`project`] | the project file, its values and its templates |
//! | [`secrets`] | what was sealed, and what may leave of it |
//! | [`admission`] | gives the API server's verdict on an object |
//! | [`validate`] | judges finished manifests; network flows |
//! | [`cilium`] | Cilium's verdicts: which policies count, and what they let pass |
//! | [`substitute`] | fills `${name}` after the build, as Flux does |
//! | [`overlay`] | prepared components that are attached to the root of a build |
//! | [`kustomize`] | builds a kustomization, byte for byte as kustomize does |
//! | [`values`], [`template`] | a cluster's values; Jinja as makejinja renders it |
//! | [`sops`] | opens and seals SOPS documents |
//! | [`kube`] | objects as Kubernetes sees them |
//! | [`yaml`] | the document model: nodes with order, comments, style and place |
//! | [`programs`] | the only door to processes and connections |
//! | [`files`] | reads below one root |
//! | [`go`] | what Go's standard library does where our bytes depend on it |
//! | [`diagnostic`] | the one error type |

pub mod admission;
pub mod argocd;
pub mod cilium;
pub mod cli;
pub mod cluster;
pub mod diagnostic;
pub mod doctor;
pub mod expand;
pub mod files;
pub mod flux;
pub mod generators;
pub mod go;
pub mod init;
pub mod kube;
pub mod kustomize;
pub mod overlay;
pub mod pipeline;
pub mod programs;
pub mod project;
pub mod secrets;
pub mod sops;
pub mod substitute;
pub mod template;
pub mod validate;
pub mod values;
pub mod yaml;
