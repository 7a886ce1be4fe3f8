//! Whom to call, and as whom: a playground found by itself, or one of Klarna's own systems; credentials from
//! the environment, from a protected file, or as `kassa playground` left them in the data directory.
//!
//! Credentials are never an argument: command lines can be read by others on the same machine.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use klarna::types::secret::Secret;
use klarna::{Client, ClientBuilder, Credentials, Environment, Region};
use serde::Deserialize;
use url::Url;

use crate::cli::{MerchantSpec, web_url};
use crate::credentials::Credentials as MadeUp;
use crate::file::File;
use crate::settings::{self, PLAYGROUND_PORT};
use crate::tool::failure::Failure;

/// Where the playground is.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct PlaygroundArgs {
    /// Where the playground is [default: http://localhost:7072, or as kassa.toml says]
    #[arg(long, global = true, env = "KASSA_PLAYGROUND_URL", value_name = "URL", value_parser = web_url)]
    pub(crate) playground_url: Option<Url>,
    /// A file with its control token, if it asks for one; or put the token in KASSA_CONTROL_TOKEN
    #[arg(long, global = true, env = "KASSA_CONTROL_TOKEN_FILE", value_name = "FILE")]
    pub(crate) control_token_file: Option<PathBuf>,
}

/// As whom.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct MerchantArgs {
    /// A file with credentials, readable by you alone: lines `username = "…"` and `password = "…"`, or
    /// `api-key = "…"` [default: KASSA_KLARNA_USERNAME and KASSA_KLARNA_PASSWORD, or
    /// KASSA_KLARNA_API_KEY; else those of the playground in the data directory]
    #[arg(long, env = "KASSA_KLARNA_CREDENTIALS", value_name = "FILE")]
    pub(crate) credentials: Option<PathBuf>,
    /// Where `kassa playground` keeps its test merchant [default: ./kassa-data]
    #[arg(long, env = "KASSA_DATA_DIR", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

/// Which of Klarna's own systems.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct KlarnaArgs {
    /// Call Klarna's live system, where money moves; needs --region, and asks before it changes anything
    #[arg(long)]
    pub(crate) live: bool,
    /// Call Klarna's own system of this region, whatever playground there is: its test system, or with
    /// --live the live one
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<RegionArg>,
    /// Do not ask
    #[arg(long)]
    pub(crate) yes: bool,
}

/// Klarna's regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RegionArg {
    /// Europe
    Eu,
    /// North America
    Na,
    /// Oceania
    Oc,
}

impl From<RegionArg> for Region {
    fn from(region: RegionArg) -> Self {
        match region {
            RegionArg::Eu => Self::Europe,
            RegionArg::Na => Self::NorthAmerica,
            RegionArg::Oc => Self::Oceania,
        }
    }
}

/// Whom a call goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// A playground of ours.
    Playground(Url),
    /// One of Klarna's own systems.
    Klarna(Region, Environment),
}

impl Target {
    /// As the flags say.
    pub(crate) fn of(
        playground: &PlaygroundArgs,
        klarna: &KlarnaArgs,
        file: &File,
    ) -> Result<Self, Failure> {
        match klarna.region {
            Some(region) if klarna.live => Ok(Self::Klarna(region.into(), Environment::Live)),
            Some(region) => Ok(Self::Klarna(region.into(), Environment::Playground)),
            None if klarna.live => {
                Err(Failure::usage("it has to be said which of Klarna's live systems is meant")
                    .remedy("--region eu, --region na or --region oc"))
            }
            None => Ok(Self::Playground(playground_url(playground, file)?)),
        }
    }

    /// Its base URL, without a slash at its end.
    pub(crate) fn base_url(&self) -> &str {
        match self {
            Self::Playground(url) => url.as_str().trim_end_matches('/'),
            Self::Klarna(region, environment) => {
                region.base_url(*environment).trim_end_matches('/')
            }
        }
    }

    /// Whether what is changed here is changed for real.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self, Self::Klarna(_, Environment::Live))
    }

    /// A client for it.
    pub(crate) fn client(&self, merchant: &Merchant) -> Result<ClientBuilder, Failure> {
        self.check(merchant)?;
        let builder = Client::builder(merchant.credentials()).user_agent("kassa");
        match self {
            Self::Playground(url) => builder
                .base_url(url.as_str())
                .map_err(|error| Failure::usage(format!("--playground-url: {error}"))),
            Self::Klarna(region, environment) => Ok(builder.region(*region, *environment)),
        }
    }

    /// Klarna's API keys say for which of its systems they are.
    fn check(&self, merchant: &Merchant) -> Result<(), Failure> {
        let password = merchant.password.expose();
        let wrong = if self.is_live() {
            password.starts_with("klarna_test_api_").then_some("a test key, and --live was given")
        } else {
            password
                .starts_with("klarna_live_api_")
                .then_some("a live key, and --live was not given")
        };
        match wrong {
            Some(wrong) => Err(Failure::usage(format!("the credentials have {wrong}"))
                .remedy("give the key of the system that you call")),
            None => Ok(()),
        }
    }
}

/// Where the playground is.
pub(crate) fn playground_url(args: &PlaygroundArgs, file: &File) -> Result<Url, Failure> {
    if let Some(url) = args.playground_url.clone().or_else(|| file.playground.public_url.clone()) {
        return Ok(url);
    }
    let port = file
        .playground
        .listen
        .map(|address| address.port())
        .filter(|port| *port != 0)
        .unwrap_or(PLAYGROUND_PORT);
    settings::localhost(port).map_err(|error| Failure::usage(error.to_string()))
}

/// The playground's control token, if there is one.
pub(crate) fn control_token(args: &PlaygroundArgs, file: &File) -> Result<Option<Secret>, Failure> {
    if let Some(path) = &args.control_token_file {
        let text = read_protected(path)?;
        return Ok(Some(Secret::from(text.trim().to_owned())));
    }
    Ok(variable("KASSA_CONTROL_TOKEN")
        .map(Secret::from)
        .or_else(|| file.playground.control_token.clone()))
}

/// Who calls.
#[derive(Debug, Clone)]
#[allow(clippy::struct_field_names, reason = "Klarna's name for it")]
pub(crate) struct Merchant {
    pub(crate) username: String,
    pub(crate) password: Secret,
    pub(crate) merchant_id: Option<String>,
}

impl Merchant {
    /// As the flags, the environment and the files say.
    pub(crate) fn of(args: &MerchantArgs, target: &Target, file: &File) -> Result<Self, Failure> {
        if let Some(path) = &args.credentials {
            return Self::read(path);
        }
        if let Some(merchant) = Self::of_environment()? {
            return Ok(merchant);
        }
        let none = Failure::usage("there are no credentials for Klarna's API");
        if let Target::Klarna(..) = target {
            return Err(none.remedy(
                "put them in KASSA_KLARNA_USERNAME and KASSA_KLARNA_PASSWORD, or an API key in \
                 KASSA_KLARNA_API_KEY, or name a file with --credentials (in the merchant portal: \
                 Settings, Klarna API keys)",
            ));
        }
        // As the playground itself would have been told.
        let given = variable("KASSA_MERCHANT")
            .and_then(|text| text.split(',').next()?.parse::<MerchantSpec>().ok())
            .or_else(|| file.merchant.first().cloned());
        if let Some(merchant) = given {
            return Ok(Self {
                username: merchant.username,
                password: merchant.password,
                merchant_id: Some(merchant.merchant_id),
            });
        }
        let directory = settings::data_dir(args.data_dir.as_deref(), file);
        match MadeUp::load(&directory).map_err(|error| Failure::failed(error.to_string()))? {
            Some(MadeUp { merchant: Some(given), .. }) => Ok(Self {
                username: given.username,
                password: given.password,
                merchant_id: Some(given.merchant_id),
            }),
            Some(made_up) => Ok(Self {
                username: made_up.username,
                password: made_up.password,
                merchant_id: Some(made_up.merchant_id),
            }),
            None => Err(none.detail("looked_in", directory.display().to_string()).remedy(format!(
                "name the directory of the playground with --data-dir ({} has none); or, if it keeps \
                 nothing on disk, put its merchant in KASSA_MERCHANT, as in \
                 KASSA_MERCHANT=K1=user:password",
                directory.display()
            ))),
        }
    }

    fn of_environment() -> Result<Option<Self>, Failure> {
        let merchant_id = variable("KASSA_KLARNA_MERCHANT_ID");
        let username = variable("KASSA_KLARNA_USERNAME");
        let password =
            variable("KASSA_KLARNA_API_KEY").or_else(|| variable("KASSA_KLARNA_PASSWORD"));
        match (username, password) {
            (username, Some(password)) => Ok(Some(Self {
                username: username.unwrap_or_default(),
                password: password.into(),
                merchant_id,
            })),
            (Some(_), None) => {
                Err(Failure::usage("KASSA_KLARNA_USERNAME is set, and its password is not")
                    .remedy("put the password in KASSA_KLARNA_PASSWORD"))
            }
            (None, None) => Ok(None),
        }
    }

    fn read(path: &Path) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "kebab-case")]
        struct Form {
            #[serde(default)]
            username: String,
            password: Option<Secret>,
            #[serde(alias = "api_key")]
            api_key: Option<Secret>,
            #[serde(alias = "merchant_id")]
            merchant_id: Option<String>,
        }
        let text = read_protected(path)?;
        // Not the parser's own words: they may repeat a password.
        let form: Option<Form> = toml::from_str(&text).ok();
        let password =
            form.as_ref().and_then(|form| form.api_key.clone().or(form.password.clone()));
        match (form, password) {
            (Some(form), Some(password)) => {
                Ok(Self { username: form.username, password, merchant_id: form.merchant_id })
            }
            _ => Err(Failure::usage(format!("{} holds no credentials", path.display())).remedy(
                "write the lines `username = \"…\"` and `password = \"…\"`, or `api-key = \"…\"`",
            )),
        }
    }

    /// For the SDK.
    pub(crate) fn credentials(&self) -> Credentials {
        let credentials = Credentials::new(self.username.clone(), self.password.clone());
        match &self.merchant_id {
            Some(merchant_id) => credentials.of_merchant(merchant_id.as_str()),
            None => credentials,
        }
    }

    /// Whose they are, as far as it is known.
    pub(crate) fn merchant_id(&self) -> Option<String> {
        self.credentials().merchant_id().map(ToString::to_string)
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.trim().is_empty())
}

/// Reads a file with a secret in it, unless others could read it, too.
fn read_protected(path: &Path) -> Result<String, Failure> {
    let cannot =
        |error: std::io::Error| Failure::usage(format!("cannot read {}: {error}", path.display()));
    let mut file = std::fs::File::open(path).map_err(cannot)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file.metadata().map_err(cannot)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(Failure::usage(format!(
                "others can read or write {} (mode {mode:03o}), and there is a secret in it",
                path.display()
            ))
            .remedy(format!("chmod 600 {}", path.display())));
        }
    }
    let mut text = String::new();
    std::io::Read::read_to_string(&mut file, &mut text).map_err(cannot)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merchant(password: &str) -> Merchant {
        Merchant {
            username: String::new(),
            password: Secret::from(password.to_owned()),
            merchant_id: None,
        }
    }

    #[test]
    fn a_key_is_only_sent_to_its_own_system() {
        let live = Target::Klarna(Region::Europe, Environment::Live);
        let test = Target::Klarna(Region::Europe, Environment::Playground);
        let ours = Target::Playground(settings::localhost(1).unwrap());
        for (target, password, fits) in [
            (&live, "klarna_live_api_x", true),
            (&live, "klarna_test_api_x", false),
            (&test, "klarna_live_api_x", false),
            (&test, "klarna_test_api_x", true),
            (&ours, "klarna_live_api_x", false),
            (&ours, "anything", true),
        ] {
            assert_eq!(target.client(&merchant(password)).is_ok(), fits, "{target:?} {password}");
        }
    }

    #[test]
    fn the_playground_is_where_the_file_has_it() {
        let mut file = File::default();
        let url =
            |file: &File| playground_url(&PlaygroundArgs::default(), file).unwrap().to_string();
        assert_eq!(url(&file), "http://localhost:7072/");
        file.playground.listen = Some(settings::loopback(9000));
        assert_eq!(url(&file), "http://localhost:9000/");
        file.playground.public_url = Some(Url::parse("http://playground:1").unwrap());
        assert_eq!(url(&file), "http://playground:1/");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("klarna.toml");
        std::fs::write(&path, "username = 'K1_x'\npassword = 'hunter2'\n").unwrap();
        for mode in [0o644, 0o640, 0o604, 0o620] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let failure = Merchant::read(&path).unwrap_err();
            assert_eq!(failure.exit_status(), 2);
            assert!(failure.page().contains("chmod 600"), "{}", failure.page());
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let merchant = Merchant::read(&path).unwrap();
        assert_eq!(merchant.password.expose(), "hunter2");
        assert_eq!(merchant.merchant_id().as_deref(), Some("K1"));
        std::fs::write(&path, "username = 'K1_x'\npasswort = 'hunter2'\n").unwrap();
        let failure = Merchant::read(&path).unwrap_err();
        assert!(!failure.page().contains("hunter2"), "{}", failure.page());
    }
}
