//! Whether the credentials may push: an upload is begun and given up.

use super::client::Client;
use kiwi_core::error::{ErrorKind, Result};
use kiwi_core::provider::{RegistryAccess, RegistryReport};
use reqwest::{Method, StatusCode, header};

pub(super) async fn probe(client: &Client, access: &RegistryAccess) -> Result<RegistryReport> {
    let host = access.address.host();
    let place = match (access.address.path(), &access.credentials) {
        // On Docker Hub every repository belongs to somebody.
        ("", Some((username, _))) if host == super::hub::HOST => format!("{username}/"),
        ("", _) => String::new(),
        (path, _) => format!("{path}/"),
    };
    let repository = format!("{place}kiwi-check");
    let (path, scope) = (format!("/v2/{repository}/blobs/uploads/"), format!("repository:{repository}:pull,push"));
    let refused = |why: String| Ok(RegistryReport { may_push: false, push_refusal: Some(why) });
    let begun = match client.send(Method::POST, host, &path, &scope, Some(access), |request| request.header(header::CONTENT_LENGTH, 0)).await {
        Ok(begun) => begun,
        Err(error) if matches!(error.kind(), ErrorKind::Unauthenticated | ErrorKind::Forbidden) => return refused(error.message().to_owned()),
        Err(error) => return Err(error),
    };
    if begun.status() != StatusCode::ACCEPTED {
        return refused(format!("the registry answered HTTP {} to an upload below {host}/{place}", begun.status().as_u16()));
    }
    // Given up at once; a registry forgets uploads anyway, so a failure here changes nothing.
    let upload = begun.headers().get(header::LOCATION).and_then(|value| value.to_str().ok()).and_then(|target| {
        let path = target.split_once("://").map_or(Some(target), |(_, rest)| Some(&rest[rest.find('/')?..]))?;
        path.starts_with("/v2/").then(|| path.to_owned())
    });
    if let Some(upload) = upload {
        let _ = client.send(Method::DELETE, host, &upload, &scope, Some(access), |request| request).await;
    }
    Ok(RegistryReport { may_push: true, push_refusal: None })
}
