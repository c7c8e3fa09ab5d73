//! What an object of the indication service is found by, however a client spells its path.

use crate::model::{CimName, CimValue, Class, InstancePath, Namespace, ObjectPath};
use crate::schema::Schema;

/// The kinds of objects, in the order in which they can be made again: what refers to others comes
/// after these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// CIM_IndicationFilter.
    Filter,
    /// CIM_FilterCollection.
    Collection,
    /// CIM_MemberOfCollection.
    Member,
    /// CIM_ListenerDestination.
    Destination,
    /// CIM_AbstractIndicationSubscription.
    Subscription,
    /// The service itself, of which there is one.
    Service,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Filter,
        Self::Collection,
        Self::Member,
        Self::Destination,
        Self::Subscription,
        Self::Service,
    ];

    /// The class that all objects of the kind are of.
    pub fn class(self) -> &'static str {
        match self {
            Self::Filter => "CIM_IndicationFilter",
            Self::Collection => "CIM_FilterCollection",
            Self::Member => "CIM_MemberOfCollection",
            Self::Destination => "CIM_ListenerDestination",
            Self::Subscription => "CIM_AbstractIndicationSubscription",
            Self::Service => "CIM_IndicationService",
        }
    }

    /// The kind that instances of `class` are of.
    pub fn of(class: &Class) -> Option<Self> {
        let is_one = |kind: &Self| class.is_a(kind.class());
        Self::ALL.into_iter().find(is_one)
    }
}

/// Names one object. Objects of a kind stand together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    kind: Kind,
    text: String,
}

impl Key {
    /// Comes before every key of that kind.
    pub fn first_of(kind: Kind) -> Self {
        Self {
            kind,
            text: String::new(),
        }
    }

    /// The kind of the object.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The key as the store has it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// The names of the namespace that the objects live in.
#[derive(Debug, Clone)]
pub struct Home {
    /// Its own name.
    pub name: Namespace,
    /// Further names that stand for it.
    pub aliases: Vec<Namespace>,
}

impl Home {
    /// The path of the object that `reference` names: without host, in the namespace by its own name.
    /// `None` when it is no path of an object that could be one of ours.
    pub fn path(&self, schema: &Schema, reference: &ObjectPath) -> Option<InstancePath> {
        let is_here = reference
            .namespace
            .as_ref()
            .is_none_or(|named| *named == self.name || self.aliases.contains(named));
        is_here
            .then(|| schema.instance_path(&self.name, reference).ok())
            .flatten()
    }

    /// What the object at `path` is found by. References among its keys become paths as
    /// [`Self::path`] gives them.
    pub fn key(&self, schema: &Schema, path: &InstancePath) -> Option<Key> {
        let kind = Kind::of(schema.class(path.class.as_str())?)?;
        let mut parts: Vec<String> = Vec::new();
        for (name, value) in path.keys.iter() {
            let value = match value {
                CimValue::Reference(reference) => {
                    self.key(schema, &self.path(schema, reference)?)?.text
                }
                // Names of classes are the same in any case.
                CimValue::String(text) if is_class_name(name) => text.to_ascii_lowercase(),
                other => other.to_string(),
            };
            parts.push(format!("{}={value:?}", name.folded()));
        }
        parts.sort_unstable();
        // An association is told from another one between the same ends by its class.
        let class = match kind {
            Kind::Filter | Kind::Collection | Kind::Destination | Kind::Service => kind.class(),
            Kind::Member | Kind::Subscription => path.class.as_str(),
        };
        let text = format!("{}.{}", class.to_ascii_lowercase(), parts.join(","));
        Some(Key { kind, text })
    }
}

fn is_class_name(key: &CimName) -> bool {
    key.is("CreationClassName") || key.is("SystemCreationClassName")
}

/// The class of the system that everything here belongs to.
pub const SYSTEM: &str = "CIM_ComputerSystem";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indications::tests::schema;

    fn key(text: &str) -> Option<String> {
        let home = Home {
            name: Namespace::of("interop"),
            aliases: vec![Namespace::of("root/interop")],
        };
        let reference: ObjectPath = text.parse().expect("a path");
        let path = home.path(&schema(), &reference)?;
        home.key(&schema(), &path)
            .map(|key| key.as_str().to_owned())
    }

    const FILTER: &str = "CIM_IndicationFilter.SystemCreationClassName=\"CIM_ComputerSystem\",\
        SystemName=\"h\",CreationClassName=\"CIM_IndicationFilter\",Name=\"f\"";

    #[test]
    fn one_object_has_one_key_however_its_path_is_spelled() {
        let plain = key(FILTER).expect("a filter");
        for prefix in ["interop:", "root/interop:", "//host:5988/Interop:"] {
            assert_eq!(
                key(&format!("{prefix}{FILTER}")),
                Some(plain.clone()),
                "{prefix}"
            );
        }
        let other = "cim_indicationfilter.NAME=\"f\",systemname=\"h\",\
            CreationClassName=\"cim_IndicationFilter\",SystemCreationClassName=\"CIM_COMPUTERSYSTEM\"";
        assert_eq!(key(other), Some(plain.clone()));
        let another = FILTER.replace("\"f\"", "\"F\"");
        assert_ne!(key(&another), Some(plain));
        assert_eq!(key(&format!("root/cimv2:{FILTER}")), None);
    }

    #[test]
    fn a_subscription_is_found_by_what_it_refers_to() {
        let handler = "CIM_ListenerDestinationCIMXML.SystemCreationClassName=\"CIM_ComputerSystem\",\
            SystemName=\"h\",CreationClassName=\"CIM_ListenerDestinationCIMXML\",Name=\"d\"";
        let quoted = |text: &str| text.replace('"', "\\\"");
        let subscription = |filter: &str, class: &str| {
            let (filter, handler) = (quoted(filter), quoted(handler));
            key(&format!(
                "{class}.Filter=\"{filter}\",Handler=\"{handler}\""
            ))
        };
        let plain = subscription(FILTER, "CIM_IndicationSubscription").expect("a subscription");
        let aliased = format!("root/interop:{FILTER}");
        let aliased = subscription(&aliased, "CIM_IndicationSubscription");
        assert_eq!(aliased, Some(plain.clone()));
        let elsewhere = format!("root/cimv2:{FILTER}");
        assert_eq!(subscription(&elsewhere, "CIM_IndicationSubscription"), None);
    }
}
