//! `kiwi service`.

use super::{secrets, service_file, source};
use crate::args::{Output, Register, ServiceCommand, Settings};
use crate::compose::Session;
use crate::output;
use kiwi_core::domain::{BuildSettings, ContainerName, ContainerSpec, DockerfileChoice, Service, Source, TestSettings};
use kiwi_core::error::{Error, Result};
use kiwi_core::pipeline::{NewService, NewSource};
use std::process::ExitCode;

pub(super) async fn run(session: &Session, command: ServiceCommand, output: Output) -> Result<ExitCode> {
    let Session { kiwi, actor } = session;
    match command {
        ServiceCommand::Register(register) => {
            let service = kiwi.register(actor, new_service(*register)?).await?;
            output::result(output, &service, || format!("{} is registered; deliver it with `kiwi run {}`", service.name, service.name));
        }
        ServiceCommand::List => list(session, output).await?,
        ServiceCommand::Show { name } => {
            let service = kiwi.service(actor, &name).await?;
            output::result(output, &service, || show(&service));
        }
        ServiceCommand::Update { name, branch, settings } => {
            if !settings.build_secret.is_empty() {
                return Err(Error::invalid("update service", "build secrets are given at registration").with_hint("remove the service and register it again"));
            }
            let service = kiwi
                .update_service(actor, &name, |service| {
                    if let (Some(branch), Source::Git { branch: kept, .. }) = (branch, &mut service.source) {
                        *kept = branch;
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
            kiwi.remove_service(actor, &name, volumes).await?;
            output::result(output, &serde_json::json!({ "removed": name }), || format!("{name} is removed"));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn list(session: &Session, output: Output) -> Result<()> {
    let all = session.kiwi.services(&session.actor, None, u32::MAX).await?;
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
    let (mut new, settings) = match (&register.file, &register.git) {
        (Some(file), _) => (service_file::read(file, register.name.clone(), register.branch.clone())?, &register.settings),
        (None, Some(url)) => {
            let git = NewSource::Git { url: url.clone(), branch: register.branch.clone(), token: None, ca: None };
            (NewService::new(register.name.clone(), git), &register.settings)
        }
        (None, None) => return Err(Error::invalid("register service", "no source is given").with_hint("name a repository with --git URL")),
    };
    let read_secrets = register.token_stdin && !settings.build_secret.is_empty();
    if read_secrets {
        return Err(Error::invalid("register service", "--token-stdin and --build-secret both read standard input")
            .with_hint("register with the token, and give build secrets in a run of their own"));
    }
    if let NewSource::Git { url, token, ca, .. } = &mut new.source {
        let access = source::access(url, register.token_stdin, register.ca.as_deref())?;
        (*token, *ca) = (access.token.or(token.take()), access.ca.or(ca.take()));
    }
    new.build_secrets = secrets::named(&settings.build_secret)?;
    if settings.runtime.is_some() {
        new.runtime.clone_from(&settings.runtime);
    }
    if new.containers.is_empty() {
        new.containers.push(ContainerSpec::new(ContainerName::from(&new.name)));
    }
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
