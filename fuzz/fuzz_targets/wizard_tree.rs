//! Trees of files, as text: `-- path --` begins each. The projects in `kiwi-core/tests/wizard` are a corpus to begin with.
#![no_main]

use kiwi_core::wizard::{Choices, Rendering, plan};
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;

const INSTRUCTIONS: [&str; 12] =
    ["FROM ", "WORKDIR ", "COPY ", "RUN ", "ENV ", "ARG ", "USER ", "EXPOSE ", "HEALTHCHECK ", "ENTRYPOINT ", "CMD ", "STOPSIGNAL "];

fuzz_target!(|bytes: &[u8]| {
    // Manifests need not be UTF-8; a tree in memory is, so that what is invalid becomes the replacement character.
    let text = String::from_utf8_lossy(bytes);
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    let mut path = None;
    for line in text.split_inclusive('\n') {
        if let Some(next) = line.trim_end_matches('\n').strip_prefix("-- ").and_then(|line| line.strip_suffix(" --")) {
            files.insert(next.to_owned(), String::new());
            path = Some(next.to_owned());
        } else if let Some(content) = path.as_ref().and_then(|path| files.get_mut(path)) {
            content.push_str(line);
        }
    }
    for rendering in [Rendering::BuildKit, Rendering::Plain] {
        let Ok(planned) = plan(&files, &Choices { rendering, ..Choices::default() }) else { return };
        let Ok(dockerfile) = planned.dockerfile() else { return };
        assert!(dockerfile.chars().all(|c| c == '\n' || !c.is_control()), "{dockerfile}");
        let mut continued = false;
        for line in dockerfile.lines() {
            assert!(continued || line.is_empty() || line.starts_with('#') || INSTRUCTIONS.iter().any(|known| line.starts_with(known)), "{line:?}");
            continued = line.ends_with('\\');
        }
        let (_, last) = dockerfile.rsplit_once("\nFROM ").unwrap();
        assert!(last.lines().any(|line| line.strip_prefix("USER ").is_some_and(|user| user.bytes().all(|b| b.is_ascii_digit() || b == b':'))));
        assert_eq!(last.lines().filter(|line| line.starts_with("CMD [\"")).count(), 1, "{dockerfile}");
        assert_eq!(plan(&files, &Choices { rendering, ..Choices::default() }).unwrap().dockerfile().unwrap(), dockerfile, "another answer");
        let _ = planned.dockerignore();
    }
});
