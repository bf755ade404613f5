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

use std::collections::{BTreeMap, HashMap};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Job<'a> {
    files: &'a [u32],
    /// The export that it is part of, as a position in [`Layout::exports`].
    pub export: Option<usize>,
    /// What it is there; a recording outside of exports.
    pub role: Role,
}

impl<'a> Job<'a> {
    /// Positions in the list of names, the one that gives the activity its name first.
    pub fn files(&self) -> impl ExactSizeIterator<Item = usize> + use<'a> {
        self.files.iter().map(|&file| file as usize)
    }

    /// The file that gives the activity its name.
    pub fn lead(&self) -> usize {
        self.files[0] as usize
    }
}

/// How the sources of a run belong together. Every source is in one job; there may be a million, so a job takes a few bytes
/// as long as it has one file.
#[derive(Debug, Default)]
pub struct Layout {
    /// The file of each job that stands first in the list of names.
    first: Vec<u32>,
    /// All files of the jobs that have several, by that file.
    together: HashMap<u32, Box<[u32]>>,
    /// Where each job belongs, as a position in `parts`; empty without exports.
    part: Vec<u32>,
    parts: Vec<(Option<usize>, Role)>,
    /// Exports of platforms, in order of their folders.
    pub exports: Vec<Export>,
}

impl Layout {
    /// The jobs, in the order of their first files.
    pub fn jobs(&self) -> impl ExactSizeIterator<Item = Job<'_>> {
        (0..self.first.len()).map(|at| self.job(at))
    }

    /// The job at a position below the number of jobs.
    pub fn job(&self, at: usize) -> Job<'_> {
        let first = &self.first[at];
        let files = self.together.get(first).map_or(std::slice::from_ref(first), |files| files);
        let (export, role) = self.part.get(at).map_or((None, Role::Recording), |&part| self.parts[part as usize]);
        Job { files, export, role }
    }
}

/// Decides which sources are read together, and which are parts of exports. `told` is what diaries say that had to be
/// asked ([`polar::unclear`]).
pub fn plan(names: &[&str], told: &[polar::Told]) -> Layout {
    let exports = exports(names);
    let groups = polar::together(names, told);
    let mut first: Vec<u32> = Vec::with_capacity(names.len());
    first.extend(positions(names).map(|(file, _)| file));
    let mut together = HashMap::new();
    if !groups.is_empty() {
        let mut later = vec![false; names.len()];
        for files in groups {
            let Some(&least) = files.iter().min() else { continue };
            files.iter().filter(|&&file| file != least).for_each(|&file| later[file as usize] = true);
            together.insert(least, files.into());
        }
        first.retain(|&file| !later[file as usize]);
    }
    let mut layout = Layout { first, together, ..Layout::default() };
    if !exports.is_empty() {
        let mut known: HashMap<(Option<usize>, Role), u32> = HashMap::new();
        let mut part = Vec::with_capacity(layout.first.len());
        for job in layout.jobs() {
            let of = part_of(names[job.lead()], &exports).map_or((None, Role::Recording), |(export, role)| {
                // Parts of one recording that lie together are recordings, whatever one of their names says.
                (Some(export), if job.files.len() == 1 { role } else { Role::Recording })
            });
            let next = known.len() as u32;
            part.push(*known.entry(of).or_insert(next));
        }
        let mut parts: Vec<_> = known.into_iter().collect();
        parts.sort_unstable_by_key(|(_, at)| *at);
        (layout.part, layout.parts) = (part, parts.into_iter().map(|(of, _)| of).collect());
    }
    Layout { exports, ..layout }
}

/// Names with their positions; no memory holds more of them than four bytes count.
fn positions<'n>(names: &[&'n str]) -> impl Iterator<Item = (u32, &'n str)> {
    (0..=u32::MAX).zip(names.iter().copied())
}

/// The innermost export whose folder a name is in, and what it is there. `exports` are in order of their folders.
fn part_of(name: &str, exports: &[Export]) -> Option<(usize, Role)> {
    let mut folders = name.rmatch_indices('/').map(|(slash, _)| slash + 1).chain([0]);
    folders.find_map(|end| {
        let at = exports.binary_search_by(|export| export.root.as_str().cmp(&name[..end])).ok()?;
        Some((at, (exports[at].platform.role)(&name[end..])))
    })
}

/// The exports among the sources, in order of their folders.
fn exports(names: &[&str]) -> Vec<Export> {
    let mut sorted: Vec<&str> = Vec::new();
    let mut found: BTreeMap<&str, Export> = BTreeMap::new();
    for platform in PLATFORMS {
        let mut roots: Vec<&str> = Vec::new();
        for root in names.iter().filter_map(|name| (platform.root)(name)) {
            // Members of one folder most often follow each other.
            if roots.last() != Some(&root) {
                roots.push(root);
            }
        }
        roots.sort_unstable();
        roots.dedup();
        if !roots.is_empty() && sorted.is_empty() {
            sorted = names.to_vec();
            sorted.sort_unstable();
        }
        for root in roots {
            // The names of a folder stand together.
            let from = sorted.partition_point(|name| *name < root);
            let inside: Vec<&str> = sorted[from..].iter().map_while(|name| name.strip_prefix(root)).collect();
            let Some(generation) = (platform.generation)(&inside) else { continue };
            let export = || Export { platform, root: root.to_owned(), generation };
            found.entry(root).or_insert_with(export);
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
        let layout = plan(names, &[]);
        let members = |at: usize| layout.jobs().filter(move |job| job.export == Some(at));
        let roles = |at| members(at).flat_map(|job| job.files().map(move |file| (file, job.role))).collect();
        layout.exports.iter().enumerate().map(|(at, e)| (e.platform.id, e.root.clone(), roles(at))).collect()
    }

    #[test]
    fn every_source_is_in_one_job() {
        let layout = plan(&["b.fit", "a.hrm", "c.fit", "a.gpx"], &[]);
        let files: Vec<Vec<usize>> = layout.jobs().map(|job| job.files().collect()).collect();
        assert_eq!(files, [vec![0], vec![3, 1], vec![2]]);
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
        assert_eq!(layout.jobs().map(|job| job.export).collect::<Vec<_>>(), [Some(0), Some(0), Some(1), Some(1), None]);
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
