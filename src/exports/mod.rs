//! What a platform's archive looks like: names → jobs. One file per platform.

pub mod polar;

/// What is to be read together: one source, or several that hold parts of the same recordings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Positions in the list of names, the one that gives the activity its name first.
    pub files: Vec<usize>,
}

/// Decides which sources are read together. Every source is in one job.
pub fn plan(names: &[&str]) -> Vec<Job> {
    let mut jobs = polar::jobs(names);
    let together: std::collections::HashSet<usize> = jobs.iter().flat_map(|job| job.files.iter().copied()).collect();
    jobs.extend((0..names.len()).filter(|file| !together.contains(file)).map(|file| Job { files: vec![file] }));
    jobs.sort_by_key(|job| job.files.iter().min().copied());
    jobs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_is_in_one_job() {
        let jobs = plan(&["b.fit", "a.hrm", "c.fit", "a.gpx"]);
        assert_eq!(jobs.into_iter().map(|job| job.files).collect::<Vec<_>>(), [vec![0], vec![3, 1], vec![2]]);
    }
}
