//! How does a page show a run while it works, and again later?

use futures_util::TryStreamExt as _;
use kiwi_core::domain::{EnvironmentName, EventBody, RunRequest, RuntimeKind, RuntimeSettings};
use kiwi_core::pipeline::{NewService, NewSource};
use kiwi_core::{Actor, Result};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example prints")]
async fn main() -> Result<()> {
    let (kiwi, _) = kiwi_examples::in_memory().await?;
    let actor = Actor::local_admin();
    kiwi.add_runtime(&actor, &RuntimeSettings { name: "local".parse()?, kind: RuntimeKind::Docker { engine: None } }).await?;
    let git = NewSource::Git { url: "https://git.example.com/team/shop".parse()?, branch: None, token: None, ca: None };
    let shop = kiwi.register(&actor, NewService::new("shop".parse()?, git)).await?;
    let run = kiwi.request(&actor, &shop.name, EnvironmentName::Development, RunRequest::Pipeline { commit: None }).await?;
    // Follows from the first event; a page that was left joins again with the number of the next one.
    let live = kiwi.events(&actor, &run.id, 0, true).try_for_each(|event| async move {
        if let EventBody::Stage { stage, status, .. } = &event.body {
            println!("{}: {stage} {status:?}", event.sequence);
        }
        Ok(())
    });
    let (worked, shown) = tokio::join!(kiwi.work(&actor, &run.id, |_| {}), live);
    shown?;
    println!("{}", worked?.status.as_str());
    Ok(())
}
