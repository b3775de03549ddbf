//! `admit`: the API server's verdict on the objects of a file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::{Context, Done, Outcome};
use crate::admission::{self, Cause, Causes, Judge, Reading, Sending, Verdict, Versions};
use crate::diagnostic::{Code, Diagnostic, ExitStatus, Report, Result, Source};
use crate::kube::Resource;
use crate::yaml::{self, DuplicateKeys, ParseOptions};

/// Tells for each object of a file whether an API server would take it, and how it would be stored.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A file of YAML or JSON documents
    file: PathBuf,
    /// The objects as they are in the cluster: what may not change is refused, too
    #[arg(long, value_name = "FILE")]
    old: Option<PathBuf>,
    /// Judge as a server-side apply, strict, rather than as a plain request; operators' webhooks are then not asked
    #[arg(long, value_enum)]
    apply: Option<Apply>,
    /// How the verdict is printed
    #[arg(short, long, value_enum, default_value_t)]
    output: Output,
    #[command(flatten)]
    versions: VersionArguments,
    /// A kind that the cluster does not have, such as VolumeSnapshot
    #[arg(long, value_name = "KIND")]
    without: Vec<String>,
}

/// The versions of the cluster that judges.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct VersionArguments {
    /// The version of Kubernetes whose verdict is asked for; the newest that is known if it is not given
    #[arg(long, value_name = "VERSION")]
    pub(super) kube_version: Option<String>,
    /// The version of CloudNativePG; the newest that is known if it is not given
    #[arg(long, value_name = "VERSION")]
    pub(super) cnpg_version: Option<String>,
}

impl VersionArguments {
    /// The versions that are meant. Fails with [`Code::Usage`] on one that is not built in.
    pub(super) fn find(&self) -> Result<Versions> {
        Versions::find(self.kube_version.as_deref(), self.cnpg_version.as_deref())
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Apply {
    /// As `kubectl apply --server-side`, Flux, and Argo CD with ServerSideApply
    Server,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Output {
    /// One line an object, and its causes
    #[default]
    Text,
    /// One object of JSON, or a list of them where the file has several
    Json,
}

/// Runs the command.
pub(crate) fn run(context: &Context, arguments: &Arguments) -> Outcome {
    let mut judge = Judge::new(arguments.versions.find()?);
    // The recorded server-side applies are those of an API server without operators.
    if arguments.apply.is_none() {
        judge.hook_operators(&arguments.without);
    }
    let documents = read(context, &arguments.file)?;
    let old = match &arguments.old {
        Some(file) => read(context, file)?,
        None => Vec::new(),
    };
    let sending = match arguments.apply {
        Some(Apply::Server) => Sending::Apply,
        None => Sending::Create,
    };
    let judged: Vec<Judged> = documents
        .into_iter()
        .map(|(object, duplicates)| {
            let before = old
                .iter()
                .map(|(old, _)| old)
                .find(|old| is_same(old, &object));
            let mut verdict = judge.admit(&object, before, sending);
            verdict.unknown.extend(duplicates.list);
            Judged {
                object,
                verdict,
                sending,
            }
        })
        .collect();
    let is_allowed = judged.iter().all(Judged::is_allowed);
    Ok(Done {
        stdout: match arguments.output {
            Output::Json => print_json(&judged),
            Output::Text => judged
                .iter()
                .map(Judged::text)
                .collect::<String>()
                .into_bytes(),
        },
        report: Report::default(),
        status: (!is_allowed).then_some(ExitStatus::Check),
    })
}

/// The documents of a file, with the keys that are in them twice.
fn read(context: &Context, file: &Path) -> Result<Vec<(Value, Causes)>> {
    let decode = |resource: &Resource| {
        let mut duplicates = Causes::default();
        let object = admission::decode(resource.node(), Reading::Written, &mut duplicates);
        (object, duplicates)
    };
    Ok(resources(context, file)?.iter().map(decode).collect())
}

/// The objects of a file, as they are written.
pub(super) fn resources(context: &Context, file: &Path) -> Result<Vec<Resource>> {
    let name = file.display().to_string();
    let bytes = context.trusted.read_stream(file)?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| Diagnostic::new(Code::YamlSyntax, format!("{name} is not UTF-8")))?;
    let options = ParseOptions {
        duplicate_keys: DuplicateKeys::Keep,
        ..ParseOptions::DEFAULT
    };
    let source = Arc::new(Source::committed(name));
    let documents = yaml::parse(text, options).map_err(|error| error.at(&source))?;
    let objects = documents.into_iter().filter(|node| !node.is_null());
    Ok(objects
        .map(|node| Resource::new(node, Some(Arc::clone(&source))))
        .collect())
}

fn is_same(old: &Value, new: &Value) -> bool {
    let text = |value: &Value, path: &str| {
        value
            .pointer(path)
            .and_then(Value::as_str)
            .map(str::to_owned)
    };
    ["/kind", "/metadata/name", "/metadata/namespace"]
        .iter()
        .all(|path| text(old, path) == text(new, path))
}

struct Judged {
    object: Value,
    verdict: Verdict,
    sending: Sending,
}

impl Judged {
    /// Why it is refused: a server-side apply is strict.
    fn errors(&self) -> impl Iterator<Item = &Cause> {
        let verdict = &self.verdict;
        let strict =
            (self.sending == Sending::Apply).then(|| verdict.unknown.iter().chain(&verdict.apply));
        verdict.errors.iter().chain(strict.into_iter().flatten())
    }

    fn is_allowed(&self) -> bool {
        self.errors().next().is_none()
    }

    fn json(&self) -> Value {
        let cause = |cause: &Cause| {
            json!({
                "field": cause.field.as_str(),
                "type": cause.reason.as_str(),
                "message": cause.message,
            })
        };
        let warning =
            |cause: &Cause| json!({"about": cause.field.as_str(), "message": cause.message});
        json!({
            "allowed": self.is_allowed(),
            "hasSchema": self.verdict.is_known,
            "unknown": self.verdict.unknown.iter().map(|c| c.field.as_str()).collect::<Vec<_>>(),
            "errors": self.errors().map(cause).collect::<Vec<_>>(),
            "warnings": self.verdict.warnings.iter().map(warning).collect::<Vec<_>>(),
            "defaulted": self.verdict.object,
        })
    }

    fn text(&self) -> String {
        let of = |path: &str| {
            self.object
                .pointer(path)
                .and_then(Value::as_str)
                .unwrap_or("?")
        };
        let verdict = match (self.is_allowed(), self.verdict.is_known) {
            (true, true) => "accepted",
            (true, false) => "not judged: its kind has no schema here",
            (false, _) => "refused",
        };
        let mut text = format!("{} {}: {verdict}\n", of("/kind"), of("/metadata/name"));
        for cause in self.errors() {
            text.push_str(&format!("  {} {}\n", cause.field.as_str(), cause.message));
        }
        text
    }
}

fn print_json(judged: &[Judged]) -> Vec<u8> {
    let printed = match judged {
        [one] => one.json(),
        several => Value::Array(several.iter().map(Judged::json).collect()),
    };
    format!("{printed:#}\n").into_bytes()
}
