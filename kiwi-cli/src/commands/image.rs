//! `kiwi image`.

use crate::args::{ImageCommand, Output};
use crate::compose::Session;
use crate::output;
use kiwi_core::error::Result;
use serde_json::json;
use std::process::ExitCode;

pub(super) async fn run(session: &Session, command: ImageCommand, output: Output) -> Result<ExitCode> {
    let Session { kiwi, actor } = session;
    match command {
        ImageCommand::Search { term, limit } => {
            let found = kiwi.search_images(actor, &term, limit).await?;
            output::result(output, &found, || {
                let row = |image: &kiwi_core::provider::FoundImage| {
                    let description: String = image.description.chars().filter(|c| !c.is_control()).take(70).collect();
                    vec![image.name.clone(), image.stars.to_string(), if image.official { "official" } else { "" }.to_owned(), description]
                };
                output::table(&["image", "stars", "", "description"], &found.iter().map(row).collect::<Vec<_>>())
            });
        }
        ImageCommand::Tags { image } => {
            let tags = kiwi.image_tags(actor, &image).await?;
            output::result(output, &tags, || {
                let row = |tag: &kiwi_core::provider::TagDetails| {
                    let size = tag.size.map_or_else(String::new, |bytes| format!("{:.1} MB", bytes as f64 / 1e6));
                    vec![tag.name.to_string(), tag.pushed_at.map_or_else(String::new, |time| time.to_string()), size, tag.platforms.join(" ")]
                };
                output::table(&["tag", "pushed", "size", "platforms"], &tags.iter().map(row).collect::<Vec<_>>())
            });
        }
        ImageCommand::Resolve { image } => {
            let digest = kiwi.resolve_image(actor, &image).await?;
            let exact = format!("{}@{digest}", image.name());
            output::result(output, &json!({ "reference": image.to_string(), "digest": digest, "exact": exact }), || exact.clone());
        }
    }
    Ok(ExitCode::SUCCESS)
}
