//! State that pages keep between keys, stored by type, so that a page needs no field in the model.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt::Debug;

/// What a page may keep.
pub trait Keep: Any + Debug + Send {
    /// A copy of it.
    fn copied(&self) -> Box<dyn Keep>;
}

impl<T: Any + Debug + Send + Clone> Keep for T {
    fn copied(&self) -> Box<dyn Keep> {
        Box::new(self.clone())
    }
}

/// Everything that is kept.
#[derive(Debug, Default)]
pub struct Kept(BTreeMap<TypeId, Box<dyn Keep>>);

impl Kept {
    /// The state of this type; none until it is first changed.
    pub fn get<T: Any>(&self) -> Option<&T> {
        let kept: &dyn Any = &**self.0.get(&TypeId::of::<T>())?;
        kept.downcast_ref()
    }

    /// Changes the state of this type, starting from its default.
    pub fn change<T: Any + Debug + Send + Clone + Default>(&mut self, change: impl FnOnce(&mut T)) {
        let mut kept = self.get::<T>().cloned().unwrap_or_default();
        change(&mut kept);
        self.0.insert(TypeId::of::<T>(), Box::new(kept));
    }
}

impl Clone for Kept {
    fn clone(&self) -> Kept {
        Kept(self.0.iter().map(|(kind, kept)| (*kind, (**kept).copied())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::Kept;

    #[test]
    fn each_type_is_kept_by_itself() {
        let mut kept = Kept::default();
        assert_eq!(kept.get::<u8>(), None);
        kept.change(|count: &mut u8| *count += 1);
        kept.change(|words: &mut String| words.push('x'));
        let copy = kept.clone();
        kept.change(|count: &mut u8| *count += 1);
        assert_eq!((kept.get::<u8>(), copy.get::<u8>()), (Some(&2), Some(&1)));
        assert_eq!(copy.get::<String>().map(String::as_str), Some("x"));
    }
}
