//! A running application, seen from outside: what it sends is checked, and it is asked nothing that would change it.
//!
//! A scan sends GET requests to one origin, the one that it was given, at addresses that are resolved once. It follows links, forms that are sent by
//! GET, redirects, `robots.txt`, sitemaps and an OpenAPI document, all within limits ([`Settings`]). Probes, which send markers in parameters that it
//! has seen, are only sent when they are asked for.

mod checks;
mod client;
mod crawl;
mod exposed;
mod findings;
mod frontier;
mod html;
mod openapi;
mod page;
mod parameters;
mod probes;
mod rules;
mod scanner;
mod settings;
mod sitemap;

pub use rules::{Rule, Scope, rules};
pub use scanner::{DastScanner, Progress};
pub use settings::Settings;
