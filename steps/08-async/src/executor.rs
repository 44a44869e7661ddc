//! Tasks: poll the ones that were woken.
//!
//! A future does nothing by itself. `poll` lets it go on until it would have to
//! wait; then it leaves a `Waker` where the news will arrive, and returns. A
//! waker of ours is a task's number and the queue to put it into.

use std::cell::RefCell;
use std::collections::HashMap;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use protocol::Result;

use crate::{Reactor, Timers};

/// Tasks that are polled before the reactor is asked again: what is due, and
/// what has become ready, must not wait for all of them.
const TASKS_PER_TURN: usize = 8;

// ANCHOR: waker
/// `Waker` demands that any thread may wake a task, hence the channel, though
/// here all is one thread.
struct TaskWaker {
    task: u64,
    woken: Sender<u64>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // An error: the runtime has ended, and all tasks with it.
        let _ = self.woken.send(self.task);
    }
}
// ANCHOR_END: waker

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// What tasks share: they start others, and wait.
pub struct Runtime {
    pub(crate) reactor: Reactor,
    pub(crate) timers: Timers,
    spawned: RefCell<Vec<Task>>,
}

impl Runtime {
    /// # Errors
    /// EMFILE without a free descriptor.
    pub fn new() -> Result<Self> {
        let (timers, spawned) = (Timers::default(), RefCell::default());
        Ok(Self { reactor: Reactor::new()?, timers, spawned })
    }

    /// Starts a task. It runs beside its creator until it ends, or until
    /// [`block_on`](Self::block_on) does, which drops it.
    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.spawned.borrow_mut().push(Box::pin(task));
    }

    /// Runs `main` to its end, and the tasks as long as that takes. Calls
    /// `before_wait` before each wait.
    ///
    /// # Errors
    /// None for a correct program: see [`epoll::Poller::wait`].
    // ANCHOR: block_on
    pub fn block_on<T>(
        &self,
        main: impl Future<Output = T>,
        before_wait: impl Fn(),
    ) -> Result<T> {
        let mut main = pin!(main);
        let mut tasks = Tasks::new();
        let waker = tasks.waker(0);
        loop {
            tasks.poll_woken();
            // In every turn, woken or not: a future bears that.
            let mut cx = Context::from_waker(&waker);
            if let Poll::Ready(output) = main.as_mut().poll(&mut cx) {
                drop(self.spawned.take());
                return Ok(output);
            }
            self.spawned.take().into_iter().for_each(|task| tasks.start(task));
            before_wait();
            let timeout = self.timers.timeout();
            let none = tasks.has_woken().then_some(Duration::ZERO);
            self.reactor.wait(none.or(timeout))?;
            self.timers.wake_due();
        }
    }
    // ANCHOR_END: block_on
}

/// The tasks that have not ended. To drop them cancels them: each drops what it
/// owns, its socket among it.
struct Tasks {
    open: HashMap<u64, (Task, Waker)>,
    /// No number is given twice: the waker of a task that has ended wakes none.
    last: u64,
    sender: Sender<u64>,
    woken: Receiver<u64>,
    /// Taken out of `woken` already.
    next: Option<u64>,
}

impl Tasks {
    fn new() -> Self {
        let (sender, woken) = channel();
        Self { open: HashMap::new(), last: 0, sender, woken, next: None }
    }

    fn waker(&self, task: u64) -> Waker {
        let woken = self.sender.clone();
        Waker::from(Arc::new(TaskWaker { task, woken }))
    }

    fn start(&mut self, task: Task) {
        self.last += 1;
        self.open.insert(self.last, (task, self.waker(self.last)));
        self.poll(self.last);
    }

    fn has_woken(&mut self) -> bool {
        self.next = self.next.or_else(|| self.woken.try_recv().ok());
        self.next.is_some()
    }

    fn poll_woken(&mut self) {
        let woken = self.next.take().into_iter().chain(self.woken.try_iter());
        let turn: Vec<u64> = woken.take(TASKS_PER_TURN).collect();
        turn.into_iter().for_each(|task| self.poll(task));
    }

    fn poll(&mut self, number: u64) {
        let Some((task, waker)) = self.open.get_mut(&number) else { return };
        if task.as_mut().poll(&mut Context::from_waker(waker)).is_ready() {
            self.open.remove(&number);
        }
    }
}
