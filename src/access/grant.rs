//! What the controls of one policy force.

use crate::snapshot::model::{
    AuthenticationStrengthPolicy, ConditionalAccessGrantControl as Control, ConditionalAccessPolicy,
};

/// What a sign-in must be forced to. Denial always satisfies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// Denied.
    Block,
    /// A second factor: `mfa`, or a strength whose `requirementsSatisfied` is mfa.
    Mfa,
    /// A strength with nothing in it that can be phished, judged by its combinations, never by its name.
    PhishingResistant,
    /// A compliant or hybrid joined device.
    ManagedDevice,
    /// A second factor or a managed device.
    MfaOrManagedDevice,
    /// A second factor or risk remediation, fresh at every sign-in (`signInFrequency` everyTime).
    FreshMfa,
    /// Risk remediation, or a new password together with a second factor.
    SecureRemediation,
    /// The session is limited (restrictions that the application enforces, or downloads blocked), or the device is managed.
    LimitedSession,
}

/// How surely a control forces something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Forces {
    /// It can be met without.
    No,
    /// It is one of several ways joined by OR, and another one does without.
    Alternative,
    /// Would be forced, and the session is not asked again every time.
    NotEveryTime,
    /// What it asks for cannot be read.
    Unknown,
    /// It cannot be met without.
    Yes,
}

/// Combinations of methods that cannot be phished. Source: Microsoft Entra, built-in authentication strengths.
const PHISHING_RESISTANT: [&str; 3] = [
    "fido2",
    "windowsHelloForBusiness",
    "x509CertificateMultiFactor",
];

/// One way to be let in, or one more thing to do.
enum Element<'a> {
    BuiltIn(&'a Control),
    Strength(Option<&'a AuthenticationStrengthPolicy>),
    /// Terms of use and custom controls: anybody can satisfy them, and they are no second factor.
    Other,
}

/// The controls of one policy.
pub(super) struct Grant<'a> {
    elements: Vec<Element<'a>>,
    all_of: bool,
    limits_session: bool,
    every_time: bool,
}

impl<'a> Grant<'a> {
    /// Reads a policy; `strengths` fill in for a strength that the policy names without its content.
    pub(super) fn read(
        policy: &'a ConditionalAccessPolicy,
        strengths: &'a [AuthenticationStrengthPolicy],
    ) -> Self {
        let mut elements = Vec::new();
        let mut all_of = false;
        if let Some(grant) = &policy.grant_controls {
            all_of = grant.operator.as_ref().is_some_and(|word| word.is("AND"));
            elements.extend(
                grant
                    .built_in_controls
                    .iter()
                    .flatten()
                    .map(Element::BuiltIn),
            );
            if let Some(strength) = &grant.authentication_strength {
                elements.push(Element::Strength(resolve(strength, strengths)));
            }
            let others = grant.terms_of_use.iter().flatten().count()
                + grant.custom_authentication_factors.iter().flatten().count();
            elements.extend((0..others).map(|_| Element::Other));
        }
        let session = policy.session_controls.as_ref();
        let restricts = session
            .and_then(|session| session.application_enforced_restrictions.as_ref())
            .is_some_and(|control| control.is_enabled == Some(true));
        let blocks_downloads = session
            .and_then(|session| session.cloud_app_security.as_ref())
            .is_some_and(|control| {
                control.is_enabled == Some(true)
                    && control
                        .cloud_app_security_type
                        .as_ref()
                        .is_some_and(|kind| kind.is("blockDownloads"))
            });
        let every_time = session
            .and_then(|session| session.sign_in_frequency.as_ref())
            .is_some_and(|control| {
                control.is_enabled == Some(true)
                    && control
                        .frequency_interval
                        .as_ref()
                        .is_some_and(|interval| interval.is("everyTime"))
            });
        Self {
            elements,
            all_of,
            limits_session: restricts || blocks_downloads,
            every_time,
        }
    }

    /// Whether it asks for anything at all: enough to deny a legacy client, which can satisfy no control.
    pub(super) fn asks_for_anything(&self) -> bool {
        !self.elements.is_empty()
    }

    /// Whether it asks again at every sign-in.
    pub(super) fn every_time(&self) -> bool {
        self.every_time
    }

    /// Whether one of its controls is block, a second factor, a strength or a managed device.
    pub(super) fn guards(&self) -> bool {
        self.elements.iter().any(|element| {
            matches!(
                element,
                Element::Strength(_)
                    | Element::BuiltIn(
                        Control::Block
                            | Control::Mfa
                            | Control::CompliantDevice
                            | Control::DomainJoinedDevice
                    )
            )
        })
    }

    /// Why an account that has nothing but its second factor cannot get in, or may not.
    pub(super) fn stops_bare_mfa(&self) -> Option<&'static str> {
        let met = |element: &Element<'_>| {
            matches!(
                element,
                Element::Strength(_) | Element::BuiltIn(Control::Mfa)
            )
        };
        if self
            .elements
            .iter()
            .any(|element| matches!(element, Element::BuiltIn(Control::Block)))
        {
            return Some("blocks it");
        }
        let passable = self.elements.is_empty()
            || if self.all_of {
                self.elements.iter().all(met)
            } else {
                self.elements.iter().any(met)
            };
        (!passable).then_some("asks it for more than a second factor")
    }

    /// Whether a modern client is forced to what is required.
    pub(super) fn forces(&self, requirement: Requirement) -> Forces {
        if requirement == Requirement::LimitedSession && self.limits_session {
            return Forces::Yes;
        }
        let forces = if requirement == Requirement::SecureRemediation && self.all_of {
            self.together()
        } else {
            self.joined(|element| element.forces(requirement))
        };
        let needs_fresh = requirement == Requirement::FreshMfa
            && matches!(forces, Forces::Yes | Forces::Unknown)
            && !self.every_time
            && self.joined(|element| element.forces(Requirement::Block)) != Forces::Yes;
        if needs_fresh {
            Forces::NotEveryTime
        } else {
            forces
        }
    }

    /// AND: one control that forces is enough. OR: all of them must; an unknown operator counts as OR, which promises less.
    fn joined(&self, of: impl Fn(&Element<'_>) -> Forces) -> Forces {
        let each = || self.elements.iter().map(&of);
        let best = each().max().unwrap_or(Forces::No);
        if self.all_of {
            return best;
        }
        match each().min().unwrap_or(Forces::No) {
            Forces::No if best > Forces::No => Forces::Alternative,
            worst => worst,
        }
    }

    /// A new password counts together with a second factor, both joined by AND.
    fn together(&self) -> Forces {
        let best = |requirement: Requirement| {
            self.elements
                .iter()
                .map(|element| element.forces(requirement))
                .max()
                .unwrap_or(Forces::No)
        };
        let new_password = self
            .elements
            .iter()
            .any(|element| matches!(element, Element::BuiltIn(Control::PasswordChange)));
        let alone = best(Requirement::SecureRemediation);
        if new_password {
            alone.max(best(Requirement::Mfa))
        } else {
            alone
        }
    }
}

impl Element<'_> {
    /// Whether this control alone, when it must be met, forces what is required.
    fn forces(&self, requirement: Requirement) -> Forces {
        use Requirement as R;
        let accepts_mfa = matches!(requirement, R::Mfa | R::MfaOrManagedDevice | R::FreshMfa);
        match self {
            Self::BuiltIn(Control::Block) => Forces::Yes,
            Self::BuiltIn(Control::Mfa) => yes_if(accepts_mfa),
            Self::BuiltIn(Control::CompliantDevice | Control::DomainJoinedDevice) => {
                yes_if(matches!(
                    requirement,
                    R::ManagedDevice | R::MfaOrManagedDevice | R::LimitedSession
                ))
            }
            Self::BuiltIn(Control::RiskRemediation) => {
                yes_if(matches!(requirement, R::FreshMfa | R::SecureRemediation))
            }
            Self::BuiltIn(Control::Other(_)) => Forces::Unknown,
            Self::Strength(None) if accepts_mfa || requirement == R::PhishingResistant => {
                Forces::Unknown
            }
            Self::Strength(Some(strength)) if requirement == R::PhishingResistant => {
                match &strength.allowed_combinations {
                    None => Forces::Unknown,
                    Some(combinations) => yes_if(
                        !combinations.is_empty()
                            && combinations.iter().all(|combination| {
                                PHISHING_RESISTANT.iter().any(|name| combination.is(name))
                            }),
                    ),
                }
            }
            Self::Strength(Some(strength)) if accepts_mfa => {
                match &strength.requirements_satisfied {
                    None => Forces::Unknown,
                    Some(satisfied) => yes_if(satisfied.is("mfa")),
                }
            }
            Self::BuiltIn(
                Control::ApprovedApplication
                | Control::CompliantApplication
                | Control::PasswordChange,
            )
            | Self::Strength(_)
            | Self::Other => Forces::No,
        }
    }
}

fn yes_if(holds: bool) -> Forces {
    if holds { Forces::Yes } else { Forces::No }
}

/// A strength with its content: Graph sends it inside the policy; where it did not, the list of strengths has it by id.
fn resolve<'a>(
    named: &'a AuthenticationStrengthPolicy,
    strengths: &'a [AuthenticationStrengthPolicy],
) -> Option<&'a AuthenticationStrengthPolicy> {
    if named.requirements_satisfied.is_some() && named.allowed_combinations.is_some() {
        return Some(named);
    }
    let id = named.id.as_ref()?;
    strengths
        .iter()
        .find(|strength| strength.id.as_ref().is_some_and(|other| other.is(id.raw())))
}
