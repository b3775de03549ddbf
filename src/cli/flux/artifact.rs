//! `flux artifact`: an OCI layout that both hosts take.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Escape, SecretsArgument};
use crate::cli::root::RootArguments;
use crate::cli::{Context, Done, Outcome};
use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::files::{Files, OutputFile, OutputTree, Stale, Tree, TreePath};
use crate::flux::artifact::{Description, LayerType, pack};
use crate::flux::contents;
use crate::flux::protect::protect;
use crate::kube::layout;
use crate::pipeline::{self, Flux, Host, Request};

/// What `flux artifact` is asked for.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// What is packed: a directory that is rendered, or one that `render -o DIR/` or `expand` wrote,
    /// which is packed as it is
    #[arg(default_value = ".")]
    path: PathBuf,
    /// The directory of the OCI layout
    #[arg(long, short, value_name = "DIR")]
    output: PathBuf,
    /// Pack the files of PATH as they are
    #[arg(long)]
    as_is: bool,
    /// The tag by which oras and skopeo find the artifact in the layout
    #[arg(long, default_value = "latest")]
    tag: String,
    /// The URL of the repository that the manifests come from
    #[arg(long, value_name = "URL")]
    source: Option<String>,
    /// The revision that the manifests come from, as BRANCH@sha1:COMMIT
    #[arg(long)]
    revision: Option<String>,
    /// An annotation of the artifact: key=value; may be repeated
    #[arg(long, short, value_name = "KEY=VALUE")]
    annotation: Vec<String>,
    /// When the artifact was made, such as the time of the commit (RFC 3339); 1970 when absent
    #[arg(long, value_name = "TIME")]
    created: Option<String>,
    /// Use Flux's own type of layer, which Argo CD refuses
    #[arg(long)]
    flux_media_types: bool,
    /// What leaves the plugin where a file is sealed; a registry is not the place for plaintext
    #[arg(long, value_enum, default_value = "keep", conflicts_with = "as_is")]
    secrets: SecretsArgument,
    /// What is done with `${…}` in rendered manifests, which Flux would fill again
    #[arg(
        long,
        value_enum,
        default_value = "annotate",
        conflicts_with = "as_is",
        value_name = "HOW"
    )]
    flux_escape: Escape,
    /// Write nothing; fail with 4 when the layout would change
    #[arg(long)]
    check: bool,
    /// Pack even when nothing is rendered, with which Flux deletes all that it applied
    #[arg(long)]
    allow_empty: bool,
    #[command(flatten)]
    root: RootArguments,
}

/// Packs, and prints the digest.
pub(super) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let description = description(arguments)?;
    let secrets = arguments.secrets.into();
    let mut report = Report::default();
    let root = &arguments.root;
    let files = root.with(context, &arguments.path, secrets, |request, located| {
        let (tree, directory) = (&located.tree, request.directory);
        match arguments.as_is || contents::is_written(tree, directory)? {
            true => Ok(contents::of_directory(tree, directory)?),
            false => rendered(arguments, request, tree, &mut report),
        }
    })?;
    let packed = pack(&files, &description).map_err(|error| {
        let phrase = format!("the files cannot be packed: {}", error.kind());
        Diagnostic::new(Code::WriteFailed, phrase)
    })?;
    let output = context.working_directory.join(&arguments.output);
    let tree = output_tree(&output, packed.files)?;
    if arguments.check {
        report.findings.extend(tree.check().findings);
    } else {
        tree.write()?;
    }
    Ok(Done {
        stdout: format!("{}\n", packed.digest).into_bytes(),
        report,
        ..Done::default()
    })
}

/// The layout's files; a directory that holds something else is not touched.
fn output_tree(output: &Path, files: BTreeMap<String, Vec<u8>>) -> Result<OutputTree> {
    let mut tree = OutputTree::new(output, Stale::Remove);
    let is_layout = tree.present().is_empty()
        || TreePath::parse("oci-layout").is_some_and(|path| tree.exists(&path));
    if !is_layout {
        let shown = output.display();
        let phrase = format!("{shown} holds files and is no OCI layout");
        return Err(Diagnostic::new(Code::Usage, phrase).help("name an empty directory with -o"));
    }
    for (name, bytes) in files {
        let path = TreePath::parse(&name).expect("a layout stays in its directory");
        tree.insert(path, OutputFile::new(bytes));
    }
    Ok(tree)
}

/// One file an object, and the kustomization that lists them.
fn rendered(
    arguments: &Arguments,
    request: &Request<'_>,
    tree: &Arc<Tree>,
    report: &mut Report,
) -> Result<BTreeMap<String, Vec<u8>>, Report> {
    let host = |flux| Host {
        allow_empty: arguments.allow_empty,
        flux,
        ..Host::default()
    };
    let render = |host: &Host| {
        let host = Some(host);
        pipeline::render(
            &Request {
                host,
                ..request.clone()
            },
            Arc::clone(tree) as Arc<dyn Files>,
        )
    };
    let mut rendered = match render(&host(None)) {
        // What the controller does with such a directory: it lists what is there.
        Err(report) if report.findings.iter().any(lacks_kustomization) => {
            render(&host(Some(Flux::default())))?
        }
        rendered => rendered?,
    };
    report.findings.append(&mut rendered.warnings.findings);
    let protected = protect(&mut rendered.resources, arguments.flux_escape.into());
    report.findings.extend(protected.findings);
    let laid_out = layout::files(&rendered.resources)?;
    let list = contents::kustomization(laid_out.keys());
    let files = laid_out.into_iter().map(|(name, file)| (name, file.bytes));
    let mut files: BTreeMap<_, _> = files.collect();
    files.insert("kustomization.yaml".to_owned(), list);
    Ok(files)
}

fn lacks_kustomization(finding: &Diagnostic) -> bool {
    finding.code() == Code::KustomizationMissing && finding.trail().is_empty()
}

fn description(arguments: &Arguments) -> Result<Description> {
    let usage = |phrase: String| Diagnostic::new(Code::Usage, phrase);
    let mut annotations = Vec::new();
    for text in &arguments.annotation {
        let (key, value) = text
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| usage(format!("--annotation {text} is not KEY=VALUE")))?;
        annotations.push((key.to_owned(), value.to_owned()));
    }
    let created = arguments.created.as_deref();
    if let Some(text) = created.filter(|t| t.parse::<jiff::Timestamp>().is_err()) {
        return Err(usage(format!("--created {text} is no time of RFC 3339"))
            .help("write it as 2026-07-01T12:00:00Z; `git log -1 --format=%cI` prints one"));
    }
    let tag = &arguments.tag;
    let first = tag
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
    let rest = tag
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    if !(first && rest && tag.len() <= 128) {
        return Err(usage(format!("`{tag}` is no tag")).help(
            "a tag has up to 128 letters, digits, `_`, `.` and `-`, and begins with none of the last two",
        ));
    }
    Ok(Description {
        source: arguments.source.clone(),
        revision: arguments.revision.clone(),
        created: created.map(str::to_owned),
        annotations,
        tag: Some(tag.clone()),
        layer: if arguments.flux_media_types {
            LayerType::Flux
        } else {
            LayerType::Oci
        },
    })
}
