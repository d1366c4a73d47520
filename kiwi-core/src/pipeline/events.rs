//! The events of a run: written in batches, redacted at the sink, and replayed from any offset.

use super::Kiwi;
use crate::access::{Actor, Operation};
use crate::domain::{Diagnosis, Event, EventBody, LogStream, RunId, Stage, StageStatus, Timestamp};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::change::Changes;
use crate::provider::{BoxStream, Fence, Store};
use crate::secret::{RedactingStream, Redactor, SecretString};
use futures_util::StreamExt as _;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// How long an event may wait for company before it is written.
const GATHER: Duration = Duration::from_millis(100);
/// How many events are written at once.
const BATCH: usize = 256;
/// Longer lines are cut: a log is for people, and memory is not for one line.
const LONGEST_LINE: usize = 16 * 1024;
/// How many lines a diagnosis quotes.
const TAIL: usize = 30;

enum Message {
    Event(Timestamp, EventBody),
    Flush(oneshot::Sender<Result<()>>),
}

/// Takes the events of one run. Cheap to clone.
#[derive(Clone)]
pub(super) struct EventSink {
    sender: mpsc::Sender<Message>,
    redactor: Arc<RwLock<Redactor>>,
}

impl EventSink {
    pub(super) fn start(store: Arc<dyn Store>, run: RunId, fence: Fence, redactor: Redactor) -> Self {
        let (sender, receiver) = mpsc::channel(4096);
        tokio::spawn(write(store, run, fence, receiver));
        Self { sender, redactor: Arc::new(RwLock::new(redactor)) }
    }

    pub(super) async fn send(&self, body: EventBody) {
        let body = self.redact(body);
        tracing::debug!(event = ?body);
        // The writer ends only with the runtime; then nobody reads events any more.
        let _ = self.sender.send(Message::Event(Timestamp::now(), body)).await;
    }

    pub(super) async fn info(&self, message: impl Into<String>) {
        self.send(EventBody::Info { message: message.into() }).await;
    }

    pub(super) async fn stage(&self, stage: Stage, status: StageStatus, message: Option<String>) {
        self.send(EventBody::Stage { stage, status, message }).await;
    }

    /// Waits until everything sent so far is durable.
    pub(super) async fn flush(&self) -> Result<()> {
        let (done, wait) = oneshot::channel();
        if self.sender.send(Message::Flush(done)).await.is_err() {
            return Ok(());
        }
        wait.await.unwrap_or(Ok(()))
    }

    /// Starts a log of one stage.
    pub(super) fn log(&self, stage: Stage) -> StageLog {
        StageLog { sink: self.clone(), stage, streams: HashMap::new(), tail: Vec::new() }
    }

    /// What an error tells, without a secret.
    pub(super) fn diagnose(&self, error: &Error) -> Diagnosis {
        let redactor = self.redactor();
        let Diagnosis { cause, hint, log } = Diagnosis::from(error);
        Diagnosis { cause: redactor.redact(&cause), hint, log: log.iter().map(|line| redactor.redact(line)).collect() }
    }

    /// Hides these too from now on: an older release brings secrets that today's settings no longer name.
    pub(super) fn protect<'a>(&self, secrets: impl IntoIterator<Item = &'a SecretString>) {
        let mut redactor = self.redactor.write().unwrap_or_else(PoisonError::into_inner);
        secrets.into_iter().for_each(|secret| redactor.add(secret));
    }

    fn redactor(&self) -> RwLockReadGuard<'_, Redactor> {
        self.redactor.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn redact(&self, body: EventBody) -> EventBody {
        let redactor = self.redactor();
        let redact = |text: String| redactor.redact(&text);
        match body {
            EventBody::Stage { stage, status, message } => EventBody::Stage { stage, status, message: message.map(redact) },
            EventBody::Info { message } => EventBody::Info { message: redact(message) },
            EventBody::Warning { message } => EventBody::Warning { message: redact(message) },
            EventBody::Progress { label, current, total } => EventBody::Progress { label: redact(label), current, total },
            // Lines come from `StageLog`, which redacted the stream that they were cut from.
            other => other,
        }
    }
}

/// Turns chunks into redacted lines.
pub(super) struct StageLog {
    sink: EventSink,
    stage: Stage,
    streams: HashMap<LogStream, (RedactingStream, Vec<u8>)>,
    tail: Vec<String>,
}

impl StageLog {
    pub(super) async fn push(&mut self, stream: LogStream, chunk: &[u8]) {
        let sink = &self.sink;
        let (redacting, pending) = self.streams.entry(stream).or_insert_with(|| (sink.redactor().stream(), Vec::new()));
        pending.extend(redacting.push(chunk));
        let mut lines = Vec::new();
        while let Some(end) = pending.iter().position(|byte| *byte == b'\n').or_else(|| (pending.len() > LONGEST_LINE).then_some(LONGEST_LINE)) {
            let rest = pending.split_off((end + 1).min(pending.len()));
            lines.push(std::mem::replace(pending, rest));
        }
        for line in lines {
            self.line(stream, &line).await;
        }
    }

    /// Ends the log and returns its last lines.
    pub(super) async fn finish(mut self) -> Vec<String> {
        for (stream, (mut redacting, mut pending)) in std::mem::take(&mut self.streams) {
            pending.extend(redacting.finish());
            for line in pending.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
                self.line(stream, line).await;
            }
        }
        self.tail
    }

    async fn line(&mut self, stream: LogStream, bytes: &[u8]) {
        let line = printable(bytes);
        if self.tail.len() == TAIL {
            self.tail.remove(0);
        }
        self.tail.push(line.clone());
        let body = EventBody::Log { stage: self.stage, stream, line };
        let _ = self.sink.sender.send(Message::Event(Timestamp::now(), body)).await;
    }
}

/// What a terminal may be shown of an untrusted line: no control characters, and nothing but the last overwrite of a
/// progress line.
pub fn printable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_end_matches(['\r', '\n']);
    let text = text.rsplit('\r').next().unwrap_or_default();
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => skip_escape(&mut chars),
            '\t' => out.push(' '),
            c if c.is_control() || ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c) => {}
            c => out.push(c),
        }
    }
    out
}

/// What a terminal may be shown of an untrusted text that belongs in one line, such as a path: every end of a line is a space, and nothing changes the
/// direction in which it is read.
pub fn one_line(text: &str) -> String {
    let is_end = |c: char| matches!(c, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}');
    let is_mark = |c: &char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}');
    let plain: String = text.chars().filter(|c| !is_mark(c)).map(|c| if is_end(c) { ' ' } else { c }).collect();
    printable(plain.as_bytes())
}

fn skip_escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.next() {
        Some('[') => while chars.next().is_some_and(|c| !('\u{40}'..='\u{7e}').contains(&c)) {},
        Some(']') => while chars.next().is_some_and(|c| c != '\u{7}' && c != '\u{9c}') {},
        _ => {}
    }
}

async fn write(store: Arc<dyn Store>, run: RunId, fence: Fence, mut receiver: mpsc::Receiver<Message>) {
    let mut batch: Vec<(Timestamp, EventBody)> = Vec::new();
    let mut failed: Option<ErrorKind> = None;
    let mut due = tokio::time::Instant::now();
    loop {
        let message = if batch.is_empty() {
            receiver.recv().await
        } else {
            // When nothing more came in time, what there is gets written, as if somebody had asked.
            tokio::time::timeout_at(due, receiver.recv()).await.unwrap_or_else(|_| Some(Message::Flush(oneshot::channel().0)))
        };
        let (flush, end) = match message {
            Some(Message::Event(at, body)) => {
                if batch.is_empty() {
                    due = tokio::time::Instant::now() + GATHER;
                }
                batch.push((at, body));
                if batch.len() < BATCH {
                    continue;
                }
                (None, false)
            }
            Some(Message::Flush(done)) => (Some(done), false),
            None => (None, true),
        };
        let result = if batch.is_empty() { Ok(()) } else { store.append_events(&run, &batch, &fence).await };
        batch.clear();
        if let Err(error) = &result
            && failed.replace(error.kind()) != Some(error.kind())
        {
            tracing::warn!(%run, error = %error.chain(), "events were not written");
        }
        if let Some(done) = flush {
            let _ = done.send(result);
        }
        if end {
            return;
        }
    }
}

impl Kiwi {
    /// The events of a run from `sequence` on: those that are there, and with `follow` also those that come, until the run ends.
    pub fn events(&self, actor: &Actor, run: &RunId, sequence: u64, follow: bool) -> BoxStream<Result<Event>> {
        struct State {
            kiwi: Kiwi,
            // Whose run it must be; none once that is known.
            actor: Option<Actor>,
            run: RunId,
            next: u64,
            ready: std::collections::VecDeque<Event>,
            changes: Changes,
            done: bool,
        }
        if let Err(error) = actor.may(Operation::ReadRuns) {
            return futures_util::stream::once(async { Err(error) }).boxed();
        }
        let state = State {
            kiwi: self.clone(),
            actor: Some(actor.clone()),
            run: run.clone(),
            next: sequence,
            ready: [].into(),
            changes: self.store().changes(),
            done: false,
        };
        futures_util::stream::try_unfold(state, move |mut state| async move {
            if let Some(actor) = state.actor.take() {
                state.kiwi.own_run(&actor, &state.run).await?;
            }
            loop {
                if let Some(event) = state.ready.pop_front() {
                    state.next = event.sequence + 1;
                    state.done |= matches!(event.body, EventBody::Finished { .. });
                    return Ok(Some((event, state)));
                }
                if state.done {
                    return Ok(None);
                }
                // Read whether the run is over before the events: the last event is written before the run's end.
                let over = state.kiwi.store().run(&state.run).await?.is_none_or(|run| run.status.is_final());
                state.ready = state.kiwi.store().events(&state.run, state.next, 1000).await?.into();
                if state.ready.is_empty() {
                    if over || !follow {
                        return Ok(None);
                    }
                    state.changes.wait(|change| change.is_about(&state.run)).await;
                }
            }
        })
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn a_hostile_line_cannot_drive_the_terminal() {
        assert_eq!(printable(b"\x1b[2J\x1b]0;title\x07ok\x1b[31m!\x08\r\n"), "ok!");
        assert_eq!(printable(b"10%\r50%\r100%\n"), "100%");
        assert_eq!(printable("a\u{202e}b\u{0}".as_bytes()), "ab");
        assert_eq!(printable(&[0xff, b'x']), "\u{fffd}x");
    }
}
