//! helm: charts are pulled and inflated by the program that the invoker names.

use std::ffi::OsString;
use std::path::Path;

use super::{Chart, Environment, Process};
use crate::diagnostic::Result;

/// The helm that the invoker allows.
#[derive(Debug, Clone)]
pub struct Helm {
    /// The program.
    pub command: OsString,
    /// API versions that every chart shall believe in, instead of its own list.
    pub api_versions: Vec<String>,
    /// The Kubernetes version that every chart shall believe in, instead of its own.
    pub kube_version: Option<String>,
    /// Whether helm is to say more.
    pub is_debug: bool,
    /// What helm sees of our environment.
    pub environment: Environment,
}

/// A chart that is to be pulled.
#[derive(Debug, Clone, Copy)]
pub struct Pull<'a> {
    /// The chart's name.
    pub name: &'a str,
    /// The repository: an address, or `oci://…`.
    pub repository: &'a str,
    /// The version; empty for the newest.
    pub version: &'a str,
    /// Whether versions in development count.
    pub is_devel: bool,
}

impl Helm {
    /// Pulls a chart.
    pub fn pull(&self, pull: Pull<'_>) -> Result<Chart> {
        let chart = Chart::empty(pull.name)?;
        let target = chart.directory().join("charts");
        let mut arguments = vec![
            "pull".to_owned(),
            "--untar".to_owned(),
            "--untardir".to_owned(),
        ];
        arguments.push(target.display().to_string());
        if pull.repository.starts_with("oci://") {
            let repository = pull.repository.trim_end_matches('/');
            arguments.push(format!("{repository}/{}", pull.name));
        } else {
            arguments.extend(["--repo", pull.repository, pull.name].map(str::to_owned));
        }
        if !pull.version.is_empty() {
            arguments.extend(["--version", pull.version].map(str::to_owned));
        }
        if pull.is_devel {
            arguments.push("--devel".to_owned());
        }
        self.run(&chart, arguments, None, b"")?;
        Ok(chart)
    }

    /// Inflates a chart with values that helm reads from standard input.
    pub fn template(
        &self,
        chart: &Chart,
        arguments: &[String],
        values: &[u8],
        config_home: Option<&Path>,
    ) -> Result<Vec<u8>> {
        let mut all = vec!["template".to_owned()];
        let (release, rest) = arguments.split_at(arguments.len().min(1));
        all.extend_from_slice(release);
        all.push(chart.path().display().to_string());
        all.extend(["-f", "-"].map(str::to_owned));
        all.extend_from_slice(rest);
        for version in &self.api_versions {
            all.extend(["--api-versions".to_owned(), version.clone()]);
        }
        if let Some(version) = &self.kube_version {
            all.extend(["--kube-version".to_owned(), version.clone()]);
        }
        if self.is_debug {
            all.push("--debug".to_owned());
        }
        if !chart.is_closed() {
            all.push("--skip-schema-validation".to_owned());
        }
        self.run(chart, all, config_home, values)
    }

    fn run(
        &self,
        chart: &Chart,
        arguments: Vec<String>,
        config_home: Option<&Path>,
        input: &[u8],
    ) -> Result<Vec<u8>> {
        let own = chart.directory().join("helm");
        let home = config_home.unwrap_or(&own);
        let below = |name: &str| home.join(name).display().to_string();
        let variables = vec![
            ("HELM_CONFIG_HOME".to_owned(), home.display().to_string()),
            ("HELM_CACHE_HOME".to_owned(), below(".cache")),
            ("HELM_DATA_HOME".to_owned(), below(".data")),
        ];
        Process {
            program: &self.command,
            arguments,
            environment: &self.environment,
            variables,
            temporary: Some(chart.directory()),
            directory: None,
            input,
            limit: None,
        }
        .run()
    }
}
