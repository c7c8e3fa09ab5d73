//! What becomes of each qualifier of the CIM schema: enforced, descriptive, or not enforced and why.

/// What this server does with a qualifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Declarations or values that break it are refused, and how.
    Enforced(&'static str),
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
    ("Abstract", Enforced("CreateInstance refuses such a class")),
    ("Aggregate", Descriptive),
    ("Aggregation", Descriptive),
    ("Alias", Descriptive),
    (
        "ArrayType",
        Enforced("arrays alone have it; the order of a bag is no change"),
    ),
    (
        "Association",
        Enforced(
            "two references or more; only such classes have references; subclasses stay associations",
        ),
    ),
    (
        "BitMap",
        Enforced("integers set bits alone that are listed and not reserved"),
    ),
    ("BitValues", Descriptive),
    ("ClassConstraint", OCL),
    ("Composition", Descriptive),
    ("Correlatable", Descriptive),
    ("Counter", PROVIDERS),
    ("DN", NotEnforced("distinguished names are kept as text")),
    ("Delete", NotEnforced("deleting never cascades")),
    (
        "Deprecated",
        Enforced("each use of an element is logged, once"),
    ),
    ("Description", Descriptive),
    ("DisplayDescription", Descriptive),
    ("DisplayName", Descriptive),
    (
        "EmbeddedInstance",
        Enforced("an instance of that class or of a subclass, checked like any other"),
    ),
    (
        "EmbeddedObject",
        Enforced("an instance of a class of the schema, checked like any other"),
    ),
    ("Exception", Enforced("CreateInstance refuses such a class")),
    ("Expensive", Descriptive),
    ("Experimental", Descriptive),
    ("Gauge", PROVIDERS),
    ("Ifdeleted", NotEnforced("deleting never cascades")),
    ("In", Enforced("a parameter that says false takes no input")),
    (
        "Indication",
        Enforced("CreateInstance refuses such a class"),
    ),
    ("Invisible", Descriptive),
    ("IsPUnit", NotEnforced("units are kept as text")),
    (
        "Key",
        Enforced("has a value, never changes, cannot be added below inherited keys"),
    ),
    ("Large", Descriptive),
    ("MappingStrings", Descriptive),
    (
        "Max",
        Enforced("objects that a stored association leads to from the same other ends"),
    ),
    ("MaxLen", Enforced("characters of each string")),
    (
        "MaxValue",
        Enforced("each number, itself included; days on intervals"),
    ),
    ("MethodConstraint", OCL),
    (
        "Min",
        Enforced("once met, it stays so while the objects at the other ends are there"),
    ),
    ("MinLen", Enforced("characters of each string")),
    (
        "MinValue",
        Enforced("each number, itself included; days on intervals"),
    ),
    ("ModelCorrespondence", Descriptive),
    ("NullValue", Descriptive),
    (
        "OctetString",
        Enforced("begins with its own length as four octets"),
    ),
    (
        "Out",
        Enforced("a provider gives back such parameters alone"),
    ),
    (
        "Override",
        Enforced("an inherited element is replaced only by saying so, and keeps its type"),
    ),
    ("PUnit", Descriptive),
    (
        "Propagated",
        NotEnforced("the providers of weak classes fill in the keys"),
    ),
    ("PropertyConstraint", OCL),
    ("PropertyUsage", Descriptive),
    ("Provider", Descriptive),
    (
        "Read",
        Enforced("a value that may not be read is answered as NULL"),
    ),
    (
        "Reference",
        NotEnforced("paths in strings are kept as text"),
    ),
    (
        "Required",
        Enforced("properties, parameters and return values are not NULL"),
    ),
    ("Revision", Descriptive),
    ("Schema", Descriptive),
    (
        "Static",
        Enforced("a method is called on the class too; a property keeps the default of its class"),
    ),
    ("Structure", Enforced("CreateInstance refuses such a class")),
    ("Syntax", NotEnforced("formats of strings are kept as text")),
    ("SyntaxType", Descriptive),
    ("Terminal", Enforced("has no subclasses")),
    ("TriggerType", Descriptive),
    ("UMLPackagePath", Descriptive),
    ("Units", Descriptive),
    ("UnknownValues", Descriptive),
    ("UnsupportedValues", Descriptive),
    (
        "ValueMap",
        Enforced("integers and strings that are listed and not reserved"),
    ),
    ("Values", Descriptive),
    ("Version", Descriptive),
    (
        "Weak",
        NotEnforced("the providers of weak classes fill in the keys"),
    ),
    (
        "Write",
        Enforced("ModifyInstance changes no other property"),
    ),
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
