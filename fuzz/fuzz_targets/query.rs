//! Feeds the entry point of the same name.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| jobwright_fuzz::query(data));
