//! Encrypted zip members. The `zip` crate knows both ciphers; it gets the member's stored bytes behind a local header
//! made here that calls them "stored", so that it decrypts and nothing else: unpacking stays in one place.

use std::io::{Cursor, ErrorKind, Read};

use zip::read::{ZipReadOptions, read_zipfile_from_stream_with_options};
use zip::result::ZipError;

use super::flaw::{Flaw, flaw};
use super::spool::Spool;
use super::store::Store;
use super::zip_directory::{LOCAL, Lock};
use crate::error::{Error, Kind, Place, Result};
use crate::limits::Limits;
use crate::report::Code;

const CIPHER: Code = Code::damage("source.cipher");

/// Decrypts a member: its still compressed bytes, and what was wrong with them. Only the first `part` bytes are looked
/// at; when that is not all, what is wrong with the rest does not show.
///
/// # Errors
/// `Encrypted` without a password or with a wrong one, `Unsupported` for an unknown encryption, `Malformed` when the
/// bytes are damaged from the start, `Limit`, `Io`.
pub(super) fn decrypt(
    stored: &Store,
    part: u64,
    lock: Lock,
    password: Option<&[u8]>,
    limits: &Limits,
) -> Result<(Store, Option<Flaw>)> {
    let (overhead, attempts) = match lock {
        Lock::ZipCrypto { checks: [first, second] } if first != second => (12, vec![Some(first), Some(second)]),
        Lock::ZipCrypto { checks: [check, _] } => (12, vec![Some(check)]),
        Lock::Aes { strength, .. } => (4 + 4 * u64::from(strength) + 12, vec![None]),
        Lock::Open | Lock::Unknown => {
            return Err(Error::new(Kind::Unsupported, "an encryption that is neither ZipCrypto nor AES"));
        }
    };
    let password = password.ok_or_else(|| Error::new(Kind::Encrypted, "encrypted, and no password was given"))?;
    let plain = stored.len().saturating_sub(overhead);
    for check in attempts {
        let range = stored.part(0, part).reader().map_err(|error| Error::io("cannot read the archive", error))?;
        let mut input = Cursor::new(header(lock, stored.len(), check)).chain(range);
        let options = ZipReadOptions::new()
            .password(Some(password))
            .ignore_crc32(true)
            .override_compressed_size(stored.len())
            .override_uncompressed_size(plain);
        match read_zipfile_from_stream_with_options(&mut input, options) {
            Ok(Some(mut reader)) => return Spool::default().keep(&mut Damage(&mut reader), limits),
            Ok(None) => return Err(Error::new(Kind::Internal, "a made header was not recognised")),
            Err(ZipError::InvalidPassword) => {}
            Err(error) => return Err(Error::new(Kind::Malformed, format!("the encrypted member is damaged: {error}"))),
        }
    }
    Err(Error::new(Kind::Encrypted, "the password is wrong"))
}

/// Calls the cipher's complaints damage.
struct Damage<'a, R>(&'a mut R);

impl<R: Read> Read for Damage<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(out).map_err(|error| match error.kind() {
            ErrorKind::Interrupted => error,
            _ => flaw(CIPHER, Place::NOWHERE, format!("the encrypted member is damaged: {error}")),
        })
    }
}

/// A local header for bytes that are stored without compression under the same encryption.
fn header(lock: Lock, stored: u64, check: Option<u8>) -> Vec<u8> {
    let mut out = LOCAL.to_vec();
    out.extend(51u16.to_le_bytes());
    // Encrypted; with AES also "sizes follow", so that they are taken from the options.
    out.extend(if check.is_some() { 1u16 } else { 9u16 }.to_le_bytes());
    out.extend(if check.is_some() { 0u16 } else { 99u16 }.to_le_bytes());
    out.extend([0; 2]);
    out.extend(0x21u16.to_le_bytes()); // 1 January 1980
    out.extend((u32::from(check.unwrap_or(0)) << 24).to_le_bytes());
    let size = u32::try_from(stored).unwrap_or(u32::MAX);
    out.extend(size.to_le_bytes());
    out.extend(size.to_le_bytes());
    out.extend(0u16.to_le_bytes());
    let mut extra = Vec::new();
    if size == u32::MAX {
        extra.extend([1, 0, 16, 0]);
        extra.extend(stored.to_le_bytes());
        extra.extend(stored.to_le_bytes());
    }
    if let Lock::Aes { strength, vendor } = lock {
        extra.extend([0x01, 0x99, 7, 0, vendor, 0, b'A', b'E', strength, 0, 0]);
    }
    out.extend((extra.len() as u16).to_le_bytes());
    out.extend(extra);
    out
}
