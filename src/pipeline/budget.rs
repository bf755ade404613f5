//! The memory gate: jobs take bytes from one budget before they load.

use std::sync::{Condvar, Mutex, PoisonError};

/// A counting gate over bytes. A request larger than the whole budget is served alone.
pub struct Budget {
    total: u64,
    state: Mutex<State>,
    freed: Condvar,
}

struct State {
    free: u64,
    /// Takers that wait; when there is none, a returning permit wakes nobody.
    waiting: usize,
}

impl Budget {
    /// A gate over `total` bytes (at least one).
    pub fn new(total: u64) -> Budget {
        let total = total.max(1);
        Budget { total, state: Mutex::new(State { free: total, waiting: 0 }), freed: Condvar::new() }
    }

    /// Takes `bytes`, waiting until they are free; they return when the permit is dropped. Waiting cannot deadlock as
    /// long as a holder asks for nothing more.
    pub fn take(&self, bytes: u64) -> Permit<'_> {
        let bytes = bytes.min(self.total);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.free < bytes {
            state.waiting += 1;
            state = self.freed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.waiting -= 1;
        }
        state.free -= bytes;
        Permit { budget: self, bytes }
    }
}

/// Bytes taken from a [`Budget`].
pub struct Permit<'a> {
    budget: &'a Budget,
    bytes: u64,
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = self.budget.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.free += self.bytes;
        if state.waiting > 0 {
            self.budget.freed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn never_hands_out_more_than_the_budget() {
        let budget = Budget::new(100);
        let (held, most) = (AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for i in 0..16u64 {
                let (budget, held, most) = (&budget, &held, &most);
                scope.spawn(move || {
                    let want = 10 + i * 9;
                    let _permit = budget.take(want);
                    let now = held.fetch_add(want.min(100), Ordering::SeqCst) + want.min(100);
                    most.fetch_max(now, Ordering::SeqCst);
                    std::thread::yield_now();
                    held.fetch_sub(want.min(100), Ordering::SeqCst);
                });
            }
        });
        assert!(most.load(Ordering::SeqCst) <= 100);
        drop(budget.take(1_000_000));
    }
}
