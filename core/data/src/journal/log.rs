//! Appends to a reviewer's file that are on disk, under its path, before they are reported as saved.

use super::book::Book;
use super::disk::{Look, Storage};
use crate::{Error, Result, atomic};
use chaffinch_compute::job::Job;
use chaffinch_protocol::display::{counted, safe_path};
use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// How often an entry is written again because the file was replaced meanwhile.
const ATTEMPTS: usize = 3;

/// A file that only grows by complete entries, and that is completed if something took them away.
pub(super) struct Log {
    storage: Box<dyn Storage>,
    /// The length of the complete lines.
    sound: u64,
    /// What is expected under the path; longer than `sound` if a torn line must still be truncated.
    expected: Look,
    /// Whether the last line lacks its newline.
    open_end: bool,
    /// Where the entries stand that another file took the place of.
    aside: Option<PathBuf>,
    /// What was repaired, one sentence each.
    remarks: Vec<String>,
}

/// How a file under the path compares with the entries that this program has.
enum Compared {
    /// It has the first of them: all, some or none.
    Behind(Box<Book>),
    /// It has all of them and more.
    Ahead,
    /// It has others, or cannot be read.
    Other,
}

impl Log {
    /// Of a file with these entries.
    pub(super) fn new(storage: Box<dyn Storage>, book: &Book) -> Log {
        Log {
            storage,
            sound: book.sound_len,
            expected: book.look,
            open_end: book.open_end,
            aside: None,
            remarks: Vec::new(),
        }
    }

    /// Appends lines, given without the last newline, and syncs them. `held` are all entries before.
    pub(super) fn append(&mut self, lines: &str, held: &Book) -> Result<()> {
        for _ in 0..ATTEMPTS {
            self.settle(held)?;
            if self.put(lines)? {
                return Ok(());
            }
        }
        Err(self.refused("other programs keep replacing it; end them and try again".to_owned()))
    }

    /// Sees to it that all entries are on disk under the path.
    pub(super) fn settle(&mut self, held: &Book) -> Result<()> {
        if self.attempt(|storage| storage.look())? != self.expected {
            self.complete(held)?;
        }
        if self.expected.len > self.sound {
            let sound = self.sound;
            self.attempt(|storage| storage.hold().and_then(|()| storage.cut(sound)))?;
            self.expected = self.attempt(|storage| storage.look())?;
        }
        Ok(())
    }

    /// What was repaired since this was last asked.
    pub(super) fn take_remarks(&mut self) -> Vec<String> {
        std::mem::take(&mut self.remarks)
    }

    /// Writes lines behind the last one; `false` if another file took the place of this one meanwhile.
    fn put(&mut self, lines: &str) -> Result<bool> {
        let bytes = if self.open_end { format!("\n{lines}\n") } else { format!("{lines}\n") };
        let written = self.attempt(|storage| {
            storage.hold()?;
            storage.write(bytes.as_bytes())?;
            storage.sync()?;
            Ok((storage.look()?, storage.holds()?))
        });
        match written {
            Ok((look, held)) if held && look.len == self.sound + bytes.len() as u64 => {
                self.sound = look.len;
                self.expected = look;
                self.open_end = false;
                Ok(true)
            }
            Ok(_) => Ok(false),
            Err(error) => {
                // If truncating fails too, the next entry tries again.
                let sound = self.sound;
                let _ = self.storage.cut(sound).and_then(|()| self.storage.sync());
                self.expected = self.storage.look().unwrap_or(self.expected);
                Err(error)
            }
        }
    }

    /// Compares the file that is there now with what this program holds, and writes what it lacks.
    fn complete(&mut self, held: &Book) -> Result<()> {
        if let Some(now) = self.storage.moved() {
            let now = safe_path(&now);
            return Err(self.refused(format!(
                "the session was moved while it was open; quit, and open it where it is: {now}"
            )));
        }
        match self.compare(held)? {
            Compared::Ahead => Err(self.refused(
                "another program has written to it since it was read; reopen the session".to_owned(),
            )),
            Compared::Other => self.set_aside(held),
            Compared::Behind(there) => {
                let missing = held.lines() - there.lines();
                if missing > 0 {
                    let mut text = held.text(there.lines());
                    if there.open_end {
                        text.insert(0, '\n');
                    }
                    let sound = there.sound_len;
                    let torn = there.look.len > sound;
                    let written = self.attempt(|storage| {
                        storage.hold()?;
                        if torn {
                            storage.cut(sound)?;
                        }
                        storage.write(text.as_bytes())?;
                        storage.sync()
                    });
                    if let Err(error) = written {
                        let _ = self.storage.cut(sound);
                        return Err(error);
                    }
                    self.sound = sound + text.len() as u64;
                    self.open_end = false;
                    let path = safe_path(self.storage.path());
                    let entries = counted(missing as u64, "entry", "entries");
                    self.remarks.push(format!(
                        "{path} was changed by another program and lacked {entries} of this session, which {} written to it again",
                        if missing == 1 { "was" } else { "were" }
                    ));
                } else {
                    self.sound = there.sound_len;
                    self.open_end = there.open_end;
                }
                self.expected = self.attempt(|storage| storage.look())?;
                Ok(())
            }
        }
    }

    fn compare(&mut self, held: &Book) -> Result<Compared> {
        let (bytes, look) = self.attempt(|storage| storage.read())?;
        let job = Job::unwatched();
        let Ok(mut there) = Book::parse(&bytes, self.storage.path(), &held.reviewer, &job) else {
            return Ok(Compared::Other);
        };
        there.look = look;
        Ok(match (held.begins_with(&there), there.begins_with(held)) {
            (true, _) => Compared::Behind(Box::new(there)),
            (false, true) => Compared::Ahead,
            (false, false) => Compared::Other,
        })
    }

    /// Writes what this program holds beside a file that says something else, and refuses to go on.
    fn set_aside(&mut self, held: &Book) -> Result<()> {
        let cause = "it was replaced by a file with other entries while the session was open";
        if held.lines() == 0 {
            return Err(self.refused(format!("{cause}; reopen the session")));
        }
        let aside = self.aside.get_or_insert_with(|| free_beside(self.storage.path())).clone();
        let text = held.text(0);
        atomic::write(&aside, |out| {
            // As private as the journal.
            out.get_ref().set_permissions(Permissions::from_mode(0o600))?;
            out.write_all(text.as_bytes())
        })?;
        let (aside, entries) = (safe_path(&aside), counted(held.lines() as u64, "entry", "entries"));
        Err(self.refused(format!(
            "{cause}; the {entries} of this session {} in {aside}: put the right file in its place, then reopen the session",
            if held.lines() == 1 { "is" } else { "are" }
        )))
    }

    fn refused(&self, message: String) -> Error {
        Error::format(self.storage.path(), message)
    }

    fn attempt<T>(&mut self, what: impl FnOnce(&mut dyn Storage) -> io::Result<T>) -> Result<T> {
        what(self.storage.as_mut()).map_err(Error::io("write", self.storage.path()))
    }
}

/// A name beside a file that is not taken: `anna.jsonl.held`, `anna.jsonl.held-2`.
fn free_beside(path: &Path) -> PathBuf {
    let named = |number: usize| {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".held");
        if number > 1 {
            name.push(format!("-{number}"));
        }
        path.with_file_name(name)
    };
    (1..).map(named).find(|path| path.symlink_metadata().is_err()).unwrap_or_else(|| named(1))
}
