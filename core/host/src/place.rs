//! Who could put something else in the place of a file: whoever owns or can write to anything on the way to it.

use super::PluginError;
use super::groups::Groups;
use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

/// The most links that a path may lead through, as in the kernel.
const LINKS: usize = 40;

/// Refuses a file or folder that anyone but the user and root can write to.
pub(super) fn check_owner(path: &Path) -> Result<(), PluginError> {
    let meta = fs::metadata(path).map_err(|reason| PluginError::Unreadable { path: path.into(), reason })?;
    check(path, &meta, &trusted())
}

/// The same for what came with the program, whose group may be that of those who keep it: they could change the program
/// as well.
pub(super) fn check_own(path: &Path) -> Result<(), PluginError> {
    match check_owner(path) {
        Err(PluginError::GroupWritable { .. }) => Ok(()),
        checked => checked,
    }
}

/// Refuses what [`check_owner`] refuses, and what others can put something else in the place of: every folder on the way
/// to it, and every link on the way and what it leads to, is checked like the file.
pub(super) fn check_place(path: &Path) -> Result<(), PluginError> {
    check_owner(path)?;
    let unreadable = |path: &Path| {
        let path = path.to_path_buf();
        move |reason| PluginError::Unreadable { path, reason }
    };
    let whole = std::path::absolute(path).map_err(unreadable(path))?;
    let mut ahead = parts(&whole);
    let mut here = PathBuf::from("/");
    let trusted = trusted_above();
    check(&here, &fs::metadata(&here).map_err(unreadable(&here))?, &trusted)?;
    let mut links = 0;
    while let Some(part) = ahead.pop_front() {
        if part == ".." {
            here.pop();
            continue;
        }
        let next = here.join(&part);
        let meta = fs::symlink_metadata(&next).map_err(unreadable(&next))?;
        if !meta.is_symlink() {
            check(&next, &meta, &trusted)?;
            here = next;
            continue;
        }
        // Whoever owns a link decides where it leads.
        owned(&next, &meta, &trusted)?;
        links += 1;
        if links > LINKS {
            let reason = std::io::Error::other("too many symbolic links");
            return Err(PluginError::Unreadable { path: path.into(), reason });
        }
        let target = fs::read_link(&next).map_err(unreadable(&next))?;
        if target.is_absolute() {
            here = PathBuf::from("/");
        }
        parts(&target).into_iter().rev().for_each(|part| ahead.push_front(part));
    }
    Ok(())
}

/// The names in a path, in order.
fn parts(path: &Path) -> VecDeque<OsString> {
    let named = |part: Component<'_>| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    };
    path.components().filter_map(named).collect()
}

/// Refuses what belongs to someone else, and what others can write to: everyone, or a group with others in it, as ssh
/// does with its files. In a sticky folder, such as the system's temporary one, they cannot replace what is not theirs, and
/// what is in it is checked by itself.
fn check(path: &Path, meta: &Metadata, trusted: &[u32]) -> Result<(), PluginError> {
    owned(path, meta, trusted)?;
    if meta.is_dir() && meta.mode() & 0o1000 != 0 {
        return Ok(());
    }
    let (path, mode) = (path.into(), meta.mode() & 0o7777);
    if mode & 0o002 != 0 {
        return Err(PluginError::Writable { path, mode });
    }
    let groups = Groups::of_machine();
    if mode & 0o020 != 0 && !groups.is_private(meta.gid(), trusted) {
        return Err(PluginError::GroupWritable { path, mode, group: groups.name(meta.gid()) });
    }
    Ok(())
}

fn owned(path: &Path, meta: &Metadata, trusted: &[u32]) -> Result<(), PluginError> {
    match trusted.contains(&meta.uid()) {
        true => Ok(()),
        false => Err(PluginError::Foreign { path: path.into(), owner: meta.uid() }),
    }
}

/// Whose files are trusted: the user's, root's, and those of whoever the program belongs to, who could change it as well.
fn trusted() -> Vec<u32> {
    let user = rustix::process::geteuid().as_raw();
    let program = fs::metadata("/proc/self/exe").map_or(user, |meta| meta.uid());
    vec![user, 0, program]
}

/// The same for folders above. In a container, users of the machine that the container has no number for, its root among
/// them, are all one.
fn trusted_above() -> Vec<u32> {
    let mut trusted = trusted();
    let map = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    let whole = map.split_whitespace().eq(["0", "0", "4294967295"]);
    let overflow = fs::read_to_string("/proc/sys/kernel/overflowuid").ok();
    trusted.extend(overflow.filter(|_| !whole).and_then(|text| text.trim().parse::<u32>().ok()));
    trusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn folder(path: &Path, mode: u32) {
        fs::create_dir_all(path).unwrap();
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn what_a_group_can_write_to_depends_on_who_is_in_it() {
        let temp = tempfile::tempdir().unwrap();
        let folder_of = |name: &str, mode: u32, group: Option<u32>| {
            let path = temp.path().join(name);
            folder(&path, mode);
            if let Some(group) = group {
                std::os::unix::fs::chown(&path, None, Some(group)).unwrap();
                fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            }
            check_place(&path)
        };
        let gid = rustix::process::getegid().as_raw();
        let private = Groups::of_machine().is_private(gid, &trusted());
        assert_eq!(folder_of("own", 0o775, None).is_ok(), private);
        // Only root can give a folder to a group that it is not in; one of this number is in no list.
        if rustix::process::geteuid().is_root() {
            let error = folder_of("others", 0o2775, Some(54_321)).unwrap_err();
            assert!(matches!(error, PluginError::GroupWritable { mode: 0o2775, .. }), "{error}");
            let error = error.to_string();
            assert!(error.contains("the group 54321") && error.contains("chmod g-w /"), "{error}");
            folder_of("readable", 0o755, Some(54_321)).unwrap();
            folder_of("sticky", 0o3775, Some(54_321)).unwrap();
            check_own(&temp.path().join("others")).unwrap();
        }
        let error = folder_of("open", 0o777, None).unwrap_err().to_string();
        assert!(error.contains("chmod go-w /"), "{error}");
    }

    #[test]
    fn every_folder_on_the_way_counts_and_so_do_those_of_links() {
        let temp = tempfile::tempdir().unwrap();
        let at = |name: &str| temp.path().join(name);
        folder(&at("good/inner"), 0o755);
        folder(&at("open"), 0o777);
        folder(&at("open/inner"), 0o755);
        folder(&at("sticky"), 0o1777);
        folder(&at("sticky/inner"), 0o755);
        for place in ["good", "open", "sticky"] {
            fs::write(at(place).join("inner/file"), "x").unwrap();
        }
        let open = |path: &Path| matches!(check_place(path), Err(PluginError::Writable { .. }));
        check_place(&at("good/inner/file")).unwrap();
        check_place(&at("sticky/inner/file")).unwrap();
        assert!(open(&at("open/inner/file")));
        // By way of a folder that others can write to, and to one.
        symlink(at("good/inner"), at("open/link")).unwrap();
        symlink(at("open/inner"), at("good/link")).unwrap();
        symlink("../good/inner/file", at("sticky/link")).unwrap();
        assert!(open(&at("open/link/file")));
        assert!(open(&at("good/link/file")));
        check_place(&at("sticky/link")).unwrap();
        symlink(at("good/round"), at("good/round")).unwrap();
        assert!(matches!(check_place(&at("good/round")), Err(PluginError::Unreadable { .. })));
    }
}
