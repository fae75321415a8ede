//! Who else is in a group, and so can write to what the group can write to.

use std::path::Path;
use std::sync::OnceLock;

/// Shells of accounts that cannot log in.
const NO_LOGIN: [&str; 5] = ["nologin", "false", "sync", "shutdown", "halt"];

/// The accounts and groups of this machine.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    /// Name, number, and number of the own group of each account that can log in.
    accounts: Vec<(String, u32, u32)>,
    /// Name, number and members of each group.
    groups: Vec<(String, u32, Vec<String>)>,
}

impl Groups {
    /// Those of `/etc/passwd` and `/etc/group`, read once.
    pub(crate) fn of_machine() -> &'static Groups {
        static GROUPS: OnceLock<Groups> = OnceLock::new();
        let read = |path: &str| std::fs::read_to_string(Path::new(path)).unwrap_or_default();
        GROUPS.get_or_init(|| Groups::parse(&read("/etc/passwd"), &read("/etc/group")))
    }

    fn parse(passwd: &str, group: &str) -> Groups {
        let account = |line: &str| {
            let fields: Vec<&str> = line.split(':').collect();
            let shell = fields.get(6)?.rsplit('/').next()?;
            let number = |index: usize| fields.get(index)?.parse().ok();
            (!NO_LOGIN.contains(&shell)).then_some((fields.first()?.to_string(), number(2)?, number(3)?))
        };
        let group_of = |line: &str| {
            let fields: Vec<&str> = line.split(':').collect();
            let members = fields.get(3)?.split(',').filter(|name| !name.is_empty()).map(str::to_owned);
            Some((fields.first()?.to_string(), fields.get(2)?.parse().ok()?, members.collect()))
        };
        let accounts = passwd.lines().filter_map(account).collect();
        Groups { accounts, groups: group.lines().filter_map(group_of).collect() }
    }

    /// Whether all who are in a group are among these users: a private group, as many systems make one for each user. One
    /// that is not listed here, such as a network's, is private by the habit of giving it the number of its user.
    pub(crate) fn is_private(&self, group: u32, users: &[u32]) -> bool {
        let Some((_, _, members)) = self.groups.iter().find(|(_, number, _)| *number == group) else {
            return users.contains(&group);
        };
        let trusted = |name: &String| match self.accounts.iter().find(|(known, ..)| known == name) {
            Some((_, number, _)) => users.contains(number),
            // One that is only known elsewhere.
            None => false,
        };
        members.iter().all(trusted)
            && self.accounts.iter().all(|(_, user, own)| *own != group || users.contains(user))
    }

    /// The name of a group, or its number.
    pub(crate) fn name(&self, group: u32) -> String {
        let known = self.groups.iter().find(|(_, number, _)| *number == group);
        known.map_or_else(|| group.to_string(), |(name, ..)| name.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_group_has_no_one_else_in_it() {
        let passwd = "root:x:0:0:root:/root:/bin/bash\n\
            halt:x:7:0:halt:/sbin:/sbin/halt\n\
            daemon:x:2:100::/:/usr/sbin/nologin\n\
            ann:x:1000:1000::/home/ann:/bin/zsh\n\
            ben:x:1001:1001::/home/ben:/bin/sh\n\
            cleo:x:1002:200::/home/cleo:/bin/sh\n\
            broken line\n";
        let group = "root:x:0:\nann:x:1000:\nben:x:1001:ann\nlab:x:100:ann,ben\nguests:x:200:\n\
            staff:x:50:\nfar:x:51:someone\nown:x:52:ann,root\n";
        let groups = Groups::parse(passwd, group);
        let private = |group: u32| groups.is_private(group, &[1000, 0]);
        assert!(private(1000), "of the user");
        assert!(private(0), "of root; accounts that cannot log in do not count");
        assert!(private(50), "without members");
        assert!(private(52), "with members who are trusted");
        for (group, why) in [
            (1001, "of another user, even if the user is in it"),
            (100, "with another member"),
            (200, "the own group of another user"),
            (51, "with a member who is not known here"),
            (4711, "not known here"),
        ] {
            assert!(!private(group), "{group}: {why}");
        }
        assert!(groups.is_private(5000, &[5000]), "of a user of the network, by its number");
        assert_eq!((groups.name(100), groups.name(4711)), ("lab".to_owned(), "4711".to_owned()));
    }
}
