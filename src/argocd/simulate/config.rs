//! `plugin.yaml`: the configuration of a plugin server.

use serde::Deserialize;
use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, Place, Result, Source};
use crate::yaml;

/// The one that the image holds.
const SHIPPED: &str = include_str!("../../../plugin/argocd/plugin.yaml");

/// A plugin as its server is configured.
#[derive(Debug, Clone)]
pub struct PluginConfig {
    /// The name by which Applications call it: with the version, where there is one.
    pub name: String,
    /// What it is made of.
    pub spec: Spec,
}

/// `spec` of a plugin.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Spec {
    version: String,
    /// Runs before every `generate`.
    pub init: Command,
    /// Prints the manifests.
    pub generate: Command,
    /// Tells whether a source is the plugin's.
    pub discover: Discover,
    /// Announces parameters.
    pub parameters: Parameters,
    /// Whether files keep their modes.
    pub preserve_file_mode: bool,
    provide_git_creds: bool,
}

/// A command and its arguments; no shell.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Command {
    command: Vec<String>,
    args: Vec<String>,
}

/// The first of these that is set is the only one that is asked.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
pub struct Discover {
    /// A pattern of a path in the Application's directory.
    pub file_name: String,
    /// A pattern with `**`, or a command.
    pub find: Find,
}

/// `discover.find`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Find {
    /// A pattern with `**`.
    pub glob: String,
    command: Vec<String>,
    args: Vec<String>,
}

/// `parameters`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Parameters {
    /// Announcements that are always the same.
    #[serde(rename = "static")]
    pub fixed: Vec<Value>,
    /// Prints announcements.
    pub dynamic: Command,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PluginFile {
    kind: String,
    metadata: Metadata,
    spec: Spec,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    name: String,
}

impl Command {
    /// The words, the program first; empty where there is none.
    pub fn words(&self) -> Vec<String> {
        words(&self.command, &self.args)
    }

    /// Adds a flag, in the place of one of the same name.
    pub fn set_flag(&mut self, flag: &str, value: &str) {
        for list in [&mut self.command, &mut self.args] {
            if let Some(at) = list.iter().position(|word| word == flag) {
                list.drain(at..list.len().min(at + 2));
            }
        }
        self.args.extend([flag.to_owned(), value.to_owned()]);
    }
}

impl Find {
    /// The words of the command; empty where there is none.
    pub fn words(&self) -> Vec<String> {
        words(&self.command, &self.args)
    }
}

fn words(command: &[String], arguments: &[String]) -> Vec<String> {
    match command {
        [] => Vec::new(),
        _ => command.iter().chain(arguments).cloned().collect(),
    }
}

impl Discover {
    /// Whether anything is asked.
    pub fn is_configured(&self) -> bool {
        !self.file_name.is_empty() || !self.find.glob.is_empty() || !self.find.command.is_empty()
    }
}

impl PluginConfig {
    /// The configuration that the image holds.
    pub fn shipped() -> Result<Self> {
        Self::read(SHIPPED.as_bytes(), &Source::committed("plugin.yaml"))
    }

    /// Reads a configuration. Fails with [`Code::FieldMissing`] and the like.
    pub fn read(bytes: &[u8], source: &Source) -> Result<Self> {
        let node = yaml::parse_config(bytes, source)?;
        let file: PluginFile = yaml::from_node(&node, source)?;
        let wrong = |phrase: &str| {
            Err(Diagnostic::new(Code::FieldMissing, phrase).at(Place::file(source.path.as_ref())))
        };
        if file.kind != "ConfigManagementPlugin" {
            return wrong("the kind of a plugin's configuration is ConfigManagementPlugin");
        }
        if file.spec.generate.command.is_empty() || file.metadata.name.is_empty() {
            return wrong("a plugin has a metadata.name and a spec.generate.command");
        }
        let name = match &*file.spec.version {
            "" => file.metadata.name,
            version => format!("{}-{version}", file.metadata.name),
        };
        Ok(Self {
            name,
            spec: file.spec,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A.1 and F.1: name only, no version, no discovery.
    #[test]
    fn the_shipped_one_names_itself_and_discovers_nothing() {
        let shipped = PluginConfig::shipped().unwrap();
        assert_eq!(shipped.name, "prerender");
        assert!(!shipped.spec.discover.is_configured());
        let words = shipped.spec.generate.words();
        assert_eq!(words, ["/usr/local/bin/plugin", "argocd", "generate"]);
        assert!(shipped.spec.init.words().is_empty());
    }

    /// A.1: with a version, Applications name `<name>-<version>`.
    #[test]
    fn a_version_is_a_part_of_the_name() {
        let text = "kind: ConfigManagementPlugin\nmetadata: {name: a}\nspec: {version: v1, generate: {command: [x], args: [y]}}\n";
        let config = PluginConfig::read(text.as_bytes(), &Source::committed("p.yaml")).unwrap();
        assert_eq!(config.name, "a-v1");
        assert_eq!(config.spec.generate.words(), ["x", "y"]);
    }

    #[test]
    fn a_flag_takes_the_place_of_one_of_its_name() {
        let mut command = Command {
            command: ["plugin", "argocd", "generate", "--policy", "/a"]
                .map(str::to_owned)
                .to_vec(),
            args: Vec::new(),
        };
        command.set_flag("--policy", "/b");
        let words = ["plugin", "argocd", "generate", "--policy", "/b"];
        assert_eq!(command.words(), words);
    }
}
