//! Metadata tables of exports: read before the recordings that their rows tell of. A row without a recording is an
//! activity of its own.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};

use super::job::{self, FileRead, JobRead};
use super::report::Outcome;
use crate::error::Place;
use crate::exports::{Export, Matching, key};
use crate::fix::{self, SettleOptions};
use crate::ids::Digest;
use crate::model::{Companion, Draft};
use crate::report::{Code, Note, Notes, Severity};

const LOST: Code = Code::warning("table.recording_lost");

/// A row and a recording that start so near to each other are of one workout, ms (format note of Garmin's export,
/// section 5).
pub(super) const NEAR_MS: i64 = 60_000;
/// A recorder with a wrong clock may be this far off, by whole quarters of an hour; then the distance must agree, too.
const FAR_MS: i64 = 14 * 3_600_000;
const QUARTER_MS: i64 = 900_000;

/// A row: table, place in it.
type At = (usize, usize);

struct Table {
    job: usize,
    file: FileRead,
    rows: Vec<Draft>,
    /// Rows that a recording was found for.
    told: Vec<AtomicBool>,
}

/// A row that is an activity of its own.
struct Left {
    row: u32,
    draft: Draft,
    companions: Vec<Companion>,
}

/// The tables of one export.
pub(super) struct Tables<'a> {
    export: &'a Export,
    tables: Vec<Table>,
    by_file: HashMap<String, At>,
    by_start: Vec<(i64, At)>,
    by_id: HashMap<(String, String), Vec<At>>,
    /// Legs by the id of their multisport activity.
    legs: HashMap<(String, String), Vec<At>>,
}

impl<'a> Tables<'a> {
    /// Tables that were read, each with its job.
    pub fn new(export: &'a Export, mut read: Vec<(usize, FileRead)>) -> Tables<'a> {
        // The order of members differs between an archive and its folder.
        read.sort_by(|(_, a), (_, b)| a.name.cmp(&b.name));
        let mut tables = Tables {
            export,
            tables: Vec::new(),
            by_file: HashMap::new(),
            by_start: Vec::new(),
            by_id: HashMap::new(),
            legs: HashMap::new(),
        };
        for (job, mut file) in read {
            let rows = std::mem::take(&mut file.drafts);
            for (i, row) in rows.iter().enumerate() {
                tables.index(row, (tables.tables.len(), i));
            }
            let told = rows.iter().map(|_| AtomicBool::new(false)).collect();
            tables.tables.push(Table { job, file, rows, told });
        }
        let mut by_start = std::mem::take(&mut tables.by_start);
        by_start.retain(|(_, at)| !tables.is_leg(*at));
        by_start.sort_unstable();
        Tables { by_start, ..tables }
    }

    fn index(&mut self, row: &Draft, at: At) {
        match (&row.tells_of, row.recording.stated_start) {
            (Some(file), _) => {
                self.by_file.entry(self.export.key(file)).or_insert(at);
            }
            (None, Some(start)) if self.export.platform.matching == Matching::Start => self.by_start.push((start, at)),
            _ => {}
        }
        for id in &row.recording.platform_ids {
            self.by_id.entry(id.clone()).or_default().push(at);
        }
        if let Some(whole) = &row.leg_of {
            self.legs.entry(whole.clone()).or_default().push(at);
        }
    }

    fn row(&self, (table, row): At) -> Option<&Draft> {
        self.tables.get(table)?.rows.get(row)
    }

    /// True for a leg of an activity that another row has: it is told with that one only.
    fn is_leg(&self, at: At) -> bool {
        self.row(at).and_then(|row| row.leg_of.as_ref()).is_some_and(|whole| self.by_id.contains_key(whole))
    }

    fn mark(&self, (table, row): At) {
        if let Some(told) = self.tables.get(table).and_then(|table| table.told.get(row)) {
            told.store(true, Ordering::Relaxed);
        }
    }

    /// Completes a recording with what the rows say about it, and gives those rows. `alone` is true for the only recording
    /// of its file.
    pub fn tell(&self, draft: &mut Draft, name: &str, alone: bool) -> Vec<Companion> {
        let start = draft.recording.span().map(|(start, _)| start);
        let of_file = self.by_file.get(&key(name)).copied().filter(|&at| {
            let row = self.row(at).and_then(|row| row.recording.stated_start);
            alone || row.zip(start).is_some_and(|(row, start)| (row - start).abs() <= NEAR_MS)
        });
        let Some(at) = of_file.or_else(|| self.near(draft, start?)) else { return Vec::new() };
        let all: Vec<At> = std::iter::once(at).chain(self.related(at)).collect();
        all.iter().filter_map(|&at| self.use_row(draft, at)).collect()
    }

    fn use_row(&self, draft: &mut Draft, at: At) -> Option<Companion> {
        fix::tell(draft, self.row(at)?);
        self.mark(at);
        let file = &self.tables.get(at.0)?.file;
        Some(job::companion(file, at.1 as u32))
    }

    /// The row that starts nearest; else one that a recorder with a wrong clock explains.
    fn near(&self, draft: &Draft, start: i64) -> Option<At> {
        let from = self.by_start.partition_point(|(row, _)| *row < start - FAR_MS);
        let around =
            || self.by_start.get(from..).unwrap_or_default().iter().take_while(|(row, _)| *row <= start + FAR_MS);
        let apart = |row: i64| (row - start).abs();
        let nearest = around().filter(|(row, _)| apart(*row) <= NEAR_MS).min_by_key(|&&(row, at)| (apart(row), at));
        let shifted = || {
            let quarters = |row: i64| {
                let off = apart(row) % QUARTER_MS;
                off.min(QUARTER_MS - off) <= NEAR_MS
            };
            let same_way = |at: At| {
                let way = |draft: &Draft| draft.recording.stated.distance_m.filter(|metres| *metres > 0.0);
                let pair = way(draft).zip(self.row(at).and_then(way));
                pair.is_some_and(|(a, b)| (a - b).abs() < 0.01 * a.max(b))
            };
            around().filter(|&&(row, at)| quarters(row) && same_way(at)).min_by_key(|&&(row, at)| (apart(row), at))
        };
        nearest.or_else(shifted).map(|(_, at)| *at)
    }

    /// Rows of other tables about the same workout or a leg of it.
    fn related(&self, at: At) -> Vec<At> {
        let ids = self.row(at).map(|row| row.recording.platform_ids.as_slice()).unwrap_or_default();
        let mut related: Vec<At> =
            ids.iter().flat_map(|id| [self.by_id.get(id), self.legs.get(id)]).flatten().flatten().copied().collect();
        related.retain(|other| other.0 != at.0);
        related.sort_unstable();
        related.dedup();
        related
    }

    /// The workouts of a table that no recording was found for, completed by other tables.
    fn left(&self, table: usize, told: &HashSet<(Digest, usize)>) -> Vec<Left> {
        let Some(of) = self.tables.get(table) else { return Vec::new() };
        let mut left = Vec::new();
        for (i, (row, own)) in of.rows.iter().zip(&of.told).enumerate() {
            if !is_workout(row)
                || self.is_leg((table, i))
                || own.load(Ordering::Relaxed)
                || told.contains(&(of.file.digest, i))
            {
                continue;
            }
            let mut draft = row.clone();
            say_lost(&mut draft);
            // The same activity in several parts of a list is said once, in the words of the last one.
            let related = self.related((table, i)).into_iter();
            let companions = related.filter_map(|at| self.use_row(&mut draft, at)).collect();
            left.push(Left { row: i as u32, draft, companions });
        }
        left
    }

    /// A recording that is not read because it is known: its rows are not activities of their own.
    pub fn known(&self, name: &str, starts: &[i64]) {
        self.about(name, starts).into_iter().for_each(|at| self.mark(at));
    }

    /// True when a table tells of a recording that is known, and is not `heard` of it.
    pub fn tells_more(&self, name: &str, starts: &[i64], heard: &dyn Fn(&FileRead) -> bool) -> bool {
        self.about(name, starts).into_iter().filter_map(|at| self.tables.get(at.0)).any(|of| !heard(&of.file))
    }

    /// Rows about a recording of which no more is at hand than when its activities start.
    fn about(&self, name: &str, starts: &[i64]) -> Vec<At> {
        let by_start = starts.iter().filter_map(|&start| self.near(&Draft::new(), start));
        let own = self.by_file.get(&key(name)).copied().into_iter().chain(by_start);
        own.flat_map(|at| std::iter::once(at).chain(self.related(at))).collect()
    }
}

/// What is left of the tables of all exports: for each table its job, the table and the activities of rows that no recording
/// was found for. A content that several exports hold speaks once, under the job that comes first by `ranks`.
pub(super) fn rest(all: Vec<Tables<'_>>, ranks: &[u32], settle: &SettleOptions, once: bool) -> Vec<(usize, JobRead)> {
    let mut told: HashSet<(Digest, usize)> = HashSet::new();
    for table in all.iter().flat_map(|tables| &tables.tables).filter(|_| once) {
        let of_table = table.told.iter().enumerate().filter(|(_, told)| told.load(Ordering::Relaxed));
        told.extend(of_table.map(|(row, _)| (table.file.digest, row)));
    }
    let mut made: Vec<(usize, JobRead)> = Vec::new();
    for tables in all {
        let left: Vec<Vec<Left>> = (0..tables.tables.len()).map(|table| tables.left(table, &told)).collect();
        for (table, left) in tables.tables.into_iter().zip(left) {
            let Table { job, mut file, told, rows } = table;
            let unplaced: Notes = rows.iter().flat_map(why_not).collect();
            file.tells = told.iter().any(|told| told.load(Ordering::Relaxed));
            file.activities = left.len() as u32;
            if unplaced.has_damage() {
                file.outcome = Outcome::Partial;
            }
            file.notes.extend(unplaced);
            if left.is_empty() && !file.tells {
                file.skip("a table that tells of no workout here");
            }
            let activities = left.into_iter().map(|Left { row, mut draft, companions }| {
                draft.source = Some(file.name.to_string());
                job::believe(draft, &file, row, companions, settle)
            });
            let activities = activities.collect();
            made.push((job, JobRead { job, files: vec![file], activities, before: 0 }));
        }
    }
    made.sort_by_key(|(job, _)| ranks.get(*job).copied());
    made
}

/// Says of a row that is an activity of its own that its recording is missed.
pub(super) fn say_lost(row: &mut Draft) {
    if let Some(file) = &row.tells_of {
        row.notes.add(LOST, Place::NOWHERE, || format!("the recording {file} is not there or cannot be read"));
    }
}

/// What a row says that cannot be placed in time: it is no activity, and nobody else tells why.
pub(super) fn why_not(row: &Draft) -> Vec<Note> {
    let notes = row.notes.iter().filter(|note| note.severity != Severity::Info);
    if is_workout(row) { Vec::new() } else { notes.cloned().collect() }
}

/// False for a row that only adds to others, for instance a list of gear.
pub(super) fn is_workout(row: &Draft) -> bool {
    row.recording.stated_start.is_some() || row.recording.day.is_some()
}
