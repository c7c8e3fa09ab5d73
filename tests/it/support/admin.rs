//! What clients do to jobs, with every outcome told apart: done, refused, or not answered.

use std::path::Path;

use jobwright::client::{Client, ClientError, Credentials, MethodResult, Trust};
use jobwright::model::{
    CimName, CimType, CimValue, InstanceDecl, Keys, Literal, Namespace, ObjectPath, PropertyValue,
};

use super::Server;

/// Why something was not done, as far as a client knows.
#[derive(Debug)]
pub enum Failure {
    /// The server did not answer: it was done, or it was not.
    Silent,
    /// The server said that it was not done.
    Refused(String),
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Unreachable { .. } | ClientError::Connection(_) => Self::Silent,
            other => Self::Refused(other.to_string()),
        }
    }
}

/// The client of a server, as its administrator.
pub struct Admin(pub Client);

fn property(name: &'static str, ty: CimType, value: &str) -> PropertyValue {
    PropertyValue {
        name: CimName::of(name),
        ty: Some(ty),
        is_array: false,
        value: Literal::Text(value.into()),
    }
}

fn command(words: &[&str]) -> PropertyValue {
    PropertyValue {
        name: CimName::of("Command"),
        ty: Some(CimType::String),
        is_array: true,
        value: Literal::Array(
            words
                .iter()
                .map(|word| Literal::Text((*word).into()))
                .collect(),
        ),
    }
}

/// The namespace of jobs.
pub fn cimv2() -> Namespace {
    Namespace::of("root/cimv2")
}

fn path(class: &'static str, key: Option<&str>) -> ObjectPath {
    let key = key.map(|id| (CimName::of("InstanceID"), CimValue::string(id)));
    ObjectPath {
        host: None,
        namespace: None,
        class: CimName::of(class),
        keys: key.map(|key| Keys::from_iter([key])),
    }
}

/// The `InstanceID` in a path.
pub fn id_in(path: &ObjectPath) -> String {
    let id = path.keys.as_ref().and_then(|keys| keys.get("InstanceID"));
    id.and_then(CimValue::as_str).expect("an id").to_owned()
}

fn expect(reply: &MethodResult, code: u32) -> Result<(), Failure> {
    if reply.return_code() == Some(code) {
        return Ok(());
    }
    Err(Failure::Refused(format!("{reply:?}")))
}

impl Admin {
    /// A client of `server`.
    pub fn of(server: &Server) -> Self {
        let credentials = Credentials::new("admin".to_owned(), server.password().into());
        Self(
            Client::new(&server.url, Some(credentials), &Trust::System(Vec::new())).expect("a url"),
        )
    }

    /// Submits a job that writes `label` into the ledger; the label is its RequestID, so that it can
    /// be submitted again when no answer came.
    pub async fn submit(&self, label: &str, ledger: &Path) -> Result<String, Failure> {
        let pause = if label.ends_with(['0', '1', '2']) {
            "sleep 0.2"
        } else {
            "true"
        };
        let script = format!("echo {label} >> {}; {pause}", ledger.display());
        let parameters = vec![
            property("Name", CimType::String, label),
            command(&["/bin/sh", "-c", &script]),
            property("RequestID", CimType::String, label),
        ];
        let (target, method) = (path("JW_JobService", None), CimName::of("SubmitJob"));
        let reply = self.0.invoke(&cimv2(), target, method, parameters).await?;
        expect(&reply, 4096)?;
        let job = reply.output("Job", CimType::Reference).expect("the job");
        let CimValue::Reference(job) = job else {
            panic!("{job:?} is no reference")
        };
        Ok(id_in(&job))
    }

    /// Creates a held job with this id and priority 0.
    pub async fn hold(&self, label: &str) -> Result<String, Failure> {
        let instance = InstanceDecl {
            class: CimName::of("JW_Job"),
            properties: vec![
                property("InstanceID", CimType::String, label),
                property("Name", CimType::String, label),
                command(&["/bin/true"]),
                property("Hold", CimType::Boolean, "TRUE"),
                property("Priority", CimType::Uint32, "0"),
            ],
        };
        let created = self.0.create_instance(&cimv2(), instance).await?;
        Ok(id_in(&created))
    }

    /// `ModifyInstance` of `Priority`.
    pub async fn set_priority(&self, id: &str, priority: u32) -> Result<(), Failure> {
        let instance = InstanceDecl {
            class: CimName::of("JW_Job"),
            properties: vec![property("Priority", CimType::Uint32, &priority.to_string())],
        };
        let only = Some(vec![CimName::of("Priority")]);
        let target = path("JW_Job", Some(id));
        self.0
            .modify_instance(&cimv2(), target, instance, only)
            .await?;
        Ok(())
    }

    /// `RequestStateChange(Terminate)` of a job that does not run.
    pub async fn terminate(&self, id: &str) -> Result<(), Failure> {
        let parameters = vec![property("RequestedState", CimType::Uint16, "4")];
        let method = CimName::of("RequestStateChange");
        let target = path("JW_Job", Some(id));
        let reply = self.0.invoke(&cimv2(), target, method, parameters).await?;
        expect(&reply, 0)
    }
}
