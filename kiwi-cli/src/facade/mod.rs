//! What commands talk to: the engine in this process, or a server. Commands call the methods of the facade and do not know which it is.

mod ci;
mod client;
mod follow;
mod scans;
mod services;
mod setup;
mod work;

pub(crate) use client::Client;

use kiwi_core::error::{Error, ErrorKind, Result};
use kiwi_core::pipeline::Kiwi;

/// The engine in this process, or a server.
#[derive(Debug, Clone)]
pub(crate) enum Facade {
    Embedded(Kiwi),
    Remote(Client),
}

impl Facade {
    /// The engine in this process, for what a server does not do for others.
    pub(crate) fn embedded(&self) -> Result<&Kiwi> {
        match self {
            Self::Embedded(kiwi) => Ok(kiwi),
            Self::Remote(_) => Err(Error::new(ErrorKind::Unsupported, "ask server", "this command works on this machine alone, and not through a server")
                .with_hint("leave --server and KIWI_SERVER out, or run it on the server's machine")),
        }
    }
}
