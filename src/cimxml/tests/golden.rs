//! What our responses look like, byte for byte: every rule here is one that some client needs.

use bytes::BytesMut;

use super::samples;
use crate::cimxml::{Forms, ResponseEncoder, Rest, value_writer};
use crate::model::{
    CimError, CimName, CimType, CimValue, Flavor, Namespace, ObjectPath, QualifierDecl, Scope,
    Status,
};
use crate::ops::{ClassReply, ClassSelect, MethodReply, Object, Reply, Select, stream_of};

const OPEN: &str = "<?xml version=\"1.0\" encoding=\"utf-8\" ?><CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\"><MESSAGE ID=\"7\" PROTOCOLVERSION=\"1.0\"><SIMPLERSP>";
const CLOSE: &str = "</SIMPLERSP></MESSAGE></CIM>\n";

fn text(out: &BytesMut) -> String {
    String::from_utf8(out.to_vec()).expect("we send UTF-8")
}

fn whole(encoder: &ResponseEncoder, reply: Reply) -> String {
    let mut out = BytesMut::new();
    let rest = encoder
        .begin(&mut out, reply)
        .expect("a reply that XML can carry");
    assert!(matches!(rest, Rest::Complete), "the reply is not complete");
    text(&out)
}

fn check(encoder: &ResponseEncoder, reply: Reply, inner: &str) {
    assert_eq!(whole(encoder, reply), format!("{OPEN}{inner}{CLOSE}"));
}

fn method(reply: MethodReply, inner: &str) {
    let expected = format!("<METHODRESPONSE NAME=\"run\">{inner}</METHODRESPONSE>");
    check(
        &samples::encoder("run", false),
        Reply::Method(reply),
        &expected,
    );
}

fn items(reply: Reply, inner: &str) {
    let expected = format!(
        "<IMETHODRESPONSE NAME=\"Get\"><IRETURNVALUE>{inner}</IRETURNVALUE></IMETHODRESPONSE>"
    );
    check(&samples::encoder("Get", true), reply, &expected);
}

fn one(instance: crate::model::Instance, properties: &[&str]) -> Reply {
    let names = properties
        .iter()
        .map(|name| CimName::new(name).expect("a name"));
    Reply::Instance {
        instance: Box::new(instance),
        select: Select {
            properties: Some(names.collect()),
            class_origin: false,
        },
    }
}

fn job(id: &str) -> ObjectPath {
    format!("root/cimv2:CIM_Job.InstanceID=\"{id}\"")
        .parse()
        .expect("a path")
}

#[test]
fn a_void_operation_has_no_return_value() {
    let encoder = samples::encoder("DeleteInstance", true);
    let expected = "<IMETHODRESPONSE NAME=\"DeleteInstance\"></IMETHODRESPONSE>";
    check(&encoder, Reply::Void, expected);
}

#[test]
fn an_error_has_an_instance_only_where_it_is_wanted() {
    let error = CimError::not_found("no <such> job");
    let told = |wanted| {
        let encoder = samples::encoder("GetInstance", true).with_error_instances(wanted);
        let mut out = BytesMut::new();
        encoder.error(&mut out, &error);
        text(&out)
    };
    let wrapped = |inner: &str| {
        format!("{OPEN}<IMETHODRESPONSE NAME=\"GetInstance\">{inner}</IMETHODRESPONSE>{CLOSE}")
    };
    let start = "<ERROR CODE=\"6\" DESCRIPTION=\"no &lt;such&gt; job\"";
    assert_eq!(told(false), wrapped(&format!("{start}/>")));
    let property = |name: &str, ty: &str, value: &str| {
        format!("<PROPERTY NAME=\"{name}\" TYPE=\"{ty}\"><VALUE>{value}</VALUE></PROPERTY>")
    };
    let instance = [
        property("ErrorType", "uint16", "1"),
        property("OtherErrorType", "string", "CIM operation"),
        property("OwningEntity", "string", "Jobwright"),
        property("MessageID", "string", "JW0006"),
        property("Message", "string", "no &lt;such&gt; job"),
        property("PerceivedSeverity", "uint16", "4"),
        property("CIMStatusCode", "uint32", "6"),
        property("CIMStatusCodeDescription", "string", "CIM_ERR_NOT_FOUND"),
    ];
    let instance = instance.concat();
    let expected =
        format!("{start}><INSTANCE CLASSNAME=\"CIM_Error\">{instance}</INSTANCE></ERROR>");
    assert_eq!(told(true), wrapped(&expected));
}

#[test]
fn an_empty_list_has_a_return_value() {
    items(Reply::ClassNames(Vec::new()), "");
    items(
        Reply::ClassNames(vec![CimName::of("A")]),
        "<CLASSNAME NAME=\"A\"/>",
    );
}

#[test]
fn null_has_its_element_without_a_value() {
    items(
        one(
            samples::instance("a", &[]),
            &["Priority", "Command", "Partner", "Detail"],
        ),
        "<INSTANCE CLASSNAME=\"JW_Sample\"><PROPERTY NAME=\"Priority\" TYPE=\"uint32\"></PROPERTY>\
         <PROPERTY.ARRAY NAME=\"Command\" TYPE=\"string\"></PROPERTY.ARRAY>\
         <PROPERTY.REFERENCE NAME=\"Partner\"></PROPERTY.REFERENCE>\
         <PROPERTY NAME=\"Detail\" TYPE=\"string\" EmbeddedObject=\"instance\"></PROPERTY></INSTANCE>",
    );
}

#[test]
fn text_is_escaped_with_entities_and_keeps_its_line_ends() {
    items(
        one(samples::instance("a<b>&\"c\"\r\n\td", &[]), &["InstanceID"]),
        "<INSTANCE CLASSNAME=\"JW_Sample\"><PROPERTY NAME=\"InstanceID\" TYPE=\"string\">\
         <VALUE>a&lt;b&gt;&amp;\"c\"&#13;\n\td</VALUE></PROPERTY></INSTANCE>",
    );
}

#[test]
fn arrays_have_null_entries_and_may_be_empty() {
    let entries = [CimValue::string(""), CimValue::Null];
    let some = samples::instance("a", &[("Command", CimValue::Array(entries.into()))]);
    items(
        one(some, &["Command"]),
        "<INSTANCE CLASSNAME=\"JW_Sample\"><PROPERTY.ARRAY NAME=\"Command\" TYPE=\"string\">\
         <VALUE.ARRAY><VALUE></VALUE><VALUE.NULL></VALUE.NULL></VALUE.ARRAY></PROPERTY.ARRAY></INSTANCE>",
    );
    let none = samples::instance("a", &[("Command", CimValue::Array(Vec::new()))]);
    items(
        one(none, &["Command"]),
        "<INSTANCE CLASSNAME=\"JW_Sample\"><PROPERTY.ARRAY NAME=\"Command\" TYPE=\"string\">\
         <VALUE.ARRAY></VALUE.ARRAY></PROPERTY.ARRAY></INSTANCE>",
    );
}

#[test]
fn references_have_the_namespace_they_know() {
    let local = samples::instance("a", &[("Partner", CimValue::Reference(Box::new(job("x"))))]);
    let namespace = "<LOCALNAMESPACEPATH><NAMESPACE NAME=\"root\"/><NAMESPACE NAME=\"cimv2\"/></LOCALNAMESPACEPATH>";
    let name = "<INSTANCENAME CLASSNAME=\"CIM_Job\"><KEYBINDING NAME=\"InstanceID\"><KEYVALUE VALUETYPE=\"string\" TYPE=\"string\">x</KEYVALUE></KEYBINDING></INSTANCENAME>";
    items(
        one(local, &["Partner"]),
        &format!(
            "<INSTANCE CLASSNAME=\"JW_Sample\"><PROPERTY.REFERENCE NAME=\"Partner\"><VALUE.REFERENCE>\
             <LOCALINSTANCEPATH>{namespace}{name}</LOCALINSTANCEPATH></VALUE.REFERENCE></PROPERTY.REFERENCE></INSTANCE>"
        ),
    );
    let bare = ObjectPath {
        namespace: None,
        ..job("x")
    };
    let bare = samples::instance("a", &[("Partner", CimValue::Reference(Box::new(bare)))]);
    items(
        one(bare, &["Partner"]),
        &format!(
            "<INSTANCE CLASSNAME=\"JW_Sample\"><PROPERTY.REFERENCE NAME=\"Partner\"><VALUE.REFERENCE>\
             {name}</VALUE.REFERENCE></PROPERTY.REFERENCE></INSTANCE>"
        ),
    );
}

#[test]
fn embedded_instances_are_escaped_text() {
    let inner = samples::instance("a&b", &[]);
    let value = CimValue::Array(vec![CimValue::Instance(Box::new(inner))]);
    let outer = samples::instance("o", &[("Details", value)]);
    let encoded = whole(&samples::encoder("Get", true), one(outer, &["Details"]));
    let expected = "<PROPERTY.ARRAY NAME=\"Details\" TYPE=\"string\" EmbeddedObject=\"instance\"><VALUE.ARRAY><VALUE>&lt;INSTANCE CLASSNAME=\"JW_Sample\"&gt;&lt;PROPERTY NAME=\"InstanceID\" TYPE=\"string\"&gt;&lt;VALUE&gt;a&amp;amp;b&lt;/VALUE&gt;";
    assert!(encoded.contains(expected), "{encoded}");
}

#[test]
fn what_may_not_be_read_is_shown_as_null() {
    let hidden = samples::instance("a", &[("Secret", CimValue::string("word"))]);
    items(
        one(hidden, &["Secret"]),
        "<INSTANCE CLASSNAME=\"JW_Sample\"><PROPERTY NAME=\"Secret\" TYPE=\"string\"></PROPERTY></INSTANCE>",
    );
}

#[test]
fn class_origin_is_written_when_asked_for() {
    let reply = Reply::Instance {
        instance: Box::new(samples::instance("a", &[("Priority", CimValue::Uint32(1))])),
        select: Select {
            properties: Some(vec![CimName::of("priority")]),
            class_origin: true,
        },
    };
    items(
        reply,
        "<INSTANCE CLASSNAME=\"JW_Sample\"><PROPERTY NAME=\"Priority\" TYPE=\"uint32\" CLASSORIGIN=\"CIM_Job\"><VALUE>1</VALUE></PROPERTY></INSTANCE>",
    );
}

#[test]
fn streamed_items_stand_between_start_and_finish() {
    let encoder = samples::encoder("EnumerateInstances", true);
    let mut out = BytesMut::new();
    let instance = samples::instance("a", &[]);
    let select = Select {
        properties: Some(Vec::new()),
        class_origin: false,
    };
    let reply = Reply::Instances {
        stream: stream_of(vec![instance.clone()]),
        select,
    };
    let Ok(Rest::Instances { mut forms, .. }) = encoder.begin(&mut out, reply) else {
        panic!("the reply is streamed");
    };
    encoder
        .instance(&mut out, &instance, &mut forms)
        .expect("an instance that XML can carry");
    let path = instance.path(&Namespace::of("root/cimv2"));
    encoder
        .path(&mut out, &path)
        .expect("a path that XML can carry");
    encoder.end_list(&mut out);
    encoder.finish(&mut out);
    let name = "<INSTANCENAME CLASSNAME=\"JW_Sample\"><KEYBINDING NAME=\"InstanceID\"><KEYVALUE VALUETYPE=\"string\" TYPE=\"string\">a</KEYVALUE></KEYBINDING></INSTANCENAME>";
    let expected = format!(
        "{OPEN}<IMETHODRESPONSE NAME=\"EnumerateInstances\"><IRETURNVALUE><VALUE.NAMEDINSTANCE>{name}\
         <INSTANCE CLASSNAME=\"JW_Sample\"></INSTANCE></VALUE.NAMEDINSTANCE>{name}</IRETURNVALUE></IMETHODRESPONSE>{CLOSE}"
    );
    assert_eq!(text(&out), expected);
}

#[test]
fn results_of_associations_have_the_host_that_the_client_named() {
    let encoder = samples::encoder("Associators", true).with_host("here:5988".into());
    let (namespace, instance) = (Namespace::of("root/cimv2"), samples::instance("a", &[]));
    let select = Select {
        properties: Some(Vec::new()),
        class_origin: false,
    };
    let object = Object {
        namespace: namespace.clone(),
        instance,
    };
    let mut out = BytesMut::new();
    encoder
        .object(&mut out, &object, &mut Forms::new(select))
        .expect("an instance that XML can carry");
    encoder
        .object_path(&mut out, &object.path())
        .expect("a path that XML can carry");
    let place = "<NAMESPACEPATH><HOST>here:5988</HOST><LOCALNAMESPACEPATH><NAMESPACE NAME=\"root\"/><NAMESPACE NAME=\"cimv2\"/></LOCALNAMESPACEPATH></NAMESPACEPATH>";
    let name = "<INSTANCENAME CLASSNAME=\"JW_Sample\"><KEYBINDING NAME=\"InstanceID\"><KEYVALUE VALUETYPE=\"string\" TYPE=\"string\">a</KEYVALUE></KEYBINDING></INSTANCENAME>";
    let path = format!("<INSTANCEPATH>{place}{name}</INSTANCEPATH>");
    let expected = format!(
        "<VALUE.OBJECTWITHPATH>{path}<INSTANCE CLASSNAME=\"JW_Sample\"></INSTANCE></VALUE.OBJECTWITHPATH><OBJECTPATH>{path}</OBJECTPATH>"
    );
    assert_eq!(text(&out), expected);
}

#[test]
fn class_results_of_associations_have_class_paths() {
    let reply = Reply::ClassPaths {
        namespace: Namespace::of("root"),
        classes: vec![CimName::of("A")],
    };
    items(
        reply,
        "<OBJECTPATH><CLASSPATH><NAMESPACEPATH><HOST>localhost</HOST><LOCALNAMESPACEPATH><NAMESPACE NAME=\"root\"/></LOCALNAMESPACEPATH></NAMESPACEPATH><CLASSNAME NAME=\"A\"/></CLASSPATH></OBJECTPATH>",
    );
}

#[test]
fn the_value_of_a_property_stands_alone() {
    items(Reply::Value(CimValue::Null), "");
    items(Reply::Value(CimValue::Uint8(7)), "<VALUE>7</VALUE>");
}

#[test]
fn an_error_is_one_element_on_one_line() {
    let mut out = BytesMut::new();
    let error = CimError::new(Status::NotFound, "no \"job\"\r\n<x> & \u{1}");
    samples::encoder("GetInstance", true).error(&mut out, &error);
    let inner = "<ERROR CODE=\"6\" DESCRIPTION=\"no &quot;job&quot;  &lt;x&gt; &amp; \u{fffd}\"/>";
    let expected =
        format!("{OPEN}<IMETHODRESPONSE NAME=\"GetInstance\">{inner}</IMETHODRESPONSE>{CLOSE}");
    assert_eq!(text(&out), expected);
}

#[test]
fn a_method_returns_its_value_first_and_leaves_null_outputs_out() {
    let reply = MethodReply {
        returns: Some((CimType::Uint32, CimValue::Uint32(4096))),
        outputs: vec![
            (CimName::of("None"), CimType::String, CimValue::Null),
            (CimName::of("Data"), CimType::String, CimValue::string("x")),
        ],
    };
    method(
        reply,
        "<RETURNVALUE PARAMTYPE=\"uint32\"><VALUE>4096</VALUE></RETURNVALUE>\
         <PARAMVALUE NAME=\"Data\" PARAMTYPE=\"string\"><VALUE>x</VALUE></PARAMVALUE>",
    );
}

#[test]
fn an_embedded_output_says_whether_it_is_an_instance_or_a_class() {
    let class = CimValue::Class(samples::class());
    let instance = CimValue::Instance(Box::new(samples::instance("a", &[])));
    for (held, embedding) in [(class, "object"), (instance, "instance")] {
        for held in [held.clone(), CimValue::Array(vec![CimValue::Null, held])] {
            let mut out = BytesMut::new();
            let name = CimName::of("Out");
            let written = value_writer::output(&mut out, &name, CimType::String, &held);
            written.expect("it can be written");
            let start = format!(
                "<PARAMVALUE NAME=\"Out\" PARAMTYPE=\"string\" EmbeddedObject=\"{embedding}\">"
            );
            assert!(
                text(&out).starts_with(&start),
                "{} for {embedding}",
                text(&out)
            );
        }
    }
}

#[test]
fn a_class_has_properties_before_methods() {
    let reply = |local_only, qualifiers| {
        Reply::Class(ClassReply {
            class: samples::class(),
            select: ClassSelect {
                local_only,
                qualifiers,
                class_origin: false,
                properties: Some(vec![CimName::of("InstanceID"), CimName::of("Priority")]),
            },
        })
    };
    let method = "<METHOD NAME=\"Run\" TYPE=\"uint32\"><PARAMETER.ARRAY NAME=\"How\" TYPE=\"uint16\"></PARAMETER.ARRAY>\
                  <PARAMETER.REFERENCE NAME=\"Job\" REFERENCECLASS=\"CIM_Job\"></PARAMETER.REFERENCE></METHOD>";
    items(
        reply(false, true),
        &format!(
            "<CLASS NAME=\"JW_Sample\" SUPERCLASS=\"CIM_Job\"><PROPERTY NAME=\"InstanceID\" TYPE=\"string\">\
             <QUALIFIER NAME=\"Key\" TYPE=\"boolean\" PROPAGATED=\"true\" OVERRIDABLE=\"false\"><VALUE>TRUE</VALUE></QUALIFIER>\
             <QUALIFIER NAME=\"MaxLen\" TYPE=\"uint32\"><VALUE>64</VALUE></QUALIFIER></PROPERTY>\
             <PROPERTY NAME=\"Priority\" TYPE=\"uint32\" PROPAGATED=\"true\"><VALUE>5</VALUE></PROPERTY>{method}</CLASS>"
        ),
    );
    items(
        reply(true, false),
        &format!(
            "<CLASS NAME=\"JW_Sample\" SUPERCLASS=\"CIM_Job\">\
             <PROPERTY NAME=\"InstanceID\" TYPE=\"string\"></PROPERTY>{method}</CLASS>"
        ),
    );
}

#[test]
fn a_qualifier_declaration_has_its_scope_and_flavor() {
    let declared = QualifierDecl {
        name: CimName::of("Key"),
        ty: CimType::Boolean,
        is_array: false,
        array_size: None,
        default: CimValue::Boolean(false),
        scope: Scope::PROPERTY.with(Scope::REFERENCE),
        flavor: Flavor {
            overridable: false,
            ..Flavor::default()
        },
    };
    items(
        Reply::Qualifier(Box::new(declared)),
        "<QUALIFIER.DECLARATION NAME=\"Key\" TYPE=\"boolean\" ISARRAY=\"false\" OVERRIDABLE=\"false\">\
         <SCOPE REFERENCE=\"true\" PROPERTY=\"true\"></SCOPE><VALUE>FALSE</VALUE></QUALIFIER.DECLARATION>",
    );
}

#[test]
fn what_xml_cannot_carry_fails_the_reply_and_names_the_property() {
    let bad = [
        ("InstanceID", CimValue::string("a\u{1}")),
        ("InstanceID", CimValue::string("a\u{ffff}")),
        ("Letter", CimValue::Char16(0xd800)),
        ("Letter", CimValue::Char16(0)),
    ];
    for (name, value) in bad {
        let mut out = BytesMut::new();
        let instance = samples::instance("a", &[(name, value)]);
        let outer = CimValue::Instance(Box::new(instance));
        let reply = one(samples::instance("o", &[("Detail", outer)]), &["Detail"]);
        let error = samples::encoder("Get", true)
            .begin(&mut out, reply)
            .err()
            .expect("a value that XML cannot carry");
        assert_eq!(error.status, Status::Failed);
        assert!(
            error.description.starts_with(&format!("Detail.{name}: ")),
            "{error}"
        );
        assert!(out.is_empty(), "something was appended");
    }
}
