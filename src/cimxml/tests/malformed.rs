//! Documents that are refused, each for the reason and with the answer that belong to it.

use super::samples::{document, intrinsic, parameter};
use crate::cimxml::{Answer, DecodeErrorKind, Limits, Refusal, decode};
use crate::model::Status;

fn good() -> String {
    intrinsic(
        "EnumerateInstanceNames",
        &parameter("ClassName", "<CLASSNAME NAME=\"CIM_Job\"/>"),
    )
}

/// The answer to `body`: HTTP status with `CIMError`, or a CIM status.
fn answer(body: &[u8]) -> String {
    match decode(body, &Limits::default()) {
        Ok(decoded) => format!("ok {}", decoded.call.request.name()),
        Err(error) => match error.answer() {
            Answer::Http(fault) => format!(
                "{} {}",
                fault.status,
                fault.cim_error.map_or("-", Refusal::as_str)
            ),
            Answer::Cim(head, error) => format!("{} {}", head.message_id, error.status.symbol()),
        },
    }
}

fn check(body: &str, expected: &str) {
    assert_eq!(answer(body.as_bytes()), expected, "{body}");
}

/// `good` with `from` replaced by `to`.
fn changed(from: &str, to: &str, expected: &str) {
    let good = good();
    assert!(good.contains(from), "{from} is not in the good request");
    check(&good.replacen(from, to, 1), expected);
}

const TAKEN: &str = "ok EnumerateInstanceNames";
const ILL_FORMED: &str = "400 request-not-well-formed";
const LOOSELY: &str = "400 request-not-loosely-valid";

#[test]
fn what_is_not_xml_is_refused_as_not_well_formed() {
    for body in [
        "",
        " ",
        "text",
        "<CIM>",
        "</CIM>",
        "<CIM></CIN>",
        "<CIM",
        "<CIM a></CIM>",
        "<CIM a=1></CIM>",
        "<CIM a='1' a='2'></CIM>",
        "<CIM a='1'b='2'></CIM>",
        "<CIM a='<'></CIM>",
        "<CIM a='&'></CIM>",
        "<CIM a='&x;'></CIM>",
        "<CIM a='&#0;'></CIM>",
        "< CIM></CIM>",
        "<1></1>",
        "<CIM/><CIM/>",
        "<CIM/>text",
        "text<CIM/>",
        "<CIM>&x;</CIM>",
        "<CIM>&#xFFFF;</CIM>",
        "<CIM>&#xD800;</CIM>",
        "<CIM>&#;</CIM>",
        "<CIM>&amp</CIM>",
        "<CIM>a & b</CIM>",
        "<CIM>]]></CIM>",
        "<CIM><!-- a -- b --></CIM>",
        "<CIM><!-- a ---></CIM>",
        "<CIM><!-- a </CIM>",
        "<CIM><![CDATA[ a </CIM>",
        "<CIM><?xml version='1.0'?></CIM>",
        " <?xml version='1.0'?><CIM/>",
        "<?xml?><CIM/>",
        "<?xml version='2.0'?><CIM/>",
        "<?xml encoding='utf-8'?><CIM/>",
        "<?xml version='1.0' encoding='iso-8859-1'?><CIM/>",
        "<?xml version='1.0' x='y'?><CIM/>",
        "<![CDATA[a]]><CIM/>",
        "<CIM/>&amp;",
        "<!DOCTYPE CIM [<!ENTITY a 'b'>]><CIM/>",
        "<!DOCTYPE CIM SYSTEM 'x' [ ]><CIM/>",
        "<!DOCTYPE CIM><!DOCTYPE CIM><CIM/>",
        "<CIM><!DOCTYPE CIM></CIM>",
        "<CIM/><!DOCTYPE CIM>",
        "<!DOCTYPE CIM SYSTEM><CIM/>",
        "<!doctype CIM><CIM/>",
        "<!ELEMENT CIM EMPTY><CIM/>",
        "<CIM>\u{1}</CIM>",
        "<CIM>\u{ffff}</CIM>",
        "<CIM a='\u{0}'/>",
    ] {
        check(body, ILL_FORMED);
    }
    assert_eq!(answer(b"<CIM>\xff</CIM>"), ILL_FORMED);
    assert_eq!(answer(b"\xfe\xff\0<\0C"), ILL_FORMED);
}

#[test]
fn what_is_xml_is_taken_in_every_dress() {
    changed(
        "<CIM ",
        "<!-- c --><?p i?><!DOCTYPE CIM SYSTEM \"http://x/y.dtd\"><CIM ",
        TAKEN,
    );
    changed("<CIM ", "<!DOCTYPE CIM PUBLIC '-//x' 'y'>\r\n<CIM ", TAKEN);
    changed(
        "<SIMPLEREQ>",
        "<!-- -c- -->\n\t<SIMPLEREQ ><!----><?p?>",
        TAKEN,
    );
    changed("\"7\"", "'&#x37;&quot;'", TAKEN);
    changed("</CIM>", "</CIM\n>\n<!-- end -->\n", TAKEN);
    changed(
        "<?xml version=\"1.0\" encoding=\"utf-8\" ?>",
        "\u{feff}",
        TAKEN,
    );
    changed(
        "<CLASSNAME NAME=\"CIM_Job\"/>",
        "<CLASSNAME NAME=\"CIM_Job\"\n></CLASSNAME>",
        TAKEN,
    );
}

#[test]
fn whatever_else_is_wrong_a_document_is_well_formed_first() {
    changed(
        "CIMVERSION=\"2.0\"",
        "CIMVERSION=\"3.0\"",
        "501 unsupported-cim-version",
    );
    let broken = good().replace("CIMVERSION=\"2.0\"", "CIMVERSION=\"3.0\"") + "<";
    check(&broken, ILL_FORMED);
    check(&(good() + "<CIM/>"), ILL_FORMED);
}

#[test]
fn versions_are_compared_by_their_major_number() {
    for (version, taken) in [
        ("2.4", true),
        ("2.10.1", true),
        ("3.0", false),
        ("2", false),
        ("2.x", false),
    ] {
        let expected = if taken {
            TAKEN
        } else {
            "501 unsupported-dtd-version"
        };
        changed(
            "DTDVERSION=\"2.0\"",
            &format!("DTDVERSION=\"{version}\""),
            expected,
        );
    }
    for (version, taken) in [("1.4", true), ("2.0", false), ("", false)] {
        let expected = if taken {
            TAKEN
        } else {
            "501 unsupported-protocol-version"
        };
        changed(
            "PROTOCOLVERSION=\"1.0\"",
            &format!("PROTOCOLVERSION=\"{version}\""),
            expected,
        );
    }
}

#[test]
fn what_the_dtd_requires_must_hold_and_what_it_does_not_know_is_passed_over() {
    changed(" ID=\"7\"", "", LOOSELY);
    changed(" DTDVERSION=\"2.0\"", "", LOOSELY);
    changed(" NAME=\"root\"", "", LOOSELY);
    changed("<SIMPLEREQ>", "<SIMPLEREQ>text", LOOSELY);
    changed("<IPARAMVALUE", "<VALUE></VALUE><IPARAMVALUE", LOOSELY);
    changed("<CLASSNAME NAME=\"CIM_Job\"/>", "<HOST>x</HOST>", LOOSELY);
    changed("<CLASSNAME NAME=\"CIM_Job\"/>", "<CLASSNAME/>", LOOSELY);
    changed(
        "<SIMPLEREQ>",
        "<x:OTHER y='1'>text<z/></x:OTHER><SIMPLEREQ>",
        "400 request-not-valid",
    );
    changed(
        "<IPARAMVALUE",
        "<x:OTHER y='1'>text<z/></x:OTHER><IPARAMVALUE",
        TAKEN,
    );
    changed(
        "<CLASSNAME NAME",
        "<CLASSNAME xml:lang='en' x:y='z' NAME",
        TAKEN,
    );
    changed("</SIMPLEREQ>", "<SIMPLEREQ/></SIMPLEREQ>", LOOSELY);
    check("<X/>", LOOSELY);
}

#[test]
fn other_messages_than_one_request_are_refused() {
    let batch = good().replace("SIMPLEREQ", "MULTIREQ");
    check(&batch, "400 header-mismatch");
    check(
        &good().replace("SIMPLEREQ", "SIMPLERSP"),
        "400 request-not-valid",
    );
    let declaration = "<CIM CIMVERSION='2.0' DTDVERSION='2.0'><DECLARATION/></CIM>";
    check(declaration, "400 request-not-valid");
}

#[test]
fn wrong_values_are_answered_by_the_operation() {
    let four = "7 CIM_ERR_INVALID_PARAMETER";
    changed("NAME=\"CIM_Job\"", "NAME=\"1 Job\"", four);
    changed("\"ClassName\"", "\"classNAME\"", TAKEN);
    changed("\"ClassName\"", "\"Class\"", four);
    changed(
        "NAME=\"cimv2\"",
        "NAME=\"cim v2\"",
        "7 CIM_ERR_INVALID_NAMESPACE",
    );
    changed(
        "NAME=\"EnumerateInstanceNames\"",
        "NAME=\"FlyToTheMoon\"",
        "ok FlyToTheMoon",
    );
    changed(
        "<IPARAMVALUE",
        &(parameter("ClassName", "") + "<IPARAMVALUE"),
        four,
    );
    changed(
        "<IPARAMVALUE",
        &(parameter("LocalOnly", "") + "<IPARAMVALUE"),
        four,
    );
    changed(
        "<CLASSNAME NAME=\"CIM_Job\"/>",
        "<VALUE>CIM_Job</VALUE>",
        four,
    );
    let no_key = "<INSTANCENAME CLASSNAME='A'><KEYBINDING NAME='a'/></INSTANCENAME>";
    check(
        &intrinsic("DeleteInstance", &parameter("InstanceName", no_key)),
        LOOSELY,
    );
    for key in [
        "<KEYVALUE TYPE='uint8'>256</KEYVALUE>",
        "<KEYVALUE VALUETYPE='numeric'>x</KEYVALUE>",
        "<KEYVALUE VALUETYPE='boolean'>1</KEYVALUE>",
    ] {
        let path = format!(
            "<INSTANCENAME CLASSNAME='A'><KEYBINDING NAME='a'>{key}</KEYBINDING></INSTANCENAME>"
        );
        check(
            &intrinsic("DeleteInstance", &parameter("InstanceName", &path)),
            four,
        );
    }
}

#[test]
fn an_embedded_object_that_is_none_is_a_wrong_value() {
    for text in [
        "x",
        "&lt;INSTANCE&gt;",
        "&lt;VALUE/&gt;",
        "&lt;INSTANCE/&gt;",
        "&lt;!DOCTYPE a [&lt;!ENTITY b 'c'&gt;]&gt;&lt;INSTANCE CLASSNAME='A'/&gt;",
    ] {
        let call = format!(
            "<METHODCALL NAME=\"Run\"><LOCALCLASSPATH><LOCALNAMESPACEPATH><NAMESPACE NAME=\"root\"/>\
             </LOCALNAMESPACEPATH><CLASSNAME NAME=\"A\"/></LOCALCLASSPATH>\
             <PARAMVALUE NAME=\"p\" PARAMTYPE=\"string\" EmbeddedObject=\"instance\"><VALUE>{text}</VALUE></PARAMVALUE></METHODCALL>"
        );
        check(&document(&call), "7 CIM_ERR_INVALID_PARAMETER");
    }
}

#[test]
fn the_detail_of_a_refusal_is_one_short_line() {
    let version = format!("&#10;X-Header: 1{}", "x".repeat(1000));
    for body in [
        good().replace(
            "\"7\" PROTOCOLVERSION=\"1.0\"",
            &format!("\"7\" PROTOCOLVERSION=\"{version}\""),
        ),
        good().replace("<IPARAMVALUE", "<\nIPARAMVALUE"),
        good().replace("</IPARAMVALUE", &format!("</\n{}", "x".repeat(1000))),
    ] {
        let error = decode(body.as_bytes(), &Limits::default()).expect_err("a refused request");
        let Answer::Http(fault) = error.answer() else {
            panic!("{error} is answered with a body");
        };
        assert!(
            fault.detail.len() <= 256 && !fault.detail.contains('\n'),
            "{}",
            fault.detail
        );
    }
}

#[test]
fn an_error_knows_its_place_and_its_call() {
    let body = good().replace("CIM_Job", "1");
    let error = decode(body.as_bytes(), &Limits::default()).expect_err("a wrong class name");
    assert_eq!(error.offset, body.find("<CLASSNAME").expect("the element"));
    assert_eq!(error.message_id(), Some("7"));
    assert!(matches!(&error.kind, DecodeErrorKind::Cim(e) if e.status == Status::InvalidParameter));
    let envelope = error.envelope.expect("the call was known");
    assert_eq!(envelope.head.method, "EnumerateInstanceNames");
    assert!(envelope.target.is_some());
}
