//! A look at the first bytes of a source: an archive, or something to read.

use super::inflate::is_gzip;
use super::store::Store;
use super::tar_directory::is_tar;
use super::unpack::{Extent, Packing, fill, gzip_size, unpack};
use super::zip_directory::Lock;
use super::{ArchiveKind, ScanOptions};
use crate::error::{Error, Result};

/// Bytes that tell an archive from anything else: a tar header.
const HEAD: usize = 512;
/// The empty zip archive is an end record alone; a spanned one in a single part starts with a mark.
const ZIP_STARTS: [&[u8]; 3] = [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08PK\x03\x04"];

/// Archives and compressed files that are recognised but not read.
const FOREIGN: &[(&[u8], &str)] = &[
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\xfd7zXZ\0", "compressed with xz"),
    (b"\x28\xb5\x2f\xfd", "compressed with Zstandard"),
    (b"BZh91AY&SY", "compressed with bzip2"),
];

/// What a look told.
#[derive(Clone, Copy)]
pub(super) enum Look {
    /// An archive to be listed.
    Archive(ArchiveKind),
    /// One that is recognised but not read, and what it is.
    Foreign(&'static str),
    /// Something to read, of about so many bytes.
    Content(u64),
}

/// Looks.
///
/// # Errors
/// `Io` when the source cannot be opened or its end not be read.
pub(super) fn look(store: &Store, packing: &Packing, options: &ScanOptions<'_>) -> Result<Look> {
    let size = announced(store, packing);
    if let Packing::Member(member) = packing
        && member.lock != Lock::Open
        && options.password.is_none()
    {
        return Ok(Look::Content(size));
    }
    // One descriptor for all that follows.
    let store = &store.held().map_err(|error| Error::io("cannot open", error))?;
    // Whatever is wrong comes up again, and is reported, when the entry is loaded.
    let Ok((head, gzip)) = head(store, packing, options) else { return Ok(Look::Content(size)) };
    Ok(if ZIP_STARTS.iter().any(|start| head.starts_with(start)) {
        Look::Archive(ArchiveKind::Zip)
    } else if is_tar(&head) {
        Look::Archive(ArchiveKind::Tar)
    } else if ends_as_zip(store, packing) {
        Look::Archive(ArchiveKind::Zip)
    } else if let Some((_, what)) = FOREIGN.iter().find(|(start, _)| head.starts_with(start)) {
        Look::Foreign(what)
    } else if let Some(gzip) = gzip {
        Look::Content(gzip_hint(gzip, size)?)
    } else {
        Look::Content(size)
    })
}

/// Bytes of a source as far as headers tell.
pub(super) fn announced(store: &Store, packing: &Packing) -> u64 {
    match packing {
        Packing::Plain => store.len(),
        Packing::Member(member) => member.unpacked.min(most_unpacked(member.packed.min(store.len()))),
    }
}

/// A gzip stream that is looked into, when it lies in a store as it is.
type Gzip = Option<Store>;

/// The first bytes of the content, and the stream when it is gzipped.
fn head(store: &Store, packing: &Packing, options: &ScanOptions<'_>) -> Result<(Vec<u8>, Option<Gzip>)> {
    let mut head = [0; HEAD];
    if let Packing::Plain = packing {
        // The bulk of files is neither gzipped nor an archive: one read says so.
        let got = store.read_at(0, &mut head).map_err(|error| Error::io("cannot read", error))?;
        if !is_gzip(&head[..got]) {
            return Ok((head[..got].to_vec(), None));
        }
    }
    let mut unpacked = unpack(store, packing, options, Extent::Head)?;
    let got = fill(&mut *unpacked.reader, &mut head)?;
    Ok((head[..got].to_vec(), (unpacked.gzip_layers > 0).then_some(unpacked.part)))
}

/// About how many bytes gzipped content has, which itself has `size` bytes.
fn gzip_hint(gzip: Gzip, size: u64) -> Result<u64> {
    match gzip {
        Some(part) => Ok(gzip_size(&part)?.min(most_unpacked(size)).max(size)),
        // Recordings in text formats compress about so much.
        None => Ok(size.saturating_mul(8)),
    }
}

/// What `packed` bytes can unpack to: deflate expands at most 1,032 times.
fn most_unpacked(packed: u64) -> u64 {
    packed.saturating_mul(1032)
}

/// True for a zip archive behind something else (a self-extractor), or whose first bytes are damaged.
fn ends_as_zip(store: &Store, packing: &Packing) -> bool {
    let mut end = [0; 22];
    let at = store.len().checked_sub(22);
    matches!(packing, Packing::Plain)
        && at.is_some_and(|at| store.read_at(at, &mut end).is_ok())
        && end.starts_with(b"PK\x05\x06")
}
