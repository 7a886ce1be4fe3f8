//! sign in
/// attempts
#[derive(Debug, Default)]
pub struct Attempts;
