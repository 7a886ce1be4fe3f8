//! What the operating system says of this process, under the names that Prometheus's own clients use. Where `/proc` is
//! not there, nothing is said.

use std::fs;

/// What is told.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) resident_bytes: i64,
    pub(super) virtual_bytes: i64,
    pub(super) open_fds: i64,
    pub(super) max_fds: i64,
    pub(super) threads: i64,
    /// Processor time, in milliseconds.
    pub(super) cpu_ms: u64,
}

/// How long a tick of the kernel's accounting is: a hundred a second on every Linux that there is.
const TICK_MS: u64 = 10;

/// Looks now.
pub(super) fn look() -> Process {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let open_fds = fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    Process {
        resident_bytes: kibibytes(&status, "VmRSS:"),
        virtual_bytes: kibibytes(&status, "VmSize:"),
        open_fds: i64::try_from(open_fds).unwrap_or(i64::MAX),
        max_fds: max_fds(&limits),
        threads: number(&status, "Threads:"),
        cpu_ms: cpu_ms(&stat),
    }
}

fn number(status: &str, name: &str) -> i64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

fn kibibytes(status: &str, name: &str) -> i64 {
    number(status, name).saturating_mul(1024)
}

fn max_fds(limits: &str) -> i64 {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// The 14th and 15th member; the second is the program's name, which may hold anything, in parentheses.
fn cpu_ms(stat: &str) -> u64 {
    let members: Vec<&str> = stat
        .rsplit_once(')')
        .map(|(_, rest)| rest.split_whitespace().collect())
        .unwrap_or_default();
    let ticks = |at: usize| members.get(at).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
    ticks(11).saturating_add(ticks(12)).saturating_mul(TICK_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_says_is_read() {
        let status = "Name:\tkassa\nVmSize:\t  2048 kB\nVmRSS:\t  1024 kB\nThreads:\t7\n";
        assert_eq!(kibibytes(status, "VmRSS:"), 1_048_576);
        assert_eq!(number(status, "Threads:"), 7);
        assert_eq!(number(status, "VmSwap:"), 0);
        assert_eq!(
            max_fds("Max open files            1024                 4096                 files\n"),
            1024
        );
        let stat = "42 (a ) b) S 1 1 1 0 -1 0 0 0 0 0 150 50 0 0 20 0 7 0 1 1 1";
        assert_eq!(cpu_ms(stat), 2_000);
        assert_eq!(cpu_ms(""), 0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_memory_files_and_threads() {
        let process = look();
        assert!(process.resident_bytes > 0 && process.open_fds > 0 && process.threads > 0);
        assert!(process.max_fds > 0, "{process:?}");
    }
}
