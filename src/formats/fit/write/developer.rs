//! Developer fields of the file: those of the source under their own ids, and `paceport`'s own.

use std::sync::Arc;

use super::super::base::Base;
use super::super::own;
use super::super::profile::message;
use super::encode::Encoder;
use crate::model::{Activity, DeveloperField, ExtraKey, FitField};

/// Where a developer field is found: (developer data index, field definition number).
pub type Place = (u8, u8);

/// All developer fields that a file describes.
#[derive(Default)]
pub struct Registry {
    apps: Vec<App>,
    fields: Vec<Description>,
    /// Fields of summaries: what they are and how they are written.
    summaries: Vec<(Arc<ExtraKey>, Encoding)>,
}

#[derive(PartialEq)]
struct App {
    index: u8,
    application: Option<[u8; 16]>,
    developer: Option<[u8; 16]>,
    manufacturer: Option<u16>,
    version: Option<u32>,
}

struct Description {
    place: Place,
    base: Base,
    name: String,
    unit: String,
    scale: u8,
    offset: i8,
    native_message: Option<u16>,
    native_field: Option<u8>,
}

/// How the values of a developer field are written.
#[derive(Debug, Clone, Copy)]
pub struct Encoding {
    /// Where the field is found.
    pub place: Place,
    /// Type of the raw values.
    pub base: Base,
    /// raw = (value + offset) × scale.
    pub scale: f64,
    /// raw = (value + offset) × scale.
    pub offset: f64,
}

impl Registry {
    /// Adds a developer field of the source. It keeps its index and number unless another field has them (after a merge).
    /// `None` when all numbers are taken.
    pub fn source(&mut self, field: &DeveloperField, name: &str, unit: &str) -> Option<Encoding> {
        let app = App {
            index: field.index,
            application: field.application,
            developer: field.developer,
            manufacturer: field.manufacturer,
            version: field.version,
        };
        let index = self.app(app)?;
        let (base, scale, offset) = stored(field);
        self.describe(
            index,
            field.number,
            base,
            name,
            unit,
            (scale, offset),
            (field.native_message, field.native_field),
        )
    }

    /// Adds the developer fields of laps, sessions and devices.
    pub fn summaries(&mut self, activity: &Activity) {
        let laps = activity.laps.iter().map(|lap| &lap.developer);
        let sessions = activity.sessions.iter().map(|session| &session.developer);
        let devices = activity.devices.iter().map(|device| &device.developer);
        for value in laps.chain(sessions).chain(devices).flatten() {
            self.summary(&value.key);
        }
    }

    /// Adds one of them. It shares the description of the records' field that it equals.
    fn summary(&mut self, key: &Arc<ExtraKey>) {
        let Some(FitField::Developer(field)) = &key.fit else { return };
        if self.summaries.iter().any(|(known, _)| known == key) {
            return;
        }
        let (base, scale, offset) = stored(field);
        let same = |known: &&Description| {
            let app = self.apps.iter().find(|app| app.index == known.place.0);
            app.is_some_and(|app| app.application == field.application && app.developer == field.developer)
                && (known.base, known.scale, known.offset) == (base, scale as u8, offset as i8)
                && (known.native_message, known.native_field) == (field.native_message, field.native_field)
                && (known.place.1, &known.name, &known.unit) == (field.number, &key.name, &key.unit)
        };
        let encoding = match self.fields.iter().find(same) {
            Some(known) => Some(Encoding { place: known.place, base, scale, offset }),
            None => self.source(field, &key.name, &key.unit),
        };
        self.summaries.extend(encoding.map(|encoding| (Arc::clone(key), encoding)));
    }

    /// How a developer field of laps, sessions or devices is written.
    pub fn summary_encoding(&self, key: &Arc<ExtraKey>) -> Option<Encoding> {
        self.summaries.iter().find(|(known, _)| known == key).map(|(_, encoding)| *encoding)
    }

    /// Adds a field of `paceport` itself that any message can have; the one that is there already when it is.
    pub fn own(&mut self, name: &str, unit: &str, base: Base) -> Option<Encoding> {
        match self.own_place(name, base) {
            Some(place) => Some(Encoding { place, base, scale: 1.0, offset: 0.0 }),
            None => self.own_channel(name, unit, base),
        }
    }

    /// Adds a field of `paceport` itself for a column of the records.
    pub fn own_channel(&mut self, name: &str, unit: &str, base: Base) -> Option<Encoding> {
        let application = Some(own::APPLICATION);
        let index = match self.apps.iter().find(|app| app.application == application) {
            Some(app) => app.index,
            None => self.app(App { index: 0, application, developer: None, manufacturer: None, version: None })?,
        };
        let taken = self.fields.iter().filter(|field| field.place.0 == index).count();
        self.describe(index, u8::try_from(taken).ok()?, base, name, unit, (1.0, 0.0), (None, None))
    }

    /// Where a field of `paceport` itself is found.
    pub fn own_place(&self, name: &str, base: Base) -> Option<Place> {
        let own = self.apps.iter().find(|app| app.application == Some(own::APPLICATION))?.index;
        let found = |field: &&Description| field.place.0 == own && field.name == name && field.base == base;
        self.fields.iter().find(found).map(|field| field.place)
    }

    /// True when there is nothing to describe.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Writes the ids, then the descriptions, each in the order of their numbers.
    pub fn write(&self, encoder: &mut Encoder) {
        let mut apps: Vec<&App> = self.apps.iter().collect();
        apps.sort_by_key(|app| app.index);
        for app in apps {
            encoder
                .begin(message::DEVELOPER_DATA_ID)
                .bytes(0, app.developer.as_ref().map_or(&[], |id| &id[..]))
                .bytes(1, app.application.as_ref().map_or(&[], |id| &id[..]))
                .raw(2, Base::Uint16, app.manufacturer)
                .raw(3, Base::Uint8, Some(app.index))
                .raw(4, Base::Uint32, app.version)
                .end();
        }
        let mut fields: Vec<&Description> = self.fields.iter().collect();
        fields.sort_by_key(|field| field.place);
        for field in fields {
            let scaled = (field.scale, field.offset) != (1, 0);
            encoder
                .begin(message::FIELD_DESCRIPTION)
                .raw(0, Base::Uint8, Some(field.place.0))
                .raw(1, Base::Uint8, Some(field.place.1))
                .raw(2, Base::Uint8, Some(field.base.code()))
                .text(3, Some(&field.name))
                .raw(6, Base::Uint8, scaled.then_some(field.scale))
                .raw(7, Base::Sint8, scaled.then_some(field.offset))
                .text(8, Some(&field.unit))
                .raw(14, Base::Uint16, field.native_message)
                .raw(15, Base::Uint8, field.native_field)
                .end();
        }
    }

    fn app(&mut self, mut app: App) -> Option<u8> {
        let same = |known: &App| App { index: app.index, ..*known } == app;
        if let Some(known) = self.apps.iter().find(|known| same(known) && known.index == app.index) {
            return Some(known.index);
        }
        if self.apps.iter().any(|known| known.index == app.index) {
            if let Some(known) = self.apps.iter().find(|known| same(known)) {
                return Some(known.index);
            }
            app.index = (0..=254).find(|index| self.apps.iter().all(|known| known.index != *index))?;
        }
        let index = app.index;
        self.apps.push(app);
        Some(index)
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of one description, used by the two functions above")]
    fn describe(
        &mut self,
        index: u8,
        number: u8,
        base: Base,
        name: &str,
        unit: &str,
        (scale, offset): (f64, f64),
        (native_message, native_field): (Option<u16>, Option<u8>),
    ) -> Option<Encoding> {
        let free = |number: &u8| self.fields.iter().all(|field| field.place != (index, *number));
        let number = Some(number).filter(free).or_else(|| (0..=254).find(free))?;
        let place = (index, number);
        self.fields.push(Description {
            place,
            base,
            name: name.to_owned(),
            unit: unit.to_owned(),
            scale: scale as u8,
            offset: offset as i8,
            native_message,
            native_field,
        });
        Some(Encoding { place, base, scale, offset })
    }
}

/// Type, scale and offset of a source's developer field. A scale that a description cannot state is spared by writing the
/// value itself.
fn stored(field: &DeveloperField) -> (Base, f64, f64) {
    let whole = |v: f64, low: f64, high: f64| v == v.trunc() && (low..=high).contains(&v);
    let stated = whole(field.scale, 1.0, 254.0) && whole(field.offset, -128.0, 126.0);
    match Base::of(field.base_type) {
        Some(Base::String) => (Base::String, 1.0, 0.0),
        Some(base) if stated => (base, field.scale, field.offset),
        _ => (Base::Float64, if stated { field.scale } else { 1.0 }, if stated { field.offset } else { 0.0 }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(index: u8, number: u8, application: u8) -> DeveloperField {
        DeveloperField {
            index,
            number,
            base_type: Base::Uint16.code(),
            scale: 1.0,
            application: Some([application; 16]),
            ..DeveloperField::default()
        }
    }

    #[test]
    fn fields_keep_their_place_until_two_sources_want_the_same() {
        let mut registry = Registry::default();
        let places: Vec<Place> = [field(0, 0, 1), field(0, 5, 1), field(0, 0, 2), field(0, 7, 2), field(0, 0, 1)]
            .iter()
            .map(|f| registry.source(f, "Power", "Watts").unwrap().place)
            .collect();
        assert_eq!(places, [(0, 0), (0, 5), (1, 0), (1, 7), (0, 1)]);
        assert_eq!(registry.own("spo2", "%", Base::Float32).unwrap().place, (2, 0));
        assert_eq!(registry.own_channel("spo2", "", Base::Float32).unwrap().place, (2, 1));
        assert_eq!(registry.own("spo2", "%", Base::Float32).unwrap().place, (2, 0));
    }

    #[test]
    fn a_scale_that_no_description_can_state_is_not_needed() {
        let mut registry = Registry::default();
        let odd = DeveloperField { scale: 0.5, ..field(0, 0, 1) };
        let encoding = registry.source(&odd, "x", "").unwrap();
        assert_eq!((encoding.base, encoding.scale), (Base::Float64, 1.0));
        let plain = DeveloperField { scale: 10.0, offset: -5.0, ..field(0, 1, 1) };
        let encoding = registry.source(&plain, "y", "").unwrap();
        assert_eq!((encoding.base, encoding.scale, encoding.offset), (Base::Uint16, 10.0, -5.0));
    }
}
