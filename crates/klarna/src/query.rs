//! Query strings, and the one rule about URLs that Klarna hands out: what they ask for is asked of the client's own
//! host, so that credentials never go anywhere else.

use url::Url;
use url::form_urlencoded::Serializer;

/// Names and values, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Query(Vec<(&'static str, String)>);

impl Query {
    /// Adds a value.
    pub(crate) fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// Adds a value if there is one.
    pub(crate) fn maybe<V: ToString>(self, name: &'static str, value: Option<V>) -> Self {
        match value {
            Some(value) => self.set(name, value.to_string()),
            None => self,
        }
    }

    /// Adds one value after the other under the same name.
    pub(crate) fn each<V: ToString>(self, name: &'static str, values: &[V]) -> Self {
        values.iter().fold(self, |query, value| query.set(name, value.to_string()))
    }

    /// Replaces all values of a name.
    pub(crate) fn replace(self, name: &'static str, value: &str) -> Self {
        self.without(name).set(name, value)
    }

    /// Takes a name out.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| *known != name);
        self
    }

    /// Puts it behind a path.
    pub(crate) fn on(&self, path: &str) -> String {
        if self.0.is_empty() {
            return path.to_owned();
        }
        let mut serializer = Serializer::for_suffix(format!("{path}?"), path.len() + 1);
        serializer.extend_pairs(&self.0);
        serializer.finish()
    }
}

impl From<Vec<(&'static str, String)>> for Query {
    fn from(pairs: Vec<(&'static str, String)>) -> Self {
        Self(pairs)
    }
}

/// Adds a parameter to a path that may have a query already.
pub(crate) fn append(path: &mut String, name: &str, value: &str) {
    path.push(if path.contains('?') { '&' } else { '?' });
    let start = path.len();
    let mut serializer = Serializer::for_suffix(std::mem::take(path), start);
    serializer.append_pair(name, value);
    *path = serializer.finish();
}

/// The path and query of a URL that an answer names, below the client's base.
///
/// The host that stands in it does not matter, since the call goes to the client's own. The path has to be the one that
/// is expected, else `None`.
pub(crate) fn below(base: &str, link: &str, expected: &str) -> Option<String> {
    let base = Url::parse(base).ok()?;
    let link = base.join(link).ok()?;
    let prefix = base.path().trim_end_matches('/');
    let path = link.path();
    // Behind a proxy, Klarna does not know of the prefix.
    let path = path
        .strip_prefix(prefix)
        .filter(|path| *path == expected)
        .or_else(|| (path == expected).then_some(path))?;
    Some(match link.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_escaped_and_keep_their_order() {
        let query = Query::default()
            .set("currency_code", "SEK")
            .maybe("size", Some(20))
            .maybe("offset", None::<u64>)
            .each("state", &["A&B", "C D"]);
        assert_eq!(query.on("/a"), "/a?currency_code=SEK&size=20&state=A%26B&state=C+D");
        assert_eq!(query.without("state").without("size").on("/a"), "/a?currency_code=SEK");
        assert_eq!(Query::default().on("/a"), "/a");
    }

    #[test]
    fn links_are_followed_on_our_own_host_only() {
        let below = |base: &str, link: &str| below(base, link, "/settlements/v1/payouts");
        let base = "https://api.klarna.com";
        for (base, link, expected) in [
            (base, "https://api.klarna.com/settlements/v1/payouts?offset=20", Some("?offset=20")),
            (base, "/settlements/v1/payouts?offset=20", Some("?offset=20")),
            (base, "http://localhost:7072/settlements/v1/payouts?offset=20", Some("?offset=20")),
            (base, "https://evil.example/settlements/v1/payouts?a=b", Some("?a=b")),
            (base, "https://api.klarna.com/settlements/v1/payouts", Some("")),
            (
                "https://proxy/klarna",
                "https://proxy/klarna/settlements/v1/payouts?a=b",
                Some("?a=b"),
            ),
            (
                "https://proxy/klarna",
                "https://api.klarna.com/settlements/v1/payouts?a=b",
                Some("?a=b"),
            ),
            (base, "https://api.klarna.com/settlements/v1/payouts/../transactions", None),
            (base, "https://api.klarna.com/ordermanagement/v1/orders?x", None),
            (base, "javascript:alert(1)", None),
            (base, "https://[", None),
        ] {
            let expected = expected.map(|query| format!("/settlements/v1/payouts{query}"));
            assert_eq!(below(base, link), expected, "{base} {link}");
        }
    }
}
