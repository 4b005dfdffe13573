//! What strangers write in a request to mfad-web.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mfa_fuzz::web(bytes));
