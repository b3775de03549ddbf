//! Leads from a byte of a translated text to the byte of the source that it stands for.

/// Where a stretch of the translated text comes from.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    start: usize,
    source: usize,
    /// Whether its bytes are the source's own, one for one.
    verbatim: bool,
}

/// The stretches of a translated text, in order.
#[derive(Debug, Clone, Default)]
pub(in crate::template) struct SourceMap {
    stretches: Vec<Stretch>,
}

impl SourceMap {
    pub(super) fn push(&mut self, start: usize, source: usize, verbatim: bool) {
        self.stretches.push(Stretch {
            start,
            source,
            verbatim,
        });
    }

    /// The byte of the source that a byte of the translated text stands for.
    pub(in crate::template) fn source_of(&self, at: usize) -> usize {
        let index = self.stretches.partition_point(|s| s.start <= at);
        let Some(stretch) = index.checked_sub(1).map(|i| self.stretches[i]) else {
            return 0;
        };
        stretch.source
            + if stretch.verbatim {
                at - stretch.start
            } else {
                0
            }
    }
}
