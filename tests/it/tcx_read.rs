//! What the TCX reader makes of the dialects and faults of real files. Expectations are worked out by hand from the fixtures'
//! makers.

use paceport::formats;
use paceport::limits::Limits;
use paceport::model::{Basis, Channel, Draft, Intensity, LapTrigger, Pause, Sport};

use super::xml_read::{at, column, notes, one, read};

#[test]
fn garmin_connect_tcx() {
    let draft = one("tcx/good/garmin-connect.tcx");
    let recording = &draft.recording;
    assert_eq!((recording.sport, recording.track.len(), recording.sessions.len()), (Sport::RUNNING, 8, 1));
    let [one, two] = &recording.laps[..] else { panic!() };
    assert_eq!((one.start, one.end), (at("2024-05-01T07:12:00Z"), at("2024-05-01T07:12:03.5Z")));
    assert_eq!((two.totals.timer_s, two.trigger), (Some(3.0), Some(LapTrigger::Distance)));
    assert_eq!((one.totals.avg_heart_rate, one.totals.max_speed), (Some(140.0), Some(4.5)));
    assert_eq!(
        (one.totals.avg_cadence, one.totals.max_cadence, one.totals.steps),
        (Some(84.0), Some(91.0), Some(11.0))
    );
    assert_eq!(
        (one.totals.avg_power, one.totals.max_power, one.totals.avg_speed),
        (Some(200.0), Some(300.0), Some(3.25))
    );
    assert_eq!((recording.stated.timer_s, recording.stated.distance_m), (Some(6.5), Some(19.5)));
    assert_eq!(recording.stated.calories_kcal, Some(50.0));
    assert_eq!(column(&draft, Channel::Power)[..2], [Some(0.0), Some(100.0)]);
    assert_eq!(column(&draft, Channel::Cadence), [Some(85.0); 8]);
    assert_eq!(recording.track.distance(7), Some(21.25));
    assert_eq!(recording.description.as_deref(), Some("easy\nlegs"));
    assert_eq!(recording.creator.as_deref(), Some("Connect Api"));
    let device = recording.device().unwrap();
    assert_eq!((device.manufacturer.as_deref(), device.product.as_deref()), (Some("garmin"), Some("Forerunner 935")));
    assert_eq!((device.serial.as_deref(), device.product_id), (Some("3950001234"), Some(2691)));
    assert_eq!(device.firmware.as_deref(), Some("5.10.0.0"));
    assert_eq!((draft.complete, notes(&draft)), (true, vec![]));
}

#[test]
fn time_only_points_and_new_tracks_are_pauses() {
    let draft = one("tcx/good/pauses.tcx");
    let recording = &draft.recording;
    assert_eq!(recording.track.len(), 6, "the point that both laps share is kept twice, the marks are no samples");
    let pause = |start, end| Pause { start: at(start), end: at(end), auto: false };
    assert_eq!(
        recording.pauses,
        [pause("2024-05-01T07:12:06Z", "2024-05-01T07:13:06Z"), pause("2024-05-01T07:13:07Z", "2024-05-01T07:14:00Z")]
    );
    assert_eq!(notes(&draft), [("tcx.pause_marks", 2)]);
    assert_eq!(recording.laps[0].end, at("2024-05-01T07:14:00Z"));
}

#[test]
fn a_multisport_session_is_one_recording() {
    let draft = one("tcx/good/multisport.tcx");
    let recording = &draft.recording;
    assert_eq!(recording.sport, Sport::MULTISPORT);
    let sports: Vec<_> = recording.sessions.iter().map(|session| session.sport).collect();
    assert_eq!(sports, [Sport::CYCLING, Sport::TRANSITION, Sport::RUNNING]);
    let laps: Vec<_> = recording.sessions.iter().map(|session| (session.first_lap, session.laps)).collect();
    assert_eq!(laps, [(Some(0), Some(1)), (Some(1), Some(1)), (Some(2), Some(1))]);
    assert_eq!(recording.sessions[1].end, at("2024-05-01T07:14:00Z"));
    let distances: Vec<_> = (0..6).map(|row| recording.track.distance(row).unwrap()).collect();
    assert_eq!(distances, [0.0, 10.0, 20.0, 20.0, 30.0, 40.0], "runs on through the legs");
    assert!(recording.pauses.is_empty());
    assert_eq!(recording.description.as_deref(), Some("brick"));
}

#[test]
fn tcx_dialects() {
    let strava = one("tcx/good/strava-blanks.tcx");
    assert_eq!(column(&strava, Channel::Cadence), [Some(85.0); 3]);
    assert_eq!(strava.recording.stated.calories_kcal, Some(457.9999));
    let pool = one("tcx/good/pool.tcx");
    assert_eq!((pool.recording.laps.len(), pool.recording.track.positions().count()), (2, 0));
    assert_eq!(pool.recording.laps[1].intensity, Some(Intensity::Rest));
    assert_eq!(pool.recording.laps[1].end, at("2024-05-01T07:17:30Z"));
    let odd = one("tcx/good/odd-order.tcx");
    assert_eq!((odd.recording.sport, odd.recording.track.len()), (Sport::RUNNING, 3));
    assert_eq!((odd.recording.laps[0].totals.distance_m, column(&odd, Channel::Power)[2]), (Some(10.0), Some(210.0)));
    assert_eq!(odd.recording.device().unwrap().product_id, Some(2691));
    let mut history = read("tcx/good/version-1.tcx").drafts;
    let session = history.pop().unwrap();
    let sports: Vec<_> = session.recording.sessions.iter().map(|session| session.sport).collect();
    assert_eq!((session.recording.sport, sports), (Sport::MULTISPORT, vec![Sport::CYCLING, Sport::RUNNING]));
    let old = history.pop().unwrap();
    assert_eq!((old.recording.sport, old.recording.description.as_deref()), (Sport::RUNNING, Some("old")));
    assert_eq!(column(&old, Channel::HeartRate), [130.0, 131.0, 132.0].map(Some));
    assert_eq!(old.recording.laps[0].totals.avg_heart_rate, Some(131.0));
}

#[test]
fn unreadable_starts_give_way_to_the_samples() {
    let draft = one("tcx/good/rowing.tcx");
    assert_eq!(draft.recording.stated_start, None);
    assert_eq!(draft.recording.laps[0].start, at("2024-05-01T07:12:00.950Z"));
    assert_eq!(notes(&draft), [("tcx.date", 1), ("xml.number", 3)]);
    assert_eq!(draft.recording.device().unwrap().product.as_deref(), Some("Concept2"));
    assert_eq!(column(&draft, Channel::Cadence), [Some(24.0); 3]);
}

#[test]
fn steps_are_halved() {
    let draft = one("tcx/good/steps-as-cadence.tcx");
    assert_eq!(column(&draft, Channel::Cadence), [0.0, 81.0, 82.0, 83.0, 84.0].map(Some));
    assert_eq!(notes(&draft), [("xml.cadence_doubled", 1)]);
}

#[test]
fn distances_run_on_over_laps() {
    let draft = one("tcx/good/resets.tcx");
    let distances: Vec<_> = (0..6).map(|row| draft.recording.track.distance(row).unwrap()).collect();
    assert_eq!(distances, [0.0, 40.0, 80.0, 80.0, 120.0, 160.0]);
    assert_eq!((draft.clock.basis, draft.clock.offset_s), (Basis::Offset, Some(7200)));
    assert_eq!(draft.recording.stated_start, Some(at("2024-05-01T07:12:00Z")));
}

#[test]
fn every_activity_of_a_tcx_file_is_one() {
    let reading = read("tcx/good/two-activities.tcx");
    let samples: Vec<_> = reading.drafts.iter().map(|draft| draft.recording.track.len()).collect();
    assert_eq!(samples, [8, 0]);
    assert_eq!(reading.drafts[1].recording.stated.timer_s, Some(60.0));
}

#[test]
fn misplaced_tracks_and_points_are_samples() {
    let reading = read("tcx/good/misplaced.tcx");
    let [ride, run] = &reading.drafts[..] else { panic!("{} activities", reading.drafts.len()) };
    let spans = |draft: &Draft| draft.recording.laps.iter().map(|lap| (lap.start, lap.end)).collect::<Vec<_>>();
    assert_eq!((ride.recording.sport, column(ride, Channel::Cadence)), (Sport::CYCLING, vec![Some(80.0); 4]));
    let clocks = ["07:12:00", "07:13:00", "07:14:00"].map(|clock| at(&format!("2024-05-01T{clock}Z")));
    assert_eq!(spans(ride), [(clocks[0], clocks[1]), (clocks[1], clocks[2])]);
    assert_eq!(ride.recording.pauses, []);
    assert_eq!((run.recording.sport, column(run, Channel::Cadence)), (Sport::RUNNING, vec![Some(80.0); 2]));
    assert_eq!(spans(run), [(at("2024-05-01T08:00:00Z"), at("2024-05-01T08:00:05Z"))]);
}

#[test]
fn damaged_tcx_gives_its_good_part() {
    let rootless = one("tcx/damaged/rootless.tcx");
    assert_eq!((rootless.complete, rootless.recording.track.len()), (true, 8));
    let cut = one("tcx/damaged/cut.tcx");
    assert_eq!((cut.complete, cut.recording.track.len()), (false, 8));
    assert_eq!(column(&cut, Channel::Power)[6..], [Some(600.0), None], "a value that is cut off is left out");
    let wrong = one("tcx/damaged/wrong-ends.tcx");
    assert_eq!((wrong.complete, wrong.recording.track.len()), (false, 8));
    assert_eq!(
        (wrong.recording.track.distance(0), wrong.recording.laps[0].totals.distance_m),
        (Some(0.25), Some(10.5))
    );
}

/// huawei.md section 7: the app's own export has its distance in the lap only; Hitrava writes `+0100` and sports in lower
/// case.
#[test]
fn tcx_from_huawei() {
    let tcx = |sport: &str, zone: &str, creator: &str| {
        let point = |minute: u32, lat: f64| {
            format!(
                "<Trackpoint><Time>2024-05-01T08:{minute:02}:00.000{zone}</Time><Position><LatitudeDegrees>{lat}\
                 </LatitudeDegrees><LongitudeDegrees>8.5</LongitudeDegrees></Position></Trackpoint>"
            )
        };
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><TrainingCenterDatabase xmlns=\"http://www.garmin.com/xmlschemas/\
             TrainingCenterDatabase/v2\"><Activities><Activity Sport=\"{sport}\"><Id>2024-05-01T08:00:00.000{zone}</Id>\
             <Lap StartTime=\"2024-05-01T08:00:00.000{zone}\"><TotalTimeSeconds>120</TotalTimeSeconds><DistanceMeters>\
             321.5</DistanceMeters><Track>{}{}{}</Track></Lap>{creator}</Activity></Activities></TrainingCenterDatabase>",
            point(0, 47.0),
            point(1, 47.001),
            point(2, 47.002),
        );
        let (format, mut reading) = formats::read_bytes(text.as_bytes(), &Limits::default()).unwrap();
        assert_eq!((format.id, reading.drafts.len()), ("tcx", 1));
        reading.drafts.remove(0)
    };
    let creator = "<Creator xsi:type=\"Device_t\"><Name>Health</Name></Creator>";
    let app = tcx("Running", "Z", creator);
    let recording = &app.recording;
    assert_eq!((recording.sport, recording.track.len(), recording.track.has_distance()), (Sport::RUNNING, 3, false));
    assert_eq!(recording.laps[0].totals.distance_m, Some(321.5));
    assert_eq!(recording.stated.distance_m, Some(321.5), "the total is that of the laps");
    assert!(app.complete && app.notes.is_empty(), "{:?}", notes(&app));
    for (word, sport) in [("running", Sport::RUNNING), ("biking", Sport::CYCLING), ("other", Sport::GENERIC)] {
        let hitrava = tcx(word, "+0100", "");
        assert_eq!((hitrava.recording.sport, hitrava.recording.sport_label.as_deref()), (sport, None));
        assert_eq!(hitrava.recording.track.times()[0], at("2024-05-01T07:00:00Z"));
        assert_eq!((hitrava.clock.basis, hitrava.clock.offset_s), (Basis::Offset, Some(3600)));
    }
}
