//! Runs one task a job on several threads, largest first, under the memory gate.

use std::cell::Cell;
use std::num::NonZero;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::budget::Budget;
use crate::error::{Error, Kind, Result};

/// How much may run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Workers {
    /// Threads; 0 is one a core.
    pub threads: usize,
    /// Bytes of the memory gate.
    pub memory: u64,
}

/// Bytes that a job of `size` bytes needs at its peak: content, columns and the expansion of text.
fn need(size: u64) -> u64 {
    size.saturating_mul(3).saturating_add(1 << 20)
}

/// Runs `work` for every job. `sizes[i]` is the size of job `i`. Each result is handed to `consume` as soon as it is there,
/// one at a time and in no particular order, while its share of the budget is still held: by the thread that made it, as
/// waking another one would cost each of thousands of small jobs two changes of threads. A panic inside `work` becomes an
/// error of kind `Internal`, and so does one inside `consume`, which ends the run.
///
/// # Errors
/// The first error that `consume` gives (jobs not yet started are dropped).
pub fn run<T: Send>(
    workers: Workers,
    sizes: &[u64],
    work: impl Fn(usize) -> Result<T> + Sync,
    consume: impl FnMut(usize, Result<T>) -> Result<()> + Send,
) -> Result<()> {
    let mut order: Vec<u32> = (0..sizes.len() as u32).collect();
    order.sort_unstable_by_key(|&job| (std::cmp::Reverse(sizes[job as usize]), job));
    let budget = Budget::new(workers.memory);
    let next = AtomicUsize::new(0);
    let consumer = Mutex::new((consume, Ok(())));
    together(workers.threads, order.len(), &|| {
        while let Some(&job) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let job = job as usize;
            let permit = budget.take(need(sizes[job]));
            let result = caught(|| work(job));
            let (consume, outcome) = &mut *consumer.lock().unwrap_or_else(PoisonError::into_inner);
            if outcome.is_ok() {
                *outcome = caught(|| consume(job, result));
            }
            if outcome.is_err() {
                return;
            }
            drop(permit);
        }
    });
    let (_, outcome) = consumer.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcome
}

/// Runs a function for each number below a count on so many threads; here when it is not worth starting them.
pub(super) fn spread(threads: usize) -> impl Fn(usize, &(dyn Fn(usize) + Sync)) {
    move |count, each| in_pieces(threads, count, &|piece| piece.for_each(each))
}

/// What a function makes of each of these on so many threads, in their order.
pub(super) fn map<'t, T: Sync, R: Send>(threads: usize, items: &'t [T], make: &(dyn Fn(&'t T) -> R + Sync)) -> Vec<R> {
    let made = Mutex::new(Vec::new());
    in_pieces(threads, items.len(), &|piece| {
        let of_piece: Vec<R> = items[piece.clone()].iter().map(make).collect();
        made.lock().unwrap_or_else(PoisonError::into_inner).push((piece.start, of_piece));
    });
    let mut made = made.into_inner().unwrap_or_else(PoisonError::into_inner);
    made.sort_unstable_by_key(|(start, _)| *start);
    made.into_iter().flat_map(|(_, of_piece)| of_piece).collect()
}

/// Takes the numbers below a count in pieces.
fn in_pieces(threads: usize, count: usize, take: &(dyn Fn(Range<usize>) + Sync)) {
    const PIECE: usize = 16;
    /// For fewer pieces threads are not worth their start.
    const FEW: usize = 4;
    let pieces = count.div_ceil(PIECE);
    let next = AtomicUsize::new(0);
    together(if pieces < FEW { 1 } else { threads }, pieces, &|| {
        loop {
            let start = next.fetch_add(1, Ordering::Relaxed) * PIECE;
            if start >= count {
                break;
            }
            take(start..count.min(start + PIECE));
        }
    });
}

/// Runs `work` on so many threads at once (0: one a core), no more than there are things to do. This thread is one of them:
/// the system is slow to see that the core of one that only waits is free for the others.
fn together(threads: usize, things: usize, work: &(dyn Fn() + Sync)) {
    let threads = if threads == 0 { thread::available_parallelism().map_or(1, NonZero::get) } else { threads };
    thread::scope(|scope| {
        for number in 1..threads.min(things) {
            // Without more threads those that are there do it all.
            if thread::Builder::new().name(format!("paceport-{number}")).spawn_scoped(scope, work).is_err() {
                break;
            }
        }
        work();
    });
}

/// Does two things at once where there are threads for it, else `beside` first.
///
/// # Errors
/// That of `beside`.
pub(super) fn both<A: Send, B>(
    threads: usize,
    beside: &(dyn Fn() -> Result<A> + Sync),
    here: impl FnOnce() -> B,
) -> Result<(A, B)> {
    thread::scope(|scope| {
        let started = if threads == 1 { None } else { thread::Builder::new().spawn_scoped(scope, beside).ok() };
        let Some(started) = started else { return Ok((beside()?, here())) };
        let here = here();
        Ok((started.join().unwrap_or_else(|panic| resume_unwind(panic))?, here))
    })
}

thread_local! {
    static CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// True when a panic of this thread would be reported as the error of a source: printing it as well would only confuse.
pub fn reports_panics() -> bool {
    CAUGHT.get()
}

/// What `work` gives; a panic inside it becomes an error.
fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let before = CAUGHT.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(panicked(&*panic)));
    CAUGHT.set(before);
    result
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let what = panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "unknown reason".to_owned());
    Error::new(Kind::Internal, format!("a fault of this program, please report it: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_the_jobs_error_and_the_others_go_on() {
        for threads in [1, 4] {
            let mut results = vec![None; 20];
            let sizes: Vec<u64> = (0..20).map(|i| i * 1000).collect();
            let work = |job: usize| if job == 7 { panic!("boom {job}") } else { Ok(job * 2) };
            run(Workers { threads, memory: 1 << 20 }, &sizes, work, |job, result| {
                results[job] = Some(result.map_err(|e| e.message().to_owned()));
                Ok(())
            })
            .unwrap();
            for (job, result) in results.into_iter().enumerate() {
                match result.unwrap() {
                    Ok(value) => assert_eq!(value, job * 2),
                    Err(message) => assert!(job == 7 && message.ends_with("boom 7"), "{message}"),
                }
            }
        }
    }

    #[test]
    fn what_is_made_on_several_threads_comes_in_order() {
        for (threads, count) in [(1, 100), (2, 0), (2, 63), (3, 64), (8, 1000), (0, 1000)] {
            let items: Vec<usize> = (0..count).collect();
            assert_eq!(map(threads, &items, &|item| item * 2), items.iter().map(|item| item * 2).collect::<Vec<_>>());
            let met = Mutex::new(vec![0; count]);
            spread(threads)(count, &|number| met.lock().unwrap()[number] += 1);
            assert_eq!(met.into_inner().unwrap(), vec![1; count]);
        }
    }

    #[test]
    fn two_things_are_done_at_once_where_there_are_threads() {
        let here = thread::current().id();
        for (threads, at_once) in [(1, false), (2, true), (0, true)] {
            let id = || thread::current().id();
            let (of_beside, of_here) = both(threads, &|| Ok(id()), id).unwrap();
            assert_eq!((of_here, of_beside != here), (here, at_once), "{threads} threads");
        }
        let failed = || Err::<(), _>(Error::new(Kind::Io, "locked"));
        assert!(both(2, &failed, || ()).is_err());
        assert!(both(1, &failed, || unreachable!("the first one failed")).is_err());
    }

    #[test]
    fn only_panics_inside_of_jobs_are_reported() {
        run(Workers { threads: 2, memory: 1 << 20 }, &[1; 100], Ok, |_, _| {
            assert!(reports_panics());
            Ok(())
        })
        .unwrap();
        assert!(!reports_panics());
    }

    #[test]
    fn an_error_of_the_consumer_ends_the_run() {
        let mut met = 0;
        let result = run(Workers { threads: 2, memory: 1 << 30 }, &[1; 1000], Ok, |_, _| {
            met += 1;
            if met == 3 { Err(Error::new(Kind::Io, "disk full")) } else { Ok(()) }
        });
        assert_eq!(result.unwrap_err().message(), "disk full");
        assert_eq!(met, 3);
    }

    #[test]
    fn a_panic_of_the_consumer_ends_the_run_and_is_told() {
        for threads in [1, 4] {
            let mut met = 0;
            let result = run(Workers { threads, memory: 1 << 30 }, &[1; 1000], Ok, |_, _| {
                met += 1;
                assert!(met < 3, "boom at {met}");
                Ok(())
            });
            let error = result.unwrap_err();
            assert!(error.kind() == Kind::Internal && error.message().ends_with("boom at 3"), "{error}");
            assert_eq!(met, 3);
        }
    }
}
