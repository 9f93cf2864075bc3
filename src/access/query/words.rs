//! A guarantee in words: who, to what, under which conditions, and what each sign-in must meet.

use crate::access::guarantee::{Asked, Atom, Guarantee, SessionAtom, Who};
use crate::access::resources::{
    AZURE_MANAGEMENT, REGISTER_DEVICE, REGISTER_SECURITY_INFO, well_known_name,
};
use crate::snapshot::{Guid, reference};

/// How many ids or rules are spelt out.
const SPELT_OUT: usize = 3;

impl Guarantee {
    /// Whose sign-ins: `everybody`, `guests`, `holders of 3 roles`. Ids stand for accounts and groups. May hold text of the question.
    pub fn who_in_words(&self) -> String {
        let who = match &self.who {
            Who::All => "everybody".to_owned(),
            Who::EveryAccount => "every account".to_owned(),
            Who::Members => "members".to_owned(),
            Who::Guests => "guests".to_owned(),
            Who::EveryExternal { .. } => "every external user".to_owned(),
            Who::Users(ids) => some("account", "accounts", ids),
            Who::Groups(ids) => format!("members of {}", some("group", "groups", ids)),
            Who::Roles(ids, _) if ids.iter().copied().eq(reference::admin_roles()) => {
                "administrators".to_owned()
            }
            Who::Roles(ids, _) => match ids.as_slice() {
                [id] => match reference::role(*id) {
                    Some(role) => format!("holders of {}", role.name),
                    None => format!("holders of role {id}"),
                },
                ids => format!("holders of {} roles", ids.len()),
            },
            Who::ServicePrincipals(ids) if ids.is_empty() => "own workload identities".to_owned(),
            Who::ServicePrincipals(ids) => some("workload identity", "workload identities", ids),
        };
        match self.except_users.len() {
            0 => who,
            1 => format!("{who} but one"),
            count => format!("{who} but {count}"),
        }
    }

    /// To what, and under which conditions: `any resource, by exchangeActiveSync or other`. May hold text of the question.
    pub fn what_in_words(&self) -> String {
        let target = match &self.target {
            Asked::AnyResource => "any resource".to_owned(),
            Asked::Resources(words) if words.is_empty() => "no resource".to_owned(),
            Asked::Resources(words) if words.len() <= SPELT_OUT => {
                let names: Vec<String> = words.iter().map(|word| resource(word)).collect();
                either(&names)
            }
            Asked::Resources(words) => format!("{} resources", words.len()),
            Asked::UserAction(urn) if urn.eq_ignore_ascii_case(REGISTER_SECURITY_INFO) => {
                "registering security info".to_owned()
            }
            Asked::UserAction(urn) if urn.eq_ignore_ascii_case(REGISTER_DEVICE) => {
                "registering a device".to_owned()
            }
            Asked::UserAction(urn) => urn.clone(),
            Asked::AuthContext(id) => format!("authentication context {id}"),
        };
        let mut parts = vec![target];
        parts.extend(self.conditions());
        parts.join(", ")
    }

    fn conditions(&self) -> Vec<String> {
        let when = &self.when;
        let mut parts = Vec::new();
        let mut listed = |intro: &str, words: &[String]| {
            if !words.is_empty() {
                parts.push(format!("{intro}{}", either(words)));
            }
        };
        listed("by ", &when.client_app_types);
        listed("on ", &when.platforms);
        listed("sign-in risk ", &when.sign_in_risk);
        listed("user risk ", &when.user_risk);
        listed("insider risk ", &when.insider_risk);
        listed("flow ", &when.authentication_flows);
        listed("from ", &when.country_in);
        listed("not from ", &when.country_not_in);
        let mut said = |condition: Option<bool>, yes: &str, no: &str| {
            if let Some(condition) = condition {
                parts.push(if condition { yes } else { no }.to_owned());
            }
        };
        said(
            when.trusted,
            "in a trusted location",
            "outside trusted locations",
        );
        said(
            when.registered,
            "registered device",
            "device that is not registered",
        );
        said(when.managed, "managed device", "unmanaged device");
        if !when.named.is_empty() {
            parts.push(format!("in {}", some("location", "locations", &when.named)));
        }
        if !when.not_named.is_empty() {
            let places = some("location", "locations", &when.not_named);
            parts.push(format!("outside {places}"));
        }
        if let Some(rule) = &when.matches {
            parts.push(format!("device where {rule}"));
        }
        if let Some(rule) = &when.not_matches {
            parts.push(format!("device where not ({rule})"));
        }
        parts
    }

    /// What each sign-in must meet: `mfa and (compliantDevice or domainJoinedDevice)`, in the words of the question language.
    pub fn must_in_words(&self) -> String {
        let clauses: Vec<String> = self
            .must
            .iter()
            .map(|clause| {
                let atoms: Vec<String> = clause.iter().map(atom).collect();
                match atoms.as_slice() {
                    [] => "block".to_owned(),
                    [one] => one.clone(),
                    _ if self.must.len() == 1 => atoms.join(" or "),
                    _ => format!("({})", atoms.join(" or ")),
                }
            })
            .collect();
        clauses.join(" and ")
    }

    /// All of it, for a guarantee that somebody else wrote.
    pub(super) fn in_words(&self) -> String {
        let (who, what) = (self.who_in_words(), self.what_in_words());
        format!("{who}, {what}: {}", self.must_in_words())
    }
}

fn some(one: &str, many: &str, ids: &[Guid]) -> String {
    match ids {
        [] => format!("no {one}"),
        [id] => format!("{one} {id}"),
        ids => format!("{} {many}", ids.len()),
    }
}

fn either(words: &[String]) -> String {
    match words.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, first)) => format!("{} or {last}", first.join(", ")),
    }
}

fn resource(word: &str) -> String {
    match word.parse::<Guid>() {
        Ok(AZURE_MANAGEMENT) => "Azure management".to_owned(),
        Ok(id) => well_known_name(id).map_or_else(|| format!("app {id}"), str::to_owned),
        Err(_) if word == "Office365" => "Office 365".to_owned(),
        Err(_) if word == "MicrosoftAdminPortals" => "the admin portals".to_owned(),
        Err(_) => word.to_owned(),
    }
}

fn atom(atom: &Atom) -> String {
    match atom {
        Atom::Mfa => "mfa".to_owned(),
        Atom::PhishingResistantMfa => "phishingResistantMfa".to_owned(),
        Atom::Strength(id) => format!("strength:{id}"),
        Atom::CompliantDevice => "compliantDevice".to_owned(),
        Atom::DomainJoinedDevice => "domainJoinedDevice".to_owned(),
        Atom::CompliantApplication => "compliantApplication".to_owned(),
        Atom::ApprovedApplication => "approvedApplication".to_owned(),
        Atom::PasswordChange => "passwordChange".to_owned(),
        Atom::RiskRemediation => "riskRemediation".to_owned(),
        Atom::TermsOfUse(id) => format!("termsOfUse:{id}"),
        Atom::Session(session) => format!("session:{}", session_atom(session)),
    }
}

fn session_atom(session: &SessionAtom) -> String {
    match session {
        SessionAtom::ApplicationEnforcedRestrictions => {
            "applicationEnforcedRestrictions".to_owned()
        }
        SessionAtom::CloudAppSecurity(None) => "cloudAppSecurity".to_owned(),
        SessionAtom::CloudAppSecurity(Some(kind)) => format!("cloudAppSecurity:{kind}"),
        SessionAtom::PersistentBrowser(mode) => format!("persistentBrowser:{mode}"),
        SessionAtom::SignInFrequency(0) => "signInFrequency:everyTime".to_owned(),
        SessionAtom::SignInFrequency(i64::MAX) => "signInFrequency".to_owned(),
        SessionAtom::SignInFrequency(hours) => format!("signInFrequency:{hours}"),
        SessionAtom::SecureSignInSession => "secureSignInSession".to_owned(),
    }
}
