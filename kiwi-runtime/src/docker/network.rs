//! The network of a workload, and the fixed addresses in it. An address that Kiwi chose survives a restart of the engine, so that the
//! gateway's file stays true.

use super::client::Engine;
use super::{convert, labels};
use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest};
use bollard::query_parameters::{ListContainersOptionsBuilder, ListNetworksOptionsBuilder};
use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::provider::Workload;
use std::collections::{BTreeSet, HashMap};
use std::net::Ipv4Addr;

/// Addresses of one network: enough for 50 replicas being replaced, with room to spare.
const PREFIX: u32 = 25;
const SIZE: u32 = 1 << (32 - PREFIX);

/// A network with its subnet.
#[derive(Debug, Clone)]
pub(super) struct Network {
    pub(super) name: String,
    first: u32,
}

/// Finds or makes the network of a workload.
pub(super) async fn ensure(engine: &Engine, workload: &Workload) -> Result<Network> {
    if let Some(found) = find(engine, workload).await? {
        return Ok(found);
    }
    let name = labels::stem(workload);
    let [a, b] = engine.config.network_pool;
    let base = u32::from(Ipv4Addr::new(a, b, 0, 0));
    let all = engine.docker.list_networks(None::<bollard::query_parameters::ListNetworksOptions>).await.map_err(convert::engine("list networks"))?;
    let taken: BTreeSet<u32> = all.iter().filter_map(|network| subnet(network.ipam.as_ref()?)).collect();
    for first in (0..(1 << 16) / SIZE).map(|index| base + index * SIZE).filter(|first| !taken.contains(first)) {
        let config = IpamConfig {
            subnet: Some(format!("{}/{PREFIX}", Ipv4Addr::from(first))),
            gateway: Some(Ipv4Addr::from(first + 1).to_string()),
            ..IpamConfig::default()
        };
        let request = NetworkCreateRequest {
            name: name.clone(),
            driver: Some("bridge".to_owned()),
            ipam: Some(Ipam { config: Some(vec![config]), ..Ipam::default() }),
            labels: Some(labels::of(workload)),
            ..NetworkCreateRequest::default()
        };
        match engine.docker.create_network(request).await {
            Ok(_) => return Ok(Network { name, first }),
            // Something outside Kiwi's sight uses these addresses; the next ones may be free.
            Err(error) if convert::text(&error).contains("overlap") => {}
            // Another worker of the same run was faster.
            Err(error) if convert::text(&error).contains("already exists") => return find(engine, workload).await?.ok_or_else(|| foreign(&name)),
            Err(error) => return Err(convert::engine("create network")(error)),
        }
    }
    Err(Error::new(ErrorKind::Conflict, "create network", format!("no addresses are left in {a}.{b}.0.0/16")).with_hint("remove services that are not needed"))
}

/// The network of a workload, if it is there. Errors when it belongs to somebody else.
pub(super) async fn find(engine: &Engine, workload: &Workload) -> Result<Option<Network>> {
    let name = labels::stem(workload);
    let filters = HashMap::from([("name".to_owned(), vec![format!("^{name}$")])]);
    let options = ListNetworksOptionsBuilder::default().filters(&filters).build();
    let found = engine.docker.list_networks(Some(options)).await.map_err(convert::engine("list networks"))?;
    let Some(network) = found.into_iter().find(|network| network.name.as_deref() == Some(&name)) else { return Ok(None) };
    let ours = network.labels.as_ref().and_then(|found| found.get(labels::INSTALLATION)) == Some(&workload.installation)
        && network.labels.as_ref().and_then(|found| found.get(labels::SERVICE_ID)).map(String::as_str) == Some(workload.service.as_str());
    match network.ipam.as_ref().and_then(subnet) {
        Some(first) if ours => Ok(Some(Network { name, first })),
        _ => Err(foreign(&name)),
    }
}

fn foreign(name: &str) -> Error {
    Error::new(ErrorKind::Conflict, "find network", format!("the network {name} exists and belongs to somebody else"))
        .with_hint("another Kiwi installation, or a person, uses this name on the engine; choose another service name")
}

fn subnet(ipam: &Ipam) -> Option<u32> {
    let (address, prefix) = ipam.config.as_ref()?.first()?.subnet.as_ref()?.split_once('/')?;
    let mask = u32::MAX.checked_shl(32 - prefix.parse::<u32>().ok()?.min(PREFIX)).unwrap_or(0);
    Some(u32::from(address.parse::<Ipv4Addr>().ok()?) & mask)
}

impl Network {
    /// Addresses that no container of the workload has, running or not.
    pub(super) async fn free(&self, engine: &Engine, workload: &Workload) -> Result<impl Iterator<Item = Ipv4Addr> + use<>> {
        let filters = labels::filter(workload);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let all = engine.docker.list_containers(Some(options)).await.map_err(convert::engine("list containers"))?;
        let taken: BTreeSet<Ipv4Addr> = all
            .iter()
            .filter_map(|container| {
                container.network_settings.as_ref()?.networks.as_ref()?.get(&self.name)?.ipam_config.as_ref()?.ipv4_address.as_ref()?.parse().ok()
            })
            .collect();
        let first = self.first;
        // The first addresses are the network and its gateway, the last one is the broadcast address.
        Ok((2..SIZE - 1).map(move |offset| Ipv4Addr::from(first + offset)).filter(move |address| !taken.contains(address)))
    }
}
