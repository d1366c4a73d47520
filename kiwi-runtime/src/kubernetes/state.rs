//! What is live in a namespace: the revision, and the objects that make it, so that an interrupted deployment can be undone.
//!
//! Writing it makes a release live, and a request of a worker that died may reach the cluster after another worker took over. So whoever
//! changes a workload claims the object first, and a write names the version of its own claim: a later claim makes it fail.

use super::{convert, names};
use k8s_openapi::api::core::v1::ConfigMap;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::Workload;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client, ResourceExt};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The live release of a namespace. Of Secrets it knows the names alone.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct State {
    pub(super) revision: u64,
    pub(super) namespace: Value,
    pub(super) objects: Vec<Value>,
}

impl State {
    pub(super) fn new(revision: u64, namespace: &Value, objects: &[Value]) -> Self {
        let stub = |object: &Value| {
            if object["kind"] == "Secret" { json!({ "kind": "Secret", "metadata": { "name": object["metadata"]["name"] } }) } else { object.clone() }
        };
        Self { revision, namespace: namespace.clone(), objects: objects.iter().map(stub).collect() }
    }

    pub(super) async fn read(client: &Client, namespace: &str) -> Result<Option<Self>> {
        match found(client, namespace).await? {
            Some(found) => Self::of(&found, namespace),
            None => Ok(None),
        }
    }

    fn of(found: &ConfigMap, namespace: &str) -> Result<Option<Self>> {
        // One that was claimed and never written says nothing.
        let Some(data) = &found.data else { return Ok(None) };
        let broken = || {
            Error::new(ErrorKind::Protocol, "read live release", format!("the ConfigMap {} in {namespace} was changed by somebody", names::STATE))
                .with_hint("remove it, and deploy again")
        };
        let text = |key: &str| data.get(key).ok_or_else(broken);
        Ok(Some(Self {
            revision: text("revision")?.parse().map_err(|_| broken())?,
            namespace: serde_json::from_str(text("namespace")?).map_err(|_| broken())?,
            objects: serde_json::from_str(text("objects")?).map_err(|_| broken())?,
        }))
    }

    /// The objects that can be applied again.
    pub(super) fn applicable(&self) -> impl Iterator<Item = &Value> {
        self.objects.iter().filter(|object| object["kind"] != "Secret")
    }
}

/// The right to say what is live, until the next claim.
pub(super) struct Claim {
    /// What was live when it was taken, and stays so until it is used.
    pub(super) live: Option<State>,
    epoch: u64,
    version: Option<String>,
}

impl Claim {
    /// Takes the right; the caller holds the lease with this epoch.
    pub(super) async fn take(client: &Client, namespace: &str, workload: &Workload, epoch: u64) -> Result<Self> {
        let api = Api::<ConfigMap>::namespaced(client.clone(), namespace);
        for _ in 0..10 {
            let found = found(client, namespace).await?;
            let taken = if let Some(found) = found {
                let object = object(namespace, workload, epoch, found.resource_version(), found.data);
                api.patch(names::STATE, &parameters(), &Patch::Apply(&object)).await
            } else {
                // Unlike an apply, this fails when another was faster.
                let parameters = PostParams { field_manager: Some(names::MANAGER.to_owned()), ..PostParams::default() };
                api.create(&parameters, &object(namespace, workload, epoch, None, None)).await
            };
            match taken {
                Ok(taken) => return Ok(Self { live: State::of(&taken, namespace)?, epoch, version: taken.resource_version() }),
                Err(error) if convert::code(&error) == Some(409) => {}
                Err(error) => return Err(convert::cluster("claim live release")(error)),
            }
        }
        Err(Error::new(ErrorKind::Busy, "claim live release", format!("the ConfigMap {} in {namespace} changes too fast", names::STATE)))
    }

    /// From here on the release is live.
    pub(super) async fn write(self, client: &Client, namespace: &str, workload: &Workload, state: &State) -> Result<()> {
        let data = BTreeMap::from([
            ("revision".to_owned(), state.revision.to_string()),
            ("namespace".to_owned(), state.namespace.to_string()),
            ("objects".to_owned(), Value::from(state.objects.clone()).to_string()),
        ]);
        let object = object(namespace, workload, self.epoch, self.version, Some(data));
        match Api::<ConfigMap>::namespaced(client.clone(), namespace).patch(names::STATE, &parameters(), &Patch::Apply(&object)).await {
            Ok(_) => Ok(()),
            Err(error) if convert::code(&error) == Some(409) => {
                let message = format!("the ConfigMap {} in {namespace} was changed while the release was rolled out", names::STATE);
                Err(Error::new(ErrorKind::Conflict, "write live release", message).with_hint("only Kiwi should write it; deploy again"))
            }
            Err(error) => Err(convert::cluster("write live release")(error)),
        }
    }
}

async fn found(client: &Client, namespace: &str) -> Result<Option<ConfigMap>> {
    Api::namespaced(client.clone(), namespace).get_opt(names::STATE).await.map_err(convert::cluster("read live release"))
}

fn parameters() -> PatchParams {
    PatchParams::apply(names::MANAGER).force().validation_strict()
}

fn object(namespace: &str, workload: &Workload, epoch: u64, version: Option<String>, data: Option<BTreeMap<String, String>>) -> ConfigMap {
    let labels = names::labels(workload, names::role::STATE).into_iter().map(|(name, value)| (name, value.as_str().unwrap_or_default().to_owned()));
    let metadata = ObjectMeta {
        name: Some(names::STATE.to_owned()),
        namespace: Some(namespace.to_owned()),
        labels: Some(labels.collect()),
        annotations: Some(BTreeMap::from([(names::EPOCH.to_owned(), epoch.to_string())])),
        resource_version: version,
        ..ObjectMeta::default()
    };
    ConfigMap { metadata, data, ..ConfigMap::default() }
}
