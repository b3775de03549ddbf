//! The plugin's server, and the repo-server's side of it: what is sent, what runs, and what is said where it fails.
//!
//! Follows `runConfigManagementPluginSidecars`, `populatePluginAppDetails` (reposerver/repository/repository.go),
//! `DetectConfigManagementPlugin` (util/app/discovery/discovery.go) and cmpserver/plugin/plugin.go of Argo CD 3.6.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::config::PluginConfig;
use super::discover;
use super::part;
use super::{PROGRAM, Settings};
use crate::argocd::application::{ANNOUNCEMENTS, SourceKind, Variables, decode};
use crate::argocd::sources::{HelmTool, SourceOrder, Tools, said};
use crate::argocd::wire::lists::check_kind;
use crate::argocd::wire::stream;
use crate::argocd::wire::yaml::Retyped;
use crate::diagnostic::{Code, Diagnostic, Report, Result};
use crate::files::{Modes, Replica, Tree, TreePath, replicate};
use crate::go::filepath;
use crate::programs::{Ended, Hosted, How, TemporaryDirectory};

/// What the plugin server keeps of the deadline for itself.
const BUFFER: Duration = Duration::from_millis(100);

/// The most that the plugin server sends back: gRPC's limit.
const MAX_MESSAGE_BYTES: usize = 100 << 20;

/// A plugin's server for one source.
pub(super) struct Server<'a> {
    pub(super) config: &'a PluginConfig,
    pub(super) settings: &'a Settings,
    /// The checkout on disk.
    pub(super) repository: &'a Path,
    /// The annotation with the paths that are sent.
    pub(super) generate_paths: Option<&'a str>,
    scratch: TemporaryDirectory,
    start: Instant,
    noted: RefCell<Noted>,
}

/// What happened on the way.
#[derive(Debug, Clone, Default)]
pub(super) struct Noted {
    /// How the plugin was found.
    pub(super) discovery: String,
    /// How many times the tree was sent.
    pub(super) streams: u32,
    /// What was sent to `generate`.
    pub(super) sent: Replica,
    /// From where in the repository.
    pub(super) sent_root: String,
    /// How long packing, sending and unpacking took.
    pub(super) packing: Duration,
    /// How long the plugin took.
    pub(super) took: Duration,
    /// What it said.
    pub(super) log: String,
    /// What the host makes of words that are strings to kustomize: object, path, what it becomes.
    pub(super) retyped: Vec<(String, Retyped)>,
}

impl<'a> Server<'a> {
    pub(super) fn new(
        config: &'a PluginConfig,
        settings: &'a Settings,
        repository: &'a Path,
        generate_paths: Option<&'a str>,
    ) -> Result<Self> {
        Ok(Self {
            config,
            settings,
            repository,
            generate_paths,
            scratch: TemporaryDirectory::new()?,
            start: Instant::now(),
            noted: RefCell::default(),
        })
    }

    pub(super) fn noted(&self) -> Noted {
        self.noted.borrow().clone()
    }

    /// Whether the plugin takes a source: the one of that name, or one that discovers it. Fails with the host's
    /// words.
    fn detect(
        &self,
        order: &SourceOrder<'_>,
        name: &str,
        variables: &Variables,
    ) -> Result<(), Refusal> {
        let named = match name {
            "" => "could not find plugin supporting the given repository".to_owned(),
            name => format!(
                "could not find cmp-server plugin with name \"{name}\" supporting the given repository"
            ),
        };
        let not_found = |why: &str, help: Option<String>| Refusal {
            words: format!("{named}{why}"),
            help,
        };
        if !name.is_empty() && !self.has_name(name) {
            let help = format!("the plugin is called {}", self.config.name);
            return Err(not_found("", Some(help)));
        }
        if !self.config.spec.discover.is_configured() {
            if !name.is_empty() {
                self.note_discovery(
                    "not asked: the Application names the plugin, which discovers nothing",
                    1,
                );
                return Ok(());
            }
            let help = "the plugin discovers nothing, so the Application must name it: spec.source.plugin.name";
            return Err(not_found("", Some(format!("{help}: {}", self.config.name))));
        }
        match self.matches(order, variables) {
            Ok(true) => {
                let streams = if name.is_empty() { 3 } else { 2 };
                self.note_discovery("the plugin found its files", streams);
                Ok(())
            }
            Ok(false) => Err(not_found("", None)),
            Err(words) => {
                let socket = format!("{}.sock", self.config.name);
                let why = format!(
                    ": error checking repository support for plugin {socket}: rpc error: code = Unknown desc = match repository error: {words}"
                );
                Err(not_found(&why, None))
            }
        }
    }

    fn note_discovery(&self, how: &str, streams: u32) {
        let mut noted = self.noted.borrow_mut();
        how.clone_into(&mut noted.discovery);
        noted.streams = streams;
    }

    /// The name is that of a socket in a directory, cleaned as a path.
    fn has_name(&self, name: &str) -> bool {
        let socket = |name: &str| TreePath::parse(&format!("{name}.sock"));
        socket(name).is_some_and(|path| Some(path) == socket(&self.config.name))
    }

    /// Asks the first way of discovery that is set, over the whole repository less what is excluded.
    fn matches(&self, order: &SourceOrder<'_>, variables: &Variables) -> Result<bool, String> {
        let discover = &self.config.spec.discover;
        let sent = self
            .unpack("discover", &TreePath::root())
            .map_err(|refusal| refusal.words)?;
        let tree = Tree::open(&sent.at).map_err(|error| error.phrase().to_owned())?;
        if !discover.file_name.is_empty() {
            return discover::finds_file_name(&tree, order.directory, &discover.file_name);
        }
        if !discover.find.glob.is_empty() {
            return discover::finds_glob(&tree, order.directory, &discover.find.glob);
        }
        let words = discover.find.words();
        let ended = self.command(&words, &sent.at.join(order.directory.as_str()), variables);
        let stdout = output(&words, ended);
        let stdout = stdout.map_err(|words| format!("error running find command: {words}"))?;
        Ok(!matches!(&*stdout, b"" | b"\n"))
    }

    /// Packs and sends a part of the repository, and unpacks it.
    fn unpack(&self, call: &str, part: &TreePath) -> Result<Sent, Refusal> {
        let started = Instant::now();
        let settings = self.settings;
        let work = self.scratch.path().join("_cmp_server").join(call);
        let modes = match self.config.spec.preserve_file_mode {
            true => Modes::Keep,
            false => Modes::Reset,
        };
        let leaves_out = |path: &str| {
            for pattern in &settings.exclusions {
                match filepath::matches(pattern, path) {
                    Ok(true) => return Ok(true),
                    Ok(false) => {}
                    Err(_) => {
                        let phrase = format!(
                            "error verifying exclusion pattern {pattern:?}: syntax error in pattern"
                        );
                        return Err(Diagnostic::new(Code::HostError, phrase));
                    }
                }
            }
            Ok(false)
        };
        let from = self.repository.join(part.as_str());
        let sending = "error generating manifests in cmp: error sending file to cmp-server";
        let replica = replicate(&from, &work, modes, &leaves_out).map_err(|error| match error.code() {
            Code::OutsideRoot => Refusal::of(format!(
                "error generating manifests in cmp: rpc error: code = Unknown desc = generate manifest error receiving stream: error decompressing tgz file: illegal filepath in symlink: {}",
                error.place().map_or_else(String::new, |place| place.file.to_string())
            )),
            Code::HostError => Refusal::of(format!("{sending}: error compressing repo files: {}", error.phrase())),
            _ => Refusal::of(error.phrase().to_owned()),
        })?;
        if replica.files == 0 {
            return Err(Refusal::of(format!("{sending}: no files to send")));
        }
        self.noted.borrow_mut().packing += started.elapsed();
        Ok(Sent { at: work, replica })
    }

    fn command(&self, words: &[String], at: &Path, variables: &Variables) -> Ended {
        let settings = self.settings;
        let environment = [&settings.environment[..], &variables.0].concat();
        let environment: Vec<_> = environment
            .into_iter()
            .filter(|(name, _)| !name.is_empty())
            .collect();
        let program = match &*words[0] {
            PROGRAM => settings.program.as_os_str(),
            other => other.as_ref(),
        };
        let spent = self.start.elapsed() + BUFFER;
        Hosted {
            program,
            arguments: &words[1..],
            environment: &environment,
            directory: at,
            deadline: settings.timeout.saturating_sub(spent),
        }
        .run()
    }

    fn generate(&self, order: &SourceOrder<'_>) -> Result<Vec<Value>, Refusal> {
        let name = order
            .source
            .plugin
            .as_ref()
            .map_or("", |plugin| &plugin.name);
        let variables = Variables::of_generate(order.facts, order.source).map_err(Refusal::of)?;
        self.detect(order, name, &variables)?;
        let part = match self
            .generate_paths
            .filter(|_| self.settings.uses_generate_paths)
        {
            Some(annotation) => part::root_of(order.files, order.directory, annotation),
            None => TreePath::root(),
        };
        let sent = self.unpack("generate", &part)?;
        let at = sent.at.join(order.directory.relative_to(&part));
        {
            let mut noted = self.noted.borrow_mut();
            noted.sent = sent.replica.clone();
            noted.sent_root = part.to_string();
        }
        let mut stdout = Vec::new();
        for words in [
            self.config.spec.init.words(),
            self.config.spec.generate.words(),
        ] {
            if words.is_empty() {
                continue;
            }
            let ended = self.command(&words, &at, &variables);
            {
                let mut noted = self.noted.borrow_mut();
                noted.log.push_str(&String::from_utf8_lossy(&ended.stderr));
                noted.took = ended.took;
            }
            stdout = self.succeeded(&words, ended)?;
        }
        self.receive(&stdout)
    }

    fn succeeded(&self, words: &[String], ended: Ended) -> Result<Vec<u8>, Refusal> {
        let is_killed = ended.how == How::Signalled(9);
        output(words, ended).map_err(|words| Refusal {
            words: in_the_sidecar(&words),
            help: is_killed.then(|| {
                let seconds = self.settings.timeout.as_secs();
                format!("the host ends a plugin after {seconds} s without a word; the plugin's own deadline must be earlier")
            }),
        })
    }

    /// Reads what `generate` printed: once in the plugin's server, once in the repo-server.
    fn receive(&self, stdout: &[u8]) -> Result<Vec<Value>, Refusal> {
        let stdout = stdout.strip_suffix(b"\n").unwrap_or(stdout);
        let text = String::from_utf8_lossy(stdout);
        let stream = stream::read(&text).map_err(|broken| {
            Refusal::of(match broken.is_first_reading {
                true => in_the_sidecar(&broken.words),
                false => format!(
                    "failed to convert CMP manifests to unstructured objects: {}",
                    broken.words
                ),
            })
        })?;
        let size_bytes: usize = stream
            .documents
            .iter()
            .map(|d| d.value.to_string().len())
            .sum();
        if size_bytes > MAX_MESSAGE_BYTES {
            let words = format!(
                "rpc error: code = ResourceExhausted desc = grpc: received message larger than max ({size_bytes} vs. {MAX_MESSAGE_BYTES})"
            );
            return Err(Refusal::of(words));
        }
        let mut noted = self.noted.borrow_mut();
        let mut values = Vec::new();
        for document in stream.documents {
            let shown = crate::argocd::wire::object::shown(&document.value);
            noted
                .retyped
                .extend(document.retyped.into_iter().map(|r| (shown.clone(), r)));
            check_kind(&document.value).map_err(|words| {
                Refusal::of(format!("failed to convert CMP manifests to unstructured objects: failed to unmarshal manifest: error unmarshaling JSON: while decoding JSON: {words}"))
            })?;
            values.push(document.value);
        }
        Ok(values)
    }

    /// The parameters that the Application's page offers. Fails with what it says instead.
    pub(super) fn announcements(&self, order: &SourceOrder<'_>) -> Result<Vec<Value>, String> {
        let variables = Variables::of_announcement(order.facts, order.source);
        let name = order
            .source
            .plugin
            .as_ref()
            .map_or("", |plugin| &plugin.name);
        let noted = self.noted();
        let found = self.detect(order, name, &variables);
        *self.noted.borrow_mut() = noted;
        found.map_err(|refusal| format!("failed to detect CMP for app: {}", refusal.words))?;
        let parameters = &self.config.spec.parameters;
        let words = parameters.dynamic.words();
        let mut all = Vec::new();
        if !words.is_empty() {
            let sent = self
                .unpack("parameters", &TreePath::root())
                .map_err(|refusal| refusal.words)?;
            let at = sent.at.join(order.directory.as_str());
            let stdout = output(&words, self.command(&words, &at, &variables));
            let stdout = stdout.map_err(|words| {
                format!("error executing dynamic parameter output command: {words}")
            })?;
            all = announced(&stdout)?;
        }
        all.extend(parameters.fixed.iter().flatten().cloned());
        match all.iter().any(Value::is_null) {
            true => Err("runtime error: invalid memory address or nil pointer dereference: an announcement is null".to_owned()),
            false => Ok(all.into_iter().map(passed).collect()),
        }
    }
}

impl Tools for Server<'_> {
    fn discovers(&self, order: &SourceOrder<'_>) -> bool {
        let Ok(variables) = Variables::of_generate(order.facts, order.source) else {
            return false;
        };
        self.detect(order, "", &variables).is_ok()
    }

    fn plugin(&self, order: &SourceOrder<'_>) -> Result<Vec<Value>, Report> {
        self.generate(order).map_err(|refusal| {
            let instance = &order.facts.instance;
            let words = refusal.words;
            let error = said(&format!(
                "Manifest generation error (cached): CMP processing failed for application \"{instance}\": {words}"
            ));
            match refusal.help {
                Some(help) => error.help(help),
                None => error,
            }
            .into()
        })
    }

    fn helm(&self) -> Option<&HelmTool> {
        let is_enabled = !self.settings.disabled.contains(&SourceKind::Helm);
        self.settings.helm.as_ref().filter(|_| is_enabled)
    }
}

/// What was sent: where it lies, and how much it is.
struct Sent {
    at: PathBuf,
    replica: Replica,
}

/// Why the host does not go on.
struct Refusal {
    words: String,
    help: Option<String>,
}

impl Refusal {
    fn of(words: String) -> Self {
        Self { words, help: None }
    }
}

fn in_the_sidecar(words: &str) -> String {
    format!(
        "error generating manifests in cmp: rpc error: code = Unknown desc = error generating manifests: {words}"
    )
}

/// The list that a plugin announces.
fn announced(stdout: &[u8]) -> Result<Vec<Value>, String> {
    let failed = |why: &str| {
        format!(
            "error unmarshaling dynamic parameter output into ParametersAnnouncementResponse: {why}"
        )
    };
    let value: Value = serde_json::from_slice(stdout)
        .map_err(|error| failed(&format!("line {}, column {}", error.line(), error.column())))?;
    let decoded = decode(&ANNOUNCEMENTS, &value, None).map_err(|words| failed(&words))?;
    Ok(decoded
        .and_then(|value| value.as_array().cloned())
        .unwrap_or_default())
}

/// An announcement as it comes over the wire, which has no place for what is empty.
fn passed(mut announcement: Value) -> Value {
    if let Some(map) = announcement.as_object_mut() {
        map.retain(|_, value| match value {
            Value::Null | Value::Bool(false) => false,
            Value::String(text) => !text.is_empty(),
            Value::Array(items) => !items.is_empty(),
            Value::Object(entries) => !entries.is_empty(),
            _ => true,
        });
    }
    announcement
}

/// What a command printed, or how the host words its failure.
fn output(words: &[String], ended: Ended) -> Result<Vec<u8>, String> {
    let cause = match ended.how {
        How::Exited(0) => return Ok(ended.stdout),
        How::Exited(code) => format!("exit status {code}"),
        How::Signalled(signal) => format!("signal: {}", signal_name(signal)),
        How::NotStarted(why) => return Err(format!("fork/exec {}: {why}", words[0])),
    };
    let quoted: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    let said = String::from_utf8_lossy(&ended.stderr);
    let failed = format!("`{}` failed {cause}", quoted.join(" "));
    Err(match said.trim() {
        "" => failed,
        said => format!("{failed}: {said}"),
    })
}

fn signal_name(signal: i32) -> String {
    match signal {
        6 => "aborted".to_owned(),
        9 => "killed".to_owned(),
        11 => "segmentation fault".to_owned(),
        15 => "terminated".to_owned(),
        other => other.to_string(),
    }
}

fn quoted(word: &str) -> String {
    match word.is_empty() || word.contains(char::is_whitespace) {
        true => format!("{word:?}"),
        false => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A.4: the words of a failed command.
    #[test]
    fn a_failed_command_is_worded_as_the_host_does() {
        let ended = |how, stderr: &str| Ended {
            how,
            stdout: b"x".to_vec(),
            stderr: stderr.as_bytes().to_vec(),
            took: Duration::ZERO,
        };
        let words = ["plugin".to_owned(), "a b".to_owned(), String::new()];
        let failed = |how, stderr| output(&words, ended(how, stderr)).unwrap_err();
        assert_eq!(
            failed(How::Exited(1), " error: no\n"),
            "`plugin \"a b\" \"\"` failed exit status 1: error: no"
        );
        assert_eq!(
            failed(How::Signalled(9), ""),
            "`plugin \"a b\" \"\"` failed signal: killed"
        );
        assert_eq!(
            failed(How::NotStarted("no such file or directory".into()), ""),
            "fork/exec plugin: no such file or directory"
        );
        assert_eq!(
            output(&words, ended(How::Exited(0), "warned")).unwrap(),
            b"x"
        );
    }

    #[test]
    fn announcements_lose_what_is_empty() {
        let read =
            announced(br#"[{"name":"a","array":[],"required":false,"other":1,"map":{"a":""}}]"#);
        let passed: Vec<Value> = read.unwrap().into_iter().map(passed).collect();
        assert_eq!(passed, [serde_json::json!({"name": "a", "map": {"a": ""}})]);
        for wrong in [&b"[]x"[..], b"", b"{}", br#"[{"name":"a","string":5}]"#] {
            assert!(announced(wrong).is_err());
        }
    }
}
