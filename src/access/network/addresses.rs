//! Addresses that lie in the same ranges.

use crate::access::bits::Bits;
use ipnet::IpNet;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Addresses of one version, first and last, both in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    version: Version,
    first: u128,
    last: u128,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Version {
    V4,
    V6,
}

/// IPv4 addresses written as IPv6 (RFC 4291, section 2.5.5.2). They are IPv4 addresses here.
const MAPPED_FIRST: u128 = 0xffff << 32;
const MAPPED_LAST: u128 = MAPPED_FIRST | 0xffff_ffff;

impl Range {
    /// A range as `192.0.2.0/24`, or one address alone.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let net = text.parse::<IpNet>().ok();
        let alone = || text.parse::<IpAddr>().ok().map(IpNet::from);
        net.or_else(alone).map(Self::from)
    }
}

impl From<IpNet> for Range {
    /// Bits beyond the prefix do not count.
    fn from(net: IpNet) -> Self {
        let (first, last) = (number(net.network()).1, number(net.broadcast()).1);
        match net {
            IpNet::V6(_) if first >= MAPPED_FIRST && last <= MAPPED_LAST => Self {
                version: Version::V4,
                first: first - MAPPED_FIRST,
                last: last - MAPPED_FIRST,
            },
            IpNet::V4(_) => Self {
                version: Version::V4,
                first,
                last,
            },
            IpNet::V6(_) => Self {
                version: Version::V6,
                first,
                last,
            },
        }
    }
}

fn number(address: IpAddr) -> (Version, u128) {
    match address {
        IpAddr::V4(address) => (Version::V4, u128::from(address.to_bits())),
        IpAddr::V6(address) => (Version::V6, address.to_bits()),
    }
}

impl Version {
    fn address(self, number: u128) -> IpAddr {
        match self {
            // Numbers of this version are never greater; if one were, it would end up as the last address.
            Self::V4 => Ipv4Addr::from_bits(u32::try_from(number).unwrap_or(u32::MAX)).into(),
            Self::V6 => Ipv6Addr::from_bits(number).into(),
        }
    }

    /// All addresses there are, as stretches.
    fn universe(self) -> &'static [(u128, u128)] {
        match self {
            Self::V4 => &[(0, 0xffff_ffff)],
            Self::V6 => &[(0, MAPPED_FIRST - 1), (MAPPED_LAST + 1, u128::MAX)],
        }
    }

    /// Stretches of addresses that are nobody's on the internet, in order (IANA's registries of special-purpose addresses).
    fn special(self) -> &'static [(u128, u128)] {
        match self {
            Self::V4 => &[
                (0x0000_0000, 0x00ff_ffff), // this network
                (0x0a00_0000, 0x0aff_ffff), // private
                (0x6440_0000, 0x647f_ffff), // shared by carriers
                (0x7f00_0000, 0x7fff_ffff), // loopback
                (0xa9fe_0000, 0xa9fe_ffff), // link-local
                (0xac10_0000, 0xac1f_ffff), // private
                (0xc000_0000, 0xc000_00ff), // protocol assignments
                (0xc000_0200, 0xc000_02ff), // documentation
                (0xc058_6300, 0xc058_63ff), // 6to4 relays
                (0xc0a8_0000, 0xc0a8_ffff), // private
                (0xc612_0000, 0xc613_ffff), // benchmarks
                (0xc633_6400, 0xc633_64ff), // documentation
                (0xcb00_7100, 0xcb00_71ff), // documentation
                (0xe000_0000, 0xffff_ffff), // multicast and reserved
            ],
            Self::V6 => &[
                (0, (0x2000 << 112) - 1),                     // not global unicast
                (0x2001 << 112, (0x2001_0200 << 96) - 1),     // protocol assignments
                (0x2001_0db8 << 96, (0x2001_0db9 << 96) - 1), // documentation
                (0x2002 << 112, (0x2003 << 112) - 1),         // 6to4
                (0x3fff << 112, (0x3fff_1000 << 96) - 1),     // documentation
                (0x4000 << 112, u128::MAX),                   // not global unicast
            ],
        }
    }

    /// The first address of a stretch that is in no special one; not one that ends in zero if the next will do.
    fn ordinary(self, first: u128, last: u128) -> Option<u128> {
        let mut at = first;
        for &(from, to) in self.special() {
            if from <= at && at <= to {
                at = to.checked_add(1)?;
            }
        }
        let next = at
            .checked_add(1)
            .filter(|next| *next <= last && at.trailing_zeros() >= 8);
        (at <= last).then_some(next.unwrap_or(at))
    }
}

/// One set of addresses with the same members.
#[derive(Debug, Clone)]
struct Class {
    members: Bits,
    example: IpAddr,
    /// How good the example is: the greater the better.
    rank: u8,
}

/// The classes of all addresses by the sets of ranges they lie in.
pub(super) struct Addresses {
    classes: Vec<Class>,
    /// Where stretches begin and which class they are, by version; a stretch ends where the next begins.
    stretches: BTreeMap<(Version, u128), usize>,
}

impl Addresses {
    /// Each member is a list of ranges, which may overlap.
    pub(super) fn read(members: &[Vec<Range>]) -> Self {
        let mut found = Self {
            classes: Vec::new(),
            stretches: BTreeMap::new(),
        };
        let mut by_members = BTreeMap::new();
        for version in [Version::V4, Version::V6] {
            for &(first, last) in version.universe() {
                found.sweep(version, first, last, members, &mut by_members);
            }
        }
        found
    }

    /// Goes through one stretch of all addresses from end to end.
    fn sweep(
        &mut self,
        version: Version,
        first: u128,
        last: u128,
        members: &[Vec<Range>],
        by_members: &mut BTreeMap<Bits, usize>,
    ) {
        // At each address where something changes: who begins there, who has ended just before.
        let mut changes: BTreeMap<u128, Vec<(usize, bool)>> = BTreeMap::from([(first, vec![])]);
        for (member, ranges) in members.iter().enumerate() {
            let here = |range: &&Range| {
                range.version == version && range.first <= last && range.last >= first
            };
            for range in ranges.iter().filter(here) {
                let begin = changes.entry(range.first.max(first)).or_default();
                begin.push((member, true));
                if range.last < last {
                    changes
                        .entry(range.last + 1)
                        .or_default()
                        .push((member, false));
                }
            }
        }
        let mut depth = vec![0_usize; members.len()];
        let mut inside = Bits::none(members.len());
        let mut changes = changes.into_iter().peekable();
        while let Some((from, here)) = changes.next() {
            for &(member, begins) in &here {
                if begins {
                    depth[member] += 1;
                } else {
                    depth[member] -= 1;
                }
            }
            for (member, _) in here {
                if depth[member] > 0 {
                    inside.insert(member);
                } else {
                    inside.remove(member);
                }
            }
            let to = changes.peek().map_or(last, |(next, _)| next - 1);
            let class = *by_members
                .entry(inside.clone())
                .or_insert(self.classes.len());
            self.stretches.insert((version, from), class);
            self.improve(class, &inside, version, from, to);
        }
    }

    /// Adds the class if it is new, and takes an example from the stretch if that is a better one.
    fn improve(&mut self, class: usize, members: &Bits, version: Version, from: u128, to: u128) {
        let ordinary = version.ordinary(from, to);
        let rank = 2 * u8::from(ordinary.is_some()) + u8::from(version == Version::V4);
        let example = version.address(ordinary.unwrap_or(from));
        match self.classes.get_mut(class) {
            Some(known) if known.rank >= rank => {}
            Some(known) => (known.example, known.rank) = (example, rank),
            None => self.classes.push(Class {
                members: members.clone(),
                example,
                rank,
            }),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.classes.len()
    }

    /// The class of an address; IPv4 written as IPv6 is IPv4.
    pub(super) fn class(&self, address: IpAddr) -> usize {
        let key = number(address.to_canonical());
        let stretch = self.stretches.range(..=key).next_back();
        stretch.map_or(0, |(_, class)| *class)
    }

    pub(super) fn example(&self, class: usize) -> Option<IpAddr> {
        self.classes.get(class).map(|class| class.example)
    }

    /// The members that the addresses of a class lie in.
    pub(super) fn members(&self, class: usize) -> impl Iterator<Item = usize> {
        let class = self.classes.get(class);
        class.into_iter().flat_map(|class| class.members.iter())
    }
}
