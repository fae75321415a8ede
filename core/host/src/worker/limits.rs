//! How much a worker may use.

use chaffinch_compute::memory::free;
use std::fmt;
use std::time::Duration;

/// What a worker may use before it is ended. The defaults are generous: they are there for what never ends.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// How long a run may take, apart from what the engine computes for it; by default [`Limits::time_for`].
    pub time: Option<Duration>,
    /// Bytes of memory of its own, with its children and without what is lent to it; by default three quarters of what is
    /// free when it starts.
    pub memory: Option<u64>,
    /// Whether it may use the network.
    pub network: bool,
    /// Whether the time is what the detector asks for in its `detector.toml`, where the user's setting changes nothing.
    pub own_time: bool,
    /// The same for the memory.
    pub own_memory: bool,
    /// Whether they hold for a check of the detector alone, in which the user's settings do not count.
    pub checking: bool,
}

/// A run that says nothing for this long, and this much longer for each sample, is taken to hang.
const SILENCE: (Duration, Duration) = (Duration::from_secs(60), Duration::from_millis(20));
/// How long a run may take by default, and how much longer for each sample.
const TIME: (Duration, Duration) = (Duration::from_secs(600), Duration::from_millis(100));
/// What is written before it counts as a flood, and how much more for each sample.
const OUTPUT: (u64, u64) = (64 << 20, 4 << 10);
/// The longest line, and how much longer for each sample.
const LINE: (u64, u64) = (16 << 20, 32);
/// The least that a worker gets by default.
const LEAST_MEMORY: u64 = 512 << 20;

impl fmt::Display for Limits {
    /// `600 s and 0.1 s per sample, three quarters of the free memory, no network`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.time {
            Some(time) => write!(f, "{} s", time.as_secs_f64())?,
            None => write!(f, "{} s and {} s per sample", TIME.0.as_secs(), TIME.1.as_secs_f64())?,
        }
        match self.memory {
            Some(bytes) => write!(f, ", {} of memory", bytesize::ByteSize::b(bytes))?,
            None => write!(f, ", three quarters of the free memory")?,
        }
        write!(f, ", {}", if self.network { "network" } else { "no network" })
    }
}

impl Limits {
    /// Bytes of an amount such as `8GiB`; `None` if it is none.
    pub fn bytes(amount: &str) -> Option<u64> {
        amount.parse::<bytesize::ByteSize>().ok().map(|size| size.as_u64())
    }

    /// These, or else those of `other`, which are the user's.
    #[must_use]
    pub fn or(&self, other: &Limits) -> Limits {
        Limits {
            own_time: self.own_time || self.time.is_some(),
            own_memory: self.own_memory || self.memory.is_some(),
            time: self.time.or(other.time),
            memory: self.memory.or(other.memory),
            network: self.network || other.network,
            checking: self.checking || other.checking,
        }
    }

    /// What moves the limit of time, and what that of memory, as the end of a sentence about either.
    pub(super) fn advice(&self) -> (String, String) {
        let of = |own: bool, key: &str, setting: &str| match own {
            true => format!(", its limit ({key} under [limits] in its detector.toml moves it)"),
            false => format!(", its limit ({setting} moves it)"),
        };
        let (time, memory) = match self.checking {
            true => ("--limit of plugins check", "memory under [limits] in its detector.toml"),
            false => ("time-limit under [plugins]", "memory-limit under [plugins]"),
        };
        (of(self.own_time, "time", time), of(self.own_memory, "memory", memory))
    }

    /// How long a run on this many samples may take.
    pub fn time_for(&self, samples: usize) -> Duration {
        self.time.unwrap_or(TIME.0 + TIME.1 * samples as u32)
    }

    /// How long a run on this many samples may go without a message.
    pub(super) fn silence_for(&self, samples: usize) -> Duration {
        // Who allows hours allows silence, too.
        (SILENCE.0 + SILENCE.1 * samples as u32)
            .max(self.time.unwrap_or_default())
            .min(self.time_for(samples))
    }

    /// How many bytes it may use.
    pub(super) fn memory(&self) -> u64 {
        self.memory.unwrap_or_else(|| (free() / 4 * 3).max(LEAST_MEMORY))
    }

    /// How many bytes it may write.
    pub(super) fn output(samples: usize) -> u64 {
        OUTPUT.0 + OUTPUT.1 * samples as u64
    }

    /// How long a line may be.
    pub(super) fn line(samples: usize) -> usize {
        (LINE.0 + LINE.1 * samples as u64) as usize
    }
}

fn kibibytes(text: &str) -> Option<u64> {
    text.trim().trim_end_matches("kB").trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// Bytes of memory that a process has to itself, in memory or swapped out; `None` if it is gone.
pub(super) fn own_memory(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let of = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).and_then(kibibytes);
    Some(of("RssAnon:")? + of("VmSwap:").unwrap_or(0))
}

/// Processes of the group of this process, without itself.
pub(super) fn group_of(pid: u32) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok());
    let same = |&other: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{other}/stat")).unwrap_or_default();
        // The name in parentheses may contain anything; then come state, parent and group.
        let group = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(2)?.parse().ok());
        other != pid && group == Some(pid)
    };
    pids.filter(same).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_samples_may_take_longer_and_what_is_set_counts() {
        let limits = Limits::default();
        assert!(limits.time_for(1_000_000) > limits.time_for(10));
        assert!(limits.silence_for(10) < limits.time_for(10));
        let set = Limits { time: Some(Duration::from_secs(2)), memory: Some(7), ..Limits::default() };
        assert_eq!(
            (set.time_for(10), set.silence_for(10), set.memory()),
            (Duration::from_secs(2), Duration::from_secs(2), 7)
        );
        assert_eq!(limits.or(&set), set);
        assert!(set.or(&limits).own_time && !limits.or(&set).own_time);
        assert!(set.or(&limits).own_memory && !limits.or(&set).own_memory);
        let checked = Limits { checking: true, ..set.clone() };
        assert!(limits.or(&checked).advice().0.contains("--limit of plugins check moves it"));
        assert!(set.or(&checked).advice().0.contains("time under [limits] in its detector.toml moves it"));
        assert!(set.advice().1.contains("memory-limit under [plugins] moves it"));
        assert_eq!(
            limits.to_string(),
            "600 s and 0.1 s per sample, three quarters of the free memory, no network"
        );
        assert_eq!(
            Limits { network: true, memory: Some(2 << 30), ..set.clone() }.to_string(),
            "2 s, 2.0 GiB of memory, network"
        );
        let hours = Limits { time: Some(Duration::from_secs(7200)), ..Limits::default() };
        assert_eq!(hours.silence_for(10), Duration::from_secs(7200));
    }

    #[test]
    fn this_process_has_memory_of_its_own() {
        assert!(own_memory(std::process::id()).is_some_and(|bytes| bytes > 0));
    }
}
