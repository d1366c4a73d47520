//! What is live in a namespace: the revision, and the objects that make it, so that an interrupted deployment can be undone.

use super::objects::{self, How};
use super::{convert, names};
use k8s_openapi::api::core::v1::ConfigMap;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::Workload;
use kube::{Api, Client};
use serde_json::{Value, json};

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
        let found = Api::<ConfigMap>::namespaced(client.clone(), namespace).get_opt(names::STATE).await.map_err(convert::cluster("read live release"))?;
        let Some(data) = found.and_then(|found| found.data) else { return Ok(None) };
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

    /// From here on the release is live.
    pub(super) async fn write(&self, client: &Client, namespace: &str, workload: &Workload) -> Result<()> {
        let object = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": { "name": names::STATE, "namespace": namespace, "labels": names::labels(workload, names::role::STATE) },
            "data": {
                "revision": self.revision.to_string(),
                "namespace": self.namespace.to_string(),
                "objects": Value::from(self.objects.clone()).to_string(),
            },
        });
        objects::apply(client, &object, How { force: true, dry_run: false }).await.map(|_| ())
    }

    /// The objects that can be applied again.
    pub(super) fn applicable(&self) -> impl Iterator<Item = &Value> {
        self.objects.iter().filter(|object| object["kind"] != "Secret")
    }
}
