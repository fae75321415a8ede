//! Blocks of objects, of which the last ones are kept: neighboring samples are read together, and a request for each of them
//! would take longer than its bytes.

use crate::bucket::Remote;
use std::collections::VecDeque;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// How large a block is. What a request costs beside its bytes is that of about as many bytes.
pub(crate) const BLOCK: u64 = 1 << 20;
/// How many are kept, for all objects together.
const KEPT: usize = 64;

/// A block of an object in the state that was listed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    address: PathBuf,
    size: u64,
    modified: i64,
    number: u64,
}

/// What was fetched, or why it was not. Who comes second waits for the first.
type Slot = Arc<OnceLock<Result<Vec<u8>, (io::ErrorKind, String)>>>;

/// The most recently used last.
static BLOCKS: Mutex<VecDeque<(Key, Slot)>> = Mutex::new(VecDeque::new());

/// Copies bytes of an object, from `start` on, into a buffer.
///
/// # Errors
/// When they cannot be fetched.
pub(crate) fn read(object: &Remote, start: u64, into: &mut [u8]) -> io::Result<()> {
    let (mut at, mut rest) = (start, into);
    while !rest.is_empty() {
        let number = at / BLOCK;
        let slot = block(object, number);
        let Some(Ok(bytes)) = slot.get() else {
            return Err(match slot.get() {
                Some(Err((kind, text))) => io::Error::new(*kind, text.clone()),
                _ => io::Error::other("it was not fetched"),
            });
        };
        let inside = (at - number * BLOCK) as usize;
        let count = bytes.len().saturating_sub(inside).min(rest.len());
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let (now, later) = rest.split_at_mut(count);
        now.copy_from_slice(&bytes[inside..inside + count]);
        at += count as u64;
        rest = later;
    }
    Ok(())
}

/// The block of this number, fetched.
fn block(object: &Remote, number: u64) -> Slot {
    let facts = object.facts;
    let key =
        Key { address: object.address().to_path_buf(), size: facts.size, modified: facts.modified, number };
    let slot = {
        let mut blocks = BLOCKS.lock().unwrap_or_else(PoisonError::into_inner);
        let place = blocks.iter().position(|(held, _)| *held == key);
        let slot = place.and_then(|place| blocks.remove(place)).map_or_else(Slot::default, |(_, slot)| slot);
        blocks.push_back((key.clone(), slot.clone()));
        if blocks.len() > KEPT {
            blocks.pop_front();
        }
        slot
    };
    let fetched = slot.get_or_init(|| {
        let start = (number * BLOCK).min(facts.size);
        let range = start..(start + BLOCK).min(facts.size);
        object.fetch(range).map_err(|error| (error.kind(), error.to_string()))
    });
    // What failed may succeed later.
    if fetched.is_err() {
        BLOCKS.lock().unwrap_or_else(PoisonError::into_inner).retain(|(held, _)| *held != key);
    }
    slot
}
