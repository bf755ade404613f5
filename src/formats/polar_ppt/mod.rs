//! The XML of polarpersonaltrainer.com (`.xml`, `.ped`): several exercises a file, each with totals, laps and comma lists of
//! samples. Times are the watch's wall clock; there is neither zone nor position.

mod finish;

use self::finish::Exercise;
use super::xml::{self, Cursor, Step};
use super::{Format, Intake, Reader};
use crate::error::{Error, Place, Result};
use crate::report::Code;

const ROOT: &str = "polar-exercise-data";

const CUT: Code = Code::damage("ppt.cut");

/// The polarpersonaltrainer.com row of the format table.
pub const FORMAT: Format = Format {
    id: "ppt",
    name: "polarpersonaltrainer.com XML",
    extensions: &["xml", "ped"],
    binary: false,
    table: false,
    sniff,
    read: Some(Reader::Whole(read)),
    write: None,
    status: "exercises with totals, laps and samples",
};

fn sniff(head: &[u8]) -> bool {
    xml::root_name(head).is_some_and(|name| name.eq_ignore_ascii_case(ROOT))
}

fn read(bytes: &[u8], intake: &mut Intake<'_>) -> Result<()> {
    let text = xml::decode(bytes, intake.notes());
    let limits = intake.limits().clone();
    let mut cursor = Cursor::new(&text, limits.xml_depth);
    loop {
        match cursor.step() {
            Step::Open(tag) if tag.name == "exercise" => {
                let damage = cursor.damage();
                let mut exercise = Exercise::default();
                let whole = exercise.read(&mut cursor, tag.level);
                if exercise.is_empty() {
                    continue;
                }
                let mut draft = exercise.finish(limits.samples);
                if !whole {
                    draft.notes.add(CUT, Place::NOWHERE, || "the file ends inside this exercise");
                }
                draft.complete &= whole && cursor.damage() == damage;
                intake.emit(draft)?;
            }
            Step::End => break,
            _ => {}
        }
    }
    let damaged = cursor.notes.has_damage();
    intake.notes().extend(cursor.notes);
    if intake.emitted() == 0 {
        if damaged {
            return Err(Error::malformed(Place::NOWHERE.element(ROOT), "no exercise could be read"));
        }
        intake.skip("calendar without exercises");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::read_with;
    use crate::limits::Limits;
    use crate::model::{Basis, Channel, Draft, Sport, time};

    fn drafts(xml: &str) -> Vec<Draft> {
        assert!(sniff(xml.as_bytes()));
        read_with(Reader::Whole(read), xml.as_bytes(), &Limits::default()).unwrap().drafts
    }

    const TWO: &str = r#"<?xml version="1.0"?><polar-exercise-data xmlns="http://www.polarpersonaltrainer.com"><calendar-items count="2">
        <exercise><created>2015-04-08 11:13:16.0</created><time>2015-04-08 11:10:53.0</time><name>Freies</name><result>
        <distance>11300.0</distance><calories>798</calories><duration>02:09:.100</duration>
        <user-settings><heart-rate><resting>47</resting><maximum>187</maximum></heart-rate><weight>69.0</weight><height>176.0</height></user-settings>
        <heart-rate><average>151</average><maximum>185</maximum></heart-rate><recording-rate>5</recording-rate>
        <speed><type>RUNNING</type><speed><average>11.5</average><maximum>18.0</maximum></speed></speed>
        <laps><lap index="0"><duration>00:05:00.5</duration><heart-rate><average>129</average><maximum>145</maximum></heart-rate>
        <ending-values><heart-rate>144</heart-rate><distance>5</distance></ending-values><distance>1005.0</distance></lap>
        <lap index="1"><duration>00:01:00</duration></lap></laps>
        <samples><sample><type>HEARTRATE</type><values>89,,0,94,</values></sample><sample><type>SPEED</type><values>3.6, 7.2</values></sample>
        <sample><type>RUN_CADENCE</type><values>80</values></sample><sample><type>DISTANCE</type><values>0,5.5</values></sample>
        <sample><type>MOOD</type><values>20</values></sample></samples></result><note>Wind &amp; rain</note></exercise>
        <exercise><time>2011-05-11 07:09:34.0</time><sport>Cycling</sport><name>Cycling</name><result><duration>00:39:32</duration>
        <recording-rate>0</recording-rate></result><note/></exercise></calendar-items></polar-exercise-data>"#;

    #[test]
    fn every_exercise_is_an_activity() {
        let drafts = drafts(TWO);
        assert_eq!(drafts.len(), 2);
        let recording = &drafts[0].recording;
        assert_eq!(drafts[0].clock.basis, Basis::Local);
        assert_eq!(recording.stated_start.map(time::utc).as_deref(), Some("2015-04-08T11:10:53Z"));
        assert_eq!((recording.sport, recording.name.as_deref()), (Sport::RUNNING, Some("Freies")));
        assert_eq!(recording.description.as_deref(), Some("Wind & rain"));
        assert_eq!((recording.stated.elapsed_s, recording.stated.distance_m), (Some(7740.1), Some(11_300.0)));
        assert_eq!((recording.stated.avg_heart_rate, recording.zones.max_heart_rate), (Some(151.0), Some(187)));
        assert_eq!((recording.athlete.weight_kg, recording.athlete.height_m), (Some(69.0), Some(1.76)));
        let track = &recording.track;
        assert_eq!(track.times().iter().map(|t| t - track.times()[0]).collect::<Vec<_>>(), [0, 5000, 10_000, 15_000]);
        let column = |channel| [0, 1, 2, 3].map(|row| track.get(row, channel));
        assert_eq!(column(Channel::HeartRate), [Some(89.0), None, Some(0.0), Some(94.0)]);
        assert_eq!(column(Channel::Speed), [Some(1.0), Some(2.0), None, None]);
        assert_eq!(column(Channel::Cadence), [Some(80.0), None, None, None]);
        assert_eq!((track.distance(1), track.distance(2)), (Some(5.5), None));
        assert!(drafts[0].notes.get("ppt.sample_type").is_some());
        let laps: Vec<_> = recording.laps.iter().map(|lap| (lap.end - lap.start, lap.totals.distance_m)).collect();
        assert_eq!(laps, [(300_500, Some(1005.0)), (60_000, None)]);
        assert_eq!(recording.laps[0].totals.avg_heart_rate, Some(129.0));
        let second = &drafts[1].recording;
        assert_eq!((second.sport, second.track.len(), second.stated.elapsed_s), (Sport::CYCLING, 0, Some(2372.0)));
        assert!(drafts.iter().all(|draft| draft.complete));
    }

    #[test]
    fn a_sport_that_is_not_known_is_kept_as_text_and_noted() {
        let drafts =
            drafts(&TWO.replace("<sport>Cycling", "<sport>Quidditch").replace("<name>Cycling", "<name>Evening"));
        let [run, other] = &drafts[..] else { panic!("{} drafts", drafts.len()) };
        assert!(run.notes.get("ppt.sport").is_none(), "it says none");
        assert_eq!(
            (other.recording.sport, other.recording.sport_label.as_deref()),
            (Sport::GENERIC, Some("Quidditch"))
        );
        assert!(other.notes.get("ppt.sport").is_some_and(|note| note.detail.contains("Quidditch")));
    }

    #[test]
    fn laps_divided_by_sixty_are_put_right() {
        // Half an hour and a quarter written as half a minute and a quarter, in an exercise of 45 minutes.
        let xml =
            TWO.replace("02:09:.100", "00:45:00").replace("00:05:00.5", "00:00:30").replace("00:01:00", "00:00:15");
        let drafts = drafts(&xml);
        let laps: Vec<_> = drafts[0].recording.laps.iter().map(|lap| (lap.end - lap.start) / 1000).collect();
        assert_eq!(laps, [1800, 900]);
        assert!(drafts[0].notes.get("ppt.lap_time").is_some());
    }

    #[test]
    fn a_cut_file_gives_what_it_has() {
        let cut = &TWO[..TWO.find("<sample><type>SPEED").unwrap()];
        let reading = read_with(Reader::Whole(read), cut.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(reading.drafts.len(), 1);
        assert!(!reading.drafts[0].complete);
        assert_eq!(reading.drafts[0].recording.track.len(), 4);
        // 94 cut to 9.
        let cut = &TWO[..TWO.find("4,</values>").unwrap()];
        let reading = read_with(Reader::Whole(read), cut.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(reading.drafts[0].recording.track.len(), 3);
        let empty = read_with(Reader::Whole(read), b"<polar-exercise-data/>", &Limits::default()).unwrap();
        assert_eq!(empty.skipped.as_deref(), Some("calendar without exercises"));
    }
}
