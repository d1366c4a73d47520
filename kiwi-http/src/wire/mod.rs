//! What requests and answers hold beyond Kiwi's own records. Clients in Rust, such as Kiwi's command line, use these types too.

mod access;
mod change;
mod ci;
mod register;
mod scans;
mod setup;
mod work;

pub use crate::page::{Page, PageQuery};
pub use crate::problem::ProblemBody;
pub use access::{Bootstrap, BuildSecrets, CreateToken, CreatedToken, NewUser};
pub use change::{ChangeEnvironment, ChangeService};
pub use ci::{AutoCiReport, EnableAutoCi, ForecastPush, WaitingRun};
pub use register::{RegisterService, SourceForm};
pub use scans::GateOfEnvironment;
pub use setup::{AddRegistry, AddedRuntime, BranchHead, CheckSource, Resolved, Rotated, SetProvider, SetProviderAnswer, SourceCheck};
pub use work::{CreateRun, DeploymentPlanned, Facts, LogEntry, StatusReport};

use kiwi_core::secret::SecretString;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{KnownFormat, SchemaFormat, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};

/// A secret on its way in a body. It is written in clear there, and shown nowhere else.
#[derive(Clone)]
pub struct SecretValue(pub SecretString);

impl std::fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretValue")
    }
}

impl Serialize for SecretValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose_secret())
    }
}

impl<'de> Deserialize<'de> for SecretValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(text.into()))
    }
}

impl utoipa::PartialSchema for SecretValue {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Password))).into()
    }
}

impl utoipa::ToSchema for SecretValue {}
