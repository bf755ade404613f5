//! Runs one task a job on a rayon pool, largest first, under the memory gate; results come back in plan order.

use std::cell::OnceCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

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
/// When the threads cannot be started, or the first error that `consume` gives (jobs not yet started are dropped).
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
    pool(workers.threads)?.broadcast(|_| {
        while let Some(&job) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
            let job = job as usize;
            let permit = budget.take(need(sizes[job]));
            let result = catch_unwind(AssertUnwindSafe(|| work(job))).unwrap_or_else(|panic| Err(panicked(&*panic)));
            let (consume, outcome) = &mut *consumer.lock().unwrap_or_else(PoisonError::into_inner);
            if outcome.is_ok() {
                // Here too: the thread is one whose panics are not printed.
                *outcome = catch_unwind(AssertUnwindSafe(|| consume(job, result)))
                    .unwrap_or_else(|panic| Err(panicked(&*panic)));
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

/// Runs a function for each number below a count on the workers' threads; here when it is not worth starting them.
pub(super) fn spread(workers: Workers) -> impl Fn(usize, &(dyn Fn(usize) + Sync)) {
    const FEW: usize = 64;
    let started: OnceCell<Option<rayon::ThreadPool>> = OnceCell::new();
    move |count, each| {
        let threads = || started.get_or_init(|| pool(workers.threads).ok());
        match Some(count).filter(|&count| count >= FEW && workers.threads != 1).and_then(|_| threads().as_ref()) {
            Some(pool) => pool.install(|| (0..count).into_par_iter().with_min_len(FEW / 4).for_each(each)),
            None => (0..count).for_each(each),
        }
    }
}

/// So many threads; one a core when it is 0.
pub(super) fn pool(threads: usize) -> Result<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|i| format!("{WORKER_PREFIX}{i}"))
        .build()
        .map_err(no_thread)
}

/// The system gives no more threads.
pub(super) fn no_thread(reason: impl std::fmt::Display) -> Error {
    Error::new(Kind::Internal, format!("cannot start threads: {reason}"))
}

/// Threads whose names start so run jobs; a panic there is reported as that source's error, not printed.
pub const WORKER_PREFIX: &str = "paceport-";

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
