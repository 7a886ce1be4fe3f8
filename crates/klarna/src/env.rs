//! A client as environment variables say. The variables are given by a function, so that tests need no environment.

use klarna_types::{Environment, Region, Secret};

use crate::client::{BuildError, Client};
use crate::credentials::Credentials;

/// Builds the client; a variable that is empty counts as absent.
pub(crate) fn client(variable: impl Fn(&str) -> Option<String>) -> Result<Client, BuildError> {
    let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
    let wrong = |name: &'static str, detail: &str| BuildError::Environment {
        variable: name,
        detail: detail.to_owned(),
    };
    let password = variable("KLARNA_PASSWORD").map(Secret::new);
    let mut credentials = match (variable("KLARNA_API_KEY"), variable("KLARNA_USERNAME")) {
        (None, None) => {
            return Err(wrong("KLARNA_USERNAME", "neither this nor KLARNA_API_KEY is set"));
        }
        (None, Some(username)) => match password {
            Some(password) => Credentials::new(username, password),
            None => return Err(wrong("KLARNA_PASSWORD", "it is not set, but KLARNA_USERNAME is")),
        },
        (Some(key), None) => Credentials::api_key(key),
        (Some(key), Some(username)) => Credentials::new(username, key),
    };
    if let Some(merchant_id) = variable("KLARNA_MERCHANT_ID") {
        credentials = credentials.of_merchant(merchant_id);
    }
    let region = match variable("KLARNA_REGION").as_deref() {
        None | Some("europe" | "eu") => Region::Europe,
        Some("north-america" | "na") => Region::NorthAmerica,
        Some("oceania" | "oc") => Region::Oceania,
        Some(_) => {
            return Err(wrong("KLARNA_REGION", "it is not europe, north-america or oceania"));
        }
    };
    let environment = match variable("KLARNA_ENVIRONMENT").as_deref() {
        None | Some("playground") => Environment::Playground,
        Some("live") => Environment::Live,
        Some(_) => return Err(wrong("KLARNA_ENVIRONMENT", "it is not playground or live")),
    };
    let mut builder = Client::builder(credentials).region(region, environment);
    if let Some(url) = variable("KLARNA_BASE_URL") {
        builder = builder.base_url(&url)?;
    }
    if let Some(path) = variable("KLARNA_CA_FILE") {
        let pem = std::fs::read(path)
            .map_err(|error| wrong("KLARNA_CA_FILE", &format!("it cannot be read: {error}")))?;
        builder = builder.root_certificates_pem(&pem)?;
    }
    builder.build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(variables: &[(&str, &str)]) -> Result<String, String> {
        client(|name| {
            let (_, value) = variables.iter().find(|(known, _)| *known == name)?;
            Some((*value).to_owned())
        })
        .map(|client| client.base_url().to_owned())
        .map_err(|error| error.to_string())
    }

    #[test]
    fn what_the_environment_says() {
        let user = ("KLARNA_USERNAME", "K1_a");
        let password = ("KLARNA_PASSWORD", "p");
        let key = ("KLARNA_API_KEY", "klarna_test_api_x");
        for (variables, expected) in [
            (vec![user, password], Ok("https://api.playground.klarna.com")),
            (vec![key], Ok("https://api.playground.klarna.com")),
            (vec![key, ("KLARNA_REGION", "oceania")], Ok("https://api-oc.playground.klarna.com")),
            (
                vec![key, ("KLARNA_REGION", "na"), ("KLARNA_ENVIRONMENT", "live")],
                Ok("https://api-na.klarna.com"),
            ),
            (vec![key, ("KLARNA_BASE_URL", "http://localhost:7072/")], Ok("http://localhost:7072")),
            (vec![key, ("KLARNA_BASE_URL", "")], Ok("https://api.playground.klarna.com")),
            (vec![key, ("KLARNA_BASE_URL", "x")], Err("the base URL cannot be used")),
            (vec![], Err("KLARNA_USERNAME: neither this nor KLARNA_API_KEY is set")),
            (vec![user], Err("KLARNA_PASSWORD: it is not set, but KLARNA_USERNAME is")),
            (
                vec![key, ("KLARNA_REGION", "mars")],
                Err("KLARNA_REGION: it is not europe, north-america or oceania"),
            ),
            (
                vec![key, ("KLARNA_ENVIRONMENT", "test")],
                Err("KLARNA_ENVIRONMENT: it is not playground or live"),
            ),
        ] {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(built(&variables), expected, "{variables:?}");
        }
        let error = built(&[key, ("KLARNA_CA_FILE", "/nowhere/at/all")]).unwrap_err();
        assert!(error.starts_with("KLARNA_CA_FILE: it cannot be read"), "{error}");
    }
}
