//! Streams fed by a task that ends when the stream is dropped.

use futures_util::StreamExt as _;
use kiwi_core::error::Result;
use kiwi_core::provider::BoxStream;
use std::future::Future;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::AbortOnDropHandle;

/// Where a task puts what the stream yields.
#[derive(Debug)]
pub(crate) struct Feed<T>(mpsc::Sender<Result<T>>);

impl<T> Clone for Feed<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Feed<T> {
    /// Waits for room. When nobody listens any more, the task is about to be aborted and nothing needs to be said.
    pub(crate) async fn send(&self, item: T) {
        let _ = self.0.send(Ok(item)).await;
    }
}

/// Runs `work` and yields what it feeds, and its error last.
pub(crate) fn feed<T: Send + 'static, F: Future<Output = Result<()>> + Send + 'static>(
    work: impl FnOnce(Feed<T>) -> F + Send + 'static,
) -> BoxStream<Result<T>> {
    let (sender, receiver) = mpsc::channel(64);
    let task = tokio::spawn(async move {
        if let Err(error) = work(Feed(sender.clone())).await {
            let _ = sender.send(Err(error)).await;
        }
    });
    let guard = AbortOnDropHandle::new(task);
    ReceiverStream::new(receiver)
        .map(move |item| {
            let _ = &guard;
            item
        })
        .boxed()
}

/// A feed of its own, for work that nobody follows, or whose lines are changed on their way.
pub(crate) fn channel<T>() -> (Feed<T>, mpsc::Receiver<Result<T>>) {
    let (sender, receiver) = mpsc::channel(256);
    (Feed(sender), receiver)
}
