//! A real Kubernetes cluster, when one is given.
//!
//! * `KIWI_TEST_KUBECONFIG`: its kubeconfig; without it, nothing here runs.
//! * `KIWI_TEST_CLUSTER_REGISTRY`: a registry on this machine, by an address that pods and nodes reach too, over plain HTTP, with the user `kiwi`.
//! * `KIWI_TEST_REGISTRY_PASSWORD`: that user's password.
//! * `KIWI_TEST_KANIKO_IMAGE`: the image of Kaniko's executor, for the tests that build.

use crate::command::{docker, unique};
use crate::contract::runtime::Fixture;
use crate::sample;
use kiwi_core::domain::{ClusterSettings, ImagePin, ImageReference};
use kiwi_core::provider::{ImageRegistry as _, RegistryAccess, Runtime};
use kiwi_runtime::kubernetes::{Cluster, KubernetesConfig};
use kiwi_runtime::registry::OciRegistry;
use std::path::Path;
use std::path::PathBuf;

/// A cluster with a registry.
pub struct Ground {
    /// The kubeconfig's path.
    pub kubeconfig: String,
    /// The registry, as HOST:PORT.
    pub registry: String,
    /// The password of the user `kiwi`.
    pub password: String,
}

impl Ground {
    /// The cluster that the environment names; says so when there is none.
    #[expect(clippy::print_stdout, reason = "a test that does not run says so")]
    pub fn given() -> Option<Self> {
        let read = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let Some(kubeconfig) = read("KIWI_TEST_KUBECONFIG") else {
            println!("not run: KIWI_TEST_KUBECONFIG names no cluster");
            return None;
        };
        let registry = read("KIWI_TEST_CLUSTER_REGISTRY").expect("KIWI_TEST_CLUSTER_REGISTRY");
        Some(Self { kubeconfig, registry, password: read("KIWI_TEST_REGISTRY_PASSWORD").expect("KIWI_TEST_REGISTRY_PASSWORD") })
    }

    /// The image of Kaniko's executor, when one is given.
    pub fn kaniko() -> Option<String> {
        std::env::var("KIWI_TEST_KANIKO_IMAGE").ok().filter(|value| !value.is_empty())
    }

    /// A connection of Kiwi's own.
    pub fn cluster(&self) -> Cluster {
        self.cluster_with(ClusterSettings::default())
    }

    /// The same, with settings of a test's own.
    pub fn cluster_with(&self, settings: ClusterSettings) -> Cluster {
        let settings = ClusterSettings { kaniko_image: Self::kaniko().map(|image| image.parse().unwrap()), ..settings };
        Cluster::new(KubernetesConfig { kubeconfig: Some(PathBuf::from(&self.kubeconfig)), settings, ..KubernetesConfig::default() }).unwrap()
    }

    /// A client that is not Kiwi's.
    pub async fn client(&self) -> kube::Client {
        let file = kube::config::Kubeconfig::read_from(&self.kubeconfig).unwrap();
        kube::Config::from_custom_kubeconfig(file, &Default::default()).await.map(|config| kube::Client::try_from(config).unwrap()).unwrap()
    }

    /// The registry with its credentials.
    pub fn access(&self) -> RegistryAccess {
        RegistryAccess {
            name: "cluster".parse().unwrap(),
            address: self.registry.parse().unwrap(),
            credentials: Some(("kiwi".to_owned(), self.password.as_str().into())),
            insecure: true,
        }
    }

    /// Pushes an image of the engine under its own name, so that the cluster can build upon it.
    pub fn base_image(&self, name: &str) {
        let here = format!("127.0.0.1:{}/{name}", self.registry.rsplit_once(':').unwrap().1);
        docker(&["login", "--username", "kiwi", "--password", &self.password, here.split('/').next().unwrap()]);
        docker(&["tag", name, &here]);
        docker(&["push", "--quiet", &here]);
    }

    /// What the contract runs with on this cluster.
    pub fn fixture<'a>(&self, runtime: &'a dyn Runtime, image: ImagePin) -> Fixture<'a> {
        Fixture { runtime, image, real: true, streams: false, registries: vec![self.access()] }
    }

    /// Settings with a real busybox, and nothing else, as the image that carries files.
    pub async fn helper(&self) -> ClusterSettings {
        let text = "FROM debian:bookworm-slim AS packages\n\
            RUN apt-get update -qq && apt-get install -y -qq busybox-static >/dev/null\n\
            FROM scratch\n\
            COPY --from=packages /bin/busybox /bin/busybox\n\
            RUN [\"/bin/busybox\", \"--install\", \"-s\", \"/bin\"]\n";
        let ImagePin::Registry { reference, digest, .. } = self.image(Some(text)).await else { panic!("it was pushed") };
        ClusterSettings { helper_image: Some(reference.with_digest(digest)), ..ClusterSettings::default() }
    }

    /// Builds an image from a Dockerfile beside the sample's program and pushes it.
    pub async fn image(&self, dockerfile: Option<&str>) -> ImagePin {
        let folder = tempfile::tempdir().unwrap();
        sample::write(folder.path(), "1");
        if let Some(text) = dockerfile {
            std::fs::write(folder.path().join("Dockerfile"), text).unwrap();
        }
        self.image_of(folder.path()).await
    }

    /// Builds an image from a directory with a Dockerfile and pushes it.
    pub async fn image_of(&self, folder: &Path) -> ImagePin {
        // The engine trusts plain HTTP on loopback alone.
        let port = self.registry.rsplit_once(':').unwrap().1;
        let (here, name) = (format!("127.0.0.1:{port}"), format!("tests/{}:1", unique("cluster")));
        docker(&["login", "--username", "kiwi", "--password", &self.password, &here]);
        docker(&["build", "--quiet", "--tag", &format!("{here}/{name}"), folder.to_str().unwrap()]);
        docker(&["push", "--quiet", &format!("{here}/{name}")]);
        let reference: ImageReference = format!("{}/{name}", self.registry).parse().unwrap();
        let digest = OciRegistry::new(None).unwrap().resolve(&reference, Some(&self.access())).await.unwrap().unwrap();
        ImagePin::Registry { reference, digest, registry: Some("cluster".parse().unwrap()) }
    }
}
