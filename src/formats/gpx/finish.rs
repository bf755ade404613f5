//! Makes drafts of what a GPX document says.

use super::read::{Document, File, Trk, both};
use super::repair;
use crate::error::{Place, Result};
use crate::formats::xml;
use crate::model::{Channel, Draft, Sport, SubSport, Totals, Track, parse_sport, time};
use crate::report::{Code, Notes};

const UNTIMED: Code = Code::info("gpx.untimed_track");
const ROUTES: Code = Code::info("gpx.routes");
const FILE_NAME: Code = Code::info("gpx.file_name");
const HEART_RATES: Code = Code::info("gpx.heart_rate_list");

/// A heart rate of a separate list belongs to a sample when it is at most this far away, ms.
const JOIN_MS: i64 = 2_000;

impl Document<'_, '_, '_> {
    /// Hands the activities over, or says what the file holds instead.
    pub(super) fn finish(mut self) -> Result<()> {
        let notes = std::mem::take(&mut self.cursor.notes);
        self.intake.notes().extend(notes);
        let mut timed = Vec::new();
        let mut untimed = 0;
        if self.own.found() && self.tracks.is_empty() {
            self.tracks.push(Trk { own: std::mem::take(&mut self.own), ..Trk::default() });
        }
        for track in std::mem::take(&mut self.tracks) {
            if track.builder.timed() > 0 || track.own.found() {
                timed.push(track);
            } else if !track.builder.track.is_empty() {
                untimed += 1;
                self.intake.notes().extend(track.notes);
            }
        }
        if timed.is_empty() {
            if let (1.., Some(created)) = (untimed, self.file.created) {
                self.intake.notes().add_many(UNTIMED, untimed, Place::NOWHERE, || {
                    let created = time::utc(created);
                    format!("no point has a time; {created}, which the file says of itself, may be when it was written")
                });
            }
            self.intake.skip(match &self.file {
                _ if untimed > 0 => "untimed_track",
                file if file.routes > 0 => "route",
                file if !file.waypoints.is_empty() => "waypoints",
                _ => "empty",
            });
            return Ok(());
        }
        self.intake.notes().add_many(UNTIMED, untimed, Place::NOWHERE, || {
            format!("{untimed} tracks without any time are no activities and were left out")
        });
        let routes = self.file.routes;
        self.intake.notes().add_many(ROUTES, routes, Place::NOWHERE, || {
            format!("{routes} routes are no activities and were left out")
        });
        let alone = timed.len() == 1;
        for (i, track) in timed.into_iter().enumerate() {
            let draft = draft(&mut self.file, track, i == 0, alone);
            self.intake.emit(draft)?;
        }
        let File { name, description, .. } = &self.file;
        for said in [name, description].into_iter().flatten() {
            self.intake
                .notes()
                .add(FILE_NAME, Place::NOWHERE, || format!("no track takes over what the file says of itself: {said}"));
        }
        Ok(())
    }
}

/// The draft of one track. The first one takes the waypoints; one that is alone takes all that the file says.
fn draft(file: &mut File, mut trk: Trk, first: bool, alone: bool) -> Draft {
    let mut draft = Draft::new();
    draft.complete = !trk.damaged;
    draft.notes = trk.notes;
    draft.clock = trk.builder.clock(&mut draft.notes);
    let recording = &mut draft.recording;
    recording.track = std::mem::take(&mut trk.builder.track);
    recording.pauses = std::mem::take(&mut trk.builder.pauses);
    let ours = trk.own.found();
    trk.own.finish(&mut draft);
    if ours {
        (file.name, file.description) = (None, None); // said in our own words, too
        return draft;
    }
    let recording = &mut draft.recording;
    recording.name = trk.name;
    recording.description = both(trk.description, trk.comment);
    recording.stated = trk.info.totals;
    recording.laps = trk.info.laps;
    recording.creator = file.creator.clone();
    recording.created = file.created;
    let recorder = [&file.creator, &trk.source].into_iter().flatten().find_map(|name| xml::device_of(name));
    recording.devices.extend(recorder);
    let mut sport = trk.sport.or(trk.info.sport);
    if first {
        recording.waypoints = std::mem::take(&mut file.waypoints);
    }
    let span = (recording.track.times().iter().min().copied(), recording.track.times().iter().max().copied());
    if let (Some(start), Some(end)) = span {
        // Laps of the file belong to the track that they are part of.
        let laps = file.info.laps.extract_if(.., |lap| alone || (start..=end).contains(&lap.start));
        recording.laps.extend(laps);
    }
    if alone {
        take_over(&mut recording.name, &mut file.name);
        take_over(&mut recording.description, &mut file.description);
        if recording.stated == Totals::default() {
            recording.stated = std::mem::take(&mut file.info.totals);
        }
        sport = sport.or(file.info.sport.take());
        trk.info.resting_heart_rate = trk.info.resting_heart_rate.or(file.info.resting_heart_rate);
    }
    recording.athlete.resting_heart_rate = trk.info.resting_heart_rate;
    set_sport(&mut draft, sport);
    let creator = file.creator.as_deref().unwrap_or_default();
    draft.clock.local_as_utc = xml::writes_local_as_utc(creator);
    xml::mark_virtual(&mut draft);
    xml::judge_cadence(&mut draft);
    repair::add_up_distances(&mut draft.recording.track, &mut draft.notes);
    xml::judge_speed(&mut draft);
    let track = &mut draft.recording.track;
    repair::drop_end_copies(track, &mut draft.notes);
    join_heart_rates(track, &file.heart_rates, &mut draft.notes);
    if creator.contains("gpxpy") {
        repair::move_increments(track, &mut draft.notes);
    }
    draft
}

/// Takes what the file says where the track says nothing, or the same.
fn take_over(of_track: &mut Option<String>, of_file: &mut Option<String>) {
    if of_track.is_none() || of_track == of_file {
        *of_track = of_file.take().or(of_track.take());
    }
}

fn set_sport(draft: &mut Draft, label: Option<String>) {
    let recording = &mut draft.recording;
    let known = label.as_deref().and_then(|text| strava_type(text).or_else(|| parse_sport(text)));
    match (known, label) {
        (Some((sport, sub)), _) => (recording.sport, recording.sub_sport) = (sport, sub),
        (None, Some(label)) => recording.sport_label = Some(label),
        // Nike Run Club has no format of its own; its runs are told by their names (nike.md section 4).
        (None, None) => {
            let name = recording.name.as_deref().unwrap_or_default();
            let creator = recording.creator.as_deref().unwrap_or_default();
            if creator.contains("Nike") || name.starts_with("NRC ") || name.ends_with("- NRC") {
                recording.sport = Sport::RUNNING;
            }
        }
    }
}

/// The numbers that Strava writes as `type` whose meaning real files prove (strava-export.md section 2, gpx.md section 3);
/// any other stays what the source says.
fn strava_type(text: &str) -> Option<(Sport, Option<SubSport>)> {
    Some(match text.trim() {
        "1" => (Sport::CYCLING, None),
        "4" => (Sport::HIKING, None),
        "9" => (Sport::RUNNING, None),
        "17" => (Sport::CYCLING, Some(SubSport::VIRTUAL)),
        _ => return None,
    })
}

/// Joins heart rates that came as a list to the samples of the same time.
fn join_heart_rates(track: &mut Track, beats: &[(i64, f32)], notes: &mut Notes) {
    if beats.is_empty() || track.column(Channel::HeartRate).is_some() {
        return;
    }
    let mut sorted = beats.to_vec();
    sorted.sort_by_key(|(time, _)| *time);
    let mut joined = 0;
    for row in 0..track.len() {
        let time = track.times()[row];
        let next = sorted.partition_point(|(at, _)| *at < time);
        let near = [next.checked_sub(1), Some(next)].into_iter().flatten().filter_map(|i| sorted.get(i));
        let best = near.min_by_key(|(at, _)| (at - time).abs()).filter(|(at, _)| (at - time).abs() <= JOIN_MS);
        if let Some(&(_, value)) = best
            && track.is_timed(row)
        {
            track.set_at(row, Channel::HeartRate, value);
            joined += 1;
        }
    }
    notes.add_many(HEART_RATES, joined, Place::NOWHERE, || {
        format!("{joined} samples have their heart rate from a separate list of {} by time", beats.len())
    });
}
