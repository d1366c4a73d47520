//! The `--file` form of a service.

use super::secrets::text_file;
use kiwi_core::domain::{
    Branch, ContainerName, ContainerSpec, DockerfileChoice, GitProviderKind, GitUrl, Host, ImageReference, IngressPath, Port, Protocol, RegistryName, Replicas,
    RepositoryPath, RuntimeName, ServiceName, Strategy, Tag, TagRule, TestSettings, Variable, VariableName, Volume,
};
use kiwi_core::error::{Error, Result};
use kiwi_core::pipeline::{NewService, NewSource};
use kiwi_core::wizard::Choices;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Option<ServiceName>,
    source: Option<SourceForm>,
    branch: Option<Branch>,
    runtime: Option<RuntimeName>,
    #[serde(default)]
    build: BuildForm,
    #[serde(default)]
    containers: Vec<ContainerForm>,
    release_command: Option<String>,
    strategy: Option<Strategy>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SourceForm {
    git: Option<GitUrl>,
    github: Option<String>,
    gitlab: Option<String>,
    create: Option<GitProviderKind>,
    owner: Option<String>,
    repository: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct BuildForm {
    dockerfile: Option<RepositoryPath>,
    wizard: Option<Choices>,
    context: Option<RepositoryPath>,
    target: Option<String>,
    arguments: BTreeMap<VariableName, String>,
    registry: Option<RegistryName>,
    runtime: Option<RuntimeName>,
    image_name: Option<String>,
    tag_rule: Option<TagRule>,
    test: Option<String>,
    test_target: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ContainerForm {
    name: ContainerName,
    image: Option<String>,
    tag: Option<Tag>,
    port: Option<Port>,
    #[serde(default)]
    protocol: Protocol,
    health: Option<IngressPath>,
    #[serde(default)]
    environment: BTreeMap<VariableName, String>,
    #[serde(default)]
    secrets: Vec<VariableName>,
    #[serde(default)]
    volumes: Vec<Volume>,
    ingress_path: Option<IngressPath>,
    #[serde(default)]
    is_internal: bool,
    host: Option<Host>,
    publish: Option<Port>,
    replicas: Option<Replicas>,
}

/// The secrets that a file names, in its order. Their values are never in it.
pub(super) type Secrets = Vec<(ContainerName, VariableName)>;

/// Reads a file; the name and branch on the command line win.
pub(super) fn read(path: &Path, name: ServiceName, branch: Option<Branch>) -> Result<(NewService, Secrets)> {
    let text = text_file(path)?;
    let file: File = serde_saphyr::from_str(&text).map_err(|error| {
        // The parser's message has the line and quotes it.
        let message: String = error.to_string().chars().take(600).collect();
        Error::invalid("read service file", format!("{}: {message}", path.display())).with_hint("docs/service-file.md lists every key")
    })?;
    if file.name.as_ref().is_some_and(|in_file| *in_file != name) {
        return Err(Error::invalid("read service file", format!("{} describes another service than {name}", path.display())));
    }
    let source = match file.source {
        Some(form) => git_source(form, branch.or(file.branch))?,
        None => NewSource::Images(file.containers.iter().map(image).collect::<Result<_>>()?),
    };
    if !matches!(source, NewSource::Images(_)) && file.containers.iter().any(|container| container.image.is_some() || container.tag.is_some()) {
        return Err(Error::invalid(
            "read service file",
            "a service from a repository runs the image that is built from it; its container has no image of its own",
        ));
    }
    let mut new = NewService::new(name, source);
    let secrets = file.containers.iter().flat_map(|container| container.secrets.iter().map(|secret| (container.name.clone(), secret.clone()))).collect();
    new.runtime = file.runtime;
    new.release_command = file.release_command;
    new.strategy = file.strategy.unwrap_or_default();
    let build = &mut new.build;
    (build.context, build.target, build.arguments) = (file.build.context, file.build.target, file.build.arguments);
    (build.registry, build.runtime, build.image_name) = (file.build.registry, file.build.runtime, file.build.image_name);
    build.tag_rule = file.build.tag_rule.unwrap_or_default();
    if let Some(path) = file.build.dockerfile {
        build.dockerfile = DockerfileChoice::Path(path);
    }
    if let Some(wizard) = file.build.wizard {
        if build.dockerfile != DockerfileChoice::Auto {
            return Err(Error::invalid("read service file", "build has both dockerfile and wizard"));
        }
        (build.dockerfile, build.wizard) = (DockerfileChoice::Wizard, wizard);
    }
    build.test = match (file.build.test, file.build.test_target) {
        (Some(_), Some(_)) => return Err(Error::invalid("read service file", "build has both test and test_target")),
        (Some(command), None) => Some(TestSettings::Command(command)),
        (None, Some(target)) => Some(TestSettings::Target(target)),
        (None, None) => None,
    };
    let container = |form: ContainerForm| ContainerSpec {
        port: form.port,
        protocol: form.protocol,
        health: form.health,
        variables: form.environment.into_iter().map(|(name, value)| (name, Variable::Plain(value))).collect(),
        volumes: form.volumes,
        ingress_path: form.ingress_path,
        is_internal: form.is_internal,
        host: form.host,
        publish: form.publish,
        replicas: form.replicas,
        ..ContainerSpec::new(form.name)
    };
    new.containers = file.containers.into_iter().map(container).collect();
    Ok((new, secrets))
}

fn git_source(form: SourceForm, branch: Option<Branch>) -> Result<NewSource> {
    let hosted = |provider, path: String| NewSource::Hosted { provider, path, branch: branch.clone() };
    match form {
        SourceForm { git: Some(url), github: None, gitlab: None, create: None, owner: None, repository: None } => {
            Ok(NewSource::Git { url, branch, token: None, ca: None })
        }
        SourceForm { git: None, github: Some(path), gitlab: None, create: None, owner: None, repository: None } => Ok(hosted(GitProviderKind::Github, path)),
        SourceForm { git: None, github: None, gitlab: Some(path), create: None, owner: None, repository: None } => Ok(hosted(GitProviderKind::Gitlab, path)),
        SourceForm {
            git: None,
            github: None,
            gitlab: None,
            create: Some(provider @ (GitProviderKind::Github | GitProviderKind::Gitlab)),
            owner: Some(owner),
            repository: Some(name),
        } => Ok(NewSource::NewRepository { provider, owner, name }),
        _ => Err(Error::invalid("read service file", "the source is not exactly one of git, github, gitlab, or create with owner and repository")
            .with_hint("leave the source out for a service of ready images")),
    }
}

fn image(container: &ContainerForm) -> Result<(ContainerName, ImageReference)> {
    let fail = |problem: &str| {
        Error::invalid("read service file", format!("container {}: {problem}", container.name))
            .with_hint("give each container image and tag, or the service a source")
    };
    let image = container.image.as_ref().ok_or_else(|| fail("it has no image, and the service no source"))?;
    let reference: ImageReference = image.parse()?;
    let named = reference.digest().is_some() || image.rsplit('/').next().is_some_and(|last| last.contains(':'));
    match &container.tag {
        Some(_) if named => Err(fail("the image names a tag or digest, and tag names another")),
        Some(tag) => Ok((container.name.clone(), reference.with_tag(tag.clone()))),
        None => Ok((container.name.clone(), reference)),
    }
}
