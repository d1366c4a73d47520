//! References of images, as people and files give them.
#![no_main]

use kiwi_core::domain::ImageReference;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(reference) = text.parse::<ImageReference>() {
        assert_eq!(reference.to_string().parse::<ImageReference>().as_ref(), Ok(&reference), "what is written reads back");
    }
});
