//! One replica that no Service selects, and the way to it.

use super::client::Cluster;
use super::objects::{self, How};
use super::views::{Namespace, PodView};
use super::{apply, classify, convert, names, namespace, rbac};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::jiff::Timestamp;
use kiwi_core::domain::RunId;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{ApplyRequest, Candidate};
use kube::{Api, Client};
use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

fn name(run: &RunId) -> String {
    names::cut(&format!("kiwi-candidate-{run}").to_lowercase(), 63)
}

pub(super) async fn start(cluster: &Cluster, request: &ApplyRequest) -> Result<Candidate> {
    let release = &request.release;
    let Some(container) = release.containers.iter().find(|container| container.is_exposed()) else { return Ok(Candidate { endpoint: None }) };
    let client = cluster.client().await?;
    let namespace = namespace::of(release)?;
    let (users, running) = (apply::users(cluster, request).await, BTreeMap::new());
    let input = apply::input(cluster, request, &namespace, &users, &running);
    namespace::ensure(client, &namespace, &input.render()?.namespace, &request.workload).await?;
    rbac::ensure(client, &namespace).await?;
    let name = name(&request.run);
    let (mut pod, mut needed) = input.candidate(container, &name)?;
    pod["metadata"]["labels"][names::RUN] = request.run.to_string().into();
    if !container.volumes.is_empty() {
        // The live release holds its volumes: the candidate has empty ones.
        for volume in pod["spec"]["volumes"].as_array_mut().into_iter().flatten() {
            *volume = serde_json::json!({ "name": volume["name"], "emptyDir": {} });
        }
    }
    needed.push(pod);
    for object in &needed {
        objects::apply(client, object, How { force: true, dry_run: false }).await?;
    }
    ready(client, &namespace, &name, release.rollout.start_seconds).await?;
    let port = container.port.map_or(0, |port| port.number());
    let (address, way) = forward(client, &namespace, &name, port).await?;
    cluster.forwards().lock().unwrap_or_else(PoisonError::into_inner).insert(request.run.clone(), way);
    let endpoint = format!("http://{address}/").parse().map_err(|_| Error::new(ErrorKind::Internal, "start candidate", "its address is no URL"))?;
    Ok(Candidate { endpoint: Some(endpoint) })
}

pub(super) async fn remove(cluster: &Cluster, request: &ApplyRequest) -> Result<()> {
    cluster.forwards().lock().unwrap_or_else(PoisonError::into_inner).remove(&request.run);
    let namespace = namespace::of(&request.release)?;
    objects::remove(cluster.client().await?, objects::POD, &namespace, &name(&request.run)).await.map(|_| ())
}

async fn ready(client: &Client, namespace: &str, name: &str, seconds: u32) -> Result<()> {
    let api = Api::<Pod>::namespaced(client.clone(), namespace);
    let begin = Instant::now();
    let mut before: Option<PodView> = None;
    while begin.elapsed() < Duration::from_secs(seconds.into()) {
        let pod = api.get(name).await.map_err(convert::cluster("start candidate"))?;
        let now = Timestamp::now();
        let view = PodView::new(&pod, before.as_ref(), now);
        if view.ready {
            return Ok(());
        }
        let known = Namespace { pods: [(view.name.clone(), view.clone())].into(), ..Namespace::default() }.at(now);
        let ended = view.phase == "Failed" || view.phase == "Succeeded";
        if let Some(trouble) = classify::pod(&known, &known.pods[&view.name]) {
            return Err(Error::new(ErrorKind::Unhealthy, "start candidate", trouble.message).with_hint(trouble.cause.hint()));
        }
        if ended {
            let log = super::pods::last_lines(client, namespace, name, "", 20).await;
            return Err(Error::new(ErrorKind::Unhealthy, "start candidate", "the candidate ended").with_log(log));
        }
        before = Some(view);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    Err(Error::new(ErrorKind::Unhealthy, "start candidate", format!("the candidate did not answer within {seconds} s")))
}

/// A local port that leads to the pod through the cluster's API.
async fn forward(client: &Client, namespace: &str, pod: &str, port: u16) -> Result<(std::net::SocketAddr, AbortOnDropHandle<()>)> {
    let failed = |error: std::io::Error| Error::new(ErrorKind::Unavailable, "reach candidate", "no local port can be opened").with_source(error);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let (api, pod) = (Api::<Pod>::namespaced(client.clone(), namespace), pod.to_owned());
    let way = AbortOnDropHandle::new(tokio::spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        while let Ok((mut here, _)) = listener.accept().await {
            let (api, pod) = (api.clone(), pod.clone());
            connections.spawn(async move {
                let Ok(mut forwarder) = api.portforward(&pod, &[port]).await else { return };
                if let Some(mut there) = forwarder.take_stream(port) {
                    let _ = tokio::io::copy_bidirectional(&mut here, &mut there).await;
                }
            });
            while connections.try_join_next().is_some() {}
        }
    }));
    Ok((address, way))
}
