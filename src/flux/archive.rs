//! The archive of an artifact as `flux build artifact` packs it.
//!
//! Follows fluxcd/pkg `oci/build.go` (v0.6x, flux 2.9.5): a walk in the order of names within each directory, the
//! directory itself first as `./`; links are left out, empty directories are not; owners and times are reset. Modes
//! are reset, too, so that the same files give the same bytes whatever a checkout made of them. A single file lies
//! in a directory of mode 0700, as the original makes one for it (case `artifact-single-file-excluded-by-default`).

use std::io::Write as _;

use flate2::{Compression, GzBuilder};

use super::contents::MAX_BYTES;
use crate::diagnostic::{Code, Diagnostic, Place, Result};
use crate::files::{Files, Kind, TreePath};
use crate::go::tar::{Kind as EntryKind, Writer};
use crate::pipeline::Ignore;

const DIRECTORY_MODE: u32 = 0o755;
const FILE_MODE: u32 = 0o644;
/// The mode of the directory that is made for a single file.
const PRIVATE_MODE: u32 = 0o700;

/// Packs a directory without what is ignored; nothing at all where there are no patterns.
///
/// Fails with [`Code::FileTooLarge`] past [`MAX_BYTES`], and as [`Files::read`] does.
pub fn archive(
    files: &dyn Files,
    directory: &TreePath,
    ignore: Option<&Ignore>,
) -> Result<Vec<u8>> {
    let mut writer = Writer::default();
    if let Some(ignore) = ignore {
        let mut pack = Pack {
            files,
            directory,
            ignore,
            writer,
            total: 0,
        };
        pack.writer
            .add(EntryKind::Directory, ".", DIRECTORY_MODE, b"");
        pack.walk(directory)?;
        writer = pack.writer;
    }
    Ok(compressed(&writer.finish()))
}

/// Packs one file.
pub fn archive_of_file(files: &dyn Files, path: &TreePath, ignore: &Ignore) -> Result<Vec<u8>> {
    let mut writer = Writer::default();
    writer.add(EntryKind::Directory, ".", PRIVATE_MODE, b"");
    if !ignore.leaves_out(path, Kind::File) {
        let file = files.read(path)?;
        writer.add(EntryKind::File, path.file_name(), FILE_MODE, &file.bytes);
    }
    Ok(compressed(&writer.finish()))
}

struct Pack<'a> {
    files: &'a dyn Files,
    directory: &'a TreePath,
    ignore: &'a Ignore,
    writer: Writer,
    total: usize,
}

impl Pack<'_> {
    fn walk(&mut self, directory: &TreePath) -> Result<()> {
        for name in self.files.list(directory)? {
            let path = directory.join(&name).expect("a listed name stays below");
            if self.files.real_path(&path).is_ok_and(|real| real != path) {
                continue;
            }
            let Ok(Some(kind)) = self.files.kind(&path) else {
                continue;
            };
            let is_left_out = self.ignore.leaves_out(&path, kind);
            let relative = path.relative_to(self.directory);
            match kind {
                Kind::Directory => {
                    if !is_left_out {
                        self.writer
                            .add(EntryKind::Directory, &relative, DIRECTORY_MODE, b"");
                    }
                    self.walk(&path)?;
                }
                Kind::File if is_left_out => {}
                Kind::File => {
                    let file = self.files.read(&path)?;
                    self.charge(file.bytes.len())?;
                    self.writer
                        .add(EntryKind::File, &relative, FILE_MODE, &file.bytes);
                }
            }
        }
        Ok(())
    }

    fn charge(&mut self, bytes: usize) -> Result<()> {
        self.total += bytes;
        if self.total <= MAX_BYTES {
            return Ok(());
        }
        let phrase = format!("{} holds more than {} MiB", self.directory, MAX_BYTES >> 20);
        Err(Diagnostic::new(Code::FileTooLarge, phrase).at(Place::file(self.directory.to_string())))
    }
}

fn compressed(archive: &[u8]) -> Vec<u8> {
    let mut gzip = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::default());
    gzip.write_all(archive).expect("a vector takes everything");
    gzip.finish().expect("a vector takes everything")
}
