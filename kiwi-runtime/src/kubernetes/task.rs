//! One-off commands as Jobs.

use super::client::Cluster;
use super::files::Files;
use super::job::{self, News};
use super::names::role;
use super::{accounts, names, namespace, rbac, render};
use crate::feed::Feed;
use crate::variables;
use kiwi_core::domain::{ClusterSettings, LogStream, RunId};
use kiwi_core::error::Result;
use kiwi_core::provider::{TaskEvent, TaskRequest};
use serde_json::{Map, json};

/// The container that the command runs in.
const CONTAINER: &str = "task";

pub(super) async fn task(cluster: Cluster, mut request: TaskRequest, feed: Feed<TaskEvent>) -> Result<()> {
    request.check_files()?;
    let mut files = Files::new(request.input.take(), std::mem::take(&mut request.outputs));
    let client = cluster.client().await?;
    // Where its siblings are, when the service runs already.
    let own = namespace::find(client, &request.workload).await?.into_iter().next().map(|found| found.name);
    let namespace = match own {
        Some(own) => own,
        None => rbac::build_namespace(&cluster).await?,
    };
    let name = names::task(&request.run, request.purpose);
    let mut data = Map::new();
    for (variable, value) in &request.variables {
        data.insert(variable.to_string(), accounts::encoded(variables::value("run task", variable, value, &request.secrets)?));
    }
    let user = accounts::user(&cluster, &request.image, &request.registries).await.ok().flatten();
    let user = user.as_deref().and_then(accounts::plain);
    let plain = user.is_some();
    let mut container = json!({
        "name": CONTAINER,
        "image": request.image.exact(),
        "command": request.command,
        "resources": { "requests": { "cpu": "100m", "memory": "128Mi" } },
        "securityContext": render::security(plain),
    });
    let mut attached = Vec::new();
    if !data.is_empty() {
        container["envFrom"] = json!([{ "secretRef": { "name": name } }]);
        attached.push(json!({ "kind": "Secret", "metadata": { "name": name }, "type": "Opaque", "data": data }));
    }
    let mut pod = json!({
        "restartPolicy": "Never",
        "automountServiceAccountToken": false,
        "enableServiceLinks": false,
        "terminationGracePeriodSeconds": 5,
        "securityContext": { "seccompProfile": { "type": "RuntimeDefault" } },
        "containers": [container],
    });
    if plain {
        pod["securityContext"]["runAsNonRoot"] = true.into();
    }
    let helper = match &cluster.settings().helper_image {
        Some(image) => image.clone(),
        None => ClusterSettings::HELPER_IMAGE.parse()?,
    };
    files.attach(&mut pod, &helper, user.unwrap_or(0));
    let pull = format!("{name}-pull");
    let used = request.registries.iter().filter(|access| accounts::serves(access, &request.image) || helper.registry() == access.address.host());
    if let Some(secret) = accounts::secret(json!({ "name": pull }), used) {
        pod["imagePullSecrets"] = json!([{ "name": pull }]);
        attached.push(secret);
    }
    let spec = job::Spec {
        operation: "run task",
        name,
        namespace: namespace.clone(),
        run: &request.run,
        labels: names::labels(&request.workload, role::TASK),
        pod,
        container: CONTAINER,
        deadline_seconds: request.timeout_seconds,
        attached,
    };
    // A command that ran half is not gone on with: what the first attempt left is removed.
    job::remove(client, &namespace, &request.run).await?;
    let (news, mut told) = crate::feed::channel();
    let telling = async {
        while let Some(Ok(news)) = told.recv().await {
            let (stream, chunk) = match news {
                News::Waiting(message) => (LogStream::Stderr, format!("{message}\n").into_bytes()),
                News::Log(chunk) => (LogStream::Stdout, chunk),
            };
            feed.send(TaskEvent::Log { stream, chunk }).await;
        }
    };
    let (result, ()) = tokio::join!(spec.run(client, Some(&mut files), news), telling);
    let result = match result {
        Ok(ended) => files.fetch(client, &namespace, &ended.pod, &feed).await.map(|()| ended),
        Err(error) => Err(error),
    };
    job::remove(client, &namespace, &request.run).await?;
    let ended = result?;
    feed.send(TaskEvent::Exited { code: ended.code, out_of_memory: ended.out_of_memory }).await;
    Ok(())
}

/// Stops every task of a run, wherever it is.
pub(super) async fn cancel(cluster: &Cluster, run: &RunId) -> Result<()> {
    let client = cluster.client().await?;
    let selector = format!("{}={run},{}={}", names::RUN, names::ROLE, role::TASK);
    let found = super::objects::list(client, super::objects::JOB, "", &selector).await?;
    for namespace in found.iter().filter_map(|job| job.metadata.namespace.clone()).collect::<std::collections::BTreeSet<_>>() {
        job::remove(client, &namespace, run).await?;
    }
    Ok(())
}
