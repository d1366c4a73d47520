//! Showing a run while it works: bars on a terminal, plain lines in a pipe.

use crate::facade::Facade;
use crate::output::note;
use crate::signal;
use futures_util::StreamExt as _;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use kiwi_core::access::Actor;
use kiwi_core::domain::{Event, EventBody, Run, RunId, StageStatus};
use kiwi_core::error::Result;
use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::time::Duration;

/// A bar of its own; none where standard error is no terminal.
pub(crate) fn bar(template: &str, length: u64) -> ProgressBar {
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(length) } else { ProgressBar::hidden() };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Works a run to its end, showing it. Ctrl-C and SIGTERM cancel it and wait until it is undone.
pub(crate) async fn work(kiwi: &Facade, actor: &Actor, run: &RunId) -> Result<(Run, bool)> {
    let show = {
        let (kiwi, actor, run) = (kiwi.clone(), actor.clone(), run.clone());
        tokio::spawn(async move {
            let mut events = kiwi.events(&actor, &run, 0, true);
            let mut display = Display::new();
            while let Some(Ok(event)) = events.next().await {
                display.show(&event);
            }
            display.end();
        })
    };
    let worker = kiwi.work(actor, run, |reason| note(&format!("waiting: {reason}")));
    tokio::pin!(worker);
    let mut interrupted = false;
    let finished = loop {
        tokio::select! {
            finished = &mut worker => break finished,
            () = signal::stop(), if !interrupted => {
                interrupted = true;
                note("stopping; press Ctrl-C again to leave it to `kiwi runs resume`");
                // A run that just ended cannot be cancelled, and need not be.
                let _ = kiwi.cancel(actor, run).await;
            }
        }
    };
    let finished = match finished {
        Ok(finished) => finished,
        Err(error) => {
            show.abort();
            return Err(error);
        }
    };
    // The last events are there already; following them takes a moment.
    let _ = tokio::time::timeout(Duration::from_secs(2), show).await;
    Ok((finished, interrupted))
}

/// Turns events into lines and bars.
pub(crate) struct Display {
    terminal: bool,
    bars: MultiProgress,
    open: HashMap<String, ProgressBar>,
    seen: HashMap<String, u64>,
}

impl Display {
    pub(crate) fn new() -> Self {
        Self { terminal: std::io::stderr().is_terminal(), bars: MultiProgress::new(), open: HashMap::new(), seen: HashMap::new() }
    }

    pub(crate) fn show(&mut self, event: &Event) {
        match &event.body {
            EventBody::Stage { stage, status, message } => {
                self.clear();
                let why = message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
                match status {
                    StageStatus::Running => self.line(&format!("{stage}")),
                    StageStatus::Passed => self.line(&format!("{stage} passed{why}")),
                    StageStatus::Skipped => self.line(&format!("{stage} skipped{why}")),
                    StageStatus::Failed => self.line(&format!("{stage} failed{why}")),
                    StageStatus::Pending => {}
                }
            }
            EventBody::Info { message } => self.line(&format!("  {message}")),
            EventBody::Warning { message } => self.line(&format!("  warning: {message}")),
            EventBody::Progress { label, current, total } => self.progress(label, *current, *total),
            EventBody::Log { line, .. } => self.line(&format!("  | {line}")),
            _ => {}
        }
    }

    fn progress(&mut self, label: &str, current: u64, total: Option<u64>) {
        if !self.terminal {
            // A pipe gets a line when something is complete, not for every step of it.
            if total == Some(current) && self.seen.insert(label.to_owned(), current) != Some(current) {
                self.line(&format!("  {label}: done"));
            }
            return;
        }
        let bar = self.open.entry(label.to_owned()).or_insert_with(|| {
            let style = match total {
                Some(_) => ProgressStyle::with_template("  {msg:28!} {bar:30} {pos}/{len}"),
                None => ProgressStyle::with_template("  {msg:28!} {spinner} {pos}"),
            };
            let bar = self.bars.add(ProgressBar::new(total.unwrap_or(0)));
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar.set_message(label.to_owned());
            bar
        });
        if let Some(total) = total {
            bar.set_length(total);
        }
        bar.set_position(current);
        if total.is_some_and(|total| current >= total)
            && let Some(bar) = self.open.remove(label)
        {
            bar.finish_and_clear();
        }
    }

    fn line(&self, text: &str) {
        if self.terminal {
            let _ = self.bars.println(text);
        } else {
            note(text);
        }
    }

    fn clear(&mut self) {
        for (_, bar) in self.open.drain() {
            bar.finish_and_clear();
        }
    }

    pub(crate) fn end(&mut self) {
        self.clear();
        let _ = self.bars.clear();
    }
}
