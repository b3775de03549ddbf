//! Does locally what Argo CD's repo-server and plugin server do with an Application, and tells what its
//! user would see.
//!
//! The tree is copied as the host sends it, each command runs in a process group of its own with the host's
//! environment and deadline, and its output is read as the host reads it. The facts are those of Argo CD 3.6;
//! the tests beside each part name the section of the contract that they pin. Start with [`simulate`].

mod application;
mod config;
mod discover;
mod page;
mod received;
mod variables;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;

pub use application::Application;
pub use config::PluginConfig;
pub use page::{Seen, page};

use crate::diagnostic::{Code, Diagnostic, Result};
use crate::files::{Files, Modes, Replica, TreePath, replicate};
use crate::programs::{Ended, Hosted, How, TemporaryDirectory};
use application::{AppSource, merged, path_of};
use received::{Refusal, receive};
use variables::Facts;

/// Where the image holds the plugin; [`Settings::program`] stands in for it.
const PROGRAM: &str = "/usr/local/bin/plugin";

/// What the plugin server keeps of the deadline for itself.
const BUFFER: Duration = Duration::from_millis(100);

/// The host around an Application.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The namespace of Argo CD.
    pub control_plane: String,
    /// The cluster's version.
    pub kube_version: String,
    /// The cluster's API versions.
    pub api_versions: Vec<String>,
    /// The commit.
    pub revision: String,
    /// How long a request to the repo-server may take.
    pub timeout: Duration,
    /// `reposerver.plugin.tar.exclusions`.
    pub exclusions: Vec<String>,
    /// `reposerver.plugin.use.manifest.generate.paths`.
    pub uses_generate_paths: bool,
    /// The environment of the sidecar's container.
    pub environment: Vec<(String, String)>,
    /// The program that stands in for the image's.
    pub program: PathBuf,
}

/// An Application, its repository, the plugin and the host.
pub struct Simulation<'a> {
    /// The Application.
    pub application: &'a Application,
    /// Which of its sources, from 0.
    pub source: usize,
    /// The repository on disk.
    pub repository: &'a Path,
    /// The same, to be read.
    pub files: &'a dyn Files,
    /// The plugin's configuration.
    pub config: &'a PluginConfig,
    /// The host.
    pub settings: &'a Settings,
}

/// Renders an Application as the host does.
///
/// Fails with [`Code::HostError`] where the host would show an error, which the note holds word by word;
/// otherwise as reading the Application does.
pub fn simulate(simulation: &Simulation<'_>) -> Result<Seen> {
    let application = simulation.application;
    let written = application.sources.get(simulation.source).ok_or_else(|| {
        let count = application.sources.len();
        Diagnostic::new(Code::Usage, format!("the Application has {count} sources"))
    })?;
    let path = path_of(written);
    let missing = || {
        Diagnostic::new(
            Code::OutsideRoot,
            format!("the path {path} leads out of the repository"),
        )
    };
    let directory = TreePath::parse(path).ok_or_else(missing)?;
    let instance = application.instance_name(&simulation.settings.control_plane);
    let (source, merged_files) = merged(written, simulation.files, &directory, &instance)?;
    let run = Run {
        simulation,
        source: &source,
        directory: &directory,
        instance: &instance,
        scratch: TemporaryDirectory::new()?,
        start: Instant::now(),
    };
    let mut seen = run.run()?;
    seen.merged = merged_files;
    Ok(seen)
}

struct Run<'a> {
    simulation: &'a Simulation<'a>,
    source: &'a AppSource,
    directory: &'a TreePath,
    instance: &'a str,
    scratch: TemporaryDirectory,
    start: Instant,
}

impl Run<'_> {
    fn run(&self) -> Result<Seen> {
        let config = self.simulation.config;
        self.check_source()?;
        let mut seen = Seen {
            name: self.instance.to_owned(),
            project: self.simulation.application.project.clone(),
            plugin: config.name.clone(),
            directory: self.directory.to_string(),
            ..Seen::default()
        };
        (seen.discovery, seen.streams) = self.discover()?;
        let (at, replica) = self.unpack("generate")?;
        seen.sent = replica;
        seen.sent_root = self.sent_root().to_string();
        let variables = variables::of_generate(&self.facts(), self.source);
        for words in [config.spec.init.words(), config.spec.generate.words()] {
            if words.is_empty() {
                continue;
            }
            let ended = self.command(&words, &at, &variables);
            seen.log.push_str(&String::from_utf8_lossy(&ended.stderr));
            seen.took = ended.took;
            seen.stdout = self.succeeded(&words, ended)?;
        }
        seen.received = self.receive(&seen.stdout)?;
        match self.announcements() {
            Ok(all) => seen.announcements = all,
            Err(words) => seen.parameters_fail = Some(words),
        }
        Ok(seen)
    }

    /// What the repo-server refuses before it calls a plugin.
    fn check_source(&self) -> Result<()> {
        let tools = self.source.tools();
        if self.source.is_chart() {
            let phrase = "the source is a chart of a Helm repository, which no plugin sees";
            return Err(Diagnostic::new(Code::Usage, phrase));
        }
        match tools[..] {
            ["Plugin"] | [] => {}
            [tool] => {
                let phrase = format!("Argo CD builds this source as {tool}, not with a plugin");
                let help = "name the plugin in its place: spec.source.plugin.name";
                return Err(Diagnostic::new(Code::Usage, phrase).help(help));
            }
            _ => {
                let words = format!("multiple application sources defined: {}", tools.join(","));
                return Err(self.shown(&format!("error getting app source type: {words}")));
            }
        }
        let files = self.simulation.files;
        if files.kind(self.directory)? != Some(crate::files::Kind::Directory) {
            let path = &self.source.path;
            let help = "the host looks for the directory in Git; where templates alone make it, commit an empty file there, such as .gitkeep";
            let error = self.shown(&format!("{path}: app path does not exist"));
            return Err(error.help(help));
        }
        Ok(())
    }

    /// Whether the plugin is chosen: how, and how many times the tree is sent for one render.
    fn discover(&self) -> Result<(String, u32)> {
        let config = self.simulation.config;
        let named = self.source.plugin.as_ref().map(|plugin| &*plugin.name);
        let not_found = |why: &str| {
            match named {
            Some(name) if !name.is_empty() => self.failed(&format!(
                "could not find cmp-server plugin with name \"{name}\" supporting the given repository{why}"
            )),
            _ => self.failed(&format!(
                "could not find plugin supporting the given repository{why}"
            )),
        }
        };
        let is_named = match named {
            Some("") | None => false,
            Some(name) if name == config.name => true,
            Some(_) => return Err(not_found("")),
        };
        if !config.spec.discover.is_configured() {
            if is_named {
                let how = "not asked: the Application names the plugin, which discovers nothing";
                return Ok((how.to_owned(), 1));
            }
            let help = "the plugin discovers nothing, so the Application must name it: spec.source.plugin.name";
            return Err(not_found("").help(format!("{help}: {}", config.name)));
        }
        match self.discovers() {
            Ok(true) => {
                let streams = if named.is_some() { 2 } else { 3 };
                Ok(("the plugin found its files".to_owned(), streams))
            }
            Ok(false) => Err(not_found("")),
            Err(words) => {
                let socket = format!("{}.sock", config.name);
                let why = format!(
                    ": error checking repository support for plugin {socket}: rpc error: code = Unknown desc = match repository error: {words}"
                );
                Err(not_found(&why))
            }
        }
    }

    fn discovers(&self) -> Result<bool, String> {
        let discover = &self.simulation.config.spec.discover;
        let files = self.simulation.files;
        let finds = |pattern: &str| {
            discover::finds(files, self.directory, pattern).map_err(|e| e.phrase().to_owned())
        };
        if !discover.file_name.is_empty() {
            return finds(&discover.file_name);
        }
        if !discover.find.glob.is_empty() {
            return finds(&discover.find.glob);
        }
        let (at, _) = self.unpack("discover").map_err(|e| e.phrase().to_owned())?;
        let variables = variables::of_generate(&self.facts(), self.source);
        let words = discover.find.words();
        let ended = self.command(&words, &at, &variables);
        let stdout = output(&words, ended);
        let stdout = stdout.map_err(|words| format!("error running find command: {words}"))?;
        Ok(!matches!(&*stdout, b"" | b"\n"))
    }

    fn facts(&self) -> Facts<'_> {
        let Simulation {
            application,
            settings,
            ..
        } = self.simulation;
        Facts {
            name: self.instance,
            project: &application.project,
            destination: &application.destination,
            revision: &settings.revision,
            kube_version: &settings.kube_version,
            api_versions: &settings.api_versions,
        }
    }

    /// The part of the repository that is sent.
    fn sent_root(&self) -> TreePath {
        let annotation = self.simulation.application.generate_paths.as_deref();
        match annotation.filter(|_| self.simulation.settings.uses_generate_paths) {
            Some(paths) => common_root(self.directory, paths),
            None => TreePath::root(),
        }
    }

    /// Sends and unpacks the tree, and gives the directory in which commands run.
    fn unpack(&self, call: &str) -> Result<(PathBuf, Replica)> {
        let settings = self.simulation.settings;
        let sent = self.sent_root();
        let work = self.scratch.path().join("_cmp_server").join(call);
        let modes = match self.simulation.config.spec.preserve_file_mode {
            true => Modes::Keep,
            false => Modes::Reset,
        };
        let leaves_out = |path: &str| settings.exclusions.iter().any(|e| discover::fits(e, path));
        let from = self.simulation.repository.join(sent.as_str());
        let replica = replicate(&from, &work, modes, &leaves_out).map_err(|error| {
            let link = error
                .place()
                .map_or_else(String::new, |p| p.file.to_string());
            match error.code() {
                Code::OutsideRoot => self.shown(&format!(
                    "repository contains out-of-bounds symlinks. file: {link}"
                )),
                _ => error,
            }
        })?;
        if replica.files == 0 {
            return Err(self.failed("error generating manifests in cmp: error sending file to cmp-server: no files to send"));
        }
        Ok((work.join(self.directory.relative_to(&sent)), replica))
    }

    fn command(&self, words: &[String], at: &Path, variables: &[(String, String)]) -> Ended {
        let settings = self.simulation.settings;
        let environment = [&settings.environment, variables].concat();
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

    fn succeeded(&self, words: &[String], ended: Ended) -> Result<Vec<u8>> {
        let is_killed = ended.how == How::Signalled(9);
        output(words, ended).map_err(|words| {
            let error = self.in_the_sidecar(&words);
            match is_killed {
                true => error.help(format!(
                    "the host ends a plugin after {} s without a word; the plugin's own deadline must be earlier",
                    self.simulation.settings.timeout.as_secs()
                )),
                false => error,
            }
        })
    }

    fn receive(&self, stdout: &[u8]) -> Result<received::Received> {
        let destination = &self.simulation.application.destination;
        receive(stdout, destination).map_err(|refusal| match refusal {
            Refusal::InTheSidecar(words) => self.in_the_sidecar(&words),
            Refusal::InTheRepoServer(words) => self.failed(&words),
        })
    }

    /// The parameters that the Application's page offers, or what it says instead.
    fn announcements(&self) -> Result<Vec<Value>, String> {
        let parameters = &self.simulation.config.spec.parameters;
        let words = parameters.dynamic.words();
        let mut all = Vec::new();
        if !words.is_empty() {
            let (at, _) = self
                .unpack("parameters")
                .map_err(|e| e.phrase().to_owned())?;
            let variables = variables::of_parameters(&self.facts(), self.source);
            let ended = self.command(&words, &at, &variables);
            let stdout = output(&words, ended).map_err(|words| {
                format!("error executing dynamic parameter output command: {words}")
            })?;
            all = serde_json::from_slice(&stdout).map_err(|error| {
                format!("error unmarshaling dynamic parameter output into ParametersAnnouncementResponse: line {}, column {}", error.line(), error.column())
            })?;
        }
        all.extend(parameters.fixed.iter().cloned());
        Ok(all)
    }

    fn in_the_sidecar(&self, words: &str) -> Diagnostic {
        self.failed(&format!("error generating manifests in cmp: rpc error: code = Unknown desc = error generating manifests: {words}"))
    }

    fn failed(&self, words: &str) -> Diagnostic {
        let instance = self.instance;
        self.shown(&format!(
            "Manifest generation error (cached): CMP processing failed for application \"{instance}\": {words}"
        ))
    }

    /// The error that the Application's page shows.
    fn shown(&self, words: &str) -> Diagnostic {
        let (number, count) = (
            self.simulation.source + 1,
            self.simulation.application.sources.len(),
        );
        Diagnostic::new(
            Code::HostError,
            "Argo CD shows an error in the place of the Application's objects",
        )
        .note(format!(
            "Failed to load target state: failed to generate manifest for source {number} of {count}: rpc error: code = Unknown desc = {words}"
        ))
    }
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

/// The directory that holds the Application's and all of the annotation's paths.
fn common_root(directory: &TreePath, annotation: &str) -> TreePath {
    let mut common: Vec<&str> = directory
        .as_str()
        .split('/')
        .filter(|p| !p.is_empty())
        .collect();
    let mut is_disjoint = false;
    for item in annotation
        .split(';')
        .map(str::trim)
        .filter(|i| !i.is_empty())
    {
        let path = match item.strip_prefix('/') {
            Some(absolute) => TreePath::parse(absolute),
            None => directory.join(item),
        };
        let path = path.unwrap_or_else(TreePath::root);
        let parts: Vec<&str> = path.as_str().split('/').filter(|p| !p.is_empty()).collect();
        let same = common
            .iter()
            .zip(&parts)
            .take_while(|(a, b)| a == b)
            .count();
        if same < common.len().min(parts.len()) {
            is_disjoint = true;
            common.truncate(same);
        } else if !is_disjoint {
            common.truncate(parts.len());
        }
    }
    TreePath::parse(&common.join("/")).unwrap_or_else(TreePath::root)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A.3: with manifest-generate-paths, the common root of the paths is what is sent.
    #[test]
    fn the_common_root_is_sent() {
        let directory = TreePath::parse("apps/team/shop").unwrap();
        let root = |annotation| common_root(&directory, annotation).as_str().to_owned();
        assert_eq!(root("."), "apps/team/shop");
        assert_eq!(root("..;."), "apps/team");
        assert_eq!(root(". ; /apps/base"), "apps");
        assert_eq!(root("/shared;."), "");
        assert_eq!(root(""), "apps/team/shop");
    }

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
}
