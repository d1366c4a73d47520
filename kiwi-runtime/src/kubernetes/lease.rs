//! One writer per workload: a Lease in its namespace, with the epoch of who holds it. Every write of it names the version that it read,
//! so that two takers cannot both win.

use super::{convert, names};
use k8s_openapi::api::coordination::v1::{Lease as Object, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use k8s_openapi::jiff::Timestamp;
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::{Fence, Workload};
use kube::api::PostParams;
use kube::{Api, Client, ResourceExt as _};

/// On a lease whose holder began to change the workload.
const BEGUN: &str = "kiwi.dev/begun";

/// The right to change a workload in this cluster.
pub(super) struct Lease {
    api: Api<Object>,
    fence: Fence,
    /// Whether this holder, or one before that did not end, began to change the workload.
    begun: bool,
}

impl Lease {
    /// Takes the lease, also from a holder with a lower epoch. A holder with a higher one has taken over from us.
    pub(super) async fn take(client: &Client, namespace: &str, workload: &Workload, fence: &Fence) -> Result<Self> {
        let mut lease = Self { api: Api::namespaced(client.clone(), namespace), fence: fence.clone(), begun: false };
        let labels = names::labels(workload, names::role::STATE).into_iter().map(|(name, value)| (name, value.as_str().unwrap_or_default().to_owned()));
        let fresh =
            Object { metadata: ObjectMeta { name: Some(names::LEASE.to_owned()), labels: Some(labels.collect()), ..ObjectMeta::default() }, spec: None };
        for _ in 0..10 {
            let found = lease.read().await?;
            lease.begun = found.as_ref().is_some_and(|found| found.annotations().contains_key(BEGUN));
            let written = match found {
                None => lease.api.create(&PostParams::default(), &lease.held(fresh.clone())).await,
                Some(found) if epoch(&found) > fence.epoch => return Err(lost()),
                Some(found) if epoch(&found) == fence.epoch && holder(&found) == fence.owner => return Ok(lease),
                Some(found) if epoch(&found) == fence.epoch && !holder(&found).is_empty() => return Err(lost()),
                Some(found) => lease.api.replace(names::LEASE, &PostParams::default(), &lease.held(found)).await,
            };
            match written {
                Ok(_) => return Ok(lease),
                Err(error) if convert::code(&error) == Some(409) => {}
                Err(error) => return Err(convert::cluster("take lease")(error)),
            }
        }
        Err(Error::new(ErrorKind::Busy, "take lease", format!("the lease in {namespace} changes hands too fast")))
    }

    /// Whether something may have to be undone.
    pub(super) fn begun(&self) -> bool {
        self.begun
    }

    /// Notes that the workload changes from here on, until the lease is given back. A check too.
    pub(super) async fn begin(&mut self) -> Result<()> {
        if self.begun {
            return self.check().await;
        }
        for _ in 0..10 {
            let mut found = match self.read().await? {
                Some(found) if epoch(&found) == self.fence.epoch && holder(&found) == self.fence.owner => found,
                _ => return Err(lost()),
            };
            found.annotations_mut().insert(BEGUN.to_owned(), "true".to_owned());
            match self.api.replace(names::LEASE, &PostParams::default(), &found).await {
                Ok(_) => {
                    self.begun = true;
                    return Ok(());
                }
                // Somebody wrote it meanwhile; reading it again shows whether it is still ours.
                Err(error) if convert::code(&error) == Some(409) => {}
                Err(error) => return Err(convert::cluster("write lease")(error)),
            }
        }
        Err(lost())
    }

    /// Fails when somebody took the lease over. Called before every effect.
    pub(super) async fn check(&self) -> Result<()> {
        match self.read().await? {
            Some(found) if epoch(&found) == self.fence.epoch && holder(&found) == self.fence.owner => Ok(()),
            _ => Err(lost()),
        }
    }

    /// Gives the lease back; its epoch stays, so that a late worker of an older one still changes nothing.
    pub(super) async fn release(self) -> Result<()> {
        let Some(mut found) = self.read().await? else { return Ok(()) };
        if epoch(&found) != self.fence.epoch || holder(&found) != self.fence.owner {
            return Ok(());
        }
        found.annotations_mut().remove(BEGUN);
        if let Some(spec) = &mut found.spec {
            spec.holder_identity = None;
        }
        match self.api.replace(names::LEASE, &PostParams::default(), &found).await {
            Err(error) if !matches!(convert::code(&error), Some(404 | 409)) => Err(convert::cluster("release lease")(error)),
            _ => Ok(()),
        }
    }

    async fn read(&self) -> Result<Option<Object>> {
        self.api.get_opt(names::LEASE).await.map_err(convert::cluster("read lease"))
    }

    fn held(&self, mut object: Object) -> Object {
        object.annotations_mut().insert(names::EPOCH.to_owned(), self.fence.epoch.to_string());
        object.spec =
            Some(LeaseSpec { holder_identity: Some(self.fence.owner.clone()), renew_time: Some(MicroTime(Timestamp::now())), ..LeaseSpec::default() });
        object
    }
}

fn epoch(lease: &Object) -> u64 {
    lease.annotations().get(names::EPOCH).and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn holder(lease: &Object) -> &str {
    lease.spec.as_ref().and_then(|spec| spec.holder_identity.as_deref()).unwrap_or_default()
}

fn lost() -> Error {
    Error::new(ErrorKind::LeaseLost, "change workload", "a newer worker took this workload over")
}
