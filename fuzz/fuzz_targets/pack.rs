//! Packs, as a git server sends them.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|entries: &[u8]| {
    let _ = kiwi_git::url::unpack(&[b"PACK\0\0\0\x02\0\0\0\x02", entries].concat());
});
