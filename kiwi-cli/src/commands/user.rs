//! `kiwi user`.

use crate::args::{Output, UserCommand, UserRole};
use crate::compose::Session;
use crate::output;
use kiwi_core::access::Role;
use kiwi_core::domain::{Timestamp, User};
use kiwi_core::error::Result;
use std::process::ExitCode;

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
    }
    Ok(ExitCode::SUCCESS)
}
