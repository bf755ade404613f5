//! PDD: the diary of a day (`yyyymmdd.pdd`) that Polar's desktop programs keep beside the recordings. It alone knows the
//! sport of an exercise, its notes, and which files belong to it. Layout as other readers of the format know it; only
//! what is certain is read.

use super::text;
use crate::error::Result;
use crate::formats::{Format, Intake, Reader};
use crate::model::{Recording, Sport};

/// The diary row of the format table. A diary holds no recording of its own: reading one skips it, and whoever joins
/// companions asks [`diary_entries`].
pub const DIARY: Format = Format {
    id: "pdd",
    name: "Polar diary",
    extensions: &["pdd"],
    binary: false,
    table: false,
    sniff,
    read: Some(Reader::Whole(read)),
    write: None,
    status: "sport, notes and file names for the HRM files beside it",
};

/// What a diary says about one exercise.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DiaryEntry {
    /// Sport; `None` for a sport that the user defined.
    pub sport: Option<Sport>,
    /// First line of text.
    pub name: Option<String>,
    /// Second line of text.
    pub note: Option<String>,
    /// File name of the samples.
    pub hrm: Option<String>,
    /// File name of the positions.
    pub gpx: Option<String>,
    /// File name of the beat-to-beat intervals.
    pub rr: Option<String>,
}

impl DiaryEntry {
    /// True when a file of this name (its last part, in any case) belongs to the exercise.
    pub fn names(&self, file: &str) -> bool {
        let last = |path: &str| path.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase();
        [&self.hrm, &self.gpx, &self.rr].into_iter().flatten().any(|name| last(name) == last(file))
    }

    /// Tells a recording of the exercise what it does not know itself.
    pub fn tell(self, recording: &mut Recording) {
        if let (Some(sport), Sport::GENERIC) = (self.sport, recording.sport) {
            recording.sport = sport;
        }
        recording.name = self.name.or(recording.name.take());
        recording.description = self.note.or(recording.description.take());
    }
}

fn sniff(head: &[u8]) -> bool {
    let text = text::decode(head);
    text::Lines::of(&text)
        .map(|(_, line)| line.trim())
        .find(|line| !line.is_empty())
        .and_then(text::section)
        .is_some_and(|name| name == "DayInfo" || name.starts_with("ExerciseInfo"))
}

fn read(_: &[u8], intake: &mut Intake<'_>) -> Result<()> {
    intake.skip("diary");
    Ok(())
}

/// The exercises of a diary, in file order.
pub fn diary_entries(bytes: &[u8]) -> Vec<DiaryEntry> {
    let text = text::decode(bytes);
    let mut entries = Vec::new();
    let mut block: Option<Vec<&str>> = None;
    for (_, line) in text::Lines::of(&text) {
        if let Some(name) = text::section(line) {
            entries.extend(block.take().map(|lines| entry(&lines)));
            block = name.starts_with("ExerciseInfo").then(Vec::new);
        } else if let Some(lines) = &mut block {
            lines.push(line);
        }
    }
    entries.extend(block.map(|lines| entry(&lines)));
    entries
}

/// One `[ExerciseInfoN]` block: a head line (third column: number of rows of numbers), the rows (the second begins with the
/// sport), then lines of text.
fn entry(lines: &[&str]) -> DiaryEntry {
    let head: Vec<_> = lines.first().map(|line| text::numbers(line)).unwrap_or_default();
    let rows = head.get(2).copied().flatten().filter(|n| (0.0..1000.0).contains(n)).unwrap_or(0.0) as usize;
    let first = |row: usize| lines.get(row).and_then(|line| text::numbers(line).first().copied().flatten());
    let texts = lines.get(1 + rows..).unwrap_or_default();
    let text = |i: usize| texts.get(i).map(|line| line.trim()).filter(|t| !t.is_empty()).map(str::to_owned);
    let file = |i: usize| text(i).filter(|name| name.contains('.'));
    DiaryEntry {
        sport: match first(2) {
            Some(1.0) => Some(Sport::RUNNING),
            Some(2.0) => Some(Sport::CYCLING),
            Some(3.0) => Some(Sport::SWIMMING),
            _ => None,
        },
        name: text(0),
        note: text(1),
        hrm: file(2),
        gpx: file(5),
        rr: file(6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: &str = "[DayInfo]\r\n100\t1\t7\t6\t1\t512\r\n20120106\t2\t0\t0\t0\t0\r\n\r\n[ExerciseInfo1]\r\n101\t1\t3\t6\t12\t512\r\n\
        0\t0\t0\t9454\t21421\t3168\r\n1\t0\t0\t0\t0\t520\r\n0\t0\t0\t0\t0\t0\r\nMorning\r\nWith a friend\r\n12010601.hrm\r\n\r\n\r\n\
        12010601.gpx\r\n12010601.rr.hrm\r\n[ExerciseInfo2]\r\n101\t1\t3\t6\t12\t512\r\n0\r\n17\r\n0\r\n\r\n\r\nC:\\Polar\\12010602.HRM\r\n";

    #[test]
    fn a_diary_names_sport_notes_and_files() {
        assert!(sniff(DAY.as_bytes()));
        let entries = diary_entries(DAY.as_bytes());
        assert_eq!(entries.len(), 2);
        assert_eq!(
            entries[0],
            DiaryEntry {
                sport: Some(Sport::RUNNING),
                name: Some("Morning".into()),
                note: Some("With a friend".into()),
                hrm: Some("12010601.hrm".into()),
                gpx: Some("12010601.gpx".into()),
                rr: Some("12010601.rr.hrm".into()),
            }
        );
        assert_eq!((entries[1].sport, &entries[1].name), (None, &None));
        assert!(entries[1].names("2012/12010602.hrm") && !entries[1].names("12010601.hrm"));
    }

    #[test]
    fn broken_diaries_give_what_they_have() {
        assert_eq!(diary_entries(b"[ExerciseInfo1]"), [DiaryEntry::default()]);
        assert_eq!(diary_entries(b"[ExerciseInfo1]\n1\t1\t9999999\n"), [DiaryEntry::default()]);
        assert!(diary_entries(b"").is_empty());
    }
}
