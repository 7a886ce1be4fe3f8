//! The playground's further ways in, through the built program: HTTPS, Klarna's host names, SFTP. The
//! programs that come in are not changed; neither is this machine.

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use testing::kassa::{Process, taken_address};

const KASSA: &str = env!("CARGO_BIN_EXE_kassa");

/// A session of the reference.
const SESSION: &str = r#"{"purchase_country":"SE","purchase_currency":"SEK","locale":"sv-SE",
    "order_amount":1000,"order_tax_amount":0,"order_lines":[{"name":"Mugg","quantity":1,
    "unit_price":1000,"tax_rate":0,"total_amount":1000,"total_tax_amount":0}]}"#;

fn start(folder: &Path, flags: &[&str]) -> (Process, Value) {
    let mut all = vec!["playground", "--json", "--listen", "127.0.0.1:0", "--merchant"];
    all.push("K1=user:password");
    all.extend(flags);
    let mut process = Process::start(Path::new(KASSA), folder, &all);
    let ready = process.event();
    assert_eq!(ready["event"], "ready", "{ready}");
    (process, ready)
}

fn text<'a>(ready: &'a Value, pointer: &str) -> &'a str {
    ready.pointer(pointer).and_then(Value::as_str).unwrap_or_else(|| panic!("{pointer}: {ready}"))
}

fn has(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

fn told(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn klarnas_names_are_answered_by_an_authority_that_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let flags = [
        "--data-dir",
        data.to_str().unwrap(),
        "--intercept-listen",
        "127.0.0.1:0",
        "--tls-listen",
        "127.0.0.1:0",
        "--sftp-listen",
        "off",
    ];
    let mut certificates = Vec::new();
    for _ in 0..2 {
        let (mut process, ready) = start(folder.path(), &flags);
        let ca = text(&ready, "/intercept/ca");
        assert_eq!(ca, text(&ready, "/tls/ca"));
        assert!(Path::new(ca).starts_with(&data), "{ca}");
        let hosts = ready.pointer("/intercept/hosts").and_then(Value::as_array).unwrap();
        for host in ["api.klarna.com", "api-oc.playground.klarna.com", "x.klarnacdn.net"] {
            assert!(hosts.contains(&json!(host)), "{host}: {hosts:?}");
        }
        assert!(!ready.to_string().contains("PRIVATE"), "{ready}");
        assert_eq!(ready.get("sftp"), None);
        if has("curl") {
            for url in [
                "https://api-na.klarna.com/payments/v1/sessions".to_owned(),
                format!("{}/payments/v1/sessions", text(&ready, "/tls/url")),
            ] {
                let mut curl = Command::new("curl");
                curl.args(["-sS", "--max-time", "30", "--cacert", ca, "-u", "user:password"]);
                curl.args(["--noproxy", "*"]);
                if !url.contains("localhost") {
                    let address = text(&ready, "/intercept/address");
                    curl.args(["--connect-to", &format!("::{address}")]);
                }
                let answer = curl.args(["--json", SESSION, &url]).output().unwrap();
                let answer: Value = serde_json::from_str(&told(&answer)).unwrap();
                assert!(answer["session_id"].is_string(), "{url}: {answer}");
            }
        }
        certificates.push(std::fs::read_to_string(ca).unwrap());
        assert_eq!(process.terminate().code(), Some(0));
        assert_eq!(process.stderr(), "");
    }
    assert_eq!(certificates[0], certificates[1]);
    for entry in std::fs::read_dir(data.join("intercept")).unwrap() {
        use std::os::unix::fs::PermissionsExt as _;
        let entry = entry.unwrap();
        if entry.file_name() != "ca.pem" {
            let mode = entry.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{:?}", entry.file_name());
        }
    }
}

#[test]
fn ephemeral_leaves_no_authority_behind() {
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--ephemeral", "--tls-listen", "127.0.0.1:0", "--sftp-listen", "off"];
    let (mut process, ready) = start(folder.path(), &flags);
    let ca = text(&ready, "/tls/ca").to_owned();
    assert!(Path::new(&ca).exists() && !Path::new(&ca).starts_with(folder.path()), "{ca}");
    assert_eq!(process.terminate().code(), Some(0));
    assert!(!Path::new(&ca).exists());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn sftp_is_open_unless_it_is_declined() {
    let folder = tempfile::tempdir().unwrap();
    // Whether or not someone has Klarna's port already.
    let (mut process, ready) = start(folder.path(), &["--ephemeral"]);
    let address = text(&ready, "/sftp/url").strip_prefix("sftp://").unwrap();
    let mut greeting = String::new();
    BufReader::new(TcpStream::connect(address).unwrap()).read_line(&mut greeting).unwrap();
    assert_eq!(greeting.trim_end(), "SSH-2.0-Kassa");
    assert!(text(&ready, "/sftp/host_key").starts_with("ssh-ed25519 "));
    assert!(text(&ready, "/sftp/fingerprint").starts_with("SHA256:"));
    assert_eq!(process.terminate().code(), Some(0));

    let (address, taken) = taken_address();
    drop(taken);
    let address = address.to_string();
    let (process, ready) = start(folder.path(), &["--ephemeral", "--sftp-listen", &address]);
    assert_eq!(text(&ready, "/sftp/url"), format!("sftp://{address}"));
    drop(process);
}

/// A network and a file system of its own: there, Klarna's names lead to this machine.
const NAMESPACE: &str = r#"
set -eu
ip link set lo up
mount --bind "$1/hosts" /etc/hosts
mkfifo "$1/told"
"$KASSA" playground --ephemeral --json --listen 127.0.0.1:7072 --sftp-listen off \
    --merchant K1=user:password --intercept --intercept-listen 127.0.0.1:443 --ca-dir "$1/ca" \
    > "$1/told" &
trap 'kill $!' EXIT
exec 3< "$1/told"
read -r ready <&3
unset SSL_CERT_DIR http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY
export SSL_CERT_FILE="$1/ca/ca.pem" CURL_CA_BUNDLE="$1/ca/ca.pem"
for host in api.klarna.com api.playground.klarna.com api-na.klarna.com; do
    curl -sS --max-time 30 -o /dev/null -w "%{http_code} %{url}\n" -u user:password \
        --json "$SESSION" "https://$host/payments/v1/sessions"
done
if command -v python3 > /dev/null; then
    python3 -c 'import urllib.request as r; print(r.urlopen("https://x.klarnacdn.net/kp/lib/v1/api.js").status)'
fi
"#;

#[test]
fn an_unmodified_program_in_a_network_of_its_own_meets_klarna_here() {
    let in_namespace = |script: &str, folder: &Path| {
        let mut command = Command::new("unshare");
        command.args(["--map-root-user", "--net", "--mount", "sh", "-c", script, "sh"]);
        command.arg(folder).env("KASSA", KASSA).env("SESSION", SESSION);
        command.current_dir(folder).output()
    };
    let folder = tempfile::tempdir().unwrap();
    let hosts = "127.0.0.1 localhost api.klarna.com api.playground.klarna.com api-na.klarna.com \
                 x.klarnacdn.net\n";
    std::fs::write(folder.path().join("hosts"), hosts).unwrap();
    let probe = r#"ip link set lo up && mount --bind "$1/hosts" /etc/hosts && curl --version"#;
    if !in_namespace(probe, folder.path()).is_ok_and(|output| output.status.success()) {
        // No such namespaces here, or no curl.
        return;
    }
    let machine = std::fs::read("/etc/hosts").unwrap();
    let told = told(&in_namespace(NAMESPACE, folder.path()).unwrap());
    let lines: Vec<&str> = told.lines().collect();
    let url = |host: &str| format!("200 https://{host}/payments/v1/sessions");
    let expected = ["api.klarna.com", "api.playground.klarna.com", "api-na.klarna.com"].map(url);
    assert_eq!(lines[..3], expected);
    assert!(lines.len() == 3 || lines[3..] == ["200"], "{told}");
    assert_eq!(std::fs::read("/etc/hosts").unwrap(), machine);
}
