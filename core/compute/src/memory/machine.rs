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

/// The least limit, in bytes, and what sets it.
pub(super) fn limit() -> (u64, Limit) {
    let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let machine = (memory(&text("/proc/meminfo")).unwrap_or(UNKNOWN), Limit::Machine);
    let read = |path: &Path| fs::read_to_string(path).ok();
    let groups = group(&text("/proc/self/cgroup"), &text("/proc/self/mountinfo"), &read);
    let space = getrlimit(Resource::As).current.map(|bytes| (bytes, Limit::AddressSpace));
    let least = [groups, space].into_iter().flatten().min_by_key(|(bytes, _)| *bytes);
    // A limit beyond the machine's memory is none.
    least.filter(|(bytes, _)| *bytes < machine.0).unwrap_or(machine)
}

/// The machine's memory, from `/proc/meminfo`.
fn memory(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

/// The least limit of the groups that a process is in, and the file that says so: of the memory controller of the first
/// version, and of the second version. `groups` is `/proc/self/cgroup`, `mounts` is `/proc/self/mountinfo`.
fn group(groups: &str, mounts: &str, read: &dyn Fn(&Path) -> Option<String>) -> Option<(u64, Limit)> {
    let mut least: Option<(u64, PathBuf)> = None;
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(number), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let (kind, files): (_, &[&str]) = match (number, controllers) {
            ("0", "") => ("cgroup2", &["memory.max", "memory.high"]),
            (_, names) if names.split(',').any(|name| name == "memory") => {
                ("cgroup", &["memory.limit_in_bytes"])
            }
            _ => continue,
        };
        let Some((root, mount)) = mounted(mounts, kind) else { continue };
        // Within a container, the group's path may begin above what is mounted.
        let below = Path::new(path).strip_prefix(&root).or_else(|_| Path::new(path).strip_prefix("/"));
        let own = mount.join(below.unwrap_or(Path::new("")));
        for folder in own.ancestors().take_while(|folder| folder.starts_with(&mount)) {
            for file in files.iter().map(|file| folder.join(file)) {
                // `max` is no number, and no limit.
                let bytes = read(&file).and_then(|text| text.trim().parse::<u64>().ok());
                if let Some(bytes) = bytes
                    && least.as_ref().is_none_or(|(least, _)| bytes < *least)
                {
                    least = Some((bytes, file));
                }
            }
        }
    }
    least.map(|(bytes, file)| (bytes, Limit::Group(file)))
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
        group(groups, mounts, &read).map(|(bytes, limit)| match limit {
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
    fn the_machine_has_memory() {
        assert_eq!(memory("MemTotal:       24689664 kB\nMemFree: 1 kB\n"), Some(24_689_664 << 10));
        assert_eq!(memory("MemFree: 1 kB\n"), None);
        assert!(limit().0 > 1 << 20);
    }
}
