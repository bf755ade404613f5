//! The directory of a zip archive (APPNOTE.TXT 6.3, sections 4.3 and 4.5), read by hand: it decides what is in the
//! archive, so it has to survive damage, duplicates and lies that a general reader refuses as a whole.

use memchr::memmem;

use super::label::decode;
use super::store::Store;
use crate::error::{Error, Kind, Place, Result};
use crate::limits::Limits;

pub(super) const LOCAL: [u8; 4] = *b"PK\x03\x04";
pub(super) const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";
const END64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR64: [u8; 4] = *b"PK\x06\x07";
/// Length of the fixed part of a local header.
pub(super) const LOCAL_LEN: usize = 30;
const CENTRAL_LEN: usize = 46;
const END_LEN: usize = 22;

/// One member as the directory describes it. Sizes and offsets are claims.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Member {
    /// Offset of the local header.
    pub(super) header: u64,
    /// Bytes as stored.
    pub(super) packed: u64,
    /// Bytes after unpacking.
    pub(super) unpacked: u64,
    /// CRC-32 of the content; `None` when it is not known.
    pub(super) crc: Option<u32>,
    /// Compression method: 0 stored, 8 deflate, 9 deflate64.
    pub(super) method: u16,
    pub(super) lock: Lock,
}

/// How a member is encrypted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Lock {
    Open,
    /// Traditional encryption; the bytes one of which the decrypted header must end with.
    ZipCrypto {
        checks: [u8; 2],
    },
    /// WinZip AES: strength 1, 2, 3 is 128, 192, 256 bits.
    Aes {
        strength: u8,
        vendor: u8,
    },
    /// An encryption that this program does not know.
    Unknown,
}

/// What kind of thing a member is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum What {
    File,
    Folder,
    /// A symbolic link, device, socket or pipe.
    Special,
}

/// A member with its name as stored.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Listed {
    pub(super) name: Box<str>,
    pub(super) what: What,
    pub(super) member: Member,
}

/// The members, and what was wrong with the directory.
#[derive(Debug, Default)]
pub(super) struct Directory {
    pub(super) members: Vec<Listed>,
    /// Why the directory could not be read to its end.
    pub(super) damage: Option<String>,
}

struct End {
    /// Where the directory starts.
    start: u64,
    /// Where it must end.
    stop: u64,
    /// Bytes in front of the archive, which every offset leaves out.
    shift: u64,
    count: u64,
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

/// The bytes `at..at + len`, or fewer at the end of the store.
pub(super) fn bytes_at(store: &Store, at: u64, len: usize) -> Result<Vec<u8>> {
    let len = usize::try_from(store.len().saturating_sub(at)).unwrap_or(usize::MAX).min(len);
    let mut bytes = vec![0; len];
    let got = store.read_at(at, &mut bytes).map_err(|error| Error::io("cannot read the archive", error))?;
    bytes.truncate(got);
    Ok(bytes)
}

/// Finds the end record: the last one that points at a directory.
fn find_end(store: &Store) -> Result<Option<End>> {
    // A comment has up to 64 KiB; downloads sometimes drag a tail behind them.
    let tail_at = store.len().saturating_sub((1 << 16) + (1 << 16));
    let tail = bytes_at(store, tail_at, 1 << 17)?;
    for at in memmem::rfind_iter(&tail, &END) {
        let record = &tail[at..];
        if record.len() < END_LEN {
            continue;
        }
        let position = tail_at + at as u64;
        if let Some(end) = end64(store, position)? {
            return Ok(Some(end));
        }
        let (size, offset) = (u64::from(u32_at(record, 12)), u64::from(u32_at(record, 16)));
        let count = u64::from(u16_at(record, 10));
        if let Some(end) = plausible(store, position, size, offset, count)? {
            return Ok(Some(end));
        }
    }
    Ok(None)
}

/// The zip64 end record in front of the end record at `position`.
fn end64(store: &Store, position: u64) -> Result<Option<End>> {
    let Some(locator_at) = position.checked_sub(20) else { return Ok(None) };
    let locator = bytes_at(store, locator_at, 20)?;
    if !locator.starts_with(&LOCATOR64) {
        return Ok(None);
    }
    // Where the locator says, or right in front of it when something precedes the archive.
    for at in [Some(u64_at(&locator, 8)), locator_at.checked_sub(56)].into_iter().flatten() {
        let record = bytes_at(store, at, 56)?;
        if record.len() == 56 && record.starts_with(&END64) {
            let end = plausible(store, at, u64_at(&record, 40), u64_at(&record, 48), u64_at(&record, 32))?;
            if end.is_some() {
                return Ok(end);
            }
        }
    }
    Ok(None)
}

/// A directory of `size` bytes at `offset`, said by a record at `position`: true when a central header is there.
fn plausible(store: &Store, position: u64, size: u64, offset: u64, count: u64) -> Result<Option<End>> {
    if size == 0 && count == 0 && offset <= position {
        return Ok(Some(End { start: offset, stop: offset, shift: 0, count }));
    }
    let before = position.checked_sub(size);
    for start in [before, Some(offset)].into_iter().flatten() {
        if start >= offset && start <= position && bytes_at(store, start, 4)? == CENTRAL {
            return Ok(Some(End { start, stop: position, shift: start - offset, count }));
        }
    }
    Ok(None)
}

/// Reads the central directory. `None`: there is none.
///
/// # Errors
/// `Limit` when it lists more members than allowed, `Io`.
pub(super) fn read(store: &Store, limits: &Limits) -> Result<Option<Directory>> {
    let Some(end) = find_end(store)? else { return Ok(None) };
    if end.count > limits.archive_entries && (end.stop - end.start) / CENTRAL_LEN as u64 > limits.archive_entries {
        return Err(too_many(limits));
    }
    // Of exact size where the number is true; of a lie no more is believed than the directory's own bytes can hold.
    let most = (end.stop.min(store.len()).saturating_sub(end.start)) / CENTRAL_LEN as u64;
    let members = Vec::with_capacity(usize::try_from(end.count.min(most)).unwrap_or(0));
    let mut directory = Directory { members, damage: None };
    let mut window = Window { store, bytes: Vec::new(), start: end.start, stop: end.stop };
    let mut at = end.start;
    while at < end.stop {
        let fixed = window.get(at, CENTRAL_LEN)?;
        if fixed.len() < CENTRAL_LEN || !fixed.starts_with(&CENTRAL) {
            // A digital signature or padding may follow the last header.
            break;
        }
        let len = CENTRAL_LEN
            + usize::from(u16_at(fixed, 28))
            + usize::from(u16_at(fixed, 30))
            + usize::from(u16_at(fixed, 32));
        let record = window.get(at, len)?;
        if record.len() < len {
            directory.damage = Some(format!("the directory is cut off at byte {at}"));
            break;
        }
        directory.members.push(central(record, end.shift));
        if directory.members.len() as u64 > limits.archive_entries {
            return Err(too_many(limits));
        }
        at += len as u64;
    }
    // More than the end record says is fine: writers without zip64 count modulo 65,536.
    if (directory.members.len() as u64) < end.count {
        directory.damage.get_or_insert_with(|| format!("the directory breaks off at byte {at}"));
    }
    Ok(Some(directory))
}

pub(super) fn too_many(limits: &Limits) -> Error {
    Error::limit("--max-entries", format!("more than {} entries in one archive", limits.archive_entries))
}

/// A sliding view of the directory, so that a huge one is not held whole.
struct Window<'a> {
    store: &'a Store,
    bytes: Vec<u8>,
    start: u64,
    stop: u64,
}

impl Window<'_> {
    /// `len` bytes at `at`, fewer at the end.
    fn get(&mut self, at: u64, len: usize) -> Result<&[u8]> {
        let inside =
            |window: &Window<'_>| at >= window.start && at + len as u64 <= window.start + window.bytes.len() as u64;
        if !inside(self) {
            let want = usize::try_from(self.stop.saturating_sub(at)).unwrap_or(usize::MAX).min(len.max(1 << 18));
            self.bytes = bytes_at(self.store, at, want)?;
            self.start = at;
        }
        let from = ((at - self.start) as usize).min(self.bytes.len());
        Ok(&self.bytes[from..(from + len).min(self.bytes.len())])
    }
}

/// One central header, complete in `record`.
fn central(record: &[u8], shift: u64) -> Listed {
    let name_len = usize::from(u16_at(record, 28));
    let extra_len = usize::from(u16_at(record, 30));
    let raw = record.get(CENTRAL_LEN..CENTRAL_LEN + name_len).unwrap_or(&[]);
    let extra = record.get(CENTRAL_LEN + name_len..CENTRAL_LEN + name_len + extra_len).unwrap_or(&[]);
    let common = Common::at(record.get(8..).unwrap_or(&[]));
    let offset = u64::from(u32_at(record, 42));
    let (member, name) = common.member(raw, extra, offset);
    // The upper byte of "version made by" is the system; 3 is Unix, 19 is macOS, whose modes stand in the upper half.
    let mode = if matches!(record[5], 3 | 19) { u32_at(record, 38) >> 16 } else { 0 };
    let folder = name.ends_with(['/', '\\']) || (record[5] == 0 && record[38] & 0x10 != 0 && member.unpacked == 0);
    let what = match mode & 0o170_000 {
        0o120_000 | 0o060_000 | 0o020_000 | 0o010_000 | 0o140_000 => What::Special,
        0o040_000 => What::Folder,
        _ if folder => What::Folder,
        _ => What::File,
    };
    let header = member.header.saturating_add(shift);
    Listed { name: name.into(), what, member: Member { header, ..member } }
}

/// The fields that local and central headers share, from the flags on.
pub(super) struct Common {
    pub(super) flags: u16,
    method: u16,
    time: u16,
    crc: u32,
    packed: u32,
    unpacked: u32,
}

impl Common {
    /// From the bytes after "version needed": offset 6 of a local header, 8 of a central one.
    pub(super) fn at(bytes: &[u8]) -> Common {
        Common {
            flags: u16_at(bytes, 0),
            method: u16_at(bytes, 2),
            time: u16_at(bytes, 4),
            crc: u32_at(bytes, 8),
            packed: u32_at(bytes, 12),
            unpacked: u32_at(bytes, 16),
        }
    }

    /// The member, with what the extra fields add: zip64 sizes, AES, a Unicode name.
    pub(super) fn member(&self, raw: &[u8], extra: &[u8], offset: u64) -> (Member, String) {
        let mut name = None;
        let mut member = Member {
            header: offset,
            packed: self.packed.into(),
            unpacked: self.unpacked.into(),
            crc: Some(self.crc),
            method: self.method,
            lock: match self.flags {
                f if f & 1 == 0 => Lock::Open,
                f if f & 0x40 != 0 => Lock::Unknown,
                // Writers that do not know the CRC yet (flag 8) use the time instead.
                f if f & 8 != 0 => Lock::ZipCrypto { checks: [(self.time >> 8) as u8, (self.crc >> 24) as u8] },
                _ => Lock::ZipCrypto { checks: [(self.crc >> 24) as u8; 2] },
            },
        };
        let mut rest = extra;
        while rest.len() >= 4 {
            let (id, len) = (u16_at(rest, 0), usize::from(u16_at(rest, 2)));
            let Some(field) = rest.get(4..4 + len) else { break };
            rest = &rest[4 + len..];
            match id {
                // zip64 (4.5.3): only the fields that do not fit are there, in this order.
                0x0001 => {
                    let mut at = 0;
                    let full = [
                        (self.unpacked == u32::MAX, &mut member.unpacked),
                        (self.packed == u32::MAX, &mut member.packed),
                        (offset == u64::from(u32::MAX), &mut member.header),
                    ];
                    for (_, slot) in full.into_iter().filter(|(needed, _)| *needed) {
                        if at + 8 <= field.len() {
                            *slot = u64_at(field, at);
                            at += 8;
                        }
                    }
                }
                // WinZip AES: version 1 or 2, "AE", strength, the real method.
                0x9901 if len >= 7 && member.lock != Lock::Open => {
                    let vendor = field[0];
                    member.lock = Lock::Aes { strength: field[4], vendor };
                    member.method = u16_at(field, 5);
                    if vendor == 2 {
                        member.crc = None;
                    }
                }
                // Info-ZIP Unicode path: version 1, CRC of the stored name, the name in UTF-8.
                0x7075 if len > 5 && field[0] == 1 => {
                    let mut crc = flate2::Crc::new();
                    crc.update(raw);
                    if crc.sum() == u32_at(field, 1) {
                        name = std::str::from_utf8(&field[5..]).ok().map(str::to_owned);
                    }
                }
                _ => {}
            }
        }
        (member, name.unwrap_or_else(|| decode(raw)))
    }
}

/// Where the stored data of a member begins, after its local header.
///
/// # Errors
/// `Malformed` when there is no local header.
pub(super) fn data_start(store: &Store, member: &Member) -> Result<u64> {
    data_and_head(store, member, 0).map(|(start, _)| start)
}

/// The same, and so many of the first stored bytes, fewer only where there are no more: for a look at the start of a member
/// one read is nearly always enough.
///
/// # Errors
/// As [`data_start`].
pub(super) fn data_and_head(store: &Store, member: &Member, most: usize) -> Result<(u64, Vec<u8>)> {
    /// Name and extra fields are rarely longer.
    const NAMES: usize = 128;
    let more = if most > 0 { NAMES + most } else { 0 };
    let mut header = bytes_at(store, member.header, LOCAL_LEN + more)?;
    if header.len() < LOCAL_LEN || !header.starts_with(&LOCAL) {
        let place = Place { byte: Some(member.header), ..Place::NOWHERE };
        return Err(Error::new(Kind::Malformed, "the member is not where the archive's directory says").at(place));
    }
    let before = LOCAL_LEN + usize::from(u16_at(&header, 26)) + usize::from(u16_at(&header, 28));
    let start = member.header + before as u64;
    let most = usize::try_from(member.packed).unwrap_or(most).min(most);
    header.drain(..before.min(header.len()));
    header.truncate(most);
    let head = if header.len() < most { bytes_at(store, start, most)? } else { header };
    Ok((start, head))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn common(packed: u32, unpacked: u32, flags: u16) -> Common {
        Common { flags, method: 99, time: 0xab_00, crc: 0xcd00_0000, packed, unpacked }
    }

    #[test]
    fn zip64_fields_stand_only_for_those_that_do_not_fit() {
        let field = |values: &[u64]| {
            let mut out = vec![1, 0, values.len() as u8 * 8, 0];
            out.extend(values.iter().flat_map(|v| v.to_le_bytes()));
            out
        };
        let full = u32::MAX;
        let (member, _) = common(full, full, 0).member(b"a", &field(&[50 << 30, 5 << 30, 7 << 32]), u64::from(full));
        assert_eq!((member.unpacked, member.packed, member.header), (50 << 30, 5 << 30, 7 << 32));
        let (member, _) = common(10, 20, 0).member(b"a", &field(&[7 << 32]), u64::from(full));
        assert_eq!((member.unpacked, member.packed, member.header), (20, 10, 7 << 32));
        let (member, _) = common(full, 20, 0).member(b"a", &field(&[]), 5);
        assert_eq!(member.packed, u64::from(full), "a missing value is not made up");
    }

    #[test]
    fn locks_are_told_apart() {
        let aes = [0x01, 0x99, 7, 0, 2, 0, b'A', b'E', 3, 8, 0];
        let (member, _) = common(1, 1, 1).member(b"a", &aes, 0);
        assert_eq!((member.lock, member.method, member.crc), (Lock::Aes { strength: 3, vendor: 2 }, 8, None));
        let (member, _) = common(1, 1, 1).member(b"a", &[], 0);
        assert_eq!(member.lock, Lock::ZipCrypto { checks: [0xcd, 0xcd] });
        let (member, _) = common(1, 1, 9).member(b"a", &[], 0);
        assert_eq!(member.lock, Lock::ZipCrypto { checks: [0xab, 0xcd] });
        assert_eq!(common(1, 1, 0x41).member(b"a", &[], 0).0.lock, Lock::Unknown);
        assert_eq!(common(1, 1, 0).member(b"a", &aes, 0).0.lock, Lock::Open, "the flag decides");
    }

    #[test]
    fn extra_fields_that_overrun_are_ignored() {
        let (member, name) = common(1, 2, 0).member(b"a", &[1, 0, 200, 0, 9, 9], 3);
        assert_eq!((member.packed, member.unpacked, member.header, name.as_str()), (1, 2, 3, "a"));
    }
}
