//! Encoding of replies, in the one form that pywbem, wbemcli, sfcc and the Java clients all take.
//!
//! A streamed reply is `start`, one call for each item, `finish`. When an item fails nothing of it
//! has been appended, so the server can still answer with [`ResponseEncoder::error`].

use std::sync::Arc;
use std::vec;

use bytes::{Bytes, BytesMut};

use crate::model::{
    CimError, CimName, CimType, CimValue, Instance, InstancePath, Namespace, Result,
};
use crate::ops::{
    ClassReply, InstanceStream, MethodReply, Object, ObjectStream, PathStream, PullReply,
    PullStream, Pulled, PulledObject, Reply,
};

use super::error::ResponseHead;
use super::forms::{self, Forms};
use super::known_forms::KnownForms;
use super::writer::{EncodeError, Written, attribute, markup, plain};
use super::{class_writer, error_instance, path_writer, value_writer};

/// What begins every document that we send: wbemcli takes nothing between declaration and `CIM`.
pub(super) const PROLOGUE: &str = "<?xml version=\"1.0\" encoding=\"utf-8\" ?><CIM CIMVERSION=\"2.0\" DTDVERSION=\"2.0\"><MESSAGE";

/// What is left to encode after [`ResponseEncoder::begin`].
pub enum Rest {
    /// Nothing: the document is complete.
    Complete,
    /// Instances; each goes to [`ResponseEncoder::instance`].
    Instances {
        /// The instances.
        stream: InstanceStream,
        /// How they are written.
        forms: Forms,
    },
    /// Rows of a query; each goes to [`ResponseEncoder::row`].
    Rows {
        /// The rows.
        stream: InstanceStream,
        /// How they are written.
        forms: Forms,
    },
    /// Paths; each goes to [`ResponseEncoder::path`].
    Paths(PathStream),
    /// Instances with absolute paths; each goes to [`ResponseEncoder::object`].
    Objects {
        /// The instances.
        stream: ObjectStream,
        /// How they are written.
        forms: Forms,
    },
    /// Absolute paths; each goes to [`ResponseEncoder::object_path`].
    ObjectPaths(PathStream),
    /// Classes; each goes to [`ResponseEncoder::class_item`].
    Classes(vec::IntoIter<ClassReply>),
    /// Classes with absolute paths; each goes to [`ResponseEncoder::class_object`].
    ClassObjects {
        /// Their namespace.
        namespace: Namespace,
        /// The classes.
        classes: vec::IntoIter<ClassReply>,
    },
    /// Pieces of a pull; each goes to [`ResponseEncoder::pulled`], the last of them ends the list.
    Pulled {
        /// The pieces.
        stream: PullStream,
        /// How they are written.
        forms: Forms,
        /// `QueryResultClass`, where it is asked for.
        result_class: Option<ClassReply>,
    },
}

/// Encodes the response to one request.
#[derive(Debug, Clone)]
pub struct ResponseEncoder {
    head: Arc<ResponseHead>,
    host: Arc<str>,
    place: Place,
    error_instances: bool,
    /// Where forms are kept beyond this response.
    known: Option<KnownForms>,
}

/// Where a response stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// It is a message of its own.
    Message,
    /// It is one of those of a batch.
    Batch,
}

/// Appends what stands before the responses of a batch.
pub fn begin_batch(out: &mut BytesMut, message_id: &str) {
    open_message(out, message_id);
    markup(out, "<MULTIRSP>");
}

/// Appends what stands after the responses of a batch.
pub fn end_batch(out: &mut BytesMut) {
    markup(out, "</MULTIRSP>");
    close_message(out);
}

/// `CLASS` with the parts that are wanted.
///
/// # Errors
/// `CIM_ERR_FAILED` when a value has a character that XML 1.0 cannot carry, naming the element.
pub fn encode_class_reply(reply: &ClassReply) -> Result<Bytes> {
    let mut out = BytesMut::new();
    class_writer::class(&mut out, reply)?;
    Ok(out.freeze())
}

fn open_message(out: &mut BytesMut, id: &str) {
    markup(out, PROLOGUE);
    attribute(out, "ID", id);
    markup(out, " PROTOCOLVERSION=\"1.0\">");
}

fn close_message(out: &mut BytesMut) {
    markup(out, "</MESSAGE></CIM>\n");
}

impl ResponseEncoder {
    /// An encoder of the response to the request of that head.
    pub fn new(head: ResponseHead) -> Self {
        Self {
            head: Arc::new(head),
            host: "localhost".into(),
            place: Place::Message,
            error_instances: false,
            known: None,
        }
    }

    /// The same, with forms that other answers have made and will use.
    #[must_use]
    pub fn with_known_forms(self, known: KnownForms) -> Self {
        Self {
            known: Some(known),
            ..self
        }
    }

    /// The same, with the error as an instance in `ERROR` where `wanted`.
    #[must_use]
    pub fn with_error_instances(self, wanted: bool) -> Self {
        Self {
            error_instances: wanted,
            ..self
        }
    }

    /// The same for one request of a batch, between [`begin_batch`] and [`end_batch`].
    pub fn in_batch(head: ResponseHead) -> Self {
        Self {
            place: Place::Batch,
            ..Self::new(head)
        }
    }

    /// The same, with `host` in absolute paths: the name by which the client reached the server.
    #[must_use]
    pub fn with_host(self, host: Arc<str>) -> Self {
        Self { host, ..self }
    }

    /// Appends a whole response, or the start of a streamed one, whose items are then pulled by
    /// the caller, who ends with [`Self::finish`].
    ///
    /// # Errors
    /// `CIM_ERR_FAILED` when a value has a character that XML 1.0 cannot carry, naming the
    /// property; nothing has been appended then.
    pub fn begin(&self, out: &mut BytesMut, reply: Reply) -> Result<Rest> {
        let rest = match reply {
            Reply::Instances { stream, select } => Rest::Instances {
                stream,
                forms: Forms::with_known(select, self.known.as_ref()),
            },
            // Each query has classes of its own.
            Reply::Rows { stream, select } => Rest::Rows {
                stream,
                forms: Forms::new(select),
            },
            Reply::Paths(stream) => Rest::Paths(stream),
            Reply::Objects { stream, select } => Rest::Objects {
                stream,
                forms: Forms::with_known(select, self.known.as_ref()),
            },
            Reply::ObjectPaths(stream) => Rest::ObjectPaths(stream),
            Reply::Classes(classes) => Rest::Classes(classes.into_iter()),
            Reply::ClassObjects { namespace, classes } => Rest::ClassObjects {
                namespace,
                classes: classes.into_iter(),
            },
            Reply::Pulled(PullReply { stream, shape }) => Rest::Pulled {
                stream,
                forms: Forms::with_known(shape.select, self.known.as_ref()),
                result_class: shape.result_class,
            },
            whole => {
                atomically(out, |out| self.whole(out, &whole))?;
                return Ok(Rest::Complete);
            }
        };
        self.start(out);
        Ok(rest)
    }

    /// Appends everything before the items of a list.
    pub fn start(&self, out: &mut BytesMut) {
        self.open(out);
        markup(out, "<IRETURNVALUE>");
    }

    /// Appends the whole response of `GetClass`, whose class [`encode_class_reply`] has written.
    pub fn class(&self, out: &mut BytesMut, class: &[u8]) {
        // Around it stand a few names of the request.
        out.reserve(class.len() + 512);
        self.start(out);
        out.extend_from_slice(class);
        self.end_list(out);
        self.finish(out);
    }

    /// Appends one instance of `EnumerateInstances` (`VALUE.NAMEDINSTANCE`).
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub fn instance(
        &self,
        out: &mut BytesMut,
        instance: &Instance,
        forms: &mut Forms,
    ) -> Result<()> {
        atomically(out, |out| {
            markup(out, "<VALUE.NAMEDINSTANCE>");
            forms.name(out, instance)?;
            forms.instance(out, instance)?;
            markup(out, "</VALUE.NAMEDINSTANCE>");
            Ok(())
        })
    }

    /// Appends one row of `ExecQuery`: DSP0200 1.4 §5.4.2.13 gives rows no path (`VALUE.OBJECT`).
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub fn row(&self, out: &mut BytesMut, row: &Instance, forms: &mut Forms) -> Result<()> {
        atomically(out, |out| {
            markup(out, "<VALUE.OBJECT>");
            forms.instance(out, row)?;
            markup(out, "</VALUE.OBJECT>");
            Ok(())
        })
    }

    /// Appends one path of `EnumerateInstanceNames` (`INSTANCENAME`).
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub fn path(&self, out: &mut BytesMut, path: &InstancePath) -> Result<()> {
        atomically(out, |out| path_writer::instance_path(out, path))
    }

    /// Appends one result of Associators or References (`VALUE.OBJECTWITHPATH`).
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub fn object(&self, out: &mut BytesMut, object: &Object, forms: &mut Forms) -> Result<()> {
        atomically(out, |out| {
            markup(out, "<VALUE.OBJECTWITHPATH>");
            forms.path(out, &self.host, object)?;
            forms.instance(out, &object.instance)?;
            markup(out, "</VALUE.OBJECTWITHPATH>");
            Ok(())
        })
    }

    /// Appends one result of AssociatorNames or ReferenceNames (`OBJECTPATH`).
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub fn object_path(&self, out: &mut BytesMut, path: &InstancePath) -> Result<()> {
        atomically(out, |out| {
            markup(out, "<OBJECTPATH>");
            path_writer::absolute_instance(out, &self.host, path)?;
            markup(out, "</OBJECTPATH>");
            Ok(())
        })
    }

    /// Appends one class of `EnumerateClasses` (`CLASS`).
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub fn class_item(&self, out: &mut BytesMut, class: &ClassReply) -> Result<()> {
        atomically(out, |out| class_writer::class(out, class))
    }

    /// Appends one result of Associators or References of a class (`VALUE.OBJECTWITHPATH`).
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub fn class_object(
        &self,
        out: &mut BytesMut,
        namespace: &Namespace,
        class: &ClassReply,
    ) -> Result<()> {
        atomically(out, |out| {
            markup(out, "<VALUE.OBJECTWITHPATH>");
            path_writer::absolute_class(out, &self.host, namespace, &class.class.name)?;
            class_writer::class(out, class)?;
            markup(out, "</VALUE.OBJECTWITHPATH>");
            Ok(())
        })
    }

    /// Appends a piece of a pull: `VALUE.INSTANCEWITHPATH`, `INSTANCEPATH` or `INSTANCE`, and what
    /// DSP0200 1.4 §5.4.2.24 wants to be told after the last of them.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub fn pulled(
        &self,
        out: &mut BytesMut,
        piece: &Pulled,
        forms: &mut Forms,
        result_class: Option<&ClassReply>,
    ) -> Result<()> {
        atomically(out, |out| match piece {
            Pulled::Object(PulledObject::Instance(object)) => {
                markup(out, "<VALUE.INSTANCEWITHPATH>");
                forms.path(out, &self.host, object)?;
                forms.instance(out, &object.instance)?;
                markup(out, "</VALUE.INSTANCEWITHPATH>");
                Ok(())
            }
            Pulled::Object(PulledObject::Path(path)) => {
                path_writer::absolute_instance(out, &self.host, path)
            }
            Pulled::Object(PulledObject::Row(row)) => forms.instance(out, row),
            Pulled::End { context } => {
                self.end_list(out);
                pull_outputs(out, context.as_deref(), result_class)
            }
        })
    }

    /// Appends what ends the items of a list that is not pulled.
    pub fn end_list(&self, out: &mut BytesMut) {
        markup(out, "</IRETURNVALUE>");
    }

    /// Appends everything after a list and its end.
    pub fn finish(&self, out: &mut BytesMut) {
        self.close(out);
    }

    /// Appends the whole response of a failed operation.
    pub fn error(&self, out: &mut BytesMut, error: &CimError) {
        self.open(out);
        if self.error_instances {
            error_with_instance(out, error);
        } else {
            error_element(out, error);
        }
        self.close(out);
    }

    fn whole(&self, out: &mut BytesMut, reply: &Reply) -> Written {
        self.open(out);
        match reply {
            Reply::Void => {}
            Reply::Method(method) => outputs(out, method)?,
            items => {
                markup(out, "<IRETURNVALUE>");
                self.returned(out, items)?;
                markup(out, "</IRETURNVALUE>");
            }
        }
        self.close(out);
        Ok(())
    }

    /// What stands inside `IRETURNVALUE`.
    fn returned(&self, out: &mut BytesMut, reply: &Reply) -> Written {
        match reply {
            Reply::Void
            | Reply::Method(_)
            | Reply::Instances { .. }
            | Reply::Rows { .. }
            | Reply::Paths(_)
            | Reply::Objects { .. }
            | Reply::ObjectPaths(_)
            | Reply::Classes(_)
            | Reply::ClassObjects { .. }
            | Reply::Pulled(_) => Ok(()),
            Reply::ClassPaths { namespace, classes } => classes.iter().try_for_each(|class| {
                markup(out, "<OBJECTPATH>");
                path_writer::absolute_class(out, &self.host, namespace, class)?;
                markup(out, "</OBJECTPATH>");
                Ok(())
            }),
            Reply::Value(value) => value_writer::value(out, value),
            Reply::Instance { instance, select } => {
                forms::instance(out, instance, select, self.known.as_ref())
            }
            Reply::Path(path) => path_writer::instance_path(out, path),
            Reply::Class(class) => class_writer::class(out, class),
            Reply::ClassNames(names) => {
                for name in names {
                    path_writer::class_name(out, name);
                }
                Ok(())
            }
            Reply::Qualifier(declared) => class_writer::declaration(out, declared),
            Reply::Qualifiers(all) => all
                .iter()
                .try_for_each(|declared| class_writer::declaration(out, declared)),
        }
    }

    fn open(&self, out: &mut BytesMut) {
        if self.place == Place::Message {
            open_message(out, &self.head.message_id);
        }
        markup(out, "<SIMPLERSP><");
        markup(out, self.element());
        attribute(out, "NAME", &self.head.method);
        markup(out, ">");
    }

    fn close(&self, out: &mut BytesMut) {
        markup(out, "</");
        markup(out, self.element());
        markup(out, "></SIMPLERSP>");
        if self.place == Place::Message {
            close_message(out);
        }
    }

    fn element(&self) -> &'static str {
        if self.head.intrinsic {
            "IMETHODRESPONSE"
        } else {
            "METHODRESPONSE"
        }
    }
}

/// `ERROR`, without children: wbemcli and the C library cannot read one that has some.
pub(super) fn error_element(out: &mut BytesMut, error: &CimError) {
    error_start(out, error);
    markup(out, "/>");
}

fn error_start(out: &mut BytesMut, error: &CimError) {
    markup(out, "<ERROR");
    plain(out, format_args!(" CODE=\"{}\"", error.status.code()));
    let one_line = error.description.replace(['\r', '\n', '\t'], " ");
    attribute(out, "DESCRIPTION", &one_line);
}

/// `ERROR` with the error as an instance in it, or without when XML cannot carry its text.
fn error_with_instance(out: &mut BytesMut, error: &CimError) {
    let begun = atomically(out, |out| {
        error_start(out, error);
        markup(out, ">");
        error_instance::put(out, error)?;
        markup(out, "</ERROR>");
        Ok(())
    });
    if begun.is_err() {
        error_element(out, error);
    }
}

/// The return value, then the output parameters; wbemcli fails on one that is NULL.
fn outputs(out: &mut BytesMut, method: &MethodReply) -> Written {
    if let Some((ty, held)) = &method.returns {
        markup(out, "<RETURNVALUE");
        value_writer::embedded(out, held);
        attribute(out, "PARAMTYPE", ty.as_str());
        markup(out, ">");
        value_writer::value(out, held).map_err(|error| error.within(&"the return value"))?;
        markup(out, "</RETURNVALUE>");
    }
    method
        .outputs
        .iter()
        .filter(|(_, _, held)| !held.is_null())
        .try_for_each(|(name, ty, held)| value_writer::output(out, name, *ty, held))
}

/// `EnumerationContext` is left out at the end of the sequence, where it would be NULL.
fn pull_outputs(out: &mut BytesMut, context: Option<&str>, class: Option<&ClassReply>) -> Written {
    let ended = CimValue::Boolean(context.is_none());
    value_writer::output(out, &CimName::of("EndOfSequence"), CimType::Boolean, &ended)?;
    if let Some(context) = context {
        let name = CimName::of("EnumerationContext");
        value_writer::output(out, &name, CimType::String, &CimValue::string(context))?;
    }
    if let Some(class) = class {
        markup(out, "<PARAMVALUE NAME=\"QueryResultClass\">");
        class_writer::class(out, class)?;
        markup(out, "</PARAMVALUE>");
    }
    Ok(())
}

/// Appends all that `write` appends, or nothing.
pub(super) fn atomically(
    out: &mut BytesMut,
    write: impl FnOnce(&mut BytesMut) -> Result<(), EncodeError>,
) -> Result<()> {
    let before = out.len();
    write(out).map_err(|error| {
        out.truncate(before);
        CimError::from(error)
    })
}
