//! What can be asked: a guarantee is a scope of sign-ins and what each of them must meet. Named ones are values of these types.
//!
//! The language is that of section "Question language" of the documentation (`docs/access.md`): who, target, when, assume, must.

use crate::snapshot::{Guid, reference};

use super::resources::{AZURE_MANAGEMENT, REGISTER_DEVICE, REGISTER_SECURITY_INFO};

/// A question to be proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guarantee {
    /// What it is called.
    pub id: String,
    /// What it says, as the end of a sentence that begins with "Proved:".
    pub says: String,
    /// Whose sign-ins.
    pub who: Who,
    /// Accounts that are left out.
    pub except_users: Vec<Guid>,
    /// To what.
    pub target: Asked,
    /// Under which conditions.
    pub when: When,
    /// What is taken for granted.
    pub assume: Assume,
    /// What each must meet: all of these.
    pub must: Vec<Clause>,
}

/// Whose sign-ins are asked about. Accounts that cannot sign in never are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// Every account, and external users without one who may come.
    All,
    /// Every account, and nobody without one.
    EveryAccount,
    /// Accounts whose user type is not Guest.
    Members,
    /// Accounts whose user type is Guest, and external users without an account who may come.
    Guests,
    /// Guests, and every kind of external user from every tenant, whether or not any may come today.
    EveryExternal {
        /// Whether service providers are among them.
        providers: bool,
    },
    /// Accounts by object id.
    Users(Vec<Guid>),
    /// Members of groups, nested ones included.
    Groups(Vec<Guid>),
    /// Holders of roles, by template id, in the states in which they hold them.
    Roles(Vec<Guid>, RoleScope),
    /// Workload identities, by object id; all of this tenant's own where none is named.
    ServicePrincipals(Vec<Guid>),
}

/// Which assignments make a holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RoleScope {
    /// Those for the whole directory.
    Directory,
    /// Those for parts of it and for single objects too.
    #[default]
    Any,
}

/// What is signed in to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// Every resource, those that nothing names and baseline scopes among them.
    AnyResource,
    /// Resources by app id, or the words `Office365` and `MicrosoftAdminPortals`.
    Resources(Vec<String>),
    /// A user action by its urn.
    UserAction(String),
    /// An authentication context by its id, whichever resource asks for it.
    AuthContext(String),
}

/// Conditions; what is not narrowed is any value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct When {
    /// `clientAppTypes`; empty is any.
    pub client_app_types: Vec<String>,
    /// Platforms, `unknown` among them; empty is any.
    pub platforms: Vec<String>,
    /// In a trusted location, or outside all of them.
    pub trusted: Option<bool>,
    /// In at least one of these named locations; empty is anywhere.
    pub named: Vec<Guid>,
    /// In none of these.
    pub not_named: Vec<Guid>,
    /// Countries by address; empty is any.
    pub country_in: Vec<String>,
    /// Countries by address that are left out.
    pub country_not_in: Vec<String>,
    /// Registered or not.
    pub registered: Option<bool>,
    /// Compliant or hybrid joined, or neither.
    pub managed: Option<bool>,
    /// A device filter that matches.
    pub matches: Option<String>,
    /// A device filter that does not.
    pub not_matches: Option<String>,
    /// Levels; empty is any.
    pub sign_in_risk: Vec<String>,
    /// Levels; empty is any.
    pub user_risk: Vec<String>,
    /// Levels; empty is any.
    pub insider_risk: Vec<String>,
    /// `none`, `deviceCodeFlow`, `authenticationTransfer`; empty is any.
    pub authentication_flows: Vec<String>,
}

/// What is taken for granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assume {
    /// Whether roles that may be activated are looked at in both states.
    pub pim: Pim,
    /// Whether a device that is shown in the device code flow may be another one than the one that gets the token.
    pub device_code_shows_any_device: bool,
    /// Whether `All` reaches external users without an account here for certain.
    pub all_reaches_everyone: bool,
}

impl Default for Assume {
    fn default() -> Self {
        Self {
            pim: Pim::default(),
            device_code_shows_any_device: true,
            all_reaches_everyone: false,
        }
    }
}

/// Roles that may be activated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pim {
    /// None is.
    Inactive,
    /// Any may be, or not.
    #[default]
    MayActivate,
}

/// At least one of these; being kept out meets every clause. An empty clause is met by being kept out alone.
pub type Clause = Vec<Atom>;

/// What a sign-in can be made to meet.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are Graph's")]
pub enum Atom {
    Mfa,
    PhishingResistantMfa,
    /// A strength by its id: at least what it accepts.
    Strength(Guid),
    CompliantDevice,
    DomainJoinedDevice,
    CompliantApplication,
    ApprovedApplication,
    PasswordChange,
    RiskRemediation,
    /// By the id of the terms.
    TermsOfUse(String),
    Session(SessionAtom),
}

/// What a session can be stamped with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are Graph's")]
pub enum SessionAtom {
    ApplicationEnforcedRestrictions,
    /// Watched by Defender for Cloud Apps; with a type, in that way.
    CloudAppSecurity(Option<String>),
    /// `persistentBrowser` with this mode.
    PersistentBrowser(String),
    /// `signInFrequency` of at most so many hours; 0 is every time.
    SignInFrequency(i64),
    SecureSignInSession,
}

impl Guarantee {
    /// Starts with every sign-in of everybody to every resource.
    pub fn new(id: &str, says: &str, must: Vec<Clause>) -> Self {
        Self {
            id: id.to_owned(),
            says: says.to_owned(),
            who: Who::All,
            except_users: Vec::new(),
            target: Asked::AnyResource,
            when: When::default(),
            assume: Assume::default(),
            must,
        }
    }

    /// About these people.
    #[must_use]
    pub fn who(self, who: Who) -> Self {
        Self { who, ..self }
    }

    /// About this target.
    #[must_use]
    pub fn target(self, target: Asked) -> Self {
        Self { target, ..self }
    }

    /// Under these conditions.
    #[must_use]
    pub fn when(self, when: When) -> Self {
        Self { when, ..self }
    }

    /// The guarantees that have a name. Source: section 3.5 of the analyzer's design, and the rows of kind analyzer of the catalogue.
    pub fn named() -> Vec<Self> {
        let words = |words: &[&str]| {
            words
                .iter()
                .map(|&word| word.to_owned())
                .collect::<Vec<_>>()
        };
        let blocked = || vec![Vec::new()];
        let mfa = || vec![vec![Atom::Mfa]];
        let admins = || Who::Roles(reference::admin_roles().collect(), RoleScope::Any);
        let office = || Asked::Resources(words(&["Office365"]));
        let modern = || When {
            client_app_types: words(&["browser", "mobileAppsAndDesktopClients"]),
            ..When::default()
        };
        let untrusted = || When {
            trusted: Some(false),
            ..When::default()
        };
        let unmanaged = |client: &str| When {
            client_app_types: words(&[client]),
            managed: Some(false),
            ..When::default()
        };
        let flow = |flow: &str| When {
            authentication_flows: words(&[flow]),
            ..When::default()
        };
        vec![
            Self::new(
                "legacy-blocked",
                "legacy authentication is blocked",
                blocked(),
            )
            .when(When {
                client_app_types: words(&["exchangeActiveSync", "other"]),
                ..When::default()
            }),
            Self::new(
                "mfa-everywhere",
                "everybody needs a second factor everywhere",
                mfa(),
            ),
            Self::new(
                "mfa-untrusted",
                "everybody needs a second factor outside trusted locations",
                mfa(),
            )
            .when(untrusted()),
            Self::new("admins-mfa", "administrators need a second factor", mfa()).who(admins()),
            Self::new(
                "admins-phishing-resistant",
                "administrators need a second factor that cannot be phished",
                vec![vec![Atom::PhishingResistantMfa]],
            )
            .who(admins())
            .when(modern()),
            Self::new("guests-mfa", "guests need a second factor", mfa()).who(Who::Guests),
            Self::new(
                "azure-management-mfa",
                "managing Azure needs a second factor",
                mfa(),
            )
            .target(Asked::Resources(vec![AZURE_MANAGEMENT.to_string()])),
            Self::new(
                "admin-portals-mfa",
                "the admin portals need a second factor",
                mfa(),
            )
            .target(Asked::Resources(words(&["MicrosoftAdminPortals"]))),
            Self::new(
                "device-code-blocked",
                "the device code flow is blocked",
                blocked(),
            )
            .when(flow("deviceCodeFlow")),
            Self::new(
                "authentication-transfer-blocked",
                "authentication transfer is blocked",
                blocked(),
            )
            .when(flow("authenticationTransfer")),
            Self::new(
                "high-sign-in-risk",
                "a sign-in at high risk needs a second factor",
                mfa(),
            )
            .when(When {
                sign_in_risk: words(&["high"]),
                ..When::default()
            }),
            Self::new(
                "high-user-risk",
                "an account at high risk needs a new password and a second factor, or remediation",
                vec![
                    vec![Atom::Mfa, Atom::RiskRemediation],
                    vec![Atom::PasswordChange, Atom::RiskRemediation],
                ],
            )
            .when(When {
                user_risk: words(&["high"]),
                ..When::default()
            }),
            Self::new(
                "unmanaged-no-desktop",
                "apps on unmanaged devices do not get into Office 365",
                blocked(),
            )
            .target(office())
            .when(unmanaged("mobileAppsAndDesktopClients")),
            Self::new(
                "unmanaged-browser-limited",
                "browsers on unmanaged devices are limited in Office 365",
                vec![vec![
                    Atom::Session(SessionAtom::ApplicationEnforcedRestrictions),
                    Atom::CompliantDevice,
                    Atom::DomainJoinedDevice,
                ]],
            )
            .target(office())
            .when(unmanaged("browser")),
            Self::new(
                "registration-protected",
                "security info is registered with a second factor outside trusted locations",
                mfa(),
            )
            .target(Asked::UserAction(REGISTER_SECURITY_INFO.to_owned()))
            .when(untrusted()),
            Self::new(
                "device-join-mfa",
                "devices are registered with a second factor",
                mfa(),
            )
            .target(Asked::UserAction(REGISTER_DEVICE.to_owned())),
            Self::new(
                "unknown-platform-blocked",
                "platforms that are not recognised are blocked",
                blocked(),
            )
            .when(When {
                platforms: words(&["unknown"]),
                ..When::default()
            }),
            Self::new(
                "workloads-fenced",
                "workload identities are blocked outside trusted locations",
                blocked(),
            )
            .who(Who::ServicePrincipals(Vec::new()))
            .when(untrusted()),
        ]
    }
}
