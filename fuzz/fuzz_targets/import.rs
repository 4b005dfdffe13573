//! Files of other programs that users are taken over from.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mfa_fuzz::import(bytes));
