//! Conditions with every name looked up: what the evaluator walks over.

use crate::model::{CimName, CimValue};

use super::ast::{Comparator, Quantifier};
use super::function::Function;
use super::like::Pattern;

/// A condition that can be asked of an instance.
#[derive(Debug, Clone)]
pub(super) enum Test {
    Any(Vec<Test>),
    All(Vec<Test>),
    Not(Box<Test>),
    /// Whether the truth is exactly this.
    Is(Box<Test>, bool),
    IsNull(Term),
    Compare {
        left: Term,
        op: Comparator,
        right: Term,
        /// Arrays of the type Bag: the order of entries does not matter.
        bag: bool,
    },
    Like(Term, Pattern),
    Isa(Term, CimName),
    Quantified {
        quantifier: Quantifier,
        array: Term,
        test: Box<Test>,
        /// Whether every entry of an empty array satisfies the test.
        vacuous: bool,
    },
    Holds(Term),
}

/// Something that has a value in an instance.
#[derive(Debug, Clone)]
pub(super) enum Term {
    Value(CimValue),
    Route(Route),
    Call(Function, Vec<Term>),
    Concatenation(Vec<Term>),
}

/// The way to a value.
#[derive(Debug, Clone)]
pub(super) struct Route {
    pub root: Root,
    pub hops: Vec<Hop>,
}

/// Where a route begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Root {
    /// The instance asked about.
    Object,
    /// The entry of an array, numbered from the outermost `ANY` or `EVERY`.
    Entry(usize),
}

/// One property on the way.
#[derive(Debug, Clone)]
pub(super) struct Hop {
    /// The object must be of this class, else the value is NULL.
    pub class: Option<CimName>,
    pub name: CimName,
    /// The slot that the property has in the class it was looked up in, and so in most subclasses.
    pub slot: usize,
    /// Which entry of an array.
    pub entry: Option<usize>,
}
