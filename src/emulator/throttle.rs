//! Limits per service, as token buckets ("Microsoft Graph service-specific throttling limits", copies of 2023 to 2025).
use std::collections::BTreeMap;

use tokio::time::Instant;

use super::errors::Failure;

/// The parts of Graph that count requests apart from each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// Users, groups, applications, roles, domains, devices: resource units by the size of the tenant.
    Identity,
    /// servicePrincipals with `keyCredentials`: 150 requests a minute.
    KeyCredentials,
    /// Audit logs, registration details, sign-in activity: 5 requests in 10 s.
    Reports,
    /// Microsoft 365 usage reports: 14 requests in 10 minutes.
    UsageReports,
    /// Conditional Access and Identity Protection: 1 request a second.
    ConditionalAccess,
    /// Policies: resource units, as identity.
    Policies,
    /// Identity providers and user flows: not published.
    Providers,
    /// Privileged Identity Management: not published.
    Pim,
    /// Access reviews, entitlement management, lifecycle workflows: not published.
    Governance,
    /// Managed devices: 2,000 requests in 20 s.
    IntuneDevices,
    /// Everything else in Intune: 1,000 requests in 20 s.
    Intune,
    /// Mailboxes: 10,000 requests in 10 minutes.
    Outlook,
    /// Teams: 30 requests a second.
    Teams,
    /// Alerts: 150 requests a minute.
    Security,
    /// Incidents: 50 requests a minute.
    Incidents,
    /// Secure scores: 10,000 requests in 10 minutes.
    SecureScore,
    /// Service health and messages: 240 requests a minute.
    Announcements,
    /// SharePoint: 1,250 units a minute.
    SharePoint,
    /// Everything else: not published.
    Other,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::Identity,
        Self::KeyCredentials,
        Self::Reports,
        Self::UsageReports,
        Self::ConditionalAccess,
        Self::Policies,
        Self::Providers,
        Self::Pim,
        Self::Governance,
        Self::IntuneDevices,
        Self::Intune,
        Self::Outlook,
        Self::Teams,
        Self::Security,
        Self::Incidents,
        Self::SecureScore,
        Self::Announcements,
        Self::SharePoint,
        Self::Other,
    ];

    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "identity" => Self::Identity,
            "reports" => Self::Reports,
            "usageReports" => Self::UsageReports,
            "conditionalAccess" => Self::ConditionalAccess,
            "policies" => Self::Policies,
            "providers" => Self::Providers,
            "pim" => Self::Pim,
            "governance" => Self::Governance,
            "intuneDevices" => Self::IntuneDevices,
            "intune" => Self::Intune,
            "outlook" => Self::Outlook,
            "teams" => Self::Teams,
            "security" => Self::Security,
            "incidents" => Self::Incidents,
            "secureScore" => Self::SecureScore,
            "serviceCommunications" => Self::Announcements,
            "sharepoint" => Self::SharePoint,
            "other" => Self::Other,
            _ => return None,
        })
    }

    /// Units and the seconds in which they come back. PIM, providers, governance and other have no published number: a modest one.
    ///
    /// `users` decides the size class (S, M, L) of the resource units, and `unit_scale` shrinks or stretches those.
    pub(super) fn limit(self, users: usize, unit_scale: Option<f64>) -> (f64, f64) {
        match self {
            Self::Identity | Self::Policies => {
                let units = match users {
                    0..50 => 3_500.0,
                    50..=500 => 5_000.0,
                    _ => 8_000.0,
                };
                (units * unit_scale.unwrap_or(1.0), 10.0)
            }
            Self::KeyCredentials | Self::Security => (150.0, 60.0),
            Self::Reports => (5.0, 10.0),
            Self::UsageReports => (14.0, 600.0),
            Self::ConditionalAccess => (1.0, 1.0),
            Self::Providers | Self::Pim => (10.0, 5.0),
            Self::Governance | Self::Other => (100.0, 10.0),
            Self::IntuneDevices => (2_000.0, 20.0),
            Self::Intune => (1_000.0, 20.0),
            Self::Outlook | Self::SecureScore => (10_000.0, 600.0),
            Self::Teams => (30.0, 1.0),
            Self::Incidents => (50.0, 60.0),
            Self::Announcements => (240.0, 60.0),
            Self::SharePoint => (1_250.0, 60.0),
        }
    }

    /// Which of its limits a request is charged to, by the service of its route and by what is asked.
    pub(super) fn charged(self, path: &str, query: &str) -> Self {
        let principals = path.eq_ignore_ascii_case("/servicePrincipals");
        if self == Self::Identity && principals && query.contains("keyCredentials") {
            return Self::KeyCredentials;
        }
        self
    }

    /// What it counts, for people.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Identity => "resource units",
            Self::KeyCredentials => "keys of service principals",
            Self::Reports => "reports",
            Self::UsageReports => "usage reports",
            Self::ConditionalAccess => "Conditional Access and risk",
            Self::Policies => "policies",
            Self::Providers => "identity providers",
            Self::Pim => "privileged identities",
            Self::Governance => "governance",
            Self::IntuneDevices => "managed devices",
            Self::Intune => "Intune",
            Self::Outlook => "mailboxes",
            Self::Teams => "Teams",
            Self::Security => "alerts",
            Self::Incidents => "incidents",
            Self::SecureScore => "secure scores",
            Self::Announcements => "service health",
            Self::SharePoint => "SharePoint",
            Self::Other => "other services",
        }
    }

    /// The error of a refused request; the caller adds `Retry-After`.
    fn refusal(self, app: &str, tenant: &str) -> Failure {
        match self {
            Self::ConditionalAccess => Failure::new("throttled.conditionalAccess", &[]),
            Self::SharePoint => Failure::new("throttled.sharepoint", &[]),
            Self::Outlook => Failure::new("throttled.outlook", &[]),
            _ => {
                // Out of quota is another thing than refused under load, and the headers say so.
                let mut failure = Failure::new("throttled.identity", &[app, tenant]);
                failure.headers.retain(|(name, _)| name != INFORMATION);
                failure
                    .header(INFORMATION, "ResourceUnitLimitExceeded")
                    .header(PERCENTAGE, "1.2")
            }
        }
    }
}

/// Resource units of an identity request, or what a SharePoint request costs; 1 for all others.
pub(super) fn cost(service: Service, path: &[String], query: Cost) -> u32 {
    let name = |index: usize| path.get(index).map(String::as_str);
    let last = path.last().map(String::as_str);
    match service {
        Service::Identity => {}
        Service::SharePoint => {
            return match last {
                Some("permissions") => 5,
                Some("getAllSites") => 2,
                _ => 1,
            };
        }
        _ => return 1,
    }
    let base: i32 = match (name(0), name(2)) {
        (Some("groups"), Some("transitiveMembers")) => 5,
        (Some("groups"), Some("members")) | (Some("subscribedSkus" | "contracts"), _) => 3,
        (Some("domains"), Some("domainNameReferences")) => 4,
        (Some("users"), Some("memberOf" | "transitiveMemberOf" | "licenseDetails") | None)
        | (Some("applications" | "oauth2PermissionGrants"), None)
        | (Some("servicePrincipals"), Some("appRoleAssignments")) => 2,
        _ => 1,
    };
    let less = i32::from(query.select) + i32::from(query.top.is_some_and(|top| top < 20));
    let cost = base - less + i32::from(query.expand);
    u32::try_from(cost.max(1)).unwrap_or(1)
}

/// The share of a limit that is used, from 0.8 on.
const INFORMATION: &str = "x-ms-throttle-information";
pub(super) const PERCENTAGE: &str = "x-ms-throttle-limit-percentage";

/// What of a query changes its cost.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Cost {
    pub(super) select: bool,
    pub(super) expand: bool,
    pub(super) top: Option<usize>,
}

#[derive(Debug)]
struct Bucket {
    level: f64,
    filled: Instant,
}

/// The buckets of one tenant and one application.
#[derive(Debug, Default)]
pub(super) struct Buckets {
    levels: BTreeMap<Service, Bucket>,
    /// Users of the tenant.
    users: usize,
    /// The resource units of identity services times this.
    unit_scale: Option<f64>,
}

impl Buckets {
    /// Full buckets.
    pub(super) fn new(users: usize, unit_scale: Option<f64>) -> Self {
        Self {
            levels: BTreeMap::new(),
            users,
            unit_scale,
        }
    }

    /// Takes `units` from the bucket of a service.
    ///
    /// # Errors
    /// The 429 of that service; `Retry-After` is missing where the service sends none.
    pub(super) fn take(
        &mut self,
        service: Service,
        units: u32,
        ids: (&str, &str),
        now: Instant,
    ) -> Result<Option<f64>, Failure> {
        let (capacity, period) = service.limit(self.users, self.unit_scale);
        let rate = capacity / period;
        let bucket = self.levels.entry(service).or_insert(Bucket {
            level: capacity,
            filled: now,
        });
        let passed = now.duration_since(bucket.filled).as_secs_f64();
        bucket.level = (bucket.level + passed * rate).min(capacity);
        bucket.filled = now;
        let units = f64::from(units).min(capacity);
        if bucket.level + 1e-9 < units {
            let mut failure = service.refusal(ids.0, ids.1);
            // What the request would have made of the limit; Graph names up to 1.8.
            let share = ((capacity - bucket.level + units) / capacity).min(1.8);
            for (name, value) in &mut failure.headers {
                if name == PERCENTAGE {
                    *value = format!("{share:.2}");
                }
            }
            if service == Service::ConditionalAccess {
                return Err(failure);
            }
            let wait = ((units - bucket.level) / rate).ceil().max(1.0);
            return Err(failure.header("Retry-After", format!("{wait:.0}")));
        }
        bucket.level -= units;
        let used = 1.0 - bucket.level / capacity;
        Ok((service == Service::Identity && used >= 0.8).then_some(used))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn reports_refill_one_request_in_two_seconds() {
        let mut buckets = Buckets::default();
        let start = Instant::now();
        let mut take = |seconds| {
            buckets.take(
                Service::Reports,
                1,
                ("app", "tenant"),
                start + Duration::from_secs(seconds),
            )
        };
        for _ in 0..5 {
            assert!(take(0).is_ok());
        }
        let refused = take(1).unwrap_err();
        assert_eq!(refused.status, 429);
        assert!(
            refused
                .headers
                .contains(&("Retry-After".to_owned(), "1".to_owned()))
        );
        assert!(take(2).is_ok());
        assert!(take(2).is_err());
    }

    #[test]
    fn conditional_access_names_no_wait() {
        let mut buckets = Buckets::default();
        let start = Instant::now();
        assert!(
            buckets
                .take(Service::ConditionalAccess, 1, ("a", "t"), start)
                .is_ok()
        );
        let refused = buckets
            .take(Service::ConditionalAccess, 1, ("a", "t"), start)
            .unwrap_err();
        assert!(refused.headers.is_empty());
    }

    #[test]
    fn selecting_makes_a_user_page_cost_one() {
        let path = ["users".to_owned()];
        assert_eq!(cost(Service::Identity, &path, Cost::default()), 2);
        let query = Cost {
            select: true,
            ..Cost::default()
        };
        assert_eq!(cost(Service::Identity, &path, query), 1);
        assert_eq!(
            cost(
                Service::Identity,
                &path,
                Cost {
                    expand: true,
                    ..query
                }
            ),
            2
        );
    }
}
