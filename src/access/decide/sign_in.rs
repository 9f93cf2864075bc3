//! What is asked: one sign-in, with every fact that a policy can look at.

use std::net::IpAddr;

use crate::access::device::{Attribute, Device, NAMED, Value};
use crate::access::policy;
use crate::access::resources::Resource;
use crate::access::subjects::ExternalKind;
use crate::snapshot::Guid;

/// Client types, in Graph's words.
pub const CLIENT_APPS: &[&str] = policy::CLIENTS.0;
/// Platforms; `unknown` is everything that Entra does not recognise.
pub const PLATFORMS: &[&str] = policy::PLATFORMS.0;
/// Levels of sign-in risk and user risk.
pub const RISK_LEVELS: &[&str] = policy::RISKS.0;
/// Levels of insider risk.
pub const INSIDER_RISK_LEVELS: &[&str] = policy::INSIDER_RISKS.0;
/// Ways in which a sign-in is handed from one device to another, and `none`.
pub const AUTHENTICATION_FLOWS: &[&str] = policy::FLOWS.0;

/// One sign-in. Words are Graph's, in any case; a word that Graph does not have may be anything.
#[derive(Debug, Clone, PartialEq)]
pub struct SignIn {
    /// Who signs in.
    pub who: Someone,
    /// To what.
    pub target: SignInTarget,
    /// The authentication context that the resource asks for besides, `c1` to `c99`.
    pub auth_context: Option<String>,
    /// One of [`CLIENT_APPS`]. Not given: a browser, which [`Decision::assumed`](super::Decision::assumed) says.
    pub client_app: Option<&'static str>,
    /// One of [`PLATFORMS`]. Not given: unknown, which [`Decision::assumed`](super::Decision::assumed) says.
    pub platform: Option<&'static str>,
    /// Not given: an address in no named location.
    pub ip: Option<IpAddr>,
    /// The country that the address maps to, by its ISO 3166 code; empty where none is known. Not given: one that no named location
    /// lists.
    pub country: Option<String>,
    /// The country that the Authenticator app reports, likewise.
    pub gps_country: Option<String>,
    /// Comes through the compliant network of Global Secure Access.
    pub compliant_network: bool,
    /// Not given: unregistered for conditions; controls on devices can still be met.
    pub device: Option<SignInDevice>,
    /// One of [`RISK_LEVELS`].
    pub sign_in_risk: &'static str,
    /// One of [`RISK_LEVELS`].
    pub user_risk: &'static str,
    /// One of [`INSIDER_RISK_LEVELS`].
    pub insider_risk: &'static str,
    /// One of [`AUTHENTICATION_FLOWS`].
    pub authentication_flow: &'static str,
}

impl SignIn {
    /// With the defaults of Microsoft's What If tool: whatever is not said is none.
    pub fn new(who: Someone, target: SignInTarget) -> Self {
        Self {
            who,
            target,
            auth_context: None,
            client_app: None,
            platform: None,
            ip: None,
            country: None,
            gps_country: None,
            compliant_network: false,
            device: None,
            sign_in_risk: "none",
            user_risk: "none",
            insider_risk: "none",
            authentication_flow: "none",
        }
    }

    pub(super) fn client(&self) -> &'static str {
        self.client_app.unwrap_or("browser")
    }

    pub(super) fn is_legacy(&self) -> bool {
        policy::CLIENTS
            .bit(self.client())
            .is_some_and(|bit| bit & policy::LEGACY != 0)
    }

    /// What was not said and is taken for granted, in words.
    pub(super) fn assumed(&self) -> Vec<&'static str> {
        let says = [
            (self.client_app.is_none(), "client app: browser"),
            (
                self.platform.is_none(),
                "platform: unknown, none of those that policies can name",
            ),
            (
                self.ip.is_none() && self.country.is_none() && !self.compliant_network,
                "place: in no named location",
            ),
            (
                self.ip.is_some() && self.country.is_none(),
                "country: one that no named location lists",
            ),
            (
                self.ip.is_none() && self.country.is_some(),
                "address: in no named location",
            ),
            (self.device.is_none(), "device: unregistered"),
        ];
        says.into_iter()
            .filter_map(|(assumed, what)| assumed.then_some(what))
            .collect()
    }
}

/// Who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Someone {
    /// An account of this directory.
    Account {
        /// Its object id.
        id: Guid,
        /// Template ids of roles that are activated beside those that it holds.
        roles: Vec<Guid>,
    },
    /// An external user without an object in this directory.
    External {
        /// Of which kind.
        kind: ExternalKind,
        /// From which tenant; `None` is one that nothing here names.
        tenant: Option<Guid>,
        /// Whether `All` users is taken to reach such people, which is not published. If not, it is not known.
        all_reaches: bool,
    },
}

/// What is signed in to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignInTarget {
    /// An app, by its app id.
    App(Guid),
    /// An app that no policy names.
    AnyOther,
    /// Nothing but baseline scopes.
    BaselineScopes,
    /// A user action, by its urn.
    Action(String),
}

impl SignInTarget {
    pub(super) fn resource(&self) -> Resource {
        match self {
            Self::App(id) => Resource::App(*id),
            Self::AnyOther => Resource::Other,
            Self::BaselineScopes => Resource::BaselineScopes,
            Self::Action(urn) => Resource::Action(urn.to_ascii_lowercase()),
        }
    }
}

/// What a sign-in shows of its device. What was said of it stands; an attribute that was not named has no value for device filters,
/// and may still turn out right for a control.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SignInDevice(pub(in crate::access) Device);

/// Why an attribute of a device cannot be read like this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnfitAttribute {
    /// Device filters know no such attribute; those that they know.
    Name(Vec<&'static str>),
    /// It cannot have this value; those that it can have.
    Value(Vec<&'static str>),
}

/// The app by which Intune manages devices.
const INTUNE: &str = "0000000a-0000-0000-c000-000000000000";

impl SignInDevice {
    /// The directory does not know it.
    pub fn unregistered() -> Self {
        Self::default()
    }

    /// The directory knows it; nothing more is said.
    pub fn registered() -> Self {
        Self(Device {
            registered: true,
            ..Device::default()
        })
    }

    /// The directory knows it.
    pub fn is_registered(&self) -> bool {
        self.0.registered
    }

    /// Says one attribute, by its name in device filters. A collection takes one element more; anything else takes the last value.
    ///
    /// # Errors
    /// No such attribute, or no such value.
    pub fn with(mut self, name: &str, value: &str) -> Result<Self, UnfitAttribute> {
        let Some(attribute) = Attribute::named(name) else {
            let known = NAMED.iter().map(|&(name, _)| name);
            return Err(UnfitAttribute::Name(
                known.chain(["extensionAttribute1"]).collect(),
            ));
        };
        let can_be = |values: &[&str]| values.iter().any(|known| known.eq_ignore_ascii_case(value));
        if let Some(values) = attribute.closed().filter(|values| !can_be(values)) {
            return Err(UnfitAttribute::Value(values.to_vec()));
        }
        if attribute == Attribute::MdmAppId && value.eq_ignore_ascii_case(INTUNE) {
            self.0.extension_attributes_visible = true;
        }
        let held = &mut self.0.attributes;
        if attribute.is_collection() {
            let elements = held.entry(attribute).or_insert(Value::Texts(Vec::new()));
            if let Value::Texts(elements) = elements {
                elements.push(value.to_owned());
            }
        } else {
            held.insert(attribute, Value::Text(value.to_owned()));
        }
        Ok(self)
    }

    /// What is said of an attribute, if it is one text.
    pub fn says(&self, name: &str) -> Option<&str> {
        match self.0.attributes.get(&Attribute::named(name)?)? {
            Value::Text(text) => Some(text),
            Value::Texts(_) => None,
        }
    }
}
