//! From what the user names to everything that can be read: folders walked, archives listed, archives inside them too.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::flaw::Flaw;
use super::label::{is_clutter, label};
use super::look::{Look, announced, look};
use super::spool::Spool;
use super::store::Store;
use super::stored::Stored;
use super::tar_directory::{self, TarMember};
use super::unpack::{Extent, Packing, stored_part, unpack};
use super::walk::{Found, name_of, real_path, walk};
use super::zip_directory::{self, Directory, Listed, Lock, What, too_many};
use super::{ArchiveInfo, ArchiveKind, Damaged, Entry, Input, Problem, Scan, ScanOptions, zip_salvage};
use crate::error::{Error, Kind, Place, Result};
use crate::report::{Code, Notes, Severity};

const DIRECTORY: Code = Code::damage("source.directory");
const SPECIAL: Code = Code::warning("source.special");
const CLUTTER: Code = Code::info("source.clutter");
const EMPTY: Code = Code::info("source.empty");
const AGAIN: Code = Code::info("source.walked_already");

/// Sources that are looked at together.
const AT_ONCE: usize = 4096;
/// Archives that stay open after the scan; a folder may hold ten thousand.
const MOST_OPEN: usize = 16;
/// Archives inside archives are followed by recursion, so that the limit has a limit.
const DEEPEST: u32 = 16;
/// Finds everything that can be read, in a fixed order: inputs as given, folders in byte order of names, archives in the
/// order of their directories. Nothing stops a scan: what cannot be read is a problem.
pub fn scan(inputs: &[Input], options: &ScanOptions<'_>) -> Scan {
    scan_spread(inputs, options, None, &|count, each| (0..count).for_each(each))
}

/// As [`scan`]; a folder `apart` is not walked, and `spread` runs a function for each number below a count, in any order or
/// at the same time.
pub fn scan_spread(inputs: &[Input], options: &ScanOptions<'_>, apart: Option<&Path>, spread: Spread<'_>) -> Scan {
    let (scan, spool) = (Scan::default(), Spool::default());
    let apart = apart.and_then(real_path);
    let mut scanner = Scanner { options, apart, spread, scan, spool, listed: 0, declared: 0 };
    for input in inputs {
        scanner.listed = 0;
        scanner.scan.firsts.push(scanner.scan.entries.len());
        match input {
            Input::Path(path) => scanner.path(path),
            Input::Stdin(bytes) if bytes.is_empty() => scanner.problem("-", empty()),
            Input::Stdin(bytes) => scanner.content(Store::memory(bytes.clone()), Packing::Plain, "-".into(), 0, None),
        }
    }
    scanner.scan.entries.shrink_to_fit();
    scanner.scan
}

fn empty() -> Error {
    Error::new(Kind::Malformed, "the file is empty")
}

fn special() -> Error {
    Error::new(Kind::Unsupported, "not a regular file; pipe its content into standard input (-) instead")
}

/// Runs a function for each number below a count.
pub type Spread<'a> = &'a dyn Fn(usize, &(dyn Fn(usize) + Sync));

struct Scanner<'a> {
    options: &'a ScanOptions<'a>,
    /// Canonical.
    apart: Option<PathBuf>,
    spread: Spread<'a>,
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
            Ok(data) if data.is_dir() => self.folder(path),
            Ok(data) if !data.is_file() => self.problem(&name, special()),
            Ok(data) if data.len() == 0 => self.problem(&name, empty()),
            Ok(data) => self.content(Store::path(path, data.len()), Packing::Plain, name, 0, None),
        }
    }

    fn folder(&mut self, path: &Path) {
        let mut some: Vec<Found> = Vec::new();
        let apart = self.apart.clone();
        walk(path, apart.as_deref(), &mut |found| {
            some.push(found);
            if some.len() == AT_ONCE {
                self.all_found(&mut some);
            }
        });
        self.all_found(&mut some);
    }

    fn all_found(&mut self, some: &mut Vec<Found>) {
        let looks = self.looks(some.len(), &|at| match some.get(at) {
            Some(Found::File { path, len, .. }) if *len > 0 => Some((Store::path(path, *len), Packing::Plain)),
            _ => None,
        });
        some.drain(..).zip(looks).for_each(|(found, looked)| self.found(found, looked));
    }

    fn found(&mut self, found: Found, looked: Option<Look>) {
        let notes = &mut self.scan.notes;
        match found {
            Found::File { name, len: 0, .. } => notes.add(EMPTY, Place::NOWHERE, || format!("{name} is empty")),
            Found::File { path, name, len } => {
                self.listed = 0;
                self.content(Store::path(&path, len), Packing::Plain, name, 0, looked);
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
    fn content(&mut self, store: Store, packing: Packing, name: String, depth: u32, looked: Option<Look>) {
        let looked = looked.map_or_else(|| look(&store, &packing, self.options), Ok);
        let size = looked.and_then(|looked| match looked {
            Look::Archive(kind) => self.archive(kind, &store, &packing, &name, depth),
            Look::Foreign(what) => Err(Error::new(Kind::Unsupported, format!("{what}; unpack it first"))),
            Look::Content(size) => Ok(Some(size)),
        });
        match size {
            Ok(Some(size)) => self.entry(store, packing, name, size),
            Ok(None) => {}
            Err(error) => self.problem(&name, error),
        }
    }

    /// Looks at many sources at once; those that cannot be looked at are looked at again, and then reported.
    fn looks(&self, sources: usize, source: &(dyn Fn(usize) -> Option<(Store, Packing)> + Sync)) -> Vec<Option<Look>> {
        let mut looks: Vec<OnceLock<Look>> = Vec::new();
        looks.resize_with(sources, OnceLock::new);
        (self.spread)(sources, &|at| {
            if let Some((store, packing)) = source(at)
                && let (Some(cell), Ok(look)) = (looks.get(at), look(&store, &packing, self.options))
            {
                cell.get_or_init(|| look);
            }
        });
        looks.into_iter().map(OnceLock::into_inner).collect()
    }

    fn entry(&mut self, store: Store, packing: Packing, name: String, size: u64) {
        let declared = self.declared.saturating_add(size);
        if let Some(limit) = self.options.limits.total_bytes.filter(|limit| declared > *limit) {
            self.problem(&name, Error::limit("--max-total", format!("all sources together exceed {limit} bytes")));
            return;
        }
        self.declared = declared;
        self.scan.entries.push(Entry { name: name.into(), stored: Stored::new(store, packing, size) });
    }

    /// Lists an archive. Gives the size of something that only starts like one.
    fn archive(
        &mut self,
        kind: ArchiveKind,
        store: &Store,
        packing: &Packing,
        name: &str,
        depth: u32,
    ) -> Result<Option<u64>> {
        // One descriptor for all that follows.
        let open = store.held().map_err(|error| Error::io("cannot open", error))?;
        let size = announced(store, packing);
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
                    return Ok(Some(size));
                }
            }
            ArchiveKind::Tar => self.tar(&store, name, depth)?,
        }
        let entries = (self.scan.entries.len() - before) as u64;
        if depth == 0 && self.scan.open.len() < MOST_OPEN {
            self.scan.open.push(open);
        }
        if let Some(info) = self.scan.archives.get_mut(at) {
            info.entries = entries;
        }
        Ok(None)
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
        self.count(directory.members.iter().map(|listed| &*listed.name))?;
        let overlapping = overlapping(&directory.members);
        if let Some(first) = overlapping.first().and_then(|&at| directory.members.get(at)) {
            let message = format!("members that reach into others are not read: {}", overlapping.len());
            self.problem(&format!("{name}!/{}", label(&first.name)), Error::new(Kind::Malformed, message));
        }
        let mut at = 0..;
        directory.members.retain(|_| at.next().is_some_and(|at| overlapping.binary_search(&at).is_err()));
        self.scan.entries.reserve(directory.members.len());
        let mut members = directory.members.into_iter();
        while !members.as_slice().is_empty() {
            // Names of the list go as those of entries come.
            let some: Vec<Listed> = members.by_ref().take(AT_ONCE).collect();
            let looks = self.looks(some.len(), &|at| {
                let Listed { member, .. } = some.get(at).filter(|listed| listed.what == What::File)?;
                Some((store.clone(), Packing::Member(member.clone())))
            });
            for (Listed { name: inner, what, member }, looked) in some.into_iter().zip(looks) {
                // Deflate needs two bytes for nothing, a cipher some more.
                let empty =
                    member.unpacked == 0 && member.crc == Some(0) && (member.packed <= 2 || member.lock != Lock::Open);
                if let Some(name) = self.wanted(name, &inner, what, empty) {
                    self.content(store.clone(), Packing::Member(member), name, depth + 1, looked);
                }
            }
        }
        Ok(true)
    }

    fn tar(&mut self, store: &Store, name: &str, depth: u32) -> Result<()> {
        let (members, damage) = tar_directory::read(store, self.options.limits)?;
        self.count(members.iter().map(|member| member.name.as_str()))?;
        if let Some(damage) = damage {
            self.damage(name, Flaw { code: DIRECTORY, place: Place::NOWHERE, detail: damage });
        }
        for TarMember { name: inner, what, start, len } in members {
            if let Some(name) = self.wanted(name, &inner, what, len == 0) {
                self.content(store.part(start, len), Packing::Plain, name, depth + 1, None);
            }
        }
        Ok(())
    }

    /// Counts members against the limit, which holds for an input with all archives inside it; a long name costs more.
    fn count<'n>(&mut self, names: impl Iterator<Item = &'n str>) -> Result<()> {
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

/// Positions of members that reach into the next one: the mark of a bomb that repeats one kernel, or of a wrong size.
/// Of members that start at the same place the last one stays.
fn overlapping(members: &[Listed]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..members.len()).collect();
    // In place: there may be a million.
    order.sort_unstable_by_key(|&at| (members[at].member.header, at));
    let reaches = |pair: &[usize]| {
        let [one, next] = [pair[0], pair[1]].map(|at| &members[at].member);
        // Names and extra fields of the local header make it longer still; this much is certain.
        one.header.saturating_add(zip_directory::LOCAL_LEN as u64).saturating_add(one.packed) > next.header
    };
    let mut out: Vec<usize> = order.windows(2).filter(|pair| reaches(pair)).map(|pair| pair[0]).collect();
    out.sort_unstable();
    out
}
