//! A pool of worker threads, each with a runtime of its own. An item, a connection say, stays with the worker that got it, so
//! that what it needs is made, used and let go of on one core, and no thread has to be woken by another.
//!
//! ```text
//!                     +--> worker: a runtime of one thread, handler --> tasks
//!  dispatch(item) ----+
//!   to the least busy +--> worker: ...
//! ```

use std::io;
use std::sync::Arc;
use std::thread;

use futures_util::future::BoxFuture;
use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};
use tokio::sync::mpsc;

/// Most workers: beyond that, the kernel and the recording are what is waited for.
const MOST: usize = 8;

/// Makes the work on an item; each worker has one of its own.
pub type Handler<T> = Box<dyn Fn(T) -> BoxFuture<'static, ()> + Send>;

/// Workers, started when there is work for them. When it is dropped they end soon, and leave undone what they have not
/// finished. What counts is how many items a worker has: one that makes much work stays where it is all the same.
pub struct WorkerPool<T> {
    new_handler: Arc<dyn Fn() -> Handler<T> + Send + Sync>,
    workers: Vec<Worker<T>>,
    /// The present runtime's, where there are no workers.
    local: Option<Handler<T>>,
    most: usize,
}

struct Worker<T> {
    queue: mpsc::UnboundedSender<(T, Arc<()>)>,
    /// One clone for everything that it works on.
    load: Arc<()>,
}

impl<T: Send + 'static> WorkerPool<T> {
    /// A pool of as many workers as there are cores; `new_handler` is called in the runtime of each. On a runtime that has one
    /// thread, whose owner expects everything to happen there, it is [`Self::on_this_runtime`].
    pub fn new(new_handler: impl Fn() -> Handler<T> + Send + Sync + 'static) -> Self {
        let most = match Handle::current().runtime_flavor() {
            RuntimeFlavor::CurrentThread => 0,
            _ => thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST)),
        };
        Self { most, ..Self::on_this_runtime(new_handler) }
    }

    /// A pool without workers: the present runtime does the work.
    pub fn on_this_runtime(new_handler: impl Fn() -> Handler<T> + Send + Sync + 'static) -> Self {
        Self { new_handler: Arc::new(new_handler), workers: Vec::new(), local: None, most: 0 }
    }

    /// Has the worker work on it that has the least to do.
    pub fn dispatch(&mut self, mut item: T) {
        let idle = |worker: &Worker<T>| Arc::strong_count(&worker.load) == 1;
        if self.workers.len() < self.most
            && !self.workers.iter().any(idle)
            && let Ok(worker) = Worker::start(Arc::clone(&self.new_handler))
        {
            self.workers.push(worker);
        }
        // Where no thread is to be had, those that are there share the work.
        let least = |(_, worker): &(usize, &Worker<T>)| Arc::strong_count(&worker.load);
        while let Some((number, worker)) = self.workers.iter().enumerate().min_by_key(least) {
            match worker.queue.send((item, Arc::clone(&worker.load))) {
                Ok(()) => return,
                // It has panicked.
                Err(mpsc::error::SendError((back, _))) => {
                    item = back;
                    self.workers.swap_remove(number);
                }
            }
        }
        tokio::spawn(self.local.get_or_insert_with(&*self.new_handler)(item));
    }
}

impl<T: Send + 'static> Worker<T> {
    fn start(new_handler: Arc<dyn Fn() -> Handler<T> + Send + Sync>) -> io::Result<Self> {
        let (queue, mut items) = mpsc::unbounded_channel::<(T, Arc<()>)>();
        // A runtime may not be dropped here, as one would be whose thread is not to be had: so the thread is there first.
        let (give_runtime, runtimes) = std::sync::mpsc::channel::<Runtime>();
        thread::Builder::new().name("worker".into()).spawn(move || {
            let Ok(runtime) = runtimes.recv() else { return };
            runtime.block_on(async {
                let handler = new_handler();
                while let Some((item, load)) = items.recv().await {
                    let work = handler(item);
                    tokio::spawn(async move {
                        work.await;
                        drop(load);
                    });
                }
            });
        })?;
        // Fails only when the thread has ended, which waits for it.
        let _ = give_runtime.send(Builder::new_current_thread().enable_all().build()?);
        Ok(Self { queue, load: Arc::default() })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Mutex;
    use std::thread::ThreadId;

    use futures_util::FutureExt as _;
    use tokio::sync::Semaphore;

    use super::*;

    /// Notes which thread works on each, and works until it is let go on.
    fn handler(
        threads: &Arc<Mutex<Vec<ThreadId>>>,
        go_on: &Arc<Semaphore>,
        begun: &mpsc::UnboundedSender<u32>,
    ) -> Handler<u32> {
        let (threads, go_on, begun) = (threads.clone(), go_on.clone(), begun.clone());
        Box::new(move |number| {
            let (threads, go_on, begun) = (threads.clone(), go_on.clone(), begun.clone());
            let work = async move {
                let note = || threads.lock().unwrap().push(thread::current().id());
                note();
                let _ = begun.send(number);
                let _ = go_on.acquire().await.map(tokio::sync::SemaphorePermit::forget);
                note();
            };
            work.boxed()
        })
    }

    type Parts = (WorkerPool<u32>, Arc<Mutex<Vec<ThreadId>>>, Arc<Semaphore>, mpsc::UnboundedReceiver<u32>);

    fn pool() -> Parts {
        let (threads, go_on) = (Arc::default(), Arc::new(Semaphore::new(0)));
        let (begun, begins) = mpsc::unbounded_channel();
        let pool = WorkerPool::new({
            let (threads, go_on) = (Arc::clone(&threads), go_on.clone());
            move || handler(&threads, &go_on, &begun)
        });
        (pool, threads, go_on, begins)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_is_worked_on_at_the_same_time_is_shared_evenly_and_stays_where_it_is() {
        let (mut pool, threads, go_on, mut begins) = pool();
        pool.most = 2;
        for number in 0..4 {
            pool.dispatch(number);
            begins.recv().await.unwrap();
        }
        assert_eq!(pool.workers.iter().map(|worker| Arc::strong_count(&worker.load)).collect::<Vec<_>>(), [3, 3]);
        let first = threads.lock().unwrap().clone();
        assert_eq!(first.iter().collect::<HashSet<_>>().len(), 2);
        assert_eq!((first[0], first[1]), (first[2], first[3]));
        assert!(!first.contains(&thread::current().id()));
        go_on.add_permits(4);
        while pool.workers.iter().any(|worker| Arc::strong_count(&worker.load) > 1) {
            tokio::task::yield_now().await;
        }
        let all = threads.lock().unwrap().clone();
        assert!(first.iter().all(|thread| all.iter().filter(|other| *other == thread).count() == 4));
        // Who has nothing to do is asked before another is started.
        pool.most = 3;
        pool.dispatch(4);
        assert_eq!(pool.workers.len(), 2);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn workers_end_with_their_pool() {
        let (mut pool, threads, _go_on, mut begins) = pool();
        pool.dispatch(0);
        assert_eq!(begins.recv().await, Some(0));
        drop(pool);
        // The last handler is gone, and with it what would tell of another beginning.
        assert_eq!(begins.recv().await, None);
        assert_eq!(threads.lock().unwrap().len(), 1, "what was not finished is left");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_worker_that_panicked_gets_nothing() {
        let (begun, mut begins) = mpsc::unbounded_channel();
        let mut pool = WorkerPool::new(move || -> Handler<u32> {
            let begun = begun.clone();
            Box::new(move |number| {
                assert!(number > 0, "a handler that panics");
                let begun = begun.clone();
                async move { begun.send(number).unwrap_or_default() }.boxed()
            })
        });
        pool.most = 1;
        pool.dispatch(0);
        while !pool.workers[0].queue.is_closed() {
            tokio::task::yield_now().await;
        }
        pool.dispatch(1);
        assert_eq!((begins.recv().await, pool.workers.len()), (Some(1), 0));
        pool.dispatch(2);
        assert_eq!((begins.recv().await, pool.workers.len()), (Some(2), 1));
    }

    #[tokio::test]
    async fn a_runtime_of_one_thread_is_where_everything_happens() {
        let (mut pool, threads, go_on, mut begins) = pool();
        go_on.add_permits(2);
        for number in 0..2 {
            pool.dispatch(number);
            assert_eq!(begins.recv().await, Some(number));
        }
        assert!(pool.workers.is_empty());
        assert!(threads.lock().unwrap().iter().all(|thread| *thread == thread::current().id()));
    }
}
