//! What policies name, in the words of the people who made them: all of it inert.

use std::collections::BTreeMap;

use crate::access::analyzer::Analyzer;
use crate::access::assignment::{Entry, Side, Tenants};
use crate::access::policy::Target;
use crate::access::resources::{
    REGISTER_DEVICE, REGISTER_SECURITY_INFO, Resource, well_known_name,
};
use crate::access::subjects::{ExternalKind, Kinds, Named};
use crate::snapshot::tenant::{Group, User};
use crate::snapshot::{Guid, Tenant, Untrusted, reference};

/// How many things are listed before the rest is counted.
pub(super) const LISTED: usize = 3;

/// Words joined by commas.
pub(super) fn joined(words: impl Iterator<Item = String>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

/// The first few of some names, and how many more there are.
pub(super) fn listed_words(words: impl Iterator<Item = String>) -> String {
    let words: Vec<String> = words.collect();
    match words.len() {
        0 => "nothing".to_owned(),
        count if count <= LISTED + 1 => words.join(", "),
        count => {
            let first = words.get(..LISTED).unwrap_or_default().join(", ");
            format!("{first} and {} more", count - LISTED)
        }
    }
}

fn quoted(text: &str) -> String {
    format!("'{text}'")
}

/// The names of a tenant.
#[derive(Clone, Copy)]
pub(super) struct Names<'t> {
    tenant: &'t Tenant,
}

impl<'t> Names<'t> {
    pub(super) fn of(tenant: &'t Tenant) -> Self {
        Self { tenant }
    }

    /// What one entry of an assignment stands for.
    pub(super) fn entry(self, side: &Side, entry: Entry) -> String {
        match entry {
            Entry::Everyone => "'All users'".to_owned(),
            Entry::Kind(at) => side
                .kinds
                .get(at)
                .map_or_else(String::new, |(kinds, tenants)| {
                    let from = match tenants {
                        Tenants::All => String::new(),
                        Tenants::Listed(listed) => {
                            let ids = listed.iter().map(ToString::to_string);
                            format!(" from tenant {}", listed_words(ids))
                        }
                        Tenants::Unknown => " from tenants in words that are not known".to_owned(),
                    };
                    format!("{}{from}", kind_words(*kinds))
                }),
            Entry::Named(Named::Account(id)) => self.account(id),
            Entry::Named(Named::Group(id)) => self.group(id),
            Entry::Named(Named::Active(role) | Named::Eligible(role)) => self.role(role),
            Entry::Unknown => "words that this version does not know".to_owned(),
        }
    }

    /// Whom one side of an assignment names.
    pub(super) fn side(self, side: &Side) -> String {
        let entries = side.entries().map(|entry| self.entry(side, entry));
        match listed_words(entries) {
            nobody if nobody == "nothing" => "nobody".to_owned(),
            named => named,
        }
    }

    fn account(self, id: Guid) -> String {
        let user = self.tenant.users.hints().get(id);
        let name = user.map(User::user_principal_name);
        match name.filter(|name| !name.is_blank()) {
            Some(name) => format!("account {}", quoted(&name.for_terminal())),
            None => format!("account {id}"),
        }
    }

    fn group(self, id: Guid) -> String {
        let groups = self.tenant.groups.hints();
        let name = groups.get(id).map(Group::display_name);
        match name.filter(|name| !name.is_blank()) {
            Some(name) => format!("group {}", quoted(&name.for_terminal())),
            None => format!("group {id}"),
        }
    }

    fn role(self, role: Guid) -> String {
        let own = || {
            let rows = self.tenant.role_definitions.hints().iter();
            let mut rows = rows.filter(|row| row.id == Some(role));
            rows.find_map(|row| row.display_name.as_ref())
                .map(Untrusted::for_terminal)
        };
        match reference::role(role)
            .map(|role| role.name.to_owned())
            .or_else(own)
        {
            Some(name) => format!("role {}", quoted(&name)),
            None => format!("role {role}"),
        }
    }

    fn app(self, app: Guid) -> String {
        let principal = self.tenant.service_principals.hints().by_app_id(app);
        let name = principal
            .and_then(|principal| principal.display_name.as_ref())
            .filter(|name| !name.is_blank())
            .map(Untrusted::for_terminal);
        match name.or_else(|| well_known_name(app).map(str::to_owned)) {
            Some(name) => quoted(&name),
            None => format!("the app {app}"),
        }
    }

    /// What is signed in to.
    pub(super) fn resource(self, resource: &Resource) -> String {
        match resource {
            Resource::App(app) => self.app(*app),
            Resource::Other => "an app that nothing names".to_owned(),
            Resource::BaselineScopes => "sign-ins for baseline scopes alone".to_owned(),
            Resource::Action(urn) => action(urn),
        }
    }

    /// A word of `includeApplications` or `excludeApplications`.
    pub(super) fn resource_word(self, word: &Untrusted) -> String {
        match word.raw().parse() {
            Ok(app) => self.app(app),
            Err(_) if word.is("All") => "'All resources'".to_owned(),
            Err(_) if word.is("Office365") => "'Office 365'".to_owned(),
            Err(_) if word.is("MicrosoftAdminPortals") => "'Microsoft Admin Portals'".to_owned(),
            Err(_) => quoted(&word.for_terminal()),
        }
    }

    /// What a policy is about.
    pub(super) fn target(self, target: &Target) -> String {
        let included = target.include.iter().filter(|word| !word.is("None"));
        let apps = included.map(|word| self.resource_word(word));
        let actions = target.actions.iter().map(|urn| action(urn.raw()));
        let contexts = target.contexts.iter();
        let contexts =
            contexts.map(|context| format!("authentication context {}", context.for_terminal()));
        listed_words(apps.chain(actions).chain(contexts))
    }

    /// A word of `includeLocations` or `excludeLocations`.
    pub(super) fn place(self, word: &Untrusted) -> String {
        if word.is("All") {
            return "anywhere".to_owned();
        }
        if word.is("AllTrusted") {
            return "all trusted locations".to_owned();
        }
        let id: Option<Guid> = word.raw().parse().ok();
        let mut locations = self.tenant.named_locations.hints().iter();
        let name = locations
            .find(|location| location.id.is_some() && location.id == id)
            .and_then(|location| location.display_name.as_ref())
            .filter(|name| !name.is_blank());
        match name {
            Some(name) => quoted(&name.for_terminal()),
            None => format!("location {}", word.for_terminal()),
        }
    }

    /// The text of a policy's device filter.
    pub(super) fn device_filter(self, policy: &Untrusted) -> String {
        let mut policies = self.tenant.conditional_access_policies.hints().iter();
        policies
            .find(|row| row.id.as_ref() == Some(policy))
            .and_then(|row| {
                let devices = row.conditions.as_ref()?.devices.as_ref()?;
                devices.device_filter.as_ref()?.rule.as_ref()
            })
            .map_or_else(String::new, Untrusted::for_terminal)
    }
}

fn action(urn: &str) -> String {
    match urn {
        urn if urn.eq_ignore_ascii_case(REGISTER_SECURITY_INFO) => {
            "the registration of security info".to_owned()
        }
        urn if urn.eq_ignore_ascii_case(REGISTER_DEVICE) => {
            "the registration of devices".to_owned()
        }
        urn => format!("the user action {}", Untrusted::from(urn).for_terminal()),
    }
}

fn kind_words(kinds: Kinds) -> String {
    if Kinds::EXTERNAL.within(kinds) {
        return "'Guests or external users'".to_owned();
    }
    let words = ExternalKind::ALL
        .into_iter()
        .filter(|&kind| kinds.meets(Kinds::of(kind)))
        .map(|kind| kind.as_str().to_owned());
    format!("guests and external users ({})", joined(words))
}

impl Analyzer<'_> {
    /// Names of the strengths, by their word among the controls.
    pub(super) fn strength_names(&self) -> BTreeMap<String, Untrusted> {
        let inside = self.tenant.conditional_access_policies.hints().iter();
        let inside = inside.filter_map(|policy| {
            policy
                .grant_controls
                .as_ref()?
                .authentication_strength
                .as_ref()
        });
        let listed = self.tenant.authentication_strengths.hints().iter();
        inside
            .chain(listed)
            .filter_map(|strength| {
                let id: Guid = strength.id.as_ref()?.raw().parse().ok()?;
                let name = strength
                    .display_name
                    .clone()
                    .filter(|name| !name.is_blank())?;
                Some((format!("strength:{id}"), name))
            })
            .collect()
    }
}
