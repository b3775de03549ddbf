//! What filling a template may cost. Repository content is hostile: a loop has an end.

use std::cell::Cell;

use super::fault::{Fault, Result};

/// Steps and bytes that are left. One budget may serve many templates.
#[derive(Debug)]
pub struct Budget {
    steps: Cell<u64>,
    bytes: Cell<u64>,
}

impl Budget {
    /// Steps that one budget allows by default: five hundred Applications of fifty templates use 1 % of it.
    pub const STEPS: u64 = 50_000_000;

    /// Bytes that all strings made under one budget may have.
    pub const BYTES: u64 = 256 << 20;

    /// A budget of steps and of bytes.
    pub fn new(steps: u64, bytes: u64) -> Self {
        Self {
            steps: Cell::new(steps),
            bytes: Cell::new(bytes),
        }
    }

    /// Charges work.
    pub fn step(&self, count: u64) -> Result<()> {
        let left = self.steps.get().checked_sub(count);
        let left = left.ok_or_else(|| Fault::limit("the template takes too many steps"))?;
        self.steps.set(left);
        Ok(())
    }

    /// Charges a string or list before it is made.
    pub fn bytes(&self, count: usize) -> Result<()> {
        let left = self.bytes.get().checked_sub(count as u64);
        let left = left.ok_or_else(|| Fault::limit("the template makes too much text"))?;
        self.bytes.set(left);
        Ok(())
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(Self::STEPS, Self::BYTES)
    }
}
