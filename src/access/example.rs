//! One concrete sign-in of a gap, decided a second time: policy by policy, by the evaluator that knows no boxes.

use std::collections::BTreeSet;

use super::analyzer::{Analyzer, Answer};
use super::bits::Bits;
use super::decide::{SignIn, SignInDevice, SignInTarget, Someone};
use super::device::Truth;
use super::externals::Home;
use super::guarantee::{Asked, Atom, Clause, Guarantee};
use super::policy::{Ask, CLIENTS, FLOWS, INSIDER_RISKS, PLATFORMS, RISKS};
use super::proof::{Evidence, Example, ExampleTarget};
use super::resources::Resource;
use super::search::{Gap, asked_apps, performed};
use super::space::dimension::{
    CLIENT, COMPLIANT_NETWORK, DEVICE, FLOW, GPS_COUNTRY, INSIDER_RISK, IP_COUNTRY, NETWORK,
    PLATFORM, SIGN_IN_RISK, TARGET, USER_RISK,
};
use crate::snapshot::Guid;

impl Analyzer<'_> {
    /// One sign-in of a gap, to be decided and to be shown.
    pub(super) fn example(
        &self,
        guarantee: &Guarantee,
        answer: &Answer,
        gap: &Gap,
    ) -> (SignIn, Example) {
        let states: BTreeSet<usize> = gap
            .product
            .first()
            .into_iter()
            .flat_map(Bits::iter)
            .collect();
        let user = answer
            .crowd
            .first_account(&states, &self.space.people, self.facts().users);
        let state = match user.and_then(|user| self.space.people.class_of(user)) {
            Some(class) => states.iter().copied().find(|&state| {
                let state = self.space.people.state(state);
                state.is_some_and(|state| state.class == class)
            }),
            None => states.first().copied(),
        };
        let roles = state.and_then(|state| self.space.people.state(state));
        let roles: Vec<Guid> = roles
            .map(|state| state.activated.clone())
            .unwrap_or_default();
        let class = state.and_then(|state| self.space.people.class_of_state(state));
        let who = match (user, class.and_then(|class| Some((class, class.external?)))) {
            (Some(user), _) => Someone::Account {
                id: user.id(),
                roles: roles.clone(),
            },
            (None, Some((class, kind))) => Someone::External {
                kind,
                tenant: match class.home {
                    Home::Tenant(tenant) => Some(tenant),
                    _ => None,
                },
                all_reaches: class.all_reaches,
            },
            (None, None) => Someone::External {
                kind: super::ExternalKind::OtherExternalUser,
                tenant: None,
                all_reaches: true,
            },
        };
        let pick = |dimension: usize| gap.point.get(dimension).copied().unwrap_or_default();
        let networks = &self.space.networks;
        let shown = self.example_target(guarantee, pick(TARGET));
        let mut sign_in = SignIn::new(who, self.sign_in_target(guarantee, pick(TARGET), &shown));
        if let Asked::AuthContext(context) = &guarantee.target {
            sign_in.auth_context = Some(context.clone());
        }
        let device = self
            .space
            .devices
            .example(gap.point.get(DEVICE..).unwrap_or_default());
        let country = networks.ip_country_example(pick(IP_COUNTRY));
        sign_in.client_app = Some(CLIENTS.word(pick(CLIENT)));
        sign_in.platform = Some(PLATFORMS.word(pick(PLATFORM)));
        sign_in.ip = networks.ip_example(pick(NETWORK));
        sign_in.country = Some(country.clone());
        sign_in.gps_country = Some(networks.gps_country_example(pick(GPS_COUNTRY)));
        sign_in.compliant_network = pick(COMPLIANT_NETWORK) == 1;
        sign_in.device = Some(SignInDevice(device.clone()));
        sign_in.sign_in_risk = RISKS.word(pick(SIGN_IN_RISK));
        sign_in.user_risk = RISKS.word(pick(USER_RISK));
        sign_in.insider_risk = INSIDER_RISKS.word(pick(INSIDER_RISK));
        sign_in.authentication_flow = FLOWS.word(pick(FLOW));
        let attributes = device
            .attributes
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string().into()));
        let example = Example {
            user: user.map(|user| user.id().to_string()),
            target: Some(shown),
            client_app_type: sign_in.client_app,
            platform: sign_in.platform,
            ip: sign_in.ip.map(|ip| ip.to_string()),
            country: Some(country).filter(|country| !country.is_empty()),
            device: device.registered.then(|| attributes.collect()),
            sign_in_risk: Some(sign_in.sign_in_risk),
            user_risk: Some(sign_in.user_risk),
            insider_risk: Some(sign_in.insider_risk),
            authentication_flow: Some(sign_in.authentication_flow),
            roles,
            evidence: Evidence::default(),
        };
        (sign_in, example)
    }

    fn sign_in_target(
        &self,
        guarantee: &Guarantee,
        value: usize,
        shown: &ExampleTarget,
    ) -> SignInTarget {
        let resource = self.space.resources.class(value).first();
        let app = shown.id.as_ref().and_then(|id| id.parse().ok());
        match (&guarantee.target, shown.kind, app) {
            (Asked::UserAction(urn), ..) => SignInTarget::Action(urn.clone()),
            (_, "resource", Some(app)) => SignInTarget::App(app),
            (_, "baselineScopes", _) => SignInTarget::BaselineScopes,
            (Asked::AuthContext(_), ..) => match resource {
                Some(Resource::App(app)) => SignInTarget::App(*app),
                _ => SignInTarget::AnyOther,
            },
            _ => SignInTarget::AnyOther,
        }
    }

    /// The smallest evidence found that gets in and lacks what the clause names. `None` when the evaluator of single sign-ins is
    /// certain that nothing does: then one of the two is wrong.
    pub(super) fn evidence(
        &self,
        guarantee: &Guarantee,
        gap: &Gap,
        sign_in: &SignIn,
    ) -> Option<Evidence> {
        let clause = guarantee.must.get(gap.clause)?;
        let performed = performed(&self.space, clause);
        let first = self.space.methods.example(&performed);
        let gets_in = |evidence: &Evidence| self.admits(sign_in, evidence) != Truth::No;
        // In the device code flow another device may be shown than the one that gets the token.
        let any_device = guarantee.assume.device_code_shows_any_device;
        let controls = self.controls_but(clause, any_device);
        let one = Evidence {
            methods: first.into_iter().collect(),
            controls: Vec::new(),
        };
        if gets_in(&one) {
            return Some(one);
        }
        for control in &controls {
            let two = Evidence {
                controls: vec![control.clone()],
                ..one.clone()
            };
            if gets_in(&two) {
                return Some(two);
            }
        }
        let mut all = Evidence {
            methods: self.space.methods.words(&performed),
            controls,
        };
        if !gets_in(&all) {
            return None;
        }
        // What can be left out is.
        for at in (0..all.controls.len()).rev() {
            let mut fewer = all.clone();
            fewer.controls.remove(at);
            if gets_in(&fewer) {
                all = fewer;
            }
        }
        for at in (0..all.methods.len()).rev() {
            let mut fewer = all.clone();
            fewer.methods.remove(at);
            if gets_in(&fewer) {
                all = fewer;
            }
        }
        Some(all)
    }

    /// Every control that a person can meet, but for those that the clause names.
    fn controls_but(&self, clause: &Clause, any_device: bool) -> Vec<String> {
        let named = |ask: &Ask| {
            clause.iter().any(|atom| match (atom, ask) {
                (Atom::CompliantDevice, Ask::CompliantDevice)
                | (Atom::DomainJoinedDevice, Ask::DomainJoinedDevice) => !any_device,
                (Atom::CompliantApplication, Ask::CompliantApplication)
                | (Atom::ApprovedApplication, Ask::ApprovedApplication)
                | (Atom::PasswordChange, Ask::PasswordChange)
                | (Atom::RiskRemediation, Ask::RiskRemediation) => true,
                (Atom::TermsOfUse(asked), Ask::TermsOfUse(id)) => id.is(asked),
                _ => false,
            })
        };
        let is_shown = |ask: &&Ask| !matches!(ask, Ask::Block | Ask::Mfa | Ask::Strength(..));
        let asks = self
            .space
            .policies
            .iter()
            .flat_map(|policy| &policy.grant.asks);
        let shown: BTreeSet<String> = asks
            .filter(is_shown)
            .filter(|ask| !named(ask))
            .map(super::decide::controls::control)
            .collect();
        shown.into_iter().collect()
    }

    fn example_target(&self, guarantee: &Guarantee, value: usize) -> ExampleTarget {
        let class = self.space.resources.class(value);
        let target = |kind, id: Option<String>| ExampleTarget { kind, id };
        match &guarantee.target {
            Asked::UserAction(urn) => return target("userAction", Some(urn.clone())),
            Asked::AuthContext(context) => return target("authContext", Some(context.clone())),
            Asked::Resources(words) => {
                let asked = asked_apps(words);
                let here = class.iter().find_map(|resource| match resource {
                    Resource::App(app) if asked.contains(app) => Some(*app),
                    _ => None,
                });
                let app = here.or_else(|| asked.first().copied());
                return target("resource", app.map(|app| app.to_string()));
            }
            Asked::AnyResource => {}
        }
        if class.contains(&Resource::Other) {
            return target("anyOther", None);
        }
        match class.first() {
            Some(Resource::App(app)) => target("resource", Some(app.to_string())),
            Some(Resource::BaselineScopes) => target("baselineScopes", None),
            Some(Resource::Action(urn)) => target("userAction", Some(urn.clone())),
            _ => target("anyOther", None),
        }
    }
}
