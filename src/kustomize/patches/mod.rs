//! Patches: strategic merges and JSON patches.

mod irregular;
mod lists;
mod strategic;
