//! Reports in the formats of other tools. What people decided about was taken out before, so every format says the same.

mod cyclonedx;
mod sarif;

pub use cyclonedx::cyclonedx;
pub use sarif::sarif;

/// Where the formats say that Kiwi is from.
const HOME: &str = "https://github.com/kiwi-delivery/kiwi";
