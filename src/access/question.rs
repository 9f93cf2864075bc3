//! What can be asked: a space of sign-ins, and what each of them must be forced to.

use super::Requirement;

/// What is signed in to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// Every resource, those that cannot be picked included.
    AllResources,
    /// One resource that belongs to the set `Office365`, by application id.
    OfficeResource(crate::snapshot::Guid),
    /// A user action, by its urn.
    UserAction(&'static str),
}

/// Where from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Places {
    /// Anywhere.
    Everywhere,
    /// Anywhere but trusted IP locations.
    Untrusted,
}

/// With what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Devices {
    /// Any device.
    Any,
    /// Devices that are neither compliant nor hybrid joined.
    Unmanaged,
}

/// How the token is obtained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// In any way.
    Any,
    /// By a code that is typed in on another device.
    DeviceCode,
}

impl Flow {
    pub(super) const fn name(self) -> Option<&'static str> {
        match self {
            Self::Any => None,
            Self::DeviceCode => Some("deviceCodeFlow"),
        }
    }
}

macro_rules! four {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $bit:literal, $word:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $name(u8);

        impl $name {
            $( $(#[$value_doc])* pub const $value: Self = Self(1 << $bit); )+

            /// Both sets together.
            #[must_use]
            pub const fn and(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            pub(super) const fn within(self, other: Self) -> bool {
                self.0 & !other.0 == 0
            }

            pub(super) const fn common(self, other: Self) -> Self {
                Self(self.0 & other.0)
            }

            /// Graph's words for what is in the set.
            pub fn words(self) -> Vec<&'static str> {
                [$(($bit, $word)),+].into_iter().filter(|(bit, _)| self.0 >> bit & 1 == 1).map(|(_, word)| word).collect()
            }
        }
    };
}

four! {
    /// Types of client.
    Clients {
        /// Browsers.
        BROWSER = 0, "browser";
        /// Modern apps.
        APPS = 1, "mobileAppsAndDesktopClients";
        /// `exchangeActiveSync`.
        ACTIVE_SYNC = 2, "exchangeActiveSync";
        /// Every other legacy protocol.
        OTHER = 3, "other";
    }
}

four! {
    /// Levels of risk.
    RiskLevels {
        /// No risk.
        NONE = 0, "none";
        /// Low.
        LOW = 1, "low";
        /// Medium.
        MEDIUM = 2, "medium";
        /// High.
        HIGH = 3, "high";
    }
}

impl Clients {
    pub(super) const NONE: Self = Self(0);
    /// Clients that can do what a grant control asks for.
    pub const MODERN: Self = Self::BROWSER.and(Self::APPS);
    /// Clients that cannot: every grant control denies them.
    pub const LEGACY: Self = Self::ACTIVE_SYNC.and(Self::OTHER);
    /// All four.
    pub const ALL: Self = Self::MODERN.and(Self::LEGACY);
}

impl RiskLevels {
    pub(super) const NOTHING: Self = Self(0);
    /// All four.
    pub const ALL: Self = Self(0b1111);
}

/// A question: which sign-ins, and what each must be forced to. Starts from everything; the fields narrow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question {
    /// What is signed in to.
    pub target: Target,
    /// With which clients.
    pub clients: Clients,
    /// At which sign-in risk.
    pub sign_in_risk: RiskLevels,
    /// At which user risk.
    pub user_risk: RiskLevels,
    /// Where from.
    pub places: Places,
    /// With what.
    pub devices: Devices,
    /// How the token is obtained.
    pub flow: Flow,
    /// What must be forced.
    pub requirement: Requirement,
}

impl Question {
    /// Every sign-in to the target.
    pub const fn new(target: Target, requirement: Requirement) -> Self {
        Self {
            target,
            clients: Clients::ALL,
            sign_in_risk: RiskLevels::ALL,
            user_risk: RiskLevels::ALL,
            places: Places::Everywhere,
            devices: Devices::Any,
            flow: Flow::Any,
            requirement,
        }
    }

    /// Where a managed device is as good as what is asked for, a policy may leave managed devices out.
    pub(super) fn devices_that_matter(&self) -> Devices {
        match self.requirement {
            Requirement::ManagedDevice
            | Requirement::MfaOrManagedDevice
            | Requirement::LimitedSession => Devices::Unmanaged,
            _ => self.devices,
        }
    }

    pub(super) fn cells(&self) -> Cells {
        Cells::of(self.clients, self.sign_in_risk, self.user_risk)
    }
}

/// Client types by sign-in risk by user risk, 64 in all: the part of the space that policies may share.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Cells(u64);

impl Cells {
    pub(super) fn of(clients: Clients, sign_in: RiskLevels, user: RiskLevels) -> Self {
        let mut cells = 0;
        for cell in 0..64_u32 {
            let has = |set: u8, shift: u32| set >> (cell >> shift & 3) & 1 == 1;
            if has(clients.0, 4) && has(sign_in.0, 2) && has(user.0, 0) {
                cells |= 1 << cell;
            }
        }
        Self(cells)
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The client types, sign-in risks and user risks that occur in it.
    pub(super) fn spread(self) -> (Clients, RiskLevels, RiskLevels) {
        let mut spread = (Clients::NONE, RiskLevels::NOTHING, RiskLevels::NOTHING);
        for cell in (0..64_u32).filter(|cell| self.0 >> cell & 1 == 1) {
            spread.0 = spread.0.and(Clients(1 << (cell >> 4 & 3)));
            spread.1 = spread.1.and(RiskLevels(1 << (cell >> 2 & 3)));
            spread.2 = spread.2.and(RiskLevels(1 << (cell & 3)));
        }
        spread
    }
}
