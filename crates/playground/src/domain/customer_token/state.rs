//! The life of a customer token: which status may follow which.
//!
//! A merchant cancels and nothing else; Klarna suspends, activates and cancels. Cancelled is for ever.

use super::{CustomerToken, TokenStatus};

/// How long a cancelled token can still be read. Klarna publishes no end; a playground that runs for
/// months must forget at some time.
pub(crate) const KEPT_AFTER_CANCELLING_MS: i64 = 90 * 24 * 60 * 60 * 1_000;

/// What is done to a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    /// Klarna stops it for now.
    Suspend,
    /// Klarna lets it be charged again.
    Activate,
    /// The merchant, the shopper or Klarna ends it.
    Cancel,
}

/// What came of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moved {
    /// It has another status now.
    To(TokenStatus),
    /// It had that status already.
    Stays,
}

/// A cancelled token cannot be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the customer token is cancelled, and a cancelled token cannot be restored; make a new one"
)]
pub(crate) struct Final;

impl TokenStatus {
    /// The status after a command: the whole table.
    pub(crate) fn after(self, command: Command) -> Result<Moved, Final> {
        match (self, command) {
            (Self::Active, Command::Suspend) => Ok(Moved::To(Self::Suspended)),
            (Self::Suspended, Command::Activate) => Ok(Moved::To(Self::Active)),
            (Self::Active | Self::Suspended, Command::Cancel) => Ok(Moved::To(Self::Cancelled)),
            (Self::Active, Command::Activate)
            | (Self::Suspended, Command::Suspend)
            | (Self::Cancelled, Command::Cancel) => Ok(Moved::Stays),
            (Self::Cancelled, Command::Suspend | Command::Activate) => Err(Final),
        }
    }
}

impl CustomerToken {
    /// Obeys a command.
    pub(crate) fn obey(&mut self, command: Command, now_ms: i64) -> Result<Moved, Final> {
        let moved = self.status.after(command)?;
        if let Moved::To(status) = moved {
            self.status = status;
            if status == TokenStatus::Cancelled {
                self.cancelled_at_ms = Some(now_ms);
                self.planned = None;
            }
        }
        Ok(moved)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::token;
    use super::*;

    #[test]
    fn the_whole_table() {
        use Command::{Activate, Cancel, Suspend};
        use TokenStatus::{Active, Cancelled, Suspended};
        let table = [
            (Active, Suspend, Ok(Moved::To(Suspended))),
            (Active, Activate, Ok(Moved::Stays)),
            (Active, Cancel, Ok(Moved::To(Cancelled))),
            (Suspended, Suspend, Ok(Moved::Stays)),
            (Suspended, Activate, Ok(Moved::To(Active))),
            (Suspended, Cancel, Ok(Moved::To(Cancelled))),
            (Cancelled, Suspend, Err(Final)),
            (Cancelled, Activate, Err(Final)),
            (Cancelled, Cancel, Ok(Moved::Stays)),
        ];
        for (status, command, expected) in table {
            assert_eq!(status.after(command), expected, "{status:?} {command:?}");
        }
    }

    proptest! {
        /// Whatever is done in whatever order: cancelled stays cancelled from its first instant, a refusal
        /// changes nothing, and what did not move is as it was.
        #[test]
        fn cancelled_is_for_ever(commands in prop::collection::vec(0_u8..3, 0..20)) {
            let mut token = token();
            let mut cancelled_at: Option<i64> = None;
            for (now_ms, command) in (1_i64..).zip(commands) {
                let command = [Command::Suspend, Command::Activate, Command::Cancel][usize::from(command)];
                let before = token.clone();
                match token.obey(command, now_ms) {
                    Ok(Moved::To(status)) => {
                        prop_assert_ne!(before.status, status);
                        prop_assert_eq!(token.status, status);
                        prop_assert_eq!(cancelled_at, None);
                        if command == Command::Cancel {
                            cancelled_at = Some(now_ms);
                        }
                    }
                    Ok(Moved::Stays) | Err(Final) => prop_assert_eq!(&before, &token),
                }
                prop_assert_eq!(token.cancelled_at_ms, cancelled_at);
                prop_assert_eq!(token.status == TokenStatus::Cancelled, cancelled_at.is_some());
            }
        }
    }
}
