//! helm: charts are pulled and inflated by the program that the invoker names.
#![expect(
    clippy::disallowed_methods,
    reason = "a chart is laid out on disk for helm to read"
)]

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::Process;
use super::temporary::temporary;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::files::{Files, Kind, TreePath};

/// The helm that the invoker allows.
#[derive(Debug, Clone)]
pub struct Helm {
    /// The program.
    pub command: OsString,
    /// API versions that every chart shall believe in, instead of its own list.
    pub api_versions: Vec<String>,
    /// The Kubernetes version that every chart shall believe in, instead of its own.
    pub kube_version: Option<String>,
    /// Whether helm is to tell more.
    pub is_debug: bool,
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

/// A chart on disk, in a directory that lasts as long as this; helm's own directories are beside it.
#[derive(Debug)]
pub struct Chart {
    directory: tempfile::TempDir,
    name: String,
}

impl Chart {
    /// Lays out a chart of a repository. Its sealed files stay sealed, as kustomize leaves them to helm.
    pub fn copy(files: &dyn Files, chart: &TreePath, name: &str) -> Result<Self> {
        let laid_out = Self::empty(name)?;
        copy(files, chart, &laid_out.path())?;
        Ok(laid_out)
    }

    fn empty(name: &str) -> Result<Self> {
        Ok(Self {
            directory: temporary()?,
            name: name.to_owned(),
        })
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("charts").join(&self.name)
    }

    /// The values that the chart comes with.
    pub fn values(&self) -> Result<Vec<u8>> {
        let path = self.path().join("values.yaml");
        fs::read(path).map_err(|error| {
            let phrase = format!(
                "the values of chart {} cannot be read: {}",
                self.name,
                error.kind()
            );
            Diagnostic::new(Code::FileMissing, phrase)
        })
    }
}

fn copy(files: &dyn Files, from: &TreePath, to: &Path) -> Result<()> {
    let unwritten = |error: std::io::Error| {
        let phrase = format!("the chart cannot be laid out for helm: {}", error.kind());
        Diagnostic::new(Code::WriteFailed, phrase)
    };
    fs::create_dir_all(to).map_err(unwritten)?;
    for name in files.list(from)? {
        let Some(path) = from.join(&name) else {
            continue;
        };
        match files.kind(&path)? {
            Some(Kind::Directory) => copy(files, &path, &to.join(&name))?,
            Some(Kind::File) => {
                let file = files.read_unopened(&path)?;
                fs::write(to.join(&name), &file.bytes).map_err(unwritten)?;
            }
            None => {}
        }
    }
    Ok(())
}

impl Helm {
    /// Pulls a chart.
    pub fn pull(&self, pull: Pull<'_>) -> Result<Chart> {
        let chart = Chart::empty(pull.name)?;
        let target = chart.directory.path().join("charts");
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
        self.run(chart, all, config_home, values)
    }

    fn run(
        &self,
        chart: &Chart,
        arguments: Vec<String>,
        config_home: Option<&Path>,
        input: &[u8],
    ) -> Result<Vec<u8>> {
        let own = chart.directory.path().join("helm");
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
            variables,
            directory: None,
            input,
            limit: None,
        }
        .run()
    }
}
