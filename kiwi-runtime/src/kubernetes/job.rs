//! One-off work in a pod: builds, tests, release commands.
//!
//! A Job is made suspended, then what only it may read, owned by it, and then it is let go: whatever is killed in between, nothing stays
//! behind that has no owner, and a second attempt finds the first.

use super::classify::{self, Cause, Trouble};
use super::files::Files;
use super::objects::{self, How};
use super::pods::{self, Follow};
use super::views::{EventView, Namespace, PodView};
use super::{convert, names};
use crate::feed::Feed;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Event, Pod};
use k8s_openapi::jiff::Timestamp;
use kiwi_core::domain::RunId;
use kiwi_core::error::{Error, ErrorKind, Result};
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// How often a pod is looked at before it runs.
const LOOK: Duration = Duration::from_millis(500);
/// A finished Job that nobody removes leaves by itself.
const KEPT_SECONDS: u32 = 3600;

/// A Job to be.
pub(super) struct Spec<'a> {
    pub(super) operation: &'static str,
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) run: &'a RunId,
    pub(super) labels: Map<String, Value>,
    pub(super) pod: Value,
    /// The name of the container that the Job is about.
    pub(super) container: &'static str,
    pub(super) deadline_seconds: u32,
    /// Secrets and ConfigMaps that live as long as the Job; each a kind with its data, under the given name.
    pub(super) attached: Vec<Value>,
}

/// How a Job's container ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) pod: String,
    pub(super) code: i64,
    pub(super) out_of_memory: bool,
    pub(super) message: String,
}

/// What is told while a Job goes on.
pub(super) enum News {
    Waiting(String),
    Log(Vec<u8>),
}

impl Spec<'_> {
    fn job(&self) -> Value {
        let mut labels = self.labels.clone();
        labels.insert(names::RUN.to_owned(), self.run.to_string().into());
        json!({
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": { "name": self.name, "namespace": self.namespace, "labels": labels },
            "spec": {
                "suspend": true,
                "backoffLimit": 0,
                "activeDeadlineSeconds": self.deadline_seconds,
                "ttlSecondsAfterFinished": KEPT_SECONDS,
                "template": { "metadata": { "labels": labels }, "spec": self.pod },
            },
        })
    }

    /// Makes the Job, or adopts the one that an earlier attempt made.
    async fn ensure(&self, client: &Client) -> Result<()> {
        let api = Api::<Job>::namespaced(client.clone(), &self.namespace);
        let wanted: Job =
            serde_json::from_value(self.job()).map_err(|error| Error::new(ErrorKind::Internal, self.operation, "the Job is malformed").with_source(error))?;
        let job = match api.create(&PostParams { field_manager: Some(names::MANAGER.to_owned()), ..PostParams::default() }, &wanted).await {
            Ok(job) => job,
            Err(error) if convert::code(&error) == Some(409) => api.get(&self.name).await.map_err(convert::cluster(self.operation))?,
            Err(error) => return Err(convert::cluster(self.operation)(error)),
        };
        if job.spec.as_ref().and_then(|spec| spec.suspend) != Some(true) {
            return Ok(());
        }
        for object in &self.attached {
            let mut object = object.clone();
            object["apiVersion"] = "v1".into();
            object["metadata"]["namespace"] = self.namespace.as_str().into();
            object["metadata"]["labels"] = json!({ names::MANAGED_BY: names::MANAGER, names::RUN: self.run.to_string() });
            object["metadata"]["ownerReferences"] = json!([{ "apiVersion": "batch/v1", "kind": "Job", "name": self.name, "uid": job.uid() }]);
            objects::apply(client, &object, How { force: true, dry_run: false }).await?;
        }
        let go = Patch::Merge(json!({ "spec": { "suspend": false } }));
        api.patch(&self.name, &PatchParams::default(), &go).await.map_err(convert::cluster(self.operation)).map(|_| ())
    }

    /// Runs the Job to its end, with its log as it comes, and the given files before it. The Job stays.
    ///
    /// Errors: what keeps the pod from starting, `Timeout`, and `Unavailable` when the pod was taken away.
    pub(super) async fn run(&self, client: &Client, files: Option<&mut Files>, news: Feed<News>) -> Result<Ended> {
        self.ensure(client).await?;
        let pod = self.started(client, files, &news).await?;
        let (feed, mut lines) = crate::feed::channel();
        let how = Follow { tail: None, since: None, follow: true };
        let reading = pods::follow(client.clone(), self.namespace.clone(), pod.clone(), Some(self.container.to_owned()), how, feed);
        let telling = async {
            while let Some(Ok(line)) = lines.recv().await {
                let mut bytes = line.line.into_bytes();
                bytes.push(b'\n');
                news.send(News::Log(bytes)).await;
            }
        };
        let (read, ()) = tokio::join!(reading, telling);
        read?;
        self.ended(client, &pod).await
    }

    /// The Job's pod, as soon as its container runs or has ended.
    async fn started(&self, client: &Client, mut files: Option<&mut Files>, news: &Feed<News>) -> Result<String> {
        let api = Api::<Pod>::namespaced(client.clone(), &self.namespace);
        let selector = format!("batch.kubernetes.io/job-name={}", self.name);
        let mut before: Option<PodView> = None;
        let mut told = String::new();
        let mut missing = 0;
        loop {
            let found = api.list(&ListParams::default().labels(&selector)).await.map_err(convert::cluster(self.operation))?;
            let Some(pod) = found.items.into_iter().max_by_key(|pod| pod.creation_timestamp()) else {
                self.deadline(client).await?;
                missing += 1;
                if missing % 20 == 0
                    && let Some(why) = self.refused(client).await?
                {
                    return Err(why);
                }
                tokio::time::sleep(LOOK).await;
                continue;
            };
            let now = Timestamp::now();
            let view = PodView::new(&pod, before.as_ref(), now);
            if view.container(self.container).is_some_and(|container| container.running || container.terminated.is_some())
                || matches!(view.phase.as_str(), "Succeeded" | "Failed")
            {
                return Ok(view.name);
            }
            if let Some(files) = &mut files {
                files.send(client, &self.namespace, &view).await?;
            }
            let mut namespace = Namespace { pods: [(view.name.clone(), view.clone())].into(), ..Namespace::default() }.at(now);
            namespace.events = self.events(client, now).await;
            if let Some(trouble) = classify::pod(&namespace, &namespace.pods[&view.name]) {
                return Err(self.trouble(trouble));
            }
            let waiting =
                view.containers.iter().find_map(|container| container.waiting.as_ref()).map(|waiting| format!("{} {}", waiting.reason, waiting.message));
            let waiting =
                view.unschedulable.as_ref().map(|(message, _)| message.clone()).or(waiting).unwrap_or_else(|| "the cluster".to_owned()).trim().to_owned();
            if waiting != told {
                news.send(News::Waiting(format!("the pod {} waits: {waiting}", view.name))).await;
                told = waiting;
            }
            before = Some(view);
            self.deadline(client).await?;
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn events(&self, client: &Client, now: Timestamp) -> Vec<EventView> {
        let all = Api::<Event>::namespaced(client.clone(), &self.namespace).list(&ListParams::default()).await;
        all.map(|all| all.items.iter().map(|event| EventView::new(event, now)).collect()).unwrap_or_default()
    }

    /// Why no pod is made, as the cluster tells it.
    async fn refused(&self, client: &Client) -> Result<Option<Error>> {
        let events = self.events(client, Timestamp::now()).await;
        let event = events.into_iter().find(|event| event.kind == "Job" && event.name == self.name && event.reason == "FailedCreate");
        Ok(event.map(|event| {
            let cause = if event.message.contains("exceeded quota") {
                Cause::Quota
            } else if event.message.contains("PodSecurity") {
                Cause::PodSecurity
            } else {
                Cause::Admission
            };
            self.trouble(Trouble { cause, message: event.message, pod: None, since: event.age })
        }))
    }

    fn trouble(&self, trouble: Trouble) -> Error {
        let kind = match trouble.cause {
            Cause::InvalidImageName | Cause::ImageMissing | Cause::ImageForbidden | Cause::RegistryUnreachable | Cause::ImageBroken => {
                ErrorKind::ImageUnavailable
            }
            _ => ErrorKind::Unavailable,
        };
        Error::new(kind, self.operation, trouble.message).with_hint(trouble.cause.hint())
    }

    /// Fails when the Job's time is over.
    async fn deadline(&self, client: &Client) -> Result<()> {
        let job = Api::<Job>::namespaced(client.clone(), &self.namespace).get_opt(&self.name).await.map_err(convert::cluster(self.operation))?;
        let Some(job) = job else {
            return Err(Error::new(ErrorKind::Cancelled, self.operation, format!("the Job {} was removed", self.name)));
        };
        let late = job
            .status
            .and_then(|status| status.conditions)
            .unwrap_or_default()
            .iter()
            .any(|c| c.type_ == "Failed" && c.reason.as_deref() == Some("DeadlineExceeded"));
        if late { Err(self.too_late()) } else { Ok(()) }
    }

    fn too_late(&self) -> Error {
        Error::new(ErrorKind::Timeout, self.operation, format!("it took longer than {} s and was stopped", self.deadline_seconds))
            .with_hint("read the last lines of the log: what was it waiting for?")
    }

    async fn ended(&self, client: &Client, pod: &str) -> Result<Ended> {
        let api = Api::<Pod>::namespaced(client.clone(), &self.namespace);
        for _ in 0..100 {
            let Some(found) = api.get_opt(pod).await.map_err(convert::cluster(self.operation))? else {
                // The Job controller removes the pods of a Job whose time is over.
                self.deadline(client).await?;
                return Err(self.gone(pod));
            };
            if found.metadata.deletion_timestamp.is_some() {
                // Somebody ended it: what its program says of that is not the cause.
                self.deadline(client).await?;
                return Err(self.gone(pod));
            }
            let status = found.status.unwrap_or_default();
            if let Some(reason) = status.reason.as_deref().filter(|_| status.phase.as_deref() == Some("Failed")) {
                self.deadline(client).await?;
                let message = status.message.clone().unwrap_or_default();
                return Err(Error::new(ErrorKind::Unavailable, self.operation, format!("the pod {pod} was taken away: {reason} {message}").trim().to_owned())
                    .with_hint("the node needed its memory or disk for something else; try again, or give the cluster more"));
            }
            let own = status.container_statuses.unwrap_or_default().into_iter().find(|status| status.name == self.container);
            if let Some(ended) = own.and_then(|status| status.state?.terminated) {
                return Ok(Ended {
                    pod: pod.to_owned(),
                    code: ended.exit_code.into(),
                    out_of_memory: ended.reason.as_deref() == Some("OOMKilled"),
                    message: ended.message.unwrap_or_default(),
                });
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(self.gone(pod))
    }

    fn gone(&self, pod: &str) -> Error {
        Error::new(ErrorKind::Unavailable, self.operation, format!("the pod {pod} is gone before it told how it ended"))
            .with_hint("try again; its node may have gone away")
    }
}

/// Removes the Jobs of a run and waits until their pods are gone. Idempotent.
pub(super) async fn remove(client: &Client, namespace: &str, run: &RunId) -> Result<()> {
    let selector = format!("{}={run}", names::RUN);
    for job in objects::list(client, objects::JOB, namespace, &selector).await? {
        objects::remove(client, objects::JOB, namespace, &job.name_any()).await?;
    }
    // The cluster collects what a Job owned, but in its own time, and these hold tokens.
    for kind in [objects::SECRET, objects::CONFIG_MAP] {
        for object in objects::list(client, kind, namespace, &selector).await? {
            objects::remove(client, kind, namespace, &object.name_any()).await?;
        }
    }
    for _ in 0..150 {
        if objects::list(client, objects::POD, namespace, &selector).await?.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Err(Error::new(ErrorKind::Timeout, "remove job", format!("the pods of run {run} in {namespace} do not end"))
        .with_hint("`kubectl get pods` shows what holds them up"))
}
