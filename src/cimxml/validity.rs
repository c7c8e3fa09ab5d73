//! The DTD of requests, against which a strict server holds every element.

mod rules;

use crate::model::CimType;

use rules::{Part, RULES, Rule, Says};

fn rule_of(name: &str) -> Option<&'static Rule> {
    let at = RULES.binary_search_by(|rule| rule.name.cmp(name)).ok()?;
    RULES.get(at)
}

/// How far the content of an open element has come in one of its alternatives.
#[derive(Debug, Clone, Copy)]
struct Progress {
    parts: &'static [Part],
    /// Whether the first of these parts has been met.
    met: bool,
}

impl Progress {
    /// After another child; `None` when it has no place.
    fn after(mut self, child: &str) -> Option<Self> {
        while let Some(((names, times), rest)) = self.parts.split_first() {
            if names.contains(&child) && (!self.met || times.repeats()) {
                self.met = true;
                return Some(self);
            }
            if times.needs() && !self.met {
                return None;
            }
            self = Self {
                parts: rest,
                met: false,
            };
        }
        None
    }

    /// The names of which one is still missing, if one is.
    fn missing(self) -> Option<&'static [&'static str]> {
        let rest = self.parts.get(usize::from(self.met)..).unwrap_or_default();
        let needed = rest.iter().find(|(_, times)| times.needs());
        needed.map(|(names, _)| *names)
    }
}

struct Open {
    name: &'static str,
    /// The alternatives that are still possible; `None` where there is no rule.
    progress: Option<Vec<Progress>>,
}

/// How a document agrees with the DTD, as far as it was read.
pub(super) struct Validity {
    open: Vec<Open>,
    /// DSP0201 asks for the type of a key since 2.4.
    typed_keys: bool,
}

impl Validity {
    /// Of a document of which nothing was read yet.
    pub(super) fn new() -> Self {
        Self {
            open: Vec::new(),
            typed_keys: false,
        }
    }

    /// Of a document that stands as text in this one.
    pub(super) fn inner(&self) -> Self {
        Self {
            open: Vec::new(),
            typed_keys: self.typed_keys,
        }
    }

    /// A start tag: it has a place where it stands, and the attributes of its element.
    ///
    /// # Errors
    /// What the DTD says against it.
    pub(super) fn start<'a>(
        &mut self,
        name: &str,
        attributes: &(impl Iterator<Item = (&'a str, &'a str)> + Clone),
    ) -> Result<(), String> {
        self.place(name)?;
        let Some(rule) = rule_of(name) else {
            self.open.push(Open {
                name: "",
                progress: None,
            });
            return Ok(());
        };
        if name == "CIM" {
            let mut all = attributes.clone();
            let version = all.find(|(name, _)| *name == "DTDVERSION");
            self.typed_keys = version.is_some_and(|(_, version)| minor(version) >= 4);
        }
        self.attributes(rule, attributes)?;
        let progress = rule
            .content
            .iter()
            .map(|parts| Progress { parts, met: false });
        self.open.push(Open {
            name: rule.name,
            progress: Some(progress.collect()),
        });
        Ok(())
    }

    fn place(&mut self, child: &str) -> Result<(), String> {
        let Some(Open {
            name,
            progress: Some(progress),
        }) = self.open.last_mut()
        else {
            return Ok(());
        };
        let possible: Vec<_> = progress.iter().filter_map(|one| one.after(child)).collect();
        if possible.is_empty() {
            return Err(format!("{child} is out of place in {name}"));
        }
        *progress = possible;
        Ok(())
    }

    fn attributes<'a>(
        &self,
        rule: &Rule,
        given: &(impl Iterator<Item = (&'a str, &'a str)> + Clone),
    ) -> Result<(), String> {
        for (name, value) in given.clone() {
            let known = rule.attributes.iter().find(|(known, ..)| *known == name);
            let Some((_, _, says)) = known else {
                return Err(format!("{} has no attribute {name}", rule.name));
            };
            if !admits(*says, value) {
                return Err(format!("{}/@{name} is none of its values", rule.name));
            }
        }
        let is_free = |name: &str| name == "TYPE" && rule.name == "KEYVALUE" && !self.typed_keys;
        let needed = rule.attributes.iter().filter(|(_, needed, _)| *needed);
        for (name, ..) in needed.filter(|(name, ..)| !is_free(name)) {
            if !given.clone().any(|(given, _)| given == *name) {
                return Err(format!("{} without {name}", rule.name));
            }
        }
        Ok(())
    }

    /// The end of the innermost element: nothing is missing in it.
    ///
    /// # Errors
    /// What the DTD wants there besides.
    pub(super) fn end(&mut self) -> Result<(), String> {
        let Some(Open {
            name,
            progress: Some(progress),
        }) = self.open.pop()
        else {
            return Ok(());
        };
        let mut missing = progress.iter().map(|one| one.missing());
        match missing.next() {
            Some(Some(names)) if missing.all(|other| other.is_some()) => {
                Err(format!("{name} without {}", names.join(" or ")))
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn admits(says: Says, value: &str) -> bool {
    let is_type = || CimType::from_name(value).is_some_and(|ty| ty.as_str() == value);
    match says {
        Says::Text => true,
        Says::Boolean => matches!(value, "true" | "false"),
        Says::Type => value != "reference" && is_type(),
        Says::ParamType => matches!(value, "object" | "instance") || is_type(),
        Says::Words(words) => words.contains(&value),
    }
}

/// The second number of a version.
fn minor(version: &str) -> u32 {
    let minor = version.trim().split('.').nth(1);
    minor.and_then(|minor| minor.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cimxml::{Agreement, DecodeErrorKind, Limits, decode};

    const NAMESPACE: &str = "<LOCALNAMESPACEPATH><NAMESPACE NAME=\"root\"/></LOCALNAMESPACEPATH>";

    /// What the DTD says against a call with this content in a document of that DTD version.
    fn fault(version: &str, content: &str) -> Option<String> {
        let limits = Limits {
            agreement: Agreement::Strict,
            ..Limits::default()
        };
        let body = format!(
            "<CIM CIMVERSION=\"2.0\" DTDVERSION=\"{version}\"><MESSAGE ID=\"1\" PROTOCOLVERSION=\"1.0\"><SIMPLEREQ>\
             <IMETHODCALL NAME=\"DeleteInstance\">{content}</IMETHODCALL></SIMPLEREQ></MESSAGE></CIM>"
        );
        match decode(body.as_bytes(), &limits).map_err(|error| error.kind) {
            Err(DecodeErrorKind::NotValid(what)) => Some(what),
            Ok(_) | Err(_) => None,
        }
    }

    fn check(content: &str, expected: Option<&str>) {
        let content =
            format!("{NAMESPACE}<IPARAMVALUE NAME=\"InstanceName\">{content}</IPARAMVALUE>");
        assert_eq!(fault("2.0", &content).as_deref(), expected, "{content}");
    }

    #[test]
    fn the_rules_stand_in_the_order_of_their_names() {
        let names = RULES.iter().map(|rule| rule.name);
        assert!(names.is_sorted(), "rules are found by halving");
        let parts = RULES
            .iter()
            .flat_map(|rule| rule.content.iter().copied().flatten());
        let named = parts.flat_map(|(names, _)| names.iter());
        for name in named {
            assert!(super::super::dtd::is_element(name), "{name} is no element");
        }
    }

    #[test]
    fn children_stand_in_their_places() {
        check("<INSTANCENAME CLASSNAME=\"A\"/>", None);
        check(
            "<INSTANCENAME CLASSNAME=\"A\"><KEYVALUE>x</KEYVALUE></INSTANCENAME>",
            None,
        );
        let key = "<KEYBINDING NAME=\"K\"><KEYVALUE>x</KEYVALUE></KEYBINDING>";
        let named = |inner: &str| format!("<INSTANCENAME CLASSNAME=\"A\">{inner}</INSTANCENAME>");
        check(
            &named(&format!("{key}{}", key.replace("\"K\"", "\"L\""))),
            None,
        );
        check(
            &named(&format!("{key}<KEYVALUE>x</KEYVALUE>")),
            Some("KEYVALUE is out of place in INSTANCENAME"),
        );
        check(
            &named("<KEYVALUE>x</KEYVALUE><KEYVALUE>x</KEYVALUE>"),
            Some("KEYVALUE is out of place in INSTANCENAME"),
        );
        check(
            &named("<KEYBINDING NAME=\"K\"></KEYBINDING>"),
            Some("KEYBINDING without KEYVALUE or VALUE.REFERENCE"),
        );
        check("<OTHER/>", Some("OTHER is out of place in IPARAMVALUE"));
    }

    #[test]
    fn an_element_that_must_be_there_is_missed() {
        assert_eq!(fault("2.0", NAMESPACE), None);
        let missing = Some("LOCALNAMESPACEPATH without NAMESPACE".to_owned());
        assert_eq!(
            fault("2.0", "<LOCALNAMESPACEPATH></LOCALNAMESPACEPATH>"),
            missing
        );
        let place = Some("IPARAMVALUE is out of place in IMETHODCALL".to_owned());
        let late = format!("<IPARAMVALUE NAME=\"A\"/>{NAMESPACE}");
        assert_eq!(fault("2.0", &late), place);
    }

    #[test]
    fn attributes_are_those_of_the_element() {
        let key = |attributes: &str| {
            format!(
                "<INSTANCENAME CLASSNAME=\"A\"><KEYVALUE{attributes}>1</KEYVALUE></INSTANCENAME>"
            )
        };
        check(&key(" VALUETYPE=\"numeric\" TYPE=\"uint8\""), None);
        check(
            &key(" TYPE=\"\""),
            Some("KEYVALUE/@TYPE is none of its values"),
        );
        check(
            &key(" TYPE=\"UINT8\""),
            Some("KEYVALUE/@TYPE is none of its values"),
        );
        check(
            &key(" VALUETYPE=\"text\""),
            Some("KEYVALUE/@VALUETYPE is none of its values"),
        );
        check(
            &key(" xmlns=\"x\""),
            Some("KEYVALUE has no attribute xmlns"),
        );
        check("<INSTANCENAME/>", Some("INSTANCENAME without CLASSNAME"));
    }

    #[test]
    fn keys_have_types_since_2_4() {
        let path = "<INSTANCENAME CLASSNAME=\"A\"><KEYVALUE>x</KEYVALUE></INSTANCENAME>";
        let content = format!("{NAMESPACE}<IPARAMVALUE NAME=\"InstanceName\">{path}</IPARAMVALUE>");
        for (version, expected) in [
            ("2.0", None),
            ("2.3.1", None),
            ("2.4", Some("KEYVALUE without TYPE")),
            ("2.10", Some("KEYVALUE without TYPE")),
        ] {
            assert_eq!(fault(version, &content).as_deref(), expected, "{version}");
        }
    }
}
