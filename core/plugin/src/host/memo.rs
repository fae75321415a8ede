//! Values that are computed once and then lent.

use std::sync::{Mutex, OnceLock, PoisonError};

/// An append-only list of values by key: each value can be lent for as long as the list exists, while others are added.
/// Meant for a few dozen keys, because lookup is linear.
pub struct Memo<K, V> {
    /// Held while a value is being computed, so that other threads wait for it.
    computing: Mutex<()>,
    first: OnceLock<Box<Entry<K, V>>>,
}

struct Entry<K, V> {
    key: K,
    value: V,
    next: OnceLock<Box<Entry<K, V>>>,
}

impl<K, V> Memo<K, V> {
    /// All values with their keys, in the order in which they were added.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        let entries = std::iter::successors(self.first.get(), |entry| entry.next.get());
        entries.map(|entry| (&entry.key, &entry.value))
    }

    /// Adds a value, whether or not the key already has one.
    pub fn add(&self, key: K, value: V) -> &V {
        let _alone = self.computing.lock().unwrap_or_else(PoisonError::into_inner);
        self.append(key, value)
    }

    /// Must be called with `computing` held; otherwise another thread's value could be stored instead.
    fn append(&self, key: K, value: V) -> &V {
        let mut end = &self.first;
        while let Some(entry) = end.get() {
            end = &entry.next;
        }
        &end.get_or_init(|| Box::new(Entry { key, value, next: OnceLock::new() })).value
    }
}

impl<K: PartialEq, V> Memo<K, V> {
    /// The first value of a key.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.iter().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// The value of a key, computed if there is none yet. `compute` may read this list but not add to it.
    ///
    /// # Errors
    /// The error of `compute`.
    pub fn get_or_compute<E>(&self, key: K, compute: impl FnOnce() -> Result<V, E>) -> Result<&V, E> {
        let _alone = self.computing.lock().unwrap_or_else(PoisonError::into_inner);
        match self.get(&key) {
            Some(value) => Ok(value),
            None => Ok(self.append(key, compute()?)),
        }
    }
}

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Memo { computing: Mutex::new(()), first: OnceLock::new() }
    }
}

impl<K, V> Drop for Memo<K, V> {
    /// Iterative, because dropping a long list recursively would overflow the stack.
    fn drop(&mut self) {
        let mut next = self.first.take();
        while let Some(mut entry) = next {
            next = entry.next.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Memo;
    use crate::Error;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn values_stay_in_place_while_others_are_added() {
        let memo = Memo::default();
        let first: &String = memo.add(0, "zero".to_owned());
        for key in 1..200_000 {
            let _ = if key < 100 { memo.add(key, key.to_string()) } else { first };
        }
        assert_eq!((first.as_str(), memo.get(&77).map(String::as_str)), ("zero", Some("77")));
        assert_eq!(memo.get(&100), None);
    }

    #[test]
    fn each_value_is_computed_once_and_errors_are_not_kept() {
        let (memo, computed) = (Memo::<u32, u32>::default(), AtomicUsize::new(0));
        assert!(memo.get_or_compute(1, || Err(Error::new("no"))).is_err());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let value = memo.get_or_compute(1, || {
                        computed.fetch_add(1, Ordering::Relaxed);
                        Ok::<u32, Error>(7)
                    });
                    assert_eq!(value, Ok(&7));
                });
            }
        });
        assert_eq!(computed.into_inner(), 1);
    }
}
