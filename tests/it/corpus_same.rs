//! The real files: every known group of one workout is found, and every claim beyond the list was looked at and is
//! explained here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use paceport::dedupe::{self, Fingerprint, Preferences};
use paceport::ids::ActivityId;
use paceport::model::Activity;
use paceport::pipeline::{JobRead, Plan, ReadOptions, Visit, read_all};
use paceport::source::Input;
use serde_json::Value;

use super::expect;

/// Files that are one workout although `SAME.jsonl` does not say so, and how that was seen.
const EXPLAINED: &[(&[&str], &str)] = &[
    (
        &[
            "fit/fitparse_Activity.fit",
            "fit/fitparse_activity-activity-filecrc.fit",
            "fit/fitparse_activity-filecrc.fit",
            "fit/fitparse_activity-settings-nodata.fit",
            "fit/fitparse_activity-settings.fit",
            "fit/fitparse_activity-unexpected-eof.fit",
        ],
        "the sample activity of the FIT SDK, with other files chained to it, a wrong CRC, or cut: equal records",
    ),
    (
        &["gpx/gpxgo_Mojstrovka.gpx", "gpx/gpxpy_Mojstrovka.gpx"],
        "one test track in two libraries: equal points, all at one time",
    ),
    (
        &["gpx/gpxgo_gpx-without-root-attributes.gpx", "gpx/gpxgo_gpx-without-xml-declaration.gpx"],
        "one test track, once without the XML declaration: the texts differ in nothing else",
    ),
    (
        &[
            "gpx/gpxgo_gpx1.1_with_all_fields.gpx",
            "gpx/gpxpy_gpx1.0_with_all_fields.gpx",
            "gpx/gpxpy_gpx1.1_with_all_fields.gpx",
        ],
        "one test track in two libraries and two versions of GPX: an equal point at one time",
    ),
    (
        &[
            "archives_a/strava_archipelagic/activities.csv",
            "archives_a/strava_archipelagic/activities/638693618.gpx",
            "archives_a/strava_archipelagic/activities/1009074316.gpx",
            "archives_a/strava_archipelagic/activities/3163073099.gpx",
            "gpx/archipelagic_668551054.gpx",
            "gpx/archipelagic_895988668.gpx",
        ],
        "rows of the table of an export and the recordings that they name, two of them in another folder",
    ),
];

/// Every activity of the corpus.
pub struct Corpus {
    files: BTreeMap<String, Vec<ActivityId>>,
    labels: BTreeMap<ActivityId, BTreeSet<String>>,
    pub prints: Vec<Fingerprint>,
    pub activities: BTreeMap<ActivityId, Activity>,
}

fn read(folder: &std::path::Path) -> Corpus {
    let options = ReadOptions { once: false, ..ReadOptions::default() };
    let root = folder.display().to_string();
    let label = |source: &str| source.strip_prefix(&root).unwrap_or(source).trim_start_matches('/').to_owned();
    let work = |job: JobRead| {
        let of = |activity: &Activity| {
            let origin = &activity.origin;
            let sources = origin.companions.iter().map(|companion| &companion.source).chain([&origin.source]);
            (sources.map(|source| label(source)).collect::<Vec<_>>(), Fingerprint::of(activity))
        };
        let found: Vec<_> = job.activities.iter().map(of).collect();
        Ok(found.into_iter().zip(job.activities).collect::<Vec<_>>())
    };
    let plan = Plan::new(&[Input::Path(folder.to_path_buf())], &options);
    let run = read_all(&plan, &options, &|_| {}, &Visit::each(&work)).unwrap();
    let mut corpus =
        Corpus { files: BTreeMap::new(), labels: BTreeMap::new(), prints: Vec::new(), activities: BTreeMap::new() };
    for ((labels, print), activity) in run.results.into_iter().flatten() {
        for label in labels {
            corpus.files.entry(label.clone()).or_default().push(print.id);
            corpus.labels.entry(print.id).or_default().insert(label);
        }
        corpus.activities.insert(print.id, activity);
        corpus.prints.push(print);
    }
    corpus
}

/// The corpus, read once for all tests; `None` without it.
pub fn corpus() -> Option<&'static Corpus> {
    static CORPUS: OnceLock<Option<Corpus>> = OnceLock::new();
    CORPUS.get_or_init(|| expect::corpus().map(|folder| read(&folder))).as_ref()
}

#[test]
fn every_known_group_is_found_and_nothing_else_is_claimed() {
    let (Some(folder), Some(corpus)) = (expect::corpus(), corpus()) else { return };
    let grouping = dedupe::group(&corpus.prints);
    let mut home: BTreeMap<ActivityId, usize> = BTreeMap::new();
    for (at, cluster) in grouping.clusters.iter().enumerate() {
        home.extend(cluster.members.iter().map(|&id| (id, at)));
    }
    let together = |a: ActivityId, b: ActivityId| a == b || (home.contains_key(&a) && home.get(&a) == home.get(&b));
    let text = std::fs::read_to_string(folder.join("SAME.jsonl")).unwrap();
    let (mut listed, mut wrong, mut groups) = (Vec::new(), String::new(), 0);
    for line in text.lines() {
        let value: Value = serde_json::from_str(line).unwrap();
        let names: BTreeSet<&str> = value["files"].as_array().unwrap().iter().map(|f| f.as_str().unwrap()).collect();
        // A file without an activity (an indoor GPX without points) or without a reader has nothing to group.
        let present: Vec<(&str, ActivityId)> =
            names.iter().filter_map(|name| Some((*name, *corpus.files.get(*name)?.first()?))).collect();
        let negative = value["negative"] == true;
        for (i, a) in present.iter().enumerate() {
            for b in &present[i + 1..] {
                if together(a.1, b.1) == negative {
                    let print = |id| corpus.prints.iter().find(|f| f.id == id).unwrap();
                    let judgement = dedupe::judge(print(a.1), print(b.1));
                    wrong += &format!("{} and {}: {} {judgement:#?}\n", a.0, b.0, value["why"]);
                }
            }
        }
        if !negative {
            groups += usize::from(present.len() > 1);
            listed.push(names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<String>>());
        }
    }
    assert!(groups >= 26, "met only {groups} groups");
    listed.extend(EXPLAINED.iter().map(|(files, _)| files.iter().map(|file| (*file).to_owned()).collect()));
    for cluster in &grouping.clusters {
        let names: BTreeSet<String> = cluster.members.iter().flat_map(|id| corpus.labels[id].clone()).collect();
        if !listed.iter().any(|group| names.is_subset(group)) {
            wrong += &format!("claimed beyond the list; look at them and explain: {names:#?} {:#?}\n", cluster.links);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    for pair in &grouping.unsure {
        eprintln!("unsure: {:?} and {:?}", corpus.labels[&pair.first], corpus.labels[&pair.second]);
    }
    let bytes: usize = corpus.prints.iter().map(|f| serde_json::to_string(f).unwrap().len()).sum();
    eprintln!(
        "{groups} groups in {} activities, {} bytes a fingerprint",
        corpus.prints.len(),
        bytes / corpus.prints.len()
    );
}

#[test]
fn real_groups_merge_free_of_order_and_keep_every_channel() {
    let Some(corpus) = corpus() else { return };
    let grouping = dedupe::group(&corpus.prints);
    assert!(grouping.clusters.len() >= 26);
    for cluster in &grouping.clusters {
        let members: Vec<&Activity> = cluster.members.iter().map(|id| &corpus.activities[id]).collect();
        let names: Vec<&str> = members.iter().map(|a| a.origin.source.as_str()).collect();
        let merged = dedupe::merge(&members, &Preferences::default()).unwrap();
        let backward: Vec<&Activity> = members.iter().rev().copied().collect();
        assert!(dedupe::merge(&backward, &Preferences::default()).unwrap() == merged, "{names:?}");
        let recording = &merged.draft.recording;
        let source_of = |channel: &str| {
            let (_, source) = merged.origin.channels.iter().find(|(name, _)| name == channel)?;
            members.iter().find(|a| a.origin.source == *source)
        };
        for (channel, column) in recording.track.channels().filter(|(_, column)| column.count() > 0) {
            let mut theirs = source_of(channel.name()).unwrap().track.column(channel).unwrap().present();
            assert!(column.present().all(|(_, value)| theirs.any(|(_, v)| v == value)), "{names:?} {}", channel.name());
        }
        for member in &members {
            for (channel, column) in member.track.channels().filter(|(_, column)| column.count() > 0) {
                assert!(source_of(channel.name()).is_some(), "{names:?} lost {} ({})", channel.name(), column.count());
            }
            assert!(recording.laps.len().max(1) >= member.laps.len().min(1), "{names:?} lost laps");
            assert!(recording.lengths.len() >= member.lengths.len().min(1), "{names:?} lost lengths");
            assert!(recording.rr.len() >= member.rr.len(), "{names:?} lost beats");
        }
    }
}
