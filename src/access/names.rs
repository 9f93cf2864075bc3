//! Names for what is known by id, so that a reader recognises it.

use super::analyzer::Analyzer;
use super::assignment::Entry;
use super::policy::Policy;
use super::resources::{Resource, well_known_name};
use super::subjects::Named;
use crate::snapshot::{Guid, Untrusted, reference};

impl Analyzer<'_> {
    /// An account by its name to sign in with.
    pub(super) fn user_name(&self, id: Guid) -> String {
        let users = self.facts().users;
        users.get(id).map_or_else(
            || id.to_string(),
            |user| user.user_principal_name().raw().to_owned(),
        )
    }

    /// A group by its display name.
    pub(super) fn group_name(&self, id: Guid) -> String {
        if self.settings.groups_and_apps_by_id {
            return id.to_string();
        }
        let name = self
            .tenant
            .groups
            .hints()
            .get(id)
            .map(|group| group.display_name().raw().to_owned());
        name.filter(|name| !name.is_empty())
            .unwrap_or_else(|| id.to_string())
    }

    /// A named location by its display name, or the word that stands for several.
    pub(super) fn location_name(&self, word: &Untrusted) -> String {
        if word.is("AllTrusted") {
            return "all trusted locations".to_owned();
        }
        let locations = self.tenant.named_locations.hints();
        let id = word.raw().parse::<Guid>().ok();
        let found = locations
            .iter()
            .find(|location| id.is_some() && location.id == id);
        let name = found.and_then(|location| location.display_name.as_ref());
        name.map_or_else(
            || format!("location {}", word.raw()),
            |name| format!("location '{}'", name.raw()),
        )
    }

    /// An app by the name of its service principal, or by its well-known name.
    pub(super) fn app_name(&self, app: Guid) -> String {
        let listed = self.tenant.service_principals.hints();
        let here = listed
            .by_app_id(app)
            .filter(|_| !self.settings.groups_and_apps_by_id);
        let here = here
            .and_then(|principal| principal.display_name.as_ref())
            .map(|name| name.raw().to_owned());
        here.or_else(|| well_known_name(app).map(str::to_owned))
            .unwrap_or_else(|| app.to_string())
    }

    /// A word of `includeApplications`.
    pub(super) fn application_name(&self, word: &Untrusted) -> String {
        match word.raw().parse() {
            Ok(app) => format!("app '{}'", self.app_name(app)),
            Err(_) => word.raw().to_owned(),
        }
    }

    /// A resource, action or the rest.
    pub(super) fn resource_name(&self, resource: &Resource) -> String {
        match resource {
            Resource::App(app) => self.app_name(*app),
            Resource::Other => "any other resource".to_owned(),
            Resource::BaselineScopes => "baseline scopes alone".to_owned(),
            Resource::Action(urn) => match urn.as_str() {
                super::resources::REGISTER_SECURITY_INFO => {
                    "registration of security info".to_owned()
                }
                super::resources::REGISTER_DEVICE => "registration of a device".to_owned(),
                other => other.to_owned(),
            },
        }
    }

    /// Something that a side of an assignment names.
    pub(super) fn entry_name(&self, policy: &Policy, entry: Entry, is_exclude: bool) -> String {
        match entry {
            Entry::Everyone => "all users".to_owned(),
            Entry::Kind(at) => {
                let side = policy.who.as_ref().map(|who| {
                    if is_exclude {
                        &who.exclude
                    } else {
                        &who.include
                    }
                });
                let kinds = side
                    .and_then(|side| side.kinds.get(at))
                    .map(|(kinds, _)| kinds.words().join(", "));
                format!("guests or external users ({})", kinds.unwrap_or_default())
            }
            Entry::Named(Named::Account(id)) => format!("user '{}'", self.user_name(id)),
            Entry::Named(Named::Group(id)) => format!("group '{}'", self.group_name(id)),
            Entry::Named(Named::Active(id) | Named::Eligible(id)) => {
                let name =
                    reference::role(id).map_or_else(|| id.to_string(), |role| role.name.to_owned());
                format!("role '{name}'")
            }
            Entry::Unknown => "something that is not known here".to_owned(),
        }
    }
}
