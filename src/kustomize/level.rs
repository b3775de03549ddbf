//! The two levels of kustomize whose bytes are given, and each difference between them by name.
//!
//! A level is a minor version of the reference: v5.7.1 (api and kyaml v0.20.1) and v5.8.1 (api and kyaml v0.21.1).
//! Whatever differs asks [`Level::has`]; nothing else compares levels.

use std::fmt;

/// A minor version of the reference.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// v5.7.1, as in kubectl 1.35.
    V5_7,
    /// v5.8.1, as in kubectl 1.36, Argo CD 3.3 and kustomize-controller 1.8.
    #[default]
    V5_8,
}

/// What one level does and another does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// `select` and `reject` of replacements are regular expressions for the whole of a part, and
    /// `namespace: default` does not mean objects without one (kubernetes-sigs/kustomize#5863).
    SelectorExpressions,
    /// A field path of a replacement goes on below a string that holds YAML or JSON (#5679).
    StructuredStrings,
    /// A patch without a document has nothing to do, with and without a target (#5977).
    EmptyPatches,
    /// `options` of a patch have two fields, whose names are read in any case (#5947).
    PatchArguments,
    /// Charts are told the namespace of the nearest kustomization, and no `namespace:` touches what they make
    /// (#5940, #6031).
    HelmNamespace,
}

impl Level {
    /// Every level, oldest first.
    pub const ALL: [Self; 2] = [Self::V5_7, Self::V5_8];

    /// Whether this level does something.
    pub fn has(self, feature: Feature) -> bool {
        match feature {
            Feature::SelectorExpressions
            | Feature::StructuredStrings
            | Feature::EmptyPatches
            | Feature::PatchArguments
            | Feature::HelmNamespace => self >= Self::V5_8,
        }
    }

    /// Reads `5.8`, `v5.8` or `5.8.1`; `None` for what is not a known level.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let is = |level: &Self| {
            let rest = text.strip_prefix(level.name());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        Self::ALL.into_iter().find(is)
    }

    /// Its name: major and minor version.
    pub fn name(self) -> &'static str {
        match self {
            Self::V5_7 => "5.7",
            Self::V5_8 => "5.8",
        }
    }

    /// The version whose bytes are given.
    pub fn version(self) -> &'static str {
        match self {
            Self::V5_7 => "v5.7.1",
            Self::V5_8 => "v5.8.1",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::Level;

    #[test]
    fn reads_versions() {
        for text in ["5.7", "v5.7", "5.7.1", "v5.7.1"] {
            assert_eq!(Level::parse(text), Some(Level::V5_7), "{text}");
        }
        assert_eq!(Level::parse("5.8.1"), Some(Level::V5_8));
        for text in ["", "5", "5.70", "4.5", "5.9"] {
            assert_eq!(Level::parse(text), None, "{text}");
        }
    }
}
