//! Where a table has what (strava-export.md section 2). The heads follow the language of the account, the order of the columns
//! does not: what an export of 10 to 103 columns calls "Filename" is found in any language, and all else lies around it.

use crate::formats::cells::{Row, Rows};

/// The block for machines starts so many columns behind the file name.
const TO_MACHINE: usize = 3;
/// The file name stands in one of these columns, in the oldest tables and in any to come.
const NAMES: [usize; 2] = [9, 20];
/// Columns of the generation before July 2019, which has no block for machines.
const OLDEST: usize = 10;

/// A number of the block for machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Elapsed,
    Moving,
    Distance,
    MaxSpeed,
    AverageSpeed,
    Gain,
    Loss,
    Low,
    High,
    MaxCadence,
    AverageCadence,
    MaxHeartRate,
    AverageHeartRate,
    MaxWatts,
    AverageWatts,
    Calories,
    MaxTemperature,
    AverageTemperature,
    Exertion,
    WeightedPower,
    Commute,
    WeightLifted,
    Steps,
    PoolLength,
    Timer,
    Cycles,
}

/// The block for machines: what, its English head, its place in the block.
const MACHINE: &[(Field, &str, usize)] = &[
    (Field::Elapsed, "Elapsed Time", 0),
    (Field::Moving, "Moving Time", 1),
    (Field::Distance, "Distance", 2),
    (Field::MaxSpeed, "Max Speed", 3),
    (Field::AverageSpeed, "Average Speed", 4),
    (Field::Gain, "Elevation Gain", 5),
    (Field::Loss, "Elevation Loss", 6),
    (Field::Low, "Elevation Low", 7),
    (Field::High, "Elevation High", 8),
    (Field::MaxCadence, "Max Cadence", 13),
    (Field::AverageCadence, "Average Cadence", 14),
    (Field::MaxHeartRate, "Max Heart Rate", 15),
    (Field::AverageHeartRate, "Average Heart Rate", 16),
    (Field::MaxWatts, "Max Watts", 17),
    (Field::AverageWatts, "Average Watts", 18),
    (Field::Calories, "Calories", 19),
    (Field::MaxTemperature, "Max Temperature", 20),
    (Field::AverageTemperature, "Average Temperature", 21),
    (Field::Exertion, "Perceived Exertion", 28),
    (Field::WeightedPower, "Weighted Average Power", 31),
    (Field::Commute, "Commute", 35),
    (Field::WeightLifted, "Total Weight Lifted", 36),
    (Field::Steps, "Total Steps", 70),
    (Field::PoolLength, "Pool Length", 72),
    (Field::Timer, "Timer Time", 76),
    (Field::Cycles, "Total Cycles", 77),
];

/// The columns of one table.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Columns {
    pub id: usize,
    pub date: usize,
    pub name: usize,
    pub kind: usize,
    pub description: usize,
    pub elapsed: usize,
    pub distance: usize,
    pub commute: Option<usize>,
    pub private_note: Option<usize>,
    pub gear: Option<usize>,
    pub filename: usize,
    /// How many columns the table has.
    pub width: usize,
    /// True when the distance for people is in metres: in the oldest generation.
    pub metres: bool,
    machine: [Option<usize>; MACHINE.len()],
}

impl Columns {
    /// The columns of Strava's table; `None` when it is not one. `bytes` may be the beginning of a table.
    pub fn find(bytes: &[u8]) -> Option<Columns> {
        let (mut rows, mut heads) = (Rows::new(bytes), Row::default());
        if !rows.next(&mut heads) {
            return None;
        }
        let named = |name: &str| heads.cells().position(|head| head.trim() == name);
        if heads.cell(0).trim() == "id" && named("date").is_some() && named("elapsed_time").is_some() {
            return Some(Columns::around(named("filename")?, heads.len(), true));
        }
        if named("Activity ID").is_some() && named("Activity Date").is_some() {
            return Some(Columns::english(&heads, named("Filename")?));
        }
        let filename = repeated(&heads).or_else(|| by_rows(&mut rows))?;
        let mut columns = Columns::around(filename, heads.len(), heads.len() == OLDEST);
        if columns.machine(Field::Distance).is_none() && !columns.metres {
            columns.machine = [None; MACHINE.len()];
        }
        Some(columns)
    }

    /// Everything by its place around the file name.
    fn around(filename: usize, width: usize, metres: bool) -> Columns {
        let mut machine = [None; MACHINE.len()];
        for (slot, (_, _, place)) in machine.iter_mut().zip(MACHINE) {
            *slot = Some(filename + TO_MACHINE + place).filter(|at| *at < width);
        }
        // …, Commute, Activity Private Note (since the heart rate is among the display columns), Activity Gear, Filename
        let private_note = (filename >= 12).then(|| filename - 2);
        Columns {
            id: 0,
            date: 1,
            name: 2,
            kind: 3,
            description: 4,
            elapsed: 5,
            distance: 6,
            commute: filename.checked_sub(if private_note.is_some() { 3 } else { 2 }),
            private_note,
            gear: filename.checked_sub(1),
            filename,
            width,
            metres,
            machine,
        }
    }

    /// By English heads: of two equal ones the first is for people, the other for machines.
    fn english(heads: &Row, filename: usize) -> Columns {
        let first = |name: &str| heads.cells().position(|head| head.trim() == name);
        let last =
            |name: &str| heads.cells().skip(filename).position(|head| head.trim() == name).map(|at| at + filename);
        let mut columns = Columns::around(filename, heads.len(), false);
        for (slot, place) in [
            (&mut columns.id, first("Activity ID")),
            (&mut columns.date, first("Activity Date")),
            (&mut columns.name, first("Activity Name")),
            (&mut columns.kind, first("Activity Type")),
            (&mut columns.description, first("Activity Description")),
            (&mut columns.elapsed, first("Elapsed Time")),
            (&mut columns.distance, first("Distance")),
        ] {
            *slot = place.unwrap_or(usize::MAX);
        }
        columns.commute = first("Commute");
        columns.private_note = first("Activity Private Note");
        columns.gear = first("Activity Gear");
        for (slot, (_, name, _)) in columns.machine.iter_mut().zip(MACHINE) {
            *slot = last(name);
        }
        columns
    }

    /// The column of a number for machines.
    pub fn machine(&self, field: Field) -> Option<usize> {
        let slot = MACHINE.iter().position(|(of, _, _)| *of == field)?;
        self.machine.get(slot).copied().flatten()
    }
}

/// The file name's column by heads that stand in both blocks, elapsed time and distance: true in every language.
fn repeated(heads: &Row) -> Option<usize> {
    let same = |a: usize, b: usize| !heads.cell(a).trim().is_empty() && heads.cell(a).trim() == heads.cell(b).trim();
    let words = heads.cell(5).bytes().all(|byte| !byte.is_ascii_digit());
    (NAMES[0]..NAMES[1]).find(|at| words && same(5, at + TO_MACHINE) && same(6, at + TO_MACHINE + 2))
}

/// The file name's column by the first row that has an id in front and names a recording of the archive.
fn by_rows(rows: &mut Rows<'_>) -> Option<usize> {
    let mut row = Row::default();
    while rows.next(&mut row) {
        if is_id(row.cell(0).trim())
            && let Some(at) = (NAMES[0]..NAMES[1]).find(|at| is_recording(row.cell(*at)))
        {
            return Some(at);
        }
    }
    None
}

/// True for what identifies an activity: a number of up to 20 digits.
pub(super) fn is_id(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// True for `activities/99887766.fit.gz` and its like.
fn is_recording(cell: &str) -> bool {
    let Some((stem, extension)) = cell.trim().strip_prefix("activities/").and_then(|name| name.split_once('.')) else {
        return false;
    };
    is_id(stem) && matches!(extension.strip_suffix(".gz").unwrap_or(extension), "fit" | "gpx" | "tcx")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// German heads of 2025 up to the distance for machines, as a mapping of geo-activity-playground gives them.
    const GERMAN: &str = "Aktivitäts-ID,Aktivitätsdatum,Name der Aktivität,Aktivitätsart,Aktivitätsbeschreibung,Verstrichene Zeit,\
        Distanz,Max. Herzfrequenz,Relative Leistung,Pendeln,Hinweis zur Privatsphäre für Aktivitäten,Aktivitätsausrüstung,\
        Dateiname,Sportlergewicht,Fahrradgewicht,Verstrichene Zeit,Bewegungszeit,Distanz,Höchstgeschw.";

    #[test]
    fn heads_of_any_language_show_their_order() {
        let columns = Columns::find(GERMAN.as_bytes()).unwrap();
        assert_eq!((columns.filename, columns.private_note, columns.gear), (12, Some(10), Some(11)));
        assert_eq!((columns.machine(Field::Moving), columns.machine(Field::MaxSpeed)), (Some(16), Some(18)));
        assert_eq!(columns.machine(Field::Calories), None, "this table ends before it");
    }

    #[test]
    fn a_row_shows_the_order_when_no_head_repeats() {
        let heads = "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p\n";
        let row = "1001,\"6. 9. 2026 11:18:40\",x,Běh,,60,\"0,2\",,false,,activities/1001.gpx.gz,,,60.0,59.0,200.0\n";
        let manual = "1000,\"5. 9. 2026 11:18:40\",x,Běh,,60,\"0,2\",,false,,,,,60.0,59.0,200.0\n";
        let columns = Columns::find(format!("{heads}{manual}{row}").as_bytes()).unwrap();
        assert_eq!((columns.filename, columns.gear, columns.private_note), (10, Some(9), None));
        assert_eq!(columns.machine(Field::Distance), Some(15));
        assert_eq!(Columns::find(format!("{heads}{manual}").as_bytes()), None);
    }

    #[test]
    fn tables_of_others_have_no_such_columns() {
        for text in [
            "id,date,name,type,description,elapsed_time,distance\n1,2,3,4,5,6,7\n",
            "id,start_date_local,name,type,elapsed_time,distance,icu_training_load,filename\ni123,2024-05-01,x,Ride,1,2,3,a.fit\n",
            "Date,Workout Name,Duration\n2024-05-01 10:00:00,Push,1h\n",
            "x,activities/1.fit\nx,activities/1.fit\n",
            "id,file,km\n1,activities/1.fit,7\n",
            "",
        ] {
            assert_eq!(Columns::find(text.as_bytes()), None, "{text}");
        }
    }
}
