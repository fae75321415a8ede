//! How many of something there are, with the first of them as an example.

/// A count and the first that was counted.
#[derive(Debug)]
pub(crate) struct Tally<T> {
    count: u64,
    first: Option<T>,
}

impl<T> Default for Tally<T> {
    fn default() -> Tally<T> {
        Tally { count: 0, first: None }
    }
}

impl<T> Tally<T> {
    /// Counts one more, which is only made if it is the first.
    pub(crate) fn add(&mut self, one: impl FnOnce() -> T) {
        self.add_many(1, one);
    }

    /// Counts several more, with one of them.
    pub(crate) fn add_many(&mut self, count: u64, one: impl FnOnce() -> T) {
        self.count += count;
        self.first.get_or_insert_with(one);
    }

    /// How many there are, and the first; `None` if there are none.
    pub(crate) fn told(&self) -> Option<(u64, &T)> {
        Some((self.count, self.first.as_ref()?))
    }
}
