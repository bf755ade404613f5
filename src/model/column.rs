//! Columns of a track: values by row, most of them absent in most files.

/// One numeric column. `NaN` means "not recorded" and is never seen outside: access goes through [`Option`].
/// A column may be shorter than its track; the missing tail is absent, so a channel that never occurs costs nothing.
#[derive(Debug, Clone, Default)]
pub struct Column(Vec<f32>);

impl Column {
    /// The value at a row.
    pub fn get(&self, row: usize) -> Option<f32> {
        self.0.get(row).copied().filter(|v| !v.is_nan())
    }

    /// True when no row ever had a place here (rows may still all be absent after a range check).
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many rows have a value.
    pub fn count(&self) -> usize {
        self.0.iter().filter(|v| !v.is_nan()).count()
    }

    /// Rows that have a value, with it.
    pub fn present(&self) -> impl Iterator<Item = (usize, f32)> + '_ {
        self.0.iter().copied().enumerate().filter(|(_, v)| !v.is_nan())
    }

    /// The raw values for fast loops; `NaN` is absent, and the slice may be shorter than the track.
    pub fn raw(&self) -> &[f32] {
        &self.0
    }

    /// Sets the value of `row`, growing with absent rows as needed. A `NaN` is not stored.
    #[inline]
    pub fn set(&mut self, row: usize, value: f32) {
        if row == self.0.len() {
            self.0.push(value);
        } else {
            self.set_far(row, value);
        }
    }

    #[cold]
    fn set_far(&mut self, row: usize, value: f32) {
        if row >= self.0.len() {
            self.0.resize(row + 1, f32::NAN);
        }
        self.0[row] = value;
    }

    /// Makes a row absent.
    pub fn clear(&mut self, row: usize) {
        if let Some(value) = self.0.get_mut(row) {
            *value = f32::NAN;
        }
    }

    /// Builds a column from raw values, `NaN` for absent rows; trailing absent rows are cut.
    pub fn from_raw(mut values: Vec<f32>) -> Column {
        let len = values.iter().rposition(|v| !v.is_nan()).map_or(0, |last| last + 1);
        values.truncate(len);
        Column(values)
    }

    /// Mutable raw values, for repairs that touch each present value.
    pub fn raw_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}

/// Equal when the same rows have the same values; trailing absent rows do not count.
impl PartialEq for Column {
    fn eq(&self, other: &Column) -> bool {
        let rows = self.0.len().max(other.0.len());
        (0..rows).all(|row| self.get(row) == other.get(row))
    }
}

/// What an extra column holds: a developer field of FIT, or a number that the channel table does not name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExtraKey {
    /// Name as the file gives it, for instance `Form Power`.
    pub name: String,
    /// Unit as the file gives it; empty when unknown.
    pub unit: String,
    /// Where it comes from in a FIT file; `None` for other formats.
    pub fit: Option<FitField>,
}

impl ExtraKey {
    /// Scale and offset of the values in FIT: value = raw / scale - offset.
    pub fn scale(&self) -> (f64, f64) {
        match &self.fit {
            Some(FitField::Native { scale, offset, .. }) => (*scale, *offset),
            Some(FitField::Developer(field)) => (field.scale, field.offset),
            None => (1.0, 0.0),
        }
    }

    /// FIT base type byte of the values, when they come from FIT.
    pub fn base_type(&self) -> Option<u8> {
        self.fit.as_ref().map(|fit| match fit {
            FitField::Native { base_type, .. } => *base_type,
            FitField::Developer(field) => field.base_type,
        })
    }
}

/// Identity of an extra channel inside FIT.
#[derive(Debug, Clone, PartialEq)]
pub enum FitField {
    /// A field that the model does not name, of records or of a summary: number, base type, scale and offset.
    Native {
        /// Field number in its message.
        number: u8,
        /// FIT base type byte.
        base_type: u8,
        /// Value = raw / scale - offset.
        scale: f64,
        /// Value = raw / scale - offset.
        offset: f64,
    },
    /// A developer field (messages 206 and 207).
    Developer(DeveloperField),
}

/// Definition of a developer field, as its `field_description` and `developer_data_id` give it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DeveloperField {
    /// `developer_data_index` of the source file; keeps several apps apart.
    pub index: u8,
    /// `field_definition_number`.
    pub number: u8,
    /// FIT base type byte of the values.
    pub base_type: u8,
    /// Scale (1 when not stated).
    pub scale: f64,
    /// Offset (0 when not stated).
    pub offset: f64,
    /// Application id, 16 bytes, when stated.
    pub application: Option<[u8; 16]>,
    /// Developer id, 16 bytes, when stated.
    pub developer: Option<[u8; 16]>,
    /// Manufacturer number, when stated.
    pub manufacturer: Option<u16>,
    /// Application version, when stated.
    pub version: Option<u32>,
    /// Native message number that this field stands for.
    pub native_message: Option<u16>,
    /// Native field number that this field stands for.
    pub native_field: Option<u8>,
}

/// A column beyond the channel table. Values are `f64`: raw 32-bit numbers stay exact.
#[derive(Debug, Clone, Default)]
pub struct ExtraColumn {
    /// Name, unit and origin.
    pub key: ExtraKey,
    values: Vec<f64>,
}

impl ExtraColumn {
    /// An empty column with this key.
    pub fn new(key: ExtraKey) -> ExtraColumn {
        ExtraColumn { key, values: Vec::new() }
    }

    /// Builds a column from raw values, `NaN` for absent rows.
    pub fn from_raw(key: ExtraKey, values: Vec<f64>) -> ExtraColumn {
        ExtraColumn { key, values }
    }

    /// The value at a row.
    pub fn get(&self, row: usize) -> Option<f64> {
        self.values.get(row).copied().filter(|v| !v.is_nan())
    }

    /// The raw values for fast loops; `NaN` is absent, and the slice may be shorter than the track.
    pub fn raw(&self) -> &[f64] {
        &self.values
    }

    /// Sets the value of `row`, growing with absent rows as needed.
    pub fn set(&mut self, row: usize, value: f64) {
        if row >= self.values.len() {
            self.values.resize(row + 1, f64::NAN);
        }
        self.values[row] = value;
    }

    /// Rows that have a value, with it.
    pub fn present(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        self.values.iter().copied().enumerate().filter(|(_, v)| !v.is_nan())
    }

    /// How many rows have a value.
    pub fn count(&self) -> usize {
        self.present().count()
    }
}

/// Equal when key and present values are equal.
impl PartialEq for ExtraColumn {
    fn eq(&self, other: &ExtraColumn) -> bool {
        self.key == other.key && self.present().eq(other.present())
    }
}

/// Writes a value into a column that may be too short for it yet.
pub(super) fn set_f64(column: &mut Vec<f64>, row: usize, value: f64) {
    if row == column.len() {
        column.push(value);
        return;
    }
    if row > column.len() {
        column.resize(row + 1, f64::NAN);
    }
    column[row] = value;
}
