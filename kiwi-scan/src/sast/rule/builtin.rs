//! The rules that come with Kiwi.

use super::{Rule, Sources, read};
use crate::sast::language::Language;
use std::sync::OnceLock;

/// The rules of a language. They are read when the first file of it is met.
pub(crate) fn rules(language: Language) -> &'static [Rule] {
    static READ: [OnceLock<Vec<Rule>>; 4] = [const { OnceLock::new() }; 4];
    // A test reads every one of them.
    READ[slot(language)].get_or_init(|| files(language).iter().flat_map(|(_, text)| read::read(text).unwrap_or_default()).collect())
}

/// Where input comes from in a language.
pub(crate) fn sources(language: Language) -> &'static Sources {
    static READ: [OnceLock<Sources>; 4] = [const { OnceLock::new() }; 4];
    READ[slot(language)].get_or_init(|| serde_saphyr::from_str(text_of_sources(language)).unwrap_or_default())
}

fn slot(language: Language) -> usize {
    Language::ALL.iter().position(|known| *known == language).unwrap_or_default()
}

/// The files of a language's rules, by their name.
macro_rules! files {
    ($language:literal: $($name:literal)*) => {
        &[$(($name, include_str!(concat!("../rules/", $language, "/", $name, ".yaml")))),*]
    };
}

fn text_of_sources(language: Language) -> &'static str {
    match language {
        #[cfg(feature = "sast-python")]
        Language::Python => include_str!("../rules/python/sources.yaml"),
        #[cfg(feature = "sast-javascript")]
        Language::JavaScript => include_str!("../rules/javascript/sources.yaml"),
        #[cfg(feature = "sast-java")]
        Language::Java => include_str!("../rules/java/sources.yaml"),
        #[cfg(feature = "sast-go")]
        Language::Go => include_str!("../rules/go/sources.yaml"),
    }
}

fn files(language: Language) -> &'static [(&'static str, &'static str)] {
    match language {
        #[cfg(feature = "sast-python")]
        Language::Python => {
            files!("python": "code" "command" "cookies" "credentials" "crypto" "debug" "deserialization" "jwt" "ldap" "network" "nosql" "others" "path" "random" "redirect" "sql" "ssrf" "tls" "xml" "xpath" "xss")
        }
        #[cfg(feature = "sast-javascript")]
        Language::JavaScript => {
            files!("javascript": "code" "command" "cookies" "cors" "credentials" "crypto" "csrf" "debug" "deserialization" "electron" "headers" "jwt" "ldap" "log" "nosql" "path" "prototype" "random" "redirect" "regex" "sql" "ssrf" "storage" "tls" "xml" "xpath" "xss")
        }
        #[cfg(feature = "sast-java")]
        Language::Java => {
            files!("java": "code" "command" "cookies" "cors" "credentials" "crypto" "csrf" "debug" "deserialization" "files" "hash" "headers" "jwt" "ldap" "log" "nosql" "path" "random" "redirect" "regex" "sql" "ssrf" "template" "tls" "xml" "xpath" "xss")
        }
        #[cfg(feature = "sast-go")]
        Language::Go => {
            files!("go": "code" "command" "cookies" "cors" "credentials" "crypto" "csrf" "debug" "jwt" "ldap" "log" "mail" "nosql" "path" "random" "redirect" "server" "sql" "ssrf" "tls" "xml" "xss")
        }
    }
}
