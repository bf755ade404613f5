//! What people share to report a fault should not say who they are or where they live.

use super::zone::Verdict;
use super::{SettleOptions, settle};
use crate::error::Place;
use crate::model::{
    Activity, Athlete, Device, Draft, ExtraKey, FieldValue, FitField, Position, Recording, StatedField, Track, Zones,
};
use crate::report::Code;

const TRIMMED: Code = Code::info("anonymize.trimmed");

/// So much of the way from the start and to the end is cut off, m.
const TRIM_M: f64 = 200.0;

/// How much to take away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anonymize {
    /// Serial numbers, names and notes, what was typed for the sport, products that only a text names, the program that wrote
    /// the source, identities on platforms, the athlete with zones and thresholds, fields that the model does not name,
    /// waypoints, and the first and last 200 m of the track.
    Everything,
    /// As above, but the track stays.
    KeepTrack,
}

/// The activity without what tells its owner. Times stay as they are. `product` is what the numbers of a device say that it
/// is: its name in the file may be what its owner calls it.
pub fn anonymize(activity: Activity, how: Anonymize, product: &dyn Fn(&Device) -> Option<&'static str>) -> Activity {
    let decided = Verdict {
        shift_ms: 0,
        offset_s: activity.offset_s,
        evidence: activity.evidence,
        floating: activity.floating,
        weak: false,
    };
    let (origin, shift_ms, complete) = (activity.origin.clone(), activity.shift_ms, activity.complete);
    let mut notes = activity.notes.clone();
    let mut recording = activity.into_recording();
    strip(&mut recording, product);
    if how == Anonymize::Everything {
        let before = recording.track.len();
        recording.track = trimmed(&recording.track);
        let gone = (before - recording.track.len()) as u64;
        notes.add_many(TRIMMED, gone, Place::NOWHERE, || {
            format!("{gone} samples of the first and last {TRIM_M} m were left out")
        });
        for lap in &mut recording.laps {
            (lap.start_position, lap.end_position) = (None, None);
        }
        for session in &mut recording.sessions {
            session.start_position = None;
        }
    }
    let draft = Draft { recording, notes, complete, ..Draft::default() };
    let mut activity = settle(draft, &SettleOptions { decided: Some(decided), ..SettleOptions::default() });
    (activity.origin, activity.shift_ms) = (origin, shift_ms);
    activity
}

fn strip(recording: &mut Recording, product: &dyn Fn(&Device) -> Option<&'static str>) {
    for device in &mut recording.devices {
        device.serial = None;
        device.product = product(device).map(str::to_owned);
        device.developer.clear();
    }
    // Zones are made of the athlete's limits.
    (recording.athlete, recording.zones) = (Athlete::default(), Zones::default());
    recording.stated.threshold_power = None;
    recording.platform_ids.clear();
    // Platforms write what they like there, names of phones too.
    recording.creator = None;
    (recording.name, recording.description, recording.gear) = (None, None, None);
    recording.sport_label = None;
    // Texts and arrays of developer fields may be names and identities; plain numbers are measurements.
    let measured = |value: &StatedField| matches!(value.value, FieldValue::Number(_));
    // Nobody can say what fields without a name hold: corners of the map, serial numbers.
    for session in &mut recording.sessions {
        session.name = None;
        session.totals.threshold_power = None;
        session.developer.retain(measured);
        session.fields.clear();
    }
    for lap in &mut recording.laps {
        lap.name = None;
        lap.totals.threshold_power = None;
        lap.developer.retain(measured);
        lap.fields.clear();
    }
    for set in &mut recording.sets {
        set.note = None;
        set.fields.clear();
    }
    recording.lengths.iter_mut().for_each(|length| length.fields.clear());
    recording.splits.iter_mut().for_each(|split| split.fields.clear());
    let unnamed = |key: &ExtraKey| match key.fit {
        Some(FitField::Native { number, .. }) => key.name == format!("field_{number}"),
        _ => false,
    };
    recording.track.extra_mut().retain(|column| !unnamed(&column.key));
    // Places that somebody has marked, perhaps off the way: home, a friend's door.
    recording.waypoints.clear();
}

/// The samples more than 200 m of way from the first and the last position. Without positions nothing is cut.
fn trimmed(track: &Track) -> Track {
    let way: Vec<(usize, Position)> =
        track.positions().map(|(row, (lat, lon))| (row, Position::new(lat, lon))).collect();
    if way.is_empty() {
        return track.clone();
    }
    match (far_from_first(way.iter()), far_from_first(way.iter().rev())) {
        (Some(from), Some(to)) if from <= to => track.slice(from..to + 1),
        _ => Track::new(), // it never left the neighbourhood
    }
}

/// The row where the way from the first position is longer than what is cut off.
fn far_from_first<'a>(mut way: impl Iterator<Item = &'a (usize, Position)>) -> Option<usize> {
    let (_, mut last) = way.next().copied()?;
    let mut metres = 0.0;
    let (row, _) = way.find(|(_, here)| {
        metres += last.metres_to(here);
        last = *here;
        metres > TRIM_M
    })?;
    Some(*row)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Channel, Lap, Length, Session, Set, Split, Waypoint};

    /// The one product that has a number here.
    fn fenix(device: &Device) -> Option<&'static str> {
        (device.product_id == Some(3906)).then_some("fenix7")
    }

    fn ride() -> Activity {
        let mut draft = Draft::new();
        draft.recording.name = Some("From my door".into());
        draft.recording.sport_label = Some("With Anna".into());
        let named =
            |product: &str, product_id| Device { product: Some(product.into()), product_id, ..Device::default() };
        draft.recording.devices.push(Device { serial: Some("4711".into()), ..named("fenix7", Some(3906)) });
        draft.recording.devices.push(named("Anna's watch", None));
        draft.recording.devices.push(named("Anna's iPhone", Some(0)));
        draft.recording.devices.push(named("Anna's fenix", Some(3906)));
        draft.recording.creator = Some("Anna's tracker".into());
        draft.recording.zones = Zones { max_heart_rate: Some(187), threshold_power: Some(251), ..Zones::default() };
        draft.recording.stated.threshold_power = Some(251.0);
        draft.recording.waypoints.push(Waypoint { lat: 47.1, symbol: Some("Home".into()), ..Waypoint::default() });
        for i in 0..100 {
            draft.recording.track.push(1_714_547_520_000 + i * 1000);
            // 0.0001° of latitude are 11.1 m.
            draft.recording.track.set_position(47.0 + i as f64 * 0.0001, 8.0);
            draft.recording.track.set(Channel::HeartRate, 120.0);
        }
        settle(draft, &SettleOptions::default())
    }

    #[test]
    fn the_owner_is_gone_and_both_ends_are_cut() {
        let activity = anonymize(ride(), Anonymize::Everything, &fenix);
        assert_eq!((activity.name.as_deref(), activity.devices[0].serial.as_deref()), (None, None));
        assert_eq!((activity.sport_label.as_deref(), activity.devices[1].product.as_deref()), (None, None));
        let products: Vec<_> = activity.devices.iter().map(|device| device.product.as_deref()).collect();
        assert_eq!(products, [Some("fenix7"), None, None, Some("fenix7")]);
        // 18 steps are 200.2 m: samples 18 to 81 stay.
        assert_eq!(activity.track.len(), 64);
        assert_eq!(activity.track.position(0), Some((47.0 + 18.0 * 0.0001, 8.0)));
        assert_eq!(activity.track.column(Channel::HeartRate).map(|c| c.count()), Some(64));
    }

    #[test]
    fn fields_that_nobody_can_judge_are_gone() {
        let fit = FitField::Native { number: 27, base_type: 0x85, scale: 1.0, offset: 0.0 };
        let key = ExtraKey { name: "nec_lat".into(), unit: "semicircles".into(), fit: Some(fit) };
        let fields = vec![StatedField { key: key.into(), value: FieldValue::Number(560_731_841.0) }];
        let mut recording = ride().into_recording();
        let (start, end) = (1_714_547_520_000, 1_714_547_560_000);
        recording.laps.push(Lap { start, end, fields: fields.clone(), ..Lap::default() });
        recording.sessions.push(Session { start, end, fields: fields.clone(), ..Session::default() });
        recording.lengths.push(Length { start, end, fields: fields.clone(), ..Length::default() });
        recording.sets.push(Set { start: Some(start), fields: fields.clone(), ..Set::default() });
        recording.splits.push(Split { start, end, fields, ..Split::default() });
        let native = |name: &str, number| {
            let fit = FitField::Native { number, base_type: 0x86, scale: 1.0, offset: 0.0 };
            ExtraKey { name: name.into(), unit: String::new(), fit: Some(fit) }
        };
        for key in [native("field_108", 108), native("ball_speed", 51)] {
            let slot = recording.track.extra_slot(key);
            recording.track.set_extra(slot, 4711.0);
        }
        let known = settle(Draft { recording, ..Draft::default() }, &SettleOptions::default());
        let left = anonymize(known, Anonymize::KeepTrack, &fenix);
        let extra: Vec<&str> = left.track.extra().iter().map(|column| column.key.name.as_str()).collect();
        assert_eq!(extra, ["ball_speed"]);
        assert!(left.laps[0].fields.is_empty() && left.sessions[0].fields.is_empty());
        assert!(
            left.lengths[0].fields.is_empty() && left.sets[0].fields.is_empty() && left.splits[0].fields.is_empty()
        );
    }

    #[test]
    fn the_track_stays_when_asked_for() {
        let activity = anonymize(ride(), Anonymize::KeepTrack, &fenix);
        assert_eq!((activity.name.as_deref(), activity.track.len()), (None, 100));
    }

    #[test]
    fn limits_programs_and_marked_places_are_gone() {
        for how in [Anonymize::Everything, Anonymize::KeepTrack] {
            let activity = anonymize(ride(), how, &fenix);
            assert_eq!((&activity.zones, activity.stated.threshold_power), (&Zones::default(), None));
            assert_eq!((&activity.creator, activity.waypoints.len()), (&None, 0));
        }
    }
}
