//! The header by which hosts name the next page.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|header: &str| {
    if let Some(target) = kiwi_git::link_target(header, "next") {
        assert!(header.contains(target) && !target.contains('>'));
    }
});
