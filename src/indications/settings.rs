//! The settings of the service, as its instance has them.

use std::time::Duration;

use crate::model::{CimError, Instance, Result};

use super::core::{Policy, Removal, RemovalAction};

/// The class of the service.
pub const CLASS: &str = "JW_IndicationService";
/// Its name, with which the names of all sequences begin.
pub const NAME: &str = "jobwright";

/// What the service does, as far as an administrator decides it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// `FilterCreationEnabled`.
    pub filters: bool,
    /// `DeliveryRetryAttempts` and `DeliveryRetryInterval`.
    pub policy: Policy,
    /// `SubscriptionRemovalAction` and `SubscriptionRemovalTimeInterval`.
    pub removal: Removal,
}

impl Default for Settings {
    /// What the class declares.
    fn default() -> Self {
        Self {
            filters: true,
            policy: Policy {
                retries: 3,
                interval: Duration::from_secs(30),
            },
            removal: Removal {
                action: RemovalAction::default(),
                after: Duration::from_hours(24 * 30),
            },
        }
    }
}

impl Settings {
    /// The settings that an instance states.
    ///
    /// # Errors
    /// `INVALID_PARAMETER` for a value that is missing, or that means nothing.
    pub fn of(service: &Instance) -> Result<Self> {
        let wrong = |name: &str| {
            let value = service.value(name);
            CimError::invalid_parameter(format!("{name}: {value} is no value for it"))
        };
        let number = |name: &str| {
            let value = service.value(name).as_integer();
            value
                .and_then(|value| u64::try_from(value).ok())
                .ok_or_else(|| wrong(name))
        };
        let short =
            |name: &str| -> Result<u16> { u16::try_from(number(name)?).map_err(|_| wrong(name)) };
        let (created, action) = ("FilterCreationEnabled", "SubscriptionRemovalAction");
        let filters = service.value(created).as_bool();
        Ok(Self {
            filters: filters.ok_or_else(|| wrong(created))?,
            policy: Policy {
                retries: short("DeliveryRetryAttempts")?,
                interval: Duration::from_secs(number("DeliveryRetryInterval")?),
            },
            removal: Removal {
                action: RemovalAction::of(short(action)?).ok_or_else(|| wrong(action))?,
                after: Duration::from_secs(number("SubscriptionRemovalTimeInterval")?),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indications::tests::schema;
    use crate::model::CimValue;

    #[test]
    fn the_class_declares_what_holds_from_the_start() {
        let class = schema().class(CLASS).expect("ours").clone();
        let mut service = Instance::of_defaults(class);
        assert_eq!(Settings::of(&service), Ok(Settings::default()));
        service
            .set("DeliveryRetryAttempts", CimValue::Null)
            .expect("a property");
        assert!(Settings::of(&service).is_err(), "NULL is no number");
    }
}
