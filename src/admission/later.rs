//! Values that nobody knows yet.

/// Whether a text is filled or opened later, so that nothing can be said of it: a variable that Flux fills, what stands
/// for one that is made in the cluster, or a value that is sealed.
pub(crate) fn is_later(text: &str) -> bool {
    text.contains("${") || text.contains("placeholder-of-") || text.starts_with("ENC[")
}
