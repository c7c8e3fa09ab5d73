//! Printing declarations as MOF and compiling the text is the identity: for random declarations,
//! for the embedded MOF and for DMTF's whole schema.

use std::collections::BTreeMap;

use jobwright::model::{
    CimName, CimType, CimValue, ClassDecl, Flavor, FlavorUse, InstanceDecl, Literal, MethodDecl,
    ObjectPath, ParameterDecl, PropertyDecl, PropertyValue, QualifierDecl, QualifierUse, Scope,
    TypeDecl,
};
use jobwright::mof::{Batch, Compilation, Embedded, Limits, Printer, ROOTS, compile};
use proptest::prelude::*;

use crate::dmtf;

/// The batch that the text of `print` compiles to, after a look at the text.
fn again(print: impl FnOnce(&mut Printer)) -> (String, Compilation) {
    let mut printer = Printer::new();
    print(&mut printer);
    let (text, losses) = printer.finish();
    assert!(losses.is_empty(), "lost: {losses:?}");
    for line in text.lines() {
        assert_eq!(line.trim_end(), line, "blanks at the end of a line");
    }
    let sources = BTreeMap::from([("text.mof".to_owned(), text.clone().into_bytes())]);
    let compilation = compile(&["text.mof"], &sources, Limits::default());
    assert_eq!(dmtf::complaints(&compilation), "", "{text}");
    (text, compilation)
}

fn whole(batch: &Batch) {
    let (text, compilation) = again(|printer| {
        if let Some(namespace) = &batch.namespace {
            printer.namespace(namespace);
        }
        batch
            .qualifiers
            .iter()
            .for_each(|decl| printer.qualifier(decl));
        batch.classes.iter().for_each(|decl| printer.class(decl));
    });
    let [got] = compilation.batches.as_slice() else {
        panic!("{} batches", compilation.batches.len());
    };
    assert_eq!(got.namespace, batch.namespace);
    for (got, want) in got.qualifiers.iter().zip(&batch.qualifiers) {
        assert_eq!(got, want);
    }
    for (got, want) in got.classes.iter().zip(&batch.classes) {
        assert_eq!(got, want);
    }
    let counted = |batch: &Batch| (batch.qualifiers.len(), batch.classes.len());
    assert_eq!(counted(got), counted(batch));
    let wide = text.lines().filter(|line| line.chars().count() > 80);
    let wide: Vec<_> = wide.filter(|line| line.contains(' ')).collect();
    // Names and single words are never broken.
    assert!(wide.len() * 500 < text.lines().count(), "{wide:#?}");
}

#[test]
fn the_embedded_mof_prints_and_compiles_to_itself() {
    for root in ROOTS {
        let compilation = compile(&[root], &Embedded, Limits::default());
        compilation.batches.iter().for_each(whole);
    }
}

#[test]
fn the_dmtf_schema_prints_and_compiles_to_itself() {
    let Some(texts) = dmtf::texts("the_dmtf_schema_prints_and_compiles_to_itself") else {
        return;
    };
    dmtf::compiled(&texts).batches.iter().for_each(whole);
}

const UNTIDY: &str = r#"
qualifier Description : string = null, scope(any), flavor(EnableOverride, ToSubclass, Translatable);
qualifier ValueMap : string[], scope(property);
[Association, Abstract : Restricted, Description("Short.")] class A_B : A_C {
[Key, Description("A text that is longer than what is left of the line, so it is broken.\nTwice.")]
  A_C REF Left; A_D ref Right = "A_D.k=1";
[ValueMap{"1","2"}] uint16 List[2] = {1, NULL};
sint8 None(); void Some([In(false), Out] string a[], A_C ref b); };
instance of A_D as $d { k = 1; c = 'x'; r = {-1.5, 1.0e30}; n = NULL; };
instance of A_B { Left = $d; Right = "A_D.k=1"; Array = {$d, NULL}; };
"#;

const TIDY: &str = r#"Qualifier Description : string,
    Scope(any),
    Flavor(EnableOverride, ToSubclass, Translatable);

Qualifier ValueMap : string[],
    Scope(property),
    Flavor(EnableOverride, ToSubclass);

[Association, Abstract : Restricted, Description("Short.")]
class A_B : A_C {

    [Key,
     Description(
        "A text that is longer than what is left of the line, so it is "
        "broken.\n"
        "Twice.")]
    A_C REF Left;

    A_D REF Right = "A_D.k=1";

    [ValueMap{"1", "2"}]
    uint16 List[2] = {1, NULL};

    sint8 None();

    void Some(
        [In(false), Out]
        string a[],
        A_C REF b);
};

instance of A_D as $d {
    k = 1;
    c = 'x';
    r = {-1.5, 1.0e30};
    n = NULL;
};

instance of A_B {
    Left = $d;
    Right = "A_D.k=1";
    Array = {$d, NULL};
};
"#;

#[test]
fn the_layout_is_that_of_a_person() {
    let sources = BTreeMap::from([("a.mof".to_owned(), UNTIDY.as_bytes().to_vec())]);
    let compilation = compile(&["a.mof"], &sources, Limits::default());
    assert_eq!(dmtf::complaints(&compilation), "");
    let batch = &compilation.batches[0];
    let (text, again) = again(|printer| {
        batch
            .qualifiers
            .iter()
            .for_each(|decl| printer.qualifier(decl));
        batch.classes.iter().for_each(|decl| printer.class(decl));
        batch
            .instances
            .iter()
            .for_each(|one| printer.mof_instance(one));
    });
    assert_eq!(text, TIDY);
    assert_eq!(again.batches[0].classes, batch.classes);
}

#[test]
fn what_is_inherited_is_not_declared_again() {
    let property = |name, propagated: bool| PropertyDecl {
        name: CimName::of(name),
        ty: TypeDecl::scalar(CimType::Uint8),
        qualifiers: vec![QualifierUse {
            name: CimName::of("Key"),
            value: Some(Literal::Text("true".into())),
            ty: Some(CimType::Boolean),
            flavor: FlavorUse::default(),
            propagated: !propagated,
        }],
        default: Some(Literal::Text("7".into())),
        origin: Some(CimName::of("A")),
        propagated,
    };
    let class = ClassDecl {
        name: CimName::of("B"),
        superclass: Some(CimName::of("A")),
        qualifiers: Vec::new(),
        properties: vec![property("Above", true), property("Own", false)],
        methods: Vec::new(),
    };
    let (text, _) = again(|printer| printer.class(&class));
    assert_eq!(text, "class B : A {\n\n    uint8 Own = 7;\n};\n");
}

fn name() -> impl Strategy<Value = CimName> {
    let keyword = prop::sample::select(vec![
        "class",
        "instance",
        "of",
        "as",
        "qualifier",
        "ref",
        "REF",
        "true",
        "null",
        "string",
        "uint8",
        "void",
        "scope",
        "flavor",
        "any",
        "Restricted",
        "pragma",
        "association",
    ])
    .prop_map(str::to_owned);
    let text = prop_oneof![3 => "[A-Za-z_\u{e4}\u{5b57}][A-Za-z0-9_\u{e4}]{0,12}", 1 => keyword];
    text.prop_map(|text| CimName::new(&text).expect("a name"))
}

fn text() -> impl Strategy<Value = Box<str>> {
    let text = prop_oneof![
        "[^\\x00]{0,30}",
        "[ -~]{0,200}",
        "([a-z]{1,12} ?|\n|\"|\\\\){0,40}",
        "[0-9]{14}\\.[0-9]{6}[+:]000",
    ];
    text.prop_map(Into::into)
}

fn path() -> impl Strategy<Value = Literal> {
    let key = prop_oneof![
        "[^\\x00]{0,10}".prop_map(CimValue::string),
        any::<u64>().prop_map(CimValue::Uint64),
        any::<bool>().prop_map(CimValue::Boolean),
    ];
    let keys = prop::collection::btree_map(name(), key, 1..3);
    (name(), keys).prop_map(|(class, keys)| {
        let path = ObjectPath {
            host: None,
            namespace: None,
            class,
            keys: Some(keys.into_iter().collect()),
        };
        Literal::Reference(Box::new(path))
    })
}

fn scalar() -> impl Strategy<Value = Literal> {
    let real = prop_oneof![any::<f64>(), Just(0.0), Just(f64::MAX), Just(5e-324)];
    prop_oneof![
        Just(Literal::Null),
        any::<bool>().prop_map(Literal::Boolean),
        any::<i128>().prop_map(Literal::Integer),
        any::<i8>().prop_map(|number| Literal::Integer(number.into())),
        real.prop_filter("MOF has no such real", |real| real.is_finite())
            .prop_map(Literal::Real),
        any::<u16>().prop_map(Literal::Char),
        text().prop_map(|text| Literal::Quoted(text.into())),
    ]
}

fn literal() -> impl Strategy<Value = Literal> {
    let array = prop::collection::vec(scalar(), 0..12).prop_map(Literal::Array);
    prop_oneof![3 => scalar(), 1 => array]
}

fn flavor_use() -> impl Strategy<Value = FlavorUse> {
    let said = || prop::option::weighted(0.2, Just(true));
    let either = || prop::option::weighted(0.2, any::<bool>());
    (either(), either(), said(), said()).prop_map(
        |(overridable, to_subclass, translatable, to_instance)| FlavorUse {
            overridable,
            to_subclass,
            translatable,
            to_instance,
        },
    )
}

fn uses() -> impl Strategy<Value = Vec<QualifierUse>> {
    let used = (name(), prop::option::of(literal()), flavor_use());
    let used = used.prop_map(|(name, value, flavor)| QualifierUse {
        name,
        value,
        ty: None,
        flavor,
        propagated: false,
    });
    prop::collection::vec(used, 0..4)
}

fn data_type() -> impl Strategy<Value = CimType> {
    let types = CimType::ALL.into_iter();
    let types: Vec<_> = types.filter(|ty| *ty != CimType::Reference).collect();
    prop::sample::select(types)
}

fn array() -> impl Strategy<Value = (bool, Option<u32>)> {
    prop_oneof![
        Just((false, None)),
        Just((true, None)),
        (1..=u32::MAX).prop_map(|size| (true, Some(size))),
    ]
}

fn data() -> impl Strategy<Value = TypeDecl> {
    (data_type(), array()).prop_map(|(ty, (is_array, array_size))| TypeDecl {
        ty,
        is_array,
        array_size,
        reference_class: None,
    })
}

fn reference() -> impl Strategy<Value = TypeDecl> {
    name().prop_map(|class| TypeDecl {
        reference_class: Some(class),
        ..TypeDecl::scalar(CimType::Reference)
    })
}

fn property() -> impl Strategy<Value = PropertyDecl> {
    let of_data = (data(), prop::option::of(literal()));
    let of_reference = (
        reference(),
        prop::option::of(prop_oneof![path(), Just(Literal::Null)]),
    );
    let typed = prop_oneof![3 => of_data, 1 => of_reference];
    (name(), uses(), typed).prop_map(|(name, qualifiers, (ty, default))| PropertyDecl {
        name,
        ty,
        qualifiers,
        default,
        origin: None,
        propagated: false,
    })
}

fn parameter() -> impl Strategy<Value = ParameterDecl> {
    let references = (reference(), array()).prop_map(|(ty, (is_array, array_size))| TypeDecl {
        is_array,
        array_size,
        ..ty
    });
    let ty = prop_oneof![data(), references];
    (name(), ty, uses()).prop_map(|(name, ty, qualifiers)| ParameterDecl {
        name,
        ty,
        qualifiers,
    })
}

fn method() -> impl Strategy<Value = MethodDecl> {
    let parameters = prop::collection::vec(parameter(), 0..4);
    let returns = prop::option::of(data_type());
    (name(), returns, uses(), parameters).prop_map(|(name, returns, qualifiers, parameters)| {
        MethodDecl {
            name,
            returns,
            qualifiers,
            parameters,
            origin: None,
            propagated: false,
        }
    })
}

fn class() -> impl Strategy<Value = ClassDecl> {
    let properties = prop::collection::vec(property(), 0..5);
    let methods = prop::collection::vec(method(), 0..3);
    let superclass = prop::option::of(name());
    (name(), superclass, uses(), properties, methods).prop_map(
        |(name, superclass, qualifiers, properties, methods)| ClassDecl {
            name,
            superclass,
            qualifiers,
            properties,
            methods,
        },
    )
}

/// A value of type `ty` that a compiler can make.
fn typed(ty: CimType) -> BoxedStrategy<CimValue> {
    match ty {
        CimType::Boolean => any::<bool>().prop_map(CimValue::Boolean).boxed(),
        CimType::String => text().prop_map(CimValue::string).boxed(),
        CimType::Char16 => any::<u16>().prop_map(CimValue::Char16).boxed(),
        CimType::Real32 => any::<f32>()
            .prop_filter("MOF has no such real", |real| real.is_finite())
            .prop_map(CimValue::Real32)
            .boxed(),
        CimType::Real64 => any::<f64>()
            .prop_filter("MOF has no such real", |real| real.is_finite())
            .prop_map(CimValue::Real64)
            .boxed(),
        CimType::DateTime => Just("20260110093000.000000+060".parse().expect("a datetime"))
            .prop_map(CimValue::DateTime)
            .boxed(),
        integer => {
            let (low, high) = integer.integer_range().expect("the rest are integers");
            let number = prop_oneof![Just(low), Just(high), low..=high];
            number
                .prop_map(move |number| CimValue::integer(integer, number).expect("in range"))
                .boxed()
        }
    }
}

fn qualifier() -> impl Strategy<Value = QualifierDecl> {
    let value = (data_type(), array()).prop_flat_map(|(ty, (is_array, array_size))| {
        let entry = || prop_oneof![4 => typed(ty), 1 => Just(CimValue::Null)];
        let value = if is_array {
            let entries = prop::collection::vec(entry(), 0..20);
            prop_oneof![4 => entries.prop_map(CimValue::Array), 1 => Just(CimValue::Null)].boxed()
        } else {
            entry().boxed()
        };
        (Just((ty, is_array, array_size)), value)
    });
    let scope = prop::collection::vec(prop::sample::select(Scope::NAMED.to_vec()), 0..8);
    let scope = scope.prop_map(|kinds| {
        let kinds = kinds.into_iter().map(|(_, kind)| kind);
        kinds.fold(Scope::default(), Scope::with)
    });
    let flavor = any::<(bool, bool, bool, bool)>();
    (name(), value, scope, flavor).prop_map(
        |(name, ((ty, is_array, array_size), default), scope, flavor)| QualifierDecl {
            name,
            ty,
            is_array,
            array_size,
            default,
            scope,
            flavor: Flavor {
                overridable: flavor.0,
                to_subclass: flavor.1,
                to_instance: flavor.2,
                translatable: flavor.3,
            },
        },
    )
}

fn instance() -> impl Strategy<Value = InstanceDecl> {
    let value = (name(), literal()).prop_map(|(name, value)| PropertyValue {
        name,
        ty: None,
        is_array: matches!(value, Literal::Array(_)),
        value,
    });
    let values = prop::collection::vec(value, 0..6);
    (name(), values).prop_map(|(class, properties)| InstanceDecl { class, properties })
}

proptest! {
    #[test]
    fn a_class_is_read_back(decl in class()) {
        let (text, compilation) = again(|printer| printer.class(&decl));
        prop_assert_eq!(&compilation.batches[0].classes, &[decl], "{}", text);
    }

    #[test]
    fn a_qualifier_declaration_is_read_back(decl in qualifier()) {
        let (text, compilation) = again(|printer| printer.qualifier(&decl));
        prop_assert_eq!(&compilation.batches[0].qualifiers, &[decl], "{}", text);
    }

    #[test]
    fn an_instance_is_read_back(decl in instance()) {
        let (text, compilation) = again(|printer| printer.instance(&decl));
        prop_assert_eq!(&compilation.batches[0].instances[0].decl, &decl, "{}", text);
    }

    #[test]
    fn embedded_objects_are_read_back(decl in instance(), class in class()) {
        let embed = |value| InstanceDecl {
            class: CimName::of("A"),
            properties: vec![PropertyValue {
                name: CimName::of("P"),
                ty: Some(CimType::String),
                is_array: false,
                value,
            }],
        };
        for value in [Literal::Instance(Box::new(decl.clone())), Literal::Class(Box::new(class.clone()))] {
            let outer = embed(value);
            let (_, compilation) = again(|printer| printer.instance(&outer));
            let value = &compilation.batches[0].instances[0].decl.properties[0].value;
            let Literal::Quoted(text) = value else { panic!("{value:?} is no string") };
            let sources = BTreeMap::from([("in.mof".to_owned(), text.as_bytes().to_vec())]);
            let inner = compile(&["in.mof"], &sources, Limits::default());
            let batch = &inner.batches[0];
            prop_assert!(
                batch.classes == [class.clone()] || batch.instances[0].decl == decl,
                "{}", text
            );
        }
    }
}
