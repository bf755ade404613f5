//! What the FIT reader promises, each on a file that shows just that. Expected values are worked out from the FIT profile.

mod container;
mod developer;
mod fields;
mod messages;
mod mutants;
mod records;

use paceport::formats::{Reading, read_bytes};
use paceport::limits::Limits;
use paceport::model::time::FIT_EPOCH_S;
use paceport::model::{Channel, Draft};

fn ms(seconds: u32) -> i64 {
    (i64::from(seconds) + FIT_EPOCH_S) * 1000
}

fn read(bytes: &[u8]) -> Reading {
    read_bytes(bytes, &Limits::default()).unwrap().1
}

fn only(bytes: &[u8]) -> Draft {
    let mut drafts = read(bytes).drafts;
    assert_eq!(drafts.len(), 1);
    drafts.remove(0)
}

fn column(draft: &Draft, channel: Channel) -> Vec<Option<f32>> {
    let track = &draft.recording.track;
    (0..track.len()).map(|row| track.get(row, channel)).collect()
}

fn extra(draft: &Draft, name: &str) -> Vec<Option<f64>> {
    let track = &draft.recording.track;
    let column = track.extra().iter().find(|column| column.key.name == name).unwrap_or_else(|| panic!("no {name}"));
    (0..track.len()).map(|row| column.get(row)).collect()
}

fn codes(draft: &Draft) -> Vec<&str> {
    draft.notes.iter().map(|note| note.code.as_ref()).collect()
}
