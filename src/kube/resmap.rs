//! The objects of a build, in order.

use super::Resource;

/// Objects in order of appearance.
#[derive(Debug, Clone, Default)]
pub struct ResMap {
    resources: Vec<Resource>,
}

impl ResMap {
    /// The objects in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Resource> {
        self.resources.iter()
    }

    /// The number of objects.
    pub fn len(&self) -> usize {
        self.resources.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty()
    }
}
