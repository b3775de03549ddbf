//! `flows`: who may talk to whom under the rendered network policies.

use std::path::{Path, PathBuf};

use super::root::RootArguments;
use super::{Context, Done, Outcome};
use crate::cilium::Query;
use crate::cluster::by_cause;
use crate::cluster::checks::{Assumptions, PodReference, analyse, html, json, table, together};
use crate::diagnostic::{Code, Diagnostic, Result, Severity, Source};

/// Tells which flows the network policies of a render allow, deny or leave open.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The directory of the root kustomization, or one with such directories below it, which are seen together
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Fail when a flow that CloudNativePG needs is dropped, or would be once the policies enforce
    #[arg(long)]
    require: bool,
    /// How it is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// The pods of the operator, where the render does not show them
    #[arg(long, value_name = "NAMESPACE/LABEL=VALUE")]
    operator: Option<String>,
    /// The pods of Prometheus, where the render does not show them
    #[arg(long, value_name = "NAMESPACE/LABEL=VALUE")]
    prometheus: Option<String>,
    /// The pods of the cluster's DNS, where the render does not show them
    #[arg(long, value_name = "NAMESPACE/LABEL=VALUE")]
    dns: Option<String>,
    /// Answer the flows that a file asks for, by Cilium's own rules
    #[arg(long, value_name = "FILE")]
    query: Option<PathBuf>,
    #[command(flatten)]
    root: RootArguments,
}

/// A form of the analysis.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
enum Format {
    /// For a terminal
    #[default]
    Table,
    /// For other tools
    Json,
    /// One page that needs nothing else
    Html,
}

/// Runs the command.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let (flags, path) = (&arguments.root, &arguments.path);
    let cluster = flags.cluster(context, path)?;
    let (objects, said) = together(cluster.landed());
    let mut report = cluster.gaps(flags.is_strict());
    for (_, judged) in cluster.landed() {
        let warnings = judged.landed.warnings.findings.iter().cloned();
        report.findings.extend(warnings);
    }
    let mut report = by_cause(report);
    if let Some(file) = &arguments.query {
        let query = query(context, file)?;
        let answer = query.answer(objects.iter());
        return Ok(Done {
            stdout: cluster.mask.text(&format!("{answer:#}\n")).into_bytes(),
            report: cluster.mask.report(report),
            status: None,
        });
    }
    let assumptions = assumptions(arguments, said)?;
    let analysis = analyse(&objects, &assumptions);
    let stdout = match arguments.format {
        Format::Table => table(&analysis),
        Format::Json => json(&analysis),
        Format::Html => html(&analysis, &title(context, path)),
    };
    if arguments.require {
        // Who asks for it wants to know, and can say by a flag what is in doubt.
        let findings = analysis.require().findings.into_iter();
        report
            .findings
            .extend(findings.map(|f| f.with_severity(Severity::Error)));
    }
    Ok(Done {
        stdout: cluster.mask.text(&stdout).into_bytes(),
        report: cluster.mask.report(report),
        status: None,
    })
}

/// Reads the file of a query.
fn query(context: &Context, file: &Path) -> Result<Query> {
    let bytes = context
        .trusted
        .read(&context.working_directory.join(file))?;
    let source = Source::committed(file.display().to_string());
    Query::parse(&bytes, &source)
}

/// What the page is about: the path, or the name of the directory that it is run in.
fn title(context: &Context, path: &Path) -> String {
    let here = context.working_directory.file_name();
    match here.filter(|_| path == Path::new(".")) {
        Some(name) => name.to_string_lossy().into_owned(),
        None => path.display().to_string(),
    }
}

/// What the project says, and what flags say over it.
fn assumptions(arguments: &Arguments, said: Assumptions) -> Result<Assumptions> {
    let mut assumptions = said;
    for (flag, given, slot) in [
        ("--operator", &arguments.operator, &mut assumptions.operator),
        (
            "--prometheus",
            &arguments.prometheus,
            &mut assumptions.prometheus,
        ),
        ("--dns", &arguments.dns, &mut assumptions.dns),
    ] {
        if let Some(text) = given {
            *slot = reference(flag, text)?;
        }
    }
    Ok(assumptions)
}

/// Reads `namespace/label=value`; the label may hold a `/` of its own.
fn reference(flag: &str, text: &str) -> Result<PodReference> {
    let parts = text
        .split_once('/')
        .and_then(|(namespace, label)| Some((namespace, label.split_once('=')?)));
    match parts {
        Some((namespace, (key, value))) if !namespace.is_empty() && !key.is_empty() => {
            Ok(PodReference::new(namespace, key, value))
        }
        _ => {
            let phrase = format!("{flag} is NAMESPACE/LABEL=VALUE");
            Err(Diagnostic::new(Code::Usage, phrase)
                .help("for example cnpg-system/app.kubernetes.io/name=cloudnative-pg"))
        }
    }
}
