//! The [`Builder`] in a cluster: Kaniko as a Job, with no Docker daemon anywhere (<https://github.com/osscontainertools/kaniko>).

use super::client::Cluster;
use super::job::{self, News};
use super::{accounts, names, rbac};
use crate::feed::{Feed, feed};
use async_trait::async_trait;
use k8s_openapi::api::core::v1::Node;
use kiwi_core::domain::{ClusterSettings, Digest, DockerfileChoice, ImagePin, ImageReference, LogStream, RunId};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{
    BoxStream, BuildContext, BuildEvent, BuildOutcome, BuildPurpose, BuildRequest, Builder, BuilderCapabilities, ImageRegistry as _, RegistryAccess,
};
use kube::Api;
use kube::api::ListParams;
use secrecy::ExposeSecret as _;
use serde_json::{Map, Value, json};

/// The most time that a build may take.
const DEADLINE_SECONDS: u32 = 60 * 60;
/// Capabilities of root that unpacking layers and running steps need; the baseline Pod Security Standard allows each.
const CAPABILITIES: [&str; 12] =
    ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETFCAP", "SETGID", "SETUID", "SYS_CHROOT", "MKNOD", "NET_BIND_SERVICE", "AUDIT_WRITE"];
/// The container that builds.
const CONTAINER: &str = "kaniko";
/// How old a cached layer may be.
const CACHE_TTL: &str = "336h";

/// Builds commits in a cluster.
#[derive(Debug, Clone)]
pub struct KanikoBuilder {
    cluster: Cluster,
}

impl KanikoBuilder {
    /// A builder on this cluster; nothing is sent yet.
    pub fn new(cluster: Cluster) -> Self {
        Self { cluster }
    }
}

#[async_trait]
impl Builder for KanikoBuilder {
    fn capabilities(&self) -> BuilderCapabilities {
        let mut capabilities = BuilderCapabilities::default();
        capabilities.commit = true;
        capabilities
    }

    async fn plan(&self, request: &BuildRequest) -> Result<Vec<String>> {
        let client = self.cluster.client().await?;
        let namespace = rbac::build_namespace(&self.cluster).await?;
        let mut notes = vec![format!("Kaniko builds in the namespace {namespace}")];
        // Without the right to list nodes, the scheduler has the word.
        if let Ok(nodes) = Api::<Node>::all(client.clone()).list(&ListParams::default()).await {
            let mut architectures: Vec<String> = nodes
                .items
                .iter()
                .filter_map(|node| node.status.as_ref()?.node_info.as_ref())
                .filter(|info| info.operating_system == "linux")
                .map(|info| info.architecture.clone())
                .collect();
            architectures.sort();
            architectures.dedup();
            match architectures.as_slice() {
                [] => {
                    return Err(Error::new(ErrorKind::Unsupported, "plan build", "the cluster has no Linux node, and Kaniko runs on no other")
                        .with_hint("add a Linux node, or build on a Docker runtime with --build-runtime"));
                }
                [_] => {}
                several => notes.push(format!("the nodes are of several architectures ({}): the image is of the one that builds it", several.join(", "))),
            }
        }
        if request.purpose == BuildPurpose::Release && request.push.is_none() {
            return Err(Error::invalid("plan build", "Kaniko leaves an image in a registry only, and the service has none")
                .with_hint("register one with `kiwi registry add` and name it with --registry"));
        }
        if let Some(access) = &request.push {
            let report = self.cluster.registry().check(access).await;
            match report {
                Ok(report) if !report.may_push => {
                    let why = report.push_refusal.unwrap_or_default();
                    return Err(Error::new(ErrorKind::Forbidden, "plan build", format!("the registry {} does not take pushes: {why}", access.name))
                        .with_hint("give it an account that may push, with `kiwi registry add`"));
                }
                Err(error) if matches!(error.kind(), ErrorKind::Unauthenticated | ErrorKind::Forbidden) => return Err(error),
                // The cluster may reach what this machine does not.
                Err(error) => notes.push(format!("the registry {} could not be checked from here: {}", access.name, error.message())),
                Ok(_) => {}
            }
        }
        if let BuildContext::Commit { repository, .. } = &request.context
            && !repository.as_str().starts_with("http")
        {
            return Err(
                Error::new(ErrorKind::Unsupported, "plan build", "Kaniko fetches over HTTP and HTTPS only").with_hint("give the repository's HTTPS address")
            );
        }
        Ok(notes)
    }

    async fn find(&self, request: &BuildRequest) -> Result<Option<BuildOutcome>> {
        let Some(access) = &request.push else { return Ok(None) };
        // The run's tag is pushed last, so what it names is whole.
        let Some(digest) = self.cluster.registry().resolve(&request.image, Some(access)).await? else { return Ok(None) };
        // The Job went on when the worker was killed; its Secrets need not wait for it to expire.
        self.cancel(&request.run).await?;
        Ok(Some(outcome(request, digest, false)))
    }

    fn build(&self, request: BuildRequest) -> BoxStream<Result<BuildEvent>> {
        let cluster = self.cluster.clone();
        feed(|feed| async move { build(&cluster, &request, feed).await })
    }

    async fn tag(&self, _: &ImagePin, _: &ImageReference) -> Result<()> {
        // Nothing is kept in the cluster: the registry tags.
        Ok(())
    }

    async fn cancel(&self, run: &RunId) -> Result<()> {
        job::remove(self.cluster.client().await?, &rbac::build_namespace(&self.cluster).await?, run).await
    }
}

fn outcome(request: &BuildRequest, digest: Digest, cached: bool) -> BuildOutcome {
    let registry = request.push.as_ref().map(|access| access.name.clone());
    BuildOutcome { image: ImagePin::Registry { reference: request.image.clone(), digest, registry }, cached }
}

async fn build(cluster: &Cluster, request: &BuildRequest, feed: Feed<BuildEvent>) -> Result<()> {
    let client = cluster.client().await?;
    let namespace = rbac::build_namespace(cluster).await?;
    let spec = spec(cluster.settings(), request, namespace.clone())?;
    feed.send(BuildEvent::Info(format!("Kaniko builds as the Job {} in {namespace}", spec.name))).await;
    let mut log: Vec<u8> = Vec::new();
    let (news, mut told) = crate::feed::channel();
    let telling = async {
        while let Some(Ok(news)) = told.recv().await {
            match news {
                News::Waiting(message) => feed.send(BuildEvent::Info(message)).await,
                News::Log(chunk) => {
                    log.extend_from_slice(&chunk);
                    // Only the end is needed to say what went wrong.
                    if log.len() > 128 * 1024 {
                        log.drain(..64 * 1024);
                    }
                    feed.send(BuildEvent::Log { stream: LogStream::Stdout, chunk }).await;
                }
            }
        }
    };
    let (result, ()) = tokio::join!(spec.run(client, None, news), telling);
    let text = String::from_utf8_lossy(&log).into_owned();
    let ended = match result {
        Ok(ended) => ended,
        Err(error) => {
            job::remove(client, &namespace, &request.run).await?;
            return Err(error);
        }
    };
    if ended.code != 0 {
        job::remove(client, &namespace, &request.run).await?;
        return Err(diagnose(cluster.settings(), &text, ended.code, ended.out_of_memory));
    }
    let done = match &request.push {
        // Nothing is pushed: that it builds is all.
        None => outcome(request, format!("sha256:{}", "0".repeat(64)).parse()?, false),
        Some(access) => {
            let digest = digest(cluster, request, access, &ended.message).await?;
            outcome(request, digest, text.contains("Using caching version of cmd") && !text.contains("No cached layer found"))
        }
    };
    job::remove(client, &namespace, &request.run).await?;
    feed.send(BuildEvent::Done(done)).await;
    Ok(())
}

/// The digest that Kaniko left in its last message, as the registry has it.
async fn digest(cluster: &Cluster, request: &BuildRequest, access: &RegistryAccess, message: &str) -> Result<Digest> {
    let told = message.split_whitespace().find_map(|word| word.trim().parse::<Digest>().ok());
    let found = cluster.registry().resolve(&request.image, Some(access)).await;
    match (told, found) {
        (Some(told), Ok(Some(found))) if told != found => {
            Err(Error::new(ErrorKind::Protocol, "build", format!("Kaniko pushed {told}, but {} is {found} in the registry", request.image))
                .with_hint("somebody pushed the same tag meanwhile; build again"))
        }
        (_, Ok(Some(found))) => Ok(found),
        (Some(told), Ok(None)) => {
            Err(Error::new(ErrorKind::ImageUnavailable, "build", format!("the registry does not have {} ({told}) after the push", request.image)))
        }
        // The cluster may reach what this machine does not.
        (Some(told), Err(_)) => Ok(told),
        (None, found) => found?.ok_or_else(|| Error::new(ErrorKind::Protocol, "build", "Kaniko ended without an image")),
    }
}

/// The Job of a build.
fn spec<'a>(settings: &ClusterSettings, request: &'a BuildRequest, namespace: String) -> Result<job::Spec<'a>> {
    let BuildContext::Commit { repository, commit, access } = &request.context else {
        return Err(Error::new(ErrorKind::Unsupported, "build", "Kaniko fetches the commit itself"));
    };
    let purpose = if request.purpose == BuildPurpose::Release { "release" } else { "test" };
    let name = names::build(&request.run, purpose);
    let (scheme, place) = repository.as_str().split_once("://").unwrap_or(("https", repository.as_str()));
    let mut arguments = vec![
        format!("--context=git://{place}#{commit}"),
        "--git=single-branch=true".to_owned(),
        "--git=depth=1".to_owned(),
        "--snapshot-mode=redo".to_owned(),
        "--log-format=text".to_owned(),
        "--push-retry=3".to_owned(),
        "--image-download-retry=3".to_owned(),
        "--image-fs-extract-retry=2".to_owned(),
        "--digest-file=/dev/termination-log".to_owned(),
        // A mount of the cluster's own, which is not a part of the image.
        "--ignore-path=/product_uuid".to_owned(),
    ];
    let mut environment = Vec::new();
    if scheme == "http" {
        environment.push(json!({ "name": "GIT_PULL_METHOD", "value": "http" }));
    }
    let (mut attached, mut volumes, mut mounts) = (Vec::new(), Vec::new(), Vec::new());
    let mut secrets: Map<String, Value> = Map::new();
    let from_secret = |variable: &str, key: &str| json!({ "name": variable, "valueFrom": { "secretKeyRef": { "name": name, "key": key } } });
    if let Some(token) = &access.token {
        secrets.insert("token".to_owned(), accounts::encoded(token.expose_secret()));
        // Hosts look at the token alone; this name is the one that GitHub documents and others accept.
        environment.push(json!({ "name": "GIT_USERNAME", "value": "x-access-token" }));
        environment.push(from_secret("GIT_PASSWORD", "token"));
    }
    for (index, (variable, value)) in request.secrets.iter().enumerate() {
        let key = format!("secret-{index}");
        secrets.insert(key.clone(), accounts::encoded(value.expose_secret()));
        environment.push(from_secret(variable.as_str(), &key));
        arguments.push(format!("--secret=id={variable},env={variable}"));
    }
    if !secrets.is_empty() {
        attached.push(json!({ "kind": "Secret", "metadata": { "name": name }, "type": "Opaque", "data": secrets }));
    }
    let mut files: Vec<(&str, &str)> = Vec::new();
    match &request.dockerfile {
        DockerfileChoice::Text(text) => {
            files.push(("Dockerfile", text));
            files.extend(request.ignore.as_ref().map(|ignore| ("Dockerfile.dockerignore", ignore.as_str())));
            arguments.push("--dockerfile=/kiwi/Dockerfile".to_owned());
        }
        // Kaniko looks from the context's directory, we say it from the repository's root.
        DockerfileChoice::Path(path) => {
            let up = request.directory.as_ref().map_or(0, |directory| directory.as_str().split('/').filter(|part| *part != "." && !part.is_empty()).count());
            arguments.push(format!("--dockerfile={}{path}", "../".repeat(up)));
        }
        DockerfileChoice::Auto | DockerfileChoice::Wizard => {}
    }
    if let Some(ca) = &access.ca {
        files.push(("git-ca.crt", ca));
        environment.push(json!({ "name": "SSL_CERT_DIR", "value": "/kaniko/ssl/certs:/kiwi" }));
    }
    if !files.is_empty() {
        attached.push(config_map(&name, &files));
        volumes.push(json!({ "name": "kiwi", "configMap": { "name": name } }));
        mounts.push(json!({ "name": "kiwi", "mountPath": "/kiwi" }));
    }
    if let Some(directory) = &request.directory {
        arguments.push(format!("--context-sub-path={directory}"));
    }
    if let Some(target) = &request.target {
        arguments.push(format!("--target={target}"));
    }
    arguments.extend(request.arguments.iter().map(|(name, value)| format!("--build-arg={name}={value}")));
    arguments.extend(request.labels.iter().map(|(name, value)| format!("--label={name}={value}")));
    match &request.push {
        Some(_) => {
            arguments.push(format!("--destination={}", request.image));
            arguments.push("--cache=true".to_owned());
            arguments.push(format!("--cache-ttl={CACHE_TTL}"));
            arguments.push("--cache-copy-layers".to_owned());
            arguments.push(format!("--cache-repo={}/cache", request.image.name()));
        }
        None => arguments.push("--no-push".to_owned()),
    }
    let registries = || request.push.iter().chain(&request.pull);
    for access in registries() {
        let insecure = format!("--insecure-registry={}", access.address.host());
        if access.insecure && !arguments.contains(&insecure) {
            arguments.push(insecure);
        }
    }
    arguments.extend(settings.mirrors.iter().map(|mirror| format!("--registry-mirror={mirror}")));
    let pull = format!("{name}-registry");
    if let Some(secret) = accounts::secret(json!({ "name": pull }), registries()) {
        attached.push(secret);
        volumes.push(json!({ "name": "registry", "secret": { "secretName": pull, "items": [{ "key": ".dockerconfigjson", "path": "config.json" }] } }));
        mounts.push(json!({ "name": "registry", "mountPath": "/kaniko/.docker" }));
    }
    let memory = settings.build_memory.as_ref().map_or(ClusterSettings::BUILD_MEMORY, |memory| memory.as_str());
    let image = settings.kaniko_image.as_ref().map_or_else(|| ClusterSettings::KANIKO_IMAGE.to_owned(), ToString::to_string);
    let pod = json!({
        "restartPolicy": "Never",
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": 5,
        "securityContext": { "runAsUser": 0, "runAsGroup": 0, "seccompProfile": { "type": "RuntimeDefault" } },
        "nodeSelector": { "kubernetes.io/os": "linux" },
        "volumes": volumes,
        "containers": [{
            "name": CONTAINER,
            "image": image,
            "args": arguments,
            "env": environment,
            "volumeMounts": mounts,
            "resources": { "requests": { "cpu": "250m", "memory": "256Mi" }, "limits": { "memory": memory } },
            "securityContext": { "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"], "add": CAPABILITIES } },
        }],
    });
    let labels = [
        (names::INSTALLATION, request.installation.as_str()),
        (names::MANAGED_BY, names::MANAGER),
        (names::ROLE, names::role::BUILD),
        ("app.kubernetes.io/name", "kaniko"),
    ];
    Ok(job::Spec {
        operation: "build",
        name: name.clone(),
        namespace,
        run: &request.run,
        labels: labels.map(|(name, value)| (name.to_owned(), Value::from(value))).into_iter().collect(),
        pod,
        container: CONTAINER,
        deadline_seconds: DEADLINE_SECONDS,
        attached,
    })
}

/// A ConfigMap of small files.
fn config_map(name: &str, files: &[(&str, &str)]) -> Value {
    let data: Map<String, Value> = files.iter().map(|(file, text)| ((*file).to_owned(), Value::from(*text))).collect();
    json!({ "kind": "ConfigMap", "metadata": { "name": name }, "data": data })
}

/// Kaniko's last words, in Kiwi's.
fn diagnose(settings: &ClusterSettings, log: &str, code: i64, out_of_memory: bool) -> Error {
    // After an error of its arguments or its Dockerfile, Kaniko prints how it is used.
    let log = log.split("\nUsage:\n").next().unwrap_or(log);
    let last = log.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it printed nothing").chars().take(500).collect::<String>();
    let is_told = |line: &&str| !line.contains("level=info") && !line.starts_with("INFO[") && !line.contains("level=debug");
    let lower = log.lines().filter(is_told).rev().take(40).collect::<Vec<_>>().join("\n").to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let failed = |kind, message: String, hint: &str| Error::new(kind, "build", message).with_hint(hint);
    if out_of_memory || code == 137 {
        let memory = settings.build_memory.as_ref().map_or(ClusterSettings::BUILD_MEMORY, |memory| memory.as_str());
        return failed(
            ErrorKind::BuildFailed,
            format!("the build needed more than its {memory} of memory"),
            "register the cluster with more --build-memory, or make the image smaller; a snapshot holds whole layers in memory",
        );
    }
    if has(&["checking push permission", "error pushing image"]) {
        return failed(
            ErrorKind::ImageUnavailable,
            format!("the image cannot be pushed: {last}"),
            "check the registry's credentials with `kiwi registry check`; the cluster must reach it too",
        );
    }
    if has(&["dockerfile parse error", "unknown instruction", "parsing dockerfile"]) {
        return failed(ErrorKind::BuildFailed, format!("the Dockerfile has a syntax error: {last}"), "correct the line that is named");
    }
    if has(&["error resolving dockerfile path", "please provide a valid path to a dockerfile"]) {
        return failed(
            ErrorKind::InvalidInput,
            "the repository has no such Dockerfile".to_owned(),
            "commit one, name another path with --dockerfile, or use --wizard",
        );
    }
    if has(&["authentication required", "authorization failed", "repository not found"]) && has(&["build context", "unable to", "clone"]) {
        return failed(
            ErrorKind::RepositoryNotFound,
            format!("the cluster cannot fetch the commit: {last}"),
            "check the repository's address and its token; the cluster must reach the git host too",
        );
    }
    if has(&["does not support exact sha1"]) {
        return failed(
            ErrorKind::Unsupported,
            "the git host does not hand out single commits, which Kaniko asks for".to_owned(),
            "on the host, set `git config uploadpack.allowReachableSHA1InWant true`, as GitHub, GitLab and Gitea do; or build on a Docker runtime",
        );
    }
    if has(&["getting source context", "error resolving source context"]) {
        return failed(
            ErrorKind::Unavailable,
            format!("the cluster cannot fetch the commit: {last}"),
            "the cluster's pods must reach the git host; check network and proxy",
        );
    }
    if has(&["retrieving image", "manifest unknown", "unable to retrieve image", "error building image: getting stage builder", "get \"https://"])
        && !has(&["error building stage: failed to execute command"])
    {
        return failed(
            ErrorKind::ImageUnavailable,
            format!("a base image cannot be pulled: {last}"),
            "check its name; the cluster must reach its registry, and a private one must be registered",
        );
    }
    if has(&["failed to get fileinfo", "no such file or directory"]) && has(&["copy", "lstat"]) {
        return failed(ErrorKind::BuildFailed, format!("a file is not in the build context: {last}"), "is it committed, and not in .dockerignore?");
    }
    if has(&["no space left on device"]) {
        return failed(ErrorKind::Storage, "the node's disk is full".to_owned(), "remove images and pods from the node, or give it more disk");
    }
    if has(&["failed to execute command", "waiting for process to exit"]) {
        return failed(ErrorKind::BuildFailed, format!("a step of the Dockerfile failed: {last}"), "read the last lines of the build log above");
    }
    failed(ErrorKind::BuildFailed, format!("Kaniko ended with exit code {code}: {last}"), "read the last lines of the build log above")
}
