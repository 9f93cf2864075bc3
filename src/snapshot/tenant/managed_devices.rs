//! Devices that Intune manages, in compact form.

use jiff::Timestamp;

use super::compact::{Distinct, Moment, Table, Texts};
use super::fold::{Bad, Fold};
use crate::snapshot::model::{
    self, ComplianceState, JailBroken, ManagedDeviceOwnerType, PartnerReportedThreatState,
};
use crate::snapshot::{Guid, Untrusted, UntrustedRef};

/// What many devices of a fleet have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Traits {
    operating_system: Option<Untrusted>,
    owner: Option<ManagedDeviceOwnerType>,
    compliance: Option<ComplianceState>,
    threat: Option<PartnerReportedThreatState>,
    is_encrypted: Option<bool>,
    os_version: Option<Untrusted>,
    jail_broken: Option<JailBroken>,
    is_supervised: Option<bool>,
}

#[derive(Debug, Clone)]
struct Row {
    traits: u32,
    last_sync: Moment,
    user: Option<Guid>,
}

/// All devices that Intune manages, by id: some fifty bytes each.
#[derive(Debug, Clone, Default)]
pub struct ManagedDevices {
    list: Table<Row>,
    names: Texts,
    traits: Distinct<Traits>,
}

/// A device that Intune manages.
#[derive(Debug, Clone, Copy)]
pub struct ManagedDevice<'a> {
    id: Guid,
    name: UntrustedRef<'a>,
    last_sync: Moment,
    user: Option<Guid>,
    traits: &'a Traits,
}

impl<'a> ManagedDevice<'a> {
    /// Intune's id of the device.
    pub fn id(self) -> Guid {
        self.id
    }

    /// Its name; blank where it has none.
    pub fn device_name(self) -> UntrustedRef<'a> {
        self.name
    }

    /// `Windows`, `macOS`, `iOS`, `Android`, `Linux (ubuntu)`.
    pub fn operating_system(self) -> Option<&'a Untrusted> {
        self.traits.operating_system.as_ref()
    }

    /// `10.0.26100.6584` on Windows, `18.6.2` on iOS; empty where the device did not tell.
    pub fn os_version(self) -> Option<&'a Untrusted> {
        self.traits.os_version.as_ref()
    }

    /// Whether its owner has broken out of the platform's protection.
    pub fn jail_broken(self) -> Option<&'a JailBroken> {
        self.traits.jail_broken.as_ref()
    }

    /// Managed more closely than a personal device can be (Apple).
    pub fn is_supervised(self) -> Option<bool> {
        self.traits.is_supervised
    }

    /// The primary user; `None` where there is none.
    pub fn user(self) -> Option<Guid> {
        self.user
    }

    /// Whose it is.
    pub fn managed_device_owner_type(self) -> Option<&'a ManagedDeviceOwnerType> {
        self.traits.owner.as_ref()
    }

    /// What Intune thinks of it.
    pub fn compliance_state(self) -> Option<&'a ComplianceState> {
        self.traits.compliance.as_ref()
    }

    /// What the threat defence product thinks of it.
    pub fn partner_reported_threat_state(self) -> Option<&'a PartnerReportedThreatState> {
        self.traits.threat.as_ref()
    }

    /// Whether its disk is encrypted.
    pub fn is_encrypted(self) -> Option<bool> {
        self.traits.is_encrypted
    }

    /// When it last spoke to Intune, to the second.
    pub fn last_sync(self) -> Option<Timestamp> {
        self.last_sync.get()
    }
}

impl ManagedDevices {
    pub(super) fn push(&mut self, row: model::ManagedDevice) -> Result<Fold, Bad> {
        let id = row.id.ok_or_else(|| Bad::new("id", "missing"))?;
        let traits = Traits {
            operating_system: row.operating_system,
            owner: row.managed_device_owner_type,
            compliance: row.compliance_state,
            threat: row.partner_reported_threat_state,
            is_encrypted: row.is_encrypted,
            os_version: row.os_version,
            jail_broken: row.jail_broken,
            is_supervised: row.is_supervised,
        };
        let user = row.user_id.and_then(|id| id.raw().parse().ok());
        let (names, common) = (&mut self.names, &mut self.traits);
        self.list.insert(id, || {
            let traits = common.place(traits)?;
            names.push(row.device_name.unwrap_or_default().raw())?;
            Ok(Row {
                traits,
                last_sync: row.last_sync_date_time.into(),
                user,
            })
        })
    }

    /// All of them, in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = ManagedDevice<'_>> {
        self.list.iter().filter_map(|(place, (id, row))| {
            Some(ManagedDevice {
                id: *id,
                name: self.names.get(place as usize),
                last_sync: row.last_sync,
                user: row.user,
                traits: self.traits.at(row.traits)?,
            })
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
