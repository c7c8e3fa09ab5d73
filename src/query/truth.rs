//! The three truth values of queries: comparing with NULL gives neither true nor false.

use std::ops::Not;

/// A truth value of SQL's logic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// A value that it depends on is NULL or cannot be compared.
    Unknown,
}

impl Truth {
    /// Every truth value.
    pub const ALL: [Self; 3] = [Self::True, Self::False, Self::Unknown];

    /// The truth of what is known, `Unknown` for `None`.
    pub fn known(value: Option<bool>) -> Self {
        match value {
            Some(true) => Self::True,
            Some(false) => Self::False,
            None => Self::Unknown,
        }
    }

    /// Whether this is `True`: only then is an instance selected.
    pub fn holds(self) -> bool {
        self == Self::True
    }

    /// False as soon as one is false, true when all are; no more are asked than need be.
    pub fn all(terms: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Self::True;
        for term in terms {
            match term {
                Self::False => return Self::False,
                Self::Unknown => all = Self::Unknown,
                Self::True => {}
            }
        }
        all
    }

    /// True as soon as one is true, false when all are false; no more are asked than need be.
    pub fn any(terms: impl IntoIterator<Item = Self>) -> Self {
        !Self::all(terms.into_iter().map(Not::not))
    }
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        Self::known(Some(value))
    }
}

impl Not for Truth {
    type Output = Self;

    fn not(self) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::Unknown => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_laws_of_three_valued_logic_hold() {
        for a in Truth::ALL {
            assert_eq!(!!a, a);
            assert_eq!(Truth::all([a, Truth::False]), Truth::False);
            assert_eq!(Truth::any([a, Truth::True]), Truth::True);
            assert_eq!(Truth::all([a, Truth::True]), a);
            assert_eq!(Truth::any([a, Truth::False]), a);
            for b in Truth::ALL {
                assert_eq!(Truth::all([a, b]), Truth::all([b, a]));
                assert_eq!(!Truth::all([a, b]), Truth::any([!a, !b]), "De Morgan");
                for c in Truth::ALL {
                    let spread = Truth::any([Truth::all([a, b]), Truth::all([a, c])]);
                    assert_eq!(Truth::all([a, Truth::any([b, c])]), spread);
                }
            }
        }
        assert_eq!(!Truth::Unknown, Truth::Unknown);
        assert_eq!(Truth::all([]), Truth::True);
        assert_eq!(Truth::any([]), Truth::False);
    }
}
