//! Members of a zip archive whose directory is missing or damaged (a download that broke off, most often), found by
//! their local headers.

use std::collections::BTreeSet;

use memchr::memmem;

use super::store::Store;
use super::zip_directory::{CENTRAL, Common, LOCAL, LOCAL_LEN, Listed, What, bytes_at, too_many, u16_at, u32_at};
use crate::error::{Error, Result};
use crate::limits::Limits;

/// Bytes searched at a time.
const WINDOW: usize = 1 << 20;

/// The members with a local header from `from` on that are not `known` by their offset.
///
/// # Errors
/// `Limit` when there are more than allowed, `Io`.
pub(super) fn find(store: &Store, known: &BTreeSet<u64>, limits: &Limits) -> Result<Vec<Listed>> {
    let mut found: Vec<Listed> = Vec::new();
    let mut open_end = false;
    let mut at = 0;
    while let Some(next) = next_header(store, at)? {
        // A member that did not know its size ends where the next header begins.
        if open_end && let Some(last) = found.last_mut() {
            close(store, last, next.at)?;
            open_end = false;
        }
        at = next.at + 4;
        if next.central {
            // Headers of the directory say nothing that the directory itself could not say.
            continue;
        }
        let Some((listed, data, sized)) = local(store, next.at)? else { continue };
        if sized {
            // Nothing inside a member's data is looked at: it may be an archive itself.
            at = data.saturating_add(listed.member.packed).min(store.len()).max(at);
        }
        if !known.contains(&next.at) {
            open_end = !sized;
            found.push(listed);
            if (found.len() + known.len()) as u64 > limits.archive_entries {
                return Err(too_many(limits));
            }
        }
    }
    if open_end && let Some(last) = found.last_mut() {
        close(store, last, store.len())?;
    }
    Ok(found)
}

struct Next {
    at: u64,
    central: bool,
}

/// The next header signature at or after `from`.
fn next_header(store: &Store, from: u64) -> Result<Option<Next>> {
    let mut reader = store.reader().map_err(|error| Error::io("cannot read the archive", error))?;
    let finder = memmem::Finder::new(b"PK");
    let mut window = vec![0; WINDOW.min(usize::try_from(store.len()).unwrap_or(WINDOW))];
    let mut start = from;
    // Most headers follow the data before them at once.
    let mut want = 64.min(window.len());
    while start + 4 <= store.len() {
        let got =
            reader.read_at(start, &mut window[..want]).map_err(|error| Error::io("cannot read the archive", error))?;
        if got < 4 {
            break;
        }
        for at in finder.find_iter(&window[..got]) {
            let signature = window.get(at..(at + 4).min(got)).unwrap_or(&[]);
            if signature == LOCAL || signature == CENTRAL {
                return Ok(Some(Next { at: start + at as u64, central: signature == CENTRAL }));
            }
        }
        start += (got - 3) as u64;
        want = window.len();
    }
    Ok(None)
}

/// The member at a local header, where its data starts, and whether its size is known; `None` for a stray signature.
fn local(store: &Store, at: u64) -> Result<Option<(Listed, u64, bool)>> {
    let fixed = bytes_at(store, at, LOCAL_LEN)?;
    let names = usize::from(u16_at(&fixed, 26)) + usize::from(u16_at(&fixed, 28));
    let version = u16_at(&fixed, 4) & 0xff;
    let method = u16_at(&fixed, 8);
    if fixed.len() < LOCAL_LEN || version > 63 || !(matches!(method, 0..=20 | 93..=99)) {
        return Ok(None);
    }
    let tail = bytes_at(store, at + LOCAL_LEN as u64, names)?;
    let name_len = usize::from(u16_at(&fixed, 26)).min(tail.len());
    let (raw, extra) = tail.split_at(name_len);
    if raw.is_empty() {
        return Ok(None);
    }
    let common = Common::at(fixed.get(6..).unwrap_or(&[]));
    let (mut member, name) = common.member(raw, extra, at);
    let sized = common.flags & 8 == 0 || member.packed > 0;
    if !sized {
        member.crc = None;
    }
    let what = if name.ends_with(['/', '\\']) { What::Folder } else { What::File };
    Ok(Some((Listed { name: name.into(), what, member }, at + (LOCAL_LEN + names) as u64, sized)))
}

/// Ends a member of unknown size at `end`, in front of which a data descriptor (4.3.9) may stand.
fn close(store: &Store, listed: &mut Listed, end: u64) -> Result<()> {
    let member = &mut listed.member;
    let data = super::zip_directory::data_start(store, member)?;
    member.packed = end.saturating_sub(data);
    for (len, wide) in [(16, false), (24, true)] {
        let Some(at) = end.checked_sub(len).filter(|&at| at >= data) else { continue };
        let descriptor = bytes_at(store, at, len as usize)?;
        let packed =
            u64::from(u32_at(&descriptor, 8)) | if wide { u64::from(u32_at(&descriptor, 12)) << 32 } else { 0 };
        if descriptor.starts_with(b"PK\x07\x08") && packed == at - data {
            member.packed = packed;
            member.crc = Some(u32_at(&descriptor, 4));
            member.unpacked = u32_at(&descriptor, if wide { 16 } else { 12 }).into();
            return Ok(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A local header with sizes, or with the flag that they follow the data.
    fn header(name: &str, size: u32, follows: bool) -> Vec<u8> {
        let mut out = LOCAL.to_vec();
        out.extend([20, 0, if follows { 8 } else { 0 }, 0, 0, 0, 0, 0, 0x21, 0]);
        for value in if follows { [0; 3] } else { [7, size, size] } {
            out.extend(value.to_le_bytes());
        }
        out.extend([name.len() as u8, 0, 0, 0]);
        out.extend(name.as_bytes());
        out
    }

    fn found(bytes: &[u8]) -> Vec<(String, u64, u64, Option<u32>)> {
        let listed = find(&Store::memory(bytes.to_vec()), &BTreeSet::new(), &Limits::default()).unwrap();
        listed.into_iter().map(|l| (l.name.into(), l.member.header, l.member.packed, l.member.crc)).collect()
    }

    #[test]
    fn data_is_never_searched_when_its_size_is_known() {
        let inner = [header("inner", 1, false), b"x".to_vec()].concat();
        let bytes =
            [header("outer.zip", inner.len() as u32, false), inner.clone(), header("b", 2, false), b"yy".to_vec()]
                .concat();
        let second = (39 + inner.len()) as u64;
        let expected = [("outer.zip".into(), 0, inner.len() as u64, Some(7)), ("b".into(), second, 2, Some(7))];
        assert_eq!(found(&bytes), expected);
    }

    #[test]
    fn an_unknown_size_ends_in_front_of_the_next_header() {
        let descriptor = |signed: bool| {
            let fields = [0x1234_5678u32, 4, 4].iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
            if signed { [&b"PK\x07\x08"[..], &fields].concat() } else { Vec::new() }
        };
        for (signed, crc) in [(true, Some(0x1234_5678)), (false, None)] {
            let first = [header("a", 0, true), b"data".to_vec(), descriptor(signed)].concat();
            for last in [header("b", 1, false), [&CENTRAL[..], b" a directory"].concat()] {
                let all = found(&[first.clone(), last, b"z".to_vec()].concat());
                assert_eq!(all[0], ("a".into(), 0, 4, crc), "signed {signed}");
            }
            assert_eq!(found(&first)[0], ("a".into(), 0, 4, crc), "at the end of the file");
        }
    }

    #[test]
    fn stray_signatures_are_no_members() {
        assert!(found(b"PK\x03\x04").is_empty());
        assert!(found(&[&LOCAL[..], &[0xff; 100]].concat()).is_empty());
        assert!(found(&header("", 0, false)).is_empty(), "no name");
    }
}
