//! Requests to the daemon.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mfa_fuzz::admin_request(bytes));
