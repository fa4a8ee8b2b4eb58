//! The calls that end in one turn of a worker thread's event loop, on their way to the writer.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Poll, Waker};

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::PATIENCE;
use super::journal::{self, Lines};
use super::record::{Call, Message, NotRecorded};
use crate::domain::access::activity::Record;

/// Calls that go one way together.
#[derive(Debug, Default)]
pub(super) struct Calls {
    pub lines: Lines,
    /// Refusals that are not recorded one by one.
    pub folded: Vec<Record>,
}

impl Calls {
    pub fn add(&mut self, call: &Call<'_>, fold: bool) {
        match fold {
            true => self.folded.push(journal::record_of(call)),
            false => self.lines.add(call),
        }
    }

    pub fn extend(&mut self, more: Self) {
        self.lines.extend(more.lines);
        self.folded.extend(more.folded);
    }

    pub fn len(&self) -> usize {
        self.lines.len() + self.folded.len()
    }
}

thread_local! {
    /// What this thread's calls of this turn go into.
    static GATHERING: RefCell<Option<Rc<Gathered>>> = const { RefCell::new(None) };
}

/// Calls of one turn of one thread, and who waits for their commit.
pub(super) struct Gathered {
    queue: mpsc::UnboundedSender<Message>,
    calls: RefCell<Calls>,
    committed: Cell<Option<bool>>,
    wakers: RefCell<Vec<Waker>>,
}

impl Gathered {
    fn of(queue: mpsc::UnboundedSender<Message>) -> Self {
        Self { queue, calls: RefCell::default(), committed: Cell::new(None), wakers: RefCell::default() }
    }

    /// Returns once it is known whether their records are on disk.
    pub async fn committed(&self) -> Result<(), NotRecorded> {
        let committed = std::future::poll_fn(|context| match self.committed.get() {
            Some(committed) => Poll::Ready(committed),
            None => {
                self.wakers.borrow_mut().push(context.waker().clone());
                Poll::Pending
            }
        });
        if committed.await { Ok(()) } else { Err(NotRecorded) }
    }
}

/// Adds a call to what this thread gathers.
pub(super) fn join(queue: &mpsc::UnboundedSender<Message>, call: &Call<'_>, fold: bool) -> Rc<Gathered> {
    GATHERING.with_borrow_mut(|gathering| {
        if let Some(gathered) = gathering
            && gathered.queue.same_channel(queue)
        {
            gathered.calls.borrow_mut().add(call, fold);
            return gathered.clone();
        }
        let gathered = Rc::new(Gathered::of(queue.clone()));
        gathered.calls.borrow_mut().add(call, fold);
        *gathering = Some(gathered.clone());
        tokio::task::spawn_local(send(gathered.clone()));
        gathered
    })
}

/// Lets the other calls of this turn join, sends them on, and tells them all at once.
async fn send(gathered: Rc<Gathered>) {
    tokio::task::yield_now().await;
    GATHERING.with_borrow_mut(|gathering| {
        if gathering.as_ref().is_some_and(|current| Rc::ptr_eq(current, &gathered)) {
            *gathering = None;
        }
    });
    let (committed, done) = oneshot::channel();
    let sent = gathered.queue.send(Message::Calls(gathered.calls.take(), committed)).is_ok();
    // A store that does not even refuse must not keep callers waiting without end.
    let committed = sent && matches!(timeout(PATIENCE, done).await, Ok(Ok(true)));
    gathered.committed.set(Some(committed));
    for waker in gathered.wakers.take() {
        waker.wake();
    }
}
