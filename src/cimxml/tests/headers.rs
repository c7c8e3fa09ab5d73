//! Which headers agree with which body, for every way in which clients write them.

use super::samples::{document, intrinsic, parameter};
use crate::cimxml::{Agreement, CimHeaders, Envelope, HttpFault, Limits, Method, Refusal, decode};

fn envelope(body: &str) -> Envelope {
    decode(body.as_bytes(), &Limits::default())
        .expect("a good request")
        .envelope
}

fn get() -> Envelope {
    let class = parameter("ClassName", "<CLASSNAME NAME=\"CIM_Job\"/>");
    envelope(&intrinsic("GetClass", &class))
}

fn method(path: &str) -> Envelope {
    let namespace = "<LOCALNAMESPACEPATH><NAMESPACE NAME=\"root/cimv2\"/></LOCALNAMESPACEPATH>";
    let path = path.replace('@', namespace);
    envelope(&document(&format!(
        "<METHODCALL NAME=\"Run\">{path}</METHODCALL>"
    )))
}

fn on_class() -> Envelope {
    method("<LOCALCLASSPATH>@<CLASSNAME NAME=\"JW_Job\"/></LOCALCLASSPATH>")
}

fn on_instance(keys: &str) -> Envelope {
    let name = format!("<INSTANCENAME CLASSNAME=\"JW_Job\">{keys}</INSTANCENAME>");
    method(&format!("<LOCALINSTANCEPATH>@{name}</LOCALINSTANCEPATH>"))
}

fn string_key(value: &str) -> String {
    format!(
        "<KEYBINDING NAME=\"ID\"><KEYVALUE VALUETYPE=\"string\">{value}</KEYVALUE></KEYBINDING>"
    )
}

fn read(method: Method, headers: &[(&str, &str)]) -> Result<CimHeaders, HttpFault> {
    let bytes: Vec<(&str, &[u8])> = headers.iter().map(|(n, v)| (*n, v.as_bytes())).collect();
    CimHeaders::read(method, &bytes, Agreement::Tolerant)
}

fn refusal(outcome: Result<(), HttpFault>) -> Option<(u16, Option<&'static str>)> {
    outcome
        .err()
        .map(|fault| (fault.status, fault.cim_error.map(Refusal::as_str)))
}

const MISMATCH: Option<(u16, Option<&str>)> = Some((400, Some("header-mismatch")));

fn object(envelope: &Envelope, header: &str) -> Option<(u16, Option<&'static str>)> {
    let headers = [("CIMOperation", "MethodCall"), ("CIMObject", header)];
    let headers = read(Method::Post, &headers).expect("headers that can be read");
    refusal(headers.agree(envelope, Agreement::Tolerant))
}

fn strictly(envelope: &Envelope, header: &str) -> Option<(u16, Option<&'static str>)> {
    let method = envelope.head.method.clone();
    let headers = [
        ("CIMOperation", "MethodCall"),
        ("CIMMethod", &method),
        ("CIMObject", header),
    ];
    let headers = read(Method::Post, &headers).expect("headers that can be read");
    refusal(headers.agree(envelope, Agreement::Strict))
}

#[test]
fn the_operation_comes_first() {
    let fault = |headers: &[(&str, &str)]| refusal(read(Method::Post, headers).map(|_| ()));
    assert_eq!(fault(&[]), Some((400, None)));
    let wrong = [("cimoperation", "MethodResponse")];
    assert_eq!(fault(&wrong), Some((400, Some("unsupported-operation"))));
    let batch = [("CIMOperation", "methodcall"), ("CIMBatch", "")];
    assert_eq!(fault(&batch), None);
    let both = [batch[0], batch[1], ("CIMMethod", "A")];
    assert_eq!(fault(&both), MISMATCH);
    let twice = [
        ("CIMOperation", "MethodCall"),
        ("CIMMethod", "A"),
        ("cimmethod", "A"),
    ];
    assert_eq!(fault(&twice), MISMATCH);
    assert_eq!(fault(&[("CIMOperation", "methodCALL")]), None);
}

#[test]
fn the_extension_names_its_prefix() {
    for man in [
        "http://www.dmtf.org/cim/mapping/http/v1.0;ns=11",
        "http://www.dmtf.org./cim/mapping/http/v1.0 ; ns = 11",
        "\"http://WWW.dmtf.org/cim/mapping/http/v1.0\" ; ns=\"11\"",
        "http://other.example/x; ns=10, http://www.dmtf.org/cim/mapping/http/v1.0;ns=11",
    ] {
        let headers = [
            ("Man", man),
            ("11-CIMOperation", "MethodCall"),
            ("11-CIMMethod", "A%42"),
        ];
        let read = read(Method::MPost, &headers).expect("an extension that we know");
        assert_eq!(read.method.as_deref(), Some("AB"), "{man}");
        assert_eq!(read.prefix.as_deref(), Some("11"));
    }
    for man in [
        "http://www.dmtf.org/cim/mapping/http/v2.0;ns=11",
        "http://www.dmtf.org/cim/mapping/http/v1.0",
        "http://www.dmtf.org/cim/mapping/http/v1.0;ns=1x",
        "",
    ] {
        let headers = [("Man", man), ("11-CIMOperation", "MethodCall")];
        assert_eq!(
            refusal(read(Method::MPost, &headers).map(|_| ())),
            Some((510, None)),
            "{man}"
        );
    }
    let unprefixed = [
        ("Man", "http://www.dmtf.org/cim/mapping/http/v1.0;ns=11"),
        ("CIMOperation", "MethodCall"),
    ];
    assert_eq!(
        refusal(read(Method::MPost, &unprefixed).map(|_| ())),
        Some((400, None))
    );
}

#[test]
fn versions_and_methods_agree() {
    let check = |extra: (&str, &str)| {
        let headers = read(Method::Post, &[("CIMOperation", "MethodCall"), extra]);
        refusal(
            headers
                .expect("headers that can be read")
                .agree(&get(), Agreement::Tolerant),
        )
    };
    assert_eq!(check(("CIMProtocolVersion", "1.0")), None);
    assert_eq!(check(("CIMProtocolVersion", "1.4")), MISMATCH);
    let unsupported = Some((501, Some("unsupported-protocol-version")));
    assert_eq!(check(("CIMProtocolVersion", "2.0")), unsupported);
    assert_eq!(check(("CIMMethod", "getCLASS")), None);
    assert_eq!(check(("CIMMethod", "GetInstance")), MISMATCH);
}

#[test]
fn an_absent_header_is_tolerated_unless_strict() {
    let bare = read(Method::Post, &[("CIMOperation", "MethodCall")]).expect("readable");
    assert_eq!(refusal(bare.agree(&get(), Agreement::Tolerant)), None);
    assert_eq!(refusal(bare.agree(&get(), Agreement::Strict)), MISMATCH);
}

#[test]
fn an_intrinsic_call_names_its_namespace() {
    for good in ["root/cimv2", "root%2Fcimv2", "ROOT/CIMV2", "/root/cimv2/"] {
        assert_eq!(strictly(&get(), good), None, "{good}");
    }
    for bad in ["root", "root/cimv2:CIM_Job", "", "root%ZZ"] {
        assert_eq!(object(&get(), bad), MISMATCH, "{bad}");
    }
}

#[test]
fn a_method_call_names_its_class() {
    for good in [
        "root/cimv2:JW_Job",
        "root%2Fcimv2%3AJW_Job",
        "root/cimv2:JW_Job=@",
    ] {
        assert_eq!(strictly(&on_class(), good), None, "{good}");
    }
    for bad in [
        "root/cimv2:JW_Jobs",
        "root:JW_Job",
        "root/cimv2:JW_Job.ID=\"1\"",
        "root/cimv2:JW_Job.",
        "root",
    ] {
        assert_eq!(object(&on_class(), bad), MISMATCH, "{bad}");
    }
}

#[test]
fn a_method_call_names_its_instance() {
    let body = on_instance(&string_key("JW:1"));
    for good in [
        "root/cimv2:JW_Job.ID=\"JW:1\"",
        "root%2Fcimv2%3AJW_Job.id=\"JW:1\"",
        "root/cimv2:JW_Job.ID%3D%22JW%3A1%22",
    ] {
        assert_eq!(strictly(&body, good), None, "{good}");
    }
    for bad in [
        "root/cimv2:JW_Job.ID=\"JW:2\"",
        "root/cimv2:JW_Job",
        "root/cimv2:JW_Task.ID=\"JW:1\"",
    ] {
        assert_eq!(object(&body, bad), MISMATCH, "{bad}");
    }
    let number =
        on_instance("<KEYBINDING NAME=\"ID\"><KEYVALUE TYPE=\"uint8\">5</KEYVALUE></KEYBINDING>");
    assert_eq!(strictly(&number, "root/cimv2:JW_Job.ID=5"), None);
    assert_eq!(object(&number, "root/cimv2:JW_Job.ID=6"), MISMATCH);
}

#[test]
fn a_host_or_the_namespace_alone_is_tolerated_unless_strict() {
    for (body, header) in [
        (get(), "//host/root/cimv2"),
        (on_class(), "//h:1/Root/cimv2:jw_job"),
        (on_class(), "root/cimv2"),
        (on_instance(&string_key("JW:1")), "root/cimv2"),
    ] {
        assert_eq!(object(&body, header), None, "{header}");
        assert_eq!(strictly(&body, header), MISMATCH, "{header}");
    }
}

#[test]
fn a_percent_sign_in_a_key_is_read_both_ways() {
    let body = on_instance(&string_key("50%41"));
    assert_eq!(strictly(&body, "root/cimv2:JW_Job.ID=\"50%41\""), None);
    assert_eq!(strictly(&body, "root/cimv2:JW_Job.ID=\"50%2541\""), None);
}

#[test]
fn keys_that_cannot_be_read_are_accepted_unless_strict() {
    let body = on_instance(&string_key("a\"b"));
    let unquoted = "root/cimv2:JW_Job.ID=\"a\"b\"";
    assert_eq!(object(&body, unquoted), None);
    assert_eq!(strictly(&body, unquoted), MISMATCH);
    assert_eq!(object(&body, "root/cimv2:JW_Task.ID=\"a\"b\""), MISMATCH);
}

#[test]
fn references_in_keys_are_compared_as_paths() {
    let key = "<KEYBINDING NAME=\"Ref\"><VALUE.REFERENCE><INSTANCEPATH><NAMESPACEPATH><HOST>h</HOST>\
               <LOCALNAMESPACEPATH><NAMESPACE NAME=\"root\"/></LOCALNAMESPACEPATH></NAMESPACEPATH>\
               <INSTANCENAME CLASSNAME=\"A\"><KEYBINDING NAME=\"x\"><KEYVALUE VALUETYPE=\"numeric\">5</KEYVALUE>\
               </KEYBINDING></INSTANCENAME></INSTANCEPATH></VALUE.REFERENCE></KEYBINDING>";
    let body = on_instance(key);
    assert_eq!(
        strictly(&body, "root/cimv2:JW_Job.Ref=\"root:A.x=5\""),
        None
    );
    assert_eq!(
        object(&body, "root/cimv2:JW_Job.Ref=\"root:A.x=6\""),
        MISMATCH
    );
}

#[test]
fn a_header_cut_off_at_five_hundred_bytes_is_accepted() {
    let long = "x".repeat(600);
    let two = string_key(&long) + &string_key("y").replace("ID", "Other");
    let body = on_instance(&two);
    let full = format!("root/cimv2:JW_Job.Other=\"y\",ID=\"{long}\"");
    assert_eq!(object(&body, &full), None);
    assert_eq!(object(&body, &full[..500]), None);
    assert_eq!(
        object(&body, &full[..27]),
        MISMATCH,
        "too short to have been cut"
    );
    assert_eq!(strictly(&body, &full[..500]), MISMATCH);
}
