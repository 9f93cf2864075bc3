//! What a policy asks for, held against one sign-in.

use std::collections::BTreeSet;

use super::Scene;
use crate::access::device::{Attribute, Device, Truth, Value};
use crate::access::methods::MethodSet;
use crate::access::policy::{Ask, Grant, Span};
use crate::access::proof::Evidence;

/// Platforms with approved client apps. Source: Conditional Access: Grant.
const MOBILE: [&str; 2] = ["android", "iOS"];
/// Platforms with apps under app protection policies: Edge on Windows among them.
const MOBILE_AND_WINDOWS: [&str; 3] = ["android", "iOS", "windows"];

/// How a policy's controls stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    /// These are to be met: one of each set. None: it is satisfied.
    Open(Vec<BTreeSet<String>>),
    /// They cannot be met by this sign-in.
    Never(String),
    /// Whether they can be met is not known.
    Unsure(String),
    Blocked,
}

impl Ended {
    pub(super) fn clauses(&self) -> Vec<BTreeSet<String>> {
        match self {
            Self::Open(clauses) => clauses.clone(),
            _ => Vec::new(),
        }
    }
}

/// How one control stands.
enum Stands {
    Met,
    Open,
    Never(&'static str),
    Unsure(&'static str),
    Blocks,
}

/// A control in Graph's words.
pub(in crate::access) fn control(ask: &Ask) -> String {
    match ask {
        Ask::Block => "block".to_owned(),
        Ask::Mfa => "mfa".to_owned(),
        Ask::Strength(Some(id), _) => format!("strength:{id}"),
        Ask::Strength(None, _) => "strength:unknown".to_owned(),
        Ask::CompliantDevice => "compliantDevice".to_owned(),
        Ask::DomainJoinedDevice => "domainJoinedDevice".to_owned(),
        Ask::ApprovedApplication => "approvedApplication".to_owned(),
        Ask::CompliantApplication => "compliantApplication".to_owned(),
        Ask::PasswordChange => "passwordChange".to_owned(),
        Ask::RiskRemediation => "riskRemediation".to_owned(),
        Ask::TermsOfUse(id) => format!("termsOfUse:{}", id.for_terminal()),
        Ask::CustomFactor => "custom".to_owned(),
        Ask::Unknown(word) => word.for_terminal(),
    }
}

impl Scene<'_, '_> {
    /// What is left of a policy's controls.
    pub(super) fn grant(&self, grant: &Grant) -> Ended {
        let stands: Vec<(String, Stands)> = grant
            .asks
            .iter()
            .map(|ask| (control(ask), self.stands(ask)))
            .collect();
        let said = |name: &str, why: &str| format!("{name} {why}");
        let never = stands.iter().find_map(|(name, stands)| match stands {
            Stands::Never(why) => Some(Ended::Never(said(name, why))),
            _ => None,
        });
        let unsure = stands.iter().find_map(|(name, stands)| match stands {
            Stands::Unsure(why) => Some(Ended::Unsure(said(name, why))),
            _ => None,
        });
        let blocks = stands
            .iter()
            .any(|(_, stands)| matches!(stands, Stands::Blocks))
            .then_some(Ended::Blocked);
        let open = || {
            stands
                .iter()
                .filter(|(_, stands)| matches!(stands, Stands::Open))
                .map(|(name, _)| name.clone())
        };
        if grant.all || stands.len() <= 1 {
            return blocks.or(never).or(unsure).unwrap_or_else(|| {
                Ended::Open(open().map(|name| BTreeSet::from([name])).collect())
            });
        }
        // Any one is enough.
        if stands
            .iter()
            .any(|(_, stands)| matches!(stands, Stands::Met))
        {
            return Ended::Open(Vec::new());
        }
        let alternatives: BTreeSet<String> = open().collect();
        if alternatives.is_empty() {
            return unsure
                .or(never)
                .or(blocks)
                .unwrap_or(Ended::Open(Vec::new()));
        }
        Ended::Open(vec![alternatives])
    }

    fn stands(&self, ask: &Ask) -> Stands {
        match ask {
            Ask::Block => return Stands::Blocks,
            Ask::Unknown(_) => {
                return Stands::Unsure("is a control that this version does not know");
            }
            _ if self.sign_in.is_legacy() => {
                return Stands::Never("cannot be met by a legacy client");
            }
            _ => {}
        }
        let trust = self.person.trust;
        let never_external = |stands: Stands| {
            given(
                trust.external,
                stands,
                "cannot be met by an external user",
                "cannot be met by an external user, and whether this is one is not known",
            )
        };
        match ask {
            Ask::Mfa => self.methods_stand(Some(&self.analyzer.space.methods.multi_factor())),
            Ask::Strength(..) => self.methods_stand(self.accepted(ask).as_ref()),
            Ask::CompliantDevice => given(
                trust.no_compliant,
                self.device_stands(Attribute::IsCompliant, "True"),
                "of an external user does not count here: the home tenant's devices are not trusted",
                "of an external user may not count here: whether the home tenant's devices are trusted is not known",
            ),
            Ask::DomainJoinedDevice => given(
                trust.no_hybrid,
                self.device_stands(Attribute::TrustType, "ServerAD"),
                "of an external user does not count here: the home tenant's devices are not trusted",
                "of an external user may not count here: whether the home tenant's devices are trusted is not known",
            ),
            Ask::ApprovedApplication => never_external(self.app_stands(&MOBILE)),
            Ask::CompliantApplication => never_external(self.app_stands(&MOBILE_AND_WINDOWS)),
            Ask::PasswordChange | Ask::RiskRemediation => never_external(Stands::Open),
            _ => Stands::Open,
        }
    }

    /// What a strength accepts; `None` where that is not known.
    fn accepted(&self, ask: &Ask) -> Option<MethodSet> {
        let Ask::Strength(id, content) = ask else {
            return None;
        };
        let methods = &self.analyzer.space.methods;
        let listed = content
            .as_deref()
            .and_then(|content| methods.accepted(content));
        listed.or_else(|| methods.strength((*id)?).cloned())
    }

    /// The combinations that the person can perform: surely, and perhaps.
    fn possible(&self) -> Span<MethodSet> {
        let methods = &self.analyzer.space.methods;
        let trust = self.person.trust;
        let limited = |no_mfa: bool, no_mfa_here: bool| match (no_mfa, no_mfa_here) {
            (_, true) => methods.single_factor(),
            (true, false) => methods.in_resource_tenant(),
            (false, false) => methods.any(),
        };
        Span {
            must: limited(trust.no_mfa.may, trust.no_mfa_here.may),
            may: limited(trust.no_mfa.must, trust.no_mfa_here.must),
        }
    }

    fn methods_stand(&self, accepted: Option<&MethodSet>) -> Stands {
        let Some(accepted) = accepted else {
            return Stands::Unsure("is a strength that was not read or is gone");
        };
        let possible = self.possible();
        if accepted.meets(&possible.must) {
            Stands::Open
        } else if accepted.meets(&possible.may) {
            Stands::Unsure(
                "rests on whether the home tenant's second factor is trusted, which is not known",
            )
        } else {
            Stands::Never(
                "cannot be met by this external user: the home tenant's second factor is not trusted",
            )
        }
    }

    /// What was said of the device stands; what was not said may still turn out right.
    fn device_stands(&self, attribute: Attribute, wanted: &str) -> Stands {
        let Some(device) = &self.sign_in.device else {
            return Stands::Open;
        };
        if !device.0.registered {
            return Stands::Never("cannot be met by a device that is not registered");
        }
        match device.0.attributes.get(&attribute) {
            Some(Value::Text(text)) if text.eq_ignore_ascii_case(wanted) => Stands::Met,
            Some(_) => Stands::Never("cannot be met by this device"),
            None => Stands::Open,
        }
    }

    fn app_stands(&self, platforms: &[&str]) -> Stands {
        let fits = |platform: &str| {
            platforms
                .iter()
                .any(|known| known.eq_ignore_ascii_case(platform))
        };
        match self.sign_in.platform {
            Some(platform) if !fits(platform) => Stands::Never("cannot be met on this platform"),
            _ => Stands::Open,
        }
    }

    /// Whether a policy's controls are met by what is shown.
    pub(super) fn satisfied(&self, grant: &Grant, evidence: &Evidence) -> Truth {
        let mut met = grant.asks.iter().map(|ask| self.met(ask, evidence));
        match grant.asks.len() {
            0 => Truth::Yes,
            _ if grant.all => met.fold(Truth::Yes, Truth::and),
            1 => met.next().unwrap_or(Truth::Yes),
            _ => met.fold(Truth::No, Truth::or),
        }
    }

    fn met(&self, ask: &Ask, evidence: &Evidence) -> Truth {
        let shows = |name: &str| evidence.controls.iter().any(|control| control == name);
        let performed = |accepted: &MethodSet| {
            let methods = &self.analyzer.space.methods;
            let possible = self.possible();
            let mut combinations = evidence.methods.iter();
            let is_shown = |possible: &MethodSet, combination: &str| {
                accepted
                    .clone()
                    .and(possible)
                    .meets(&methods.performed(combination))
            };
            if combinations
                .clone()
                .any(|combination| is_shown(&possible.must, combination))
            {
                Truth::Yes
            } else if combinations.any(|combination| is_shown(&possible.may, combination)) {
                Truth::Unknown
            } else {
                Truth::No
            }
        };
        match ask {
            Ask::Mfa if !self.sign_in.is_legacy() => {
                performed(&self.analyzer.space.methods.multi_factor())
            }
            Ask::Strength(..) if !self.sign_in.is_legacy() => match self.accepted(ask) {
                Some(accepted) => performed(&accepted),
                None => Truth::Unknown,
            },
            Ask::CompliantDevice | Ask::DomainJoinedDevice => {
                let has_other_device = self
                    .sign_in
                    .authentication_flow
                    .eq_ignore_ascii_case("deviceCodeFlow")
                    && shows(&control(ask));
                let is_shown = |device: &Device| has_other_device || is_device(device, ask);
                match self.stands(ask) {
                    Stands::Never(_) if !has_other_device || self.sign_in.is_legacy() => Truth::No,
                    Stands::Unsure(_) => Truth::Unknown,
                    _ => self.devices.iter().any(is_shown).into(),
                }
            }
            _ => match self.stands(ask) {
                Stands::Met => Truth::Yes,
                Stands::Open => shows(&control(ask)).into(),
                Stands::Unsure(_) => Truth::Unknown,
                Stands::Never(_) | Stands::Blocks => Truth::No,
            },
        }
    }
}

/// What holds if something about the person is not so, is so, or may be so.
fn given(
    hinders: Span<bool>,
    otherwise: Stands,
    never: &'static str,
    unsure: &'static str,
) -> Stands {
    match (hinders.must, hinders.may) {
        (true, _) => Stands::Never(never),
        (false, true) => match otherwise {
            Stands::Never(why) => Stands::Never(why),
            _ => Stands::Unsure(unsure),
        },
        (false, false) => otherwise,
    }
}

fn is_device(device: &Device, ask: &Ask) -> bool {
    let is = |attribute, wanted: &str| matches!(device.attributes.get(&attribute), Some(Value::Text(text)) if text.eq_ignore_ascii_case(wanted));
    device.registered
        && match ask {
            Ask::CompliantDevice => is(Attribute::IsCompliant, "True"),
            Ask::DomainJoinedDevice => is(Attribute::TrustType, "ServerAD"),
            _ => false,
        }
}
