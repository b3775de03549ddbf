//! A kustomization as it stands: built and written, and nothing else.

use std::sync::Arc;

use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::files::{File, Files, TreePath};
use crate::kube::Resource;
use crate::kustomize::{self, ChartCall, Generators, ProgramCall, RepositoryAddress};

pub use crate::kustomize::{LoadRestriction, Options, Order};

/// What a build may have done outside of its files.
#[derive(Debug, Default)]
pub struct Outside(());

/// Builds a directory and writes what it gives.
pub fn render(
    files: &dyn Files,
    directory: &TreePath,
    options: &Options,
    outside: &Outside,
) -> Result<(Vec<u8>, Report)> {
    let built = kustomize::build(files, directory, options, outside)?;
    let mut output = Vec::new();
    built.resources.write(&mut output)?;
    Ok((output, built.warnings))
}

fn off(what: &str, flag: &str) -> Diagnostic {
    Diagnostic::new(Code::NotEnabled, format!("{what} is not allowed")).help(format!("pass {flag}"))
}

impl Generators for Outside {
    fn fetch(&self, _: &str) -> Result<Arc<File>> {
        Err(off("fetching files", "--network"))
    }
    fn clone_repository(&self, _: &RepositoryAddress) -> Result<Arc<dyn Files>> {
        Err(off("cloning repositories", "--network"))
    }
    fn generate(&self, _: &Resource, _: &dyn Files, _: &TreePath) -> Result<Option<Arc<File>>> {
        Ok(None)
    }
    fn run(&self, _: &ProgramCall<'_>) -> Result<Vec<u8>> {
        Err(off(
            "running programs",
            "--enable-alpha-plugins --enable-exec",
        ))
    }
    fn chart_values(&self, _: &ChartCall<'_>) -> Result<Arc<File>> {
        Err(off("inflating charts", "--enable-helm"))
    }
    fn inflate(&self, _: &ChartCall<'_>) -> Result<Vec<u8>> {
        Err(off("inflating charts", "--enable-helm"))
    }
}
