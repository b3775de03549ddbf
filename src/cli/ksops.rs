//! The program under the name `ksops`: what kustomize runs for a generator of that kind.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::identities::{self, KeyCommands};
use super::{Context, Outcome};
use crate::argocd::function;
use crate::diagnostic::{Code, Diagnostic, Origin, Result, Source};
use crate::files::{File, Files, Located, locate};
use crate::secrets::sealing::{
    self, DecryptRequest, Format, Identities, Indents, MacCheck, SealedFile,
};

/// Runs as an exec plugin where an argument names the configuration, else as a KRM function.
pub(super) fn run(context: &Context) -> Outcome {
    let located = locate(Path::new("."), &context.working_directory, None)?;
    let identities = identities::of_the_user(context, KeyCommands::Ignore);
    let open = |name: &str| open(&located, name, &identities);
    let made = match context.arguments.get(1) {
        Some(path) => {
            let path = context.working_directory.join(PathBuf::from(path));
            function::plugin(&context.trusted.read(&path)?, &open)
        }
        None => {
            let input = context.trusted.read_stream(Path::new("/dev/stdin"))?;
            function::function(&input, &open)
        }
    };
    Ok(made?.into())
}

/// Reads a file beside the kustomization; a sealed one as its plaintext, its MAC checked.
fn open(located: &Located, name: &str, identities: &Identities) -> Result<Arc<File>> {
    let path = located.directory.join(name).ok_or_else(|| {
        Diagnostic::new(Code::OutsideRoot, format!("{name} leads out of the root"))
    })?;
    let file = located.tree.read(&path)?;
    if !sealing::is_sealed(&file.bytes, Path::new(path.as_str())) {
        return Ok(file);
    }
    let format = Format::of_path(path.as_str());
    let request = DecryptRequest {
        file: SealedFile {
            name: path.as_str(),
            bytes: &file.bytes,
            format,
        },
        output: format,
        indents: Indents::default(),
        mac: MacCheck::Verify,
        extract: None,
    };
    let (plain, _) = sealing::decrypt(&request, identities)?;
    Ok(Arc::new(File {
        path: path.clone(),
        bytes: plain.as_slice().into(),
        source: Arc::new(Source {
            path: path.as_str().into(),
            origin: Origin::Decrypted,
            secrets: Vec::new().into(),
        }),
    }))
}
