//! A stream between core and a front end.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mfa_fuzz::front(bytes));
