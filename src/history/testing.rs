//! What the unit tests of this room share: small summaries, originals and a look at a whole folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::disk::Disk;
use super::originals::digest_of;
use super::staging::{MoreNames, Staged};
use super::{Action, ActivityLine, Cluster, Decision, Entry, NewOriginal, Original, OriginalKind, Verdict, Writer};
use crate::ids::{ActivityId, Digest};
use crate::model::{Summary, time};

/// 2024-05-01T07:12:00Z.
pub const START: i64 = 1_714_547_520_000;

/// A summary of an hour's run.
pub fn summary(digest: &Digest, index: u32, start: i64) -> Summary {
    let (from, to) = (time::utc(start), time::utc(start + 3_600_000));
    let id = ActivityId::of(digest, index);
    let json = format!(
        r#"{{"kind":"activity","source":"a.gpx","sha256":"{digest}","format":"gpx","index":{index},"id":"{id}",
        "start":"{from}","end":"{to}","local_offset_s":7200,"local_evidence":"position","time_shift_s":0.0,
        "sport":"running","sub_sport":null,"name":"Zürich \"früh\"","description":null,"device":null,"samples":3600,
        "first_sample":"{from}","last_sample":"{to}","positions":3600,"bbox":[47.1,8.2,47.3,8.5],
        "first_position":[47.2,8.3],"last_position":[47.2,8.3],
        "channels":{{"heart_rate":{{"unit":"bpm","count":3600,"min":88.0,"max":176.0,"mean":151.25}}}},
        "extra_channels":{{}},"stated":{{"distance_m":10012.5}},"computed":{{"distance_m":10020.25}},
        "laps":10,"sessions":1,"lengths":0,"sets":0,"pauses":0,"rr_intervals":0,"complete":true,"notes":[]}}"#
    );
    serde_json::from_str(&json).unwrap()
}

/// When an original starts that is put: some months hold several.
pub fn start_of(digest: &Digest) -> i64 {
    START + i64::from(digest.0[0]) * 12 * 3_600_000
}

/// Puts a text original with `activities` activities, and gives its digest.
pub fn put(writer: &mut Writer, name: &str, bytes: &[u8], activities: u32) -> crate::Result<Digest> {
    let digest = digest_of(bytes);
    let start = start_of(&digest);
    writer.put_original(NewOriginal {
        digest,
        bytes,
        gzip: None,
        names: &[name.to_owned()],
        format: "gpx",
        extension: "gpx",
        text: true,
        start: Some(start),
        sport: "running",
        activities: if activities == 1 { 1 } else { 0 },
        kind: OriginalKind::Activity,
    })?;
    for index in 0..activities {
        let summary = summary(&digest, index, start + i64::from(index) * 60_000);
        writer.put_activity(ActivityLine::of(&summary)?);
    }
    Ok(digest)
}

impl Writer {
    /// Makes a staged original go elsewhere.
    pub fn restage(&mut self, digest: &Digest, path: &str) {
        let staged = self.originals.remove(digest).unwrap();
        let line = Original { path: path.to_owned(), ..staged.line(&self.waiting()).unwrap() };
        self.originals.insert(*digest, Staged::new(line, MoreNames::default(), staged.file, &self.waiting()).unwrap());
    }
}

/// Imports a few recordings: three new ones, copies of one under another name, a merge, a doubt and a decision.
pub fn import(root: &Path, disk: Box<dyn Disk>, batch: &str) -> crate::Result<()> {
    let mut writer = Writer::open(root, false, disk)?;
    if batch == "b" {
        // Of a disk that is waited for as a whole all wait in folders then, not only those after the first.
        writer.expect_originals(4);
    }
    let mut ids = Vec::new();
    for i in 0..3 {
        // Some texts are longer than a disk block, so that a torn file may be one of several blocks.
        let text = format!("{batch} {i} {}", (0..i * 900).map(|n| format!("{n:x}")).collect::<String>());
        let digest = put(&mut writer, &format!("{batch}/{i}.gpx"), text.as_bytes(), i + 1)?;
        ids.extend((0..=i).map(|index| ActivityId::of(&digest, index)));
    }
    put(&mut writer, "copy.gpx", b"the same in every batch", 1)?;
    put(&mut writer, &format!("{batch}/copy.gpx"), b"the same in every batch", 1)?;
    let cluster = |verdict, members: &[ActivityId]| Cluster {
        verdict,
        base: members[0],
        members: members.to_vec(),
        reasons: vec!["overlap 100 %".to_owned()],
        origins: BTreeMap::new(),
        merged: None,
        prefer: String::new(),
        replaces: Vec::new(),
    };
    writer.put(Entry::Cluster(cluster(Verdict::Same, &ids[..2])));
    writer.put(Entry::Cluster(cluster(Verdict::Unsure, &ids[2..4])));
    writer.put(Entry::Decision(Decision { action: Action::Undo, members: ids[4..6].to_vec() }));
    writer.commit().map(|_| ())
}

/// A folder for a test, in memory where the system offers that: thousands of small files are made and removed.
pub fn scratch() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

/// Every file below a folder but the lock, with its content; folders end in `/`.
pub fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut out = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            if path.is_dir() {
                out.insert(name + "/", Vec::new());
                folders.push(path);
            } else if name != "lock" {
                out.insert(name, fs::read(&path).unwrap());
            }
        }
    }
    out
}
