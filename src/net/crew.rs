//! Threads that share work by the thing it is about, a connection say: each thing stays with one of them, so that what it
//! needs is made, used and let go of on one core, and no thread has to be woken by another.
//!
//! ```text
//!                 +--> member: a runtime of one thread, desk --> tasks
//!  give(thing) ---+
//!   to the idlest +--> member: ...
//! ```

use std::io;
use std::sync::Arc;
use std::thread;

use futures_util::future::BoxFuture;
use tokio::runtime::{Builder, Handle, Runtime, RuntimeFlavor};
use tokio::sync::mpsc;

/// Most members: beyond that, the kernel and the recording are what is waited for.
const MOST: usize = 8;

/// Where a member takes in what it is given: the work on it.
pub type Desk<T> = Box<dyn Fn(T) -> BoxFuture<'static, ()> + Send>;

/// Members, hired when there is work for them. When it is dropped they leave soon, and leave undone what they have not
/// finished. What counts is how many things a member has: one that makes much work stays where it is all the same.
pub struct Crew<T> {
    hire: Arc<dyn Fn() -> Desk<T> + Send + Sync>,
    members: Vec<Member<T>>,
    /// The present runtime's, where there are no members.
    here: Option<Desk<T>>,
    most: usize,
}

struct Member<T> {
    queue: mpsc::UnboundedSender<(T, Arc<()>)>,
    /// One clone for everything that it works on.
    load: Arc<()>,
}

impl<T: Send + 'static> Crew<T> {
    /// A crew of which each member has a desk of its own, made in its own runtime; as many as there are cores. On a runtime
    /// that has one thread, whose owner expects everything to happen there, it is [`Self::here`].
    pub fn new(hire: impl Fn() -> Desk<T> + Send + Sync + 'static) -> Self {
        let most = match Handle::current().runtime_flavor() {
            RuntimeFlavor::CurrentThread => 0,
            _ => thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST)),
        };
        Self { most, ..Self::here(hire) }
    }

    /// A crew without members: the present runtime does the work.
    pub fn here(hire: impl Fn() -> Desk<T> + Send + Sync + 'static) -> Self {
        Self { hire: Arc::new(hire), members: Vec::new(), here: None, most: 0 }
    }

    /// Has the member work on it that has the least to do.
    pub fn give(&mut self, mut thing: T) {
        let idle = |member: &Member<T>| Arc::strong_count(&member.load) == 1;
        if self.members.len() < self.most
            && !self.members.iter().any(idle)
            && let Ok(member) = Member::begin(Arc::clone(&self.hire))
        {
            self.members.push(member);
        }
        // Where no thread is to be had, those that are there share the work.
        let least = |(_, member): &(usize, &Member<T>)| Arc::strong_count(&member.load);
        while let Some((number, member)) = self.members.iter().enumerate().min_by_key(least) {
            match member.queue.send((thing, Arc::clone(&member.load))) {
                Ok(()) => return,
                // It has panicked.
                Err(mpsc::error::SendError((back, _))) => {
                    thing = back;
                    self.members.swap_remove(number);
                }
            }
        }
        tokio::spawn(self.here.get_or_insert_with(&*self.hire)(thing));
    }
}

impl<T: Send + 'static> Member<T> {
    fn begin(hire: Arc<dyn Fn() -> Desk<T> + Send + Sync>) -> io::Result<Self> {
        let (queue, mut given) = mpsc::unbounded_channel::<(T, Arc<()>)>();
        // A runtime may not be dropped here, as one would be whose thread is not to be had: so the thread is there first.
        let (equip, equipped) = std::sync::mpsc::channel::<Runtime>();
        thread::Builder::new().name("crew".into()).spawn(move || {
            let Ok(runtime) = equipped.recv() else { return };
            runtime.block_on(async {
                let desk = hire();
                while let Some((thing, load)) = given.recv().await {
                    let work = desk(thing);
                    tokio::spawn(async move {
                        work.await;
                        drop(load);
                    });
                }
            });
        })?;
        // Fails only when the thread has ended, which waits for it.
        let _ = equip.send(Builder::new_current_thread().enable_all().build()?);
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
    fn desk(
        threads: &Arc<Mutex<Vec<ThreadId>>>,
        go_on: &Arc<Semaphore>,
        begun: &mpsc::UnboundedSender<u32>,
    ) -> Desk<u32> {
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

    type Crewed = (Crew<u32>, Arc<Mutex<Vec<ThreadId>>>, Arc<Semaphore>, mpsc::UnboundedReceiver<u32>);

    fn crew() -> Crewed {
        let (threads, go_on) = (Arc::default(), Arc::new(Semaphore::new(0)));
        let (begun, begins) = mpsc::unbounded_channel();
        let crew = Crew::new({
            let (threads, go_on) = (Arc::clone(&threads), go_on.clone());
            move || desk(&threads, &go_on, &begun)
        });
        (crew, threads, go_on, begins)
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_is_worked_on_at_the_same_time_is_shared_evenly_and_stays_where_it_is() {
        let (mut crew, threads, go_on, mut begins) = crew();
        crew.most = 2;
        for number in 0..4 {
            crew.give(number);
            begins.recv().await.unwrap();
        }
        assert_eq!(crew.members.iter().map(|member| Arc::strong_count(&member.load)).collect::<Vec<_>>(), [3, 3]);
        let first = threads.lock().unwrap().clone();
        assert_eq!(first.iter().collect::<HashSet<_>>().len(), 2);
        assert_eq!((first[0], first[1]), (first[2], first[3]));
        assert!(!first.contains(&thread::current().id()));
        go_on.add_permits(4);
        while crew.members.iter().any(|member| Arc::strong_count(&member.load) > 1) {
            tokio::task::yield_now().await;
        }
        let all = threads.lock().unwrap().clone();
        assert!(first.iter().all(|thread| all.iter().filter(|other| *other == thread).count() == 4));
        // Who has nothing to do is asked before another is hired.
        crew.most = 3;
        crew.give(4);
        assert_eq!(crew.members.len(), 2);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn members_leave_with_their_crew() {
        let (mut crew, threads, _go_on, mut begins) = crew();
        crew.give(0);
        assert_eq!(begins.recv().await, Some(0));
        drop(crew);
        // The last desk is gone, and with it what would tell of another beginning.
        assert_eq!(begins.recv().await, None);
        assert_eq!(threads.lock().unwrap().len(), 1, "what was not finished is left");
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn who_has_fallen_over_is_given_nothing() {
        let (begun, mut begins) = mpsc::unbounded_channel();
        let mut crew = Crew::new(move || -> Desk<u32> {
            let begun = begun.clone();
            Box::new(move |number| {
                assert!(number > 0, "a desk that falls over");
                let begun = begun.clone();
                async move { begun.send(number).unwrap_or_default() }.boxed()
            })
        });
        crew.most = 1;
        crew.give(0);
        while !crew.members[0].queue.is_closed() {
            tokio::task::yield_now().await;
        }
        crew.give(1);
        assert_eq!((begins.recv().await, crew.members.len()), (Some(1), 0));
        crew.give(2);
        assert_eq!((begins.recv().await, crew.members.len()), (Some(2), 1));
    }

    #[tokio::test]
    async fn a_runtime_of_one_thread_is_where_everything_happens() {
        let (mut crew, threads, go_on, mut begins) = crew();
        go_on.add_permits(2);
        for number in 0..2 {
            crew.give(number);
            assert_eq!(begins.recv().await, Some(number));
        }
        assert!(crew.members.is_empty());
        assert!(threads.lock().unwrap().iter().all(|thread| *thread == thread::current().id()));
    }
}
