//! What a worker may do to everything else, where the kernel can forbid it (Landlock): it writes nothing outside of
//! temporary folders, caches and its own folder, sends no signals to others, and uses no network unless it may.

use landlock::{
    ABI, Access, AccessFs, AccessNet, RestrictionStatus, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetError, RulesetStatus, Scope, path_beneath_rules,
};
use std::env;
use std::path::{Path, PathBuf};

/// Confines this thread, the threads it starts, and what it becomes. Kernels that cannot do all of it do what they can.
///
/// # Errors
/// When the kernel refuses the rules.
pub(super) fn confine(folder: Option<&Path>, network: bool) -> Result<RulesetStatus, String> {
    restrict(folder, network).map(|status| status.ruleset).map_err(|error| error.to_string())
}

fn restrict(folder: Option<&Path>, network: bool) -> Result<RestrictionStatus, RulesetError> {
    // The first version in which cutting a file short counts as writing.
    let write = AccessFs::from_write(ABI::V3);
    let mut rules = Ruleset::default().handle_access(write)?.scope(Scope::Signal)?;
    if !network {
        rules = rules.handle_access(AccessNet::from_all(ABI::V4))?;
    }
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".cache")));
    let temporary = [env::temp_dir(), "/tmp".into(), "/var/tmp".into(), "/dev".into()];
    let writable = temporary.into_iter().chain(cache).chain(folder.map(Path::to_path_buf));
    // A file has fewer rights than a folder; all of these are folders, if they exist.
    rules.create()?.add_rules(path_beneath_rules(writable, write))?.restrict_self()
}

/// How far this kernel confines workers: a trial in a thread that ends.
pub fn confinement() -> Confinement {
    let tried = std::thread::spawn(|| confine(None, false)).join();
    match tried {
        Ok(Ok(RulesetStatus::FullyEnforced)) => Confinement::Full,
        Ok(Ok(RulesetStatus::PartiallyEnforced)) => Confinement::Partial,
        _ => Confinement::None,
    }
}

/// How far workers are confined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confinement {
    /// They write only to temporary folders, caches and their own folder, signal nobody else, and use no network.
    Full,
    /// The kernel can forbid a part of that.
    Partial,
    /// The kernel cannot, or does not allow it.
    None,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confined_thread_writes_and_connects_only_where_it_may() {
        if confinement() != Confinement::Full {
            return;
        }
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let temp = tempfile::tempdir().unwrap();
        // Beside the sources, which is not a temporary folder; nothing is left there.
        let outside = Path::new(env!("CARGO_MANIFEST_DIR")).join("never-written");
        let inside = temp.path().join("file");
        let tried = std::thread::spawn(move || {
            confine(None, false).unwrap();
            let connected = std::net::TcpStream::connect(address);
            (std::fs::write(&outside, "x"), std::fs::write(inside, "x"), connected)
        });
        let (outside, inside, connected) = tried.join().unwrap();
        assert_eq!(connected.unwrap_err().kind(), std::io::ErrorKind::PermissionDenied);
        assert_eq!(outside.unwrap_err().kind(), std::io::ErrorKind::PermissionDenied);
        inside.unwrap();
    }
}
