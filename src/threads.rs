//! Threads: as many as there are processors, or as few as the system gives.
//!
//! A limit of processes (`ulimit -u`, that of a container) may be reached at any time, and then
//! the standard library panics. Here the thread that wanted another one does the work itself.
//! The rules check that nothing else starts threads (`tests/tidy/layers.rs`).

use std::io;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle, Scope, ScopedJoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

/// Tells how many threads are worth it for work that can be divided; asked for once, since the
/// system reads half a dozen files for it.
pub fn count() -> usize {
    static COUNT: OnceLock<usize> = OnceLock::new();
    *COUNT.get_or_init(|| thread::available_parallelism().map_or(2, usize::from))
}

/// Does `work` on up to `count` threads, of which this one is the first, until all have ended.
///
/// Shape: whatever there is to do must be done when only one comes; at least one does.
pub fn share(count: usize, work: impl Fn() + Sync) {
    thread::scope(|scope| {
        join(scope, count.saturating_sub(1), &work);
        work();
    });
}

/// Does `work` as [`share`] does, and gives all that came of it, in no order.
///
/// Errors: one of those of `work`.
pub fn gather<T: Send, E: Send>(
    count: usize,
    work: impl Fn() -> Result<Vec<T>, E> + Sync,
) -> Result<Vec<T>, E> {
    let outcomes = Mutex::new(Vec::new());
    share(count, || {
        let outcome = work();
        outcomes.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
    });
    let mut all = Vec::new();
    for outcome in outcomes.into_inner().unwrap_or_else(PoisonError::into_inner) {
        all.extend(outcome?);
    }
    Ok(all)
}

/// Starts up to `count` threads that do `work`; tells how many the system gave.
pub fn join<'scope>(
    scope: &'scope Scope<'scope, '_>,
    count: usize,
    work: &'scope (impl Fn() + Sync),
) -> usize {
    (0..count).take_while(|_| begin(scope, work).is_some()).count()
}

/// Starts a thread, or drops the work if the system gives none.
pub fn begin<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Option<ScopedJoinHandle<'scope, T>> {
    thread::Builder::new().spawn_scoped(scope, work).ok()
}

/// Starts a thread that may live longer than whoever starts it.
///
/// Errors: the system gives none; the work is dropped then.
pub fn start<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    thread::Builder::new().spawn(work)
}

/// Waits for a thread, and panics as it did.
pub fn end<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Has `consume` take on a thread of its own what `produce` sends from this one.
///
/// Cost: `room` items under way; all of them where `consume` comes after for want of a thread.
pub fn consume_beside<T: Send, P, C: Send>(
    room: usize,
    produce: impl FnOnce(Sender<T>) -> P,
    consume: impl FnOnce(Receiver<T>) -> C + Send,
) -> (P, C) {
    let consume = Once::new(consume);
    thread::scope(|scope| {
        let (sender, receiver) = bounded(room);
        if let Some(thread) = begin(scope, || consume.take()(receiver)) {
            let produced = produce(sender);
            return (produced, end(thread));
        }
        let (sender, receiver) = unbounded();
        (produce(sender), consume.take()(receiver))
    })
}

/// Has `produce` send from a thread of its own what `consume` takes on this one.
///
/// Cost: as that of [`consume_beside`].
pub fn produce_beside<T: Send, P: Send, C>(
    room: usize,
    produce: impl FnOnce(Sender<T>) -> P + Send,
    consume: impl FnOnce(Receiver<T>) -> C,
) -> (P, C) {
    let produce = Once::new(produce);
    thread::scope(|scope| {
        let (sender, receiver) = bounded(room);
        if let Some(thread) = begin(scope, || produce.take()(sender)) {
            let consumed = consume(receiver);
            return (end(thread), consumed);
        }
        let (sender, receiver) = unbounded();
        (produce.take()(sender), consume(receiver))
    })
}

/// Something for the one thread that comes to do it; it is not lost when that one never begins.
#[derive(Debug)]
pub struct Once<T>(Mutex<Option<T>>);

impl<T> Once<T> {
    /// Keeps it until it is taken.
    pub fn new(value: T) -> Self {
        Self(Mutex::new(Some(value)))
    }

    /// Takes it.
    ///
    /// # Panics
    ///
    /// If it was taken before.
    pub fn take(&self) -> T {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.take().expect("one thread comes for it, and no other")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn work_that_is_shared_is_done_by_as_many_as_asked_for() {
        for count in [0, 1, 4] {
            let came = AtomicUsize::new(0);
            share(count, || {
                came.fetch_add(1, Ordering::Relaxed);
            });
            assert_eq!(came.into_inner(), count.max(1));
        }
    }

    #[test]
    fn what_comes_of_it_is_gathered_and_an_error_is_told() {
        let next = AtomicUsize::new(0);
        let take = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|n| *n < 100);
        let mut all = gather(3, || Ok::<_, ()>(std::iter::from_fn(take).collect())).unwrap();
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
        assert_eq!(gather(3, || Err::<Vec<()>, _>("damaged")), Err("damaged"));
    }

    #[test]
    fn what_is_sent_arrives_in_order_whichever_end_is_elsewhere() {
        let send = |sender: Sender<u32>| (0..100).try_for_each(|n| sender.send(n)).is_ok();
        let take = |receiver: Receiver<u32>| receiver.iter().collect::<Vec<_>>();
        let all: Vec<_> = (0..100).collect();
        assert_eq!(consume_beside(3, send, take), (true, all.clone()));
        assert_eq!(produce_beside(3, send, take), (true, all));
    }

    #[test]
    fn a_consumer_that_ends_early_ends_the_producer() {
        let send = |sender: Sender<u32>| (0..100).take_while(|n| sender.send(*n).is_ok()).count();
        let (sent, first) = produce_beside(3, send, |receiver| receiver.recv());
        assert_eq!(first, Ok(0));
        assert!(sent < 100, "{sent}");
    }
}
