//! What a rule is.

use super::{Context, Verdict};
use crate::snapshot::{self, Resource};

/// One rule: everything about it that is known before any tenant is.
#[derive(Debug)]
pub struct Rule {
    /// Kebab-case, names the condition found, stable for ever.
    pub id: &'static str,
    /// One line of the finding.
    pub title: &'static str,
    /// Why it matters: the doc comment of the rule, paragraph by paragraph.
    pub docs: &'static [&'static str],
    /// Which of the five areas it belongs to.
    pub area: Area,
    /// Which share of the catalogue it belongs to.
    pub tier: Tier,
    /// What kind of judgement it is.
    pub kind: Kind,
    /// Who sets the control: the customer, or Microsoft's default that the customer can undo.
    pub side: Side,
    /// Exposure, impact and threat.
    pub risk: Risk,
    /// How surely the data answers the question, in percent; an outcome may lower it.
    pub confidence: u8,
    /// What fixing takes.
    pub effort: EffortBySize,
    /// Who notices the fix.
    pub disruption: Disruption,
    /// Rules that must be in order first.
    pub after: &'static [&'static str],
    /// What the tenant must own for the control to exist at all.
    pub licence: Licence,
    /// The protection whose use this rule measures, for rules of kind entitlement.
    pub protection: Option<Protection>,
    /// What the verdict rests on: each must have been read, and to its end for a pass.
    pub reads: &'static [Resource],
    /// What the verdict may rest on in some tenants only, or shows as evidence: the check decides.
    pub may_read: &'static [Resource],
    /// Ids in published frameworks.
    pub controls: &'static [Control],
    /// What is compared with what.
    pub evidence: Expected,
    /// What to do about it.
    pub remediation: Remediation,
    /// A sign of compromise rather than of posture: stands above the plan, never in a bucket.
    pub act_now: bool,
    /// The judgement itself.
    pub check: fn(&Context<'_>) -> Verdict,
}

/// One of the five areas of shared responsibility that the customer owns.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Area {
    /// Identity and access.
    Identity,
    /// Data protection.
    Data,
    /// Collaboration and sharing controls.
    Sharing,
    /// Device posture.
    Devices,
    /// Monitoring and response ownership.
    Monitoring,
}

impl Area {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 5] = [
        Self::Identity,
        Self::Data,
        Self::Sharing,
        Self::Devices,
        Self::Monitoring,
    ];

    /// Its key in flags, configuration and reports.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Data => "data",
            Self::Sharing => "sharing",
            Self::Devices => "devices",
            Self::Monitoring => "monitoring",
        }
    }

    /// Its name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "Identity and access",
            Self::Data => "Data protection",
            Self::Sharing => "Collaboration and sharing controls",
            Self::Devices => "Device posture",
            Self::Monitoring => "Monitoring and response ownership",
        }
    }
}

/// Which share of the catalogue a rule belongs to.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Carries the report and the plan.
    Core,
    /// The complete product.
    Standard,
    /// Stricter readings, narrow features, undocumented sources.
    Extended,
}

/// What kind of judgement a rule makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One setting, one verdict.
    Setting,
    /// Objects judged one by one.
    Population,
    /// A guarantee over all sign-ins.
    Analyzer,
    /// A protection that is owned, and whether it is used.
    Entitlement,
    /// Names in the configuration.
    Owners,
}

/// Who sets the control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The customer alone.
    Customer,
    /// Microsoft sets a default that the tenant can undo.
    Shared,
}

/// Exposure (1 to 4), impact (1 to 4) and threat (0 to 3).
///
/// Exposure: 4 no foothold needed, 3 one act of a victim, 2 an ordinary session, 1 privilege or accident.
/// Impact: 4 the tenant, 3 money or bulk data, 2 one mailbox or blindness, 1 hygiene.
/// Threat: 3 observed at mass now, 2 in named campaigns (both on a dated observation), 1 plausible, 0 compliance only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Risk(pub u8, pub u8, pub u8);

/// What a fix takes: S up to 2 hours, M up to 3 days, L up to 3 weeks elapsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub enum Effort {
    /// Up to 2 hours.
    S,
    /// Up to 3 days.
    M,
    /// Up to 3 weeks elapsed.
    L,
}

/// Effort by size of the tenant: up to 300 seats, up to 3,000, more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EffortBySize(pub Effort, pub Effort, pub Effort);

impl Effort {
    /// The same whatever the size.
    pub const fn always(self) -> EffortBySize {
        EffortBySize(self, self, self)
    }
}

impl EffortBySize {
    /// The effort in a tenant with so many seats.
    pub const fn for_seats(self, seats: u64) -> Effort {
        match seats {
            0..=300 => self.0,
            301..=3_000 => self.1,
            _ => self.2,
        }
    }
}

/// Who notices a fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Disruption {
    /// 0: nobody.
    Nobody,
    /// 1: administrators, or a few people.
    Admins,
    /// 2: many users see a change.
    Users,
    /// 3: work can stop.
    WorkStops,
}

impl Disruption {
    /// 0 to 3.
    pub const fn level(self) -> u8 {
        self as u8
    }
}

/// What the tenant must own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Licence {
    /// Nothing beyond a tenant.
    Any,
    /// One of these service plans, by name in Microsoft's licensing list.
    OneOf(&'static [&'static str]),
}

impl Licence {
    /// Entra ID P1 (P2 includes it).
    pub const ENTRA_P1: Self = Self::OneOf(snapshot::Licence::EntraP1.plans());
    /// Entra ID P2.
    pub const ENTRA_P2: Self = Self::OneOf(snapshot::Licence::EntraP2.plans());
    /// Entra ID P2 or Entra ID Governance: Privileged Identity Management.
    pub const PIM: Self = Self::OneOf(snapshot::Licence::EntraP2OrGovernance.plans());
    /// Intune.
    pub const INTUNE: Self = Self::OneOf(snapshot::Licence::Intune.plans());
    /// Any workload of Defender XDR.
    pub const DEFENDER: Self = Self::OneOf(snapshot::Licence::Defender.plans());

    /// The plans that would do; empty for [`Licence::Any`].
    pub const fn plans(self) -> &'static [&'static str] {
        match self {
            Self::Any => &[],
            Self::OneOf(plans) => plans,
        }
    }
}

/// A protection that a licence gives, for the list of what is owned and not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Protection {
    /// Its name for people: `Conditional Access`.
    pub name: &'static str,
}

/// An id in a published framework, exactly as published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Control {
    /// CIS Microsoft 365 Foundations Benchmark 7.0; by number, never by text.
    Cis7(&'static str),
    /// CIS Microsoft 365 Foundations Benchmark 6.0.
    Cis6(&'static str),
    /// CISA `SCuBA` secure configuration baselines.
    Scuba(&'static str),
    /// Entra ID Security Config Analyzer.
    Eidsca(&'static str),
    /// Maester.
    Maester(&'static str),
    /// MITRE ATT&CK technique.
    MitreAttack(&'static str),
    /// NIST Cybersecurity Framework 2.0.
    NistCsf2(&'static str),
}

/// What is compared with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// Where the property is read from; `None` for the configuration file.
    pub source: Option<Resource>,
    /// The property, under Graph's name.
    pub property: &'static str,
    /// What it should be.
    pub expected: &'static str,
}

/// What to do about a finding. Nothing here is ever sent: requests are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remediation {
    /// What changes, in one sentence.
    pub summary: &'static str,
    /// Who notices, and how.
    pub notices: &'static str,
    /// What to look at first: who would be hit.
    pub check_first: &'static str,
    /// One step each, in order.
    pub steps: &'static [&'static str],
    /// The page of the portal: `Entra admin center > Protection > Conditional Access`.
    pub portal: &'static str,
    /// The Graph request that would do it, shown and never sent; empty where there is none.
    pub request: &'static str,
    /// Pilot, report-only, soak days.
    pub roll_out: &'static str,
    /// What the next scan must show.
    pub verify: &'static str,
    /// The exact reverse.
    pub roll_back: &'static str,
    /// What can go wrong.
    pub dangers: &'static [Danger],
    /// Microsoft's own pages.
    pub learn: &'static [&'static str],
}

/// What can go wrong with a fix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Danger {
    /// Administrators may lock themselves out.
    CanLockOut,
    /// Applications or scripts may stop.
    BreaksIntegrations,
    /// Devices may stop.
    BreaksDevices,
    /// Everybody sees it.
    VisibleToAll,
}

impl Danger {
    /// Its tag in reports.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::CanLockOut => "can-lock-out",
            Self::BreaksIntegrations => "breaks-integrations",
            Self::BreaksDevices => "breaks-devices",
            Self::VisibleToAll => "visible-to-all",
        }
    }
}

/// Declares one rule: its documentation, its metadata and its check, side by side.
///
/// The doc comment becomes both rustdoc and [`Rule::docs`]. Fields that most rules share have defaults: tier core,
/// confidence 100, side customer, nothing comes first, no optional reads, no protection, not a sign of compromise.
macro_rules! declare_rule {
    (
        $(#[doc = $doc:literal])+
        $visibility:vis static $name:ident = { $( $field:ident: $value:expr ),+ $(,)? }
    ) => {
        $(#[doc = $doc])+
        $visibility static $name: $crate::rules::Rule = $crate::rules::Rule {
            docs: &[$($doc),+],
            $( $field: $value, )+
            ..$crate::rules::Rule::DEFAULT
        };
    };
}
pub(crate) use declare_rule;

impl Rule {
    /// What a declaration leaves out. Id, title, area, kind, risk, effort, disruption, licence, reads, controls, evidence,
    /// remediation and check are always given; `tests/rules.rs` asks for them.
    pub(crate) const DEFAULT: Self = Self {
        id: "",
        title: "",
        docs: &[],
        area: Area::Identity,
        tier: Tier::Core,
        kind: Kind::Setting,
        side: Side::Customer,
        risk: Risk(0, 0, 0),
        confidence: 100,
        effort: Effort::S.always(),
        disruption: Disruption::Nobody,
        after: &[],
        licence: Licence::Any,
        protection: None,
        reads: &[],
        may_read: &[],
        controls: &[],
        evidence: Expected {
            source: None,
            property: "",
            expected: "",
        },
        remediation: Remediation {
            summary: "",
            notices: "",
            check_first: "",
            steps: &[],
            portal: "",
            request: "",
            roll_out: "",
            verify: "",
            roll_back: "",
            dangers: &[],
            learn: &[],
        },
        act_now: false,
        check: |_| Ok(super::Outcome::not_applicable("the rule has no check")),
    };
}

#[cfg(test)]
mod tests {
    use crate::rules;
    use crate::snapshot::reference::service_plan;

    /// In the clouds of governments a product comes as a plan of its own.
    #[test]
    fn the_plans_of_governments_count_where_the_others_do() {
        let mut counted = 0;
        for rule in rules::registry() {
            let plans = rule.licence.plans();
            for &plan in plans {
                assert!(service_plan(plan).is_some(), "{}: {plan}", rule.id);
                for cloud in ["GOV", "DOD", "GCCHIGH"] {
                    let theirs = format!("{plan}_{cloud}");
                    if service_plan(&theirs).is_some() {
                        counted += 1;
                        assert!(plans.contains(&&*theirs), "{}: {theirs}", rule.id);
                    }
                }
            }
        }
        assert!(counted > 4, "the table knows none");
    }
}
