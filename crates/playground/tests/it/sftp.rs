//! SFTP: who gets in, what is there, and that nothing else is. Met by a client library, and by OpenSSH's
//! own program where it is at hand.

use std::process::{Command, Stdio};
use std::sync::Arc;

use crate::common::{Merchant, Purchase, World, engines};
use crate::sftp_client::{connect, names, open, sign_in};
use playground::SftpDoor;
use russh::Disconnect;
use russh::client::AuthResult;
use russh::keys::key::safe_rng;
use russh::keys::ssh_key::LineEnding;
use russh::keys::{Algorithm, PrivateKey, PrivateKeyWithHashAlg};
use russh_sftp::client::error::Error as SftpError;
use russh_sftp::protocol::{FileAttributes, OpenFlags, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};

const OWN: (&str, &str) = ("K123456_kassatest", "one");
const STRANGER: (&str, &str) = ("K654321_other", "two");

/// A world with SFTP.
async fn start() -> (World, SftpDoor) {
    let mut world = World::start().await;
    let door = serve(&mut world).await;
    (world, door)
}

async fn serve(world: &mut World) -> SftpDoor {
    world.running().open_sftp(([127, 0, 0, 1], 0).into()).await.unwrap()
}

/// Makes a merchant a payout of so many captures, now; returns its reference.
async fn pay_out(world: &World, merchant: &Merchant, captures: usize) -> String {
    for _ in 0..captures {
        let order = world.purchase_as(merchant, &Purchase::of(10_000)).await;
        let order_id = order["order_id"].as_str().unwrap();
        let path = format!("/ordermanagement/v1/orders/{order_id}/captures");
        let body = json!({ "captured_amount": 10_000 });
        let captured = world.call_as(merchant, "POST", &path, &body, &[]).await;
        assert_eq!(captured.status, 201, "{captured:?}");
    }
    let closed =
        world.control("/settlements/close", &json!({ "merchant_id": merchant.merchant_id })).await;
    let reference = closed.pointer("/payouts/0").and_then(Value::as_str);
    reference.unwrap_or_else(|| panic!("{closed}")).to_owned()
}

fn code<T>(result: Result<T, SftpError>) -> StatusCode {
    match result {
        Err(SftpError::Status(status)) => status.status_code,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it was allowed"),
    }
}

#[tokio::test]
async fn a_report_is_written_then_complete_then_gone_after_ninety_days() {
    for engine in engines().await {
        let mut world = engine.world().await;
        let door = serve(&mut world).await;
        let reference = pay_out(&world, &world.merchant, 3).await;
        let sftp = sign_in(&door, OWN).await;
        let complete = format!("{reference}_20260302T090000_0.csv");
        let unfinished = format!("{complete}.tmp");
        assert_eq!(names(&sftp, "/").await, [unfinished.as_str()]);
        let little = sftp.metadata(&unfinished).await.unwrap().len();
        world.advance("PT5S").await;
        let half = sftp.metadata(&unfinished).await.unwrap().len();
        assert!(little < half, "{little} {half}");
        let begun = sftp.read(&unfinished).await.unwrap();
        assert_eq!(begun.len() as u64, half);

        world.advance("PT5S").await;
        assert_eq!(names(&sftp, "/").await, [complete.as_str()]);
        assert_eq!(code(sftp.metadata(&unfinished).await), StatusCode::NoSuchFile);
        let attributes = sftp.metadata(&complete).await.unwrap();
        assert!(attributes.is_regular());
        assert_eq!(attributes.permissions().to_string(), "r--r-----");
        let report = sftp.read(&complete).await.unwrap();
        assert_eq!(report.len() as u64, attributes.len());
        assert!(report.starts_with(&begun) && half < attributes.len());
        let text = String::from_utf8(report).unwrap();
        assert!(text.contains(&reference), "{text}");

        // One that was opened in time is read to its end.
        let mut late = sftp.open(&complete).await.unwrap();
        world.advance("P89DT23H59M").await;
        assert_eq!(names(&sftp, "/").await, [complete.as_str()]);
        world.advance("PT1H").await;
        assert_eq!(names(&sftp, "/").await, Vec::<String>::new());
        assert_eq!(code(sftp.open(&complete).await), StatusCode::NoSuchFile);
        let mut read = String::new();
        late.read_to_string(&mut read).await.unwrap();
        assert_eq!(read, text);
        world.stop().await;
    }
}

#[tokio::test]
async fn two_merchants_never_see_each_other() {
    let (world, door) = start().await;
    let own = pay_out(&world, &world.merchant, 1).await;
    let foreign = pay_out(&world, &world.stranger, 1).await;
    world.advance("PT1M").await;
    let name = |reference: &str| format!("{reference}_20260302T090000_0.csv");
    for (who, seen, hidden) in [(OWN, &own, &foreign), (STRANGER, &foreign, &own)] {
        let sftp = sign_in(&door, who).await;
        assert_eq!(names(&sftp, "/").await, [name(seen)]);
        let report = String::from_utf8(sftp.read(name(seen)).await.unwrap()).unwrap();
        assert!(report.contains(seen.as_str()) && !report.contains(hidden.as_str()), "{report}");
        let (hidden, merchant) = (name(hidden), if who == OWN { "K654321" } else { "K123456" });
        for path in [
            hidden.clone(),
            format!("/{hidden}"),
            format!("{merchant}/{hidden}"),
            format!("/home/{merchant}/{hidden}"),
            format!("../{hidden}"),
            format!("../{merchant}/{hidden}"),
            format!("%2e%2e/{merchant}/{hidden}"),
            format!("..%2f{hidden}"),
            format!("{}/../../{hidden}", name(seen)),
        ] {
            for outcome in [
                code(sftp.open(&path).await),
                code(sftp.metadata(&path).await),
                code(sftp.symlink_metadata(&path).await),
            ] {
                let refused = [StatusCode::NoSuchFile, StatusCode::PermissionDenied];
                assert!(refused.contains(&outcome), "{path}: {outcome}");
            }
        }
    }
    // The password of the one does not open the other's account.
    let mut connection = connect(&door).await;
    for (username, password) in [(OWN.0, STRANGER.1), (STRANGER.0, OWN.1)] {
        assert!(!connection.authenticate_password(username, password).await.unwrap().success());
    }
    world.stop().await;
}

#[tokio::test]
async fn no_path_leads_out_and_nothing_can_be_changed() {
    let (world, door) = start().await;
    let reference = pay_out(&world, &world.merchant, 1).await;
    world.advance("PT1M").await;
    let sftp = sign_in(&door, OWN).await;
    let name = format!("{reference}_20260302T090000_0.csv");
    for (path, expected) in [
        ("../etc/passwd".to_owned(), StatusCode::PermissionDenied),
        ("/../../etc/passwd".to_owned(), StatusCode::PermissionDenied),
        ("/..".to_owned(), StatusCode::PermissionDenied),
        (format!("{name}/../.."), StatusCode::PermissionDenied),
        ("/etc/passwd".to_owned(), StatusCode::NoSuchFile),
        ("/proc/self/environ".to_owned(), StatusCode::NoSuchFile),
        ("kassa-data/playground.db".to_owned(), StatusCode::NoSuchFile),
        ("..\\..\\etc\\passwd".to_owned(), StatusCode::NoSuchFile),
        ("\u{2025}/x".to_owned(), StatusCode::NoSuchFile),
        ("%2e%2e%2f%2e%2e%2fetc%2fpasswd".to_owned(), StatusCode::NoSuchFile),
        (format!("{name}\0.txt"), StatusCode::NoSuchFile),
        ("a".repeat(300), StatusCode::NoSuchFile),
        ("a/".repeat(2_000), StatusCode::NoSuchFile),
        ("~root".to_owned(), StatusCode::NoSuchFile),
        ("*".to_owned(), StatusCode::NoSuchFile),
    ] {
        let shown = path.chars().take(40).collect::<String>();
        assert_eq!(code(sftp.open(&path).await), expected, "{shown}");
        assert_eq!(code(sftp.metadata(&path).await), expected, "{shown}");
        assert_eq!(code(sftp.read_dir(&path).await), expected, "{shown}");
        assert_eq!(code(sftp.read_link(&path).await), expected, "{shown}");
    }
    let denied = StatusCode::PermissionDenied;
    for flags in [
        OpenFlags::WRITE,
        OpenFlags::READ | OpenFlags::WRITE,
        OpenFlags::READ | OpenFlags::CREATE,
        OpenFlags::WRITE | OpenFlags::CREATE | OpenFlags::TRUNCATE,
        OpenFlags::WRITE | OpenFlags::APPEND,
    ] {
        for path in [name.as_str(), "new.csv"] {
            assert_eq!(code(sftp.open_with_flags(path, flags).await), denied, "{path}");
        }
    }
    assert_eq!(code(sftp.remove_file(&name).await), denied);
    assert_eq!(code(sftp.rename(&name, "b.csv").await), denied);
    assert_eq!(code(sftp.create_dir("d").await), denied);
    assert_eq!(code(sftp.remove_dir("/").await), denied);
    assert_eq!(code(sftp.symlink("/etc/passwd", "link").await), denied);
    let attributes = FileAttributes { permissions: Some(0o777), ..FileAttributes::default() };
    assert_eq!(code(sftp.set_metadata(&name, attributes).await), denied);
    assert_eq!(code(sftp.open("/").await), StatusCode::Failure);
    assert_eq!(code(sftp.read_dir(&name).await), StatusCode::Failure);
    assert_eq!(names(&sftp, "/").await, [name.as_str()]);
    assert_eq!(sftp.canonicalize("./x/../.").await.unwrap(), "/");
    world.stop().await;
}

#[tokio::test]
async fn reading_goes_on_at_any_place_and_in_many_sessions() {
    let (world, door) = start().await;
    let reference = pay_out(&world, &world.merchant, 25).await;
    world.advance("PT1M").await;
    let name = format!("{reference}_20260302T090000_0.csv");
    let whole = sign_in(&door, OWN).await.read(&name).await.unwrap();
    assert!(whole.len() > 2_000, "{}", whole.len());
    let mut readers = tokio::task::JoinSet::new();
    for number in 0..6_usize {
        let (door, name, whole) = (door.clone(), name.clone(), whole.clone());
        readers.spawn(async move {
            let sftp = sign_in(&door, OWN).await;
            let mut file = sftp.open(&name).await.unwrap();
            let places = [whole.len() / 2 + number, 7 * number, whole.len() - 1 - number, 0, 1];
            for place in places {
                file.seek(std::io::SeekFrom::Start(place as u64)).await.unwrap();
                let mut rest = Vec::new();
                file.read_to_end(&mut rest).await.unwrap();
                assert_eq!(rest, whole[place..], "from {place}");
            }
            file.seek(std::io::SeekFrom::Start(1 << 40)).await.unwrap();
            assert_eq!(file.read(&mut [0; 8]).await.unwrap(), 0);
        });
    }
    while let Some(reader) = readers.join_next().await {
        reader.unwrap();
    }
    world.stop().await;
}

#[tokio::test]
async fn accounts_have_passwords_keys_and_directories_of_their_own() {
    let (world, door) = start().await;
    let key = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap();
    let other = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap();
    let account = world
        .control(
            "/sftp/accounts",
            &json!({
                "merchant_id": "K123456", "username": "treasury",
                "public_keys": [key.public_key().to_openssh().unwrap()],
                "folders": [
                    {"merchant_id": "K123456", "directory": "group/se"},
                    {"merchant_id": "K654321", "directory": "group/gb"},
                ],
            }),
        )
        .await;
    let own = pay_out(&world, &world.merchant, 1).await;
    let foreign = pay_out(&world, &world.stranger, 1).await;
    world.advance("PT1M").await;

    let mut connection = connect(&door).await;
    let sign = |key: &PrivateKey| PrivateKeyWithHashAlg::new(Arc::new(key.clone()), None);
    let wrong = connection.authenticate_publickey("treasury", sign(&other)).await.unwrap();
    assert!(!wrong.success());
    let wrong = connection.authenticate_publickey(OWN.0, sign(&key)).await.unwrap();
    assert!(!wrong.success(), "the key of another account");
    assert!(connection.authenticate_publickey("treasury", sign(&key)).await.unwrap().success());
    let sftp = open(&connection).await;
    assert_eq!(names(&sftp, "/").await, ["group"]);
    assert_eq!(names(&sftp, "/group").await, ["gb", "se"]);
    assert_eq!(names(&sftp, "group/se").await, [format!("{own}_20260302T090000_0.csv")]);
    assert_eq!(names(&sftp, "/group/gb/").await, [format!("{foreign}_20260302T090000_0.csv")]);
    assert!(sftp.metadata("group/gb").await.unwrap().is_dir());
    assert_eq!(sftp.canonicalize("group/gb/..").await.unwrap(), "/group");
    assert_eq!(code(sftp.read_dir("gro").await), StatusCode::NoSuchFile);

    let password = account["password"].as_str().unwrap();
    let sftp = sign_in(&door, ("treasury", password)).await;
    assert_eq!(names(&sftp, "/").await, ["group"]);
    let listed = world.send("GET", "/playground/v1/sftp/accounts", &[], "").await;
    assert!(!listed.text.contains(password), "{listed:?}");
    assert_eq!(listed.json["accounts"].as_array().unwrap().len(), 3);

    // An account of today gets no reports of yesterday, unless they are sent once more.
    world.advance("P1D").await;
    let body = json!({ "merchant_id": "K123456", "username": "late", "password": "long enough" });
    world.control("/sftp/accounts", &body).await;
    let sftp = sign_in(&door, ("late", "long enough")).await;
    assert_eq!(names(&sftp, "/").await, Vec::<String>::new());
    let again = json!({ "merchant_id": "K123456", "payment_reference": own });
    assert_eq!(world.control("/sftp/deliveries", &again).await["number"], 1);
    world.advance("PT1M").await;
    assert_eq!(names(&sftp, "/").await, [format!("{own}_20260303T090100_1.csv")]);

    let gone = world.send("DELETE", "/playground/v1/sftp/accounts/late", &[], "").await;
    assert_eq!(gone.status, 204);
    let mut connection = connect(&door).await;
    assert!(!connection.authenticate_password("late", "long enough").await.unwrap().success());
    world.stop().await;
}

#[tokio::test]
async fn what_is_no_account_is_refused() {
    let world = World::start().await;
    let post = async |path: &str, body: Value| {
        let headers = [("content-type", "application/json")];
        let path = format!("/playground/v1/sftp/{path}");
        world.send("POST", &path, &headers, body.to_string()).await.status
    };
    for (body, expected) in [
        (json!({}), 400),
        (json!({ "merchant_id": "nobody" }), 404),
        (json!({ "merchant_id": "K123456", "username": "a/b" }), 400),
        (json!({ "merchant_id": "K123456", "username": "" }), 400),
        (json!({ "merchant_id": "K123456", "username": OWN.0 }), 409),
        (json!({ "merchant_id": "K123456", "password": "short" }), 400),
        (json!({ "merchant_id": "K123456", "public_keys": ["ssh-rsa nonsense"] }), 400),
        (json!({ "merchant_id": "K123456", "folders": [] }), 400),
        (json!({ "merchant_id": "K123456", "folders": [{ "merchant_id": "nobody" }] }), 404),
        (
            json!({
                "merchant_id": "K123456",
                "folders": [{ "merchant_id": "K123456", "directory": "../x" }],
            }),
            400,
        ),
        (json!({ "merchant_id": "K123456", "unknown": 1 }), 400),
    ] {
        assert_eq!(post("accounts", body.clone()).await, expected, "{body}");
    }
    // With the one that its credential opens, five.
    for _ in 0..4 {
        assert_eq!(post("accounts", json!({ "merchant_id": "K123456" })).await, 201);
    }
    assert_eq!(post("accounts", json!({ "merchant_id": "K123456" })).await, 409);
    assert_eq!(post("accounts", json!({ "merchant_id": "K654321" })).await, 201);
    let unknown = json!({ "merchant_id": "K123456", "payment_reference": "X" });
    assert_eq!(post("deliveries", unknown).await, 404);
    world.stop().await;
}

#[tokio::test]
async fn guessing_ends_and_nothing_but_sftp_is_there() {
    let (world, door) = start().await;
    let mut connection = connect(&door).await;
    assert!(!connection.authenticate_none(OWN.0).await.unwrap().success());
    let mut tried = 0;
    // Some wrong passwords, and the connection is over.
    while let Ok(AuthResult::Failure { .. }) =
        connection.authenticate_password(OWN.0, "wrong").await
    {
        tried += 1;
        assert!(tried < 10);
    }
    assert!((1..=6).contains(&tried), "{tried}");

    let mut connection = connect(&door).await;
    assert!(connection.authenticate_password(OWN.0, OWN.1).await.unwrap().success());
    for request in ["shell", "exec", "subsystem"] {
        let mut channel = connection.channel_open_session().await.unwrap();
        match request {
            "shell" => channel.request_shell(true).await.unwrap(),
            "exec" => channel.exec(true, "id").await.unwrap(),
            _ => channel.request_subsystem(true, "netconf").await.unwrap(),
        }
        let answer = channel.wait().await;
        assert!(matches!(answer, Some(russh::ChannelMsg::Failure)), "{request}: {answer:?}");
        channel.close().await.unwrap();
    }
    assert!(connection.channel_open_direct_tcpip("127.0.0.1", 22, "127.0.0.1", 1).await.is_err());
    assert!(connection.tcpip_forward("127.0.0.1", 0).await.is_err());
    // All that did not harm the connection.
    assert_eq!(names(&open(&connection).await, "/").await, Vec::<String>::new());
    connection.disconnect(Disconnect::ByApplication, "", "").await.unwrap();
    world.stop().await;
}

#[tokio::test]
async fn the_server_is_recognised_after_a_restart_and_forgets_with_the_world() {
    for engine in engines().await {
        let mut world = engine.world().await;
        let before = serve(&mut world).await;
        world.stop().await;
        let mut world = engine.world().await;
        let after = serve(&mut world).await;
        assert_eq!(before.fingerprint, after.fingerprint);
        assert_eq!(before.host_key, after.host_key);
        let body = json!({ "merchant_id": "K123456", "username": "x", "password": "long enough" });
        world.control("/sftp/accounts", &body).await;
        pay_out(&world, &world.merchant, 1).await;
        world.control("/reset", &json!({})).await;
        let sftp = sign_in(&after, OWN).await;
        assert_eq!(names(&sftp, "/").await, Vec::<String>::new());
        let mut connection = connect(&after).await;
        assert!(!connection.authenticate_password("x", "long enough").await.unwrap().success());
        world.stop().await;
    }
}

#[tokio::test]
async fn files_are_named_and_made_as_the_merchant_agreed() {
    let (world, door) = start().await;
    let made = world
        .control(
            "/merchants",
            &json!({ "settings": { "settlements": { "reports": {
                "file_names": "older", "sftp_pdf": true,
            } } } }),
        )
        .await;
    let text = |name: &str| made[name].as_str().unwrap();
    let merchant = Merchant::new(text("merchant_id"), text("username"), text("password"));
    let reference = pay_out(&world, &merchant, 1).await;
    world.advance("PT1M").await;
    let sftp = sign_in(&door, (text("username"), text("password"))).await;
    let expected = ["csv", "pdf"].map(|kind| format!("{reference}.20260302T000000+0000.{kind}"));
    assert_eq!(names(&sftp, "/").await, expected);
    assert!(sftp.read(&expected[1]).await.unwrap().starts_with(b"%PDF-"));
    // Sent once more on the same day, it takes the place of the first.
    let again = json!({ "merchant_id": merchant.merchant_id, "payment_reference": reference });
    world.control("/sftp/deliveries", &again).await;
    world.advance("PT1M").await;
    assert_eq!(names(&sftp, "/").await, expected);
    world.stop().await;
}

#[tokio::test]
async fn openssh_lists_fetches_and_resumes() {
    if Command::new("sftp").arg("-h").output().is_err() {
        return;
    }
    let (world, door) = start().await;
    let key = PrivateKey::random(&mut safe_rng(), Algorithm::Ed25519).unwrap();
    let body = json!({
        "merchant_id": "K123456", "username": "openssh",
        "public_keys": [key.public_key().to_openssh().unwrap()],
    });
    world.control("/sftp/accounts", &body).await;
    let reference = pay_out(&world, &world.merchant, 40).await;
    world.advance("PT1M").await;
    let name = format!("{reference}_20260302T090000_0.csv");
    let whole = sign_in(&door, OWN).await.read(&name).await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let host = format!("[127.0.0.1]:{}", door.address.port());
    std::fs::write(path("known_hosts"), format!("{host} {}\n", door.host_key)).unwrap();
    std::fs::write(path("key"), key.to_openssh(LineEnding::LF).unwrap().as_bytes()).unwrap();
    let owner_only = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(path("key"), owner_only).unwrap();
    // The beginning is there already, from a transfer that broke off.
    std::fs::write(path("resumed.csv"), &whole[..whole.len() / 3]).unwrap();
    let batch = format!(
        "pwd\nls -l\nget {name} {}\nreget {name} {}\n-put {} new.csv\n-rm {name}\n-get ../x {}\n",
        path("whole.csv"),
        path("resumed.csv"),
        path("key"),
        path("x"),
    );
    std::fs::write(path("batch"), batch).unwrap();
    let mut command = Command::new("sftp");
    command
        .args(["-F", "/dev/null", "-b", &path("batch"), "-i", &path("key")])
        .args(["-o", &format!("UserKnownHostsFile={}", path("known_hosts"))])
        .args(["-o", "StrictHostKeyChecking=yes", "-o", "IdentitiesOnly=yes"])
        .args(["-o", "ConnectTimeout=20", "-P", &door.address.port().to_string()])
        .arg("openssh@127.0.0.1")
        .env_remove("SSH_AUTH_SOCK")
        .stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}\n{complained}");
    assert!(told.contains(&name) && told.contains("-r--r-----"), "{told}");
    assert_eq!(std::fs::read(path("whole.csv")).unwrap(), whole);
    assert_eq!(std::fs::read(path("resumed.csv")).unwrap(), whole);
    assert!(complained.to_lowercase().contains("permission denied"), "{complained}");
    assert!(!folder.path().join("x").exists());
    world.stop().await;
}
