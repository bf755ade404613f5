//! Developer fields that stand for a native one: Stryd's power in a watch that records none itself. Other programs look for
//! the standard element, so GPX and TCX have it with these values; a mark says what it is, and reading back drops it.

use crate::formats::fit::profile::{Target, message, record_field};
use crate::model::{Channel, ExtraKey, FitField, Track};

/// What the standard elements of a host show of an extra channel.
pub(crate) struct StandIn<'a> {
    /// The absent channel that it stands for.
    pub channel: Channel,
    /// The extra channel.
    pub key: &'a ExtraKey,
    /// Its values, implausible ones absent.
    pub values: Vec<f32>,
}

/// The unit in which a developer field of a channel gives its values as the model does, in lower case; none is the native
/// field's.
const UNITS: [(Channel, &[&str]); 4] = [
    (Channel::HeartRate, &["", "bpm"]),
    (Channel::Cadence, &["", "rpm"]),
    (Channel::Power, &["", "w", "watt", "watts"]),
    (Channel::Speed, &["", "m/s"]),
];

/// The extra channels that stand for a channel without any value; of two for one, the first.
pub(crate) fn stand_ins(track: &Track) -> Vec<StandIn<'_>> {
    let mut found: Vec<StandIn<'_>> = Vec::new();
    for extra in track.extra() {
        let Some(channel) = native(&extra.key) else { continue };
        let taken = track.column(channel).is_some_and(|column| column.count() > 0);
        if taken || found.iter().any(|known| known.channel == channel) {
            continue;
        }
        let plausible = channel.info().low..=channel.info().high;
        let value = |value: &f64| Some(*value as f32).filter(|value| plausible.contains(value)).unwrap_or(f32::NAN);
        let values: Vec<f32> = extra.raw().iter().map(value).collect();
        if values.iter().any(|value| !value.is_nan()) {
            found.push(StandIn { channel, key: &extra.key, values });
        }
    }
    found
}

/// The values that the host's elements show as a channel: its own, or those of an extra channel.
pub(crate) fn column<'a>(track: &'a Track, shown: &'a [StandIn<'a>], channel: Channel) -> &'a [f32] {
    match shown.iter().find(|shown| shown.channel == channel) {
        Some(shown) => &shown.values,
        None => track.column(channel).map_or(&[], |column| column.raw()),
    }
}

/// The channel of the native record field that a developer field names as its own.
fn native(key: &ExtraKey) -> Option<Channel> {
    let Some(FitField::Developer(field)) = &key.fit else { return None };
    if field.native_message.unwrap_or(message::RECORD) != message::RECORD {
        return None;
    }
    let Target::To(channel) = record_field(field.native_field?)?.target else { return None };
    let (_, units) = UNITS.iter().find(|(known, _)| *known == channel)?;
    units.contains(&&*key.unit.to_lowercase()).then_some(channel)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DeveloperField;

    fn key(name: &str, unit: &str, native_message: Option<u16>, native_field: u8) -> ExtraKey {
        let native_field = Some(native_field);
        let field = DeveloperField { native_message, native_field, ..DeveloperField::default() };
        ExtraKey { name: name.into(), unit: unit.into(), fit: Some(FitField::Developer(field)) }
    }

    #[test]
    fn a_developer_field_stands_for_the_absent_channel_that_it_names() {
        let mut track = Track::new();
        track.push(0);
        track.set(Channel::Cadence, 90.0);
        for (key, value) in [
            (key("Power", "Watts", Some(20), 7), 250.0),
            (key("Power 2", "Watts", Some(20), 7), 260.0),
            (key("Cadence", "RPM", Some(20), 4), 91.0),
            (key("HR", "bpm", None, 3), 0.0),
            (key("Heart Rate", "bpm", Some(20), 3), 121.0),
            (key("Lap Power", "Watts", Some(19), 7), 251.0),
            (key("Speed", "km/h", Some(20), 6), 25.0),
            (ExtraKey { name: "power".into(), ..ExtraKey::default() }, 1.0),
        ] {
            let slot = track.extra_slot(key);
            track.set_extra(slot, value);
        }
        let found: Vec<_> = stand_ins(&track).into_iter().map(|s| (s.channel, &*s.key.name, s.values)).collect();
        // Cadence is recorded; a heart rate of 0 is none.
        assert_eq!(found, [(Channel::Power, "Power", vec![250.0]), (Channel::HeartRate, "Heart Rate", vec![121.0])]);
    }
}
