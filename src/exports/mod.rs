//! What a platform's archive looks like, by the names of its members: which files are read together, which are tables of
//! metadata that tell of the others, and which are not workouts at all. A platform is one row of `PLATFORMS`: adding one
//! touches its own file and that row, as `nike.rs` shows. Formats of its own are rows of [`FORMATS`](crate::formats::FORMATS);
//! a table of metadata is a format with `table: true`.

mod garmin;
mod huawei;
mod nike;
pub mod polar;
mod polar_flow;
mod strava;

use std::collections::{BTreeMap, HashMap, HashSet};

/// A platform whose exports are recognised. Names always have `/` between folders; a folder of a name ends with it, so that
/// `export.zip!/` is the folder of `export.zip!/activities.csv`.
pub struct Platform {
    /// Stable id, as JSON uses it.
    pub id: &'static str,
    /// Name for people.
    pub name: &'static str,
    /// The folder of the export that the name of one of its members gives away.
    root: fn(&str) -> Option<&str>,
    /// Looks at all members (names inside the folder): what kind or generation of export it is, `None` when it is none.
    generation: fn(&[&str]) -> Option<&'static str>,
    /// What a member is, by its name inside the folder.
    role: fn(&str) -> Role,
    /// How the rows of its tables find the recordings that they tell of.
    pub matching: Matching,
}

impl std::fmt::Debug for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.id)
    }
}

/// What a member of an export is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It may hold workouts.
    Recording,
    /// Its rows tell of recordings in the same export.
    Table,
    /// Known to hold no workout, but this.
    Ignored(&'static str),
}

/// How rows of a table find recordings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matching {
    /// By the file that a row names.
    File,
    /// By the start of the workout.
    Start,
}

/// Every platform, the ones with the surest marks first.
static PLATFORMS: &[Platform] =
    &[garmin::PLATFORM, strava::PLATFORM, huawei::PLATFORM, polar_flow::PLATFORM, nike::PLATFORM];

/// One platform's export among the sources.
#[derive(Debug)]
pub struct Export {
    /// Whose it is.
    pub platform: &'static Platform,
    /// Its folder, with the `/` at its end; empty for the folder that all names start in.
    pub root: String,
    /// Its kind or generation, in words.
    pub generation: &'static str,
    /// Its members: position in the list of names, role.
    pub members: Vec<(usize, Role)>,
}

impl Export {
    /// The name of a member that a table writes as `file`, in the form that [`key`] gives.
    pub fn key(&self, file: &str) -> String {
        key(&format!("{}{}", self.root, file.trim_start_matches(['/', '\\'])))
    }
}

/// A name as tables and members are compared: in lower case, without `.gz`, with `/`.
pub fn key(name: &str) -> String {
    let lower = name.to_lowercase().replace('\\', "/");
    lower.strip_suffix(".gz").map(str::to_owned).unwrap_or(lower)
}

/// What is to be read together: one source, or several that hold parts of the same recordings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Positions in the list of names, the one that gives the activity its name first.
    pub files: Vec<usize>,
    /// The export that it is part of, as a position in [`Layout::exports`].
    pub export: Option<usize>,
    /// What it is there; a recording outside of exports.
    pub role: Role,
}

impl Job {
    fn plain(files: Vec<usize>) -> Job {
        Job { files, export: None, role: Role::Recording }
    }
}

/// How the sources of a run belong together.
#[derive(Debug, Default)]
pub struct Layout {
    /// Every source is in one job.
    pub jobs: Vec<Job>,
    /// Exports of platforms, in order of their folders.
    pub exports: Vec<Export>,
}

/// Decides which sources are read together, and which are parts of exports. `told` is what diaries say that had to be
/// asked ([`polar::unclear`]).
pub fn plan(names: &[&str], told: &[polar::Told]) -> Layout {
    let exports = exports(names);
    let mut jobs = polar::jobs(names, told);
    let together: HashSet<usize> = jobs.iter().flat_map(|job| job.files.iter().copied()).collect();
    jobs.extend((0..names.len()).filter(|file| !together.contains(file)).map(|file| Job::plain(vec![file])));
    let member: HashMap<usize, (usize, Role)> = exports
        .iter()
        .enumerate()
        .flat_map(|(export, found)| found.members.iter().map(move |&(file, role)| (file, (export, role))))
        .collect();
    for job in &mut jobs {
        let Some(&(export, role)) = job.files.first().and_then(|file| member.get(file)) else { continue };
        job.export = Some(export);
        // Parts of one recording that lie together are recordings, whatever one of their names says.
        job.role = if job.files.len() == 1 { role } else { Role::Recording };
    }
    jobs.sort_by_key(|job| job.files.iter().min().copied());
    Layout { jobs, exports }
}

/// The exports among the sources. A member belongs to the innermost export whose folder it is in.
fn exports(names: &[&str]) -> Vec<Export> {
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    let mut found: BTreeMap<&str, Export> = BTreeMap::new();
    for platform in PLATFORMS {
        let mut roots: Vec<&str> = names.iter().filter_map(|name| (platform.root)(name)).collect();
        roots.sort_unstable();
        roots.dedup();
        for root in roots {
            // The names of a folder stand together.
            let from = sorted.partition_point(|name| *name < root);
            let inside: Vec<&str> = sorted[from..].iter().map_while(|name| name.strip_prefix(root)).collect();
            let Some(generation) = (platform.generation)(&inside) else { continue };
            let export = || Export { platform, root: root.to_owned(), generation, members: Vec::new() };
            found.entry(root).or_insert_with(export);
        }
    }
    for (file, name) in names.iter().enumerate() {
        let folders = name.rmatch_indices('/').map(|(slash, _)| slash + 1).chain([0]);
        for end in folders {
            let Some(export) = found.get_mut(&name[..end]) else { continue };
            let role = (export.platform.role)(&name[end..]);
            export.members.push((file, role));
            break;
        }
    }
    found.into_values().collect()
}

/// Folder (with its `/`) and file of a name.
fn split(name: &str) -> (&str, &str) {
    name.split_at(name.rfind('/').map_or(0, |slash| slash + 1))
}

/// Extension of a recording in lower case, without `.gz`.
fn extension(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let plain = lower.strip_suffix(".gz").unwrap_or(&lower);
    plain.rsplit_once('.').map_or("", |(_, extension)| extension).to_owned()
}

/// True for the extension of a file that other programs exchange recordings in.
fn is_recording(name: &str) -> bool {
    matches!(extension(name).as_str(), "fit" | "gpx" | "tcx")
}

#[cfg(test)]
mod tests {
    use super::*;

    type Found = (&'static str, String, Vec<(usize, Role)>);

    /// Platform and folder of each export, and the roles of all names in it.
    fn found(names: &[&str]) -> Vec<Found> {
        plan(names, &[]).exports.into_iter().map(|e| (e.platform.id, e.root, e.members)).collect()
    }

    #[test]
    fn every_source_is_in_one_job() {
        let jobs = plan(&["b.fit", "a.hrm", "c.fit", "a.gpx"], &[]).jobs;
        assert_eq!(jobs.into_iter().map(|job| job.files).collect::<Vec<_>>(), [vec![0], vec![3, 1], vec![2]]);
    }

    #[test]
    fn an_export_is_known_by_its_members_wherever_it_lies() {
        for root in ["", "export_1.zip!/", "home/export_1/", "a.zip!/deep/b.tar.gz!/"] {
            let names = ["profile.csv", "activities/12.fit.gz", "activities.csv", "media/a.jpg", "notes.txt"];
            let names: Vec<String> = names.iter().map(|name| format!("{root}{name}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let roles = vec![
                (0, Role::Ignored("account data")),
                (1, Role::Recording),
                (2, Role::Table),
                (3, Role::Ignored("media")),
                (4, Role::Recording),
            ];
            assert_eq!(found(&names), [("strava", root.to_owned(), roles)]);
        }
    }

    #[test]
    fn exports_side_by_side_keep_their_members_apart() {
        let names = [
            "x/a.zip!/activities.csv",
            "x/a.zip!/activities/1.gpx",
            "x/g.zip!/DI_CONNECT/DI-Connect-Fitness/jo_0_summarizedActivities.json",
            "x/g.zip!/DI_CONNECT/DI-Connect-Uploaded-Files/UploadedFiles_0-_Part1.zip!/jo@example.com_4.fit",
            "x/ride.fit",
        ];
        let found: Vec<_> = found(&names).into_iter().map(|(id, root, members)| (id, root, members.len())).collect();
        assert_eq!(found, [("strava", "x/a.zip!/".to_owned(), 2), ("garmin", "x/g.zip!/".to_owned(), 2)]);
        let layout = plan(&names, &[]);
        assert_eq!(
            layout.jobs.iter().map(|job| job.export).collect::<Vec<_>>(),
            [Some(0), Some(0), Some(1), Some(1), None]
        );
    }

    #[test]
    fn a_table_alone_makes_no_export() {
        assert!(found(&["activities.csv", "ride.fit"]).is_empty());
        assert!(found(&["é/жactivities.csv", "!/", "/", ""]).is_empty());
    }

    #[test]
    fn names_in_tables_and_archives_are_compared_alike() {
        let names = ["E.zip!/activities.csv", "E.zip!/activities/1.FIT.gz"];
        let export = &plan(&names, &[]).exports[0];
        assert_eq!(export.key("activities/1.fit"), key(names[1]));
        assert_eq!(export.key("\\activities\\1.fit.gz"), key(names[1]));
    }
}
