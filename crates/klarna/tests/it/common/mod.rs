//! What the tests share: a server that plays a script, and a whole playground.

pub(crate) mod script;
pub(crate) mod world;
