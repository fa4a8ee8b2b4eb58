//! Strict mode: the calls that end in one turn of a worker thread's event loop become one message with one reply, so that
//! waking their callers is cheap.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Poll, Waker};

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::call::Call;
use super::queue::{Calls, Message, STORE_TIMEOUT};

thread_local! {
    static CURRENT: RefCell<Option<Rc<Batch>>> = const { RefCell::new(None) };
}

pub struct Batch {
    queue: mpsc::UnboundedSender<Message>,
    calls: RefCell<Calls>,
    committed: Cell<Option<bool>>,
    wakers: RefCell<Vec<Waker>>,
}

impl Batch {
    fn new(queue: mpsc::UnboundedSender<Message>) -> Self {
        Self { queue, calls: RefCell::default(), committed: Cell::new(None), wakers: RefCell::default() }
    }

    /// Waits for the commit and returns whether it succeeded.
    pub async fn committed(&self) -> bool {
        let committed = std::future::poll_fn(|context| match self.committed.get() {
            Some(committed) => Poll::Ready(committed),
            None => {
                self.wakers.borrow_mut().push(context.waker().clone());
                Poll::Pending
            }
        });
        committed.await
    }
}

pub fn join(queue: &mpsc::UnboundedSender<Message>, call: &Call<'_>, fold: bool) -> Rc<Batch> {
    CURRENT.with_borrow_mut(|current| {
        if let Some(batch) = current
            && batch.queue.same_channel(queue)
        {
            batch.calls.borrow_mut().add(call, fold);
            return batch.clone();
        }
        let batch = Rc::new(Batch::new(queue.clone()));
        batch.calls.borrow_mut().add(call, fold);
        *current = Some(batch.clone());
        tokio::task::spawn_local(send(batch.clone()));
        batch
    })
}

/// Lets other calls of this turn join, sends the batch, and wakes the callers.
async fn send(batch: Rc<Batch>) {
    tokio::task::yield_now().await;
    CURRENT.with_borrow_mut(|current| {
        if current.as_ref().is_some_and(|current| Rc::ptr_eq(current, &batch)) {
            *current = None;
        }
    });
    let (reply, committed) = oneshot::channel();
    let sent = batch.queue.send(Message::Strict(batch.calls.take(), reply)).is_ok();
    let committed = sent && matches!(timeout(STORE_TIMEOUT, committed).await, Ok(Ok(true)));
    batch.committed.set(Some(committed));
    for waker in batch.wakers.take() {
        waker.wake();
    }
}
