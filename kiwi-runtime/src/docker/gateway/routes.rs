//! The gateway's wanted state, one file per workload, and the configuration rendered from all of them.

use kiwi_core::domain::{ContainerName, EnvironmentName, Host, IngressPath, Protocol, ServiceName};
use kiwi_core::provider::Workload;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// What the gateway knows of one workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::docker) struct Routes {
    pub(in crate::docker) workload: Workload,
    /// What gets the traffic; none before the first release answers.
    pub(in crate::docker) revision: Option<u64>,
    pub(in crate::docker) containers: Vec<Route>,
    /// What a release under way will be probed through. It gets no traffic before the switch, and changes nothing of what has it.
    #[serde(default)]
    pub(in crate::docker) staged: Vec<Route>,
}

/// One container with a port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::docker) struct Route {
    pub(in crate::docker) container: ContainerName,
    /// The proxy's name of the group of servers. A release that is probed in another way gets a group of its own.
    pub(in crate::docker) backend: String,
    pub(in crate::docker) protocol: Protocol,
    pub(in crate::docker) health: Option<IngressPath>,
    /// The gateway's port; none when only siblings reach the container, which is still probed from here.
    pub(in crate::docker) port: Option<u16>,
    pub(in crate::docker) host: Option<Host>,
    pub(in crate::docker) path: Option<IngressPath>,
    pub(in crate::docker) servers: Vec<Server>,
}

/// One replica.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::docker) struct Server {
    pub(in crate::docker) name: String,
    pub(in crate::docker) address: String,
}

pub(in crate::docker) fn file_name(service: &ServiceName, environment: EnvironmentName) -> String {
    format!("routes/{service}.{environment}.json")
}

pub(in crate::docker) fn backend_name(workload: &Workload, container: &ContainerName) -> String {
    format!("{}.{}.{container}", workload.name, workload.environment)
}

impl Route {
    /// Whether the same group of servers can serve both.
    pub(in crate::docker) fn probes_like(&self, other: &Self) -> bool {
        self.protocol == other.protocol && self.health == other.health
    }
}

impl Routes {
    pub(in crate::docker) fn route(&self, container: &ContainerName) -> Option<&Route> {
        self.containers.iter().find(|route| route.container == *container)
    }
}

/// HAProxy's configuration for all workloads, in a stable order.
pub(in crate::docker) fn render(all: &[Routes]) -> String {
    let mut text = String::from(HEAD);
    let mut backends = String::new();
    let mut by_host = Vec::new();
    for routes in all {
        let live = routes.containers.iter().map(|route| (route, true));
        for (route, routed) in live.chain(routes.staged.iter().map(|route| (route, false))) {
            let backend = &route.backend;
            if let Some(port) = route.port.filter(|_| routed) {
                let _ = write!(text, "\nfrontend port.{port}\n  bind :{port}\n");
                if route.protocol == Protocol::Tcp {
                    text.push_str("  mode tcp\n  timeout client 1h\n");
                }
                let _ = writeln!(text, "  default_backend {backend}");
            }
            if let Some(host) = route.host.as_ref().filter(|_| routed) {
                by_host.push((host, route.path.as_ref().map_or("/", |path| path.as_str()), backend.clone()));
            }
            let _ = write!(backends, "\nbackend {backend}\n");
            match (&route.protocol, &route.health) {
                (Protocol::Tcp, _) => backends.push_str("  mode tcp\n  timeout server 1h\n"),
                (Protocol::Http, Some(path)) => {
                    let _ = write!(
                        backends,
                        "  option httpchk\n  http-check send meth GET uri {} ver HTTP/1.1 hdr Host kiwi\n  http-check expect rstatus ^[23]\n",
                        quote(path.as_str())
                    );
                }
                (Protocol::Http, None) => {}
            }
            for server in &route.servers {
                let _ = writeln!(backends, "  server {} {} weight 100 check inter 2s fall 3 rise 2", server.name, server.address);
            }
        }
    }
    if !by_host.is_empty() {
        // The longest path first: HAProxy takes the first rule that matches.
        by_host.sort_by(|a, b| (a.0, std::cmp::Reverse(a.1.len()), a.1).cmp(&(b.0, std::cmp::Reverse(b.1.len()), b.1)));
        text.push_str("\nfrontend hosts\n  bind :80\n  http-request set-var(txn.host) req.hdr(host),field(1,:),lower\n");
        for (host, path, backend) in by_host {
            let path = path.trim_end_matches('/');
            let _ = if path.is_empty() {
                writeln!(text, "  use_backend {backend} if {{ var(txn.host) -m str {host} }}")
            } else {
                // "/api" and everything below it, but not "/apix".
                writeln!(
                    text,
                    "  use_backend {backend} if {{ var(txn.host) -m str {host} }} {{ path {} }} || {{ var(txn.host) -m str {host} }} {{ path_beg {} }}",
                    quote(path),
                    quote(&format!("{path}/"))
                )
            };
        }
        text.push_str("  default_backend no-such-host\n");
        backends.push_str("\nbackend no-such-host\n  http-request return status 404 content-type text/plain string \"No service has this host name.\"\n");
    }
    text + &backends
}

/// The part of a configuration that only a reload can change: everything but the servers.
pub(in crate::docker) fn structure(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("  server ")).collect::<Vec<_>>().join("\n")
}

/// A word of HAProxy's configuration language. `IngressPath` allows no space, quote, backslash or line end.
fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// `idle-close-on-response` keeps idle client connections through a reload until their next answer; without it, requests that are
/// already on the wire when an idle connection closes are lost.
const HEAD: &str = "\
global
  master-worker
  hard-stop-after 15m
  stats socket /run/kiwi/admin.sock mode 600 level admin expose-fd listeners
defaults
  mode http
  option idle-close-on-response
  option redispatch
  retries 3
  timeout connect 2s
  timeout client 10m
  timeout server 10m
  timeout http-request 30s
  timeout http-keep-alive 60s
  timeout tunnel 1h
  timeout check 2s
frontend alive
  bind /run/kiwi/alive.sock
";

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn sample() -> Vec<Routes> {
        let workload = |name: &str| Workload {
            installation: "i".into(),
            service: kiwi_core::domain::ServiceId::generate(),
            name: name.parse().unwrap(),
            environment: EnvironmentName::Development,
        };
        let route = |container: &str| Route {
            container: container.parse().unwrap(),
            backend: format!("shop.development.{container}"),
            protocol: Protocol::Http,
            health: None,
            port: None,
            host: None,
            path: None,
            servers: vec![],
        };
        let server = |name: &str, address: &str| Server { name: name.into(), address: address.into() };
        vec![
            Routes {
                workload: workload("shop"),
                revision: Some(2),
                staged: Vec::new(),
                containers: vec![
                    Route {
                        health: Some("/up".parse().unwrap()),
                        port: Some(20000),
                        host: Some("shop.example.com".parse().unwrap()),
                        servers: vec![server("r2-0", "10.213.0.2:8080")],
                        ..route("web")
                    },
                    Route { host: Some("shop.example.com".parse().unwrap()), path: Some("/api".parse().unwrap()), port: Some(20001), ..route("api") },
                    route("cache"),
                ],
            },
            Routes {
                workload: workload("db"),
                revision: None,
                staged: Vec::new(),
                containers: vec![Route { protocol: Protocol::Tcp, port: Some(20002), ..route("db") }],
            },
        ]
    }

    #[test]
    fn renders_every_kind_of_route() {
        insta::assert_snapshot!(render(&sample()));
    }

    #[test]
    fn servers_are_not_structure() {
        let mut other = sample();
        other[0].containers[0].servers.clear();
        assert_eq!(structure(&render(&sample())), structure(&render(&other)));
    }
}
