//! Sign in with Klarna over HTTP: a client, a shopper with a browser's cookies, and everybody who would like to be
//! either of them.

mod attacks;
mod engines;
mod flow;
mod keys;
mod people;
