//! Archives as Go's `archive/tar` writes them (writer.go and strconv.go, Go 1.26), without owners and times.
//!
//! A header is the plain USTAR form where the name fits it: up to 100 bytes, or 155 and 100 around a slash, all of
//! them ASCII. Any other name goes into a PAX record before the header, whose own name field keeps what is left of
//! it in ASCII. Numbers are octal, filled with zeros up to a NUL; the checksum is six digits, a NUL and a blank.
//! Pinned by the recorded digests of archives that flux2 2.9.5 wrote (the Flux conformance suite, `artifact-*`).

/// A block of an archive.
const BLOCK: usize = 512;

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
}

/// Writes an archive into memory.
#[derive(Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Adds an entry with its permission bits and, for a file, its content.
    pub fn add(&mut self, kind: Kind, name: &str, mode: u32, content: &[u8]) {
        let flag = match kind {
            Kind::File => b'0',
            Kind::Directory => b'5',
        };
        match split(name) {
            Some((prefix, name)) => self.header(prefix, name, mode, content.len(), flag),
            None => {
                self.pax(name);
                self.header("", &ascii(name), mode, content.len(), flag);
            }
        }
        self.blocks(content);
    }

    /// Ends the archive: two empty blocks.
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.resize(self.bytes.len() + 2 * BLOCK, 0);
        self.bytes
    }

    /// The record that holds a name which no header can.
    fn pax(&mut self, name: &str) {
        let record = record("path", name);
        let (directory, file) = match name.trim_end_matches('/').rsplit_once('/') {
            Some((directory, file)) => (format!("{directory}/"), file),
            None => (String::new(), name.trim_end_matches('/')),
        };
        let own = ascii(&format!("{directory}PaxHeaders.0/{file}"));
        self.header("", own.trim_end_matches('/'), 0, record.len(), b'x');
        self.blocks(record.as_bytes());
    }

    fn header(&mut self, prefix: &str, name: &str, mode: u32, size: usize, flag: u8) {
        let mut block = [0; BLOCK];
        put(&mut block[..100], name.as_bytes());
        octal(&mut block[100..108], u64::from(mode));
        octal(&mut block[108..116], 0);
        octal(&mut block[116..124], 0);
        octal(&mut block[124..136], size as u64);
        octal(&mut block[136..148], 0);
        block[156] = flag;
        put(&mut block[257..265], b"ustar\x0000");
        // The header of a record has no device numbers.
        if flag != b'x' {
            octal(&mut block[329..337], 0);
            octal(&mut block[337..345], 0);
        }
        put(&mut block[345..500], prefix.as_bytes());
        block[148..156].fill(b' ');
        let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
        octal(&mut block[148..155], sum);
        self.bytes.extend_from_slice(&block);
    }

    /// Appends content, filled up to whole blocks.
    fn blocks(&mut self, content: &[u8]) {
        self.bytes.extend_from_slice(content);
        self.bytes
            .resize(self.bytes.len().next_multiple_of(BLOCK), 0);
    }
}

/// The prefix and the name of a USTAR header; nothing where a name does not fit it.
fn split(name: &str) -> Option<(&str, &str)> {
    if !name.is_ascii() || name.contains('\0') {
        return None;
    }
    if name.len() <= 100 {
        return Some(("", name));
    }
    let length = name.len().min(156) - usize::from(name.len() <= 156 && name.ends_with('/'));
    let at = name[..length].rfind('/')?;
    let (prefix, rest) = (&name[..at], &name[at + 1..]);
    (at > 0 && prefix.len() <= 155 && !rest.is_empty() && rest.len() <= 100)
        .then_some((prefix, rest))
}

/// A PAX record: its own length in decimal, a blank, `key=value`, a newline.
fn record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + rest.to_string().len();
    length = rest + length.to_string().len();
    format!("{length} {key}={value}\n")
}

/// A name without what is not ASCII, as far as the field takes it.
fn ascii(name: &str) -> String {
    let kept: String = name
        .chars()
        .filter(|c| c.is_ascii() && *c != '\0')
        .collect();
    let cut = &kept[..kept.len().min(100)];
    match name.len() > 100 && cut.ends_with('/') {
        true => cut.trim_end_matches('/').to_owned(),
        false => cut.to_owned(),
    }
}

fn put(field: &mut [u8], bytes: &[u8]) {
    let length = bytes.len().min(field.len());
    field[..length].copy_from_slice(&bytes[..length]);
}

/// A number in octal, filled with zeros, with a NUL at the end.
fn octal(field: &mut [u8], number: u64) {
    let width = field.len() - 1;
    put(field, format!("{number:0width$o}\0").as_bytes());
}
