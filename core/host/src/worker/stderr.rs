//! What a worker writes to its standard error: the end of it is kept for the sentence about how it died, and its length
//! is limited like that of its messages. A library's standard output goes there, too.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How much is kept.
const KEPT: usize = 8 << 10;

/// The last lines that are shown of a run.
const LINES: usize = 10;
/// How long its end is waited for.
const PATIENCE: Duration = Duration::from_millis(200);

/// The end of what was written, and how much it was.
#[derive(Debug, Default)]
pub(super) struct Stderr {
    end: Mutex<VecDeque<u8>>,
    written: AtomicU64,
    /// Whether nothing more can come.
    ended: AtomicBool,
}

impl Stderr {
    /// Reads until the output ends.
    pub(super) fn listen(&self, output: impl Read) {
        self.read(output);
        self.ended.store(true, Ordering::Release);
    }

    fn read(&self, mut output: impl Read) {
        let mut chunk = vec![0; 4 << 10];
        loop {
            let count = match output.read(&mut chunk) {
                Ok(0) => return,
                Ok(count) => count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(_) => return,
            };
            let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
            end.extend(&chunk[..count]);
            let surplus = end.len().saturating_sub(KEPT);
            end.drain(..surplus);
            self.written.fetch_add(count as u64, Ordering::Relaxed);
        }
    }

    /// How many bytes were written.
    pub(super) fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// The last lines of it, once the process has ended. A child that outlives it for a moment may keep its output open.
    pub(super) fn last_lines(&self) -> String {
        let began = Instant::now();
        while !self.ended.load(Ordering::Acquire) && began.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(2));
        }
        let end = self.end();
        let lines: Vec<&str> =
            end.lines().map(str::trim_end).filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }

    /// The end of it.
    pub(super) fn end(&self) -> String {
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes: Vec<u8> = end.iter().copied().collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_kept_and_all_is_counted() {
        let said = Stderr::default();
        let text = "a".repeat(3 * KEPT) + "last words";
        said.listen(text.as_bytes());
        assert_eq!(said.written(), text.len() as u64);
        let end = said.end();
        assert_eq!(end.len(), KEPT);
        assert!(end.ends_with("last words"));
    }

    #[test]
    fn the_last_lines_are_those_with_words() {
        let said = Stderr::default();
        let text: String = (1..=12).map(|number| format!("line {number}  \n\n")).collect();
        said.listen(text.as_bytes());
        let lines = said.last_lines();
        assert_eq!((lines.lines().count(), lines.lines().next()), (LINES, Some("line 3")));
        assert!(lines.ends_with("line 12"), "{lines}");
    }
}
