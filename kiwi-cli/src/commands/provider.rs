//! `kiwi provider`.

use super::passwords::Passwords;
use super::secrets;
use crate::args::{CreateAccounts, Output, ProviderCommand};
use crate::compose::Session;
use crate::{output, progress};
use futures_util::{StreamExt as _, TryStreamExt as _};
use kiwi_core::domain::{GitProviderKind, Timestamp};
use kiwi_core::error::{Error, Result};
use kiwi_core::pipeline::{NewProvider, accounts};
use kiwi_core::provider::{AccountOutcome, TokenReport};
use serde_json::{Value, json};
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};

/// Larger lists of people are other files.
const LARGEST: u64 = 32 << 20;

pub(super) async fn run(session: &Session, command: ProviderCommand, output: Output) -> Result<ExitCode> {
    let Session { kiwi, actor } = session;
    match command {
        ProviderCommand::Set { provider, url, ca, token_stdin: _ } => {
            let private = url.is_some();
            if url.as_ref().is_some_and(|url| !url.is_encrypted()) {
                output::note("warning: http sends everything, the token too, in clear");
            }
            let new =
                NewProvider { kind: provider.into(), url, token: secrets::one("token")?, ca: ca.as_deref().map(secrets::text_file).transpose()?, private };
            let (settings, report) = kiwi.set_provider(actor, new).await?;
            warn(&report);
            let shown = json!({ "provider": settings.kind, "url": settings.url, "token": token(&report) });
            output::result(output, &shown, || format!("{} is set up with the token of {}", settings.kind.title(), report.account));
        }
        ProviderCommand::Check { provider } => {
            let report = kiwi.check_provider(actor, provider.into()).await?;
            warn(&report);
            output::result(output, &token(&report), || {
                let expires = report.expires_at.map_or("never, or the host does not say".to_owned(), |time| time.to_string());
                let rows = [("account", report.account.clone()), ("scopes", report.scopes.join(", ")), ("expires", expires)];
                output::table(&["token", ""], &rows.map(|(name, value)| vec![name.to_owned(), value]))
            });
        }
        ProviderCommand::List => {
            let all = kiwi.providers(actor).await?;
            let shown: Vec<Value> = all
                .iter()
                .map(|provider| json!({ "provider": provider.kind, "url": provider.url, "account": provider.account, "expires_at": provider.expires_at, "updated_at": provider.updated_at }))
                .collect();
            output::result(output, &shown, || {
                let rows: Vec<_> =
                    all.iter().map(|provider| vec![provider.kind.as_str().to_owned(), provider.url.to_string(), provider.account.clone()]).collect();
                output::table(&["provider", "url", "account"], &rows)
            });
        }
        ProviderCommand::Remove { provider } => {
            let kind = GitProviderKind::from(provider);
            kiwi.remove_provider(actor, kind).await?;
            output::result(output, &json!({ "removed": kind }), || format!("{} is forgotten", kind.title()));
        }
        ProviderCommand::Menu { source } => {
            let menu = kiwi.provider_menu(actor, source.into()).await?;
            output::result(output, &menu, || {
                let rows: Vec<_> =
                    menu.iter().map(|entry| vec![entry.action.to_owned(), entry.label.clone(), entry.reason.clone().unwrap_or_default()]).collect();
                output::table(&["action", "label", "not yet, because"], &rows)
            });
        }
        ProviderCommand::Repositories { provider, search } => {
            let all: Vec<_> = kiwi.repositories(actor, provider.into(), search).await?.try_collect().await?;
            output::result(output, &all, || {
                let branch = |branch: &Option<_>| branch.as_ref().map_or("(empty)".to_owned(), |branch: &kiwi_core::domain::Branch| branch.to_string());
                let rows: Vec<_> = all
                    .iter()
                    .map(|repository| {
                        vec![repository.link.path.clone(), branch(&repository.default_branch), if repository.archived { "archived" } else { "" }.to_owned()]
                    })
                    .collect();
                output::table(&["repository", "default branch", ""], &rows)
            });
        }
        ProviderCommand::Branches { provider, repository } => {
            let all: Vec<_> = kiwi.branches(actor, provider.into(), &repository).await?.try_collect().await?;
            let shown: Vec<Value> = all.iter().map(|(branch, commit)| json!({ "name": branch, "commit": commit })).collect();
            output::result(output, &shown, || {
                let rows: Vec<_> = all.iter().map(|(branch, commit)| vec![branch.to_string(), commit.short().to_owned()]).collect();
                output::table(&["branch", "commit"], &rows)
            });
        }
        ProviderCommand::Namespaces { provider } => {
            let all: Vec<_> = kiwi.namespaces(actor, provider.into()).await?.try_collect().await?;
            output::result(output, &all, || {
                let kind = |personal| if personal { "user" } else { "group" }.to_owned();
                output::table(&["owner", "kind"], &all.iter().map(|owner| vec![owner.path.clone(), kind(owner.personal)]).collect::<Vec<_>>())
            });
        }
        ProviderCommand::CreateAccounts(arguments) => return create_accounts(session, arguments, output).await,
    }
    Ok(ExitCode::SUCCESS)
}

fn token(report: &TokenReport) -> Value {
    json!({ "account": report.account, "scopes": report.scopes, "expires_at": report.expires_at, "missing": report.missing, "warning": report.warning(Timestamp::now()) })
}

fn warn(report: &TokenReport) {
    if let Some(warning) = report.warning(Timestamp::now()) {
        output::note(&format!("warning: {warning}"));
    }
    for missing in &report.missing {
        output::note(&format!("warning: {} will not work: the token needs {}", missing.feature, missing.permission));
    }
}

async fn create_accounts(session: &Session, arguments: CreateAccounts, output: Output) -> Result<ExitCode> {
    let Session { kiwi, actor } = session;
    let rows = match &arguments.file {
        Some(file) => accounts::read_rows(&people(file)?)?,
        None => accounts::rows_of(&kiwi.users(actor).await?),
    };
    if rows.is_empty() {
        return Err(Error::invalid("create accounts", "the organization has no users").with_hint("add them with `kiwi user add`, or give a file with --file"));
    }
    let count = rows.len() as u64;
    let passwords = Arc::new(Mutex::new(arguments.passwords_file.as_deref().map(Passwords::create).transpose()?));
    let held = |passwords: &Arc<Mutex<Option<Passwords>>>| passwords.clone();
    let (before, after) = (held(&passwords), held(&passwords));
    let mut results = kiwi
        .embedded()?
        .create_accounts(
            actor,
            GitProviderKind::Gitlab,
            rows,
            move |account| match &mut *before.lock().unwrap_or_else(PoisonError::into_inner) {
                Some(passwords) => passwords.give(account),
                None => Ok(()),
            },
            move |_, outcome| match &mut *after.lock().unwrap_or_else(PoisonError::into_inner) {
                Some(passwords) if outcome != Some(AccountOutcome::Created) => passwords.take_back(),
                _ => Ok(()),
            },
        )
        .await?;
    let bar = progress::bar("accounts {bar:30} {pos}/{len} {msg}", count);
    let mut all = Vec::new();
    let mut stopped = None;
    while let Some(result) = results.next().await {
        match result {
            Ok(result) => {
                bar.set_message(result.username.clone());
                bar.inc(1);
                if let Some(cause) = &result.cause {
                    bar.suspend(|| output::note(&format!("failed: {cause}")));
                }
                all.push(result);
            }
            Err(error) => stopped = Some(error),
        }
    }
    bar.finish_and_clear();
    let number = |outcome| all.iter().filter(|result| result.outcome == outcome).count();
    let (created, exists, failed) = (number(Some(AccountOutcome::Created)), number(Some(AccountOutcome::Exists)), number(None));
    output::result(output, &all, || format!("{created} created, {exists} there already, {failed} failed of {count}"));
    match stopped {
        Some(error) => Err(error),
        None if failed > 0 => {
            output::note("hint: correct what failed and run the same command again; only the missing accounts are created");
            Ok(ExitCode::FAILURE)
        }
        None => Ok(ExitCode::SUCCESS),
    }
}

fn people(path: &Path) -> Result<String> {
    let fail = |error: std::io::Error| Error::invalid("read accounts", format!("{} cannot be read", path.display())).with_source(error);
    let mut text = String::new();
    std::fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_string(&mut text)).map_err(fail)?;
    if text.len() as u64 > LARGEST {
        return Err(Error::invalid("read accounts", format!("{} is larger than {} MiB", path.display(), LARGEST >> 20)));
    }
    Ok(text)
}
