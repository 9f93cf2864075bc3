//! The least time in which so much can be read from this service, whoever asks: what a measured time is held against.
//!
//! The floor is the largest of several bounds, each of which holds alone. None of them counts the sign-in (one answer), and means are
//! used where time is drawn by chance, so a lucky run can end a little below.
//!
//! With a share `p` of requests that fail by chance and are asked again, a request takes `1 / (1 - p)` tries on average: with 10 %
//! that is 1.11. Every try takes an answer's time and a place in the limits; in a chain, where nothing else can be done meanwhile, each
//! of the `p / (1 - p)` failures of a page also costs the wait that was asked for.
use std::fmt;

use super::synthetic::Mix;

/// Requests in flight at a time that identity services are given.
pub const STREAMS: u32 = 64;
/// Rows of a page of directory objects at most.
const PAGE: u64 = 999;
/// Rows of a page with `signInActivity`, and of risky users, at most.
const SMALL_PAGE: u64 = 500;
/// Settings and other short answers of a full reading.
const SINGLES: u64 = 60;
/// Pages of role assignments (active and eligible), definitions and policies.
const ROLE_PAGES: u64 = 6;

/// Which limit a list is under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limited {
    /// Resource units.
    Identity,
    /// One request a second.
    ConditionalAccess,
    /// Five requests in ten seconds.
    Reports,
}

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
    /// Which limit it is under.
    pub limited: Limited,
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
    /// Requests beside them, one answer and one unit each.
    pub singles: u64,
}

impl Work {
    /// A full reading of a tenant of this mix.
    pub fn of(mix: &Mix, sign_ins: SignIns, registration: bool) -> Self {
        let list = |name: &str, rows: u64, page: u64| Chain {
            name: name.to_owned(),
            rows,
            page,
            units: 1,
            limited: Limited::Identity,
            cut: Cut::Anywhere,
        };
        let small = |name: &str, rows: u64, limited: Limited| Chain {
            limited,
            cut: Cut::Nowhere,
            ..list(name, rows, SMALL_PAGE)
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
            list("/servicePrincipals", mix.service_principals.into(), PAGE),
            list("/applications", mix.applications.into(), PAGE),
            list("/groups", mix.groups.into(), PAGE),
            Chain {
                // `eq` on consentType is the one documented filter that cuts it into known parts.
                cut: Cut::Into(vec![grants / 2, grants - grants / 2]),
                ..list("/oauth2PermissionGrants", grants, PAGE)
            },
            small(
                "/identityProtection/riskyUsers",
                mix.at_risk.into(),
                Limited::ConditionalAccess,
            ),
            small(
                "/identity/conditionalAccess/policies",
                1,
                Limited::ConditionalAccess,
            ),
            small(
                "/identity/conditionalAccess/namedLocations",
                1,
                Limited::ConditionalAccess,
            ),
        ];
        if sign_ins == SignIns::Reports {
            chains.push(Chain {
                cut: Cut::Anywhere,
                ..small("/users with signInActivity", users, Limited::Reports)
            });
        }
        if registration {
            chains.push(Chain {
                page: PAGE,
                ..small(
                    "/reports/authenticationMethods/userRegistrationDetails",
                    users,
                    Limited::Reports,
                )
            });
        }
        Self {
            chains,
            singles: SINGLES + ROLE_PAGES,
        }
    }

    /// Only the lists that `keep` names.
    pub fn only(mut self, keep: impl Fn(&str) -> bool) -> Self {
        self.chains.retain(|chain| keep(&chain.name));
        self
    }

    /// With so many more lists of one page under the limit of Conditional Access and risk (deleted policies, risk detections ...).
    pub fn restrict(&mut self, lists: usize) {
        let more = (0..lists).map(|_| Chain {
            name: "other Conditional Access and risk lists".to_owned(),
            rows: 1,
            page: SMALL_PAGE,
            units: 1,
            limited: Limited::ConditionalAccess,
            cut: Cut::Nowhere,
        });
        self.chains.extend(more);
    }

    fn of_kind(&self, limited: Limited) -> impl Iterator<Item = &Chain> {
        self.chains
            .iter()
            .filter(move |chain| chain.limited == limited)
    }

    /// Requests under one limit; single answers count as identity.
    pub fn requests(&self, limited: Limited) -> u64 {
        let singles = if limited == Limited::Identity {
            self.singles
        } else {
            0
        };
        self.of_kind(limited).map(Chain::pages).sum::<u64>() + singles
    }

    /// Resource units in all.
    pub fn units(&self) -> u64 {
        let lists = self.of_kind(Limited::Identity);
        lists.map(|chain| chain.pages() * chain.units).sum::<u64>() + self.singles
    }
}

/// Under which conditions it is read. Times in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conditions {
    /// Mean time of an answer.
    pub latency: f64,
    /// Requests in flight at a time.
    pub streams: u32,
    /// Resource units that can be had at once after a rest.
    pub units_at_once: f64,
    /// And those that come back each second.
    pub units_per_second: f64,
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
            units_at_once: 8_000.0,
            units_per_second: 800.0,
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
    pub name: &'static str,
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

impl Floor {
    /// The bounds for so much work under these conditions.
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts of requests and units are small"
    )]
    pub fn of(work: &Work, conditions: &Conditions) -> Self {
        let Conditions {
            latency,
            streams,
            trouble,
            wait,
            ..
        } = *conditions;
        let tries = 1.0 / (1.0 - trouble.clamp(0.0, 0.99));
        let again = tries - 1.0;
        let mut terms = Vec::new();
        let mut term = |name, seconds: f64, arithmetic| {
            terms.push(Term {
                name,
                arithmetic,
                seconds: seconds.max(0.0),
            });
        };
        let more = if trouble > 0.0 {
            format!(" x {tries:.3} tries")
        } else {
            String::new()
        };
        let asked = work.requests(Limited::Identity) as f64;
        term(
            "requests",
            asked * tries / f64::from(streams) * latency,
            format!("{asked:.0} requests{more} / {streams} at a time x {latency:.3} s"),
        );
        let chain = work
            .of_kind(Limited::Identity)
            .max_by_key(|chain| chain.longest());
        if let Some(chain) = chain {
            let pages = chain.longest() as f64;
            let waits = if trouble > 0.0 {
                format!(" + {pages:.0} x {again:.3} failures x {wait:.1} s")
            } else {
                String::new()
            };
            term(
                "longest chain",
                pages * (latency * tries + again * wait),
                format!(
                    "{pages:.0} pages of {}{more} x {latency:.3} s{waits}",
                    chain.name
                ),
            );
        }
        if conditions.limits {
            let units = work.units() as f64 * tries;
            let (at_once, rate) = (conditions.units_at_once, conditions.units_per_second);
            term(
                "resource units",
                (units - at_once) / rate.max(f64::EPSILON),
                format!("({units:.0} units - {at_once:.0} at once) / {rate:.1} a second"),
            );
        }
        let risk = work.requests(Limited::ConditionalAccess) as f64;
        let spacing = if conditions.limits { 1.0 } else { 0.0 };
        term(
            "Conditional Access and risk",
            (risk * tries - 1.0) * spacing,
            format!("({risk:.0} requests{more} - 1) x {spacing:.0} s"),
        );
        let listed = work
            .of_kind(Limited::ConditionalAccess)
            .map(Chain::longest)
            .max();
        let pages = listed.unwrap_or(0) as f64;
        term(
            "chain of risky users",
            pages * (latency * tries + again * wait),
            format!("{pages:.0} pages{more} x {latency:.3} s"),
        );
        let reports = work.requests(Limited::Reports) as f64;
        if reports > 0.0 && conditions.limits {
            term(
                "reports",
                (reports * tries - 5.0) * 2.0,
                format!("({reports:.0} requests{more} - 5) x 2 s"),
            );
        }
        let pages = work.of_kind(Limited::Reports).map(Chain::longest).max();
        if let Some(pages) = pages {
            let pages = pages as f64;
            term(
                "chain of reports",
                pages * (latency * tries + again * wait),
                format!("{pages:.0} pages{more} x {latency:.3} s"),
            );
        }
        if let Some((bytes, rate)) = conditions.bytes {
            term(
                "bytes",
                bytes / rate.max(f64::EPSILON),
                format!("{:.1} MB / {:.1} MB a second", bytes / 1e6, rate / 1e6),
            );
        }
        Self { terms }
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
        let wall = self.wall().map(|term| term.name);
        for Term {
            name,
            arithmetic,
            seconds,
        } in &self.terms
        {
            let mark = if wall == Some(*name) {
                "  <- the wall"
            } else {
                ""
            };
            writeln!(f, "{name:>28} {seconds:>9.2} s = {arithmetic}{mark}")?;
        }
        Ok(())
    }
}
