//! Who cannot get in.

use std::collections::BTreeSet;

use super::{BUDGET, LockOut, about};
use crate::access::analyzer::Analyzer;
use crate::access::bits::Bits;
use crate::access::cover::Region;
use crate::access::crowd::{Crowd, Untold};
use crate::access::guarantee::{Atom, Clause, RoleScope, Who};
use crate::access::open::open_parts;
use crate::access::policy::{MODERN, Reading};
use crate::access::proof::Accounts;
use crate::access::resources::{Resource, Suite};
use crate::access::search::patches;
use crate::access::space::dimension::{CLIENT, TARGET};
use crate::snapshot::tenant::User;
use crate::snapshot::{Guid, reference};

/// Administrators who can change Conditional Access.
const KEEPERS: [&str; 2] = ["Global Administrator", "Conditional Access Administrator"];

/// Who is locked out for certain; and what of it is not known.
pub(super) fn lock_out(analyzer: &Analyzer<'_>) -> (LockOut, Vec<String>) {
    let keepers: Vec<Guid> = KEEPERS
        .iter()
        .filter_map(|name| reference::role_named(name))
        .collect();
    let emergency = analyzer.settings.emergency.iter().copied().collect();
    let anything = |resource: &Resource| matches!(resource, Resource::App(_) | Resource::Other);
    let portals: BTreeSet<Guid> = Suite::AdminPortals.apps().collect();
    let portal =
        |resource: &Resource| matches!(resource, Resource::App(app) if portals.contains(app));
    // What is left out is a device or an app that has to be there; terms can be accepted on the spot.
    let second_factor = vec![
        Atom::CompliantDevice,
        Atom::DomainJoinedDevice,
        Atom::CompliantApplication,
        Atom::ApprovedApplication,
    ];
    let mut untold = Vec::new();
    let mut shut_out = |who: Who, to: &dyn Fn(&Resource) -> bool, lacking: Clause| {
        locked_out(analyzer, who, to, &lacking).unwrap_or_else(|Untold(why)| {
            untold.push(why);
            Accounts::default()
        })
    };
    let lockout = LockOut {
        users: shut_out(Who::All, &anything, Vec::new()),
        administrators: shut_out(
            Who::Roles(keepers, RoleScope::Directory),
            &portal,
            Vec::new(),
        ),
        emergency: shut_out(Who::Users(emergency), &anything, second_factor),
    };
    (lockout, untold)
}

/// Accounts of which every sign-in from a modern client is denied, with any evidence that lacks what is named.
fn locked_out(
    analyzer: &Analyzer<'_>,
    who: Who,
    to: &dyn Fn(&Resource) -> bool,
    lacking: &Clause,
) -> Result<Accounts, Untold> {
    let space = &analyzer.space;
    let question = about(who);
    let facts = analyzer.facts();
    let crowd = Crowd::of(
        &question,
        &space.people,
        &facts,
        &analyzer.trusts,
        &BTreeSet::new(),
    )?;
    let targets = Bits::of(space.resources.len(), |value| {
        space.resources.class(value).iter().any(to)
    });
    let region = space.narrow(Region::whole().with(TARGET, targets), CLIENT, MODERN);
    let region = super::super::search::lacking(space, lacking).and(&region);
    let denying = patches(space, &question, lacking, Reading::Must);
    let mut budget = BUDGET;
    let found = open_parts(
        space.membership_rows(Reading::Must),
        crowd.states(),
        space.product(&region),
        &denying,
        &mut budget,
    );
    if found.spent {
        return Err(Untold(
            "whether anybody is locked out takes more steps than are allowed".to_owned(),
        ));
    }
    let accounts = crowd.accounts_out_of(&found.open, &space.people, facts.users);
    Ok(Accounts::first_of(accounts.map(User::id)))
}
