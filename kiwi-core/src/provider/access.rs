//! Credentials as providers receive them: looked up for one call, never stored in a record.

use crate::domain::{RegistryAddress, RegistryName, SecretId};
use crate::secret::SecretString;
use std::collections::BTreeMap;

/// The values of the secrets that a request names.
pub type SecretValues = BTreeMap<SecretId, SecretString>;

/// What a git server wants to see.
#[derive(Debug, Clone, Default)]
pub struct SourceAccess {
    /// The token, sent as the password of HTTP basic authentication.
    pub token: Option<SecretString>,
    /// A CA certificate (PEM) beyond those of the machine.
    pub ca: Option<String>,
    /// Whether an admin allowed plain HTTP and an address that is not public when setting up this host.
    pub private: bool,
}

/// A registry with its credentials.
#[derive(Debug, Clone)]
pub struct RegistryAccess {
    /// Its name in Kiwi.
    pub name: RegistryName,
    /// Where it is.
    pub address: RegistryAddress,
    /// User name and password; none for anonymous access.
    pub credentials: Option<(String, SecretString)>,
    /// Whether plain HTTP is allowed.
    pub insecure: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let access = SourceAccess { token: Some("hunter22".into()), ..SourceAccess::default() };
        let registry = RegistryAccess {
            name: "hub".parse().unwrap(),
            address: "docker.io".parse().unwrap(),
            credentials: Some(("me".into(), "hunter22".into())),
            insecure: false,
        };
        assert!(!format!("{access:?}{registry:?}").contains("hunter22"));
    }
}
