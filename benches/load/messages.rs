//! The questions, as CIM-XML: a class of ten properties, its instances, and a held job.

use std::fmt::Write as _;
use std::ops::Range;

use bytes::Bytes;

use super::Outcome;

/// The class of the instances.
pub const CLASS: &str = "LOAD_Thing";
/// The job on which a method is called.
const JOB: &str = "load:held";

/// A request.
#[derive(Debug, Clone)]
pub struct Call {
    /// `CIMMethod`.
    pub method: &'static str,
    /// `CIMObject`.
    pub object: String,
    /// The body.
    pub body: Bytes,
}

/// Requests in one namespace.
pub struct Messages {
    namespace: String,
}

/// That an answer is no error.
pub fn succeeded(answer: &[u8]) -> Outcome<()> {
    let text = String::from_utf8_lossy(answer);
    let rejected = text.contains("<RETURNVALUE PARAMTYPE=\"uint32\"><VALUE>5</VALUE>");
    match text.split_once("<ERROR ") {
        None if rejected => Err("rejected".into()),
        None => Ok(()),
        Some((_, error)) => Err(error.chars().take(200).collect::<String>().into()),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

fn parameter(name: &str, content: &str) -> String {
    format!("<IPARAMVALUE NAME=\"{name}\">{content}</IPARAMVALUE>")
}

fn value(text: &str) -> String {
    format!("<VALUE>{text}</VALUE>")
}

fn property(name: &str, ty: &str, content: &str) -> String {
    format!("<PROPERTY NAME=\"{name}\" TYPE=\"{ty}\">{content}</PROPERTY>")
}

fn name_of(class: &str, key: &str, id: &str) -> String {
    format!(
        "<INSTANCENAME CLASSNAME=\"{class}\"><KEYBINDING NAME=\"{key}\">\
         <KEYVALUE VALUETYPE=\"string\">{id}</KEYVALUE></KEYBINDING></INSTANCENAME>"
    )
}

impl Messages {
    /// Requests in `namespace`.
    pub fn new(namespace: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
        }
    }

    /// The operations to measure, by their names.
    pub fn operations(&self) -> Vec<(&'static str, Vec<Call>)> {
        vec![
            ("GetInstance, stored", vec![self.get_instance()]),
            ("GetInstance, a job", vec![self.get_job()]),
            ("GetClass CIM_Job", vec![self.get_class("CIM_Job")]),
            ("GetClass, small", vec![self.get_class(CLASS)]),
            (
                "ModifyInstance, durable",
                [1, 2, 3]
                    .map(|number| self.modify_instance(number))
                    .to_vec(),
            ),
            ("InvokeMethod NextRuns", vec![self.next_runs()]),
        ]
    }

    fn local_namespace(&self) -> String {
        let parts = self.namespace.split('/');
        let parts: Vec<String> = parts
            .map(|part| format!("<NAMESPACE NAME=\"{part}\"/>"))
            .collect();
        let parts = parts.concat();
        format!("<LOCALNAMESPACEPATH>{parts}</LOCALNAMESPACEPATH>")
    }

    fn message(&self, method: &'static str, object: &str, call: &str) -> Call {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n<CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\">\
             <MESSAGE ID=\"1\" PROTOCOLVERSION=\"1.0\"><SIMPLEREQ>{call}</SIMPLEREQ></MESSAGE></CIM>"
        );
        Call {
            method,
            object: format!("{}{object}", self.namespace),
            body: body.into(),
        }
    }

    fn intrinsic(&self, method: &'static str, parameters: &str) -> Call {
        let namespace = self.local_namespace();
        let call = format!("<IMETHODCALL NAME=\"{method}\">{namespace}{parameters}</IMETHODCALL>");
        self.message(method, "", &call)
    }

    /// Declares the class.
    pub fn create_class(&self) -> Call {
        let key = "<QUALIFIER NAME=\"Key\" TYPE=\"boolean\"><VALUE>TRUE</VALUE></QUALIFIER>";
        let write = "<QUALIFIER NAME=\"Write\" TYPE=\"boolean\"><VALUE>TRUE</VALUE></QUALIFIER>";
        let mut properties = property("Id", "string", key);
        for number in 1..=5 {
            properties += &property(&format!("Text{number}"), "string", write);
        }
        for number in 1..=4 {
            properties += &property(&format!("Number{number}"), "uint32", write);
        }
        let class = format!("<CLASS NAME=\"{CLASS}\">{properties}</CLASS>");
        self.intrinsic("CreateClass", &parameter("NewClass", &class))
    }

    fn instance(number: usize) -> String {
        let mut properties = property("Id", "string", &value(&number.to_string()));
        for at in 1..=5 {
            let text = value(&format!("text {at} of instance {number}"));
            properties += &property(&format!("Text{at}"), "string", &text);
        }
        for at in 1..=4 {
            let text = value(&(number * at % 1_000_000).to_string());
            properties += &property(&format!("Number{at}"), "uint32", &text);
        }
        format!("<INSTANCE CLASSNAME=\"{CLASS}\">{properties}</INSTANCE>")
    }

    /// Creates one instance.
    pub fn create_instance(&self, number: usize) -> Call {
        let instance = parameter("NewInstance", &Self::instance(number));
        self.intrinsic("CreateInstance", &instance)
    }

    /// Creates many at once, where the server compiles MOF.
    pub fn compile_instances(&self, numbers: Range<usize>) -> Call {
        let mut mof = String::new();
        for number in numbers {
            write!(mof, "instance of {CLASS} {{ Id = \"{number}\";").unwrap_or_default();
            for at in 1..=5 {
                write!(mof, " Text{at} = \"text {at} of instance {number}\";").unwrap_or_default();
            }
            for at in 1..=4 {
                let value = number * at % 1_000_000;
                write!(mof, " Number{at} = {value};").unwrap_or_default();
            }
            mof.push_str(" };\n");
        }
        let list = |name: &str, text: &str| {
            let text = value(&escaped(text));
            format!(
                "<PARAMVALUE NAME=\"{name}\" PARAMTYPE=\"string\"><VALUE.ARRAY>{text}</VALUE.ARRAY></PARAMVALUE>"
            )
        };
        let call = format!(
            "<METHODCALL NAME=\"CompileMOF\"><LOCALCLASSPATH>{}<CLASSNAME NAME=\"JW_SchemaService\"/>\
             </LOCALCLASSPATH>{}{}</METHODCALL>",
            self.local_namespace(),
            list("Names", "load.mof"),
            list("Texts", &mof),
        );
        self.message("CompileMOF", ":JW_SchemaService", &call)
    }

    /// Creates the held job.
    pub fn create_job(&self) -> Call {
        self.held_job(JOB)
    }

    /// Creates one of many such jobs.
    pub fn create_job_of_many(&self, number: usize) -> Call {
        self.held_job(&format!("load:{number}"))
    }

    fn held_job(&self, id: &str) -> Call {
        let command = "<PROPERTY.ARRAY NAME=\"Command\" TYPE=\"string\"><VALUE.ARRAY>\
                       <VALUE>/bin/true</VALUE></VALUE.ARRAY></PROPERTY.ARRAY>";
        let properties = [
            property("InstanceID", "string", &value(id)),
            property("Name", "string", &value("held")),
            property("Hold", "boolean", &value("TRUE")),
            command.to_owned(),
        ];
        let instance = format!(
            "<INSTANCE CLASSNAME=\"JW_Job\">{}</INSTANCE>",
            properties.concat()
        );
        self.intrinsic("CreateInstance", &parameter("NewInstance", &instance))
    }

    /// Reads the stored instance.
    pub fn get_instance(&self) -> Call {
        let name = name_of(CLASS, "Id", "0");
        self.intrinsic("GetInstance", &parameter("InstanceName", &name))
    }

    fn get_job(&self) -> Call {
        let name = name_of("JW_Job", "InstanceID", JOB);
        self.intrinsic("GetInstance", &parameter("InstanceName", &name))
    }

    fn get_class(&self, class: &str) -> Call {
        let name = format!("<CLASSNAME NAME=\"{class}\"/>");
        let flags = ["IncludeQualifiers", "IncludeClassOrigin"];
        let flags: Vec<String> = flags
            .iter()
            .map(|flag| parameter(flag, &value("TRUE")))
            .collect();
        let flags = flags.concat();
        let all = parameter("LocalOnly", &value("FALSE"));
        let parameters = format!("{}{all}{flags}", parameter("ClassName", &name));
        self.intrinsic("GetClass", &parameters)
    }

    /// Gives the stored instance other values: what does not change is not written.
    fn modify_instance(&self, number: usize) -> Call {
        let named = format!(
            "<VALUE.NAMEDINSTANCE>{}{}</VALUE.NAMEDINSTANCE>",
            name_of(CLASS, "Id", "0"),
            Self::instance(number).replace(
                &property("Id", "string", &value(&number.to_string())),
                &property("Id", "string", &value("0")),
            )
        );
        self.intrinsic("ModifyInstance", &parameter("ModifiedInstance", &named))
    }

    fn next_runs(&self) -> Call {
        let namespace = self.local_namespace();
        let call = format!(
            "<METHODCALL NAME=\"NextRuns\"><LOCALINSTANCEPATH>{namespace}{}</LOCALINSTANCEPATH>\
             <PARAMVALUE NAME=\"Count\" PARAMTYPE=\"uint32\"><VALUE>1</VALUE></PARAMVALUE></METHODCALL>",
            name_of("JW_Job", "InstanceID", JOB)
        );
        let object = format!(":JW_Job.InstanceID=%22{JOB}%22");
        self.message("NextRuns", &object, &call)
    }

    /// Reads every instance of `class`.
    pub fn enumerate(&self, class: &str) -> Call {
        let name = format!("<CLASSNAME NAME=\"{class}\"/>");
        self.intrinsic("EnumerateInstances", &parameter("ClassName", &name))
    }

    /// Opens an enumeration of every instance of `class`.
    pub fn open(&self, class: &str) -> Call {
        let name = format!("<CLASSNAME NAME=\"{class}\"/>");
        let parameters = format!(
            "{}{}",
            parameter("ClassName", &name),
            parameter("MaxObjectCount", &value("1000"))
        );
        self.intrinsic("OpenEnumerateInstances", &parameters)
    }

    /// Pulls more of it.
    pub fn pull(&self, context: &str) -> Call {
        let parameters = format!(
            "{}{}",
            parameter("EnumerationContext", &value(context)),
            parameter("MaxObjectCount", &value("1000"))
        );
        self.intrinsic("PullInstancesWithPath", &parameters)
    }
}
