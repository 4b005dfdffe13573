//! What people and programs see: tables, times, locks, QR codes, JSON. Pure: values in, text out.
//!
//! Refuses to print outside text as it came: control and direction characters are escaped on the way.

pub(crate) mod audit;
pub(crate) mod factor;
pub(crate) mod json;
pub(crate) mod orphans;
pub(crate) mod recovery;
pub(crate) mod remembered;
pub(crate) mod status;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod time;
pub(crate) mod user;
pub(crate) mod view;
