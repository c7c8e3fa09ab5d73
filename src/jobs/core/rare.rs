//! A value that most jobs do not have: it takes memory only where it is not the usual one.

use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A type with a usual value, which is shared by all who have it.
pub trait Usual: Default + PartialEq + 'static {
    /// The usual value: that of `Default`.
    fn usual() -> &'static Self;
}

/// A value that is mostly [`Usual::usual`]; whoever changes it gets one of its own.
#[derive(Debug, Default)]
pub struct Rare<T>(Option<Box<T>>);

/// A value that is usual again is shared again.
impl<T: Usual + Clone> Clone for Rare<T> {
    fn clone(&self) -> Self {
        let own = self.0.as_ref().filter(|value| ***value != *T::usual());
        Self(own.cloned())
    }
}

impl<T: Usual> Rare<T> {
    /// Whether it is the usual one.
    pub fn is_usual(&self) -> bool {
        **self == *T::usual()
    }
}

impl<T: Usual> Deref for Rare<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or_else(|| T::usual())
    }
}

impl<T: Usual> DerefMut for Rare<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.0.get_or_insert_default()
    }
}

impl<T: Usual> PartialEq for Rare<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Usual> From<T> for Rare<T> {
    fn from(value: T) -> Self {
        Self((value != *T::usual()).then(|| Box::new(value)))
    }
}

impl<T: Usual + Serialize> Serialize for Rare<T> {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(out)
    }
}

impl<'de, T: Usual + Deserialize<'de>> Deserialize<'de> for Rare<T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        T::deserialize(input).map(Self::from)
    }
}

/// Whether a field has its default value, and so need not be stored.
pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
    struct Number(u32);

    impl Usual for Number {
        fn usual() -> &'static Self {
            &Self(0)
        }
    }

    #[test]
    fn the_usual_value_is_the_same_however_it_came_about() {
        let mut number = Rare::<Number>::default();
        assert_eq!((number.0.is_none(), number.is_usual()), (true, true));
        number.0 = Some(Box::new(Number(7)));
        assert_eq!((&*number, number.is_usual()), (&Number(7), false));
        assert_ne!(number, Rare::default());
        assert_eq!(number.clone(), number);
        *number = Number(0);
        assert!(number.clone().0.is_none(), "it is shared again");
        assert!(number.is_usual());
        assert_eq!(number, Rare::default());
        for value in [0, 7] {
            let text = serde_json::to_string(&Rare::from(Number(value))).expect("it is data");
            assert_eq!(text, value.to_string());
            let read: Rare<Number> = serde_json::from_str(&text).expect("it was written");
            assert_eq!((&*read, read.0.is_none()), (&Number(value), value == 0));
        }
    }
}
