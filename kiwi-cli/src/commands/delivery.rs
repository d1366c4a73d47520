//! `kiwi delivery`.

use super::secrets;
use crate::args::{DeliveryCommand, Output, Provider};
use crate::compose::Session;
use crate::output;
use bytes::Bytes;
use kiwi_core::domain::{Branch, Delivery};
use kiwi_core::error::{Error, Result};
use kiwi_core::webhook::{LARGEST_BODY, UnverifiedWebhook, WebhookVerdict};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

pub(super) async fn run(session: &Session, command: DeliveryCommand, output: Output) -> Result<ExitCode> {
    let Session { kiwi, actor } = session;
    match command {
        DeliveryCommand::List { service, limit, before } => {
            let deliveries = kiwi.deliveries(actor, &service, before.as_ref(), limit).await?;
            output::result(output, &deliveries.iter().map(shown).collect::<Vec<_>>(), || {
                let row = |delivery: &Delivery| {
                    let (outcome, reason) = decided(delivery);
                    let commit = delivery.commit.as_ref().map_or("-", |commit| commit.short()).to_owned();
                    vec![delivery.id.to_string(), delivery.received_at.to_string(), commit, outcome.to_owned(), reason.to_owned()]
                };
                output::table(&["delivery", "received", "commit", "decision", "reason"], &deliveries.iter().map(row).collect::<Vec<_>>())
            });
            Ok(ExitCode::SUCCESS)
        }
        DeliveryCommand::Show { id } => {
            let delivery = kiwi.delivery(actor, &id).await?;
            output::result(output, &shown(&delivery), || show(&delivery));
            Ok(ExitCode::SUCCESS)
        }
        DeliveryCommand::Explain { provider, event_file, body, secret_file, branch } => {
            explain(session, (provider, &event_file, &body, secret_file.as_deref(), branch), output)
        }
    }
}

fn decided(delivery: &Delivery) -> (&str, &str) {
    delivery.decision.as_ref().map_or(("waiting", "not decided yet"), |decision| (decision.outcome.as_str(), &decision.reason))
}

fn shown(delivery: &Delivery) -> Value {
    let (outcome, reason) = decided(delivery);
    json!({
        "delivery": delivery.id,
        "service": delivery.service_name,
        "origin": delivery.origin.as_str(),
        "provider": delivery.provider,
        "received_at": delivery.received_at,
        "event": delivery.event,
        "repository": delivery.repository,
        "branch": delivery.branch,
        "tag": delivery.tag,
        "commit": delivery.commit,
        "delivery_id": delivery.host_id,
        "headers": delivery.headers.iter().cloned().collect::<BTreeMap<_, _>>(),
        "decision": outcome,
        "reason": reason,
        "run": delivery.decision.as_ref().and_then(|decision| decision.run.as_ref()),
        "decided_at": delivery.decision.as_ref().map(|decision| decision.at),
    })
}

fn show(delivery: &Delivery) -> String {
    let (outcome, reason) = decided(delivery);
    let text = |value: Option<String>| value.unwrap_or_else(|| "-".to_owned());
    let rows = [
        ("decision", outcome.to_owned()),
        ("reason", reason.to_owned()),
        ("run", text(delivery.decision.as_ref().and_then(|decision| decision.run.as_ref()).map(ToString::to_string))),
        ("service", delivery.service_name.to_string()),
        ("origin", delivery.origin.as_str().to_owned()),
        ("received", delivery.received_at.to_string()),
        ("event", text(delivery.event.clone())),
        ("repository", text(delivery.repository.clone())),
        ("branch", text(delivery.branch.as_ref().map(ToString::to_string))),
        ("tag", text(delivery.tag.clone())),
        ("commit", text(delivery.commit.as_ref().map(ToString::to_string))),
        ("host's id", text(delivery.host_id.clone())),
    ];
    output::table(&["delivery", delivery.id.as_str()], &rows.map(|(name, value)| vec![name.to_owned(), value]))
}

type Explained<'a> = (Provider, &'a Path, &'a Path, Option<&'a Path>, Option<Branch>);

fn explain(session: &Session, (provider, event_file, body, secret_file, branch): Explained<'_>, output: Output) -> Result<ExitCode> {
    let delivery = UnverifiedWebhook::new(headers(&secrets::text_file(event_file)?), bytes(body)?);
    let secret = match secret_file {
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
