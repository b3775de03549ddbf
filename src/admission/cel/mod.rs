//! The Common Expression Language as the API server uses it: parse, check, evaluate under a bound.
//!
//! cel-go v0.26 with the options of `k8s.io/apiserver/pkg/cel/environment/base.go` v1.34 is the reference: the standard
//! functions and macros, strings, lists, sets, optional values and two-variable comprehensions, and the API server's
//! own regex, URL, IP, CIDR, quantity, semver and format functions. Values come straight from a JSON document, typed by
//! its schema (`apiextensions-apiserver/pkg/apiserver/schema/cel`): a date-time is a timestamp, a set is compared
//! without order. What differs on purpose: the cost is counted in our own steps, under one bound ([`eval::Budget`]),
//! and `authorizer` is not known, since there is no cluster to ask. The cases of testdata/admission pin it.

mod ast;
mod check;
mod eval;
mod functions;
mod lexer;
mod library;
mod parser;
mod value;

pub(crate) use ast::Program;
pub(crate) use check::{Environment, Ty, check, type_of};
pub(crate) use eval::{Budget, Scope, evaluate};
pub(crate) use value::{Cel, Typed};
