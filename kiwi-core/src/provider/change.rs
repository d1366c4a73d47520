//! Word of what changed in a store, so that nobody has to look all the time.
//!
//! Word is only a hint to look: some may be lost, and a store may hear nothing of other processes. So whoever waits also looks now and then,
//! and [`Changes::wait`] says when.

use crate::domain::RunId;
use std::time::Duration;
use tokio::sync::broadcast;

/// How much word may wait for a slow follower; one that is slower looks at everything.
const KEPT: usize = 1024;

/// What may have changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Change {
    /// A run: somebody asked for it or for its end, it moved on, or it gave its slot back.
    Run(RunId),
    /// A run has more events.
    Events(RunId),
    /// A delivery waits to be decided.
    Delivery,
    /// Anything: word was lost.
    Anything,
}

impl Change {
    /// Whether it may be about this run or its events.
    pub fn is_about(&self, id: &RunId) -> bool {
        match self {
            Self::Run(run) | Self::Events(run) => run == id,
            Self::Delivery => false,
            Self::Anything => true,
        }
    }
}

/// What a store tells its followers with.
#[derive(Debug)]
pub struct Announcer {
    sender: broadcast::Sender<Change>,
    look: Duration,
}

impl Announcer {
    /// `look` is how often followers look by themselves: seldom where the store hears of every process, often where it does not.
    pub fn new(look: Duration) -> Self {
        Self { sender: broadcast::channel(KEPT).0, look }
    }

    /// Tells everybody who follows in this process. Call it after the change is durable.
    pub fn tell(&self, change: Change) {
        // It fails when nobody follows.
        let _ = self.sender.send(change);
    }

    /// Follows from now on.
    pub fn follow(&self) -> Changes {
        Changes { receiver: self.sender.subscribe(), look: self.look }
    }
}

/// What changes from now on.
#[derive(Debug)]
pub struct Changes {
    receiver: broadcast::Receiver<Change>,
    look: Duration,
}

impl Changes {
    /// Waits for a change that `wanted` takes, or until it is time to look without one. Follow before you look, then wait: nothing falls
    /// between. Dropping the wait loses nothing but what it passed over.
    pub async fn wait(&mut self, wanted: impl Fn(&Change) -> bool) {
        let due = tokio::time::Instant::now() + self.look;
        loop {
            let change = match tokio::time::timeout_at(due, self.receiver.recv()).await {
                Ok(Ok(change)) => change,
                Ok(Err(broadcast::error::RecvError::Lagged(_))) => Change::Anything,
                // The store is gone; whoever looks will be told so.
                Ok(Err(broadcast::error::RecvError::Closed)) => return tokio::time::sleep_until(due).await,
                Err(_) => return,
            };
            if change == Change::Anything || wanted(&change) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    #[tokio::test(start_paused = true)]
    async fn a_follower_wakes_for_what_it_wants_and_looks_otherwise() {
        let announcer = Announcer::new(Duration::from_secs(5));
        let (mine, other) = (RunId::generate(), RunId::generate());
        let mut changes = announcer.follow();
        let began = Instant::now();
        announcer.tell(Change::Run(other.clone()));
        announcer.tell(Change::Events(mine.clone()));
        changes.wait(|change| change.is_about(&mine)).await;
        assert_eq!(began.elapsed(), Duration::ZERO);
        announcer.tell(Change::Run(other.clone()));
        changes.wait(|change| change.is_about(&mine)).await;
        assert_eq!(began.elapsed(), Duration::from_secs(5));
        (0..2 * KEPT).for_each(|_| announcer.tell(Change::Run(other.clone())));
        changes.wait(|change| change.is_about(&mine)).await;
        assert_eq!(began.elapsed(), Duration::from_secs(5), "one that is too slow looks at once");
    }
}
