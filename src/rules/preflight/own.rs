//! Whether the application that asks is itself kept well: it is a key to the whole tenant's posture.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Level;
use super::credentials::credentials;
use crate::snapshot::preview::Own;
use crate::snapshot::{Granted, Guid, Resource, Untrusted, reference};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Check {
    /// Kebab-case, stable for ever.
    pub id: &'static str,
    /// How good or bad.
    #[serde(rename = "status")]
    pub level: Level,
    /// What was found.
    pub message: Untrusted,
    /// What to do about it.
    pub fix: Option<&'static str>,
}

impl Check {
    pub(super) fn new(id: &'static str, level: Level, message: impl Into<Untrusted>) -> Self {
        Self {
            id,
            level,
            message: message.into(),
            fix: None,
        }
    }

    pub(super) fn fix(mut self, fix: &'static str) -> Self {
        self.fix = Some(fix);
        self
    }
}

/// Judges the application that asks. `granted` is what its token carries, `signs_by_secret` how it signed in.
pub fn judge(own: &Own, granted: &Granted, now: Timestamp, signs_by_secret: bool) -> Vec<Check> {
    let mut checks = permissions(own, granted);
    directory_roles(own, &mut checks);
    credentials(own, now, signs_by_secret, &mut checks);
    checks
}

/// The names of the permissions of Graph that were granted, as far as the directory says.
pub fn granted_in_directory(own: &Own) -> Option<Granted> {
    let ids = own.app_roles.as_ref().ok()?.iter();
    Some(
        ids.filter_map(|role| Some(reference::permission(role.app_role_id?)?.name))
            .collect(),
    )
}

fn permissions(own: &Own, granted: &Granted) -> Vec<Check> {
    let directory = granted_in_directory(own).unwrap_or_default();
    let all: Granted = granted.names().chain(directory.names()).collect();
    let used: BTreeSet<&str> = Resource::ALL
        .iter()
        .flat_map(|&resource| all.for_resource(resource).0)
        .collect();
    let beyond: Vec<&str> = all.names().filter(|name| !used.contains(name)).collect();
    let (reads, more): (Vec<&str>, Vec<&str>) =
        all.names().partition(|name| reference::only_reads(name));
    let mut checks = Vec::new();
    if !more.is_empty() {
        let message = format!("it may do more than read: {}", more.join(", "));
        checks.push(Check::new("permission-writes", Level::Fail, message).fix(
            "remove these permissions: nothing here ever writes, and whoever holds a credential of this application can",
        ));
    }
    let (content, rest): (Vec<&str>, Vec<&str>) = beyond
        .into_iter()
        .filter(|name| reads.contains(name))
        .partition(|name| {
            reference::permission_named(name).is_some_and(|(_, known)| known.tier < 2)
        });
    let remove = "remove them from the API permissions of the registration, or use an application of its own for this";
    if !content.is_empty() {
        let message = format!("it may read what users keep: {}", content.join(", "));
        checks.push(Check::new("permission-content", Level::Fail, message).fix(remove));
    }
    if !rest.is_empty() {
        let number = rest.len();
        let message = format!(
            "{number} granted permissions are of no use here: {}",
            rest.join(", ")
        );
        checks.push(Check::new("permission-beyond-need", Level::Warn, message).fix(remove));
    }
    let elsewhere: BTreeSet<String> = own
        .app_roles
        .iter()
        .flatten()
        .filter(|role| {
            role.app_role_id
                .is_none_or(|id| reference::permission(id).is_none())
        })
        .map(|role| {
            let id = |id: Option<Guid>| id.map_or("?".to_owned(), |id| id.to_string());
            format!("{} of {}", id(role.app_role_id), id(role.resource_id))
        })
        .collect();
    if !elsewhere.is_empty() {
        let elsewhere: Vec<String> = elsewhere.into_iter().collect();
        let message = format!(
            "it holds app roles that are none of Microsoft Graph's: {}",
            elsewhere.join(", ")
        );
        checks.push(Check::new("permission-elsewhere", Level::Warn, message).fix(remove));
    }
    if checks.is_empty() && !all.is_empty() {
        let message = "it may read, and nothing beyond need";
        checks.push(Check::new("permission-beyond-need", Level::Ok, message));
    }
    if let Err(error) = &own.app_roles {
        checks.push(unread("permission-unread", "what it was granted", error));
    }
    checks
}

fn directory_roles(own: &Own, checks: &mut Vec<Check>) {
    let held = match &own.directory_roles {
        Ok(held) => held,
        Err(error) => {
            checks.push(unread(
                "directory-role-unread",
                "its directory roles",
                error,
            ));
            return;
        }
    };
    if held.is_empty() {
        checks.push(Check::new(
            "directory-role",
            Level::Ok,
            "it holds no directory role",
        ));
    }
    let roles: BTreeSet<Option<Guid>> = held.iter().map(|held| held.role_definition_id).collect();
    for id in roles {
        let known = id.and_then(reference::role);
        let name = known.map_or_else(
            || {
                id.map_or("a role without id".to_owned(), |id| {
                    format!("the role {id}")
                })
            },
            |role| role.name.to_owned(),
        );
        let reads = known
            .is_some_and(|role| role.name.ends_with(" Reader") || role.name.ends_with(" Readers"));
        checks.push(if reads {
            let message = format!("it holds {name}: it can read more than its permissions say");
            Check::new("directory-role", Level::Note, message)
        } else {
            let is_admin = id.is_some_and(reference::is_admin_role);
            let level = if is_admin { Level::Fail } else { Level::Warn };
            let message = format!("it holds {name}");
            Check::new("directory-role", level, message)
                .fix("take the role away: permissions to read are all that is needed")
        });
    }
}

pub(super) fn unread(id: &'static str, what: &str, error: &str) -> Check {
    Check::new(
        id,
        Level::Note,
        format!("{what} could not be read: {error}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::model::{
        AppRoleAssignment, Application, KeyCredential, PasswordCredential, ServicePrincipal,
        UnifiedRoleAssignment,
    };

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn own(application: Application) -> Own {
        Own {
            application: Ok(Some(application)),
            service_principal: Ok(Some(ServicePrincipal::default())),
            app_roles: Ok(Vec::new()),
            directory_roles: Ok(Vec::new()),
        }
    }

    /// The ids and levels that are no `ok`, at noon of 2026-08-20.
    fn found(own: &Own, granted: &[&str], by_secret: bool) -> Vec<(&'static str, Level)> {
        let granted: Granted = granted.iter().copied().collect();
        judge(own, &granted, at("2026-08-20T12:00:00Z"), by_secret)
            .into_iter()
            .filter(|check| check.level != Level::Ok)
            .map(|check| (check.id, check.level))
            .collect()
    }

    fn with_secret(start: &str, end: &str) -> Own {
        own(Application {
            password_credentials: Some(vec![PasswordCredential {
                start_date_time: Some(at(start)),
                end_date_time: Some(at(end)),
                ..PasswordCredential::default()
            }]),
            key_credentials: Some(vec![KeyCredential {
                end_date_time: Some(at("2027-08-20T12:00:00Z")),
                ..KeyCredential::default()
            }]),
            ..Application::default()
        })
    }

    #[test]
    fn secrets_have_limits() {
        let warn = |id| vec![(id, Level::Warn)];
        for (start, end, expected) in [
            ("2026-08-01T00:00:00Z", "2027-01-28T00:00:00Z", vec![]), // 180 days
            (
                "2026-08-01T00:00:00Z",
                "2027-01-28T00:00:01Z",
                warn("secret-long-lived"),
            ),
            ("2026-08-01T00:00:00Z", "2026-09-19T12:00:01Z", vec![]),
            (
                "2026-08-01T00:00:00Z",
                "2026-09-19T12:00:00Z", // 30 days from now
                warn("secret-ends-soon"),
            ),
            (
                "2026-08-01T00:00:00Z",
                "2026-08-20T12:00:00Z",
                vec![("secret-ended", Level::Note)],
            ),
        ] {
            let own = with_secret(start, end);
            assert_eq!(found(&own, &[], true), expected, "{start} to {end}");
        }
        let valid = with_secret("2026-08-01T00:00:00Z", "2026-12-01T00:00:00Z");
        assert_eq!(found(&valid, &[], false), warn("secret-unused"));
    }

    #[test]
    fn a_secret_without_a_certificate_beside_it() {
        let mut own = with_secret("2026-08-01T00:00:00Z", "2026-12-01T00:00:00Z");
        let certificate = |end: &str| KeyCredential {
            end_date_time: Some(at(end)),
            ..KeyCredential::default()
        };
        for (certificates, expected) in [
            (vec![], vec![("certificate-missing", Level::Warn)]),
            (
                vec![certificate("2026-08-20T12:00:00Z")],
                vec![("certificate-missing", Level::Warn)],
            ),
            (
                vec![certificate("2026-08-20T12:00:01Z")],
                vec![("certificate-ends-soon", Level::Warn)],
            ),
        ] {
            if let Ok(Some(application)) = &mut own.application {
                application.key_credentials = Some(certificates);
            }
            assert_eq!(found(&own, &[], true), expected);
        }
    }

    #[test]
    fn permissions_beyond_need() {
        let sound = own(Application::default());
        for (granted, expected) in [
            (&["User.Read.All", "Policy.Read.All"][..], vec![]),
            (&["Directory.Read.All", "MailboxSettings.Read"], vec![]),
            (
                &["AdministrativeUnit.Read.All"],
                vec![("permission-beyond-need", Level::Warn)],
            ),
            (&["Mail.Read"], vec![("permission-content", Level::Fail)]),
            (
                &["User.ReadWrite.All"],
                vec![("permission-writes", Level::Fail)],
            ),
            (
                &["Sites.Selected"],
                vec![("permission-writes", Level::Fail)],
            ),
        ] {
            assert_eq!(found(&sound, granted, true), expected, "{granted:?}");
        }
        let mut elsewhere = own(Application::default());
        elsewhere.app_roles = Ok(vec![AppRoleAssignment {
            app_role_id: Some(reference::EXCHANGE_MANAGE_AS_APP),
            ..AppRoleAssignment::default()
        }]);
        let expected = [("permission-elsewhere", Level::Warn)];
        assert_eq!(found(&elsewhere, &[], true), expected);
    }

    #[test]
    fn directory_roles_by_what_they_can_do() {
        let held = |id: &str| {
            let mut own = own(Application::default());
            own.directory_roles = Ok(vec![UnifiedRoleAssignment {
                role_definition_id: id.parse().ok(),
                ..UnifiedRoleAssignment::default()
            }]);
            found(&own, &[], true)
        };
        let global_reader = "f2ef992c-3afb-46b9-b7cf-a126ee74c451";
        assert_eq!(held(global_reader), [("directory-role", Level::Note)]);
        let global_administrator = reference::GLOBAL_ADMINISTRATOR.to_string();
        let fails = [("directory-role", Level::Fail)];
        assert_eq!(held(&global_administrator), fails);
        let made_here = "11111111-2222-4333-8444-555555555555";
        assert_eq!(held(made_here), [("directory-role", Level::Warn)]);
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let refused = || Err("Graph answered 403".to_owned());
        let own = Own {
            application: Err("Graph answered 403".to_owned()),
            service_principal: Err("Graph answered 403".to_owned()),
            app_roles: refused().map(|()| Vec::new()),
            directory_roles: refused().map(|()| Vec::new()),
        };
        let ids = [
            ("permission-unread", Level::Note),
            ("directory-role-unread", Level::Note),
            ("credential-unread", Level::Note),
        ];
        assert_eq!(found(&own, &["User.Read.All"], true), ids);
    }

    #[test]
    fn a_managed_identity_has_nothing_to_renew() {
        let mut own = own(Application::default());
        own.application = Ok(None);
        own.service_principal = Ok(Some(ServicePrincipal {
            service_principal_type: Some("ManagedIdentity".into()),
            ..ServicePrincipal::default()
        }));
        assert_eq!(found(&own, &["User.Read.All"], false), []);
        own.service_principal = Ok(Some(ServicePrincipal::default()));
        let elsewhere = [("credential-unread", Level::Note)];
        assert_eq!(found(&own, &["User.Read.All"], false), elsewhere);
    }
}
