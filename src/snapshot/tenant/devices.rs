//! Devices of the directory, in compact form.

use jiff::Timestamp;

use super::compact::{Distinct, Moment, Table, Texts, readers};
use super::fold::{Bad, Fold};
use crate::snapshot::model::{self, TrustType};
use crate::snapshot::{Guid, Untrusted, UntrustedRef};

/// What many devices of a directory have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Traits {
    operating_system: Option<Untrusted>,
    trust_type: Option<TrustType>,
    account_enabled: Option<bool>,
    is_managed: Option<bool>,
}

#[derive(Debug, Clone)]
struct Row {
    device_id: Option<Guid>,
    registered: Moment,
    last_seen: Moment,
    traits: u32,
}

/// All devices of the directory, by object id: some eighty bytes each.
#[derive(Debug, Clone, Default)]
pub struct Devices {
    list: Table<Row>,
    names: Texts,
    traits: Distinct<Traits>,
}

/// A device of the directory: registered, joined or hybrid joined.
#[derive(Debug, Clone, Copy)]
pub struct Device<'a> {
    id: Guid,
    name: UntrustedRef<'a>,
    row: &'a Row,
    traits: &'a Traits,
}

impl<'a> Device<'a> {
    /// Object id.
    pub fn id(self) -> Guid {
        self.id
    }

    /// What other services call the device by.
    pub fn device_id(self) -> Option<Guid> {
        self.row.device_id
    }

    /// Its name; blank where it has none.
    pub fn display_name(self) -> UntrustedRef<'a> {
        self.name
    }

    /// `Windows`, `MacMDM`, `IPhone`, `Android`, `Linux`: what the device calls itself.
    pub fn operating_system(self) -> Option<&'a Untrusted> {
        self.traits.operating_system.as_ref()
    }

    /// How it belongs to the directory.
    pub fn trust_type(self) -> Option<&'a TrustType> {
        self.traits.trust_type.as_ref()
    }

    /// Whether it may be used to sign in; `None` when Graph did not say.
    pub fn account_enabled(self) -> Option<bool> {
        self.traits.account_enabled
    }

    /// `None` where nothing manages the device.
    pub fn is_managed(self) -> Option<bool> {
        self.traits.is_managed
    }

    /// When it was registered, to the second.
    pub fn registered(self) -> Option<Timestamp> {
        self.row.registered.get()
    }

    /// About when somebody last signed in on it: brought up to date every fourteen days or so.
    /// Source: `device.approximateLastSignInDateTime`, Graph v1.0.
    pub fn last_seen(self) -> Option<Timestamp> {
        self.row.last_seen.get()
    }
}

impl Devices {
    pub(super) fn push(&mut self, row: model::Device) -> Result<Fold, Bad> {
        let id = row.id.ok_or_else(|| Bad::new("id", "missing"))?;
        let traits = Traits {
            operating_system: row.operating_system,
            trust_type: row.trust_type,
            account_enabled: row.account_enabled,
            is_managed: row.is_managed,
        };
        let (names, common) = (&mut self.names, &mut self.traits);
        self.list.insert(id, || {
            let traits = common.place(traits)?;
            names.push(row.display_name.unwrap_or_default().raw())?;
            Ok(Row {
                device_id: row.device_id,
                registered: row.registration_date_time.into(),
                last_seen: row.approximate_last_sign_in_date_time.into(),
                traits,
            })
        })
    }

    fn show<'a>(&'a self, place: u32, (id, row): &'a (Guid, Row)) -> Option<Device<'a>> {
        Some(Device {
            id: *id,
            name: self.names.get(place as usize),
            row,
            traits: self.traits.at(row.traits)?,
        })
    }
}

readers!(Devices of Device);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_sent_comes_back() {
        let mut devices = Devices::default();
        for number in 1..=2u128 {
            let row = json!({"id": Guid::new(number), "deviceId": Guid::new(10 * number), "displayName": format!("PC-{number}"),
                "operatingSystem": "Windows", "trustType": "AzureAd", "accountEnabled": true,
                "registrationDateTime": "2024-02-29T12:00:00Z", "approximateLastSignInDateTime": null});
            let row = serde_json::from_value(row).unwrap();
            assert!(matches!(devices.push(row), Ok(Fold::New)));
        }
        assert_eq!((devices.len(), devices.is_empty()), (2, false));
        let names: Vec<&str> = devices
            .iter()
            .map(|device| device.display_name().raw())
            .collect();
        assert_eq!(names, ["PC-1", "PC-2"]);
        let device = devices.get(Guid::new(2)).unwrap();
        assert_eq!(device.id(), Guid::new(2));
        assert_eq!(device.device_id(), Some(Guid::new(20)));
        assert_eq!(
            device.operating_system().map(Untrusted::raw),
            Some("Windows")
        );
        assert_eq!(device.trust_type(), Some(&TrustType::AzureAd));
        assert_eq!(
            (device.account_enabled(), device.is_managed()),
            (Some(true), None)
        );
        assert_eq!(device.registered(), "2024-02-29T12:00:00Z".parse().ok());
        assert_eq!(device.last_seen(), None);
        assert!(devices.get(Guid::new(3)).is_none());
    }
}
