//! One chromedriver as a child process, and the browser it starts.
//!
//! Both run in a process group of their own, which is ended by its number when the handle is
//! dropped: whatever a test does, nothing stays behind.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// How often it may choose a port that turns out to be taken.
const STARTS: usize = 8;

/// A running chromedriver.
#[derive(Debug)]
pub(super) struct Driver {
    child: Child,
    url: String,
}

impl Driver {
    /// Starts one on a port of its own choice. It takes the port for IPv4 and for IPv6, and gives
    /// up when somebody else has one of the two: then it chooses anew.
    pub(super) fn start() -> Self {
        let mut said = String::new();
        for _ in 0..STARTS {
            match Self::try_start() {
                Ok(driver) => return driver,
                Err(last_words) => said = last_words,
            }
        }
        panic!("chromedriver did not start, {STARTS} times; it said:\n{said}");
    }

    /// Starts one, or answers what it said instead.
    fn try_start() -> Result<Self, String> {
        let program = find("chromedriver", &["chromedriver"], "chromium-driver");
        let mut child = Command::new(program)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("chromedriver was found, so it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output is piped")).lines();
        let mut said = String::new();
        let port = lines.by_ref().map_while(Result::ok).find_map(|line| {
            let port = line.split("started successfully on port ").nth(1);
            let port = port.and_then(|rest| rest.trim_end_matches('.').parse::<u16>().ok());
            said.push_str(&line);
            said.push('\n');
            port
        });
        // Whatever else it says is read away, so that it never blocks on a full pipe.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        // From here on the handle ends it, whatever comes.
        let mut driver = Self { child, url: String::new() };
        driver.url = format!("http://127.0.0.1:{}", port.ok_or(said)?);
        Ok(driver)
    }

    /// Where it listens.
    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The number of its process group.
    pub(super) fn group(&self) -> u32 {
        self.child.id()
    }

    /// Ends it and its browser at once, without a goodbye.
    pub(super) fn kill(&mut self) {
        let group = format!("-{}", self.child.id());
        // `kill` and not `Child::kill`: the browser, which is a child of the child, must go too.
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The browser's program.
pub(super) fn chromium() -> PathBuf {
    find("Chromium", &["chromium", "chromium-browser", "google-chrome"], "chromium")
}

fn find(what: &str, names: &[&str], package: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path)
        .chain(["/usr/bin", "/usr/local/bin", "/usr/lib/chromium-browser"].map(PathBuf::from))
        .collect();
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| {
            panic!(
                "this test drives a real browser and {what} is not installed: install the Debian \
                 package `{package}` (or the like of your system), or run `cargo xtask test`, \
                 which installs it"
            )
        })
}
