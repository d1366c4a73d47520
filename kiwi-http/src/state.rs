//! What the routes share.

use crate::feed::Feeds;
use crate::guard::throttle::Throttle;
use crate::metrics::Metrics;
use crate::stream::Places;
use axum::http::HeaderValue;
use kiwi_core::pipeline::Kiwi;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio_util::task::TaskTracker;

/// How many deliveries and the like are read and answered at once; those who have a token do not wait for them.
const STRANGERS: usize = 64;

/// The limits of a server, and whom it believes.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HttpConfig {
    /// How many requests are answered at once; more are sent away. Streams that are under way do not count.
    pub concurrency: usize,
    /// How many streams are under way at once.
    pub streams: usize,
    /// How long an answer may take to begin.
    pub timeout: Duration,
    /// The largest body, in bytes.
    pub largest_body: usize,
    /// Proxies whose `X-Forwarded-For` says from where a request came. Nobody else's word is taken for it.
    pub proxies: Vec<IpAddr>,
    /// Origins whose pages may call the API from a browser, such as `https://console.example.com`; none by default.
    pub origins: Vec<HeaderValue>,
    /// Whether spans go to OpenTelemetry, which groups them by a name that they then have. False by default.
    pub traced: bool,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            concurrency: 256,
            streams: 4096,
            timeout: Duration::from_secs(60),
            largest_body: 1 << 20,
            proxies: Vec::new(),
            origins: Vec::new(),
            traced: false,
        }
    }
}

/// What the routes need. Cheap to clone.
#[derive(Debug, Clone)]
pub struct HttpState {
    pub(crate) kiwi: Kiwi,
    pub(crate) config: Arc<HttpConfig>,
    pub(crate) room: Arc<Semaphore>,
    /// Requests of those who need no token.
    pub(crate) strangers: Arc<Semaphore>,
    pub(crate) streams: Arc<Places>,
    pub(crate) throttle: Arc<Throttle>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) feeds: Arc<Feeds>,
    /// Changes that are being made.
    pub(crate) under_way: TaskTracker,
    stopping: watch::Sender<bool>,
}

impl HttpState {
    /// The state of one server.
    pub fn new(kiwi: Kiwi, config: HttpConfig) -> Self {
        Self {
            kiwi,
            room: Arc::new(Semaphore::new(config.concurrency)),
            strangers: Arc::new(Semaphore::new(STRANGERS)),
            streams: Arc::new(Places::new(config.streams)),
            config: Arc::new(config),
            throttle: Arc::default(),
            metrics: Arc::default(),
            feeds: Arc::default(),
            under_way: TaskTracker::new(),
            stopping: watch::Sender::new(false),
        }
    }

    /// Ends every stream, so that its client goes on at another replica. Requests that are under way end by themselves.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Waits for the changes that are being made, also those whose caller has gone. Call it when no request comes any more.
    pub async fn finish(&self) {
        self.under_way.close();
        self.under_way.wait().await;
    }

    /// Ends when the server does.
    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stopping = self.stopping.subscribe();
        async move {
            let _ = stopping.wait_for(|stopping| *stopping).await;
        }
    }
}
