//! From stored bytes to content: decrypt, inflate, check, gunzip, each layer watched for what it expands to.

use std::io::{BufReader, Cursor, ErrorKind, Read};

use deflate64::Deflate64Decoder;
use flate2::Crc;

use super::ScanOptions;
use super::flaw::{End, Flaw, end_of, error_of, fatal, flaw};
use super::inflate::{Gunzip, Inflate, is_gzip};
use super::store::Store;
use super::zip_crypt::decrypt;
use super::zip_directory::{Lock, Member, data_and_head, data_start};
use crate::error::{Error, Kind, Place, Result};
use crate::report::Code;

const CHECKSUM: Code = Code::damage("source.checksum");
const SIZE: Code = Code::warning("source.size");
const CUT: Code = Code::damage("source.cut_off");
const DEFLATE64: Code = Code::damage("source.deflate64");

/// Expansions up to this many bytes are never called bombs.
pub(super) const RATIO_FROM: u64 = 1 << 20;
/// Compressed bytes read at a time.
const BUFFER: u64 = 128 << 10;
/// Compressed bytes read at a time when only the head is wanted.
const HEAD_BUFFER: u64 = 1 << 10;

/// How content lies in its store.
#[derive(Clone)]
pub(super) enum Packing {
    /// As it is, or gzipped: the content says so.
    Plain,
    /// As a member of the zip archive that the store is.
    Member(Member),
}

/// Content being unpacked.
pub(super) struct Unpacked {
    pub(super) reader: Box<dyn Read + Send>,
    /// Bytes as stored.
    pub(super) stored: u64,
    /// Layers of gzip that were taken off.
    pub(super) gzip_layers: u32,
    /// Bytes of the content as far as known, 0 when not.
    pub(super) hint: u64,
    /// The content itself, when it lies unpacked in a store.
    pub(super) plain: Option<Store>,
    /// The stored bytes, when they are neither encrypted nor compressed by the archive.
    pub(super) part: Option<Store>,
}

/// How much of the content is wanted.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Extent {
    /// The first kilobyte or so.
    Head,
    Whole,
}

/// Starts to unpack.
///
/// # Errors
/// `Encrypted`, `Unsupported` (compression method), `Limit` (layers of gzip), `Malformed`, `Io`.
pub(super) fn unpack(store: &Store, packing: &Packing, options: &ScanOptions<'_>, extent: Extent) -> Result<Unpacked> {
    // One descriptor for all that follows; what outlives it must not keep it.
    let held = store.held().map_err(|error| Error::io("cannot open", error))?;
    let mut unpacked = match packing {
        Packing::Plain => plain(store)?,
        Packing::Member(member) => unzip(&held, member, options, extent)?,
    };
    let layers = 1 + options.limits.nested_archives;
    loop {
        let mut head = [0; 3];
        let got = match &unpacked.plain {
            Some(store) => store.read_at(0, &mut head).map_err(|error| Error::io("cannot read", error))?,
            None => {
                let got = fill(&mut *unpacked.reader, &mut head)?;
                let rest = std::mem::replace(&mut unpacked.reader, Box::new(std::io::empty()));
                unpacked.reader = Box::new(Cursor::new(head).take(got as u64).chain(rest));
                got
            }
        };
        if !is_gzip(head.get(..got).unwrap_or(&[])) {
            return Ok(unpacked);
        }
        if unpacked.gzip_layers == layers {
            return Err(Error::limit("--max-nesting", format!("gzip inside gzip, more than {layers} deep")));
        }
        unpacked.gzip_layers += 1;
        unpacked.hint = match unpacked.plain.take() {
            Some(store) => gzip_size(&store)?,
            None => 0,
        };
        let buffered = BufReader::with_capacity(capacity(unpacked.stored, extent), unpacked.reader);
        unpacked.reader = Box::new(Guard::new(Gunzip::new(buffered), unpacked.stored, options.limits.expansion_ratio));
    }
}

fn plain(store: &Store) -> Result<Unpacked> {
    let reader = Box::new(store.reader().map_err(|error| Error::io("cannot open", error))?);
    let (plain, part) = (Some(store.clone()), Some(store.clone()));
    Ok(Unpacked { reader, stored: store.len(), gzip_layers: 0, hint: store.len(), plain, part })
}

/// The content of a zip member that needs neither decrypting nor inflating.
pub(super) fn stored_part(store: &Store, member: &Member) -> Result<Option<Store>> {
    let part = store.part(data_start(store, member)?, member.packed);
    Ok(is_plain(&part, member).then_some(part))
}

fn is_plain(part: &Store, member: &Member) -> bool {
    member.method == 0 && member.lock == Lock::Open && part.len() == member.packed
}

fn unzip(archive: &Store, member: &Member, options: &ScanOptions<'_>, extent: Extent) -> Result<Unpacked> {
    let most = if extent == Extent::Head && member.lock == Lock::Open { HEAD_BUFFER as usize } else { 0 };
    let (start, head) = data_and_head(archive, member, most)?;
    let mut data = archive.part(start, member.packed);
    let part = is_plain(&data, member).then(|| data.clone());
    let stored = data.len();
    let mut end = None;
    if stored < member.packed {
        end = Some(Flaw { code: CUT, place: Place::NOWHERE, detail: "the archive ends inside this member".into() });
    }
    if member.lock != Lock::Open {
        let part = if extent == Extent::Head { 4 * HEAD_BUFFER } else { u64::MAX };
        let (plain, flaw) = decrypt(&data, part, member.lock, options.password, options.limits)?;
        data = plain;
        end = end.or(flaw);
    }
    let rest = data.part(head.len() as u64, u64::MAX);
    let rest = rest.reader().map_err(|error| Error::io("cannot read the archive", error))?;
    let range = Cursor::new(head).chain(rest);
    let capacity = capacity(stored, extent);
    let inflated: Box<dyn Read + Send> = match member.method {
        0 => Box::new(range),
        8 => Box::new(Inflate::new(BufReader::with_capacity(capacity, range))),
        9 => Box::new(Inflate64(Deflate64Decoder::with_buffer(BufReader::with_capacity(capacity, range)))),
        method => {
            let name = METHODS.iter().find(|(id, _)| *id == method).map_or("unknown", |(_, name)| name);
            return Err(Error::new(Kind::Unsupported, format!("zip compression method {method} ({name})")));
        }
    };
    let guarded = Guard::new(inflated, stored, options.limits.expansion_ratio);
    let checked = Checked { inner: guarded, crc: Crc::new(), total: 0, member: member.clone(), end, done: false };
    Ok(Unpacked { reader: Box::new(checked), stored, gzip_layers: 0, hint: member.unpacked, plain: None, part })
}

/// Compression methods that are recognised but not read (APPNOTE 4.4.5).
const METHODS: &[(u16, &str)] = &[
    (1, "shrink"),
    (6, "implode"),
    (12, "bzip2"),
    (14, "LZMA"),
    (93, "Zstandard"),
    (95, "xz"),
    (98, "PPMd"),
    (99, "AES without its parameters"),
];

fn capacity(stored: u64, extent: Extent) -> usize {
    stored.clamp(64, if extent == Extent::Head { HEAD_BUFFER } else { BUFFER }) as usize
}

/// The last four bytes of a gzip stream claim the unpacked size of its last member.
pub(super) fn gzip_size(store: &Store) -> Result<u64> {
    let mut size = [0; 4];
    let at = store.len().saturating_sub(4);
    store.read_at(at, &mut size).map_err(|error| Error::io("cannot read", error))?;
    Ok(u64::from(u32::from_le_bytes(size)))
}

/// Reads until `buffer` is full or the content ends.
///
/// # Errors
/// What ended the content, when it is not its regular end and nothing came before.
pub(super) fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error_of(error)),
        }
    }
    Ok(filled)
}

/// Stops an expansion that is out of proportion to what is stored.
struct Guard<R> {
    inner: R,
    left: u64,
    ratio: u64,
}

impl<R> Guard<R> {
    fn new(inner: R, stored: u64, ratio: u64) -> Guard<R> {
        Guard { inner, left: stored.saturating_mul(ratio).max(RATIO_FROM), ratio }
    }
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let n = self.inner.read(out)?;
        match self.left.checked_sub(n as u64) {
            Some(left) => self.left = left,
            None => {
                let message = format!("expands to more than {} times its stored size", self.ratio);
                return Err(fatal(Error::limit("--max-ratio", message)));
            }
        }
        Ok(n)
    }
}

struct Inflate64<R>(Deflate64Decoder<R>);

impl<R: std::io::BufRead> Read for Inflate64<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(out).map_err(|error| match error.kind() {
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
                flaw(DEFLATE64, Place::NOWHERE, format!("the compressed data is damaged: {error}"))
            }
            _ => error,
        })
    }
}

/// Compares a zip member with what its directory says, at its end.
struct Checked<R> {
    inner: R,
    crc: Crc,
    total: u64,
    member: Member,
    /// What is known to be wrong with the stored bytes.
    end: Option<Flaw>,
    done: bool,
}

impl<R> Checked<R> {
    /// One in 256 wrong passwords passes the check byte of ZipCrypto: what follows may be noise, not damaged content.
    fn judge(&self, error: std::io::Error) -> std::io::Error {
        match (self.member.lock, end_of(error)) {
            (Lock::ZipCrypto { .. }, End::Flaw(flaw)) => {
                let message = format!("{}: damaged, or (one time in 256) the password is wrong", flaw.detail);
                fatal(Error::new(Kind::Malformed, message).at(flaw.place))
            }
            (_, End::Flaw(flaw)) => std::io::Error::other(flaw),
            (_, End::Fatal(error)) => fatal(error),
        }
    }
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let n = self.inner.read(out).map_err(|error| self.judge(error))?;
        self.crc.update(&out[..n]);
        self.total += n as u64;
        if n > 0 {
            return Ok(n);
        }
        if std::mem::replace(&mut self.done, true) {
            return Ok(0);
        }
        if let Some(end) = self.end.take() {
            return Err(self.judge(std::io::Error::other(end)));
        }
        let Some(crc) = self.member.crc else { return Ok(0) };
        if crc != self.crc.sum() {
            return Err(self.judge(flaw(CHECKSUM, Place::NOWHERE, "the check sum in the archive does not match")));
        }
        if self.member.unpacked != self.total {
            let detail = format!("the archive says {} bytes, the member has {}", self.member.unpacked, self.total);
            return Err(flaw(SIZE, Place::NOWHERE, detail));
        }
        Ok(0)
    }
}
