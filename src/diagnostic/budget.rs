//! One budget of a whole run, charged where something hostile could make work or memory grow without bound.
//!
//! The limits of single readers (a file, a depth, an alias) do not add up to a limit of the whole: a thousand
//! copies that are small each are large together. So each kind of growth has one count for all of a run, and ends
//! it with [`Code::BudgetSpent`] before the memory is taken. Other worlds of the same render are counted apart.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Code, Diagnostic, Result};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Growth {
    /// Kustomizations that are built, each as often as it is reached.
    Kustomizations,
    /// Nodes that JSON patches and replacements copy.
    CopiedNodes,
    /// Bytes of text that replacements copy and put together.
    CopiedBytes,
    /// Bytes that variables put into texts.
    SubstitutedBytes,
    /// Bytes that templates print.
    TemplateBytes,
}

/// A kind of growth: its name in the policy and in messages, what it is, and its limit where nothing else is set.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// What is counted.
    pub growth: Growth,
    /// Its name.
    pub name: &'static str,
    /// What it is, for people.
    pub about: &'static str,
    /// The limit.
    pub limit: u64,
}

/// Every kind of growth. The limits leave ten times what the largest public repositories need.
pub const ROWS: [Row; 5] = [
    Row {
        growth: Growth::Kustomizations,
        name: "kustomizations",
        about: "kustomizations of one build, each as often as it is reached",
        limit: 5_000,
    },
    Row {
        growth: Growth::CopiedNodes,
        name: "copiedNodes",
        about: "nodes that JSON patches and replacements copy",
        limit: 500_000,
    },
    Row {
        growth: Growth::CopiedBytes,
        name: "copiedBytes",
        about: "bytes of text that JSON patches and replacements copy",
        limit: 32 << 20,
    },
    Row {
        growth: Growth::SubstitutedBytes,
        name: "substitutedBytes",
        about: "bytes that variables put into texts",
        limit: 64 << 20,
    },
    Row {
        growth: Growth::TemplateBytes,
        name: "templateBytes",
        about: "bytes that templates print",
        limit: 128 << 20,
    },
];

/// What is spent, and the limits that an administrator set; 0 where none is set.
static SPENT: [AtomicU64; ROWS.len()] = [const { AtomicU64::new(0) }; ROWS.len()];
static LIMITS: [AtomicU64; ROWS.len()] = [const { AtomicU64::new(0) }; ROWS.len()];

impl Growth {
    fn row(self) -> (usize, &'static Row) {
        let found = ROWS.iter().enumerate().find(|(_, row)| row.growth == self);
        found.expect("every kind has a row")
    }

    /// The limit that counts.
    pub fn limit(self) -> u64 {
        let (index, row) = self.row();
        match LIMITS[index].load(Ordering::Relaxed) {
            0 => row.limit,
            set => set,
        }
    }

    /// Sets the limit for this process: for the administrator of a host.
    pub fn set_limit(self, limit: u64) {
        LIMITS[self.row().0].store(limit, Ordering::Relaxed);
    }

    /// Charges the run, before the work is done. Fails with [`Code::BudgetSpent`].
    pub fn charge(self, amount: u64) -> Result<()> {
        let (index, _) = self.row();
        let before = SPENT[index].fetch_add(amount, Ordering::Relaxed);
        self.within(before.saturating_add(amount))
    }

    /// Fails where a count that is kept elsewhere is over the limit.
    pub fn within(self, count: u64) -> Result<()> {
        let limit = self.limit();
        match count <= limit {
            true => Ok(()),
            false => Err(self.spent()),
        }
    }

    /// The error where a limit is reached.
    pub fn spent(self) -> Diagnostic {
        let limit = self.limit();
        let (_, row) = self.row();
        let phrase = format!("the limit {} is reached: {limit} {}", row.name, row.about);
        Diagnostic::new(Code::BudgetSpent, phrase).help(format!(
            "`plugin doctor` lists the limits; an administrator of Argo CD can set {} under defaults.limits of the policy",
            row.name
        ))
    }

    /// The kind of a name.
    pub fn of_name(name: &str) -> Option<Self> {
        ROWS.iter()
            .find(|row| row.name == name)
            .map(|row| row.growth)
    }
}

/// Charges a copy of so many nodes and bytes of text.
pub fn charge_copy((nodes, bytes): (u64, u64)) -> Result<()> {
    Growth::CopiedNodes.charge(nodes)?;
    Growth::CopiedBytes.charge(bytes)
}

/// Starts a run: nothing is spent.
pub fn renew() {
    for spent in &SPENT {
        spent.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_the_limit_is_refused_by_its_name() {
        assert!(Growth::Kustomizations.within(5_000).is_ok());
        let error = Growth::Kustomizations.within(5_001).unwrap_err();
        assert_eq!(error.code(), Code::BudgetSpent);
        assert!(error.phrase().contains("kustomizations"));
        assert_eq!(Growth::of_name("copiedNodes"), Some(Growth::CopiedNodes));
    }
}
