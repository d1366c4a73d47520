//! Which Dockerfile a build has: the repository's, or the Build Wizard's.

use super::Context;
use crate::domain::{DockerfileChoice, Port, RepositoryPath};
use crate::error::{Error, ErrorKind, Result};
use crate::provider::BuilderCapabilities;
use crate::wizard::{self, Choices, Directory, Plan, Rendering};
use std::path::{Path, PathBuf};

/// The names under which a builder finds a Dockerfile by itself.
const NAMES: [&str; 3] = ["Dockerfile", "Containerfile", "dockerfile"];

/// A Dockerfile, and whether the wizard made it: then it has a stage for tests.
pub(super) struct Chosen {
    pub(super) dockerfile: DockerfileChoice,
    pub(super) planned: Option<Plan>,
    /// What stays out of its context, where the repository does not say so itself.
    pub(super) ignore: Option<String>,
}

/// Whether the builder needs a tree of this machine, if only to plan with.
pub(super) fn needs_tree(choice: &DockerfileChoice, capabilities: BuilderCapabilities) -> bool {
    capabilities.tree || matches!(choice, DockerfileChoice::Auto | DockerfileChoice::Wizard)
}

/// Chooses for the tree of this run.
pub(super) async fn choose(context: &Context<'_>, tree: PathBuf, capabilities: BuilderCapabilities) -> Result<Chosen> {
    let build = &context.service.build;
    let root = match &build.context {
        Some(directory) => inside(&tree, directory)?,
        None => tree.clone(),
    };
    let (choice, choices) = (build.dockerfile.clone(), build.wizard.clone());
    let rendering = if capabilities.mounts { Rendering::BuildKit } else { Rendering::Plain };
    let work = move || match choice {
        DockerfileChoice::Wizard => plan(&root, Choices { rendering, ..choices }),
        // A link of that name is the repository's Dockerfile too, wherever it leads: the builder judges it.
        DockerfileChoice::Auto if !NAMES.iter().any(|name| root.join(name).symlink_metadata().is_ok()) => plan(&root, Choices { rendering, ..choices }),
        other => Ok(Chosen { dockerfile: other, planned: None, ignore: None }),
    };
    tokio::task::spawn_blocking(work).await.map_err(|error| Error::new(ErrorKind::Internal, "plan build", "planning panicked").with_source(error))?
}

/// The build context. Nothing outside the tree is planned with, whatever its links say.
fn inside(tree: &Path, directory: &RepositoryPath) -> Result<PathBuf> {
    let real = |path: &Path| path.canonicalize().ok();
    real(&tree.join(directory.as_str()))
        .filter(|found| found.is_dir() && real(tree).is_some_and(|tree| found.starts_with(tree)))
        .ok_or_else(|| Error::invalid("plan build", format!("the repository has no directory {directory}")))
}

fn plan(root: &Path, choices: Choices) -> Result<Chosen> {
    let planned = wizard::plan(&Directory::open(root)?, &choices)?;
    let own = root.join(".dockerignore").symlink_metadata().is_ok();
    let ignore = (!own).then(|| planned.dockerignore());
    Ok(Chosen { dockerfile: DockerfileChoice::Text(planned.dockerfile()?), planned: Some(planned), ignore })
}

/// Tells what was planned, and gives a service that names no port the one that its program listens on.
pub(super) async fn adopt(context: &mut Context<'_>, planned: &Plan) -> Result<()> {
    context.events.info("the Build Wizard makes the Dockerfile; `kiwi dockerfile` shows it".to_owned()).await;
    for reason in &planned.reasons {
        context.events.info(format!("wizard: {reason}")).await;
    }
    let Some(port) = planned.port.and_then(|port| Port::try_from(port).ok()) else { return Ok(()) };
    match context.service.containers.first().map(|container| container.port) {
        Some(None) => {}
        Some(Some(named)) if named != port => {
            let message = format!("the service says port {named}, the Build Wizard expects the program on port {port}: the service's counts");
            context.events.send(crate::domain::EventBody::Warning { message }).await;
            return Ok(());
        }
        _ => return Ok(()),
    }
    let set = |service: &mut crate::domain::Service| {
        if let Some(container) = service.containers.first_mut().filter(|container| container.port.is_none()) {
            container.port = Some(port);
        }
        Ok(())
    };
    let updated = context.kiwi.update_service(&context.actor(), &context.service.name.clone(), set).await?;
    context.service.containers = updated.containers;
    context.events.info(format!("the service listens on port {port} from now on; `kiwi service update --port` changes it")).await;
    Ok(())
}
