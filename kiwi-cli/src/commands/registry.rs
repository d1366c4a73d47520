//! `kiwi registry`.

use super::secrets;
use crate::args::{Output, RegistryCommand};
use crate::compose::Session;
use crate::output;
use kiwi_core::error::Result;
use std::process::ExitCode;

pub(super) async fn run(session: &Session, command: RegistryCommand, output: Output) -> Result<ExitCode> {
    let Session { kiwi, actor } = session;
    match command {
        RegistryCommand::Add { name, url, username, password_stdin: _, insecure } => {
            let credentials = match username {
                Some(username) => Some((username, secrets::one("password")?)),
                None => None,
            };
            if insecure {
                output::note("warning: --insecure sends everything, the password too, in clear");
            }
            let settings = kiwi.add_registry(actor, name, url, credentials, insecure).await?;
            output::result(output, &settings, || format!("{} is registered", settings.name));
        }
        RegistryCommand::List => {
            let all = kiwi.registries(actor).await?;
            output::result(output, &all, || {
                let rows: Vec<_> = all
                    .iter()
                    .map(|registry| vec![registry.name.to_string(), registry.address.to_string(), registry.username.clone().unwrap_or_default()])
                    .collect();
                output::table(&["name", "address", "user"], &rows)
            });
        }
        RegistryCommand::Check { name } => {
            let report = kiwi.check_registry(actor, &name).await?;
            output::result(output, &serde_json::json!({ "ok": true, "push": report.may_push, "cause": report.push_refusal }), || match &report.push_refusal {
                None => format!("{name} answers, takes the credentials, and can be pushed to"),
                Some(why) => format!("{name} answers and takes the credentials, but images cannot be pushed: {why}"),
            });
        }
        RegistryCommand::Remove { name } => {
            kiwi.remove_registry(actor, &name).await?;
            output::result(output, &serde_json::json!({ "removed": name }), || format!("{name} is forgotten"));
        }
    }
    Ok(ExitCode::SUCCESS)
}
