//! A Kubernetes API server in memory, for exactly the verbs that Kiwi sends, with controllers, a scheduler and a kubelet that take a step
//! each few milliseconds. What an image does is in its name: `missing`, `denied`, `crash`, `oom` and `deaf` fail as they say, anything else answers.
//!
//! It is SIMULATED: the same suites run against a real cluster, and a difference is a defect here.

mod apply;
mod controllers;
mod objects;
mod serve;

use objects::State;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::watch;

/// How the server misbehaves.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// Every watch ends after so many events, as proxies and servers do.
    pub watch_events: Option<usize>,
    /// Watches that begin before the newest version are told that it is gone.
    pub forget_history: bool,
    /// So many of the next writes are answered with 409, as if somebody had been faster.
    pub conflicts: usize,
    /// So many of the next requests are answered with 503.
    pub unavailable: usize,
    /// `VERB RESOURCE` pairs that are forbidden.
    pub forbidden: Vec<String>,
    /// `VERB RESOURCE NAME` of a write, and which of them: it is never answered, and acts when `deliver` is called, as one that was still on its way
    /// when its sender died.
    pub late: Option<(String, usize)>,
}

/// Whether a cluster would know every field of an object, by its kind; the error is the first field that it would not.
pub fn known(object: &Value) -> Result<(), String> {
    serve::known(object)
}

/// The server. Clones are the same one.
#[derive(Clone)]
pub struct Double {
    shared: Arc<Shared>,
    _steps: Arc<tokio_util::task::AbortOnDropHandle<()>>,
}

pub(crate) struct Shared {
    pub(crate) state: Mutex<State>,
    pub(crate) changed: watch::Sender<u64>,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) requests: Mutex<Vec<String>>,
    pub(crate) late: Mutex<Vec<serve::Call>>,
}

impl Double {
    /// A server with one node, whose controllers take a step each `every`.
    pub fn start(every: Duration) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::new(State::new()),
            changed: watch::Sender::new(0),
            faults: Mutex::default(),
            requests: Mutex::default(),
            late: Mutex::default(),
        });
        let stepping = shared.clone();
        let steps = tokio::spawn(async move {
            let mut clock = tokio::time::interval(every);
            // A step of a thousand services may take longer than the clock's beat; who asks must have a turn between two.
            clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            loop {
                clock.tick().await;
                let version = {
                    let mut state = stepping.state.lock().unwrap();
                    controllers::step(&mut state);
                    state.version
                };
                stepping.changed.send_if_modified(|known| std::mem::replace(known, version) != version);
            }
        });
        Self { shared, _steps: Arc::new(tokio_util::task::AbortOnDropHandle::new(steps)) }
    }

    /// A client of it.
    pub fn client(&self) -> kube::Client {
        let shared = self.shared.clone();
        kube::Client::new(tower::service_fn(move |request| serve::serve(shared.clone(), request)), "default")
    }

    /// Changes how it misbehaves from now on.
    pub fn behave(&self, faults: Faults) {
        *self.shared.faults.lock().unwrap() = faults;
    }

    /// How many writes are on their way.
    pub fn late(&self) -> usize {
        self.shared.late.lock().unwrap().len()
    }

    /// Lets the late writes act. Answers the status of each.
    pub fn deliver(&self) -> Vec<u16> {
        let calls = std::mem::take(&mut *self.shared.late.lock().unwrap());
        calls.iter().map(|call| serve::answered(&self.shared, call).status().as_u16()).collect()
    }

    /// Every request so far, as `VERB path`.
    pub fn requests(&self) -> Vec<String> {
        self.shared.requests.lock().unwrap().clone()
    }

    /// Puts an object there, as somebody else would.
    pub fn put(&self, object: Value) {
        let mut state = self.shared.state.lock().unwrap();
        state.put(object);
        let version = state.version;
        drop(state);
        self.shared.changed.send_replace(version);
    }

    /// Every object of a kind in a namespace, or in all for an empty one.
    pub fn list(&self, plural: &str, namespace: &str) -> Vec<Value> {
        self.shared.state.lock().unwrap().list(plural, namespace, &[])
    }
}
