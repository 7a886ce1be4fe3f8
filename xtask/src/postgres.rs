//! A PostgreSQL server for one run: made in a temporary folder, on a free port of loopback,
//! stopped and removed at the end.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{self, Outcome};
use crate::tools;

/// The variable that tells the tests where the server is.
pub(crate) const VARIABLE: &str = "KASSA_TEST_POSTGRES";

/// A running server. Dropping it stops it and removes its folder.
pub(crate) struct Server {
    folder: PathBuf,
    programs: PathBuf,
    url: String,
    options: String,
}

/// What a server's commits must survive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Nothing: tests crash its clients, and not the server.
    None,
    /// A crash of the server, though not of the machine.
    Crashes,
    /// A crash of the machine: what a merchant's server is set to.
    Machine,
}

impl Server {
    /// Makes and starts one.
    pub(crate) fn start() -> Outcome<Self> {
        Self::start_with(Durability::None)
    }

    /// Likewise, with commits that survive so much.
    pub(crate) fn start_with(durability: Durability) -> Outcome<Self> {
        let initdb = tools::initdb().ok_or("PostgreSQL's initdb is not installed")?;
        let programs =
            initdb.parent().map(Path::to_path_buf).ok_or("initdb stands in no folder")?;
        let port = free_port()?;
        let name = match durability {
            Durability::None => "kassa-postgres",
            Durability::Crashes => "kassa-postgres-crashes",
            Durability::Machine => "kassa-postgres-durable",
        };
        let folder = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder)
            .map_err(|error| format!("{}: {error}", folder.display()))?;
        let waits = match durability {
            Durability::None => "-c fsync=off -c full_page_writes=off -c synchronous_commit=off",
            // What is handed to the system survives the server; the machine does not crash, so the
            // server need not wait for the disk.
            Durability::Crashes => "-c fsync=off -c full_page_writes=off -c synchronous_commit=on",
            Durability::Machine => "-c fsync=on -c full_page_writes=on -c synchronous_commit=on",
        };
        let options = format!(
            "-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories='{}' \
             -c max_connections=300 {waits}",
            folder.display()
        );
        let url = format!("postgres://kassa@127.0.0.1:{port}/postgres");
        let server = Self { folder, programs, url, options };
        if tools::is_root() {
            // The server refuses to run as the superuser; Debian's package brings this user.
            process::run_quietly(Command::new("chown").arg("postgres").arg(&server.folder))?;
        }
        let data = server.data();
        process::run_quietly(
            server
                .program("initdb")
                .args(["--auth=trust", "--username=kassa", "--encoding=UTF8", "--no-sync"])
                .args(["--locale=C.UTF-8", "--pgdata"])
                .arg(&data),
        )?;
        server.launch()?;
        Ok(server)
    }

    fn launch(&self) -> Outcome<()> {
        // Not `run_quietly`: the server inherits pg_ctl's output, which would then never end.
        let log = self.folder.join("log");
        let status = self
            .program("pg_ctl")
            .args(["start", "--wait", "--silent", "--pgdata"])
            .arg(self.data())
            .arg("--log")
            .arg(&log)
            .args(["--options", &self.options])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .status()
            .map_err(|error| format!("pg_ctl did not start: {error}"))?;
        if status.success() {
            return Ok(());
        }
        let log = std::fs::read_to_string(&log).unwrap_or_default();
        Err(format!("PostgreSQL did not start ({status})\n{log}"))
    }

    /// Where it answers; its only user needs no password.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A folder that lasts as long as the server.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Ends it as the power goes, and starts it again on what it left.
    pub(crate) fn crash(&self) -> Outcome<()> {
        process::run_quietly(
            self.program("pg_ctl")
                .args(["stop", "--wait", "--mode=immediate", "--silent", "--pgdata"])
                .arg(self.data()),
        )?;
        self.launch()
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = if tools::is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        command.current_dir(&self.folder);
        command
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let stopped = process::run_quietly(
            self.program("pg_ctl")
                .args(["stop", "--mode=immediate", "--silent", "--pgdata"])
                .arg(self.data()),
        );
        if let Err(error) = stopped {
            crate::complain(&format!("warning: {error}\n"));
        }
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            crate::complain(&format!("warning: {}: {error}\n", self.folder.display()));
        }
    }
}

/// Runs a command with a server of its own.
pub(crate) fn run_command(command: &[String]) -> Outcome<()> {
    let server = Server::start()?;
    let (program, arguments) = command.split_first().ok_or("no command was given")?;
    process::run(Command::new(program).args(arguments).env(VARIABLE, server.url()))
}

fn free_port() -> Outcome<u16> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("no free port on loopback: {error}"))
}
