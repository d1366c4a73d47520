//! `kiwi delivery`.

use super::secrets;
use crate::args::{DeliveryCommand, Output};
use crate::compose::Session;
use crate::output;
use bytes::Bytes;
use kiwi_core::error::{Error, Result};
use kiwi_core::webhook::{LARGEST_BODY, UnverifiedWebhook, WebhookVerdict};
use serde_json::json;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn run(session: &Session, command: DeliveryCommand, output: Output) -> Result<ExitCode> {
    let DeliveryCommand::Explain { provider, event_file, body, secret_file, branch } = command;
    let delivery = UnverifiedWebhook::new(headers(&secrets::text_file(&event_file)?), bytes(&body)?);
    let secret = match &secret_file {
        // The line end that editors and `echo` add is not part of a secret.
        Some(file) => Some(secrets::text_file(file)?.trim_end_matches(['\n', '\r']).to_owned().into()),
        None => None,
    };
    let verdict = session.kiwi.embedded()?.explain_delivery(&session.actor, provider.into(), &delivery, secret.as_ref(), branch.as_ref())?;
    let (name, reason) = match &verdict {
        WebhookVerdict::Event(push) => ("build", format!("a push to {}", push.branch)),
        WebhookVerdict::Ignored { reason, .. } => ("ignored", reason.clone()),
        WebhookVerdict::Rejected { reason, .. } => ("rejected", reason.clone()),
    };
    let about = verdict.about();
    let shown = json!({
        "verdict": name,
        "reason": reason,
        "event": about.event,
        "repository": about.repository.as_ref().map(|repository| &repository.path),
        "branch": about.branch,
        "tag": about.tag,
        "commit": about.commit,
        "delivery_id": about.delivery,
    });
    output::result(output, &shown, || {
        let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
        let rows = [
            ("verdict", name.to_owned()),
            ("reason", reason.clone()),
            ("event", text(about.event)),
            ("repository", text(about.repository.map(|repository| repository.path))),
            ("branch", text(about.branch.map(|branch| branch.to_string()))),
            ("tag", text(about.tag)),
            ("commit", text(about.commit.map(|commit| commit.to_string()))),
            ("delivery", text(about.delivery)),
        ];
        output::table(&["delivery", ""], &rows.map(|(name, value)| vec![name.to_owned(), value]))
    });
    Ok(ExitCode::SUCCESS)
}

/// `Name: value` lines, as servers log them; a request line and empty lines are skipped.
fn headers(text: &str) -> Vec<(String, String)> {
    text.lines().filter_map(|line| line.split_once(':')).map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned())).collect()
}

fn bytes(path: &Path) -> Result<Bytes> {
    let fail = |error: std::io::Error| Error::invalid("read delivery", format!("{} cannot be read", path.display())).with_source(error);
    let mut body = Vec::new();
    // One byte more than allowed tells that there is more.
    std::fs::File::open(path).and_then(|file| file.take(LARGEST_BODY as u64 + 1).read_to_end(&mut body)).map_err(fail)?;
    Ok(body.into())
}
