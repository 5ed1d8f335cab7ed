#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| hooktape_fuzz::request(data));
