//! Things that policies name, in words for a reader. Names are a tenant's text and come as they are.

use crate::access::analyzer::Analyzer;
use crate::access::assignment::Entry;
use crate::access::resources::well_known_name;
use crate::access::subjects::Named;
use crate::snapshot::{Guid, Untrusted, reference};

impl Analyzer<'_> {
    /// An entry of a policy's users, in words.
    pub(super) fn entry_in_words(&self, entry: Entry) -> String {
        match entry {
            Entry::Everyone => "everybody".to_owned(),
            Entry::Kind(_) => "guests or external users".to_owned(),
            Entry::Named(Named::Account(id)) => {
                let user = self.facts().users.get(id);
                let name = user.map(|user| user.user_principal_name().raw().to_owned());
                format!("account {}", called(name, id))
            }
            Entry::Named(Named::Group(id)) => {
                let group = self.tenant.groups.hints().get(id);
                let name = group.map(|group| group.display_name().raw().to_owned());
                format!("group {}", called(name, id))
            }
            Entry::Named(Named::Active(id) | Named::Eligible(id)) => {
                let name = reference::role(id).map(|role| role.name.to_owned());
                format!("role {}", called(name, id))
            }
            Entry::Unknown => "something that this version does not know".to_owned(),
        }
    }

    /// A word of a policy's resources, in words.
    pub(super) fn app_in_words(&self, word: &Untrusted) -> String {
        let Ok(id) = word.raw().parse::<Guid>() else {
            return format!("resource {}", word.raw());
        };
        let own = self.tenant.service_principals.hints().by_app_id(id);
        let own = own.and_then(|own| own.display_name.as_ref());
        let name = own
            .map(|name| name.raw().to_owned())
            .or_else(|| well_known_name(id).map(str::to_owned));
        format!("resource {}", called(name, id))
    }

    /// A word of a policy's locations, in words.
    pub(super) fn place_in_words(&self, word: &Untrusted) -> String {
        if word.is("AllTrusted") {
            return "all trusted locations".to_owned();
        }
        let Ok(id) = word.raw().parse::<Guid>() else {
            return format!("location {}", word.raw());
        };
        let mut locations = self.facts().locations.iter();
        let name = locations
            .find(|location| location.id == Some(id))
            .and_then(|location| location.display_name.as_ref())
            .map(|name| name.raw().to_owned());
        format!("location {}", called(name, id))
    }
}

fn called(name: Option<String>, id: Guid) -> String {
    match name.filter(|name| !name.trim().is_empty()) {
        Some(name) => format!("'{name}' ({id})"),
        None => id.to_string(),
    }
}
