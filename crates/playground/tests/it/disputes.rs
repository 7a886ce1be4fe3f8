//! The Disputes API over HTTP: every operation of versions 4 and 2, what can be read in version 3, each
//! documented refusal, each published lifecycle on the clock, and what a dispute does to money.

pub(crate) mod case;
mod files;
mod lists;
mod money;
mod v2;
mod v4;
mod webhooks;
