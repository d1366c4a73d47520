//! `kiwi user`.

use crate::args::{Output, TokenCommand, UserCommand, UserRole};
use crate::compose::Session;
use crate::output;
use kiwi_core::access::Role;
use kiwi_core::domain::{Timestamp, User};
use kiwi_core::error::Result;
use kiwi_core::pipeline::NewToken;
use secrecy::ExposeSecret as _;
use std::process::ExitCode;
use std::time::Duration;

pub(super) async fn run(session: &Session, command: UserCommand, output: Output) -> Result<ExitCode> {
    let Session { kiwi, actor } = session;
    match command {
        UserCommand::Add { name, email, full_name, role, service } => {
            let role = match role {
                UserRole::Admin => Role::Admin,
                UserRole::Member => Role::Member { service },
            };
            let user = User { full_name: full_name.unwrap_or_else(|| name.to_string()), name, email, role, created_at: Timestamp::now() };
            kiwi.add_user(actor, &user).await?;
            output::result(output, &user, || format!("{} is added", user.name));
        }
        UserCommand::List => {
            let all = kiwi.users(actor).await?;
            output::result(output, &all, || {
                let role = |role| match role {
                    Role::Admin => "admin",
                    Role::Member { service: true } => "member with service permission",
                    Role::Member { service: false } => "member",
                };
                output::table(
                    &["user", "e-mail", "role"],
                    &all.iter().map(|user| vec![user.name.to_string(), user.email.to_string(), role(user.role).to_owned()]).collect::<Vec<_>>(),
                )
            });
        }
        UserCommand::Remove { name } => {
            kiwi.remove_user(actor, &name).await?;
            output::result(output, &serde_json::json!({ "removed": name }), || format!("{name} is removed"));
        }
        UserCommand::Token(command) => token(session, command, output).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn token(session: &Session, command: TokenCommand, output: Output) -> Result<()> {
    let Session { kiwi, actor } = session;
    match command {
        TokenCommand::Create { user, name, scopes, days } => {
            let expires_at = days.map(|days| Timestamp::now().after(Duration::from_secs(u64::from(days) * 24 * 60 * 60)));
            let (token, value) = kiwi.create_token(actor, NewToken { user, name, scopes: scopes.into_iter().collect(), expires_at }).await?;
            output::result(output, &serde_json::json!({ "value": value.expose_secret(), "token": token }), || value.expose_secret().to_owned());
            output::note("this is the only time that the token is shown");
        }
        TokenCommand::List => {
            let all = kiwi.tokens(actor).await?;
            output::result(output, &all, || {
                let time = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
                let row = |token: &kiwi_core::domain::ApiToken| {
                    let scopes: Vec<_> = token.scopes.iter().map(|scope| scope.as_str()).collect();
                    vec![
                        token.id.to_string(),
                        token.user.to_string(),
                        token.name.to_string(),
                        scopes.join(" "),
                        time(token.expires_at),
                        time(token.last_used_at),
                        time(token.revoked_at),
                    ]
                };
                output::table(&["id", "user", "name", "scopes", "expires", "used", "revoked"], &all.iter().map(row).collect::<Vec<_>>())
            });
        }
        TokenCommand::Revoke { id } => {
            kiwi.revoke_token(actor, &id).await?;
            output::result(output, &serde_json::json!({ "revoked": id }), || format!("{id} opens nothing any more"));
        }
    }
    Ok(())
}
