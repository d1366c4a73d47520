//! `kiwi service`.

use super::{secrets, service_file, source};
use crate::args::{Output, Register, ServiceCommand, Settings};
use crate::compose::Session;
use crate::output;
use kiwi_core::domain::{BuildSettings, ContainerName, ContainerSpec, DockerfileChoice, GitProviderKind, Service, Source, TestSettings};
use kiwi_core::error::{Error, Result};
use kiwi_core::pipeline::{NewService, NewSource};
use std::collections::BTreeMap;
use std::process::ExitCode;

pub(super) async fn run(session: &Session, command: ServiceCommand, output: Output) -> Result<ExitCode> {
    let Session { kiwi, actor } = session;
    match command {
        ServiceCommand::Register(register) => {
            let service = kiwi.register(actor, new_service(*register)?).await?;
            let next = if matches!(service.source, Source::Images(_)) { "deploy" } else { "run" };
            output::result(output, &service, || format!("{} is registered; deliver it with `kiwi {next} {}`", service.name, service.name));
        }
        ServiceCommand::List => list(session, output).await?,
        ServiceCommand::Show { name } => {
            let service = kiwi.service(actor, &name).await?;
            output::result(output, &service, || show(&service));
        }
        ServiceCommand::Update { name, branch, image, settings } => {
            if !settings.build_secret.is_empty() {
                kiwi.set_build_secrets(actor, &name, secrets::named(&settings.build_secret)?).await?;
            }
            let service = kiwi
                .update_service(actor, &name, |service| {
                    if let (Some(branch), Source::Git { branch: kept, .. }) = (branch, &mut service.source) {
                        *kept = branch;
                    }
                    for (container, reference) in image {
                        let kept = match &mut service.source {
                            Source::Images(images) => images.get_mut(&container),
                            Source::Git { .. } => None,
                        };
                        let missing = || Error::invalid("update service", format!("{} has no container {container} that runs a ready image", service.name));
                        *kept.ok_or_else(missing)? = reference;
                    }
                    if let Some(runtime) = &settings.runtime {
                        service.runtime = runtime.clone();
                    }
                    let Some(container) = service.containers.first_mut() else { return Ok(()) };
                    apply_container(container, &settings);
                    apply_build(&mut service.build, &settings)?;
                    let rollout = (&mut service.strategy, &mut service.drain_seconds, &mut service.stop_seconds, &mut service.start_seconds);
                    apply_rollout(rollout, &settings);
                    if settings.release_command.is_some() {
                        service.release_command.clone_from(&settings.release_command);
                    }
                    Ok(())
                })
                .await?;
            output::result(output, &service, || format!("{} is changed; the next deployment uses it", service.name));
        }
        ServiceCommand::Remove { name, volumes } => {
            let service = kiwi.service(actor, &name).await?;
            kiwi.remove_service(actor, &name, volumes).await?;
            if !volumes && service.containers.iter().any(|container| !container.volumes.is_empty()) {
                output::note(&format!("its volumes are kept on {}, on Kubernetes with their namespace; `--volumes` would have removed them", service.runtime));
            }
            output::result(output, &serde_json::json!({ "removed": name }), || format!("{name} is removed"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(session: &Session, output: Output) -> Result<()> {
    let all = session.kiwi.services(&session.actor).await?;
    output::result(output, &all, || {
        let rows: Vec<_> = all.iter().map(|service| vec![service.name.to_string(), describe(&service.source), service.runtime.to_string()]).collect();
        output::table(&["name", "source", "runtime"], &rows)
    });
    Ok(())
}

fn describe(source: &Source) -> String {
    match source {
        Source::Git { repository, branch, .. } => format!("{repository} ({branch})"),
        Source::Images(images) => images.values().map(ToString::to_string).collect::<Vec<_>>().join(", "),
    }
}

fn show(service: &Service) -> String {
    let mut rows = vec![
        vec!["name".to_owned(), service.name.to_string()],
        vec!["source".to_owned(), describe(&service.source)],
        vec!["runtime".to_owned(), service.runtime.to_string()],
        vec!["registry".to_owned(), service.build.registry.as_ref().map_or("none (local images)".to_owned(), ToString::to_string)],
        vec!["tag rule".to_owned(), service.build.tag_rule.to_string()],
    ];
    for container in &service.containers {
        rows.push(vec![format!("container {}", container.name), container.port.map_or("no port".to_owned(), |port| format!("port {port}"))]);
    }
    output::table(&["setting", "value"], &rows)
}

fn new_service(register: Register) -> Result<NewService> {
    let settings = &register.settings;
    let (mut new, named) = match source(&register)? {
        Some(source) => (NewService::new(register.name.clone(), source), Vec::new()),
        None => {
            let file = register.source.file.as_deref().unwrap_or_else(|| std::path::Path::new(""));
            service_file::read(file, register.name.clone(), register.branch.clone())?
        }
    };
    if !matches!(new.source, NewSource::Git { .. }) && (register.token_stdin || register.ca.is_some()) {
        return Err(Error::invalid("register service", "--token-stdin and --ca belong to a plain --git URL")
            .with_hint("repositories of GitHub and GitLab use the organization's token and CA, images the credentials of a registry"));
    }
    // One line each: the token, the build secrets, then those that the file names.
    let count = usize::from(register.token_stdin) + settings.build_secret.len() + named.len();
    let mut values = if register.token_stdin && count == 1 { vec![secrets::one("token")?] } else { secrets::lines(count)? }.into_iter();
    let given = if register.token_stdin { values.next() } else { None };
    if let NewSource::Git { url, token, ca, .. } = &mut new.source {
        let access = source::access(url, given, register.ca.as_deref())?;
        (*token, *ca) = (access.token.or(token.take()), access.ca.or(ca.take()));
    }
    new.build_secrets = settings.build_secret.iter().cloned().zip(&mut values).collect();
    for ((container, name), value) in named.iter().cloned().zip(values) {
        new.container_secrets.entry(container).or_default().insert(name, value);
    }
    if settings.runtime.is_some() {
        new.runtime.clone_from(&settings.runtime);
    }
    if new.containers.is_empty() {
        new.containers = match &new.source {
            NewSource::Images(_) => register.source.image.iter().map(|(name, _)| ContainerSpec::new(name.clone())).collect(),
            _ => vec![ContainerSpec::new(ContainerName::from(&new.name))],
        };
    }
    // Flags are of the first container; a file says more of each.
    if let Some(container) = new.containers.first_mut() {
        apply_container(container, settings);
    }
    apply_build(&mut new.build, settings)?;
    apply_rollout((&mut new.strategy, &mut new.drain_seconds, &mut new.stop_seconds, &mut new.start_seconds), settings);
    if settings.release_command.is_some() {
        new.release_command.clone_from(&settings.release_command);
    }
    Ok(new)
}

/// The source that the flags name; none when a file does.
fn source(register: &Register) -> Result<Option<NewSource>> {
    let (given, branch) = (&register.source, register.branch.clone());
    let hosted = |provider, path: &String| Some(NewSource::Hosted { provider, path: path.clone(), branch: branch.clone() });
    if let Some(url) = &given.git {
        return Ok(Some(NewSource::Git { url: url.clone(), branch, token: None, ca: None }));
    }
    if let Some(path) = &given.github {
        return Ok(hosted(GitProviderKind::Github, path));
    }
    if let Some(path) = &given.gitlab {
        return Ok(hosted(GitProviderKind::Gitlab, path));
    }
    if let (Some(provider), Some(owner), Some(name)) = (given.create, &register.owner, &register.repository) {
        return Ok(Some(NewSource::NewRepository { provider: provider.into(), owner: owner.clone(), name: name.clone() }));
    }
    if given.image.is_empty() {
        return Ok(None);
    }
    let images: BTreeMap<_, _> = given.image.iter().cloned().collect();
    if images.len() < given.image.len() {
        return Err(Error::invalid("register service", "two images are for one container").with_hint("give each container its own name"));
    }
    Ok(Some(NewSource::Images(images)))
}

fn apply_container(container: &mut ContainerSpec, settings: &Settings) {
    container.port = settings.port.or(container.port);
    container.protocol = settings.protocol.unwrap_or(container.protocol);
    container.publish = settings.publish.or(container.publish);
    if settings.health.is_some() {
        container.health.clone_from(&settings.health);
    }
    if settings.ingress_path.is_some() {
        container.ingress_path.clone_from(&settings.ingress_path);
    }
    if settings.host.is_some() {
        container.host.clone_from(&settings.host);
    }
}

fn apply_build(build: &mut BuildSettings, settings: &Settings) -> Result<()> {
    if settings.registry.is_some() {
        build.registry.clone_from(&settings.registry);
    }
    if settings.build_runtime.is_some() {
        build.runtime.clone_from(&settings.build_runtime);
    }
    if let Some(name) = &settings.image_name {
        // A name is legal when a reference with it is.
        format!("kiwi.local/{name}:x").parse::<kiwi_core::domain::ImageReference>().map_err(|_| {
            Error::invalid("image name", format!("{name:?} cannot be the name of an image")).with_hint("use lower-case letters, digits, '.', '_', '-' and '/'")
        })?;
        build.image_name = Some(name.clone());
    }
    if let Some(rule) = &settings.tag_rule {
        build.tag_rule = rule.clone();
    }
    if let Some(path) = &settings.dockerfile {
        build.dockerfile = DockerfileChoice::Path(path.clone());
    }
    if settings.wizard {
        build.dockerfile = DockerfileChoice::Wizard;
    }
    if settings.app.is_some() {
        build.wizard.app.clone_from(&settings.app);
    }
    if settings.context.is_some() {
        build.context.clone_from(&settings.context);
    }
    if settings.target.is_some() {
        build.target.clone_from(&settings.target);
    }
    build.arguments.extend(settings.build_arg.iter().cloned());
    if let Some(command) = &settings.test {
        build.test = Some(TestSettings::Command(command.clone()));
    }
    if let Some(target) = &settings.test_target {
        build.test = Some(TestSettings::Target(target.clone()));
    }
    Ok(())
}

fn apply_rollout((strategy, drain, stop, start): (&mut kiwi_core::domain::Strategy, &mut u32, &mut u32, &mut u32), settings: &Settings) {
    *strategy = settings.strategy.unwrap_or(*strategy);
    *drain = settings.drain.unwrap_or(*drain);
    *stop = settings.stop_grace.unwrap_or(*stop);
    *start = settings.start_timeout.unwrap_or(*start);
}
