//! FIT reading: segments of a chain, header, CRC, recovery; then one draft an activity.
//!
//! - `walk` goes through the records of a segment; `definition` and `developer` say what their bytes mean.
//! - `plan` compiles a record definition, `columns` runs it over batches of records, column by column.
//! - `collect` and `summary` take all other messages, `fields` what the model has no place for in them, `heart` the
//!   buffered heart rates of a strap.
//! - `finish` and `assemble` make the draft when the end of the file has told everything.

mod assemble;
mod collect;
mod columns;
mod definition;
mod developer;
mod fields;
mod finish;
mod heart;
mod plan;
mod summary;
mod walk;

use super::crc::crc16;
use super::profile::file_type;
use super::sniff;
use crate::error::{Error, Place, Result};
use crate::formats::Intake;
use crate::report::{Code, Notes};
use finish::Pending;
use walk::Walk;

const HEADER_CRC: Code = Code::warning("fit.header_crc");
const CRC: Code = Code::warning("fit.crc");
const NO_CRC: Code = Code::warning("fit.no_crc");
const NO_SIZE: Code = Code::damage("fit.no_data_size");
const TRUNCATED: Code = Code::damage("fit.truncated");
const STOPPED: Code = Code::damage("fit.stopped");
const SAMPLES: Code = Code::damage("fit.samples");
const TRAILING: Code = Code::warning("fit.trailing_bytes");

/// Where a header has `.FIT`.
const MARK: usize = 8;
/// Size of a header without a CRC of its own; where that CRC is in a larger one.
const HEADER_CRC_AT: usize = 12;
/// Header size that includes a CRC of the header.
const HEADER_WITH_CRC: usize = 14;

/// Reads every activity of a FIT file.
///
/// # Errors
/// `Malformed` when there is no FIT header or not a single readable message.
pub(super) fn read(bytes: &[u8], intake: &mut Intake<'_>) -> Result<()> {
    let mut next = Some(0);
    let mut pending: Option<Pending> = None;
    let mut anything = false;
    while let Some(segment) = next.and_then(|at| Segment::at(bytes, at)) {
        let (read, kind) = segment.read(intake.limits().samples);
        let collector = &read.collector;
        let messages = collector.messages > 0 || !read.columns.time.is_empty() || !collector.heart.is_empty();
        anything |= messages;
        let typed = collector.file.as_ref().is_some_and(|file| file.kind.is_some());
        // Without a type the content decides.
        let content = || !read.columns.time.is_empty() || !collector.sessions.is_empty() || !collector.laps.is_empty();
        let activity = !collector.is_no_activity() && (typed || content());
        let strap_only =
            collector.file.is_none() && (collector.messages == 0 || !collector.heart.is_empty()) && !content();
        match &mut pending {
            Some(before) if strap_only => {
                before.complete &= read.complete;
                before.notes.extend(read.notes);
                before.collector.heart.append(read.collector.heart);
            }
            _ if activity => {
                if let Some(before) = pending.replace(read) {
                    intake.emit(before.finish())?;
                }
            }
            _ => {
                if messages {
                    intake.skip(&kind);
                }
                intake.notes().extend(read.notes);
            }
        }
        next = link(bytes, segment.next);
        let gap = next.unwrap_or(bytes.len()).saturating_sub(segment.next);
        let notes = pending.as_mut().map_or(intake.notes(), |pending| &mut pending.notes);
        notes.add_many(TRAILING, gap as u64, Place::byte(segment.next), || {
            format!("{gap} bytes after the end are no FIT file and were left out")
        });
    }
    if !sniff(bytes) {
        return Err(Error::malformed(Place::byte(0), "no FIT header"));
    }
    if !anything {
        return Err(Error::malformed(Place::byte(0), "a FIT header, but not one readable message"));
    }
    match pending {
        Some(last) => intake.emit(last.finish()),
        None => Ok(()),
    }
}

/// Where the next link of a chain starts: at `from`, or behind bytes that are none (padding). There a header has to be of a
/// usual size and the file to be whole, so that garbage is not taken for one.
fn link(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let found = memchr::memmem::find_iter(rest, b".FIT").filter_map(|mark| mark.checked_sub(MARK));
    std::iter::once(0)
        .filter(|_| sniff(rest))
        .chain(found.filter(|at| is_whole(&rest[*at..])))
        .next()
        .map(|at| from + at)
}

/// True when a header of a usual size, with a right checksum if it has one, starts a file that is all there.
fn is_whole(bytes: &[u8]) -> bool {
    let Some((size, rest)) = bytes.split_first() else { return false };
    let (header, declared) = (usize::from(*size), rest.get(3..).and_then(|rest| rest.first_chunk::<4>()));
    let declared = declared.map_or(0, |size| u32::from_le_bytes(*size) as usize);
    let checked = match (header, bytes.get(HEADER_CRC_AT..HEADER_WITH_CRC)) {
        (HEADER_WITH_CRC, Some(stated)) => stated == [0, 0] || crc16(&bytes[..HEADER_CRC_AT]).to_le_bytes() == *stated,
        (HEADER_CRC_AT, _) => true,
        _ => false,
    };
    checked && declared > 0 && bytes.len() - header >= declared
}

/// One link of a chain: header, records, CRC.
struct Segment<'a> {
    bytes: &'a [u8],
    start: usize,
    header: usize,
    /// End of the records as far as there are bytes.
    end: usize,
    /// Where the next link starts.
    next: usize,
    declared: usize,
}

impl<'a> Segment<'a> {
    /// The segment whose header starts at `start`, if there is one.
    fn at(bytes: &'a [u8], start: usize) -> Option<Segment<'a>> {
        let rest = bytes.get(start..)?;
        if !sniff(rest) {
            return None;
        }
        let [size, _, _, _, s0, s1, s2, s3, ..] = *rest else { return None };
        let header = usize::from(size).min(rest.len());
        let declared = u32::from_le_bytes([s0, s1, s2, s3]) as usize;
        let body = start + header;
        let left = bytes.len() - body;
        // A recorder that crashed left the size at 0: then everything may be records.
        let end = body + if declared == 0 { left } else { declared.min(left) };
        let after = (end + 2).min(bytes.len());
        // Some writers of chains leave the CRC out.
        let next = if bytes.get(end..).is_some_and(sniff) { end } else { after };
        Some(Segment { bytes, start, header, end, next, declared })
    }

    /// Reads the segment; also says what kind of file it is.
    fn read(&self, most_samples: usize) -> (Pending, String) {
        let mut notes = Notes::new();
        self.check(&mut notes);
        let body = self.start + self.header;
        let mut walk = Walk::new(self.bytes, self.end, most_samples);
        if let Err(stop) = walk.run(body) {
            let code = if stop.cut { TRUNCATED } else { STOPPED };
            // Where the size is wrong, the checksum at the end looks like the start of a record.
            if self.sized() || self.end - stop.at > 2 {
                notes.add(code, Place::byte(stop.at), || stop.reason);
            }
        }
        notes.extend(walk.notes);
        notes.add_many(SAMPLES, walk.samples_left_out, Place::NOWHERE, || {
            format!("more than {most_samples} samples; the rest is left out (raise it with --max-samples)")
        });
        let kind = match walk.collector.file.as_ref().and_then(|file| file.kind) {
            Some(number) => file_type(number).map_or_else(|| format!("file_type_{number}"), str::to_owned),
            None => "fit_without_activity".to_owned(),
        };
        let complete = !notes.has_damage();
        (Pending { columns: walk.columns, collector: walk.collector, notes, complete }, kind)
    }

    /// True when the header's size is that of the records.
    fn sized(&self) -> bool {
        self.declared > 0 && self.declared == self.end - self.start - self.header
    }

    /// Sizes and checksums. None of them ever costs data.
    fn check(&self, notes: &mut Notes) {
        let at = |from: usize| {
            self.bytes.get(from..).and_then(|rest| rest.first_chunk::<2>()).map(|b| u16::from_le_bytes(*b))
        };
        if self.header >= HEADER_WITH_CRC
            && let Some(stated @ 1..) = at(self.start + 12)
            && self.bytes.get(self.start..self.start + 12).map(crc16) != Some(stated)
        {
            notes.add(HEADER_CRC, Place::byte(self.start + 12), || "the header's checksum is wrong");
        }
        let body = self.start + self.header;
        if self.declared == 0 {
            notes.add(
                NO_SIZE,
                Place::byte(self.start + 4),
                || "the data size is 0: the recorder did not finish the file",
            );
        } else if !self.sized() {
            notes.add(TRUNCATED, Place::byte(self.end), || {
                format!("{} bytes of records were announced, {} are there", self.declared, self.end - body)
            });
        } else {
            match (at(self.end), self.bytes.get(self.start..self.end)) {
                (Some(stated), Some(all)) if self.next > self.end => {
                    let crc = crc16(all);
                    if crc != stated {
                        notes.add(CRC, Place::byte(self.end), || {
                            format!("the checksum is {crc:#06x}, stated {stated:#06x}")
                        });
                    }
                }
                _ => notes.add(NO_CRC, Place::byte(self.end), || "the checksum is missing"),
            }
        }
    }
}
