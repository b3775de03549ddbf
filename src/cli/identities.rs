//! Looks for identities where sops does, and where a project or a host keeps them.

use std::path::{Path, PathBuf};

use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use super::context::SECRET_VARIABLE;
use super::{Context, terminal};
use crate::diagnostic::Code;
use crate::programs::{Processes, Programs};
use crate::secrets::sealing::{Ask, Fetch, Found, Identities, IdentityText};

/// The variable that names the directory of identities in the sidecar of a host.
pub(crate) const KEYS: &str = "PRERENDER_KEYS";

/// Whether the commands that print keys are run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyCommands {
    /// As sops does: `decrypt`, `encrypt`, and other commands with `--enable-key-cmd`.
    Run,
    /// Other commands.
    Ignore,
}

/// The flag of commands that run them where they are told to.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct KeyCommandArguments {
    /// Run SOPS_AGE_KEY_CMD and SOPS_AGE_SSH_PRIVATE_KEY_CMD, as decrypt does
    #[arg(long)]
    enable_key_cmd: bool,
}

impl KeyCommandArguments {
    /// Whether the commands are run.
    pub(crate) fn commands(self) -> KeyCommands {
        match self.enable_key_cmd {
            true => KeyCommands::Run,
            false => KeyCommands::Ignore,
        }
    }
}

/// Reads every source of identities that sops reads, in its order. One that cannot be read is remembered
/// and hides no other.
pub(crate) fn of_the_user(context: &Context, commands: KeyCommands) -> Identities {
    let mut search = Search {
        context,
        commands,
        ask: terminal::passphrases(),
        found: Identities::new(),
    };
    search.variable_file("SOPS_AGE_SSH_PRIVATE_KEY_FILE", IdentityText::Ssh);
    search.variable_command("SOPS_AGE_SSH_PRIVATE_KEY_CMD", IdentityText::Ssh);
    if let Some(home) = search.home() {
        for name in ["id_ed25519", "id_rsa"] {
            let path = home.join(".ssh").join(name);
            search.file(&path, format!("~/.ssh/{name}"), IdentityText::Ssh);
        }
    }
    search.variable();
    search.variable_file("SOPS_AGE_KEY_FILE", IdentityText::Lines);
    search.variable_command("SOPS_AGE_KEY_CMD", IdentityText::Lines);
    for (path, shown) in search.key_files() {
        search.file(&path, shown, IdentityText::Lines);
    }
    search.hint_at_key_nearby();
    search.found
}

/// Adds identities that a project or a host names: a file, or a directory of `*.agekey`, `keys.txt` and
/// `*.txt`, as Flux and KSOPS mount their Secrets.
pub(crate) fn add_path(identities: &mut Identities, context: &Context, path: &Path, ask: &Ask) {
    let shown = path.display().to_string();
    if is_private_key(&shown) {
        let why = "holds an identity where the path of a file belongs".to_owned();
        identities.add_source("the list of identities", Found::Unusable(why));
        return;
    }
    if !context.trusted.is_directory(path) {
        add_file(identities, context, path, shown, IdentityText::Lines, ask);
        return;
    }
    let names = context.trusted.list(path);
    // Kubernetes mounts a Secret as links below `..data`.
    let (read, other): (Vec<_>, Vec<_>) = names
        .into_iter()
        .filter(|name| !name.starts_with('.'))
        .partition(|name| name.ends_with(".agekey") || name.ends_with(".txt"));
    for name in &read {
        let file = path.join(name);
        add_file(
            identities,
            context,
            &file,
            file.display().to_string(),
            IdentityText::Lines,
            ask,
        );
    }
    for name in &other {
        let why = "is not read: identities are in `*.agekey`, `keys.txt` or `*.txt`";
        identities.add_source(
            path.join(name).display().to_string(),
            Found::Unusable(why.to_owned()),
        );
    }
    if read.is_empty() {
        identities.add_source(shown, Found::Empty);
    }
}

/// Whether a text that should be a path is a key: it must not be told.
fn is_private_key(text: &str) -> bool {
    let text = text.to_ascii_uppercase();
    text.contains("AGE-SECRET-KEY-") || text.contains("PRIVATE KEY-----")
}

fn add_file(
    identities: &mut Identities,
    context: &Context,
    path: &Path,
    shown: String,
    kind: IdentityText,
    ask: &Ask,
) {
    match context.trusted.read_stream(path).map(Zeroizing::new) {
        Ok(text) => identities.add(shown, &text, kind, ask),
        Err(error) if error.code() == Code::FileMissing => {
            // What was asked for by name and is not there is the likely mistake.
            let is_usual = shown.starts_with(['~', '$']);
            let named = || Found::Unusable("does not exist".to_owned());
            identities.add_source(shown, if is_usual { Found::Missing } else { named() });
        }
        Err(error) => {
            let why = error
                .phrase()
                .rsplit_once(": ")
                .map_or("is not a regular file", |(_, kind)| kind);
            let why = if why.starts_with("is ") {
                why.to_owned()
            } else {
                format!("cannot be read: {why}")
            };
            identities.add_source(shown, Found::Unusable(why));
        }
    }
}

struct Search<'a> {
    context: &'a Context,
    commands: KeyCommands,
    ask: Ask,
    found: Identities,
}

impl Search<'_> {
    /// A variable as it is set; an empty one is set, as for sops.
    fn set(&self, name: &str) -> Option<&str> {
        self.context
            .environment
            .get(std::ffi::OsStr::new(name))?
            .to_str()
    }

    fn home(&self) -> Option<PathBuf> {
        self.context.variable("HOME").map(PathBuf::from)
    }

    fn not_set(&mut self, name: &str) {
        self.found.add_source(name, Found::NotSet);
    }

    fn variable(&mut self) {
        match &self.context.identities {
            Some(text) => self.found.add(
                SECRET_VARIABLE,
                text.expose_secret().as_bytes(),
                IdentityText::Words,
                &self.ask,
            ),
            None => self.not_set(SECRET_VARIABLE),
        }
    }

    fn variable_file(&mut self, name: &str, kind: IdentityText) {
        match self.set(name).map(str::to_owned) {
            Some(text) if is_private_key(&text) => {
                let why = match kind {
                    IdentityText::Ssh => "is a key, not the path of one",
                    _ => "is an identity, not the path of a file: SOPS_AGE_KEY takes one",
                };
                self.found.add_source(name, Found::Unusable(why.to_owned()));
            }
            Some(path) => {
                let full = self.context.working_directory.join(&path);
                self.file(&full, format!("{name}={path}"), kind);
            }
            None => self.not_set(name),
        }
    }

    fn file(&mut self, path: &Path, shown: String, kind: IdentityText) {
        add_file(&mut self.found, self.context, path, shown, kind, &self.ask);
    }

    fn variable_command(&mut self, name: &str, kind: IdentityText) {
        let Some(line) = self.set(name) else {
            self.not_set(name);
            return;
        };
        let found = match (self.commands, shlex::split(line)) {
            (KeyCommands::Ignore, _) => "is set, and is run with --enable-key-cmd only",
            (KeyCommands::Run, None) => "is no command line: a quote is not closed",
            (KeyCommands::Run, Some(words)) if words.is_empty() => "names no program",
            (KeyCommands::Run, Some(words)) => {
                let is_for_a_shell = words.iter().any(|w| SHELL_WORDS.contains(&w.as_str()));
                let name = match is_for_a_shell {
                    true => format!("{name}, which no shell runs,"),
                    false => name.to_owned(),
                };
                self.found.add_command(name, kind, run(words));
                return;
            }
        };
        self.found
            .add_source(name, Found::Unusable(found.to_owned()));
    }

    /// The user's `keys.txt`, by the rules of Go's `os.UserConfigDir`, and on macOS where sops looks first.
    fn key_files(&self) -> Vec<(PathBuf, String)> {
        const BELOW: &str = "sops/age/keys.txt";
        let mut files = Vec::new();
        match (self.context.variable("XDG_CONFIG_HOME"), self.home()) {
            (Some(config), _) => {
                files.push((
                    Path::new(config).join(BELOW),
                    format!("$XDG_CONFIG_HOME/{BELOW}"),
                ));
            }
            (None, Some(home)) => {
                files.push((
                    home.join(".config").join(BELOW),
                    format!("~/.config/{BELOW}"),
                ));
            }
            (None, None) => {}
        }
        if cfg!(target_os = "macos")
            && let Some(home) = self.home()
        {
            let support = "Library/Application Support";
            files.push((
                home.join(support).join(BELOW),
                format!("~/{support}/{BELOW}"),
            ));
        }
        files
    }

    /// A repository often has its key beside it, where nothing looks by itself.
    fn hint_at_key_nearby(&mut self) {
        let nearby = self.context.working_directory.join("age.key");
        if self.found.is_empty()
            && self
                .context
                .trusted
                .read(&nearby)
                .map(Zeroizing::new)
                .is_ok()
        {
            self.found.add_hint(
                "age.key lies here and is not read by itself: set SOPS_AGE_KEY_FILE=age.key",
            );
        }
    }
}

/// What only a shell makes sense of.
const SHELL_WORDS: [&str; 8] = ["|", "||", "&&", ";", ">", ">>", "<", "2>/dev/null"];

/// Runs a key command for a recipient, which it finds in `SOPS_AGE_RECIPIENT`.
fn run(words: Vec<String>) -> Fetch {
    let programs = Processes::by_the_invoker();
    Box::new(move |recipient| programs.output(&words, &[("SOPS_AGE_RECIPIENT", recipient)]))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::{Ask, Context, Found, Identities, add_path};
    use crate::files::Trusted;

    // Made for this test, public, and protecting nothing.
    const IDENTITY: &str =
        "AGE-SECRET-KEY-19EFFRR268KCQE7T7XLWS09AVTRWR6Y0WGVV480NT2DCSK75L5NHQ0UMLXF";

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a test")]
    fn a_mounted_directory_gives_every_key_and_names_what_is_not_read() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        for (name, text) in [
            ("a.agekey", IDENTITY),
            ("keys.txt", "# none\n"),
            ("age.key", IDENTITY),
            ("..data", ""),
        ] {
            std::fs::write(directory.path().join(name), text).expect("it can be written");
        }
        let context = Context {
            arguments: Vec::new(),
            environment: BTreeMap::new(),
            identities: None,
            working_directory: directory.path().to_owned(),
            trusted: Trusted::by_the_invoker(),
        };
        let ask: Ask = Arc::new(|_: &str| Err("nobody is there".to_owned()));
        let mut found = Identities::new();
        add_path(&mut found, &context, directory.path(), &ask);
        let told: Vec<_> = found
            .sources()
            .iter()
            .map(|s| (s.name.rsplit('/').next(), &s.found))
            .collect();
        assert!(matches!(
            told.as_slice(),
            [
                (Some("a.agekey"), Found::Keys { .. }),
                (Some("keys.txt"), Found::Empty),
                (Some("age.key"), Found::Unusable(_)),
            ]
        ));
        assert_eq!(found.public_keys().count(), 1);
    }
}
