//! API keys: what may be asked of a new one, and how one ends.
//!
//! The key itself is never here: what is known of it is its digest, which is the store's business,
//! and its last characters, by which a person tells keys apart.

use url::{Origin, Url};

use super::scope::{Scope, Scopes};

/// The longest name of a key, in characters.
pub const LONGEST_NAME: usize = 80;
/// The most origins of a publishable key.
pub const MOST_ORIGINS: usize = 20;
/// How long a rotated key still works if nothing is said.
pub const DEFAULT_OVERLAP_MS: i64 = 24 * 60 * 60 * 1000;
/// How long it may at most.
pub const LONGEST_OVERLAP_MS: i64 = 30 * 24 * 60 * 60 * 1000;
/// How exactly it is known when a key was last used: finer would cost a write for each request.
pub const USE_NOTED_EVERY_MS: i64 = 10 * 60 * 1000;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// For servers: does what its scopes say.
    Secret,
    /// For browsers: confirms a checkout, or reads its status, for whoever has that checkout's own
    /// secret. Everybody may see the key.
    Publishable,
}

impl Kind {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Secret => "secret",
            Self::Publishable => "publishable",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Secret, Self::Publishable].into_iter().find(|kind| kind.name() == name)
    }

    /// What keys of this kind start with.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Secret => "kassa_sk_",
            Self::Publishable => "kassa_pk_",
        }
    }
}

/// A key, without the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its id.
    pub id: String,
    /// The store it belongs to.
    pub store_id: String,
    /// What it is for.
    pub kind: Kind,
    /// What people call it.
    pub name: String,
    /// The last characters of the key.
    pub hint: String,
    /// What it may do; nothing for a publishable key.
    pub scopes: Scopes,
    /// From which pages a publishable key may be used.
    pub origins: Vec<String>,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at_ms: i64,
    /// When it ends by itself.
    pub expires_at_ms: Option<i64>,
    /// When it was ended.
    pub revoked_at_ms: Option<i64>,
    /// When it was last used, to within ten minutes.
    pub last_used_at_ms: Option<i64>,
    /// The key that takes its place.
    pub replaced_by: Option<String>,
}

/// Whether a key works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It does.
    Active,
    /// Its time is over.
    Expired,
    /// Somebody ended it.
    Revoked,
}

impl Standing {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// What is wrong with what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// A member is not as it must be.
    #[error("{member}: {why}")]
    Member {
        /// Which.
        member: &'static str,
        /// Why, and what would have worked.
        why: String,
    },
    /// More is asked for than the asker may do.
    #[error("a key cannot be given more than its maker may do: {missing}")]
    TooPowerful {
        /// What the asker lacks.
        missing: String,
    },
    /// The key works no more.
    #[error("the key is {} and cannot be rotated", .0.name())]
    Over(Standing),
    /// It was rotated before.
    #[error("the key was rotated already: {0} takes its place")]
    Replaced(String),
}

fn member(member: &'static str, why: impl Into<String>) -> Rejection {
    Rejection::Member { member, why: why.into() }
}

/// What is asked of a new key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// What it may do.
    pub scopes: Vec<String>,
    /// From which pages it may be used.
    pub origins: Vec<String>,
    /// When it ends by itself.
    pub expires_at_ms: Option<i64>,
}

/// What a new key is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// What people call it.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// What it may do.
    pub scopes: Scopes,
    /// From which pages it may be used.
    pub origins: Vec<String>,
    /// When it ends by itself.
    pub expires_at_ms: Option<i64>,
}

impl Wish {
    /// What it comes to, if whoever asks may do `own`.
    pub fn grant(self, own: Scopes, now_ms: i64) -> Result<Grant, Rejection> {
        let name = self.name.trim().to_owned();
        let length = name.chars().count();
        if !(1..=LONGEST_NAME).contains(&length) || name.chars().any(char::is_control) {
            return Err(member("name", "give a name of 1 to 80 printable characters"));
        }
        if self.expires_at_ms.is_some_and(|at_ms| at_ms <= now_ms) {
            return Err(member("expires_at", "give a time that is still to come"));
        }
        let (scopes, origins) = match self.kind {
            Kind::Secret => (scopes(&self.scopes)?, none("origins", &self.origins)?),
            Kind::Publishable => {
                none("scopes", &self.scopes)?;
                (Scopes::default(), origins(&self.origins)?)
            }
        };
        if !own.covers(scopes) {
            let missing: Vec<_> =
                scopes.iter().filter(|scope| !own.has(*scope)).map(Scope::name).collect();
            return Err(Rejection::TooPowerful { missing: missing.join(", ") });
        }
        Ok(Grant { name, kind: self.kind, scopes, origins, expires_at_ms: self.expires_at_ms })
    }
}

fn none(name: &'static str, given: &[String]) -> Result<Vec<String>, Rejection> {
    if given.is_empty() {
        return Ok(Vec::new());
    }
    Err(member(
        name,
        "a secret key has scopes and no origins, a publishable key origins and no scopes",
    ))
}

fn scopes(names: &[String]) -> Result<Scopes, Rejection> {
    if names.is_empty() {
        return Err(member("scopes", "name at least one scope"));
    }
    names
        .iter()
        .map(|name| {
            Scope::from_name(name).ok_or_else(|| {
                let known = Scope::ALL.map(Scope::name).join(", ");
                member("scopes", format!("not a scope stands among them; known: {known}"))
            })
        })
        .collect()
}

fn origins(given: &[String]) -> Result<Vec<String>, Rejection> {
    if given.is_empty() || given.len() > MOST_ORIGINS {
        return Err(member("origins", "name 1 to 20 origins, such as https://shop.example"));
    }
    let mut origins: Vec<String> =
        given.iter().map(|text| origin(text)).collect::<Result<_, _>>()?;
    origins.sort();
    origins.dedup();
    Ok(origins)
}

/// An origin as browsers write it. Without TLS only on the machine itself.
fn origin(text: &str) -> Result<String, Rejection> {
    let wrong = || {
        member(
            "origins",
            "an origin is scheme, host and port and nothing more, such as https://shop.example; \
             http is for localhost only",
        )
    };
    let url = Url::parse(text.trim()).map_err(|_| wrong())?;
    let bare = url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    let safe = match url.scheme() {
        "https" => true,
        "http" => matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]")),
        _ => false,
    };
    match url.origin() {
        origin @ Origin::Tuple(..) if bare && safe => Ok(origin.ascii_serialization()),
        Origin::Tuple(..) | Origin::Opaque(_) => Err(wrong()),
    }
}

impl Key {
    /// Whether it works now.
    pub fn standing(&self, now_ms: i64) -> Standing {
        if self.revoked_at_ms.is_some() {
            Standing::Revoked
        } else if self.expires_at_ms.is_some_and(|at_ms| at_ms <= now_ms) {
            Standing::Expired
        } else {
            Standing::Active
        }
    }

    /// Whether it is worth a write that it is used now.
    pub fn use_is_news(&self, now_ms: i64) -> bool {
        self.last_used_at_ms.is_none_or(|at_ms| now_ms - at_ms >= USE_NOTED_EVERY_MS)
    }

    /// What takes its place, with as long a life before it, and when this one ends: after the
    /// overlap, or earlier if it would have.
    pub fn rotate(
        &self,
        own: Scopes,
        overlap_ms: i64,
        now_ms: i64,
    ) -> Result<(Grant, i64), Rejection> {
        if let Some(other) = &self.replaced_by {
            return Err(Rejection::Replaced(other.clone()));
        }
        let standing = self.standing(now_ms);
        if standing != Standing::Active {
            return Err(Rejection::Over(standing));
        }
        if !(0..=LONGEST_OVERLAP_MS).contains(&overlap_ms) {
            return Err(member("overlap_seconds", "0 to 2592000 (30 days) are allowed"));
        }
        if !own.covers(self.scopes) {
            let missing: Vec<_> =
                self.scopes.iter().filter(|scope| !own.has(*scope)).map(Scope::name).collect();
            let missing =
                if missing.is_empty() { "every scope".to_owned() } else { missing.join(", ") };
            return Err(Rejection::TooPowerful { missing });
        }
        let ends_at_ms = now_ms.saturating_add(overlap_ms);
        let ends_at_ms = self.expires_at_ms.map_or(ends_at_ms, |at_ms| at_ms.min(ends_at_ms));
        let grant = Grant {
            name: self.name.clone(),
            kind: self.kind,
            scopes: self.scopes,
            origins: self.origins.clone(),
            expires_at_ms: self
                .expires_at_ms
                .map(|at_ms| now_ms.saturating_add(at_ms.saturating_sub(self.created_at_ms))),
        };
        Ok((grant, ends_at_ms))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wish() -> Wish {
        Wish {
            name: "Shop".to_owned(),
            kind: Kind::Secret,
            scopes: vec!["payments:read".to_owned()],
            origins: Vec::new(),
            expires_at_ms: None,
        }
    }

    fn key() -> Key {
        Key {
            id: "key_1".to_owned(),
            store_id: "default".to_owned(),
            kind: Kind::Secret,
            name: "Shop".to_owned(),
            hint: "abcd".to_owned(),
            scopes: [Scope::PaymentsRead].into_iter().collect(),
            origins: Vec::new(),
            created_by: "eva".to_owned(),
            created_at_ms: 0,
            expires_at_ms: None,
            revoked_at_ms: None,
            last_used_at_ms: None,
            replaced_by: None,
        }
    }

    #[track_caller]
    fn refused(change: impl FnOnce(&mut Wish), said: &str) {
        let mut wish = wish();
        change(&mut wish);
        let own = [Scope::PaymentsRead, Scope::KeysManage].into_iter().collect();
        let error = wish.grant(own, 1_000).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }

    #[test]
    fn a_wish_is_granted_or_refused_with_what_would_have_worked() {
        assert_eq!(wish().grant(Scopes::everything(), 0).unwrap().name, "Shop");
        refused(|wish| wish.name = " ".to_owned(), "name");
        refused(|wish| wish.name = "x".repeat(81), "name");
        refused(|wish| wish.name = "a\nb".to_owned(), "name");
        refused(|wish| wish.scopes.clear(), "at least one");
        refused(|wish| wish.scopes = vec!["payments".to_owned()], "known: checkouts:write");
        refused(|wish| wish.scopes.push("stores:manage".to_owned()), "stores:manage");
        refused(|wish| wish.expires_at_ms = Some(1_000), "still to come");
        refused(|wish| wish.origins.push("https://shop.example".to_owned()), "origins");
        refused(|wish| wish.kind = Kind::Publishable, "no scopes");
    }

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        let read = |text: &str| origin(text).ok();
        assert_eq!(read("https://Shop.example:443/"), Some("https://shop.example".to_owned()));
        assert_eq!(read("http://localhost:7070"), Some("http://localhost:7070".to_owned()));
        for bad in [
            "http://shop.example",
            "https://shop.example/cart",
            "https://shop.example?x",
            "https://eva@shop.example",
            "shop.example",
            "*",
            "null",
            "data:text/html,x",
        ] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_key_ends_in_one_of_two_ways() {
        let mut key = key();
        assert_eq!(key.standing(5), Standing::Active);
        key.expires_at_ms = Some(10);
        assert_eq!((key.standing(9), key.standing(10)), (Standing::Active, Standing::Expired));
        key.revoked_at_ms = Some(1);
        assert_eq!(key.standing(0), Standing::Revoked);
    }

    #[test]
    fn only_who_may_do_as_much_rotates_a_key_and_only_once() {
        let mut key = key();
        let own: Scopes = [Scope::KeysManage].into_iter().collect();
        assert!(matches!(key.rotate(own, 0, 0), Err(Rejection::TooPowerful { .. })));
        let all = Scopes::everything();
        assert!(matches!(key.rotate(all, -1, 0), Err(Rejection::Member { .. })));
        key.replaced_by = Some("key_2".to_owned());
        assert_eq!(key.rotate(all, 0, 0), Err(Rejection::Replaced("key_2".to_owned())));
        key.replaced_by = None;
        key.revoked_at_ms = Some(0);
        assert_eq!(key.rotate(all, 0, 0), Err(Rejection::Over(Standing::Revoked)));
    }

    proptest! {
        #[test]
        fn rotation_lengthens_no_life_and_gives_the_next_key_as_long_a_one(
            now_ms in 0_i64..1_000_000, overlap_ms in 0..=LONGEST_OVERLAP_MS, life in 1_i64..1_000_000,
        ) {
            let mut key = key();
            key.expires_at_ms = Some(now_ms + life);
            let (grant, ends_at_ms) = key.rotate(Scopes::everything(), overlap_ms, now_ms).unwrap();
            prop_assert!(ends_at_ms <= now_ms + life && ends_at_ms <= now_ms + overlap_ms);
            prop_assert_eq!(grant.expires_at_ms, Some(now_ms + now_ms + life));
            prop_assert_eq!(grant.scopes, key.scopes);
        }
    }
}
