//! The stream of a login client.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mfa_fuzz::frame_and_login(bytes));
