//! The least time in which so much can be read from this service, whoever asks: what a measured time is held against.
//!
//! The floor is the largest of several bounds, each of which holds alone: for each limit that is enforced the requests that it sees,
//! for each list that cannot be cut the pages that follow each other, and the requests in flight at a time. None of them counts the
//! sign-in (one answer), and means are used where time is drawn by chance, so a lucky run can end a little below.
//!
//! A list counts once, in the largest pages, also where a program reads it more than once for one column each: another could ask for
//! all columns at once. What else was asked counts one request for each path and version, refusals included, as only the answer
//! tells that there is no licence or permission.
//!
//! With a share `p` of requests that fail by chance and are asked again, a request takes `1 / (1 - p)` tries on average: with 10 %
//! that is 1.11. Every try takes an answer's time and a place in the limits; in a chain, where nothing else can be done meanwhile, each
//! of the `p / (1 - p)` failures of a page also costs the wait that was asked for.
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::synthetic::Mix;
pub use super::throttle::Service;

/// Requests in flight at a time that identity services are given.
pub const STREAMS: u32 = 64;
/// Short answers that fit one batch.
const BATCH: u64 = 20;
/// Rows of a page of directory objects at most.
const PAGE: u64 = 999;
/// Rows of a page with `signInActivity`, and of risky users, at most.
const SMALL_PAGE: u64 = 500;
/// Rows of a page of managed devices at most.
const MANAGED_PAGE: u64 = 1_000;
/// Settings and other short answers of a full reading.
const SINGLES: u64 = 60;
/// Pages of role assignments (active and eligible), definitions and policies.
const ROLE_PAGES: u64 = 6;
/// Policies and named locations, under the limit of Conditional Access.
const POLICIES: u64 = 2;
/// Last sign-ins as a list of their own.
pub(super) const SIGN_INS: &str = "/users with signInActivity";
const PRINCIPALS: &str = "/servicePrincipals";
const REGISTRATION: &str = "/reports/authenticationMethods/userRegistrationDetails";

/// Whether a list can be read in several chains of pages at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cut {
    /// By ranges of a property, as finely as one likes.
    Anywhere,
    /// Only into parts of these sizes.
    Into(Vec<u64>),
    /// Page after page.
    Nowhere,
}

/// A list that has to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chain {
    /// Its path without the version.
    pub name: String,
    /// Its length.
    pub rows: u64,
    /// Rows of a page at most.
    pub page: u64,
    /// What a page costs, in resource units.
    pub units: u64,
    /// Whose limit it is under.
    pub service: Service,
    /// How it can be cut.
    pub cut: Cut,
}

impl Chain {
    /// Pages at least; an empty list has one.
    pub fn pages(&self) -> u64 {
        self.rows.div_ceil(self.page).max(1)
    }

    /// Pages that have to follow each other.
    pub fn longest(&self) -> u64 {
        match &self.cut {
            Cut::Anywhere => 1,
            Cut::Into(parts) => {
                let longest = parts.iter().max().copied().unwrap_or(0);
                longest.div_ceil(self.page).max(1)
            }
            Cut::Nowhere => self.pages(),
        }
    }
}

/// How the last sign-ins of users are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SignIns {
    /// Not at all.
    #[default]
    Unread,
    /// With the users, in smaller pages, charged as any list of users.
    Identity,
    /// In requests of their own that are charged as reports.
    Reports,
}

/// What has to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// The lists.
    pub chains: Vec<Chain>,
    /// Requests beside them by service, one answer and one unit each.
    pub singles: BTreeMap<Service, u64>,
}

impl Work {
    /// A full reading of a tenant of this mix.
    pub fn of(mix: &Mix, sign_ins: SignIns, registration: bool) -> Self {
        let list = |name: &str, rows: u64, page: u64| Chain {
            name: name.to_owned(),
            rows,
            page,
            units: 1,
            service: Service::Identity,
            cut: Cut::Anywhere,
        };
        let uncut = |name: &str, rows: u64, page: u64, service| Chain {
            service,
            cut: Cut::Nowhere,
            ..list(name, rows, page)
        };
        let users = u64::from(mix.users);
        let users_page = match sign_ins {
            SignIns::Identity => SMALL_PAGE,
            SignIns::Unread | SignIns::Reports => PAGE,
        };
        let grants = u64::from(mix.grants);
        let mut chains = vec![
            list("/users", users, users_page),
            list("/devices", mix.devices.into(), PAGE),
            list(PRINCIPALS, mix.service_principals.into(), PAGE),
            list("/applications", mix.applications.into(), PAGE),
            list("/groups", mix.groups.into(), PAGE),
            Chain {
                // `eq` on consentType is the one documented filter that cuts it into known parts.
                cut: Cut::Into(vec![grants / 2, grants - grants / 2]),
                ..list("/oauth2PermissionGrants", grants, PAGE)
            },
            uncut(
                "/identityProtection/riskyUsers",
                mix.at_risk.into(),
                SMALL_PAGE,
                Service::ConditionalAccess,
            ),
        ];
        if mix.managed_devices > 0 {
            chains.push(uncut(
                "/deviceManagement/managedDevices",
                mix.managed_devices.into(),
                MANAGED_PAGE,
                Service::IntuneDevices,
            ));
        }
        if sign_ins == SignIns::Reports {
            chains.push(Chain {
                service: Service::Reports,
                ..list(SIGN_INS, users, SMALL_PAGE)
            });
        }
        if registration {
            chains.push(uncut(REGISTRATION, users, PAGE, Service::Reports));
        }
        Self {
            chains,
            singles: BTreeMap::from([
                (Service::Identity, SINGLES + ROLE_PAGES),
                (Service::ConditionalAccess, POLICIES),
            ]),
        }
    }

    /// The same where service principals are read with their keys, which has a limit of its own.
    #[must_use]
    pub fn with_keys(mut self) -> Self {
        for chain in &mut self.chains {
            if chain.name == PRINCIPALS {
                chain.service = Service::KeyCredentials;
            }
        }
        self
    }

    /// What was asked of a tenant of this mix, as far as a client has to ask it. `needed`: as in
    /// [`Summary::needed`](super::Summary::needed).
    pub(super) fn asked(
        mix: &Mix,
        sign_ins_are_reports: bool,
        needed: &BTreeMap<String, BTreeMap<String, u64>>,
    ) -> Self {
        let asked = |path: &str| {
            let name = format!("v1.0 {path}");
            needed.values().any(|routes| routes.contains_key(&name))
        };
        let sign_ins = match (asked(SIGN_INS), sign_ins_are_reports) {
            (true, true) => SignIns::Reports,
            (true, false) => SignIns::Identity,
            (false, _) => SignIns::Unread,
        };
        let mut work = Self::of(mix, sign_ins, asked(REGISTRATION));
        work.chains.retain(|chain| asked(&chain.name));
        work.singles.clear();
        let mut lists: BTreeSet<String> = work
            .chains
            .iter()
            .map(|chain| format!("v1.0 {}", chain.name))
            .collect();
        lists.insert(format!("v1.0 {SIGN_INS}"));
        for service in Service::ALL {
            let routes = needed.get(&format!("{service:?}"));
            let short = routes
                .into_iter()
                .flatten()
                .filter(|(name, _)| !lists.contains(*name));
            let many: u64 = short.map(|(_, paths)| paths).sum();
            if many > 0 {
                work.singles.insert(service, many);
            }
            if service == Service::KeyCredentials && routes.is_some() {
                work = work.with_keys();
            }
        }
        work
    }

    fn of_service(&self, service: Service) -> impl Iterator<Item = &Chain> {
        self.chains
            .iter()
            .filter(move |chain| chain.service == service)
    }

    fn single(&self, service: Service) -> u64 {
        self.singles.get(&service).copied().unwrap_or_default()
    }

    fn pages(&self, service: Service) -> u64 {
        self.of_service(service).map(Chain::pages).sum()
    }

    /// Requests under one limit.
    pub fn requests(&self, service: Service) -> u64 {
        self.pages(service) + self.single(service)
    }

    /// Units under one limit: resource units where the service counts in them.
    pub fn units(&self, service: Service) -> u64 {
        let lists = self.of_service(service);
        lists.map(|chain| chain.pages() * chain.units).sum::<u64>() + self.single(service)
    }
}

/// Under which conditions it is read. Times in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conditions {
    /// Mean time of an answer.
    pub latency: f64,
    /// Requests in flight at a time.
    pub streams: u32,
    /// Users of the tenant, which decide how many resource units it has.
    pub users: usize,
    /// Its resource units times this.
    pub unit_scale: Option<f64>,
    /// Bytes of all answers, and how many come through in a second.
    pub bytes: Option<(f64, f64)>,
    /// Share of requests that fail by chance.
    pub trouble: f64,
    /// Wait that such a failure asks for.
    pub wait: f64,
    /// Whether the limits of the services are enforced.
    pub limits: bool,
}

impl Default for Conditions {
    /// Size L, half a second an answer, nothing fails.
    fn default() -> Self {
        Self {
            latency: 0.5,
            streams: STREAMS,
            users: 501,
            unit_scale: None,
            bytes: None,
            trouble: 0.0,
            wait: 0.0,
            limits: true,
        }
    }
}

/// One bound.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// What bounds.
    pub name: String,
    /// How it comes about, in numbers.
    pub arithmetic: String,
    /// The bound.
    pub seconds: f64,
}

/// All bounds; printed, each with its arithmetic and the largest marked.
#[derive(Debug, Clone, PartialEq)]
pub struct Floor {
    /// In a fixed order.
    pub terms: Vec<Term>,
}

/// What a request takes on average under trouble by chance.
struct Tries {
    /// Tries of a request.
    each: f64,
    /// Wait after each failure, in seconds.
    wait: f64,
    /// Time of a try, in seconds.
    latency: f64,
    /// For the arithmetic; empty without trouble.
    text: String,
}

impl Tries {
    fn of(conditions: &Conditions) -> Self {
        let each = 1.0 / (1.0 - conditions.trouble.clamp(0.0, 0.99));
        Self {
            each,
            wait: conditions.wait,
            latency: conditions.latency,
            text: if conditions.trouble > 0.0 {
                format!(" x {each:.3} tries")
            } else {
                String::new()
            },
        }
    }

    /// Pages that have to follow each other.
    #[expect(clippy::cast_precision_loss, reason = "counts of pages are small")]
    fn chain(&self, chain: &Chain, name: String) -> Term {
        let Self {
            each,
            wait,
            latency,
            text,
        } = self;
        let pages = chain.longest() as f64;
        let failures = each - 1.0;
        let waits = if failures > 0.0 {
            format!(" + {pages:.0} x {failures:.3} failures x {wait:.1} s")
        } else {
            String::new()
        };
        Term {
            name,
            arithmetic: format!(
                "{pages:.0} pages of {}{text} x {latency:.3} s{waits}",
                chain.name
            ),
            seconds: pages * (latency * each + failures * wait),
        }
    }
}

impl Floor {
    /// The bounds for so much work under these conditions.
    pub fn of(work: &Work, conditions: &Conditions) -> Self {
        let tries = Tries::of(conditions);
        let mut terms = vec![Self::in_flight(work, conditions.streams, &tries)];
        for service in Service::ALL {
            let longest = work.of_service(service).max_by_key(|chain| chain.longest());
            if let Some(chain) = longest.filter(|chain| chain.longest() > 1) {
                let name = match service {
                    Service::Identity => "longest chain".to_owned(),
                    other => format!("chain, {}", other.title()),
                };
                terms.push(tries.chain(chain, name));
            }
            if conditions.limits && work.requests(service) > 0 {
                terms.push(Self::limit(work, service, conditions, &tries));
            }
        }
        if let Some((bytes, rate)) = conditions.bytes {
            terms.push(Term {
                name: "bytes".to_owned(),
                seconds: bytes / rate.max(f64::EPSILON),
                arithmetic: format!("{:.1} MB / {:.1} MB a second", bytes / 1e6, rate / 1e6),
            });
        }
        Self { terms }
    }

    /// Requests of the directory, so many at a time: pages each for itself, short answers in full batches.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of requests are far below 2^53"
    )]
    fn in_flight(work: &Work, streams: u32, tries: &Tries) -> Term {
        const DIRECTORY: [Service; 3] = [
            Service::Identity,
            Service::KeyCredentials,
            Service::Policies,
        ];
        let pages: u64 = DIRECTORY.iter().map(|own| work.pages(*own)).sum();
        let singles: u64 = DIRECTORY.iter().map(|own| work.single(*own)).sum();
        let batches = singles.div_ceil(BATCH);
        let Tries {
            each,
            latency,
            text,
            ..
        } = tries;
        Term {
            name: "requests".to_owned(),
            arithmetic: format!(
                "({pages} pages + {singles} short answers in {batches} batches){text} / {streams} at a time x {latency:.3} s"
            ),
            seconds: (pages + batches) as f64 * each / f64::from(streams) * latency,
        }
    }

    /// What one service lets through: so many at once after a rest, then at its rate; the last is answered in its time.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of units are far below 2^53"
    )]
    fn limit(work: &Work, service: Service, conditions: &Conditions, tries: &Tries) -> Term {
        let (at_once, period) = service.limit(conditions.users, conditions.unit_scale);
        let rate = (at_once / period).max(f64::EPSILON);
        let units = work.units(service);
        let what = match service {
            Service::Identity | Service::Policies | Service::SharePoint => "units",
            _ => "requests",
        };
        let Tries {
            each,
            text,
            latency,
            ..
        } = tries;
        // Three digits: 14 in ten minutes are 0.023 a second.
        let shown = (rate * 1e3).round() / 1e3;
        Term {
            name: service.title().to_owned(),
            arithmetic: format!(
                "({units} {what}{text} - {at_once:.0} at once) / {shown} a second + {latency:.3} s"
            ),
            seconds: ((units as f64 * each - at_once) / rate).max(0.0) + latency,
        }
    }

    /// The largest bound.
    pub fn wall(&self) -> Option<&Term> {
        self.terms
            .iter()
            .max_by(|left, right| left.seconds.total_cmp(&right.seconds))
    }

    /// The least time, in seconds.
    pub fn seconds(&self) -> f64 {
        self.wall().map_or(0.0, |term| term.seconds)
    }
}

impl fmt::Display for Floor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let wall = self.wall().map(|term| &term.name);
        for Term {
            name,
            arithmetic,
            seconds,
        } in &self.terms
        {
            let mark = if wall == Some(name) {
                "  <- the wall"
            } else {
                ""
            };
            writeln!(f, "{name:>28} {seconds:>9.2} s = {arithmetic}{mark}")?;
        }
        Ok(())
    }
}
