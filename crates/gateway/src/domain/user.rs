//! People of the merchant's who use the dashboard: what their names and passwords must be, and how
//! long they stay signed in.

/// The user that the configuration's password belongs to.
pub const BOOTSTRAP_USER: &str = "admin";
/// The fewest characters of a password. Long rather than strange, as NIST SP 800-63B advises.
pub const SHORTEST_PASSWORD: usize = 12;
/// The most, in bytes: enough for any sentence, and no work for an attacker to give.
pub const LONGEST_PASSWORD: usize = 256;
/// The longest user name.
pub const LONGEST_NAME: usize = 64;

/// Whoever does nothing for so long is signed out.
pub const IDLE_MS: i64 = 2 * 60 * 60 * 1000;
/// Everybody signs in again after so long.
pub const SESSION_LIFE_MS: i64 = 12 * 60 * 60 * 1000;
/// How long a second factor may be waited for.
pub const HALF_SIGNED_IN_MS: i64 = 5 * 60 * 1000;
/// How exactly it is known when a session was last used: finer would cost a write for each page.
pub const USE_NOTED_EVERY_MS: i64 = 60 * 1000;
/// How long an invitation may be taken up.
pub const INVITATION_LIFE_MS: i64 = 3 * 24 * 60 * 60 * 1000;

/// What is wrong with a name or a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The name has other characters, or too many, or none.
    #[error(
        "A user name is 2 to 64 letters a to z, digits and . _ - @ +, such as eva or eva@shop.example."
    )]
    Name,
    /// The password is too short.
    #[error(
        "A password has at least 12 characters. A few words in a row are easy to keep in mind."
    )]
    TooShort,
    /// The password is too long.
    #[error("A password has at most 256 bytes.")]
    TooLong,
    /// The password can be guessed from the name, or is one character again and again.
    #[error("This password is easy to guess. Take a few words that have nothing to do with you.")]
    Guessable,
    /// The two passwords differ.
    #[error("The two passwords are not the same.")]
    Different,
}

/// A user name as it is kept: without spaces around it, in lower case.
pub fn read_name(typed: &str) -> Result<String, Unfit> {
    let name = typed.trim().to_ascii_lowercase();
    let fits = (2..=LONGEST_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-@+".contains(&byte));
    if fits { Ok(name) } else { Err(Unfit::Name) }
}

/// Whether a new password will do.
pub fn check_password(name: &str, password: &str, repeated: &str) -> Result<(), Unfit> {
    if password.chars().count() < SHORTEST_PASSWORD {
        return Err(Unfit::TooShort);
    }
    if password.len() > LONGEST_PASSWORD {
        return Err(Unfit::TooLong);
    }
    let lower = password.to_lowercase();
    let mut characters = lower.chars();
    let first = characters.next();
    let one_again = characters.all(|each| Some(each) == first);
    let rest = lower.replace(name, "").replace("password", "").replace("kassa", "");
    if one_again || rest.chars().count() < SHORTEST_PASSWORD / 2 {
        return Err(Unfit::Guessable);
    }
    if password != repeated {
        return Err(Unfit::Different);
    }
    Ok(())
}

/// What an admin may do to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Give them another role.
    Role,
    /// Let them sign in no longer.
    Disable,
    /// Let them sign in again.
    Enable,
    /// Hand them a link by which they choose a new password.
    NewPassword,
    /// Take their second factor away: their phone is lost.
    RemoveFactor,
}

/// Why an admin may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    /// Nobody locks themselves out.
    #[error("Nobody changes their own role or locks themselves out. Ask another admin.")]
    Oneself,
    /// The configuration's user is the way back in.
    #[error(
        "The user admin belongs to the configuration: its password is changed there, and it is          always an admin, so that there is a way back in."
    )]
    Bootstrap,
}

impl Change {
    /// The change of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "role" => Self::Role,
            "disable" => Self::Disable,
            "enable" => Self::Enable,
            "new-password" => Self::NewPassword,
            "remove-factor" => Self::RemoveFactor,
            _ => return None,
        })
    }

    /// Its name in the audit log.
    pub fn told(self) -> &'static str {
        match self {
            Self::Role => "user.role_changed",
            Self::Disable => "user.disabled",
            Self::Enable => "user.enabled",
            Self::NewPassword => "user.password_link_made",
            Self::RemoveFactor => "user.second_factor_removed",
        }
    }

    /// Whether an admin may make it to that user.
    pub fn check(self, is_oneself: bool, name: &str) -> Result<(), NotAllowed> {
        match self {
            Self::Role | Self::Disable if is_oneself => Err(NotAllowed::Oneself),
            Self::Role | Self::Disable | Self::NewPassword if name == BOOTSTRAP_USER => {
                Err(NotAllowed::Bootstrap)
            }
            Self::Role | Self::Disable | Self::Enable | Self::NewPassword | Self::RemoveFactor => {
                Ok(())
            }
        }
    }
}

/// Whether a session that was opened and last used then is over.
pub fn is_over(created_at_ms: i64, seen_at_ms: i64, now_ms: i64) -> bool {
    now_ms - created_at_ms >= SESSION_LIFE_MS || now_ms - seen_at_ms >= IDLE_MS
}

/// What is kept of a browser to tell sessions apart: its kind and its system, no more.
pub fn browser(user_agent: &str) -> String {
    // The more particular before those that name themselves after them.
    let kinds = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    let systems = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let find = |names: &[(&str, &'static str)]| {
        names.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    match (find(&kinds), find(&systems)) {
        (Some(kind), Some(system)) => format!("{kind} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "Another program".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_plain() {
        assert_eq!(read_name(" Eva@Shop.example "), Ok("eva@shop.example".to_owned()));
        for bad in ["", "e", "eva nilsson", "eva\u{0}", "е́va", "<b>", &"x".repeat(65)] {
            assert_eq!(read_name(bad), Err(Unfit::Name), "{bad:?}");
        }
    }

    #[test]
    fn passwords_are_long_and_not_obvious() {
        let check = |password: &str| check_password("eva", password, password);
        assert_eq!(check("seven green bottles"), Ok(()));
        assert_eq!(check("åäö åäö åäö åäö"), Ok(()));
        assert_eq!(check("short"), Err(Unfit::TooShort));
        assert_eq!(check("aaaaaaaaaaaaaaa"), Err(Unfit::Guessable));
        assert_eq!(check("eva-kassa-password"), Err(Unfit::Guessable));
        assert_eq!(check(&"long ".repeat(60)), Err(Unfit::TooLong));
        assert_eq!(
            check_password("eva", "seven green bottles", "seven green bottle"),
            Err(Unfit::Different)
        );
    }

    #[test]
    fn nobody_can_lock_everybody_out() {
        for (change, name) in [
            (Change::Role, "role"),
            (Change::Disable, "disable"),
            (Change::Enable, "enable"),
            (Change::NewPassword, "new-password"),
            (Change::RemoveFactor, "remove-factor"),
        ] {
            assert_eq!(Change::from_name(name), Some(change));
            assert_eq!(change.check(false, "eva"), Ok(()));
            let locks_out = matches!(change, Change::Role | Change::Disable);
            assert_eq!(change.check(true, "eva").is_err(), locks_out);
            let theirs = locks_out || change == Change::NewPassword;
            assert_eq!(change.check(false, BOOTSTRAP_USER).is_err(), theirs);
        }
        assert_eq!(Change::from_name("promote"), None);
    }

    #[test]
    fn of_a_browser_only_its_kind_is_kept() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
                      Chrome/140.0.0.0 Safari/537.36";
        assert_eq!(browser(chrome), "Chrome on Linux");
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 \
                     (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";
        assert_eq!(browser(phone), "Safari on iPhone");
        assert_eq!(browser("curl/8"), "Another program");
    }

    proptest! {
        #[test]
        fn a_session_ends_by_rest_or_by_age(rest in 0..IDLE_MS, age in 0..SESSION_LIFE_MS) {
            prop_assume!(rest <= age);
            prop_assert!(!is_over(0, age - rest, age));
            prop_assert!(is_over(0, age, age + IDLE_MS));
            prop_assert!(is_over(0, SESSION_LIFE_MS, SESSION_LIFE_MS));
        }
    }
}
