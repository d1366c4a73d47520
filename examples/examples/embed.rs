//! How does a platform deliver a service, and roll it back?

use kiwi_core::domain::{EnvironmentName, RunRequest, RuntimeKind, RuntimeSettings};
use kiwi_core::pipeline::{NewService, NewSource};
use kiwi_core::{Actor, Result};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example prints")]
async fn main() -> Result<()> {
    let (kiwi, source) = kiwi_examples::in_memory().await?;
    let (actor, environment) = (Actor::local_admin(), EnvironmentName::Development);
    kiwi.add_runtime(&actor, &RuntimeSettings { name: "local".parse()?, kind: RuntimeKind::Docker { engine: None } }).await?;
    let git = NewSource::Git { url: "https://git.example.com/team/shop".parse()?, branch: None, token: None, ca: None };
    let shop = kiwi.register(&actor, NewService::new("shop".parse()?, git)).await?;
    for commit in ["1111111111111111111111111111111111111111", "2222222222222222222222222222222222222222"] {
        source.push("main".parse()?, commit.parse()?);
        let run = kiwi.request(&actor, &shop.name, environment, RunRequest::Pipeline { commit: None }).await?;
        let run = kiwi.work(&actor, &run.id, |reason| println!("waiting: {reason}")).await?;
        println!("{commit}: {}", run.status.as_str());
    }
    let back = kiwi.request(&actor, &shop.name, environment, RunRequest::Rollback { to: None, current_config: false }).await?;
    kiwi.work(&actor, &back.id, |_| {}).await?;
    for deployment in kiwi.history(&actor, &shop.name, environment).await? {
        println!("revision {}: {}", deployment.release.revision, deployment.status.as_str());
    }
    Ok(())
}
