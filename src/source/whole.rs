//! The common case of compressed content: one deflate stream whose length and check sum are stated, as a zip member or as a
//! gzip file. It is inflated from memory to memory, without layers of readers, and the stream stays at hand: a history keeps
//! it as it came instead of compressing the content again. Whatever is unusual or damaged goes the general way (`unpack`).

use std::ops::Range;

use flate2::{Crc, FlushDecompress, Status};
use sha2::{Digest as _, Sha256};

use super::inflate::{Decoder, is_gzip};
use super::load::CHUNK;
use super::store::Store;
use super::unpack::{Packing, RATIO_FROM};
use super::zip_directory::{Lock, data_and_head};
use crate::ids::Digest;
use crate::limits::Limits;

/// Streams up to this length are held in memory.
const LONGEST: u64 = 64 << 20;
/// A gzip header without name and time (RFC 1952), as for a stream that came without one.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// So many bytes tell a gzip stream.
const GZIP_HEAD: usize = 3;
/// Check sum and length of the content, at the end.
const TRAILER: usize = 8;

/// A content as the one gzip stream that it came as, not inflated yet.
#[derive(Debug)]
pub struct Compressed {
    /// A member of an archive got a header without name and time.
    pub(super) gzip: Vec<u8>,
    /// Bytes as stored.
    pub(super) stored: u64,
    /// True when the source itself is gzip.
    pub(super) gzipped: bool,
}

impl Compressed {
    /// SHA-256 of the gzip stream. What was sound once under this digest is sound, and the same, always.
    pub fn digest(&self) -> Digest {
        Digest(Sha256::digest(&self.gzip).into())
    }

    /// Length of the content, as the stream states it.
    pub fn content_length(&self) -> u64 {
        self.gzip.last_chunk().map_or(0, |size| u64::from(u32::from_le_bytes(*size)))
    }

    /// The content and its digest, when every claim holds.
    pub(super) fn inflate(&self, limits: &Limits) -> Option<(Vec<u8>, Digest)> {
        content(&self.gzip, self.stored, limits)
    }
}

/// What looks like one deflate stream with its check sum and length, and nothing else.
pub(super) fn compressed(store: &Store, packing: &Packing) -> Option<Compressed> {
    // One descriptor for all that follows.
    let (part, gzipped) = part_of(&store.held().ok()?, packing)?;
    let stored = part.len();
    let mut gzip = Vec::with_capacity(usize::try_from(stored).ok()? + HEADER.len() + TRAILER);
    if !gzipped {
        gzip.extend_from_slice(&HEADER);
    }
    let at = gzip.len();
    gzip.resize(at + usize::try_from(stored).ok()?, 0);
    if part.read_at(0, gzip.get_mut(at..)?).ok()? as u64 != stored {
        return None;
    }
    match packing {
        Packing::Member(member) if gzipped => {
            let mut crc = Crc::new();
            crc.update(&gzip);
            member.crc.filter(|stated| *stated == crc.sum())?;
        }
        Packing::Member(member) => {
            gzip.extend_from_slice(&member.crc?.to_le_bytes());
            gzip.extend_from_slice(&u32::try_from(member.unpacked).ok()?.to_le_bytes());
        }
        Packing::Plain => {}
    }
    Some(Compressed { gzip, stored, gzipped })
}

/// The stored bytes: a deflate stream, or a whole gzip file (then the second is true).
fn part_of(store: &Store, packing: &Packing) -> Option<(Store, bool)> {
    let (part, head, deflated) = match packing {
        Packing::Member(member) if member.lock == Lock::Open && matches!(member.method, 0 | 8) => {
            let (start, head) = data_and_head(store, member, GZIP_HEAD).ok()?;
            let part = store.part(start, member.packed);
            if part.len() < member.packed {
                return None;
            }
            (part, head, member.method == 8)
        }
        Packing::Member(_) => return None,
        Packing::Plain => {
            let mut head = vec![0; GZIP_HEAD];
            store.read_at(0, &mut head).ok()?;
            (store.clone(), head, false)
        }
    };
    (part.len() <= LONGEST && (deflated || is_gzip(&head))).then_some((part, !deflated))
}

/// The content of a gzip file of one member, when every claim holds and the content is not gzip again.
fn content(gzip: &[u8], stored: u64, limits: &Limits) -> Option<(Vec<u8>, Digest)> {
    let deflate = gzip.get(body(gzip)?)?;
    let [a, b, c, d, e, f, g, h] = *gzip.last_chunk::<TRAILER>()?;
    let (crc, size) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
    let most = stored.saturating_mul(limits.expansion_ratio).max(RATIO_FROM).min(limits.entry_bytes);
    if u64::from(size) > most {
        return None;
    }
    let mut decoder = Decoder::new();
    let raw = decoder.raw();
    let mut bytes = vec![0; size as usize];
    let (mut filled, mut sum, mut hasher) = (0, Crc::new(), Sha256::new());
    loop {
        // The end of a stream may come after the last byte of the content.
        let mut beyond = [0; 1];
        let full = filled == bytes.len();
        let end = bytes.len().min(filled + CHUNK);
        let space = if full { &mut beyond[..] } else { bytes.get_mut(filled..end)? };
        let (read, written) = (raw.total_in(), raw.total_out());
        let status = raw.decompress(deflate.get(read as usize..)?, space, FlushDecompress::None).ok()?;
        let fresh = space.get(..(raw.total_out() - written) as usize)?;
        if full && !fresh.is_empty() {
            return None;
        }
        sum.update(fresh);
        hasher.update(fresh);
        filled += fresh.len();
        match status {
            Status::StreamEnd => break,
            _ if fresh.is_empty() && raw.total_in() == read => return None,
            _ => {}
        }
    }
    let whole = raw.total_in() == deflate.len() as u64 && filled == bytes.len() && sum.sum() == crc;
    (whole && !is_gzip(&bytes)).then(|| (bytes, Digest(hasher.finalize().into())))
}

/// Where the deflate stream of a gzip file lies (RFC 1952, section 2.3).
fn body(gzip: &[u8]) -> Option<Range<usize>> {
    let flags = *gzip.get(3)?;
    let mut at = HEADER.len();
    if flags & 4 != 0 {
        at += 2 + usize::from(u16::from_le_bytes(*gzip.get(at..)?.first_chunk()?));
    }
    for text in [8, 16] {
        if flags & text != 0 {
            at += gzip.get(at..)?.iter().position(|&b| b == 0)? + 1;
        }
    }
    if flags & 2 != 0 {
        at += 2;
    }
    Some(at..gzip.len().checked_sub(TRAILER)?)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::super::zip_directory::Member;
    use super::*;

    /// "hi" as one stored block, its CRC-32 (as Python's zlib has it) and size.
    const BODY: [u8; 7] = [1, 2, 0, 0xfd, 0xff, b'h', b'i'];
    const CRC: u32 = 0xd893_2aac;

    fn gzip(flags: u8, optional: &[u8]) -> Vec<u8> {
        [&[0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3][..], optional, &BODY, &CRC.to_le_bytes(), &[2, 0, 0, 0]].concat()
    }

    fn read(bytes: Vec<u8>, packing: &Packing) -> Option<(Vec<u8>, Compressed)> {
        let came = compressed(&Store::memory(bytes), packing)?;
        let (bytes, _) = came.inflate(&Limits::default())?;
        assert_eq!(came.content_length(), bytes.len() as u64);
        Some((bytes, came))
    }

    #[test]
    fn a_gzip_file_is_inflated_and_kept_as_it_came() {
        for (flags, optional) in
            [(0, &b""[..]), (4, b"\x03\x00abc"), (8, b"name.fit\0"), (30, b"\x01\x00xname\0comment\0\x12\x34")]
        {
            let file = gzip(flags, optional);
            let (bytes, came) = read(file.clone(), &Packing::Plain).unwrap();
            assert_eq!((bytes.as_slice(), came.gzipped, came.stored), (&b"hi"[..], true, file.len() as u64));
            assert_eq!((came.digest(), &came.gzip), (Digest(Sha256::digest(&file).into()), &file));
        }
    }

    #[test]
    fn what_is_damaged_or_unusual_goes_the_general_way() {
        let file = gzip(8, b"n\0");
        for at in 0..file.len() {
            assert!(read(file[..at].to_vec(), &Packing::Plain).is_none(), "cut at {at}");
        }
        let good = gzip(0, b"");
        for at in good.len() - 15..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(read(bad, &Packing::Plain).is_none(), "byte {at}");
        }
        assert!(read([&good[..], &good].concat(), &Packing::Plain).is_none(), "two members");
        assert!(read([&good[..], b"more"].concat(), &Packing::Plain).is_none(), "a tail");
        assert!(read(b"hi".to_vec(), &Packing::Plain).is_none(), "no gzip");
    }

    #[test]
    fn a_zip_member_becomes_a_gzip_file() {
        let local = [&b"PK\x03\x04"[..], &[0; 26]].concat();
        let member = |packed, unpacked, crc| Member { header: 0, packed, unpacked, crc, method: 8, lock: Lock::Open };
        let archive = [&local[..], &BODY, b"tail"].concat();
        let (bytes, got) = read(archive.clone(), &Packing::Member(member(7, 2, Some(CRC)))).unwrap();
        assert_eq!((bytes.as_slice(), got.gzipped, got.stored), (&b"hi"[..], false, 7));
        let mut back = Vec::new();
        flate2::read::GzDecoder::new(&got.gzip[..]).read_to_end(&mut back).unwrap();
        assert_eq!(back, b"hi");
        for lie in [
            member(8, 2, Some(CRC)),
            member(6, 2, Some(CRC)),
            member(7, 3, Some(CRC)),
            member(7, 1, Some(CRC)),
            member(7, 2, Some(1)),
            member(7, 2, None),
            member(7000, 2, Some(CRC)),
        ] {
            assert!(read(archive.clone(), &Packing::Member(lie.clone())).is_none(), "{lie:?}");
        }
    }

    #[test]
    fn a_gzip_file_in_an_archive_is_kept_as_it_came_however_long_its_name_is() {
        let file = gzip(8, b"n\0");
        let mut crc = Crc::new();
        crc.update(&file);
        let length = file.len() as u64;
        let (packed, unpacked, crc) = (length, length, Some(crc.sum()));
        let member = Member { header: 0, packed, unpacked, crc, method: 0, lock: Lock::Open };
        for (name, extra) in [(1, 0), (125, 0), (126, 0), (127, 0), (128, 0), (129, 0), (1, 128), (65_535, 65_535)] {
            let lengths = [u16::to_le_bytes(name), u16::to_le_bytes(extra)].concat();
            let names = vec![b'x'; usize::from(name) + usize::from(extra)];
            let archive = [&b"PK\x03\x04"[..], &[0; 22], &lengths, &names, &file].concat();
            let (bytes, came) = read(archive, &Packing::Member(member.clone())).unwrap();
            assert_eq!((bytes.as_slice(), &came.gzip, came.gzipped), (&b"hi"[..], &file, true), "{name}, {extra}");
        }
    }
}
