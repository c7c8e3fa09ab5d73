//! Which associations of an object are followed, and to what.

use crate::model::CimName;

/// The filters of Associators and AssociatorNames (DSP0200 1.4 §5.4.2.14).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AssociatorFilter {
    /// `AssocClass`: only associations of this class and its subclasses.
    pub association: Option<CimName>,
    /// `ResultClass`: only results of this class and its subclasses.
    pub result: Option<CimName>,
    /// `Role`: the reference by which the association refers to the object.
    pub role: Option<CimName>,
    /// `ResultRole`: the reference by which the association refers to the result.
    pub result_role: Option<CimName>,
}

/// The filters of References and ReferenceNames (DSP0200 1.4 §5.4.2.16).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReferenceFilter {
    /// `ResultClass`: only associations of this class and its subclasses.
    pub result: Option<CimName>,
    /// `Role`: the reference by which the association refers to the object.
    pub role: Option<CimName>,
}
