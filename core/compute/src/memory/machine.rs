//! How much memory the system lets this process use.
//!
//! Crates that know control groups (sysinfo, for one) look at the root of the hierarchy only. A limit may be on any group
//! on the way to it, as systemd and Slurm set them.

use rustix::process::{Resource, getrlimit};
use std::fs;
use std::path::{Path, PathBuf};

/// What limits a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Limit {
    /// Nothing but the machine's memory.
    Machine,
    /// A control group, by this file.
    Group(PathBuf),
    /// `ulimit -v`.
    AddressSpace,
}

/// Bytes if the system says nothing, which no system does.
const UNKNOWN: u64 = 4 << 30;

/// Reads a file; `None` if there is none.
type Read<'a> = &'a dyn Fn(&Path) -> Option<String>;

fn text(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// The groups of this process.
fn own_folders() -> Vec<(&'static Version, PathBuf)> {
    folders(&text("/proc/self/cgroup"), &text("/proc/self/mountinfo"))
}

/// The limit of the address space in bytes.
fn address_space() -> Option<u64> {
    getrlimit(Resource::As).current
}

/// The least limit, in bytes, and what sets it.
pub(super) fn limit() -> (u64, Limit) {
    let machine = (memory(&text("/proc/meminfo"), "MemTotal:").unwrap_or(UNKNOWN), Limit::Machine);
    let groups = group(&own_folders(), &|path| fs::read_to_string(path).ok());
    let space = address_space().map(|bytes| (bytes, Limit::AddressSpace));
    let least = [groups, space].into_iter().flatten().min_by_key(|(bytes, _)| *bytes);
    // A limit beyond the machine's memory is none.
    least.filter(|(bytes, _)| *bytes < machine.0).unwrap_or(machine)
}

/// Bytes that processes may take now: what is free on the machine, or less if a control group of this process has less left, or
/// no process may have as much.
pub(super) fn free() -> u64 {
    let machine = memory(&text("/proc/meminfo"), "MemAvailable:").unwrap_or(UNKNOWN);
    let groups = left(&own_folders(), &|path| fs::read_to_string(path).ok());
    [groups, address_space()].into_iter().flatten().fold(machine, u64::min)
}

/// A field of `/proc/meminfo` in bytes.
fn memory(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// A version of control groups: the kind of its file system, and its files.
struct Version {
    kind: &'static str,
    /// The limits; whichever is least holds.
    limits: &'static [&'static str],
    /// What the group uses, with the pages of files.
    used: &'static str,
    /// The field of `memory.stat` with those of these pages that are given back when memory is asked for.
    cached: &'static str,
}

/// The first version, whose memory controller is a hierarchy of its own.
const V1: Version = Version {
    kind: "cgroup",
    limits: &["memory.limit_in_bytes"],
    used: "memory.usage_in_bytes",
    cached: "total_inactive_file",
};

/// The second version, with one hierarchy.
const V2: Version = Version {
    kind: "cgroup2",
    limits: &["memory.max", "memory.high"],
    used: "memory.current",
    cached: "inactive_file",
};

/// The groups that a process is in, and those that hold these, each before the one that holds it. `groups` is
/// `/proc/self/cgroup`, `mounts` is `/proc/self/mountinfo`.
fn folders(groups: &str, mounts: &str) -> Vec<(&'static Version, PathBuf)> {
    let mut all = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(number), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let version = match (number, controllers) {
            ("0", "") => &V2,
            (_, names) if names.split(',').any(|name| name == "memory") => &V1,
            _ => continue,
        };
        let Some((root, mount)) = mounted(mounts, version.kind) else { continue };
        // Within a container, the group's path may begin above what is mounted.
        let below = Path::new(path).strip_prefix(&root).or_else(|_| Path::new(path).strip_prefix("/"));
        let own = mount.join(below.unwrap_or(Path::new("")));
        let on_the_way = own.ancestors().take_while(|folder| folder.starts_with(&mount));
        all.extend(on_the_way.map(|folder| (version, folder.to_path_buf())));
    }
    all
}

/// A number in a file. `max` is none, and no limit.
fn number(read: Read<'_>, file: &Path) -> Option<u64> {
    read(file)?.trim().parse().ok()
}

/// The least limit of these groups, and the file that says so.
fn group(folders: &[(&Version, PathBuf)], read: Read<'_>) -> Option<(u64, Limit)> {
    let files =
        folders.iter().flat_map(|(version, folder)| version.limits.iter().map(|file| folder.join(file)));
    let limits = files.filter_map(|file| Some((number(read, &file)?, file)));
    limits.min_by_key(|(bytes, _)| *bytes).map(|(bytes, file)| (bytes, Limit::Group(file)))
}

/// What the tightest of these groups has left.
fn left(folders: &[(&Version, PathBuf)], read: Read<'_>) -> Option<u64> {
    let of = |(version, folder): &(&Version, PathBuf)| {
        let limit = version.limits.iter().filter_map(|file| number(read, &folder.join(file))).min()?;
        let used = number(read, &folder.join(version.used))?;
        let cached = read(&folder.join("memory.stat")).and_then(|text| {
            let mut fields = text.lines().filter_map(|line| line.split_once(' '));
            fields.find(|(name, _)| *name == version.cached)?.1.trim().parse::<u64>().ok()
        });
        Some(limit.saturating_sub(used.saturating_sub(cached.unwrap_or(0))))
    };
    folders.iter().filter_map(of).min()
}

/// Which group is mounted where, for a hierarchy of this kind; of the first version, that of the memory controller.
fn mounted(mounts: &str, kind: &str) -> Option<(PathBuf, PathBuf)> {
    mounts.lines().find_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let mut fields = before.split(' ').skip(3);
        let (root, mount) = (fields.next()?, fields.next()?);
        let mut after = after.split(' ');
        let fits = after.next()? == kind
            && (kind == "cgroup2" || after.nth(1)?.split(',').any(|option| option == "memory"));
        fits.then(|| (PathBuf::from(root), PathBuf::from(mount)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    const FIRST: &str = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n";
    const SECOND: &str = "41 31 0:38 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";

    fn found(groups: &str, mounts: &str, files: &[(&str, &str)]) -> Option<(u64, PathBuf)> {
        let files: BTreeMap<&Path, &str> =
            files.iter().map(|(path, text)| (Path::new(*path), *text)).collect();
        let read = |path: &Path| files.get(path).map(|text| (*text).to_owned());
        group(&folders(groups, mounts), &read).map(|(bytes, limit)| match limit {
            Limit::Group(file) => (bytes, file),
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn limits_of_both_versions_are_found_on_any_group_on_the_way() {
        let files = [
            ("/sys/fs/cgroup/user.slice/job/memory.max", "max\n"),
            ("/sys/fs/cgroup/user.slice/memory.max", "4096000000\n"),
            ("/sys/fs/cgroup/user.slice/memory.high", "3000000000\n"),
        ];
        let high = ("/sys/fs/cgroup/user.slice/memory.high").into();
        assert_eq!(found("0::/user.slice/job\n", SECOND, &files), Some((3_000_000_000, high)));
        let groups = "5:devices:/x\n4:memory:/box/job\n0::/\n";
        let files = [
            ("/sys/fs/cgroup/memory/box/job/memory.limit_in_bytes", "9223372036854771712\n"),
            ("/sys/fs/cgroup/memory/box/memory.limit_in_bytes", "2000000000\n"),
        ];
        let limited = ("/sys/fs/cgroup/memory/box/memory.limit_in_bytes").into();
        assert_eq!(found(groups, FIRST, &files), Some((2_000_000_000, limited)));
        assert_eq!(found("0::/user.slice/job\n", SECOND, &[]), None);
        assert_eq!(found("", "", &[]), None);
        assert_eq!(found("nonsense\n0:\n", "a - b\n", &[]), None);
    }

    #[test]
    fn a_container_sees_its_own_group_as_the_root() {
        let mounts = "35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup ro,memory\n";
        let files = [("/sys/fs/cgroup/memory/memory.limit_in_bytes", "1000000000\n")];
        let file: PathBuf = ("/sys/fs/cgroup/memory/memory.limit_in_bytes").into();
        assert_eq!(found("4:memory:/docker/abc\n", mounts, &files), Some((1_000_000_000, file)));
    }

    #[test]
    fn what_is_left_is_what_the_tightest_group_on_the_way_has_left() {
        let left = |groups: &str, mounts: &str, files: &[(&str, &str)]| {
            let files: BTreeMap<&Path, &str> =
                files.iter().map(|(path, text)| (Path::new(*path), *text)).collect();
            left(&folders(groups, mounts), &|path| files.get(path).map(|text| (*text).to_owned()))
        };
        // The job has no limit; its slice has, and pages of files do not count.
        let files = [
            ("/sys/fs/cgroup/user.slice/job/memory.max", "max\n"),
            ("/sys/fs/cgroup/user.slice/job/memory.current", "900\n"),
            ("/sys/fs/cgroup/user.slice/memory.max", "4096\n"),
            ("/sys/fs/cgroup/user.slice/memory.high", "4000\n"),
            ("/sys/fs/cgroup/user.slice/memory.current", "3500\n"),
            ("/sys/fs/cgroup/user.slice/memory.stat", "anon 1000\ninactive_file 2500\nactive_file 7\n"),
        ];
        assert_eq!(left("0::/user.slice/job\n", SECOND, &files), Some(3000));
        assert_eq!(left("0::/user.slice/job\n", SECOND, &files[..5]), Some(500));
        assert_eq!(left("0::/user.slice/job\n", SECOND, &files[..2]), None);
        let files = [
            ("/sys/fs/cgroup/memory/box/memory.limit_in_bytes", "5000\n"),
            ("/sys/fs/cgroup/memory/box/memory.usage_in_bytes", "6000\n"),
            ("/sys/fs/cgroup/memory/box/memory.stat", "inactive_file 1\ntotal_inactive_file 1200\n"),
        ];
        assert_eq!(left("4:memory:/box\n", FIRST, &files), Some(200));
        assert_eq!(left("4:memory:/box\n", FIRST, &files[..2]), Some(0));
    }

    #[test]
    fn the_machine_has_memory() {
        let text = "MemTotal:       24689664 kB\nMemFree: 1 kB\n";
        assert_eq!(memory(text, "MemTotal:"), Some(24_689_664 << 10));
        assert_eq!(memory(text, "MemAvailable:"), None);
        assert!(limit().0 > 1 << 20);
        assert!((1..=limit().0).contains(&free()));
    }
}
