//! The service that is delivered in tests: the quickstart's, told to answer with a version of its own.

use std::path::Path;

/// The quickstart's application.
pub const APP: &str = include_str!("../../examples/shop/app.py");
const DOCKERFILE: &str = include_str!("../../examples/shop/Dockerfile");

/// Writes the service's files, with this version in them.
pub fn write(folder: &Path, version: &str) {
    std::fs::write(folder.join("app.py"), APP.replace("VERSION = \"1\"", &format!("VERSION = {version:?}"))).unwrap();
    std::fs::write(folder.join("Dockerfile"), DOCKERFILE).unwrap();
}
