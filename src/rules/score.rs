//! The risk of a finding, in integers: two machines always agree.

use serde::Serialize;

use super::Risk;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Below 5.
    Info,
    /// 5 and more.
    Low,
    /// 18 and more.
    Medium,
    /// 40 and more.
    High,
    /// 70 and more.
    Critical,
}

impl Severity {
    /// All of them, worst first.
    pub const ALL: [Self; 5] = [
        Self::Critical,
        Self::High,
        Self::Medium,
        Self::Low,
        Self::Info,
    ];

    /// The severity of a score.
    pub const fn of(score: u32) -> Self {
        match score {
            70.. => Self::Critical,
            40..=69 => Self::High,
            18..=39 => Self::Medium,
            5..=17 => Self::Low,
            0..=4 => Self::Info,
        }
    }

    /// Its word in reports.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Info => "info",
        }
    }
}

/// A score with the parts it was made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RiskScore {
    /// R, 0 to 100.
    pub score: u32,
    /// E, I and T of the rule.
    pub risk: Risk,
    /// G: 40, 50, 60, 80 or 100.
    pub reach: u32,
    /// C in percent.
    pub confidence: u8,
}

impl Risk {
    /// R = floor(100 E I (7 + T) / 160), then floored after each of reach and confidence.
    pub fn score(self, reach: u32, confidence: u8) -> RiskScore {
        let Self(exposure, impact, threat) = self;
        let base = 100 * u32::from(exposure) * u32::from(impact) * (7 + u32::from(threat)) / 160;
        let score = base * reach / 100 * u32::from(confidence) / 100;
        RiskScore {
            score,
            risk: self,
            reach,
            confidence,
        }
    }

    /// The score at full reach and confidence.
    pub fn full(self) -> u32 {
        self.score(100, 100).score
    }
}

/// G: the share of the population that is affected, concave and floored; any tier-0 object makes it full.
pub fn reach(affected: u64, judged: u64, tier_0: bool) -> u32 {
    if tier_0 || judged == 0 || affected >= judged {
        return 100;
    }
    let share = |percent: u128| u128::from(affected) * 100 < u128::from(judged) * percent;
    if share(1) {
        40
    } else if share(5) {
        50
    } else if share(25) {
        60
    } else if share(75) {
        80
    } else {
        100
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_examples_come_out() {
        // design: IA-02 100, IA-06 75, IA-12 56, IA-01 20, CS-07 17.
        let examples = [
            (Risk(4, 4, 3), 100),
            (Risk(4, 3, 3), 75),
            (Risk(3, 3, 3), 56),
            (Risk(1, 4, 1), 20),
            (Risk(2, 2, 0), 17),
        ];
        for (risk, expected) in examples {
            assert_eq!(risk.full(), expected, "{risk:?}");
        }
    }

    #[test]
    fn every_step_is_floored() {
        assert_eq!(Risk(4, 3, 3).score(60, 80).score, 36, "75 -> 45 -> 36");
        assert_eq!(Risk(3, 3, 3).score(50, 60).score, 16, "56 -> 28 -> 16");
    }

    #[test]
    fn reach_changes_at_its_boundaries() {
        let cases = [
            (0, 100, 40),
            (1, 101, 40),
            (1, 100, 50),
            (4, 100, 50),
            (5, 100, 60),
            (24, 100, 60),
            (25, 100, 80),
            (74, 100, 80),
            (75, 100, 100),
            (100, 100, 100),
            (1, 0, 100),
        ];
        for (affected, judged, expected) in cases {
            assert_eq!(
                reach(affected, judged, false),
                expected,
                "{affected} of {judged}"
            );
        }
        assert_eq!(reach(1, 1_000_000, true), 100);
    }

    #[test]
    fn severities_change_at_their_boundaries() {
        let cases = [
            (100, "critical"),
            (70, "critical"),
            (69, "high"),
            (40, "high"),
            (39, "medium"),
            (18, "medium"),
            (17, "low"),
            (5, "low"),
            (4, "info"),
            (0, "info"),
        ];
        for (score, word) in cases {
            assert_eq!(Severity::of(score).word(), word, "{score}");
        }
    }
}
