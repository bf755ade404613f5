//! What the lines of a segment say, worked out on all cores when there are many of them: seals are checked by one thread,
//! which is quick, and the lines' JSON is read by the others.

use std::mem;
use std::ops::Range;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::journal::Line;
use super::lines::{Said, SegmentFile, said};

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
        let mut all = Vec::new();
        let done = read(&mut |line, text| all.push(said(line, text, file)));
        return (done, vec![all]);
    }
    let (pieces, inbox) = mpsc::sync_channel(2 * threads);
    let inbox = Mutex::new(inbox);
    // Pieces come back to be filled again: fresh memory would cost as much as the reading.
    let (emptied, returned) = mpsc::channel();
    thread::scope(|scope| {
        let inbox = &inbox;
        let worker = |_| {
            let emptied = emptied.clone();
            scope.spawn(move || work(inbox, &emptied, file))
        };
        let workers: Vec<_> = (0..threads).map(worker).collect();
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
    let mut done = Vec::new();
    let next = || inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
    while let Ok((number, mut piece)) = next() {
        let text = |range: &Range<usize>| piece.bytes.get(range.clone()).unwrap_or_default();
        done.push((number, piece.lines.iter().map(|(line, range)| said(line, text(range), file)).collect()));
        piece.bytes.clear();
        piece.lines.clear();
        // Nobody wants it any more at the end.
        let _ = emptied.send(piece);
    }
    done
}
