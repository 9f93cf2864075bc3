//! What the latest answers of a service say together: was that refusal chance, or is the service out of quota?

/// The latest answers, one bit each, newest lowest.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Recent {
    refused: u64,
    strained: u64,
    /// Failures of the service (502, 503, 504) since its last other answer.
    failing: u32,
}

/// So many failures in a row are no longer chance.
const FAILING: u32 = 6;
/// So many refusals in a row are none either.
const REFUSED: u32 = 5;
/// A refusal within so many answers of another is no chance where the service is asked once a second and never says why.
const SOON: u64 = 0x1fe;
/// For how many answers a warning ("80 % used") counts.
const WARNING: u64 = 0xffff;

impl Recent {
    pub(super) fn good(&mut self, strained: bool) {
        self.push(false, strained);
        self.failing = 0;
    }

    pub(super) fn refused(&mut self, strained: bool) {
        self.push(true, strained);
        self.failing = 0;
    }

    pub(super) fn failing(&mut self) {
        self.failing = self.failing.saturating_add(1);
    }

    fn push(&mut self, refused: bool, strained: bool) {
        self.refused = self.refused << 1 | u64::from(refused);
        self.strained = self.strained << 1 | u64::from(strained);
    }

    /// Whether a refusal that came just now means the whole service: a quarter of the latest answers were refusals, or the latest
    /// few all were, or one of the latest carried a warning.
    ///
    /// The latest 16 answers of a slow service, 64 of a fast one. When one request in ten is refused by chance, a quarter of 16 is
    /// passed often, a quarter of 64 hardly ever; and a slow service cannot wait for 64.
    pub(super) fn is_throttled(self, fast: bool) -> bool {
        let window = if fast { 64 } else { 16 };
        let refused = self.refused << (64 - window);
        refused.count_ones() * 4 >= window
            || self.refused.trailing_ones() >= REFUSED
            || self.strained & WARNING != 0
    }

    /// Whether one of the answers shortly before the latest was a refusal.
    pub(super) fn was_refused_before(self) -> bool {
        self.refused & SOON != 0
    }

    /// Whether the service has failed so often in a row that it should be left alone for a while.
    pub(super) fn is_down(self) -> bool {
        self.failing >= FAILING
    }
}
