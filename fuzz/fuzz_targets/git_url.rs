//! URLs of repositories.
#![no_main]

use kiwi_core::domain::GitUrl;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(url) = text.parse::<GitUrl>() {
        assert!(url.as_str().starts_with("http") && !url.authority().is_empty() && !url.as_str().contains('@'));
        assert_eq!(url.as_str().parse::<GitUrl>().as_ref(), Ok(&url), "what is accepted stays as it is");
    }
});
