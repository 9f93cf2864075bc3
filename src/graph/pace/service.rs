//! Which service of Graph answers a request, and how many of its units that takes.
//!
//! Source: "Microsoft Graph service-specific throttling limits". Must not know how fast anything is asked.

/// The services of Graph that have limits of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Service {
    /// Users, groups, applications, roles, domains, devices, policies: resource units, 3,500 to 8,000 per 10 s.
    Identity,
    /// Service principals with `keyCredentials` in `$select`: 150 requests per minute.
    KeyCredentials,
    /// Audit logs, registration details, recommendations, sign-in activity: 5 requests per 10 s.
    IdentityReports,
    /// Microsoft 365 usage reports (`/reports/get…`): 14 requests per 10 minutes.
    UsageReports,
    /// Conditional Access and Identity Protection: 1 request per second for the tenant, no `Retry-After`.
    ConditionalAccess,
    /// Identity providers, user flows and the policy that turns them on: a limit of its own that is not published.
    IdentityProviders,
    /// Privileged Identity Management: no published number, heavy answers.
    Pim,
    /// Managed devices and their overview in Intune: 2,000 requests per 20 s.
    IntuneDevices,
    /// Everything else in Intune: 1,000 requests per 20 s.
    Intune,
    /// Alerts and attack simulation: 150 requests per minute.
    SecurityAlerts,
    /// Incidents: 50 requests per minute.
    Incidents,
    /// Secure scores and their control profiles: 4 concurrent requests.
    SecureScore,
    /// Service health and messages: 240 requests per minute.
    ServiceCommunications,
    /// SharePoint settings and sites: resource units per minute.
    SharePoint,
    /// Teams and the catalogue of their apps: 30 requests per second.
    Teams,
    /// Mailbox settings, rules and calendars: 4 concurrent requests.
    Outlook,
    /// Everything else.
    Other,
}

impl Service {
    /// All services, in the order of the enum.
    pub const ALL: [Self; 17] = [
        Self::Identity,
        Self::KeyCredentials,
        Self::IdentityReports,
        Self::UsageReports,
        Self::ConditionalAccess,
        Self::IdentityProviders,
        Self::Pim,
        Self::IntuneDevices,
        Self::Intune,
        Self::SecurityAlerts,
        Self::Incidents,
        Self::SecureScore,
        Self::ServiceCommunications,
        Self::SharePoint,
        Self::Teams,
        Self::Outlook,
        Self::Other,
    ];

    /// Which service answers for a path, with or without `/v1.0` or `/beta` and a query.
    pub fn of(path: &str) -> Self {
        Self::at(&segments(path))
    }

    fn at(segments: &[String]) -> Self {
        let name = |index: usize| segments.get(index).map_or("", String::as_str);
        match (name(0), name(1), name(2)) {
            ("identity", "conditionalaccess", _)
            | ("identityprotection" | "conditionalaccess", _, _) => Self::ConditionalAccess,
            ("identity", "identityproviders" | "b2xuserflows" | "b2cuserflows", _)
            | ("identityproviders", _, _)
            | ("policies", "authenticationflowspolicy", _) => Self::IdentityProviders,
            ("auditlogs", _, _)
            | (
                "reports",
                "authenticationmethods"
                | "serviceprincipalsigninactivities"
                | "appcredentialsigninactivities",
                _,
            )
            | ("directory", "recommendations", _) => Self::IdentityReports,
            ("reports", report, _) if report.starts_with("get") => Self::UsageReports,
            ("rolemanagement", _, third) if third.contains("schedule") => Self::Pim,
            ("policies", second, _) if second.starts_with("rolemanagementpolic") => Self::Pim,
            ("identitygovernance", "privilegedaccess" | "rolemanagementalerts", _)
            | ("privilegedaccess", _, _) => Self::Pim,
            ("devicemanagement", "manageddevices" | "manageddeviceoverview", _) => {
                Self::IntuneDevices
            }
            ("devicemanagement" | "deviceappmanagement", _, _) => Self::Intune,
            ("security", second, _) if second.starts_with("securescore") => Self::SecureScore,
            ("security", "incidents", _) => Self::Incidents,
            ("security", second, _)
                if second.starts_with("alerts") || second == "attacksimulation" =>
            {
                Self::SecurityAlerts
            }
            ("admin", "serviceannouncement", _) => Self::ServiceCommunications,
            ("sites" | "shares" | "drives", _, _) | ("admin", "sharepoint", _) => Self::SharePoint,
            ("teams" | "teamwork" | "appcatalogs", _, _) => Self::Teams,
            (
                "users",
                _,
                "mailboxsettings" | "mailfolders" | "messages" | "calendar" | "calendars"
                | "events",
            )
            | (
                "me",
                "mailboxsettings" | "mailfolders" | "messages" | "calendar" | "calendars"
                | "events",
                _,
            ) => Self::Outlook,
            (
                "users"
                | "groups"
                | "applications"
                | "serviceprincipals"
                | "directoryroles"
                | "directoryroletemplates"
                | "rolemanagement"
                | "domains"
                | "organization"
                | "subscribedskus"
                | "devices"
                | "directoryobjects"
                | "directory"
                | "oauth2permissiongrants"
                | "policies"
                | "contracts"
                | "groupsettings"
                | "groupsettingtemplates"
                | "grouplifecyclepolicies"
                | "contacts"
                | "applicationtemplates",
                _,
                _,
            ) => Self::Identity,
            _ => Self::Other,
        }
    }
}

/// What a request takes: from which service, and how many of its units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Toll {
    pub(crate) service: Service,
    /// Resource units where the service counts in them, otherwise one for each request.
    pub(crate) units: u32,
}

impl Toll {
    /// The toll of one GET by its path and its OData options.
    pub(crate) fn of<'a>(
        path: &str,
        options: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let segments = segments(path);
        let mut service = Service::at(&segments);
        let (mut select, mut expand, mut few) = (false, false, false);
        let of_principals = segments
            .first()
            .is_some_and(|first| first == "serviceprincipals");
        for (name, value) in options {
            match name {
                "$select" => select = true,
                "$expand" => expand = true,
                "$top" => few = value.parse::<u32>().is_ok_and(|top| top < 20),
                _ => {}
            }
            if service == Service::Identity {
                // Asking for signInActivity behaves as if it belonged to the reports.
                if value.contains("signInActivity") {
                    service = Service::IdentityReports;
                } else if of_principals && name == "$select" && value.contains("keyCredentials") {
                    service = Service::KeyCredentials;
                }
            }
        }
        let units = match service {
            Service::Identity => {
                let base = resource_units(&segments) + u32::from(expand);
                base.saturating_sub(u32::from(select) + u32::from(few))
                    .max(1)
            }
            Service::SharePoint => sharepoint_units(&segments),
            _ => 1,
        };
        Self { service, units }
    }
}

/// What a GET of the identity service costs before its options: "Pattern, resource unit cost" of the published limits.
fn resource_units(segments: &[String]) -> u32 {
    let name = |index: usize| segments.get(index).map(String::as_str);
    match (name(0), name(1), name(2)) {
        (Some("groups"), _, Some("transitivemembers")) => 5,
        (Some("domains"), _, Some("domainnamereferences")) => 4,
        (Some("groups"), _, Some("members"))
        | (Some("subscribedskus" | "contracts"), None, _)
        | (Some("directoryobjects"), Some("getbyids"), _) => 3,
        (Some("users" | "applications"), None, _)
        | (Some("oauth2permissiongrants"), _, _)
        | (Some("users"), _, Some("memberof" | "transitivememberof" | "licensedetails"))
        | (Some("serviceprincipals"), _, Some("approleassignments")) => 2,
        _ => 1,
    }
}

/// SharePoint: 5 for permissions, 2 for a list, 1 for one item.
fn sharepoint_units(segments: &[String]) -> u32 {
    match segments.last().map_or("", String::as_str) {
        "permissions" => 5,
        "sites" | "shares" | "drives" | "lists" | "items" | "children" | "getallsites" => 2,
        _ => 1,
    }
}

/// The segments below the version, in lower case; the key of `users('id')` becomes a segment as in `users/id`.
fn segments(path: &str) -> Vec<String> {
    let path = path
        .split(['?', '#'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let path = path
        .strip_prefix("/v1.0")
        .or_else(|| path.strip_prefix("/beta"))
        .unwrap_or(&path);
    path.split(['/', '('])
        .filter(|segment| !segment.is_empty())
        .map(|segment| segment.trim_end_matches(')').to_owned())
        .collect()
}
