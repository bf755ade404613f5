//! Developer fields: what `developer_data_id` (207) and `field_description` (206) say about them. Fields are identified
//! by developer data index and field number, never by name; the scope is one segment.

use std::collections::HashMap;

use super::definition::{DeveloperBytes, Message};
use crate::formats::fit::base::Base;
use crate::formats::fit::own;
use crate::model::{DeveloperField, ExtraKey, FitField};

struct Application {
    application: Option<[u8; 16]>,
    developer: Option<[u8; 16]>,
    manufacturer: Option<u16>,
    version: Option<u32>,
}

struct Description {
    base: Option<Base>,
    name: String,
    unit: String,
    scale: f64,
    offset: f64,
    native_message: Option<u16>,
    native_field: Option<u8>,
}

/// The developer fields that a segment has described so far.
#[derive(Default)]
pub(super) struct Developers {
    /// By developer data index.
    applications: HashMap<u8, Application>,
    /// By developer data index and field number.
    descriptions: HashMap<(u8, u8), Description>,
}

impl Developers {
    /// Takes a `developer_data_id`; a later one for the same index replaces the earlier.
    pub fn application(&mut self, message: &Message<'_>) {
        let id = |field| message.bytes(field).and_then(|b| b.first_chunk::<16>()).copied().filter(|b| *b != [0xFF; 16]);
        let Some(index) = message.uint(3) else { return };
        let application = Application {
            application: id(1),
            developer: id(0),
            manufacturer: message.uint(2),
            version: message.uint(4),
        };
        self.applications.insert(index, application);
    }

    /// Takes a `field_description`; a later one for the same field replaces the earlier.
    pub fn describe(&mut self, message: &Message<'_>) {
        let (Some(index), Some(number)) = (message.uint(0), message.uint(1)) else { return };
        let description = Description {
            base: message.uint(2).and_then(Base::of),
            name: message.text(3).unwrap_or_default(),
            unit: message.text(8).unwrap_or_default(),
            scale: message.number(6).filter(|scale| *scale != 0.0).unwrap_or(1.0),
            offset: message.number(7).unwrap_or(0.0),
            native_message: message.uint(14),
            native_field: message.uint(15),
        };
        self.descriptions.insert((index, number), description);
    }

    /// Base type and key of a developer field; `None` when it was not described: then its bytes cannot be read.
    pub fn key(&self, field: &DeveloperBytes) -> Option<(Base, ExtraKey)> {
        let known = self.descriptions.get(&(field.index, field.number))?;
        let base = known.base?;
        let application = self.applications.get(&field.index);
        let name = match known.name.as_str() {
            "" => format!("developer_{}_{}", field.index, field.number),
            name => name.to_owned(),
        };
        let fit = DeveloperField {
            index: field.index,
            number: field.number,
            base_type: base.code(),
            scale: known.scale,
            offset: known.offset,
            application: application.and_then(|a| a.application),
            developer: application.and_then(|a| a.developer),
            manufacturer: application.and_then(|a| a.manufacturer),
            version: application.and_then(|a| a.version),
            native_message: known.native_message,
            native_field: known.native_field,
        };
        Some((base, ExtraKey { name, unit: known.unit.clone(), fit: Some(FitField::Developer(fit)) }))
    }

    /// Name and base type of a field that `paceport` itself wrote.
    pub fn own(&self, field: &DeveloperBytes) -> Option<(&str, Base)> {
        let app = self.applications.get(&field.index)?;
        let known = self.descriptions.get(&(field.index, field.number))?;
        (app.application == Some(own::APPLICATION)).then_some((known.name.as_str(), known.base?))
    }
}

/// True for a field that `paceport` itself wrote because FIT has none for it.
pub(super) fn is_own(field: &DeveloperField) -> bool {
    field.application == Some(own::APPLICATION)
}
