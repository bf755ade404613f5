//! What a run has met so far, kept small: archives of a million members exist.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::plan::Plan;
use super::report::{Outcome, Said, SourceReport};
use crate::error::Error;
use crate::ids::Digest;

/// What became of one job: a report a file, bytes read, what `work` made of it, when its activities start.
pub(super) struct Done<T> {
    pub reports: Vec<SourceReport>,
    pub bytes: u64,
    pub results: Vec<T>,
    /// Identity of what was read.
    pub key: Option<Digest>,
    pub starts: Vec<i64>,
    /// Of several files read together: contents that activities are based on.
    pub bases: Vec<Digest>,
    /// What ends the run.
    pub fatal: Option<Error>,
}

impl<T> Done<T> {
    pub fn only(reports: Vec<SourceReport>, bytes: u64) -> Done<T> {
        let (results, starts, bases) = (Vec::new(), Vec::new(), Vec::new());
        Done { reports, bytes, results, key: None, starts, bases, fatal: None }
    }
}

/// What became of all jobs.
pub(super) struct Met<T> {
    /// Those of each job have their places; in plan order. Until a job is done they say nothing.
    pub reports: Vec<SourceReport>,
    /// Where the reports of each job start, and where the last ones end.
    first: Vec<u32>,
    /// With their jobs, as they came.
    pub results: Vec<(u32, T)>,
    /// Bytes read.
    pub bytes: u64,
    /// Keys of jobs where that is not the digest in the only report.
    keys: HashMap<u32, Digest>,
    /// When the activities of jobs start, where tables need to know.
    starts: Vec<(u32, i64)>,
    /// Contents that activities of several files read together are based on.
    bases: HashSet<Digest>,
    said: Said,
}

impl<T> Met<T> {
    pub fn new(plan: &Plan) -> Met<T> {
        let jobs = || plan.layout.jobs();
        let mut first = Vec::with_capacity(jobs().len() + 1);
        first.push(0);
        let mut count = 0;
        first.extend(jobs().map(|job| {
            count += job.files().count() as u32;
            count
        }));
        // With room for what is said behind them in the end.
        let mut reports = Vec::with_capacity(count as usize + plan.scan.problems.len() + plan.scan.damaged.len());
        let unread = |file: usize| SourceReport::new(plan.scan.entries[file].name.clone(), None, Outcome::Skipped);
        reports.extend(jobs().flat_map(|job| job.files()).map(unread));
        let (results, starts, keys, bases) = (Vec::new(), Vec::new(), HashMap::new(), HashSet::new());
        Met { reports, first, results, bytes: 0, keys, starts, bases, said: Said::default() }
    }

    /// Takes over what became of a job; `tables` may ask for its starts.
    pub fn take(&mut self, job: usize, done: Done<T>, tables: bool) {
        let number = job as u32;
        self.bytes += done.bytes;
        self.results.extend(done.results.into_iter().map(|result| (number, result)));
        let reports = self.reports.get_mut(places(&self.first, job)).unwrap_or_default();
        for (place, mut report) in reports.iter_mut().zip(done.reports) {
            report.share(&mut self.said);
            *place = report;
        }
        self.bases.extend(done.bases);
        self.starts.extend(done.starts.into_iter().filter(|_| tables).map(|start| (number, start)));
        if done.key.is_some() && done.key != self.key(job) {
            self.keys.extend(done.key.map(|key| (number, key)));
        }
    }

    /// The reports of a job.
    pub fn of_job(&mut self, job: usize) -> &mut [SourceReport] {
        self.reports.get_mut(places(&self.first, job)).unwrap_or_default()
    }

    /// Identity of what a job read. What was known before it was read may have none.
    pub fn key(&self, job: usize) -> Option<Digest> {
        let only = || match self.reports.get(places(&self.first, job))? {
            [report] => report.sha256,
            _ => None,
        };
        self.keys.get(&(job as u32)).copied().or_else(only)
    }

    /// True when others read the content of this job's only file together with more files: they know more of the same
    /// activities.
    pub fn is_part(&self, job: usize) -> bool {
        let one = places(&self.first, job).len() == 1;
        one && !self.bases.is_empty() && self.key(job).is_some_and(|key| self.bases.contains(&key))
    }

    /// When the activities start of the contents of which there are duplicates.
    pub fn starts_by_content(&mut self) -> HashMap<Digest, Vec<i64>> {
        let duplicates = self.reports.iter().filter(|report| report.outcome == Outcome::Duplicate);
        let wanted: HashSet<Digest> = duplicates.filter_map(|report| report.sha256).collect();
        let mut starts = std::mem::take(&mut self.starts);
        // Those of one job stay in order.
        starts.sort_by_key(|(job, _)| *job);
        let mut found = HashMap::new();
        for of_job in starts.chunk_by(|(a, _), (b, _)| a == b) {
            let key = of_job.first().and_then(|(job, _)| self.key(*job as usize));
            if let Some(key) = key.filter(|key| wanted.contains(key)) {
                found.insert(key, of_job.iter().map(|(_, start)| *start).collect());
            }
        }
        found
    }
}

fn places(first: &[u32], job: usize) -> Range<usize> {
    let at = |job: usize| first.get(job).copied().unwrap_or_default() as usize;
    at(job)..at(job + 1)
}
