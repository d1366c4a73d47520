//! One reader for all who follow the events of a run: a thousand followers ask the store no more than one.

use futures_util::{StreamExt as _, stream};
use kiwi_core::access::Actor;
use kiwi_core::domain::{Event, RunId};
use kiwi_core::error::Result;
use kiwi_core::pipeline::Kiwi;
use kiwi_core::provider::BoxStream;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tokio::sync::{oneshot, watch};

/// How many events are at hand. A follower that is further behind reads from the store until it has caught up.
const AT_HAND: usize = 1024;
/// How many events a follower takes at once.
const BATCH: usize = 64;

/// The feeds that somebody follows.
#[derive(Debug, Default)]
pub(crate) struct Feeds(Mutex<HashMap<RunId, Weak<Feed>>>);

#[derive(Debug)]
struct Feed {
    recent: Mutex<Recent>,
    /// Rises with every change of `recent`.
    version: watch::Sender<u64>,
    /// Ends the reader with the last follower.
    _followed: oneshot::Sender<()>,
}

#[derive(Debug, Default)]
struct Recent {
    /// The sequence of the first event at hand.
    first: u64,
    events: VecDeque<Arc<Event>>,
    over: bool,
}

/// What a follower finds.
enum Found {
    Events(Vec<Arc<Event>>),
    /// It is behind what is at hand.
    Behind,
    Wait,
    Over,
}

impl Feeds {
    /// The events of a run from `next` on, until it ends. The caller has seen that the actor may see the run.
    pub(crate) fn follow(&self, kiwi: &Kiwi, actor: &Actor, run: &RunId, next: u64) -> BoxStream<Result<Arc<Event>>> {
        let feed = self.feed(kiwi, actor, run, next);
        let (kiwi, actor, run) = (kiwi.clone(), actor.clone(), run.clone());
        let version = feed.version.subscribe();
        stream::try_unfold((feed, version, next), move |(feed, mut version, next)| {
            let (kiwi, actor, run) = (kiwi.clone(), actor.clone(), run.clone());
            async move {
                loop {
                    version.borrow_and_update();
                    let events = match feed.find(next) {
                        Found::Events(events) => events,
                        Found::Over => return Ok(None),
                        Found::Behind => {
                            let missed: Vec<_> = kiwi.events(&actor, &run, next, false).take(BATCH).collect().await;
                            missed.into_iter().map(|event| event.map(Arc::new)).collect::<Result<_>>()?
                        }
                        Found::Wait if version.changed().await.is_err() => return Ok(None),
                        Found::Wait => continue,
                    };
                    let next = events.last().map_or(next, |event| event.sequence + 1);
                    return Ok(Some((stream::iter(events.into_iter().map(Ok)), (feed, version, next))));
                }
            }
        })
        .flat_map(|batch: Result<_>| match batch {
            Ok(events) => events.left_stream(),
            Err(error) => stream::once(async { Err(error) }).right_stream(),
        })
        .boxed()
    }

    fn feed(&self, kiwi: &Kiwi, actor: &Actor, run: &RunId, next: u64) -> Arc<Feed> {
        let mut feeds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(feed) = feeds.get(run).and_then(Weak::upgrade) {
            return feed;
        }
        feeds.retain(|_, feed| feed.strong_count() > 0);
        let (followed, left) = oneshot::channel();
        let recent = Recent { first: next, ..Recent::default() };
        let feed = Arc::new(Feed { recent: Mutex::new(recent), version: watch::Sender::new(0), _followed: followed });
        feeds.insert(run.clone(), Arc::downgrade(&feed));
        tokio::spawn(read(kiwi.events(actor, run, next, true), Arc::downgrade(&feed), left));
        feed
    }
}

impl Feed {
    fn find(&self, next: u64) -> Found {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(offset) = next.checked_sub(recent.first) else { return Found::Behind };
        let events: Vec<_> = recent.events.iter().skip(usize::try_from(offset).unwrap_or(usize::MAX)).take(BATCH).cloned().collect();
        match events.is_empty() {
            false => Found::Events(events),
            true if recent.over => Found::Over,
            true => Found::Wait,
        }
    }

    fn change(&self, change: impl FnOnce(&mut Recent)) {
        change(&mut self.recent.lock().unwrap_or_else(PoisonError::into_inner));
        self.version.send_modify(|version| *version += 1);
    }
}

async fn read(mut events: BoxStream<Result<Event>>, feed: Weak<Feed>, mut left: oneshot::Receiver<()>) {
    loop {
        let event = tokio::select! {
            _ = &mut left => return,
            event = events.next() => event,
        };
        let Some(feed) = feed.upgrade() else { return };
        match event {
            Some(Ok(event)) => feed.change(|recent| {
                recent.events.push_back(Arc::new(event));
                if recent.events.len() > AT_HAND {
                    recent.events.pop_front();
                    recent.first += 1;
                }
            }),
            // Followers end, and come again with what they saw last.
            Some(Err(_)) | None => return feed.change(|recent| recent.over = true),
        }
    }
}
