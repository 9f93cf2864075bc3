//! Before anything is collected: what the rules need, and which of them a sign-in with these permissions and licences can evaluate.
//!
//! - [`needs`]: what each permission is for, from the resources and the rules alone
//! - [`prospects`]: what becomes of each rule
//! - [`own`]: whether the application that asks is itself kept well

mod credentials;
pub mod own;

use std::collections::{BTreeMap, BTreeSet};

use super::Rule;
use crate::snapshot::tenant::Licences;
use crate::snapshot::{Granted, Licence, Resource};

/// Adds what has to be read before these resources can be asked for. Handed in: only collection knows it.
pub type Widen = fn(&mut BTreeSet<Resource>);

/// What one permission is needed for.
#[derive(Debug, Clone)]
pub struct Need {
    /// Its name.
    pub permission: &'static str,
    /// What is read with it.
    pub resources: Vec<Resource>,
    /// The rules that look at any of that, or at what follows from it.
    pub rules: Vec<&'static Rule>,
}

/// What these resources need, permission by permission in alphabetical order, and which of the rules that serves.
pub fn needs(rules: &[&'static Rule], resources: &BTreeSet<Resource>, widen: Widen) -> Vec<Need> {
    let mut needs: BTreeMap<&'static str, Need> = BTreeMap::new();
    for &resource in resources {
        for permission in resource.permissions() {
            let need = needs.entry(permission).or_insert_with(|| Need {
                permission,
                resources: Vec::new(),
                rules: Vec::new(),
            });
            need.resources.push(resource);
        }
    }
    for &rule in rules {
        let read = all_of(rule, widen);
        for need in needs.values_mut() {
            if need
                .resources
                .iter()
                .any(|resource| read.contains(resource))
            {
                need.rules.push(rule);
            }
        }
    }
    needs.into_values().collect()
}

/// Everything that a rule looks at or may look at, and what has to be read before.
pub fn all_of(rule: &Rule, widen: Widen) -> BTreeSet<Resource> {
    let mut read = rule.reads.iter().chain(rule.may_read).copied().collect();
    widen(&mut read);
    read
}

/// What becomes of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outlook {
    /// Everything that it looks at can be read.
    Evaluated,
    /// The tenant owns no licence that offers the control, or what would show it.
    NotLicensed(&'static [&'static str]),
    /// It stands on what cannot be read.
    Unread {
        /// The permissions that are missing for that.
        missing: BTreeSet<&'static str>,
        /// More that are missing, for what it may need in some tenants.
        besides: BTreeSet<&'static str>,
    },
    /// It may need what cannot be read, depending on the tenant: the permissions that are missing.
    Doubtful(BTreeSet<&'static str>),
    /// It stands on what is not asked for.
    LeftOut(BTreeSet<Resource>),
}

/// What becomes of each rule when these resources are read with these permissions. `licences`: `None` when they are not known; then
/// none counts as absent.
pub fn prospects(
    rules: &[&'static Rule],
    resources: &BTreeSet<Resource>,
    widen: Widen,
    granted: &Granted,
    licences: Option<&Licences>,
) -> Vec<(&'static Rule, Outlook)> {
    let owns = |plans: &[&str]| plans.is_empty() || licences.is_none_or(|own| own.owns_any(plans));
    let missing = |read: &BTreeSet<Resource>| {
        let asked = read.iter().filter(|resource| {
            // Graph answers what is not licensed with that, whatever was granted.
            resources.contains(resource) && owns(resource.licence().plans())
        });
        asked
            .flat_map(|&resource| granted.for_resource(resource).1)
            .collect::<BTreeSet<_>>()
    };
    let outlook = |rule: &'static Rule| {
        if !owns(rule.licence.plans()) {
            return Outlook::NotLicensed(rule.licence.plans());
        }
        let mut read: BTreeSet<Resource> = rule.reads.iter().copied().collect();
        widen(&mut read);
        let left_out: BTreeSet<Resource> = read.difference(resources).copied().collect();
        if !left_out.is_empty() {
            return Outlook::LeftOut(left_out);
        }
        let unread = missing(&read);
        let doubtful: BTreeSet<&str> = missing(&all_of(rule, widen));
        if !unread.is_empty() {
            return Outlook::Unread {
                besides: doubtful.difference(&unread).copied().collect(),
                missing: unread,
            };
        }
        let offers = |resource: &&Resource| !owns(resource.licence().plans());
        if let Some(resource) = rule.reads.iter().find(offers) {
            return Outlook::NotLicensed(resource.licence().plans());
        }
        if doubtful.is_empty() {
            Outlook::Evaluated
        } else {
            Outlook::Doubtful(doubtful)
        }
    };
    rules.iter().map(|&rule| (rule, outlook(rule))).collect()
}

/// The licences that any resource of this program needs, in the order of [`Licence`].
pub fn licences_of(resources: &BTreeSet<Resource>) -> BTreeSet<Licence> {
    let needed = resources.iter().map(|resource| resource.licence());
    needed.filter(|&licence| licence != Licence::None).collect()
}

/// How good or bad a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Good to know.
    Note,
    /// Should be changed.
    Warn,
    /// Must be changed.
    Fail,
}

impl Level {
    /// `ok`, `note`, `warn`, `fail`.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// How far a clock is off: warned of above 2 minutes, and above 5 Entra refuses what a certificate signs (AADSTS700024). Seconds, either way.
pub const fn clock(seconds: i64) -> Level {
    match seconds.unsigned_abs() {
        0..=120 => Level::Ok,
        121..=300 => Level::Warn,
        _ => Level::Fail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules;

    fn alone(_: &mut BTreeSet<Resource>) {}

    fn one(id: &str) -> Vec<&'static Rule> {
        vec![rules::find(id).unwrap()]
    }

    fn outlook(id: &str, granted: &[&str], licences: Option<&Licences>) -> Outlook {
        let rules = one(id);
        let resources = all_of(rules[0], alone);
        let granted = granted.iter().copied().collect();
        prospects(&rules, &resources, alone, &granted, licences)
            .remove(0)
            .1
    }

    #[test]
    fn clocks_have_two_limits_either_way() {
        for (seconds, level) in [
            (0, Level::Ok),
            (120, Level::Ok),
            (-120, Level::Ok),
            (121, Level::Warn),
            (-300, Level::Warn),
            (301, Level::Fail),
            (i64::MIN, Level::Fail),
        ] {
            assert_eq!(clock(seconds), level, "{seconds}");
        }
    }

    #[test]
    fn what_becomes_of_a_rule() {
        let stale = &["User.Read.All", "AuditLog.Read.All"][..];
        assert_eq!(outlook("account-stale", stale, None), Outlook::Evaluated);
        let needed = BTreeSet::from(["AuditLog.Read.All"]);
        assert_eq!(
            outlook("account-stale", &["User.Read.All"], None),
            Outlook::Unread {
                missing: needed,
                besides: BTreeSet::new()
            }
        );
        let none = Licences::default();
        assert!(
            matches!(
                outlook("account-stale", &[], Some(&none)),
                Outlook::NotLicensed(plans) if plans.contains(&"AAD_PREMIUM")
            ),
            "no permission mends a missing licence"
        );
        let rules = one("account-stale");
        let left = prospects(
            &rules,
            &BTreeSet::from([Resource::Users]),
            alone,
            &Granted::default(),
            None,
        );
        assert_eq!(
            left[0].1,
            Outlook::LeftOut(BTreeSet::from([Resource::SignInActivity])),
            "what nobody asks for needs no permission"
        );
    }

    #[test]
    fn what_a_rule_may_need_makes_it_doubtful() {
        let rule = one("legacy-authentication-allowed")[0];
        let sure: Vec<&str> = rule
            .reads
            .iter()
            .flat_map(|resource| resource.permissions().iter().copied())
            .collect();
        let found = outlook(rule.id, &sure, None);
        assert!(
            matches!(&found, Outlook::Doubtful(missing) if missing.contains("GroupMember.Read.All")),
            "{found:?}"
        );
        // What is missing for sure hides nothing of what may be missing besides.
        let found = outlook(rule.id, &[], None);
        assert!(
            matches!(&found, Outlook::Unread { missing, besides } if besides.contains("GroupMember.Read.All") && missing.is_disjoint(besides)),
            "{found:?}"
        );
    }

    #[test]
    fn a_permission_is_needed_for_what_comes_before_too() {
        fn before(resources: &mut BTreeSet<Resource>) {
            if resources.contains(&Resource::SignInActivity) {
                resources.insert(Resource::Domains);
            }
        }
        let rules = one("account-stale");
        let resources = all_of(rules[0], before);
        let needs = needs(&rules, &resources, before);
        let names: Vec<&str> = needs.iter().map(|need| need.permission).collect();
        assert!(
            names.contains(&"Domain.Read.All") && names.is_sorted(),
            "{names:?}"
        );
        assert!(needs.iter().all(|need| need.rules.len() == 1));
    }
}
