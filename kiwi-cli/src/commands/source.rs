//! `kiwi source`.

use super::secrets;
use crate::args::{Output, SourceCommand};
use crate::compose::Session;
use crate::output;
use kiwi_core::domain::GitUrl;
use kiwi_core::error::{ErrorKind, Result};
use kiwi_core::provider::SourceAccess;
use kiwi_core::secret::SecretString;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

pub(super) async fn run(session: &Session, command: SourceCommand, output: Output) -> Result<ExitCode> {
    let SourceCommand::Check { url, branch, token_stdin, ca } = command;
    let token = if token_stdin { Some(secrets::one("token")?) } else { None };
    let access = access(&url, token, ca.as_deref())?;
    match session.kiwi.check_source(&session.actor, &url, branch.as_ref(), &access).await {
        Ok(report) => {
            let branches: Vec<_> = report.branches.iter().map(|(branch, _)| branch.as_str()).collect();
            output::result(output, &json!({ "ok": true, "cause": null, "hint": null, "default_branch": report.default_branch, "branches": branches }), || {
                let rows: Vec<_> = report
                    .branches
                    .iter()
                    .map(|(branch, commit)| {
                        vec![
                            branch.to_string(),
                            commit.short().to_owned(),
                            if report.default_branch.as_ref() == Some(branch) { "default" } else { "" }.to_owned(),
                        ]
                    })
                    .collect();
                output::table(&["branch", "commit", ""], &rows)
            });
            Ok(ExitCode::SUCCESS)
        }
        Err(error) if error.kind() == ErrorKind::InvalidInput => Err(error),
        Err(error) => {
            if output == Output::Json {
                output::json(&json!({ "ok": false, "cause": error.message(), "hint": error.hint(), "default_branch": null, "branches": [] }));
            }
            output::error(&error);
            Ok(ExitCode::FAILURE)
        }
    }
}

pub(super) fn access(url: &GitUrl, token: Option<SecretString>, ca: Option<&Path>) -> Result<SourceAccess> {
    if !url.is_encrypted() {
        output::note("warning: http sends everything, a token too, in clear");
    }
    Ok(SourceAccess { token, ca: ca.map(secrets::text_file).transpose()?, private: false })
}
