//! What becomes of each qualifier of the CIM schema: enforced, descriptive, or not enforced and why.

/// What this server does with a qualifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Declarations or values that break it are refused.
    Enforced,
    /// It tells people or programs something and lays down nothing to refuse.
    Descriptive,
    /// It lays something down that is not checked, for this reason.
    NotEnforced(&'static str),
}

use Standing::{Descriptive, Enforced, NotEnforced};

/// Reason for constraints in OCL.
const OCL: Standing = NotEnforced("constraints in OCL are not interpreted");
/// Reason for counters and gauges.
const PROVIDERS: Standing = NotEnforced("how a number moves is up to its provider");

/// Every standard and optional qualifier of CIM 2.49 with what becomes of it.
pub const STANDING: &[(&str, Standing)] = &[
    ("Abstract", Enforced),
    ("Aggregate", Descriptive),
    ("Aggregation", Descriptive),
    ("Alias", Descriptive),
    (
        "ArrayType",
        NotEnforced("arrays are kept in the order they were given, which suits every kind"),
    ),
    ("Association", Enforced),
    (
        "BitMap",
        NotEnforced("no class that clients can write has it"),
    ),
    ("BitValues", Descriptive),
    ("ClassConstraint", OCL),
    ("Composition", Descriptive),
    ("Correlatable", Descriptive),
    ("Counter", PROVIDERS),
    ("DN", NotEnforced("distinguished names are kept as text")),
    ("Delete", NotEnforced("deleting never cascades")),
    ("Deprecated", Descriptive),
    ("Description", Descriptive),
    ("DisplayDescription", Descriptive),
    ("DisplayName", Descriptive),
    ("EmbeddedInstance", Enforced),
    ("EmbeddedObject", Enforced),
    ("Exception", Enforced),
    ("Expensive", Descriptive),
    ("Experimental", Descriptive),
    ("Gauge", PROVIDERS),
    ("Ifdeleted", NotEnforced("deleting never cascades")),
    ("In", Enforced),
    ("Indication", Enforced),
    ("Invisible", Descriptive),
    ("IsPUnit", NotEnforced("units are kept as text")),
    ("Key", Enforced),
    ("Large", Descriptive),
    ("MappingStrings", Descriptive),
    ("Max", NotEnforced("associations cannot be created yet")),
    ("MaxLen", Enforced),
    ("MaxValue", Enforced),
    ("MethodConstraint", OCL),
    ("Min", NotEnforced("associations cannot be created yet")),
    ("MinLen", Enforced),
    ("MinValue", Enforced),
    ("ModelCorrespondence", Descriptive),
    ("NullValue", Descriptive),
    ("OctetString", Enforced),
    ("Out", Enforced),
    ("Override", Enforced),
    ("PUnit", Descriptive),
    (
        "Propagated",
        NotEnforced("the providers of weak classes fill in the keys"),
    ),
    ("PropertyConstraint", OCL),
    ("PropertyUsage", Descriptive),
    ("Provider", Descriptive),
    ("Read", Enforced),
    (
        "Reference",
        NotEnforced("paths in strings are kept as text"),
    ),
    ("Required", Enforced),
    ("Revision", Descriptive),
    ("Schema", Descriptive),
    ("Static", Enforced),
    ("Structure", Enforced),
    ("Syntax", NotEnforced("formats of strings are kept as text")),
    ("SyntaxType", Descriptive),
    ("Terminal", Enforced),
    ("TriggerType", Descriptive),
    ("UMLPackagePath", Descriptive),
    ("Units", Descriptive),
    ("UnknownValues", Descriptive),
    ("UnsupportedValues", Descriptive),
    ("ValueMap", Enforced),
    ("Values", Descriptive),
    ("Version", Descriptive),
    (
        "Weak",
        NotEnforced("the providers of weak classes fill in the keys"),
    ),
    ("Write", Enforced),
    ("XMLNamespaceName", Descriptive),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_names_each_once() {
        let names: Vec<&str> = STANDING.iter().map(|(name, _)| *name).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable_by_key(|name| name.to_lowercase());
        sorted.dedup();
        let mut given = names;
        given.sort_unstable_by_key(|name| name.to_lowercase());
        assert_eq!(given, sorted, "a qualifier has two rows");
        assert_eq!(sorted.len(), 70, "CIM 2.49 declares 70 qualifiers");
    }
}
