//! Group commit: what comes while the disk is busy is written together, in one transaction, as soon as the disk is free.

use kiwi_core::error::{Error, ErrorKind, Result};
use std::future::Future;
use tokio::sync::{mpsc, oneshot};

/// How many are written together.
const MOST: usize = 256;
/// How many wait in memory; whoever comes then waits before the door.
const WAITING: usize = 1024;

type Item<T> = (T, oneshot::Sender<Result<()>>);

/// Writes items of one kind in groups. Nobody waits for company: a lone item is written at once.
pub(crate) struct Batcher<T> {
    sender: mpsc::Sender<Item<T>>,
}

impl<T: Send + Sync + 'static> Batcher<T> {
    /// `write` writes all items or none, durably. It ends with the batcher.
    pub(crate) fn start<W, F>(write: W) -> Self
    where
        W: Fn(Vec<T>) -> F + Send + 'static,
        F: Future<Output = (Vec<T>, Result<()>)> + Send + 'static,
    {
        let (sender, mut receiver) = mpsc::channel::<Item<T>>(WAITING);
        tokio::spawn(async move {
            let mut gathered = Vec::new();
            while receiver.recv_many(&mut gathered, MOST).await > 0 {
                let (items, answers): (Vec<_>, Vec<_>) = gathered.drain(..).unzip();
                match write(items).await {
                    (_, Ok(())) => answers.into_iter().for_each(|answer| drop(answer.send(Ok(())))),
                    // One that cannot be written must not take its neighbours along.
                    (items, Err(_)) if items.len() > 1 => {
                        for (item, answer) in items.into_iter().zip(answers) {
                            let _ = answer.send(write(vec![item]).await.1);
                        }
                    }
                    (_, Err(error)) => {
                        if let Some(answer) = answers.into_iter().next() {
                            let _ = answer.send(Err(error));
                        }
                    }
                }
            }
        });
        Self { sender }
    }

    /// Returns when the item is durable.
    pub(crate) async fn add(&self, item: T) -> Result<()> {
        let gone = || Error::new(ErrorKind::Unavailable, "write record", "the store is closing");
        let (answer, wait) = oneshot::channel();
        self.sender.send((item, answer)).await.map_err(|_| gone())?;
        wait.await.unwrap_or_else(|_| Err(gone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::Mutex;

    #[tokio::test(start_paused = true)]
    async fn what_comes_together_is_written_together_and_one_bad_item_fails_alone() {
        let groups = Arc::new(Mutex::new(Vec::new()));
        let seen = groups.clone();
        let batcher = Arc::new(Batcher::start(move |items: Vec<u32>| {
            let seen = seen.clone();
            async move {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                let bad = items.contains(&13);
                seen.lock().unwrap().push(items.len());
                (items, if bad { Err(Error::new(ErrorKind::NotFound, "write", "13")) } else { Ok(()) })
            }
        }));
        let mut adding = tokio::task::JoinSet::new();
        for number in 0..20 {
            let batcher = batcher.clone();
            adding.spawn(async move { (number, batcher.add(number).await.is_ok()) });
        }
        for (number, well) in adding.join_all().await {
            assert_eq!(well, number != 13);
        }
        let groups = groups.lock().unwrap().clone();
        assert!(groups[0] + groups[1] >= 20 && groups.len() <= 22, "{groups:?}");
    }
}
