//! The members of a tar archive (POSIX ustar and pax, GNU long names, old v7), by their headers. Data is never read.

use super::label::decode;
use super::store::Store;
use super::zip_directory::{What, bytes_at, too_many};
use crate::error::Result;
use crate::limits::Limits;

const BLOCK: u64 = 512;
/// Long names and pax headers beyond this are not names any more.
const LONGEST_EXTENSION: u64 = 64 << 10;

/// One member.
#[derive(Debug, PartialEq)]
pub(super) struct TarMember {
    pub(super) name: String,
    pub(super) what: What,
    /// Offset of the data.
    pub(super) start: u64,
    /// Bytes of data.
    pub(super) len: u64,
}

/// True when content begins with a tar header: the check sum over the 512 bytes is right (POSIX, "ustar" part).
pub(super) fn is_tar(head: &[u8]) -> bool {
    let Some(block) = head.get(..BLOCK as usize) else { return false };
    block[0] != 0 && octal(&block[148..156]).is_some_and(|stated| stated == checksum(block))
}

fn checksum(block: &[u8]) -> u64 {
    block.iter().enumerate().map(|(at, &b)| if (148..156).contains(&at) { 32 } else { u64::from(b) }).sum()
}

/// A number field: octal text, or big-endian binary when the first bit is set (GNU).
fn octal(field: &[u8]) -> Option<u64> {
    if field.first().is_some_and(|b| b & 0x80 != 0) {
        let (head, tail) = field.split_at(field.len().saturating_sub(8));
        if head.iter().enumerate().any(|(at, &b)| b & if at == 0 { 0x7f } else { 0xff } != 0) {
            return None;
        }
        return Some(tail.iter().fold(0, |value, &b| value << 8 | u64::from(b)));
    }
    let digits = field.iter().copied().skip_while(|b| *b == b' ').take_while(|b| !matches!(b, 0 | b' '));
    let mut value = None;
    for digit in digits {
        if !(b'0'..=b'7').contains(&digit) {
            return None;
        }
        value = Some(value.unwrap_or(0u64).checked_mul(8)? + u64::from(digit - b'0'));
    }
    value
}

fn text(field: &[u8]) -> &[u8] {
    field.split(|&b| b == 0).next().unwrap_or(&[])
}

/// The members in order, and what was wrong.
///
/// # Errors
/// `Limit` when there are more members than allowed, `Io`.
pub(super) fn read(store: &Store, limits: &Limits) -> Result<(Vec<TarMember>, Option<String>)> {
    let mut members = Vec::new();
    let (mut long_name, mut long_size, mut damage) = (None, None, None);
    let mut at = 0u64;
    while at < store.len() {
        let block = bytes_at(store, at, BLOCK as usize)?;
        if block.iter().all(|&b| b == 0) {
            // Two blocks of zeros are the end; what follows is padding.
            return Ok((members, damage));
        }
        if block.len() < BLOCK as usize {
            return Ok((members, Some(format!("the archive is cut off at byte {at}"))));
        }
        if !is_tar(&block) {
            damage.get_or_insert_with(|| format!("no header where one must be, at byte {at}"));
            at += BLOCK;
            continue;
        }
        let kind = block[156];
        let claimed = octal(&block[124..136]).unwrap_or(0);
        let data = at + BLOCK;
        let extension = matches!(kind, b'L' | b'K' | b'x' | b'X' | b'g');
        let len = if extension { claimed } else { long_size.take().unwrap_or(claimed) };
        at = data.saturating_add(len.div_ceil(BLOCK).saturating_mul(BLOCK));
        match kind {
            b'L' => long_name = Some(decode(text(&bytes_at(store, data, len.min(LONGEST_EXTENSION) as usize)?))),
            b'x' | b'X' => {
                let records = bytes_at(store, data, len.min(LONGEST_EXTENSION) as usize)?;
                pax(&records, &mut long_name, &mut long_size);
            }
            b'K' | b'g' => {}
            _ => {
                let name = long_name.take().unwrap_or_else(|| short_name(&block));
                let what = match kind {
                    b'5' => What::Folder,
                    0 | b'0' | b'7' if name.ends_with('/') => What::Folder,
                    0 | b'0' | b'7' => What::File,
                    // Links (a hard link repeats a member that is there already), devices, pipes, sparse files.
                    _ => What::Special,
                };
                members.push(TarMember { name, what, start: data, len });
                if members.len() as u64 > limits.archive_entries {
                    return Err(too_many(limits));
                }
                if what == What::File && data.saturating_add(len) > store.len() {
                    return Ok((members, Some("the archive ends inside its last member".into())));
                }
            }
        }
    }
    // Not every writer ends with blocks of zeros.
    Ok((members, damage))
}

fn short_name(block: &[u8]) -> String {
    let name = decode(text(&block[..100]));
    let prefix = text(&block[345..500]);
    // GNU uses these bytes for other things, "ustar\0" has the prefix.
    if block[257..263] == *b"ustar\0" && !prefix.is_empty() { format!("{}/{name}", decode(prefix)) } else { name }
}

/// Records "length key=value\n" (POSIX pax).
fn pax(mut records: &[u8], name: &mut Option<String>, size: &mut Option<u64>) {
    while let Some(space) = records.iter().position(|&b| b == b' ') {
        let len = std::str::from_utf8(&records[..space]).ok().and_then(|n| n.parse::<usize>().ok());
        let Some(record) = len.and_then(|len| records.get(space + 1..len)) else { return };
        records = &records[space + 1 + record.len()..];
        let record = record.strip_suffix(b"\n").unwrap_or(record);
        if let Some(path) = record.strip_prefix(b"path=") {
            *name = Some(decode(path));
        } else if let Some(value) = record.strip_prefix(b"size=") {
            *size = std::str::from_utf8(value).ok().and_then(|n| n.parse().ok());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(name: &str, kind: u8, size: &[u8]) -> Vec<u8> {
        let mut block = vec![0; 512];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[124..124 + size.len()].copy_from_slice(size);
        block[156] = kind;
        let sum = format!("{:06o}\0 ", checksum(&block));
        block[148..156].copy_from_slice(sum.as_bytes());
        block
    }

    fn members(blocks: &[&[u8]]) -> Vec<(String, What, u64, u64)> {
        let (members, damage) = read(&Store::memory(blocks.concat()), &Limits::default()).unwrap();
        assert_eq!(damage, None);
        members.into_iter().map(|m| (m.name, m.what, m.start, m.len)).collect()
    }

    #[test]
    fn numbers_are_octal_or_binary() {
        assert_eq!(octal(b"0000644\0"), Some(0o644));
        assert_eq!(octal(b"   1750 "), Some(1000));
        assert_eq!(octal(&[0x80, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]), Some(8 << 30));
        assert_eq!(octal(&[0xff; 12]), None, "negative");
        assert_eq!(octal(b"8\0"), None);
        assert_eq!(octal(b"\0\0\0"), None);
    }

    #[test]
    fn pax_records_win_over_the_header() {
        // The record's length counts itself: "27 path=" is 8 bytes, the path 18, the line feed 1.
        let records = b"27 path=L\xc3\xa4ufe/morning.fit\n10 size=3\n20 mtime=1714546320\n";
        let mut block = records.to_vec();
        block.resize(512, 0);
        let x = header("PaxHeaders/x", b'x', format!("{:o}", records.len()).as_bytes());
        let mut data = b"abc".to_vec();
        data.resize(512, 0);
        let found =
            members(&[&x, &block, &header("short", b'0', b"7777"), &data, &header("b", b'0', b"0"), &[0; 1024]]);
        assert_eq!(found[0], ("Läufe/morning.fit".into(), What::File, 1536, 3));
        assert_eq!(found[1], ("b".into(), What::File, 2560, 0));
    }

    #[test]
    fn links_devices_and_folders_are_no_files() {
        let kinds = [b'1', b'2', b'3', b'4', b'6', b'S', b'5', 0, b'7'];
        let blocks: Vec<Vec<u8>> = kinds.iter().map(|&kind| header("x", kind, b"0")).collect();
        let found = members(&blocks.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let whats: Vec<What> = found.into_iter().map(|(_, what, ..)| what).collect();
        assert_eq!(whats[..6], [What::Special; 6]);
        assert_eq!(whats[6..], [What::Folder, What::File, What::File]);
    }

    #[test]
    fn a_size_beyond_everything_ends_the_walk() {
        let huge = header("a", b'0', &[0x80, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        let (found, damage) = read(&Store::memory(huge), &Limits::default()).unwrap();
        assert_eq!(found.len(), 1);
        assert!(damage.unwrap().contains("ends inside"));
    }
}
