//! A parallel map: work on every core, results in order.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

/// More threads than this wait for the memory rather than for each other.
const MOST: usize = 8;

/// Does `work` for each number below `count`, on every core. `each` gets the results in the order of the numbers, on the
/// calling thread, for as long as it wants more.
pub fn in_order<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync, mut each: impl FnMut(T) -> ControlFlow<()>) {
    let workers = thread::available_parallelism().map_or(1, usize::from).min(MOST).min(count);
    if workers <= 1 {
        let _ = (0..count).map(work).try_for_each(each);
        return;
    }
    let next = AtomicUsize::new(0);
    let (give, results) = mpsc::sync_channel(2 * workers);
    thread::scope(|scope| {
        for _ in 0..workers {
            let (give, next, work) = (give.clone(), &next, &work);
            scope.spawn(move || {
                let numbers = std::iter::repeat_with(|| next.fetch_add(1, Ordering::Relaxed));
                for number in numbers.take_while(|number| *number < count) {
                    // Nobody takes it any more: `each` has had enough.
                    if give.send((number, work(number))).is_err() {
                        break;
                    }
                }
            });
        }
        drop(give);
        let mut early = BTreeMap::new();
        let mut due = 0;
        for (number, result) in results {
            early.insert(number, result);
            while let Some(result) = early.remove(&due) {
                due += 1;
                if each(result).is_break() {
                    return;
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_order_and_only_as_long_as_they_are_wanted() {
        for wanted in [0, 1, 7, 100] {
            let mut results = Vec::new();
            in_order(
                100,
                |number| number * number,
                |result| {
                    results.push(result);
                    if results.len() >= wanted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                },
            );
            assert_eq!(results, (0..wanted.max(1)).map(|number| number * number).collect::<Vec<_>>());
        }
        in_order(0, |number| number, |_| panic!("there is nothing to do"));
    }
}
