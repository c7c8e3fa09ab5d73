//! The elements of requests (DSP0203 2.4) as data, in the order of their names.
//!
//! What stands in a response only has no rule here: no request has a place for it.

/// How often one of the names of a part stands in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Times {
    One,
    Optional,
    Any,
    Some,
}

impl Times {
    pub(super) fn needs(self) -> bool {
        matches!(self, Self::One | Self::Some)
    }

    pub(super) fn repeats(self) -> bool {
        matches!(self, Self::Any | Self::Some)
    }
}

use Times::{Any, One, Optional, Some as OneOrMore};

/// A place in an element's content: one of these names, so many times.
pub(super) type Part = (&'static [&'static str], Times);

/// What an attribute may say.
#[derive(Debug, Clone, Copy)]
pub(super) enum Says {
    /// Whatever it likes.
    Text,
    /// `true` or `false`.
    Boolean,
    /// The name of a type that has values of its own.
    Type,
    /// The same, or `reference`, `object` and `instance`.
    ParamType,
    /// One of these words.
    Words(&'static [&'static str]),
}

/// An attribute, and whether it must be there.
pub(super) type Attribute = (&'static str, bool, Says);

const fn must(name: &'static str) -> Attribute {
    (name, true, Says::Text)
}

const fn may(name: &'static str, says: Says) -> Attribute {
    (name, false, says)
}

const NAME: Attribute = must("NAME");
const TYPE: Attribute = ("TYPE", true, Says::Type);
const CLASS_ORIGIN: Attribute = may("CLASSORIGIN", Says::Text);
const PROPAGATED: Attribute = may("PROPAGATED", Says::Boolean);
const ARRAY_SIZE: Attribute = may("ARRAYSIZE", Says::Text);
const REFERENCE_CLASS: Attribute = may("REFERENCECLASS", Says::Text);
const LANGUAGE: Attribute = may("xml:lang", Says::Text);
const EMBEDDED: Attribute = may("EmbeddedObject", Says::Words(&["object", "instance"]));
const OVERRIDABLE: Attribute = may("OVERRIDABLE", Says::Boolean);
const TO_SUBCLASS: Attribute = may("TOSUBCLASS", Says::Boolean);
const TO_INSTANCE: Attribute = may("TOINSTANCE", Says::Boolean);
const TRANSLATABLE: Attribute = may("TRANSLATABLE", Says::Boolean);
const VALUE_TYPE: Attribute = may("VALUETYPE", Says::Words(&["string", "boolean", "numeric"]));

const QUALIFIERS: Part = (&["QUALIFIER"], Any);
const PROPERTIES: Part = (&["PROPERTY", "PROPERTY.ARRAY", "PROPERTY.REFERENCE"], Any);
const NAMESPACE_HERE: Part = (&["LOCALNAMESPACEPATH"], One);
const NAMESPACE_THERE: Part = (&["NAMESPACEPATH"], One);
const CLASS_NAME: Part = (&["CLASSNAME"], One);
const INSTANCE_NAME: Part = (&["INSTANCENAME"], One);

/// An element: its attributes, and its content as alternatives of parts one after the other.
pub(super) struct Rule {
    pub(super) name: &'static str,
    pub(super) attributes: &'static [Attribute],
    pub(super) content: &'static [&'static [Part]],
}

const fn rule(
    name: &'static str,
    attributes: &'static [Attribute],
    content: &'static [&'static [Part]],
) -> Rule {
    Rule {
        name,
        attributes,
        content,
    }
}

/// No element at all: text, or nothing.
const NOTHING: &[&[Part]] = &[&[]];

/// The elements in the order of their names.
pub(super) static RULES: [Rule; 43] = [
    rule(
        "CIM",
        &[must("CIMVERSION"), must("DTDVERSION")],
        &[&[(&["MESSAGE", "DECLARATION"], One)]],
    ),
    rule(
        "CLASS",
        &[NAME, may("SUPERCLASS", Says::Text)],
        &[&[QUALIFIERS, PROPERTIES, (&["METHOD"], Any)]],
    ),
    rule("CLASSNAME", &[NAME], NOTHING),
    rule("CLASSPATH", &[], &[&[NAMESPACE_THERE, CLASS_NAME]]),
    rule("CORRELATOR", &[NAME, TYPE], &[&[(&["VALUE"], One)]]),
    rule("HOST", &[], NOTHING),
    rule(
        "IMETHODCALL",
        &[NAME],
        &[&[NAMESPACE_HERE, (&["IPARAMVALUE"], Any)]],
    ),
    rule(
        "INSTANCE",
        &[must("CLASSNAME"), LANGUAGE],
        &[&[QUALIFIERS, PROPERTIES]],
    ),
    rule(
        "INSTANCENAME",
        &[must("CLASSNAME")],
        &[
            &[(&["KEYBINDING"], Any)],
            &[(&["KEYVALUE"], Optional)],
            &[(&["VALUE.REFERENCE"], Optional)],
        ],
    ),
    rule("INSTANCEPATH", &[], &[&[NAMESPACE_THERE, INSTANCE_NAME]]),
    rule(
        "IPARAMVALUE",
        &[NAME],
        &[&[(
            &[
                "VALUE",
                "VALUE.ARRAY",
                "VALUE.REFERENCE",
                "CLASSNAME",
                "INSTANCENAME",
                "QUALIFIER.DECLARATION",
                "CLASS",
                "INSTANCE",
                "VALUE.NAMEDINSTANCE",
            ],
            Optional,
        )]],
    ),
    rule(
        "KEYBINDING",
        &[NAME],
        &[&[(&["KEYVALUE", "VALUE.REFERENCE"], One)]],
    ),
    rule("KEYVALUE", &[VALUE_TYPE, TYPE], NOTHING),
    rule("LOCALCLASSPATH", &[], &[&[NAMESPACE_HERE, CLASS_NAME]]),
    rule(
        "LOCALINSTANCEPATH",
        &[],
        &[&[NAMESPACE_HERE, INSTANCE_NAME]],
    ),
    rule("LOCALNAMESPACEPATH", &[], &[&[(&["NAMESPACE"], OneOrMore)]]),
    rule(
        "MESSAGE",
        &[must("ID"), must("PROTOCOLVERSION")],
        &[&[(
            &[
                "SIMPLEREQ",
                "MULTIREQ",
                "SIMPLERSP",
                "MULTIRSP",
                "SIMPLEEXPREQ",
                "MULTIEXPREQ",
                "SIMPLEEXPRSP",
                "MULTIEXPRSP",
            ],
            One,
        )]],
    ),
    rule(
        "METHOD",
        &[NAME, may("TYPE", Says::Type), CLASS_ORIGIN, PROPAGATED],
        &[&[
            QUALIFIERS,
            (
                &[
                    "PARAMETER",
                    "PARAMETER.REFERENCE",
                    "PARAMETER.ARRAY",
                    "PARAMETER.REFARRAY",
                ],
                Any,
            ),
        ]],
    ),
    rule(
        "METHODCALL",
        &[NAME],
        &[&[
            (&["LOCALCLASSPATH", "LOCALINSTANCEPATH"], One),
            (&["PARAMVALUE"], Any),
        ]],
    ),
    rule(
        "MULTIREQ",
        &[],
        &[&[(&["SIMPLEREQ"], One), (&["SIMPLEREQ"], OneOrMore)]],
    ),
    rule("NAMESPACE", &[NAME], NOTHING),
    rule("NAMESPACEPATH", &[], &[&[(&["HOST"], One), NAMESPACE_HERE]]),
    rule("PARAMETER", &[NAME, TYPE], &[&[QUALIFIERS]]),
    rule(
        "PARAMETER.ARRAY",
        &[NAME, TYPE, ARRAY_SIZE],
        &[&[QUALIFIERS]],
    ),
    rule(
        "PARAMETER.REFARRAY",
        &[NAME, REFERENCE_CLASS, ARRAY_SIZE],
        &[&[QUALIFIERS]],
    ),
    rule(
        "PARAMETER.REFERENCE",
        &[NAME, REFERENCE_CLASS],
        &[&[QUALIFIERS]],
    ),
    rule(
        "PARAMVALUE",
        &[NAME, may("PARAMTYPE", Says::ParamType), EMBEDDED],
        &[&[(
            &[
                "VALUE",
                "VALUE.REFERENCE",
                "VALUE.ARRAY",
                "VALUE.REFARRAY",
                "CLASSNAME",
                "INSTANCENAME",
                "CLASS",
                "INSTANCE",
                "VALUE.NAMEDINSTANCE",
            ],
            Optional,
        )]],
    ),
    rule(
        "PROPERTY",
        &[NAME, TYPE, CLASS_ORIGIN, PROPAGATED, EMBEDDED, LANGUAGE],
        &[&[QUALIFIERS, (&["VALUE"], Optional)]],
    ),
    rule(
        "PROPERTY.ARRAY",
        &[
            NAME,
            TYPE,
            ARRAY_SIZE,
            CLASS_ORIGIN,
            PROPAGATED,
            EMBEDDED,
            LANGUAGE,
        ],
        &[&[QUALIFIERS, (&["VALUE.ARRAY"], Optional)]],
    ),
    rule(
        "PROPERTY.REFERENCE",
        &[NAME, REFERENCE_CLASS, CLASS_ORIGIN, PROPAGATED],
        &[&[QUALIFIERS, (&["VALUE.REFERENCE"], Optional)]],
    ),
    rule(
        "QUALIFIER",
        &[
            NAME,
            TYPE,
            PROPAGATED,
            OVERRIDABLE,
            TO_SUBCLASS,
            TO_INSTANCE,
            TRANSLATABLE,
            LANGUAGE,
        ],
        &[&[(&["VALUE", "VALUE.ARRAY"], Optional)]],
    ),
    rule(
        "QUALIFIER.DECLARATION",
        &[
            NAME,
            TYPE,
            may("ISARRAY", Says::Boolean),
            ARRAY_SIZE,
            OVERRIDABLE,
            TO_SUBCLASS,
            TO_INSTANCE,
            TRANSLATABLE,
        ],
        &[&[
            (&["SCOPE"], Optional),
            (&["VALUE", "VALUE.ARRAY"], Optional),
        ]],
    ),
    rule(
        "SCOPE",
        &[
            may("CLASS", Says::Boolean),
            may("ASSOCIATION", Says::Boolean),
            may("REFERENCE", Says::Boolean),
            may("PROPERTY", Says::Boolean),
            may("METHOD", Says::Boolean),
            may("PARAMETER", Says::Boolean),
            may("INDICATION", Says::Boolean),
        ],
        NOTHING,
    ),
    rule(
        "SIMPLEREQ",
        &[],
        &[&[
            (&["CORRELATOR"], Any),
            (&["METHODCALL", "IMETHODCALL"], One),
        ]],
    ),
    rule("VALUE", &[], NOTHING),
    rule("VALUE.ARRAY", &[], &[&[(&["VALUE", "VALUE.NULL"], Any)]]),
    rule(
        "VALUE.NAMEDINSTANCE",
        &[],
        &[&[INSTANCE_NAME, (&["INSTANCE"], One)]],
    ),
    rule(
        "VALUE.NAMEDOBJECT",
        &[],
        &[&[(&["CLASS"], One)], &[INSTANCE_NAME, (&["INSTANCE"], One)]],
    ),
    rule("VALUE.NULL", &[], NOTHING),
    rule("VALUE.OBJECT", &[], &[&[(&["CLASS", "INSTANCE"], One)]]),
    rule(
        "VALUE.OBJECTWITHPATH",
        &[],
        &[
            &[(&["CLASSPATH"], One), (&["CLASS"], One)],
            &[(&["INSTANCEPATH"], One), (&["INSTANCE"], One)],
        ],
    ),
    rule(
        "VALUE.REFARRAY",
        &[],
        &[&[(&["VALUE.REFERENCE", "VALUE.NULL"], Any)]],
    ),
    rule(
        "VALUE.REFERENCE",
        &[],
        &[&[(
            &[
                "CLASSPATH",
                "LOCALCLASSPATH",
                "CLASSNAME",
                "INSTANCEPATH",
                "LOCALINSTANCEPATH",
                "INSTANCENAME",
            ],
            One,
        )]],
    ),
];
