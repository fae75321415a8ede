//! Memory of this process: how much it has used, how much it may use, and who may take how much of that now.
//!
//! A program chooses its [`Budget`] once, at its start ([`choose`]); everything that takes memory by the size of its input
//! asks [`shares`] for its part. What is decoded, and what is read to be decoded, is admitted byte by byte
//! ([`Ledger`]): pictures that do not fit beside each other are decoded one after the other.

mod budget;
mod ledger;
mod machine;

pub use budget::{Budget, Origin};
pub use ledger::{Ledger, Permit, TooLarge};

use std::sync::OnceLock;

/// Peak resident memory in bytes; 0 if the system does not report it.
pub fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
    kib.map_or(0, |kib| kib * 1024)
}

/// Bytes that this process and those that it starts may take now, by what the machine, their control groups and `ulimit -v`
/// have left.
pub fn free() -> u64 {
    machine::free()
}

/// What the program itself takes, with a bundled model and before the first picture.
const PROGRAM: u64 = 256 << 20;

static SHARES: OnceLock<Shares> = OnceLock::new();

/// The parts of a budget.
#[derive(Debug)]
pub struct Shares {
    budget: Budget,
    /// What the program itself leaves of it.
    left: u64,
    pictures: Ledger,
    files: Ledger,
}

impl Shares {
    fn new(budget: Budget) -> Shares {
        let left = budget.bytes.saturating_sub(PROGRAM);
        Shares { budget, left, pictures: Ledger::new(left / 8 * 5), files: Ledger::new(left / 8) }
    }

    /// The budget of which these are parts.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// For pixels, and what decoders need beside them.
    pub fn pictures(&self) -> &Ledger {
        &self.pictures
    }

    /// For the bytes of large files that are read as a whole.
    pub fn files(&self) -> &Ledger {
        &self.files
    }

    /// Bytes of a group of pictures that are prepared together for the model. Up to five groups are in memory.
    pub fn group(&self) -> usize {
        self.part(64, 128 << 20) as usize
    }

    /// Bytes up to which a matrix of vectors is in memory rather than in a file.
    pub fn matrix(&self) -> u64 {
        (self.budget.bytes / 4).min(4 << 30)
    }

    /// Bytes of mapped files beyond which pages that were read are given back.
    pub fn mapped(&self) -> usize {
        self.part(16, 256 << 20) as usize
    }

    /// Bytes of events that may wait for a terminal that does not read.
    pub fn events(&self) -> usize {
        self.part(32, 128 << 20) as usize
    }

    /// Bytes of whole pictures that are kept for the next look at a part of them.
    pub fn kept(&self) -> usize {
        self.part(16, 1 << 30) as usize
    }

    /// A part of what is left, up to a limit.
    fn part(&self, of: u64, most: u64) -> u64 {
        (self.left / of).min(most)
    }
}

/// Chooses the budget of this process. Returns whether it counts: the first choice does, before anything asked.
pub fn choose(budget: Budget) -> bool {
    SHARES.set(Shares::new(budget)).is_ok()
}

/// The parts of the budget of this process: the chosen one, or else that of the machine.
pub fn shares() -> &'static Shares {
    SHARES.get_or_init(|| Shares::new(Budget::of_machine()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_every_budget_are_less_than_it() {
        for mib in [512, 600, 1 << 10, 4 << 10, 1 << 20] {
            let shares = Shares::new(Budget::parse(&format!("{mib}MiB"), "--memory").unwrap());
            let groups = 5 * shares.group() as u64;
            let others = groups + shares.events() as u64 + shares.kept() as u64 + shares.mapped() as u64;
            let all = PROGRAM + shares.pictures().total() + shares.files().total() + others;
            assert!(all <= mib << 20, "{mib} MiB: {all}");
        }
    }
}
