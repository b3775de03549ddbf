//! `plugin.yaml`: the configuration of a plugin server.
//!
//! Follows `ReadPluginConfig` and `ValidatePluginConfig` (cmpserver/plugin/config.go) of Argo CD 3.6: names of fields
//! in any case, unknown ones left out, the first document alone. What makes a file odd is a warning here.

use serde::Deserialize;
use serde_json::Value;

use crate::argocd::application::{PLUGIN_FILE, decode, unknown};
use crate::argocd::wire::yaml;
use crate::diagnostic::{Code, Diagnostic, Place, Result, Source};

/// The one that the image holds.
const SHIPPED: &str = include_str!("../../../plugin/argocd/plugin.yaml");

/// A plugin as its server is configured.
#[derive(Debug, Clone)]
pub struct PluginConfig {
    /// The name by which Applications call it: with the version, where there is one.
    pub name: String,
    /// What it is made of.
    pub spec: Spec,
    /// What the host takes, and the user may not have meant.
    pub warnings: Vec<Diagnostic>,
}

/// `spec` of a plugin.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Spec {
    version: String,
    /// Runs before every `generate`.
    pub init: Command,
    /// Prints the manifests.
    pub generate: Command,
    /// Decides whether a source is the plugin's.
    pub discover: Discover,
    /// Announces parameters.
    pub parameters: Parameters,
    /// Whether files keep their modes.
    pub preserve_file_mode: bool,
}

/// A command and its arguments; no shell.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Command {
    command: Option<Vec<String>>,
    args: Option<Vec<String>>,
}

/// The first of these that is set is the only one that is asked.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Discover {
    /// A pattern of a path in the Application's directory.
    pub file_name: String,
    /// A pattern with `**`, or a command.
    pub find: Find,
}

/// `discover.find`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Find {
    /// A pattern with `**`.
    pub glob: String,
    command: Option<Vec<String>>,
    args: Option<Vec<String>>,
}

/// `parameters`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Parameters {
    /// Announcements that are always the same.
    #[serde(rename = "static")]
    pub fixed: Option<Vec<Value>>,
    /// Prints announcements.
    pub dynamic: Command,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PluginFile {
    kind: String,
    metadata: Metadata,
    spec: Spec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: String,
}

impl Command {
    /// The words, the program first; empty where there is none.
    pub fn words(&self) -> Vec<String> {
        words(self.command.as_deref(), self.args.as_deref())
    }

    /// Adds a flag, in the place of one of the same name.
    pub fn set_flag(&mut self, flag: &str, value: &str) {
        for list in [&mut self.command, &mut self.args].into_iter().flatten() {
            if let Some(at) = list.iter().position(|word| word == flag) {
                list.drain(at..list.len().min(at + 2));
            }
        }
        let args = self.args.get_or_insert_with(Vec::new);
        args.extend([flag.to_owned(), value.to_owned()]);
    }
}

impl Find {
    /// The words of the command; empty where there is none.
    pub fn words(&self) -> Vec<String> {
        words(self.command.as_deref(), self.args.as_deref())
    }
}

fn words(command: Option<&[String]>, arguments: Option<&[String]>) -> Vec<String> {
    match command.unwrap_or_default() {
        [] => Vec::new(),
        command => command
            .iter()
            .chain(arguments.unwrap_or_default())
            .cloned()
            .collect(),
    }
}

impl Discover {
    /// Whether anything is asked.
    pub fn is_configured(&self) -> bool {
        !(self.file_name.is_empty() && self.find.glob.is_empty() && self.find.words().is_empty())
    }
}

impl PluginConfig {
    /// The configuration that the image holds.
    pub fn shipped() -> Result<Self> {
        Self::read(SHIPPED.as_bytes(), &Source::committed("plugin.yaml"))
    }

    /// Reads a configuration. Fails with [`Code::FieldMissing`] and [`Code::FieldType`] where the host does.
    pub fn read(bytes: &[u8], source: &Source) -> Result<Self> {
        let place = Place::file(source.path.as_ref());
        let wrong = |code, phrase: &str| Diagnostic::new(code, phrase).at(place.clone());
        let text = String::from_utf8_lossy(bytes);
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let value = yaml::read(text).map_err(|error| wrong(Code::YamlSyntax, &error.0))?;
        let decoded = decode(&PLUGIN_FILE, &value, None);
        let decoded = decoded
            .map_err(|words| wrong(Code::FieldType, &words))?
            .unwrap_or_default();
        let file = PluginFile::deserialize(&decoded).unwrap_or_default();
        if file.kind != "ConfigManagementPlugin" {
            let phrase = "the kind of a plugin's configuration is ConfigManagementPlugin";
            return Err(wrong(Code::FieldMissing, phrase));
        }
        if file.spec.generate.words().is_empty() || file.metadata.name.is_empty() {
            let phrase = "a plugin has a metadata.name and a spec.generate.command";
            return Err(wrong(Code::FieldMissing, phrase));
        }
        let name = match &*file.spec.version {
            "" => file.metadata.name,
            version => format!("{}-{version}", file.metadata.name),
        };
        let odd = |path: String| {
            let phrase = format!("Argo CD leaves out the field {path}, which it does not know");
            Diagnostic::warning(Code::HostWarning, phrase).at(place.clone())
        };
        Ok(Self {
            name,
            spec: file.spec,
            warnings: unknown(&PLUGIN_FILE, &value).into_iter().map(odd).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<PluginConfig> {
        PluginConfig::read(text.as_bytes(), &Source::committed("p.yaml"))
    }

    /// A.1 and F.1: name only, no version, no discovery.
    #[test]
    fn the_shipped_one_names_itself_and_discovers_nothing() {
        let shipped = PluginConfig::shipped().unwrap();
        assert_eq!(shipped.name, "prerender");
        assert!(!shipped.spec.discover.is_configured());
        let words = shipped.spec.generate.words();
        assert_eq!(words, ["/usr/local/bin/plugin", "argocd", "generate"]);
        assert!(shipped.spec.init.words().is_empty() && shipped.warnings.is_empty());
    }

    /// A.1: with a version, Applications name `<name>-<version>`.
    #[test]
    fn a_version_is_a_part_of_the_name() {
        let text = "KIND: ConfigManagementPlugin\nmetadata: {name: a}\nspec: {version: v1, discover: null, generate: {command: [x], args: [w], shell: z}}\n";
        let config = read(text).unwrap();
        assert_eq!(config.name, "a-v1");
        assert_eq!(config.spec.generate.words(), ["x", "w"]);
        assert!(config.warnings[0].phrase().contains("spec.generate.shell"));
        assert!(read(&text.replace("v1", "1.0")).is_err());
    }

    #[test]
    fn a_flag_takes_the_place_of_one_of_its_name() {
        let words = ["plugin", "argocd", "generate", "--policy", "/a"].map(str::to_owned);
        let mut command = Command {
            command: Some(words.to_vec()),
            args: None,
        };
        command.set_flag("--policy", "/b");
        let words = ["plugin", "argocd", "generate", "--policy", "/b"];
        assert_eq!(command.words(), words);
    }
}
