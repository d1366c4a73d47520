//! Image references, tags and digests under the distribution grammar
//! (<https://github.com/distribution/reference>), with Docker Hub's normalisation.

use super::text::text_value;
use crate::error::ValueError;
use std::fmt;
use std::str::FromStr;

const HUB: &str = "docker.io";

text_value!(
    /// An image tag: at most 128 letters, digits, `_`, `.` and `-`, not starting with `.` or `-`.
    Tag,
    parse_tag
);

text_value!(
    /// A content digest such as `sha256:<64 hexadecimal digits>`.
    Digest,
    parse_digest
);

fn parse_tag(text: &str) -> Result<String, ValueError> {
    let legal =
        !text.is_empty() && text.len() <= 128 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b)) && !text.starts_with(['.', '-']);
    if legal {
        return Ok(text.to_owned());
    }
    Err(ValueError::new("tag", text, "is not a legal image tag", "use up to 128 letters, digits, '_', '.' and '-', starting with a letter, digit or '_'"))
}

fn parse_digest(text: &str) -> Result<String, ValueError> {
    let lengths = [("sha256", 64), ("sha384", 96), ("sha512", 128)];
    let legal = text.split_once(':').is_some_and(|(algorithm, hex)| {
        lengths.iter().any(|(name, length)| *name == algorithm && hex.len() == *length) && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    });
    if legal {
        return Ok(text.to_owned());
    }
    Err(ValueError::new("digest", text, "is not a content digest", "a digest looks like sha256: and 64 lower-case hexadecimal digits"))
}

/// An image in a registry: `[registry/]repository[:tag][@digest]`.
///
/// `nginx` and `docker.io/library/nginx` are one value; [`Display`](fmt::Display) prints the short form that people type.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ImageReference {
    registry: String,
    repository: String,
    tag: Option<Tag>,
    digest: Option<Digest>,
}

super::schema::string_schema!(ImageReference);

impl ImageReference {
    /// The registry's host, with its port; Docker Hub is `docker.io`.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository within the registry, such as `library/nginx`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag, when one was given.
    pub fn tag(&self) -> Option<&Tag> {
        self.tag.as_ref()
    }

    /// The digest, when one was given. A digest wins over a tag.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// The reference without tag and digest.
    pub fn name(&self) -> String {
        if self.registry == HUB {
            return self.repository.strip_prefix("library/").unwrap_or(&self.repository).to_owned();
        }
        format!("{}/{}", self.registry, self.repository)
    }

    /// The same image under another tag, without a digest.
    #[must_use]
    pub fn with_tag(&self, tag: Tag) -> Self {
        Self { tag: Some(tag), digest: None, ..self.clone() }
    }

    /// Exactly this content of the image, without a tag.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self { tag: None, digest: Some(digest), ..self.clone() }
    }
}

impl FromStr for ImageReference {
    type Err = ValueError;

    fn from_str(text: &str) -> Result<Self, ValueError> {
        let hint = "write it as name:tag, registry.example.com/name:tag or name@sha256:...";
        let fail = |problem: &str| ValueError::new("image reference", text, problem, hint);
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse::<Digest>().map_err(|_| fail("has a malformed digest"))?)),
            None => (text, None),
        };
        // A colon after the last slash starts the tag; one before it belongs to a port.
        let (name, tag) = match rest.rsplit_once(':') {
            Some((name, tag)) if !tag.contains('/') => (name, Some(tag.parse::<Tag>().map_err(|_| fail("has a malformed tag"))?)),
            _ => (rest, None),
        };
        let (registry, path) = match name.split_once('/') {
            Some((first, path)) if first.contains(['.', ':']) || first == "localhost" || first.bytes().any(|b| b.is_ascii_uppercase()) => (first, path),
            _ => (HUB, name),
        };
        let registry = if registry == "index.docker.io" || registry == "registry-1.docker.io" { HUB } else { registry };
        if !is_domain(registry) {
            return Err(fail("has a malformed registry host"));
        }
        if path.is_empty() {
            return Err(fail("names no image"));
        }
        if !path.split('/').all(is_component) {
            return Err(fail("has a name with a character or separator that is not allowed; names are lower case"));
        }
        if name.len() > 255 {
            return Err(fail("has a name longer than 255 characters"));
        }
        if path.len() == 64 && !path.contains('/') && registry == HUB && path.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(fail("is an image id, not a name"));
        }
        let repository = if registry == HUB && !path.contains('/') { format!("library/{path}") } else { path.to_owned() };
        Ok(Self { registry: registry.to_owned(), repository, tag, digest })
    }
}

/// `[a-z0-9]+` joined by `.`, `_`, `__` or any number of `-`.
fn is_component(text: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    if !bytes.first().is_some_and(|b| alphanumeric(*b)) || !bytes.last().is_some_and(|b| alphanumeric(*b)) {
        return false;
    }
    text.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        .filter(|separator| !separator.is_empty())
        .all(|separator| separator == "." || separator == "_" || separator == "__" || separator.bytes().all(|b| b == b'-'))
}

fn is_domain(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !text.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    };
    let port_ok = port.is_none_or(|port| !port.is_empty() && port.parse::<u16>().is_ok());
    let host_ok = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => host
            .split('.')
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !part.starts_with('-') && !part.ends_with('-')),
    };
    port_ok && host_ok
}

impl fmt::Display for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ImageReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl TryFrom<String> for ImageReference {
    type Error = ValueError;
    fn try_from(text: String) -> Result<Self, ValueError> {
        text.parse()
    }
}

impl From<ImageReference> for String {
    fn from(reference: ImageReference) -> Self {
        reference.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn normalises_like_docker() {
        for (text, registry, repository) in [
            ("nginx", "docker.io", "library/nginx"),
            ("docker.io/nginx", "docker.io", "library/nginx"),
            ("index.docker.io/library/nginx", "docker.io", "library/nginx"),
            ("user/app:1", "docker.io", "user/app"),
            ("localhost/app", "localhost", "app"),
            ("localhost:5000/a/b", "localhost:5000", "a/b"),
            ("127.0.0.1:5000/app:v1", "127.0.0.1:5000", "app"),
            ("ghcr.io/o/r_x/y__z", "ghcr.io", "o/r_x/y__z"),
            ("[::1]:5000/app", "[::1]:5000", "app"),
        ] {
            let reference: ImageReference = text.parse().unwrap();
            assert_eq!((reference.registry(), reference.repository()), (registry, repository), "{text}");
        }
    }

    #[test]
    fn refuses_malformed_references() {
        for text in [
            "",
            ":",
            "@",
            "Nginx",
            "a//b",
            "a/",
            "-a",
            "a___b",
            "a:",
            "a:!",
            "a@sha256:12",
            "host.com/",
            "host.com:x/a",
            "a b",
            "..",
            "a..b",
            "--privileged",
            "https://host/a",
            "a:b:c",
        ] {
            assert!(text.parse::<ImageReference>().is_err(), "{text:?}");
        }
        assert!("0".repeat(64).parse::<ImageReference>().is_err());
    }

    proptest! {
        #[test]
        fn printing_and_parsing_agree(text in "([a-z0-9.:-]{1,12}/)?[a-z0-9._/-]{1,20}(:[a-zA-Z0-9._-]{1,8})?") {
            if let Ok(reference) = text.parse::<ImageReference>() {
                prop_assert_eq!(reference.to_string().parse::<ImageReference>().unwrap(), reference);
            }
        }

        #[test]
        fn never_panics(text in "\\PC{0,60}") {
            let _ = text.parse::<ImageReference>();
            let _ = text.parse::<Tag>();
            let _ = text.parse::<Digest>();
        }
    }
}
