//! A column of plain values, in memory or in a mapped file.

use arrow_buffer::Buffer;
use bytemuck::Pod;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;

/// Contiguous values. Those from a file are mapped: they take no memory, and what is not accessed is not read.
#[derive(Clone)]
pub struct Column<T>(Held<T>);

#[derive(Clone)]
enum Held<T> {
    Own(Vec<T>),
    Mapped(Buffer, PhantomData<T>),
}

impl<T: Pod> Column<T> {
    /// The values of a buffer; `None` if its bytes have the wrong length or alignment.
    pub fn mapped(buffer: Buffer) -> Option<Column<T>> {
        bytemuck::try_cast_slice::<u8, T>(&buffer).is_ok().then(|| Column(Held::Mapped(buffer, PhantomData)))
    }

    /// Appends a value. Mapped values are copied first.
    pub fn push(&mut self, value: T) {
        if let Held::Mapped(..) = self.0 {
            self.0 = Held::Own(self.to_vec());
        }
        if let Held::Own(values) = &mut self.0 {
            values.push(value);
        }
    }

    /// The bytes as a buffer; shared if they are mapped, else copied.
    pub fn buffer(&self) -> Buffer {
        match &self.0 {
            Held::Own(values) => Buffer::from(bytemuck::cast_slice::<T, u8>(values)),
            Held::Mapped(buffer, _) => buffer.clone(),
        }
    }

    /// The first `count` values, or all if there are fewer.
    pub fn first(&self, count: usize) -> Column<T> {
        match &self.0 {
            Held::Own(values) => Column(Held::Own(values[..count.min(values.len())].to_vec())),
            Held::Mapped(buffer, _) => {
                let bytes = (count * size_of::<T>()).min(buffer.len());
                Column(Held::Mapped(buffer.slice_with_length(0, bytes), PhantomData))
            }
        }
    }
}

impl<T: Pod> Deref for Column<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &self.0 {
            Held::Own(values) => values,
            // Already checked on construction, so this always succeeds.
            Held::Mapped(buffer, _) => bytemuck::try_cast_slice(buffer).unwrap_or_default(),
        }
    }
}

impl<T> Default for Column<T> {
    fn default() -> Column<T> {
        Column(Held::Own(Vec::new()))
    }
}

impl<T> From<Vec<T>> for Column<T> {
    fn from(values: Vec<T>) -> Column<T> {
        Column(Held::Own(values))
    }
}

impl<T> FromIterator<T> for Column<T> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Column<T> {
        Column(Held::Own(values.into_iter().collect()))
    }
}

impl<'a, T: Pod> IntoIterator for &'a Column<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> std::slice::Iter<'a, T> {
        self.iter()
    }
}

impl<T: Pod + PartialEq> PartialEq for Column<T> {
    fn eq(&self, other: &Column<T>) -> bool {
        **self == **other
    }
}

impl<T: Pod + PartialEq, const N: usize> PartialEq<[T; N]> for Column<T> {
    fn eq(&self, other: &[T; N]) -> bool {
        **self == *other
    }
}

impl<T: Pod + fmt::Debug> fmt::Debug for Column<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_values_are_seen_and_copied_before_they_change() {
        let bytes: Vec<u8> = [1_u32, 2, 3].iter().flat_map(|n| n.to_ne_bytes()).collect();
        let buffer = Buffer::from(bytes);
        let mut column = Column::<u32>::mapped(buffer.clone()).unwrap();
        assert_eq!(
            (&*column, &*column.first(2), &*column.first(9)),
            (&[1, 2, 3][..], &[1, 2][..], &[1, 2, 3][..])
        );
        let same = column.clone();
        column.push(4);
        assert_eq!((&*column, &*same), (&[1, 2, 3, 4][..], &[1, 2, 3][..]));
        assert!(Column::<u64>::mapped(buffer).is_none(), "twelve bytes are not numbers of eight");
    }
}
