//! Values of a directory that are taken for sealed secrets.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mfa_fuzz::ldap_value(bytes));
