//! What the tests share: a server that plays a script, and a whole playground.

#![allow(dead_code, reason = "each test binary uses a part of it")]

pub(crate) mod script;
pub(crate) mod world;
