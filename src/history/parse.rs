//! What the lines of a segment say, worked out on all cores when there are many of them: seals are checked by one thread,
//! which is quick, and the lines' JSON is read by the others.

use std::mem;
use std::ops::Range;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::journal::Line;
use super::lines::{Said, SegmentFile, Sports, said};

/// Below so many bytes threads are not worth their start.
const MANY: u64 = 4 << 20;
/// Bytes that are handed over at a time.
const PIECE: usize = 512 << 10;
const MOST_THREADS: usize = 8;

/// Takes a line and its text.
pub(super) type Each<'e> = dyn FnMut(&Line, &[u8]) + 'e;

/// Lets `read` go through about so many bytes of lines, and gives what it gives and what its lines say, in their order
/// and in pieces.
pub(super) fn parsed<T>(
    length: u64,
    file: &Arc<SegmentFile>,
    read: impl FnOnce(&mut Each<'_>) -> T,
) -> (T, Vec<Vec<Said>>) {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST_THREADS);
    if length < MANY || threads == 1 {
        let (mut all, mut sports) = (Vec::new(), Sports::default());
        let done = read(&mut |line, text| all.push(said(line, text, file, &mut sports)));
        return (done, vec![all]);
    }
    let (pieces, inbox) = mpsc::sync_channel(2 * threads);
    // Shared by the workers alone: when all of them are gone, sending fails instead of waiting for ever.
    let inbox = Arc::new(Mutex::new(inbox));
    // Pieces come back to be filled again: fresh memory would cost as much as the reading.
    let (emptied, returned) = mpsc::channel();
    thread::scope(|scope| {
        let worker = |_| {
            let (inbox, emptied) = (Arc::clone(&inbox), emptied.clone());
            scope.spawn(move || work(&inbox, &emptied, file))
        };
        let workers: Vec<_> = (0..threads).map(worker).collect();
        drop(inbox);
        let (mut piece, mut number) = (Piece::with_room(), 0);
        let done = read(&mut |line, text| {
            piece.add(line, text);
            if piece.bytes.len() >= PIECE {
                // Nobody takes it only when a worker panicked, which is told below.
                let _ = pieces.send((
                    number,
                    mem::replace(&mut piece, returned.try_recv().unwrap_or_else(|_| Piece::with_room())),
                ));
                number += 1;
            }
        });
        let _ = pieces.send((number, piece));
        drop(pieces);
        let joined =
            workers.into_iter().flat_map(|worker| worker.join().unwrap_or_else(|p| std::panic::resume_unwind(p)));
        let mut said: Vec<(usize, Vec<Said>)> = joined.collect();
        said.sort_unstable_by_key(|(number, _)| *number);
        (done, said.into_iter().map(|(_, said)| said).collect())
    })
}

/// Lines on their way to a worker.
struct Piece {
    bytes: Vec<u8>,
    lines: Vec<(Line, Range<usize>)>,
}

impl Piece {
    fn with_room() -> Piece {
        Piece { bytes: Vec::with_capacity(PIECE + PIECE / 8), lines: Vec::with_capacity(PIECE / 256) }
    }

    fn add(&mut self, line: &Line, text: &[u8]) {
        let from = self.bytes.len();
        self.bytes.extend_from_slice(text);
        self.lines.push((line.clone(), from..self.bytes.len()));
    }
}

/// A piece and its number.
type Numbered = (usize, Piece);

fn work(
    inbox: &Mutex<Receiver<Numbered>>,
    emptied: &Sender<Piece>,
    file: &Arc<SegmentFile>,
) -> Vec<(usize, Vec<Said>)> {
    let (mut done, mut sports) = (Vec::new(), Sports::default());
    let next = || inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
    while let Ok((number, mut piece)) = next() {
        let text = |range: &Range<usize>| piece.bytes.get(range.clone()).unwrap_or_default();
        let said = piece.lines.iter().map(|(line, range)| said(line, text(range), file, &mut sports));
        done.push((number, said.collect()));
        piece.bytes.clear();
        piece.lines.clear();
        // Nobody wants it any more at the end.
        let _ = emptied.send(piece);
    }
    done
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::History;
    use super::super::entry::Batch;
    use super::super::journal::{LineKind, body, seal};
    use super::super::testing::{START, scratch, summary};
    use super::*;
    use crate::ids::{ActivityId, Digest};

    const LINES: usize = 8000;

    /// A journal of two batches, which is long enough for threads. Every 100th line is odd.
    fn journal() -> (Vec<u8>, usize, Vec<ActivityId>) {
        let (mut out, mut ids, mut first, mut n) = (Vec::new(), Vec::new(), 0, 0);
        for lines in [LINES, 50] {
            first = out.len();
            n += 1;
            seal(&mut out, &body(LineKind::Batch, &Batch { parser: "1.2.3".into(), lines, resets: false }).unwrap(), n);
            for _ in 0..lines {
                n += 1;
                if n % 100 == 0 {
                    seal(&mut out, b"{\"kind\":\"activity\",\"id\":7", n);
                    continue;
                }
                let digest = Digest(std::array::from_fn(|i| (n >> (8 * (i % 2))) as u8));
                let summary = summary(&digest, 0, START + n as i64 * 1000);
                seal(&mut out, &body(LineKind::Activity, &summary).unwrap(), n);
                ids.push(summary.id);
            }
        }
        (out, first, ids)
    }

    #[test]
    fn many_lines_say_what_few_would_and_a_torn_end_is_cut() {
        let folder = scratch();
        let root = folder.path();
        fs::create_dir(root.join("journal")).unwrap();
        fs::write(root.join("paceport.json"), "{\"history\": 1}").unwrap();
        let (whole, second, ids) = journal();
        assert!(second as u64 > MANY);
        for (length, many) in [(whole.len(), ids.len()), (whole.len() - 30, ids.len() - 50), (second, ids.len() - 50)] {
            fs::write(root.join("journal/000001.jsonl"), &whole[..length]).unwrap();
            let history = History::open(root).unwrap();
            let met: Vec<ActivityId> = history.activities().iter().map(|activity| activity.id).collect();
            assert!(met == ids[..many], "{} of {many}", met.len());
            assert_eq!(history.damaged_lines(), LINES / 100);
            assert_eq!(history.activities()[many - 1].summary().unwrap().id, ids[many - 1]);
        }
    }
}
