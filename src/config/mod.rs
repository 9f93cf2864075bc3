//! `m365audit.toml`: what Graph cannot tell and what a tenant decides for itself.
//!
//! Every key has a default, so an absent file is a valid one. An unknown key is an error that names the nearest known one:
//! a threshold that was misspelt must not be silently ignored.

mod access;
mod load;

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Deserialize;

pub use access::{Access, BaselineScopes};
pub use load::{ConfigError, load, parse};

/// The configuration of one tenant.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Tenant id or a verified domain; `--tenant` and `AZURE_TENANT_ID` come first.
    pub tenant: Option<String>,
    /// Application (client) id; `--client-id` and `AZURE_CLIENT_ID` come first.
    pub client_id: Option<String>,
    /// `global`, `usgov`, `dod` or `china`; `--cloud` comes first.
    pub cloud: Option<String>,
    /// Accounts kept for emergencies.
    pub emergency_access: EmergencyAccess,
    /// Who looks after each area: a user id or UPN.
    pub owners: Owners,
    /// Ordinary accounts.
    pub accounts: Accounts,
    /// Directory roles.
    pub roles: Roles,
    /// Conditional Access.
    pub conditional_access: ConditionalAccess,
    /// What the Conditional Access analyzer takes from here.
    pub access: Access,
    /// Device code sign-in.
    pub device_code: DeviceCode,
    /// How long sessions may last.
    pub session: Session,
    /// Places that people sign in from.
    pub locations: Locations,
    /// Sign-ins and users at risk.
    pub risk: RiskSettings,
    /// Guests.
    pub guests: Guests,
    /// Domains.
    pub domains: Domains,
    /// Partner tenants.
    pub partners: Partners,
    /// Managed devices.
    pub devices: Devices,
    /// Alerts and incidents.
    pub monitoring: Monitoring,
    /// Mail protection.
    pub data: Data,
    /// Inbox rules.
    pub mail: Mail,
    /// Answers of people to what no API tells, by rule id.
    pub answers: BTreeMap<String, Answer>,
}

macro_rules! settings {
    ($( $(#[$meta:meta])* $name:ident { $( $(#[$field_meta:meta])* $field:ident: $type:ty = $default:expr, )+ } )+) => {$(
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Deserialize)]
        #[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
        pub struct $name { $( $(#[$field_meta])* pub $field: $type, )+ }
        impl Default for $name {
            fn default() -> Self { Self { $( $field: $default, )+ } }
        }
    )+};
}

settings! {
    /// `[emergency-access]`
    EmergencyAccess {
        /// User ids or UPNs.
        accounts: Vec<String> = Vec::new(),
    }
    /// `[owners]`
    Owners {
        /// Identity and access.
        identity: Option<String> = None,
        /// Data protection.
        data: Option<String> = None,
        /// Collaboration and sharing controls.
        sharing: Option<String> = None,
        /// Device posture.
        devices: Option<String> = None,
        /// Monitoring and response ownership.
        monitoring: Option<String> = None,
    }
    /// `[accounts]`
    Accounts {
        /// Days without sign-in after which a member account is stale. 90: the catalogue's default.
        stale_days: u32 = 90,
    }
    /// `[roles]`
    Roles {
        /// Days without sign-in after which an administrator's account is stale.
        stale_days: u32 = 30,
        /// Most Global Administrators; 4 as in CIS Microsoft 365 1.1.3, 8 for SCuBA.
        max_global_administrators: u32 = 4,
    }
    /// `[conditional-access]`
    ConditionalAccess {
        /// Most users that a wide policy may exclude, emergency and sync accounts apart.
        max_excluded: u32 = 5,
        /// Days after which a report-only policy is a leftover.
        report_only_days: u32 = 30,
    }
    /// `[device-code]`
    DeviceCode {
        /// User or group ids that may use the device code flow.
        allowed: Vec<String> = Vec::new(),
    }
    /// `[session]`
    Session {
        /// Hours after which an administrator must sign in again. 4: the catalogue's default, as in CIS Microsoft 365 5.2.2.4.
        admin_hours: u32 = 4,
        /// Hours after which everybody must sign in again on a device that nobody manages.
        unmanaged_hours: u32 = 24,
    }
    /// `[locations]`
    Locations {
        /// Countries, by ISO 3166 code, from which people may sign in though no location there is trusted.
        allowed_countries: Vec<String> = Vec::new(),
    }
    /// `[risk]`
    RiskSettings {
        /// Sign-in risk that must be blocked: `high` as in SCuBA, `high-and-medium` as in CIS Microsoft 365 5.2.2.8.
        block_sign_in: BlockedRisk = BlockedRisk::High,
    }
    /// `[guests]`
    Guests {
        /// Days without sign-in after which a guest is stale.
        stale_days: u32 = 90,
        /// `limited` accepts the limited and the restricted guest role, `restricted` only the latter.
        directory_access: GuestDirectoryAccess = GuestDirectoryAccess::Limited,
        /// Whether service provider users count when MFA for guests is judged.
        judge_service_providers: bool = true,
    }
    /// `[domains]`
    Domains {
        /// Domains that are federated on purpose.
        federated: Vec<String> = Vec::new(),
    }
    /// `[partners]`
    Partners {
        /// Tenant ids that may synchronise users into this tenant.
        tenants: Vec<String> = Vec::new(),
    }
    /// `[devices]`
    Devices {
        /// Percentage of managed devices that may be non-compliant.
        non_compliant_share: u64 = 5,
        /// Percentage of consumed Intune seats that should have an enrolled device.
        enrolled_share: u64 = 50,
    }
    /// `[monitoring]`
    Monitoring {
        /// Hours within which somebody must be assigned to a high-severity alert or incident.
        assign_hours: u32 = 24,
        /// Days within which a high-severity one must be closed.
        high_days: u32 = 7,
        /// Days within which a medium-severity one must be closed.
        medium_days: u32 = 30,
        /// How many days back alerts are read.
        window_days: u32 = 90,
    }
    /// `[data]`
    Data {
        /// Percentage of the Secure Score of Defender for Office 365 that counts as switched on.
        mail_score_share: u64 = 80,
    }
    /// `[mail]`
    Mail {
        /// Words in an inbox rule that hides mail which make it suspicious; compared without regard to case.
        suspicious_words: Vec<String> = ["invoice", "payment", "bank", "wire", "iban", "phish", "hack", "spam", "security", "password", "mfa", "fraud", "undeliverable"].map(String::from).to_vec(),
    }
}

/// Which sign-in risk must be blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BlockedRisk {
    /// High alone.
    High,
    /// High and medium.
    HighAndMedium,
}

/// Which guest roles are narrow enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GuestDirectoryAccess {
    /// Limited or restricted.
    Limited,
    /// Restricted only.
    Restricted,
}

/// A person's recorded answer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Answer {
    /// Whether the control is in place.
    pub in_place: bool,
    /// Who says so.
    pub by: String,
    /// Until when the answer holds (the day itself included): `2027-06-30`.
    #[serde(deserialize_with = "load::date")]
    pub expires: Date,
}

impl Owners {
    /// The owner of an area, by the area's key.
    pub fn of(&self, area: &str) -> Option<&str> {
        match area {
            "identity" => self.identity.as_deref(),
            "data" => self.data.as_deref(),
            "sharing" => self.sharing.as_deref(),
            "devices" => self.devices.as_deref(),
            "monitoring" => self.monitoring.as_deref(),
            _ => None,
        }
    }
}
