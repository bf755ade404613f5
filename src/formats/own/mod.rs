//! The `paceport` namespace: what GPX and TCX cannot say themselves, written into their extension elements and read
//! back. `docs/gpx-namespace.md` describes it for others.

mod fields;
mod read;
mod stand_in;
mod write;

pub(crate) use fields::{ExtraRow, Head, Part, Value};
pub(crate) use read::OwnReader;
pub(crate) use stand_in::{StandIn, column, stand_ins};
pub(crate) use write::{Samples, activity, plain};

/// The namespace.
pub(crate) const NAMESPACE: &str = "urn:paceport:1";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::text::Page;
    use crate::model::{
        Activity, Channel, Clock, DeveloperField, Device, Draft, Event, Evidence, ExtraKey, FitField, Intensity, Lap,
        LapTrigger, Length, Pause, Recording, RrInterval, Session, Set, SetKind, Split, Sport, Stroke, SubSport, Track,
        Waypoint,
    };
    use crate::report::Notes;

    fn recording() -> Recording {
        let mut recording = Recording {
            sport: Sport(17),
            sub_sport: Some(SubSport(200)),
            sport_label: Some("Gassi \"gehen\"".into()),
            name: Some(" Über <die> & \n Brücke\t".into()),
            day: Some("2024-05-01".into()),
            created: Some(-5),
            stated_start: Some(1_714_547_520_123),
            laps: vec![
                Lap {
                    start: 1000,
                    trigger: Some(LapTrigger::Other(9)),
                    start_position: Some((1.5, -2.25)),
                    ..Lap::default()
                },
                Lap {
                    intensity: Some(Intensity::Cooldown),
                    sport: Some(Sport(1)),
                    stroke: Some(Stroke(2)),
                    ..Lap::default()
                },
            ],
            sessions: vec![Session { rpe: Some(3.5), pool_in_yards: true, ..Session::default() }],
            lengths: vec![Length { active: true, strokes: Some(12), ..Length::default() }],
            sets: vec![Set { kind: SetKind::Failure, note: Some("tief".into()), ..Set::default() }],
            pauses: vec![Pause { start: 5, end: 6, auto: true }],
            rr: [(1000, 812), (1000, 800), (2500, 65_535), (2400, 1)].map(|(time, ms)| RrInterval { time, ms }).into(),
            events: vec![Event { time: 7, event: 1, event_type: 2, data: Some(u32::MAX), group: None }],
            splits: vec![Split { kind: Some(3), start: 1, end: 2, ..Split::default() }],
            waypoints: vec![Waypoint { lat: 1.25, lon: 2.5, symbol: Some("Flag".into()), ..Waypoint::default() }],
            devices: vec![Device { product: Some("Edge".into()), battery_voltage: Some(3.9), ..Device::default() }],
            platform_ids: vec![("strava".into(), "a&b".into())],
            ..Recording::default()
        };
        recording.stated.distance_m = Some(0.1);
        recording.laps[0].totals.avg_stroke_distance = Some(2.5);
        recording.zones.heart_rate_bounds = vec![100.0, 120.5];
        recording.athlete.height_m = Some(1.75);
        let track = &mut recording.track;
        let developer =
            DeveloperField { index: 1, scale: 1.0, application: Some([7; 16]), ..DeveloperField::default() };
        let native = FitField::Native { number: 90, base_type: 1, scale: 10.0, offset: 0.5 };
        for fit in [None, Some(native), Some(FitField::Developer(developer))] {
            track.extra_slot(ExtraKey { name: "Form Power".into(), unit: "W".into(), fit });
        }
        for i in 0..7 {
            if i % 3 == 2 {
                track.push_untimed(0)
            } else {
                track.push(i * 1000)
            };
            track.set(Channel::Grade, i as f32 / 7.0);
            track.set_distance(i as f64 / 3.0);
            track.set_extra((2 - i % 3) as usize, i as f64 * 1e9);
        }
        recording
    }

    /// Hands every `pp` element of `xml` to a reader, as a host format would.
    fn read(xml: &[u8], own: &mut OwnReader, track: &mut Track) {
        let mut reader = quick_xml::Reader::from_str(std::str::from_utf8(xml).unwrap());
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Start(tag) | quick_xml::events::Event::Empty(tag) => {
                    let name = tag.name().as_ref().strip_prefix("pp:").unwrap().to_owned();
                    if name == "sample" {
                        own.loose_sample(tag.attributes_raw(), track);
                    } else {
                        own.element(&name, tag.attributes_raw());
                    }
                }
                quick_xml::events::Event::Eof => break,
                _ => {}
            }
        }
    }

    #[test]
    fn what_is_written_reads_back_equal() {
        let mut activity = Activity::settled(recording(), Notes::new(), true);
        (activity.offset_s, activity.evidence) = (Some(-12_600), Evidence::Position);
        let mut xml = Vec::new();
        let mut page = Page::new(&mut xml);
        let samples = Samples::new(&activity.track, |_, _| false, false);
        for (row, &ms) in activity.track.times().iter().enumerate() {
            page.put("<pp:sample time=\"");
            crate::model::time::write_utc(&mut page.buf, ms, false);
            page.put(if activity.track.is_timed(row) { "\"" } else { "\" untimed=\"true\"" });
            samples.all(&mut page.buf, row);
            page.put("/>");
        }
        super::activity(&mut page, &activity, &[]).unwrap();
        page.finish().unwrap();
        let (mut draft, mut own) = (Draft::new(), OwnReader::default());
        read(&xml, &mut own, &mut draft.recording.track);
        own.finish(&mut draft);
        assert_eq!(draft.recording, recording());
        let clock = Clock { offset_s: Some(-12_600), evidence: Evidence::Position, ..Clock::default() };
        assert_eq!(draft.clock, clock);
    }

    #[test]
    fn samples_without_position_find_their_place() {
        let (mut track, mut own) = (Track::new(), OwnReader::default());
        for time in [10, 40] {
            track.push(time);
        }
        own.end_track(track.len());
        for time in [50, 80] {
            track.push(time);
        }
        for (after, time) in [(0, 41), (1, 60), (1, 70), (2, 90), (9, 95)] {
            let raw = format!(" after=\"{after}\" time='1970-01-01T00:00:00.0{time}Z' heart_rate=\"{time}\"");
            own.loose_sample(&raw, &mut track);
        }
        own.end_track(track.len());
        track.push(99);
        let mut draft = Draft::new();
        draft.recording.track = track;
        own.finish(&mut draft);
        assert_eq!(draft.recording.track.times(), [10, 40, 41, 50, 60, 70, 80, 90, 95, 99]);
        assert_eq!(draft.recording.track.get(5, Channel::HeartRate), Some(70.0));
    }

    #[test]
    fn broken_attributes_are_skipped() {
        let (mut draft, mut own) = (Draft::new(), OwnReader::default());
        own.element(
            "activity",
            " sport=\"running\" created=\"yesterday\" name=\"a &amp; b\" elapsed_s=\"NaN\" distance_m",
        );
        own.element("lap", "start=7 end=\"");
        own.element("rr", " start=\"2024-05-01T07:12:00Z\" intervals=\"0 800 x 9\"");
        own.element("unheard", " of=\"it\"");
        own.sample(" power=\"1\"", &mut draft.recording.track);
        own.finish(&mut draft);
        let read = &draft.recording;
        assert_eq!((read.sport, read.created, read.name.as_deref()), (Sport::RUNNING, None, Some("a & b")));
        assert_eq!((read.laps.len(), read.rr.len(), read.track.len()), (1, 1, 0));
        assert_eq!(read.stated, Default::default());
    }
}
