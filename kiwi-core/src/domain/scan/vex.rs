//! Statements of OpenVEX (<https://github.com/openvex/spec>).

use super::Finding;
use crate::domain::Timestamp;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a statement says of a vulnerability in a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum VexStatus {
    /// The product is not affected.
    NotAffected,
    /// The product has the mended version.
    Fixed,
    /// It is affected, somebody still looks, or the word is one that OpenVEX does not have.
    Open,
}

impl VexStatus {
    /// Whether a finding of which this is said is none.
    pub(super) fn takes_out(self) -> bool {
        matches!(self, Self::NotAffected | Self::Fixed)
    }
}

/// A statement of OpenVEX about a vulnerability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VexStatement {
    /// The vulnerability's names.
    pub vulnerability: Vec<String>,
    /// What it is about, as package URLs or other names. Without any it is about all that the document is about; a list of which nothing could be
    /// understood is about nothing.
    pub products: Option<Vec<String>>,
    /// What it says.
    pub status: VexStatus,
    /// Since when it holds, where it or its document says that.
    pub at: Option<Timestamp>,
    /// Why, in the author's words.
    pub reason: String,
}

impl VexStatement {
    /// The statements of a document, in its order.
    pub(super) fn of_document(text: &str) -> Result<Vec<Self>> {
        let fail = |why: &str| Error::invalid("read OpenVEX", why.to_owned()).with_hint("give an OpenVEX document in JSON");
        let document: Value = serde_json::from_str(text).map_err(|error| fail("the file is not JSON").with_source(error))?;
        let statements = document["statements"].as_array().ok_or_else(|| fail("the file has no statements"))?;
        Ok(statements.iter().map(|statement| Self::of(statement, time(&document))).collect())
    }

    fn of(statement: &Value, of_document: Option<Timestamp>) -> Self {
        let named = &statement["vulnerability"];
        // Before version 0.2 the vulnerability was its name alone.
        let aliases = named["aliases"].as_array().into_iter().flatten();
        let names = [named, &named["name"], &named["@id"]].into_iter().chain(aliases).filter_map(Value::as_str).map(str::to_owned);
        let status = match statement["status"].as_str() {
            Some("not_affected") => VexStatus::NotAffected,
            Some("fixed") => VexStatus::Fixed,
            _ => VexStatus::Open,
        };
        let word = |key: &str| statement[key].as_str().filter(|text| !text.is_empty());
        let reason = word("impact_statement").or_else(|| word("justification")).or_else(|| word("status_notes")).or_else(|| word("status")).unwrap_or_default();
        Self {
            vulnerability: names.collect(),
            products: products(&statement["products"]),
            status,
            at: time(statement).or(of_document),
            reason: format!("VEX: {reason}"),
        }
    }

    /// The statement that decides about a finding: the latest of those that are about it, and of two of one time the one that was read later.
    pub(super) fn deciding<'s>(statements: &'s [Self], finding: &Finding) -> Option<&'s Self> {
        statements.iter().filter(|statement| statement.covers(finding)).max_by_key(|statement| statement.at)
    }

    fn covers(&self, finding: &Finding) -> bool {
        let package = |products: &Vec<String>| finding.dependency.as_ref().is_some_and(|own| products.iter().any(|product| own.is_named_by(product)));
        finding.names().any(|name| self.vulnerability.iter().any(|wanted| wanted == name)) && self.products.as_ref().is_none_or(package)
    }
}

fn time(object: &Value) -> Option<Timestamp> {
    serde_json::from_value(object["timestamp"].clone()).ok()
}

/// The names of what a statement is about. One about a part of a product is about that part.
fn products(list: &Value) -> Option<Vec<String>> {
    let name = |object: &Value| {
        let own = object.as_str().or_else(|| object["@id"].as_str());
        object["identifiers"]["purl"].as_str().or(own).map(str::to_owned)
    };
    let of_product = |product: &Value| match &product["subcomponents"] {
        Value::Null => name(product).into_iter().collect(),
        Value::Array(parts) if parts.is_empty() => name(product).into_iter().collect(),
        Value::Array(parts) => parts.iter().filter_map(name).collect::<Vec<_>>(),
        // Parts were meant, and nobody knows which.
        _ => Vec::new(),
    };
    match list {
        Value::Null => None,
        Value::Array(products) if products.is_empty() => None,
        Value::Array(products) => Some(products.iter().flat_map(of_product).collect()),
        _ => Some(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Dependency, Exceptions, Fingerprint, ScanKind, ScanReport, Severity, Suppressed};
    use serde_json::json;

    fn finding() -> Finding {
        Finding {
            dependency: Some(Dependency { package: "@scope/left".into(), version: "1.2.3".into(), ecosystem: "npm".into(), development: false }),
            advisories: vec!["CVE-2026-1".to_owned()],
            ..Finding::new(ScanKind::Sca, "GHSA-x", Severity::High, "m", Fingerprint::of(&["a"]))
        }
    }

    /// What is taken out by a document of these statements, each with its own words added.
    fn taken_out(statements: &[Value]) -> Option<Suppressed> {
        let whole = |own: &Value| {
            let mut statement = json!({ "vulnerability": { "name": "CVE-2026-1" }, "status": "not_affected", "justification": "component_not_present" });
            statement.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
            statement
        };
        let document = json!({ "@context": "https://openvex.dev/ns/v0.2.0", "timestamp": "2026-03-01T00:00:00Z",
            "statements": statements.iter().map(whole).collect::<Vec<_>>() });
        let mut exceptions = Exceptions::default();
        exceptions.read_vex(&document.to_string()).unwrap();
        let mut reports = [ScanReport { findings: vec![finding()], ..ScanReport::new("s") }];
        exceptions.apply(&mut reports, Timestamp::from_millis(1_795_000_000_000));
        assert_eq!(reports[0].findings.len() + reports[0].suppressed.len(), 1);
        reports[0].suppressed.pop()
    }

    #[test]
    fn a_statement_is_about_the_products_that_it_names() {
        let part = json!([{ "@id": "pkg:oci/shop", "subcomponents": [{ "@id": "pkg:npm/%40scope/left@1.2.3" }] }]);
        for products in [
            part,
            json!([{ "@id": "pkg:npm/%40scope/left" }]),
            json!([{ "@id": "x", "identifiers": { "purl": "pkg:npm/%40scope/left@1.2.3" } }]),
            json!(["pkg:npm/%40scope/left"]),
            json!([]),
            json!(null),
        ] {
            assert!(taken_out(&[json!({ "products": products })]).is_some(), "{products}");
        }
        for products in [
            json!([{ "@id": "pkg:npm/%40scope/left@1.2.4" }]),
            json!([{ "@id": "pkg:pypi/%40scope/left@1.2.3" }]),
            json!([{ "identifiers": { "cpe23": "cpe:2.3:a:acme:other:1.0:*:*:*:*:*:*:*" } }]),
            json!([{ "hashes": { "sha-256": "0" } }]),
            json!([{ "@id": "pkg:npm/%40scope/left", "subcomponents": [{ "hashes": { "sha-256": "0" } }] }]),
            json!([{ "@id": "pkg:npm/%40scope/left", "subcomponents": { "@id": "pkg:npm/%40scope/left" } }]),
            json!({ "@id": "pkg:npm/%40scope/left" }),
            json!([1]),
            json!("pkg:npm/%40scope/left"),
        ] {
            assert_eq!(taken_out(&[json!({ "products": products })]), None, "{products}");
        }
    }

    #[test]
    fn the_latest_statement_decides() {
        let said = |status: &str, time: &str| json!({ "status": status, "timestamp": time });
        let status = |statements: &[Value]| taken_out(statements).and_then(|suppressed| suppressed.vex);
        assert_eq!(status(&[said("not_affected", "2026-01-01T00:00:00Z")]), Some(VexStatus::NotAffected));
        assert_eq!(status(&[said("fixed", "2026-01-01T00:00:00Z")]), Some(VexStatus::Fixed));
        for word in ["affected", "under_investigation", "unheard_of"] {
            assert_eq!(status(&[said("not_affected", "2026-01-01T00:00:00Z"), said(word, "2026-05-01T00:00:00Z")]), None);
            assert_eq!(status(&[said(word, "2026-05-01T00:00:00Z"), said("not_affected", "2026-01-01T00:00:00Z")]), None);
            assert!(status(&[said(word, "2026-05-01T00:00:00+02:00"), said("fixed", "2026-05-01T00:00:00Z")]).is_some());
            // The document's time is March.
            assert_eq!(status(&[json!({ "status": word }), said("not_affected", "2026-02-01T00:00:00Z")]), None);
            assert!(status(&[json!({ "status": word }), json!({})]).is_some(), "of one time, the one that is read later");
            assert_eq!(status(&[json!({}), json!({ "status": word })]), None);
            // What is said of another product is about that.
            let other = json!({ "status": word, "timestamp": "2026-09-01T00:00:00Z", "products": [{ "@id": "pkg:npm/other" }] });
            assert!(status(&[said("not_affected", "2026-01-01T00:00:00Z"), other]).is_some());
        }
        assert!(Exceptions::default().read_vex("{}").is_err());
    }
}
