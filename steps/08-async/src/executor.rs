//! Tasks: poll the ones that were woken.
//!
//! A future does nothing by itself. `poll` lets it go on until it would have to
//! wait; then it leaves a `Waker` where the news will arrive, and returns. A
//! waker of ours is a task's number and the queue to put it into, once.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use epoll::{Poller, Trigger};
use protocol::Result;

use crate::source::Slot;

/// Tasks that are polled before epoll is asked again: what is due, and what has
/// become ready, must not wait for all of them.
const TASKS_PER_TURN: usize = 8;

/// The numbers of the tasks that were woken. `Waker` demands that any thread
/// may wake one; hence the lock, though here all is one thread.
type Woken = Mutex<VecDeque<u64>>;

fn lock(woken: &Woken) -> MutexGuard<'_, VecDeque<u64>> {
    woken.lock().unwrap_or_else(PoisonError::into_inner)
}

struct TaskWaker {
    number: u64,
    is_queued: AtomicBool,
    woken: Arc<Woken>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        // Twice in the queue would be two turns for the others' one.
        if !self.is_queued.swap(true, Ordering::AcqRel) {
            lock(&self.woken).push_back(self.number);
        }
    }
}

/// From here on it can be woken anew: to be called before it is polled.
fn unqueue(waker: &Arc<TaskWaker>) -> Waker {
    waker.is_queued.swap(false, Ordering::AcqRel);
    Waker::from(Arc::clone(waker))
}

/// To drop it cancels it: it drops what it owns, its socket among it.
type Task = Pin<Box<dyn Future<Output = ()>>>;

/// What tasks share: they start others, and wait.
pub struct Runtime {
    pub(crate) poller: RefCell<Poller>,
    /// By the descriptor's number: the kernel gives the lowest that is free.
    pub(crate) slots: RefCell<Vec<Slot>>,
    /// The tasks that wait for a time, in the order in which they are due.
    pub(crate) timers: RefCell<BTreeMap<Instant, Waker>>,
    spawned: RefCell<Vec<Task>>,
}

impl Runtime {
    /// Fails without a free descriptor (EMFILE).
    pub fn new() -> Result<Self> {
        let poller = RefCell::new(Poller::new(Trigger::Edge)?);
        let (slots, timers, spawned) = Default::default();
        Ok(Self { poller, slots, timers, spawned })
    }

    /// Starts a task. It runs until it ends, or until
    /// [`block_on`](Self::block_on) does, which drops it.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.spawned.borrow_mut().push(Box::pin(task));
    }

    /// Runs `main` to its end, and the tasks as long as that takes. Calls
    /// `before_wait` before each wait. Fails as [`Poller::wait`] does.
    pub fn block_on<T>(
        &self,
        main: impl Future<Output = T>,
        before_wait: impl Fn(),
    ) -> Result<T> {
        let woken = Arc::<Woken>::default();
        let waker = |number| {
            let (is_queued, woken) = (AtomicBool::new(false), woken.clone());
            Arc::new(TaskWaker { number, is_queued, woken })
        };
        let (mut main, main_waker) = (pin!(main), waker(0));
        let mut tasks = HashMap::new();
        let mut events = Vec::new();
        // None is given twice: the waker of a task that has ended wakes none.
        let mut last_number = 0;
        loop {
            for _ in 0..TASKS_PER_TURN {
                let Some(number) = lock(&woken).pop_front() else { break };
                poll(&mut tasks, number);
            }
            // In every turn, woken or not: a future bears that.
            let waker_of_main = unqueue(&main_waker);
            let mut cx = Context::from_waker(&waker_of_main);
            if let Poll::Ready(output) = main.as_mut().poll(&mut cx) {
                return Ok(output);
            }
            for task in self.spawned.take() {
                last_number += 1;
                let waker = waker(last_number);
                Arc::clone(&waker).wake();
                tasks.insert(last_number, (task, waker));
            }
            before_wait();
            let next = self.wake_due();
            let some_wait = !lock(&woken).is_empty();
            let none = some_wait.then_some(Duration::ZERO);
            self.wait(&mut events, none.or(next))?;
        }
    }
}

fn poll(tasks: &mut HashMap<u64, (Task, Arc<TaskWaker>)>, number: u64) {
    let Some((task, waker)) = tasks.get_mut(&number) else { return };
    let waker = unqueue(waker);
    if task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
        tasks.remove(&number);
    }
}
