//! From what the user names to everything that can be read: folders walked, archives listed, archives inside them too.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::flaw::Flaw;
use super::inflate::is_gzip;
use super::label::{is_clutter, label};
use super::spool::Spool;
use super::store::Store;
use super::tar_directory::{self, TarMember, is_tar};
use super::unpack::{Extent, Packing, fill, gzip_size, stored_part, unpack};
use super::walk::{Found, name_of, walk};
use super::zip_directory::{self, Directory, Listed, Lock, What, too_many};
use super::{ArchiveInfo, ArchiveKind, Damaged, Entry, Input, Problem, Scan, ScanOptions, zip_salvage};
use crate::error::{Error, Kind, Place, Result};
use crate::report::{Code, Notes, Severity};

const DIRECTORY: Code = Code::damage("source.directory");
const SPECIAL: Code = Code::warning("source.special");
const CLUTTER: Code = Code::info("source.clutter");
const EMPTY: Code = Code::info("source.empty");
const AGAIN: Code = Code::info("source.walked_already");

/// Bytes that tell an archive from anything else: a tar header.
const HEAD: usize = 512;
/// Archives inside archives are followed by recursion, so that the limit has a limit.
const DEEPEST: u32 = 16;
/// The empty zip archive is an end record alone; a spanned one in a single part starts with a mark.
const ZIP_STARTS: [&[u8]; 3] = [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08PK\x03\x04"];

/// Finds everything that can be read, in a fixed order: inputs as given, folders in byte order of names, archives in the
/// order of their directories. Nothing stops a scan: what cannot be read is a problem.
pub fn scan(inputs: &[Input], options: &ScanOptions<'_>) -> Scan {
    let mut scanner = Scanner { options, scan: Scan::default(), spool: Spool::default(), listed: 0, declared: 0 };
    for input in inputs {
        scanner.listed = 0;
        match input {
            Input::Path(path) => scanner.path(path),
            Input::Stdin(bytes) if bytes.is_empty() => scanner.problem("-", empty()),
            Input::Stdin(bytes) => scanner.content(Store::memory(bytes.clone()), Packing::Plain, "-".into(), 0),
        }
    }
    scanner.scan
}

fn empty() -> Error {
    Error::new(Kind::Malformed, "the file is empty")
}

fn special() -> Error {
    Error::new(Kind::Unsupported, "not a regular file; pipe its content into standard input (-) instead")
}

/// Archives and compressed files that are recognised but not read.
const FOREIGN: &[(&[u8], &str)] = &[
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\xfd7zXZ\0", "compressed with xz"),
    (b"\x28\xb5\x2f\xfd", "compressed with Zstandard"),
    (b"BZh91AY&SY", "compressed with bzip2"),
];

/// What a look at the first bytes told.
enum Look {
    /// An archive; its members are listed.
    Archive,
    /// Something to read, of about this many bytes.
    Content { size: u64 },
}

struct Scanner<'a> {
    options: &'a ScanOptions<'a>,
    scan: Scan,
    spool: Spool,
    /// Members listed so far below one input.
    listed: u64,
    /// Bytes that the entries so far claim.
    declared: u64,
}

impl Scanner<'_> {
    fn problem(&mut self, name: &str, error: Error) {
        self.scan.problems.push(Problem { name: name.to_owned(), error: error.in_source(name) });
    }

    /// Something is wrong with an archive itself.
    fn damage(&mut self, name: &str, flaw: Flaw) {
        let Flaw { code, place, detail } = flaw;
        if code.severity == Severity::Damage {
            let mut notes = Notes::new();
            notes.add(code, place.clone(), || detail.clone());
            self.scan.damaged.push(Damaged { name: name.to_owned(), notes });
        }
        self.scan.notes.add(code, place, || format!("{name}: {detail}"));
    }

    fn path(&mut self, path: &Path) {
        let name = name_of(path);
        match fs::metadata(path) {
            Err(error) => self.problem(&name, Error::io("cannot open", error)),
            Ok(data) if data.is_dir() => walk(path, &mut |found| self.found(found)),
            Ok(data) if !data.is_file() => self.problem(&name, special()),
            Ok(data) if data.len() == 0 => self.problem(&name, empty()),
            Ok(data) => self.content(Store::path(path, data.len()), Packing::Plain, name, 0),
        }
    }

    fn found(&mut self, found: Found) {
        let notes = &mut self.scan.notes;
        match found {
            Found::File { name, len: 0, .. } => notes.add(EMPTY, Place::NOWHERE, || format!("{name} is empty")),
            Found::File { path, name, len } => {
                self.listed = 0;
                self.content(Store::path(&path, len), Packing::Plain, name, 0);
            }
            Found::Special { name } => self.problem(&name, special()),
            Found::Clutter { name } => notes.add(CLUTTER, Place::NOWHERE, || format!("{name} is passed over")),
            Found::Again { name } => {
                notes.add(AGAIN, Place::NOWHERE, || format!("{name} leads to a folder already read"))
            }
            Found::Failed { name, error } => self.problem(&name, Error::io("cannot read", error)),
        }
    }

    /// Something that has bytes: an archive is listed, anything else is an entry.
    fn content(&mut self, store: Store, packing: Packing, name: String, depth: u32) {
        match self.archive(&store, &packing, &name, depth) {
            Ok(Look::Archive) => {}
            Ok(Look::Content { size }) => self.entry(store, packing, name, size),
            Err(error) => self.problem(&name, error),
        }
    }

    fn entry(&mut self, store: Store, packing: Packing, name: String, size: u64) {
        let declared = self.declared.saturating_add(size);
        if let Some(limit) = self.options.limits.total_bytes.filter(|limit| declared > *limit) {
            self.problem(&name, Error::limit("--max-total", format!("all sources together exceed {limit} bytes")));
            return;
        }
        self.declared = declared;
        self.scan.entries.push(Entry { name, size, store, packing });
    }

    /// Lists an archive, if it is one.
    fn archive(&mut self, store: &Store, packing: &Packing, name: &str, depth: u32) -> Result<Look> {
        let size = match packing {
            Packing::Plain => store.len(),
            Packing::Member(member) => member.unpacked.min(most_unpacked(member.packed.min(store.len()))),
        };
        if let Packing::Member(member) = packing
            && member.lock != Lock::Open
            && self.options.password.is_none()
        {
            return Ok(Look::Content { size });
        }
        // One descriptor for all that follows.
        let _open = store.reader().map_err(|error| Error::io("cannot open", error))?;
        // Whatever is wrong comes up again, and is reported, when the entry is loaded.
        let Ok((head, gzipped)) = self.head(store, packing) else { return Ok(Look::Content { size }) };
        let kind = if ZIP_STARTS.iter().any(|start| head.starts_with(start)) {
            ArchiveKind::Zip
        } else if is_tar(&head) {
            ArchiveKind::Tar
        } else if ends_as_zip(store, packing) {
            ArchiveKind::Zip
        } else if let Some((_, what)) = FOREIGN.iter().find(|(start, _)| head.starts_with(start)) {
            return Err(Error::new(Kind::Unsupported, format!("{what}; unpack it first")));
        } else if gzipped {
            return Ok(Look::Content { size: gzip_hint(store, packing, size)? });
        } else {
            return Ok(Look::Content { size });
        };
        let limits = self.options.limits;
        if depth > limits.nested_archives.min(DEEPEST) {
            return Err(Error::limit("--max-nesting", "an archive too deep inside other archives"));
        }
        let (store, flaw) = self.seekable(store, packing)?;
        if let Some(flaw) = flaw {
            self.damage(name, flaw);
        }
        let before = self.scan.entries.len();
        let at = self.scan.archives.len();
        self.scan.archives.push(ArchiveInfo { name: name.to_owned(), kind, entries: 0 });
        match kind {
            ArchiveKind::Zip => {
                if !self.zip(&store, name, depth)? {
                    self.scan.archives.truncate(at);
                    return Ok(Look::Content { size });
                }
            }
            ArchiveKind::Tar => self.tar(&store, name, depth)?,
        }
        let entries = (self.scan.entries.len() - before) as u64;
        if let Some(info) = self.scan.archives.get_mut(at) {
            info.entries = entries;
        }
        Ok(Look::Archive)
    }

    /// The first bytes of the content, and whether it is gzipped.
    fn head(&self, store: &Store, packing: &Packing) -> Result<(Vec<u8>, bool)> {
        let mut head = [0; HEAD];
        if let Packing::Plain = packing {
            // The bulk of files is neither gzipped nor an archive: one read says so.
            let got = store.read_at(0, &mut head).map_err(|error| Error::io("cannot read", error))?;
            if !is_gzip(&head[..got]) {
                return Ok((head[..got].to_vec(), false));
            }
        }
        let mut unpacked = unpack(store, packing, self.options, Extent::Head)?;
        let got = fill(&mut *unpacked.reader, &mut head)?;
        Ok((head[..got].to_vec(), unpacked.gzip_layers > 0))
    }

    /// The content of an archive as a store: in place when it is stored as it is, else spooled.
    fn seekable(&mut self, store: &Store, packing: &Packing) -> Result<(Store, Option<Flaw>)> {
        let mut unpacked = unpack(store, packing, self.options, Extent::Whole)?;
        if unpacked.gzip_layers == 0 {
            if let Some(plain) = unpacked.plain {
                return Ok((plain, None));
            }
            if let Packing::Member(member) = packing
                && let Some(part) = stored_part(store, member)?
            {
                return Ok((part, None));
            }
        }
        self.spool.keep(&mut *unpacked.reader, self.options.limits)
    }

    /// Lists a zip archive; false for something that only starts like one.
    fn zip(&mut self, store: &Store, name: &str, depth: u32) -> Result<bool> {
        let limits = self.options.limits;
        let mut directory = zip_directory::read(store, limits)?.unwrap_or_else(|| Directory {
            damage: Some("the archive's directory is missing".into()),
            ..Directory::default()
        });
        if let Some(damage) = directory.damage.take() {
            let known: BTreeSet<u64> = directory.members.iter().map(|listed| listed.member.header).collect();
            let found = zip_salvage::find(store, &known, limits)?;
            if known.is_empty() && found.is_empty() {
                let claims = name.len().checked_sub(4).and_then(|at| name.get(at..));
                return match claims.is_some_and(|end| end.eq_ignore_ascii_case(".zip")) {
                    true => Err(Error::new(Kind::Malformed, format!("{damage}, and no member is found"))),
                    false => Ok(false),
                };
            }
            let detail = format!("{damage}; {} more members found by their own headers", found.len());
            self.damage(name, Flaw { code: DIRECTORY, place: Place::NOWHERE, detail });
            directory.members.extend(found);
        }
        self.count(directory.members.iter().map(|listed| &listed.name))?;
        let overlapping = overlapping(&directory.members);
        if let Some(first) = overlapping.first().and_then(|&at| directory.members.get(at)) {
            let message = format!("members that reach into others are not read: {}", overlapping.len());
            self.problem(&format!("{name}!/{}", label(&first.name)), Error::new(Kind::Malformed, message));
        }
        for (at, Listed { name: inner, what, member }) in directory.members.into_iter().enumerate() {
            if overlapping.binary_search(&at).is_ok() {
                continue;
            }
            // Deflate needs two bytes for nothing, a cipher some more.
            let empty =
                member.unpacked == 0 && member.crc == Some(0) && (member.packed <= 2 || member.lock != Lock::Open);
            if let Some(name) = self.wanted(name, &inner, what, empty) {
                self.content(store.clone(), Packing::Member(member), name, depth + 1);
            }
        }
        Ok(true)
    }

    fn tar(&mut self, store: &Store, name: &str, depth: u32) -> Result<()> {
        let (members, damage) = tar_directory::read(store, self.options.limits)?;
        self.count(members.iter().map(|member| &member.name))?;
        if let Some(damage) = damage {
            self.damage(name, Flaw { code: DIRECTORY, place: Place::NOWHERE, detail: damage });
        }
        for TarMember { name: inner, what, start, len } in members {
            if let Some(name) = self.wanted(name, &inner, what, len == 0) {
                self.content(store.part(start, len), Packing::Plain, name, depth + 1);
            }
        }
        Ok(())
    }

    /// Counts members against the limit, which holds for an input with all archives inside it; a long name costs more.
    fn count<'n>(&mut self, names: impl Iterator<Item = &'n String>) -> Result<()> {
        self.listed += names.map(|name| 1 + name.len() as u64 / 256).sum::<u64>();
        if self.listed > self.options.limits.archive_entries { Err(too_many(self.options.limits)) } else { Ok(()) }
    }

    /// The full name of a member that is worth reading.
    fn wanted(&mut self, archive: &str, inner: &str, what: What, empty: bool) -> Option<String> {
        let label = label(inner);
        let clutter = is_clutter(&label);
        let name = format!("{archive}!/{label}");
        let notes = &mut self.scan.notes;
        match what {
            What::Folder => return None,
            What::Special => notes.add(SPECIAL, Place::NOWHERE, || format!("{name} is a link or device, not a file")),
            What::File if clutter => notes.add(CLUTTER, Place::NOWHERE, || format!("{name} is passed over")),
            What::File if empty => notes.add(EMPTY, Place::NOWHERE, || format!("{name} is empty")),
            What::File => return Some(name),
        }
        None
    }
}

/// About how many bytes gzipped content has, which itself has `size` bytes.
fn gzip_hint(store: &Store, packing: &Packing, size: u64) -> Result<u64> {
    let part = match packing {
        Packing::Plain => Some(store.clone()),
        Packing::Member(member) => stored_part(store, member)?,
    };
    match part {
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

/// Positions of members that reach into the next one: the mark of a bomb that repeats one kernel, or of a wrong size.
/// Of members that start at the same place the last one stays.
fn overlapping(members: &[Listed]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by_key(|&at| members[at].member.header);
    let reaches = |pair: &[usize]| {
        let [one, next] = [pair[0], pair[1]].map(|at| &members[at].member);
        // Names and extra fields of the local header make it longer still; this much is certain.
        one.header.saturating_add(zip_directory::LOCAL_LEN as u64).saturating_add(one.packed) > next.header
    };
    let mut out: Vec<usize> = order.windows(2).filter(|pair| reaches(pair)).map(|pair| pair[0]).collect();
    out.sort_unstable();
    out
}
