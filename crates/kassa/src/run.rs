//! Starting the parts, waiting for the end, stopping them in order.

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use gateway::vault::{MasterKey, Vault};
use klarna::types::secret::Secret;
use service::SystemClock;
use service::http::{HttpClient, Limits};
use storage::Location;
use url::Url;

use crate::cli::{
    CheckoutWay, Cli, Command, GatewayAction, GatewayArgs, HookArgs, KlarnaSideArgs, MerchantSpec,
    PlaygroundArgs, ShopArgs, UpArgs,
};
use crate::credentials::Credentials;
use crate::doors::Doors;
use crate::file::File;
use crate::master_key::{self, MakeUp, Source};
use crate::report::{ControlAccess, Output, Ready, ReadyCredentials, ReadyMerchant, Urls};
use crate::settings::{self, GATEWAY_PORT, Home, PLAYGROUND_PORT, SHOP_PORT, loopback};
use crate::{keep, operator};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Does what the command line says; returns when it is done.
pub(crate) async fn run(cli: Cli, file: &File, output: Output) -> Outcome<()> {
    let cli = match cli.command {
        Command::Gateway(mut args) if args.action.is_some() => {
            return match args.action.take() {
                Some(GatewayAction::RotateKey) => rotate_key(args, file, output).await,
                Some(GatewayAction::Reconcile) => keep::reconcile(args, file, output).await,
                Some(GatewayAction::Keys { command }) => {
                    operator::keys(args, command, file, output).await
                }
                Some(GatewayAction::Users { command }) => {
                    operator::users(args, command, file, output).await
                }
                None => Ok(()),
            };
        }
        Command::Backup(args) => {
            return keep::back_up(args, file, output).await;
        }
        Command::Restore(args) => {
            return keep::restore(args, file, output).await;
        }
        command => Cli { command, ..cli },
    };
    // Listened for from the very beginning: whoever reads "ready" may ask for the end at once.
    let mut stop = StopSignals::listen()?;
    let parts = tokio::select! {
        parts = start(cli, file, output) => parts?,
        () = stop.next() => return Ok(()),
    };
    stop.next().await;
    output.stopping();
    tokio::select! {
        () = parts.stop() => {}
        () = stop.next() => {
            return Err("stopped at once, since it was asked for twice".into());
        }
    }
    output.stopped();
    Ok(())
}

async fn start(cli: Cli, file: &File, output: Output) -> Outcome<Parts> {
    match cli.command {
        Command::Up(args) => up(args, file, output).await,
        Command::Playground(args) => playground_alone(args, file, output).await,
        Command::Gateway(args) => gateway_alone(args, file, output).await,
        Command::Shop(args) => shop_alone(args, file, output).await,
        // Answered before anything is started.
        Command::Tool(_)
        | Command::Backup(_)
        | Command::Restore(_)
        | Command::Config(_)
        | Command::Completions { .. } => Err("this command starts nothing".into()),
    }
}

/// What runs. They are stopped from the shopper's side inwards, so that nobody's calls fail.
#[derive(Default)]
struct Parts {
    shop: Option<shop::Running>,
    gateway: Option<gateway::Running>,
    playground: Option<playground::Running>,
    /// What must last as long as the playground.
    doors: Doors,
}

impl Parts {
    async fn stop(self) {
        if let Some(shop) = self.shop {
            shop.stop().await;
        }
        if let Some(gateway) = self.gateway {
            gateway.stop().await;
        }
        if let Some(playground) = self.playground {
            playground.stop().await;
        }
        drop(self.doors);
    }
}

/// Requests for the end, by the terminal or by the operating system.
pub(crate) struct StopSignals {
    #[cfg(unix)]
    streams: [tokio::signal::unix::Signal; 3],
}

impl StopSignals {
    /// From now on a signal is a request, where it would have ended the program at once.
    pub(crate) fn listen() -> Outcome<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let [interrupt, terminate, hang_up] =
                [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()]
                    .map(signal);
            Ok(Self { streams: [interrupt?, terminate?, hang_up?] })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Returns when the end is asked for (again).
    pub(crate) async fn next(&mut self) {
        #[cfg(unix)]
        {
            let [interrupt, terminate, hang_up] = &mut self.streams;
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hang_up.recv() => {}
            }
        }
        #[cfg(not(unix))]
        if tokio::signal::ctrl_c().await.is_err() {
            // Nobody can ask; so nobody does.
            std::future::pending::<()>().await;
        }
    }
}

async fn up(args: UpArgs, file: &File, output: Output) -> Outcome<Parts> {
    let home = Home::resolve(&args.data, file);
    let made_up = home.credentials()?;
    let credentials = Credentials {
        api_key: given(args.keys.api_key, file.api_key.as_ref(), &made_up.api_key),
        dashboard_password: given(
            args.keys.dashboard_password,
            file.dashboard_password.as_ref(),
            &made_up.dashboard_password,
        ),
        ..made_up
    };
    let merchants = merchants(&args.klarna_side, file, &credentials);
    home.remember(&merchants)?;
    let mut playground = playground::Playground::start(playground::Config {
        listen: args
            .playground_listen
            .or(file.playground.listen)
            .unwrap_or_else(|| loopback(PLAYGROUND_PORT)),
        public_url: file.playground.public_url.clone(),
        location: home.database("playground"),
        merchants: seeds(&merchants, &args.klarna_side, file),
        rate_limits: rate_limits(&args.klarna_side, file),
        unauthorized: playground::UnauthorizedForm::default(),
        callback_targets: callback_targets(&args.klarna_side, file),
        control_token: file.playground.control_token.clone(),
        clock: SystemClock::shared(),
    })
    .await
    .map_err(hint("--playground-listen"))?;
    let doors = Doors::open(&mut playground, &args.doors, &file.playground, &home).await?;

    let first = merchants.first().ok_or("there is no test merchant")?;
    let location = database(args.database.as_deref(), file, &home)?;
    let vault = master_key(
        args.keys.master_key,
        args.keys.master_key_file,
        file,
        &home,
        &location,
        MakeUp::Always,
    )?
    .vault()?;
    // One world, one time: moving Klarna's clock moves the merchant's too, so that what lapses on one
    // side is renewed on the other.
    let gateway = gateway::Gateway::start(gateway::Config {
        listen: args
            .gateway_listen
            .or(file.gateway.listen)
            .unwrap_or_else(|| loopback(GATEWAY_PORT)),
        public_url: file.gateway.public_url.clone(),
        location,
        vault,
        klarna: gateway::KlarnaConfig {
            base_url: Url::parse(&format!("http://{}", playground.address()))?,
            username: first.username.clone(),
            password: first.password.clone(),
        },
        client_id: playground.client_id(&first.merchant_id),
        script_url: Some(playground.url().join("kp/lib/v1/api.js")?),
        webhook_targets: webhook_targets(&args.hooks, file),
        api_keys: vec![credentials.api_key.clone()],
        earlier_keys: gateway::EarlierKeys::Stay,
        trusted_proxies: file.gateway.trusted_proxies.clone().into(),
        dashboard_password: credentials.dashboard_password.clone(),
        clock: playground.clock(),
        observe: settings::observe(&args.watch, file),
    })
    .await
    .map_err(hint("--gateway-listen"))?;

    let shop = shop::Shop::start(shop::Config {
        listen: args.shop_listen.or(file.shop.listen).unwrap_or_else(|| loopback(SHOP_PORT)),
        public_url: file.shop.public_url.clone(),
        gateway_url: Url::parse(&format!("http://{}", gateway.addr))?,
        gateway_api_key: credentials.api_key.expose().into(),
        session_secret: credentials.session_secret.expose().into(),
        clock: playground.clock(),
        checkout: checkout_way(args.shop_checkout, file),
        klarna_on_pages: shop::KlarnaOnPages::Shown,
    })
    .await
    .map_err(hint("--shop-listen"))?;
    let pages = playground::Pages {
        origins: vec![origin_of(&shop.url)],
        redirect_uris: sign_in_page(&shop.url),
    };
    playground.admit_pages(&first.merchant_id, pages).await?;

    output.ready(&Ready {
        version: env!("CARGO_PKG_VERSION"),
        urls: Urls {
            shop: Some(trimmed(&shop.url)),
            gateway: Some(gateway.url.clone()),
            dashboard: Some(format!("{}/dashboard", gateway.url)),
            playground: Some(trimmed(playground.url())),
            metrics: metrics_url(&gateway),
        },
        credentials: ReadyCredentials {
            merchants: shown(&merchants, &playground),
            gateway_api_key: Some(credentials.api_key.expose().to_owned()),
            dashboard_password: Some(credentials.dashboard_password.expose().to_owned()),
        },
        tls: doors.tls.clone(),
        intercept: doors.intercept.clone(),
        sftp: doors.sftp.clone(),
        control: control_access(&playground, file.playground.control_token.is_some()),
        data_dir: home.directory().map(|directory| directory.display().to_string()),
    });
    Ok(Parts { shop: Some(shop), gateway: Some(gateway), playground: Some(playground), doors })
}

async fn playground_alone(args: PlaygroundArgs, file: &File, output: Output) -> Outcome<Parts> {
    let home = Home::resolve(&args.data, file);
    let merchants = merchants(&args.klarna_side, file, &home.credentials()?);
    home.remember(&merchants)?;
    let control_token = args.control_token.or_else(|| file.playground.control_token.clone());
    let has_token = control_token.is_some();
    let mut playground = playground::Playground::start(playground::Config {
        listen: args
            .listen
            .listen
            .or(file.playground.listen)
            .unwrap_or_else(|| loopback(PLAYGROUND_PORT)),
        public_url: args.listen.public_url.or_else(|| file.playground.public_url.clone()),
        location: home.database("playground"),
        merchants: seeds(&merchants, &args.klarna_side, file),
        rate_limits: rate_limits(&args.klarna_side, file),
        unauthorized: playground::UnauthorizedForm::default(),
        callback_targets: callback_targets(&args.klarna_side, file),
        control_token,
        clock: SystemClock::shared(),
    })
    .await
    .map_err(hint("--listen"))?;
    let doors = Doors::open(&mut playground, &args.doors, &file.playground, &home).await?;
    output.ready(&Ready {
        version: env!("CARGO_PKG_VERSION"),
        urls: Urls { playground: Some(trimmed(playground.url())), ..Urls::default() },
        credentials: ReadyCredentials {
            merchants: shown(&merchants, &playground),
            ..ReadyCredentials::default()
        },
        tls: doors.tls.clone(),
        intercept: doors.intercept.clone(),
        sftp: doors.sftp.clone(),
        control: control_access(&playground, has_token),
        data_dir: home.directory().map(|directory| directory.display().to_string()),
    });
    Ok(Parts { playground: Some(playground), doors, ..Parts::default() })
}

async fn gateway_alone(args: GatewayArgs, file: &File, output: Output) -> Outcome<Parts> {
    let home = Home::resolve(&args.data, file);
    let location = database(args.database.as_deref(), file, &home)?;
    let vault = master_key(
        args.keys.master_key,
        args.keys.master_key_file,
        file,
        &home,
        &location,
        MakeUp::Embedded,
    )?
    .vault()?;
    let made_up = home.credentials()?;
    let klarna_url = args.klarna_url.or_else(|| file.gateway.klarna_url.clone());
    let username = args.klarna_username.or_else(|| file.gateway.klarna_username.clone());
    let password = args.klarna_password.or_else(|| file.gateway.klarna_password.clone());
    // The made-up credential is good for the local playground only.
    let klarna = match (klarna_url, username, password) {
        (base_url, Some(username), Some(password)) => gateway::KlarnaConfig {
            base_url: base_url.map_or_else(|| settings::localhost(PLAYGROUND_PORT), Ok)?,
            username,
            password,
        },
        (None, None, None) => gateway::KlarnaConfig {
            base_url: settings::localhost(PLAYGROUND_PORT)?,
            username: made_up.username.clone(),
            password: made_up.password.clone(),
        },
        (_, username, password) => {
            let missing = match (username.is_some(), password.is_some()) {
                (false, false) => "--klarna-username and --klarna-password",
                (false, true) => "--klarna-username",
                (true, _) => "--klarna-password",
            };
            return Err(format!(
                "Klarna's API needs both parts of a credential: give {missing} too (in the \
                 merchant portal: Settings, Klarna API keys)"
            )
            .into());
        }
    };
    // A key that was made up here says nothing about those of other nodes.
    let earlier_keys = if args.keys.api_key.is_some() || file.api_key.is_some() {
        gateway::EarlierKeys::End
    } else {
        gateway::EarlierKeys::Stay
    };
    let api_key = given(args.keys.api_key, file.api_key.as_ref(), &made_up.api_key);
    let dashboard_password = given(
        args.keys.dashboard_password,
        file.dashboard_password.as_ref(),
        &made_up.dashboard_password,
    );
    let gateway = gateway::Gateway::start(gateway::Config {
        listen: args
            .listen
            .listen
            .or(file.gateway.listen)
            .unwrap_or_else(|| loopback(GATEWAY_PORT)),
        public_url: args.listen.public_url.or_else(|| file.gateway.public_url.clone()),
        location,
        vault,
        klarna,
        client_id: args.klarna_client_id.or_else(|| file.gateway.klarna_client_id.clone()),
        script_url: None,
        webhook_targets: webhook_targets(&args.hooks, file),
        api_keys: vec![api_key.clone()],
        earlier_keys,
        trusted_proxies: if args.trusted_proxies.is_empty() {
            file.gateway.trusted_proxies.clone().into()
        } else {
            args.trusted_proxies.into()
        },
        dashboard_password: dashboard_password.clone(),
        clock: SystemClock::shared(),
        observe: settings::observe(&args.watch, file),
    })
    .await
    .map_err(hint("--listen"))?;
    output.ready(&Ready {
        version: env!("CARGO_PKG_VERSION"),
        urls: Urls {
            gateway: Some(gateway.url.clone()),
            dashboard: Some(format!("{}/dashboard", gateway.url)),
            metrics: metrics_url(&gateway),
            ..Urls::default()
        },
        credentials: ReadyCredentials {
            gateway_api_key: Some(api_key.expose().to_owned()),
            dashboard_password: Some(dashboard_password.expose().to_owned()),
            ..ReadyCredentials::default()
        },
        data_dir: home.directory().map(|directory| directory.display().to_string()),
        ..Ready::default()
    });
    Ok(Parts { gateway: Some(gateway), ..Parts::default() })
}

async fn shop_alone(args: ShopArgs, file: &File, output: Output) -> Outcome<Parts> {
    let home = Home::Directory(settings::data_dir(args.data_dir.as_deref(), file));
    let made_up = home.credentials()?;
    let api_key = given(args.api_key, file.api_key.as_ref(), &made_up.api_key);
    let gateway_url = args.gateway_url.or_else(|| file.shop.gateway_url.clone());
    let gateway_url = gateway_url.map_or_else(|| settings::localhost(GATEWAY_PORT), Ok)?;
    let shop = shop::Shop::start(shop::Config {
        listen: args.listen.listen.or(file.shop.listen).unwrap_or_else(|| loopback(SHOP_PORT)),
        public_url: args.listen.public_url.or_else(|| file.shop.public_url.clone()),
        gateway_url: gateway_url.clone(),
        gateway_api_key: api_key.expose().into(),
        session_secret: made_up.session_secret.expose().into(),
        clock: SystemClock::shared(),
        checkout: checkout_way(args.checkout, file),
        klarna_on_pages: shop::KlarnaOnPages::Shown,
    })
    .await
    .map_err(hint("--listen"))?;
    output.ready(&Ready {
        version: env!("CARGO_PKG_VERSION"),
        urls: Urls { shop: Some(trimmed(&shop.url)), ..Urls::default() },
        ..Ready::default()
    });
    if let Some(warning) = without_gateway(&gateway_url).await {
        output.warning(&warning);
    }
    Ok(Parts { shop: Some(shop), ..Parts::default() })
}

fn checkout_way(flag: Option<CheckoutWay>, file: &File) -> shop::CheckoutWay {
    flag.or(file.shop.checkout).map_or_else(shop::CheckoutWay::default, Into::into)
}

/// What to say when the gateway does not answer: without one the shop can show its goods and sell none.
async fn without_gateway(url: &Url) -> Option<String> {
    let limits = Limits {
        connect: Duration::from_secs(2),
        answer: Duration::from_secs(2),
        ..Limits::default()
    };
    let health = url.join("healthz").ok()?;
    match HttpClient::new(limits).get(health.as_str()).await {
        Ok(answer) if answer.status.is_success() => None,
        Ok(answer) => Some(format!(
            "{} is not a gateway of Kassa (it answers {}): name the right one with --gateway-url",
            trimmed(url),
            answer.status.as_u16()
        )),
        Err(error) => Some(format!(
            "the gateway at {} does not answer ({error}): nothing can be bought until it runs. Start \
             it with `kassa gateway`, name another with --gateway-url, or start everything with `kassa`",
            trimmed(url)
        )),
    }
}

/// Where the master key comes from.
fn master_key(
    given: Option<Secret>,
    named: Option<PathBuf>,
    file: &File,
    home: &Home,
    location: &Location,
    make_up: MakeUp,
) -> Outcome<Source> {
    // What is said nearer to the command wins, in whichever form.
    let (given, named) = match (given, named) {
        (None, None) => (file.master_key.clone(), file.master_key_file.clone()),
        nearer => nearer,
    };
    Source::resolve(given, named, home, location, make_up)
}

/// Seals every secret of the gateway's database under the newest master key.
async fn rotate_key(args: GatewayArgs, file: &File, output: Output) -> Outcome<()> {
    let home = Home::resolve(&args.data, file);
    let location = database(args.database.as_deref(), file, &home)?;
    let keys = args.keys;
    let source = master_key(
        keys.master_key,
        keys.master_key_file,
        file,
        &home,
        &location,
        MakeUp::Embedded,
    )?;
    let mut keys = source.keys()?;
    if let Source::Own(path) = &source {
        keys.insert(0, MasterKey::generate());
        // Both, before anything is sealed under the new one: a crash leaves nothing unreadable.
        master_key::write(path, &keys)?;
    }
    let vault = Vault::of(&keys).ok_or("there is no master key")?;
    let resealed = gateway::reseal(&location, &vault).await?;
    if let (Source::Own(path), Some(newest)) = (&source, keys.first()) {
        master_key::write(path, std::slice::from_ref(newest))?;
    }
    output.resealed(resealed.found, resealed.renewed);
    Ok(())
}

/// What was given, else what the file says, else what was made up.
fn given(flag: Option<Secret>, file: Option<&Secret>, made_up: &Secret) -> Secret {
    flag.or_else(|| file.cloned()).unwrap_or_else(|| made_up.clone())
}

fn merchants(args: &KlarnaSideArgs, file: &File, made_up: &Credentials) -> Vec<MerchantSpec> {
    if !args.merchants.is_empty() {
        return args.merchants.clone();
    }
    if !file.merchant.is_empty() {
        return file.merchant.clone();
    }
    vec![MerchantSpec {
        merchant_id: made_up.merchant_id.clone(),
        username: made_up.username.clone(),
        password: made_up.password.clone(),
    }]
}

fn seeds(
    merchants: &[MerchantSpec],
    args: &KlarnaSideArgs,
    file: &File,
) -> Vec<playground::SeedMerchant> {
    let mut client_id = args.client_id.clone().or_else(|| file.client_id.clone());
    let seed = |merchant: &MerchantSpec| playground::SeedMerchant {
        merchant_id: merchant.merchant_id.clone(),
        username: merchant.username.clone(),
        password: merchant.password.clone(),
        // The one that is named is the first merchant's.
        client_id: client_id.take(),
    };
    merchants.iter().map(seed).collect()
}

fn shown(merchants: &[MerchantSpec], playground: &playground::Running) -> Vec<ReadyMerchant> {
    let show = |merchant: &MerchantSpec| ReadyMerchant {
        merchant_id: merchant.merchant_id.clone(),
        username: merchant.username.clone(),
        password: merchant.password.expose().to_owned(),
        client_id: playground.client_id(&merchant.merchant_id),
    };
    merchants.iter().map(show).collect()
}

/// The origin of a part, as browsers write it.
fn origin_of(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// The shop's page to which a sign-in leads back; none where Klarna would not lead: over plain HTTP to another
/// machine.
fn sign_in_page(shop: &Url) -> Vec<String> {
    let here = matches!(shop.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    if shop.scheme() == "https" || here {
        let shop = trimmed(shop);
        // Where the button answers, and where the gateway's own redirect does.
        vec![format!("{shop}/account"), format!("{shop}/account/signed-in")]
    } else {
        Vec::new()
    }
}

fn rate_limits(args: &KlarnaSideArgs, file: &File) -> playground::RateLimits {
    args.rate_limits.or(file.rate_limits).map_or(playground::RateLimits::Off, Into::into)
}

fn control_access(playground: &playground::Running, has_token: bool) -> ControlAccess {
    match (has_token, playground.is_loopback()) {
        (true, _) => ControlAccess::Token,
        (false, true) => ControlAccess::Open,
        (false, false) => ControlAccess::Closed,
    }
}

fn callback_targets(args: &KlarnaSideArgs, file: &File) -> Option<playground::CallbackTargets> {
    args.callback_targets.or(file.callback_targets).map(Into::into)
}

fn webhook_targets(args: &HookArgs, file: &File) -> Option<gateway::WebhookTargets> {
    args.webhook_targets.or(file.gateway.webhook_targets).map(Into::into)
}

pub(crate) fn database(flag: Option<&str>, file: &File, home: &Home) -> Outcome<Location> {
    match flag.or(file.database.as_deref()) {
        Some(url) => Ok(Location::parse(url)?),
        None => Ok(home.database("gateway")),
    }
}

/// Where the gateway's metrics are asked for.
fn metrics_url(gateway: &gateway::Running) -> Option<String> {
    gateway.metrics_addr.map(|address| format!("http://{address}/metrics"))
}

/// As people write a base URL: without the slash at its end.
fn trimmed(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

/// Names the flag that moves a part, when its port was taken.
fn hint<E: Error + Send + Sync + 'static>(
    flag: &'static str,
) -> impl Fn(E) -> Box<dyn Error + Send + Sync> {
    move |error| {
        let text = error.to_string();
        if text.contains("--listen") && flag != "--listen" {
            return text.replace("--listen", flag).into();
        }
        error.into()
    }
}
