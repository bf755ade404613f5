//! What a platform's archive looks like: names → jobs. One file per platform.

/// What is to be read together: one source, or several that hold parts of the same recordings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Positions in the list of names, the one that gives the activity its name first.
    pub files: Vec<usize>,
}

/// Decides which sources are read together. Every source is in one job.
pub fn plan(names: &[&str]) -> Vec<Job> {
    (0..names.len()).map(|file| Job { files: vec![file] }).collect()
}
