//! The Build Wizard: a Dockerfile that people would have written themselves, for a project without one.
//!
//! Everything here is a pure function of a [`Tree`] and of [`Choices`]: no network, no clock, the same answer every time. It reads
//! only the manifests that it must and never follows a link out of the tree.
//!
//! ```
//! use kiwi_core::wizard::{self, Choices};
//! use std::collections::BTreeMap;
//!
//! let tree = BTreeMap::from([("index.html".to_owned(), "<h1>Hello</h1>".to_owned())]);
//! let plan = wizard::plan(&tree, &Choices::default())?;
//! assert_eq!(plan.language.as_str(), "static");
//! assert!(plan.dockerfile()?.contains("USER 10001:10001"));
//! # Ok::<(), kiwi_core::Error>(())
//! ```

mod choices;
mod detect;
mod dockerfile;
mod files;
mod ignore;
mod interview;
mod language;
mod port;
mod start;
mod table;
mod tree;
mod types;
mod unhandled;
mod version;

pub use choices::{Choices, Rendering};
pub use interview::{Choice, Interview, Question, Step, Subject};
pub use tree::{Directory, Entry, EntryKind, Tree};
pub use types::{Framework, Language};

use crate::error::{Error, Result};

/// The stage of every planned Dockerfile in which tests run.
pub const TEST_STAGE: &str = "test";

/// How a project is built and started, and why.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Plan {
    /// What it is written in.
    pub language: Language,
    /// What it is built upon.
    pub framework: Option<Framework>,
    /// The version of the language.
    pub version: Option<String>,
    /// What installs its dependencies.
    pub package_manager: Option<String>,
    /// The directory of the app within the tree; empty at the root.
    pub app: String,
    /// The program and its arguments.
    pub start: Vec<String>,
    /// Where it listens; none for a worker.
    pub port: Option<u16>,
    /// Every choice with its reason, in the order in which they were made.
    pub reasons: Vec<String>,
    stages: Vec<dockerfile::Stage>,
    ignore: Vec<&'static str>,
    choices: Choices,
}

impl Plan {
    /// The text of the Dockerfile.
    ///
    /// Errors: `InvalidInput` when a name of the tree cannot stand in one.
    pub fn dockerfile(&self) -> Result<String> {
        let framework = self.framework.map(|framework| format!(", {}", framework.title())).unwrap_or_default();
        let version = self.version.as_ref().map(|version| format!(" {version}")).unwrap_or_default();
        let manager = self.package_manager.as_ref().map(|manager| format!(", {manager}")).unwrap_or_default();
        let machine = if language::row(self.language) == self.language.as_str() { "" } else { " on Java" };
        let mut heading =
            format!("Made by `kiwi dockerfile` for {}{machine}{version}{framework}{manager}. It is yours: change what you like.", self.language.title());
        if !self.app.is_empty() {
            heading.push_str(&format!("\nThe app is {}; build it from the root of the repository.", self.app));
        }
        dockerfile::render(&heading, &self.stages, &self.choices)
    }

    /// The base images, without prefix and digest.
    pub fn base_images(&self) -> Vec<&str> {
        dockerfile::images(&self.stages)
    }

    /// The text of the `.dockerignore` that belongs to it.
    pub fn dockerignore(&self) -> String {
        ignore::render(&self.ignore)
    }

    /// The command that starts the program, as a person types it.
    pub fn start_command(&self) -> String {
        shell_words::join(&self.start)
    }
}

/// Looks at a tree and plans its build.
///
/// Errors: `InvalidInput` when the project is not recognised, asks for a version that is not supported, or a manifest is malformed;
/// with [`candidates`](crate::Error::candidates) when two answers are equally good.
pub fn plan(tree: &dyn Tree, choices: &Choices) -> Result<Plan> {
    let choices = choices.clone().with_file(tree)?;
    let app = detect::app(tree, &choices)?;
    let found = detect::language(tree, &app, &choices)?;
    let plan = language::plan(tree, &app, found, choices)?;
    let images = plan.base_images();
    if let Some(stray) = plan.choices.digests.keys().find(|image| !images.contains(&image.as_str())) {
        return Err(Error::invalid("plan build", format!("a digest is given for {stray:?}, which is no base image of this project"))
            .with_hint(format!("the base images are: {}", images.join(", "))));
    }
    Ok(plan)
}
