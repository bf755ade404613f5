//! `activities.csv` of Strava's bulk export: one draft a row. Instants are UTC; no zone stands anywhere in the archive.
//!
//! The numbers for machines count; those for people stand in for missing ones. The private note follows the description as a
//! paragraph of its own: both are words of the owner about the workout, and nothing else could hold it.

mod columns;
mod sports;

use self::columns::{Columns, Field, is_id};
use super::cells::{Row, Rows, number, whole};
use super::dates::{self, Order};
use super::{Format, Intake, Reader};
use crate::error::{Error, Place, Result};
use crate::model::{Draft, Recording, Session, Sport, SubSport, Totals};
use crate::report::Code;

const ROW: Code = Code::damage("strava.row");
const EXPORT_ERROR: Code = Code::warning("strava.export_error");
const DATE: Code = Code::warning("strava.date");
const DATE_ORDER: Code = Code::warning("strava.date_order");
const DISTANCE: Code = Code::warning("strava.display_distance");
const SPORT: Code = Code::warning("strava.sport");
const LEFT_OUT: Code = Code::info("strava.left_out");

/// What Strava writes where its own export failed.
const ERROR: &str = "#error#";

/// The Strava row of the format table.
pub const FORMAT: Format = Format {
    id: "strava",
    name: "Strava activities.csv",
    extensions: &["csv"],
    binary: false,
    table: true,
    sniff: |head| Columns::find(head).is_some(),
    read: Some(Reader::Whole(read)),
    write: None,
    status: "the table of a bulk export, of every year and language: names, gear, sports, totals",
};

fn read(bytes: &[u8], intake: &mut Intake<'_>) -> Result<()> {
    let columns =
        Columns::find(bytes).ok_or_else(|| Error::malformed(Place::line(1), "no column that names recordings"))?;
    let order = order(bytes, &columns);
    let (mut rows, mut row) = (Rows::new(bytes), Row::default());
    rows.next(&mut row);
    let mut rest = rows.next(&mut row);
    while rest {
        // Spreadsheets leave empty cells at the end of a row out; only the last row can be cut.
        let cut = row.len() < columns.width && rows.at_end() && rows.ends_openly();
        if cut {
            row.forget_last();
        }
        let draft = draft(&row, &columns, order);
        let place = row.place();
        let (damaged, failed) = (row.damaged, is_failed(&row));
        rest = rows.next(&mut row);
        let Some(mut draft) = draft else {
            if failed {
                intake.notes().add(EXPORT_ERROR, place, || "Strava could not export this activity at all");
            } else {
                intake.notes().add(ROW, place, || "a row without date and numbers was left out");
            }
            continue;
        };
        if damaged || cut {
            draft.notes.add(
                ROW,
                place,
                || if cut { "the table ends inside this row" } else { "a quote is never closed" },
            );
            draft.complete = false;
        }
        intake.emit(draft)?;
    }
    if intake.emitted() == 0 {
        intake.skip("table without activities");
    }
    Ok(())
}

fn is_failed(row: &Row) -> bool {
    row.cells().any(|cell| cell.trim() == ERROR)
}

/// The order of day and month in this table, when a row shows it.
fn order(bytes: &[u8], columns: &Columns) -> Option<Order> {
    let (mut rows, mut row) = (Rows::new(bytes), Row::default());
    rows.next(&mut row);
    while rows.next(&mut row) {
        if let Some(order) = dates::order(row.cell(columns.date)) {
            return Some(order);
        }
    }
    None
}

/// The activity of one row; `None` when nothing tells when or how much.
fn draft(row: &Row, columns: &Columns, order: Option<Order>) -> Option<Draft> {
    let text = |at: Option<usize>| Some(row.cell(at?).trim()).filter(|text| !text.is_empty() && *text != ERROR);
    let mut draft = Draft::new();
    if is_failed(row) {
        draft.notes.add(EXPORT_ERROR, row.place(), || "Strava could not export this activity completely");
    }
    let start = text(Some(columns.date)).and_then(|date| dates::parse(date, order.unwrap_or(Order::DayFirst)));
    match (start, text(Some(columns.date))) {
        (Some(_), Some(date)) if order.is_none() => draft.notes.add(DATE_ORDER, row.place(), || {
            format!("no row of the table shows whether day or month comes first; \"{date}\" is read day first")
        }),
        (None, Some(date)) => draft.notes.add(DATE, row.place(), || format!("\"{date}\" is no date")),
        (None, None) => draft.notes.add(DATE, row.place(), || "the date is missing"),
        _ => {}
    }
    let recording = &mut draft.recording;
    recording.stated_start = start;
    sort(recording, text(Some(columns.kind)), columns, row);
    let unknown = recording.sport_label.clone();
    let far = distance(row, columns, recording.sport);
    recording.stated = totals(row, columns, far.map(|(metres, _)| metres));
    if start.is_none() && recording.stated == Totals::default() {
        return None;
    }
    recording.sessions = session(row, columns, recording);
    recording.name = text(Some(columns.name)).map(str::to_owned);
    let private = text(columns.private_note);
    let words: Vec<&str> = text(Some(columns.description)).into_iter().chain(private).collect();
    recording.description = (!words.is_empty()).then(|| words.join("\n\n"));
    recording.gear = text(columns.gear).map(str::to_owned);
    recording.creator = Some("Strava".to_owned());
    recording
        .platform_ids
        .extend(text(Some(columns.id)).filter(|id| is_id(id)).map(|id| ("strava".to_owned(), id.to_owned())));
    draft.tells_of = text(Some(columns.filename)).map(str::to_owned);
    if let Some(label) = unknown {
        draft.notes.add(SPORT, row.place(), || format!("\"{label}\" is no known activity type; it is kept as text"));
    }
    if let Some(lifted) = columns.machine(Field::WeightLifted).and_then(|at| number(row.cell(at))).filter(|v| *v > 0.0)
    {
        draft.notes.add(LEFT_OUT, row.place(), || format!("left out: the weight lifted in all, {lifted}"));
    }
    if let Some((metres, false)) = far {
        draft.notes.add(DISTANCE, row.place(), || {
            format!("only the distance for people is there, without its unit; it is read as {metres} m")
        });
    }
    Some(draft)
}

/// Sport and sub-sport; an unknown type stays as text. A ride to work is a sub-sport of its own.
fn sort(recording: &mut Recording, kind: Option<&str>, columns: &Columns, row: &Row) {
    match kind.map(|kind| (kind, sports::sport(kind))) {
        Some((_, Some((sport, sub_sport)))) => {
            recording.sport = sport;
            recording.sub_sport = sub_sport;
        }
        Some((kind, None)) => recording.sport_label = Some(kind.to_owned()),
        None => {}
    }
    let commute = |at: Option<usize>| {
        let cell = at.map_or("", |at| row.cell(at).trim());
        cell.eq_ignore_ascii_case("true") || number(cell) == Some(1.0)
    };
    let to_work = commute(columns.commute) || commute(columns.machine(Field::Commute));
    if to_work && recording.sub_sport.is_none() && matches!(recording.sport, Sport::CYCLING | Sport(21)) {
        recording.sub_sport = Some(SubSport::COMMUTING);
    }
}

/// Metres, and whether that is sure. The distance for people is in metres in the oldest tables; later it is in what the
/// account shows: kilometres mostly, metres for swims.
fn distance(row: &Row, columns: &Columns, sport: Sport) -> Option<(f64, bool)> {
    const LONGEST_SWIM_KM: f64 = 50.0;
    if let Some(metres) = columns.machine(Field::Distance).and_then(|at| number(row.cell(at))) {
        return Some((metres, true));
    }
    let shown = number(row.cell(columns.distance))?;
    Some(match sport {
        _ if columns.metres => (shown, true),
        _ if shown == 0.0 => (0.0, true),
        Sport::SWIMMING if shown > LONGEST_SWIM_KM => (shown, false),
        _ => (shown * 1000.0, false),
    })
}

/// What the table states. Cadence is of one leg for runs and walks too.
fn totals(row: &Row, columns: &Columns, distance_m: Option<f64>) -> Totals {
    let of = |field: Field| columns.machine(field).and_then(|at| number(row.cell(at)));
    let count = |field: Field| columns.machine(field).and_then(|at| whole(row.cell(at)));
    let moving_s = count(Field::Moving);
    // Empty in many rows that have what it takes.
    let average = |metres: f64, seconds: f64| (seconds > 0.0).then(|| metres / seconds);
    Totals {
        elapsed_s: count(Field::Elapsed).or_else(|| whole(row.cell(columns.elapsed))),
        timer_s: count(Field::Timer),
        moving_s,
        distance_m,
        calories_kcal: columns.machine(Field::Calories).and_then(|at| energy(row.cell(at))),
        ascent_m: of(Field::Gain),
        descent_m: of(Field::Loss),
        avg_speed: of(Field::AverageSpeed).or_else(|| average(distance_m?, moving_s?)),
        max_speed: of(Field::MaxSpeed),
        avg_heart_rate: of(Field::AverageHeartRate).filter(|bpm| *bpm > 0.0),
        max_heart_rate: of(Field::MaxHeartRate).filter(|bpm| *bpm > 0.0),
        avg_cadence: of(Field::AverageCadence),
        max_cadence: of(Field::MaxCadence),
        avg_power: of(Field::AverageWatts),
        max_power: count(Field::MaxWatts),
        normalized_power: of(Field::WeightedPower),
        avg_temperature: of(Field::AverageTemperature),
        max_temperature: of(Field::MaxTemperature),
        max_altitude: of(Field::High),
        min_altitude: of(Field::Low),
        cycles: count(Field::Cycles),
        steps: count(Field::Steps),
        ..Totals::default()
    }
}

/// Kilocalories: whole, with a comma between thousands, or with a fraction of any length.
fn energy(cell: &str) -> Option<f64> {
    const MOST_KCAL: f64 = 50_000.0;
    let thousands = || whole(cell).filter(|_| cell.contains(',')).filter(|kcal| *kcal < MOST_KCAL);
    thousands().or_else(|| number(cell))
}

/// A session, only where it has to hold what nothing else can: the exertion and the length of the pool.
fn session(row: &Row, columns: &Columns, recording: &Recording) -> Vec<Session> {
    let of = |field: Field| columns.machine(field).and_then(|at| number(row.cell(at))).filter(|value| *value > 0.0);
    let (rpe, pool_length_m) = (of(Field::Exertion).map(|rpe| rpe as f32), of(Field::PoolLength));
    let Some((start, end)) = recording.span().filter(|_| rpe.is_some() || pool_length_m.is_some()) else {
        return Vec::new();
    };
    let (sport, sub_sport, totals) = (recording.sport, recording.sub_sport, recording.stated.clone());
    vec![Session { start, end, sport, sub_sport, totals, pool_length_m, rpe, ..Session::default() }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::read_with;
    use crate::limits::Limits;
    use crate::model::time;

    fn drafts(text: &str) -> Vec<Draft> {
        assert!((FORMAT.sniff)(text.as_bytes()), "{text}");
        read_with(Reader::Whole(read), text.as_bytes(), &Limits::default()).unwrap().drafts
    }

    const OLDEST: &str = "id,date,name,type,description,elapsed_time,distance,commute,gear,filename\n\
        7,2018-09-12 15:02:23,Afternoon Ride,Ride,,2833,15900.5,true,Bike,activities/7.gpx\n\
        8,2018-09-13 15:02:23,By hand,Run,,600,2000.0,false,,\n";

    #[test]
    fn the_oldest_table_has_metres() {
        let drafts = drafts(OLDEST);
        let [ride, manual] = &drafts[..] else { panic!("{} drafts", drafts.len()) };
        assert_eq!(ride.recording.stated_start.map(time::utc).as_deref(), Some("2018-09-12T15:02:23Z"));
        assert_eq!((ride.recording.stated.distance_m, ride.recording.stated.elapsed_s), (Some(15_900.5), Some(2833.0)));
        assert_eq!((ride.recording.sport, ride.recording.sub_sport), (Sport::CYCLING, Some(SubSport::COMMUTING)));
        assert_eq!((ride.tells_of.as_deref(), manual.tells_of.as_deref()), (Some("activities/7.gpx"), None));
        assert_eq!(ride.recording.platform_ids, [("strava".to_owned(), "7".to_owned())]);
        assert!(ride.notes.is_empty() && manual.notes.is_empty());
    }

    #[test]
    fn weight_lifted_is_named_as_left_out() {
        let heads = format!(
            "Activity ID,Activity Date,Activity Name,Activity Type,Activity Description,Elapsed Time,Distance,\
            Commute,Activity Gear,Filename{},Total Weight Lifted",
            ",x".repeat(38)
        );
        let row = |lifted: &str| {
            format!("1,\"Apr 8, 2026, 6:00:00 AM\",w,Weight Training,,60,0,false,,{},{lifted}", ",".repeat(38))
        };
        let drafts = drafts(&format!("{heads}\n{}\n{}\n{}\n", row("4000"), row("0.0"), row("")));
        let notes: Vec<_> = drafts.iter().map(|d| d.notes.get("strava.left_out").map(|n| n.detail.as_str())).collect();
        assert_eq!(notes, [Some("left out: the weight lifted in all, 4000"), None, None]);
    }

    #[test]
    fn whole_numbers_may_have_marks_between_thousands() {
        let heads = "Activity ID,Activity Date,Activity Name,Activity Type,Activity Description,Elapsed Time,Distance,\
            Commute,Activity Gear,Filename,Athlete Weight,Bike Weight,Elapsed Time,Moving Time,Distance,Elevation Gain,\
            Max Watts,Average Watts,Calories,Total Steps,Timer Time";
        let of = |cells: &str| {
            let row = "7,\"Apr 8, 2026, 6:00:00 AM\",w,Ride,,\"10,812\",\"10,02\",false,,,,";
            let totals = &drafts(&format!("{heads}\n{row},{cells}\n"))[0].recording.stated;
            let times = [totals.elapsed_s, totals.moving_s, totals.timer_s];
            let rest = [totals.distance_m, totals.ascent_m, totals.max_power, totals.avg_power];
            (times.map(Option::unwrap), rest.map(Option::unwrap), totals.calories_kcal.unwrap(), totals.steps.unwrap())
        };
        let grouped =
            "\"10,800\",\"9,000\",\"1,024.5\",\"1,024.5\",\"1,024\",\"187,25\",\"1,024\",\"12,345\",\"9,001\"";
        let expected = ([10_800.0, 9000.0, 9001.0], [1024.5, 1024.5, 1024.0, 187.25], 1024.0, 12_345.0);
        assert_eq!(of(grouped), expected);
        // Without the number for machines, that for people stands in; fractions stay what they are.
        let plain = ",9000.0,\"1024,5\",1024.5,1024.0,187.25,512.125,12345.0,9001.0";
        let expected = ([10_812.0, 9000.0, 9001.0], [1024.5, 1024.5, 1024.0, 187.25], 512.125, 12_345.0);
        assert_eq!(of(plain), expected);
        assert_eq!(of(&plain.replace("512.125", "\"512,125\"")), expected);
    }

    #[test]
    fn a_table_that_ends_in_a_row_says_so() {
        let drafts = drafts(&OLDEST[..OLDEST.len() - 10]);
        assert_eq!(drafts.iter().map(|draft| draft.complete).collect::<Vec<_>>(), [true, false]);
        assert!(drafts[1].notes.get("strava.row").is_some());
        assert_eq!((drafts[1].recording.stated.elapsed_s, drafts[1].recording.stated.distance_m), (Some(600.0), None));
    }

    #[test]
    fn an_order_that_nothing_shows_is_told() {
        let of = |first: &str, second: &str| {
            drafts(&OLDEST.replace("2018-09-12 15:02:23", first).replace("2018-09-13 15:02:23", second))
        };
        let starts = |drafts: &[Draft]| {
            drafts
                .iter()
                .map(|draft| draft.recording.stated_start.map(time::utc).unwrap_or_default())
                .collect::<Vec<_>>()
        };
        let shown = of("9/12/2018 15:02", "9/13/2018 15:02");
        assert_eq!(starts(&shown), ["2018-09-12T15:02:00Z", "2018-09-13T15:02:00Z"]);
        assert!(shown[0].notes.is_empty());
        let open = of("9/12/2018 15:02", "10/12/2018 15:02");
        assert_eq!(starts(&open), ["2018-12-09T15:02:00Z", "2018-12-10T15:02:00Z"]);
        assert!(open[0].notes.get("strava.date_order").is_some());
        let broken = of("soon", "10/13/2018 15:02");
        assert_eq!(starts(&broken), ["", "2018-10-13T15:02:00Z"]);
        assert!(broken[0].notes.get("strava.date").is_some());
    }
}
