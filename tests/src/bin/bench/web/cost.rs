//! Processor time of servers, which depends less than their speed does on who else uses the machine. Refuses to leave
//! out the processes that a server has started.

use std::{fs, time::Duration};

/// What the kernel counts in, on every Linux.
const TICKS: u64 = 100;

/// Processor time that these processes have had, with all below them.
pub(crate) fn of(pids: &[u32]) -> Duration {
    Duration::from_millis(pids.iter().map(|pid| ticks(&pid.to_string())).sum::<u64>() * 1000 / TICKS)
}

fn ticks(pid: &str) -> u64 {
    // Those that have ended meanwhile are counted by whoever started them.
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return 0 };
    // Behind the name, which may hold anything: of itself by program and kernel, and of children that have ended.
    let (_, fields) = stat.rsplit_once(')').expect("the name is in brackets");
    let own: u64 =
        fields.split_whitespace().skip(11).take(4).filter_map(|field| field.parse::<u64>().ok()).sum();
    own + children(pid).iter().map(|child| ticks(child)).sum::<u64>()
}

/// The processes that a process has started, by any of its threads.
pub(crate) fn children(pid: &str) -> Vec<String> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists.flat_map(|list| list.split_whitespace().map(str::to_owned).collect::<Vec<_>>()).collect()
}
