//! Where sign-ins come from, as far as named locations tell places apart.
//!
//! **Promise.** [`Networks`] splits all places into four dimensions of finitely many classes: IP address, country of the address,
//! country by GPS, compliant network. Two places of one class are the same to every named location that was read. Every combination
//! is possible: which country an address maps to is not in the configuration. What cannot be read is never guessed: a [`Place`] has
//! what lies in it for certain and what may.
//!
//! Facts: Microsoft's page "Conditional Access: Network assignment" and the Graph types `ipNamedLocation`, `countryNamedLocation`
//! and, in beta, `compliantNetworkNamedLocation`. Knows no policy: whether a place is included or excluded is the caller's affair.

mod addresses;
#[cfg(test)]
mod tests;

use super::bits::Bits;
use crate::snapshot::model::NamedLocation;
use crate::snapshot::{Guid, Untrusted};
use addresses::{Addresses, Range};
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Addresses that lie in the same IP locations.
pub(super) const IP: usize = 0;
/// The country that the address maps to.
pub(super) const IP_COUNTRY: usize = 1;
/// The country that the Authenticator app reports.
pub(super) const GPS_COUNTRY: usize = 2;
/// Whether the sign-in comes through Global Secure Access: no (0) or yes (1).
pub(super) const COMPLIANT_NETWORK: usize = 3;
/// How many dimensions there are.
#[cfg(test)]
pub(super) const DIMENSIONS: usize = 4;

/// The id by which policies mean every compliant network, listed or not.
pub(super) const ALL_COMPLIANT_NETWORKS: &str = "3d46dbda-8382-466a-856d-eb00cbc6b910";

/// Where a sign-in is in one of the listed sets, each of one dimension: their union.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Place {
    /// Lies there for certain.
    pub(super) must: Vec<(usize, Bits)>,
    /// May lie there; what is in `must` among them.
    pub(super) may: Vec<(usize, Bits)>,
}

/// How a country location looks the country up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lookup {
    Ip,
    Gps,
}

/// What one named location says.
enum Reading {
    /// Addresses: the member with this number.
    Addresses(usize),
    Countries {
        lookup: Lookup,
        codes: BTreeSet<String>,
        unknown: bool,
    },
    CompliantNetwork,
    /// Of an unknown type, or with a part that is missing or makes no sense.
    Unreadable,
}

/// The countries that some location of one lookup names, in order. The two classes after them are any other country, and none known.
struct Countries(Vec<String>);

impl Countries {
    fn size(&self) -> usize {
        self.0.len() + 2
    }

    fn other(&self) -> usize {
        self.0.len()
    }

    fn none(&self) -> usize {
        self.0.len() + 1
    }

    fn class(&self, code: &str) -> usize {
        if code.trim().is_empty() {
            return self.none();
        }
        let code = country(code);
        self.0.binary_search(&code).unwrap_or(self.other())
    }

    fn label(&self, class: usize) -> String {
        match self.0.get(class) {
            Some(code) => Untrusted::from(code.as_str()).for_terminal(),
            None if class == self.other() && self.0.is_empty() => "any country".to_owned(),
            None if class == self.other() => "any other country".to_owned(),
            None => "no known country".to_owned(),
        }
    }

    /// A country of the class; empty if none is known.
    fn example(&self, class: usize) -> String {
        if class == self.none() {
            return String::new();
        }
        let other = || {
            let ordinary = ["NZ", "IS", "UY", "CH", "JP"];
            ordinary.into_iter().find(|code| self.class(code) == class)
        };
        // ZZ is reserved for private use in ISO 3166.
        let code = self.0.get(class).map(String::as_str).or_else(other);
        code.unwrap_or("ZZ").to_owned()
    }
}

/// The classes of places, from all named locations together.
pub(super) struct Networks<'a> {
    locations: &'a [NamedLocation],
    readings: Vec<Reading>,
    by_id: BTreeMap<String, usize>,
    addresses: Addresses,
    /// For each member of the addresses, the location it is; none for the trusted addresses of multifactor authentication.
    members: Vec<Option<usize>>,
    ip_countries: Countries,
    gps_countries: Countries,
}

impl<'a> Networks<'a> {
    /// Reads all named locations. `mfa_trusted_ips` are the trusted addresses in the old service settings of multifactor
    /// authentication, which Graph does not give: `AllTrusted` counts them in.
    pub(super) fn read(locations: &'a [NamedLocation], mfa_trusted_ips: &[IpNet]) -> Self {
        let mut ranges: Vec<Vec<Range>> = Vec::new();
        let mut members = Vec::new();
        let mut readings = Vec::new();
        for (index, location) in locations.iter().enumerate() {
            let reading = if is_type(location, "ipNamedLocation") {
                addresses_of(location).map(|found| {
                    ranges.push(found);
                    members.push(Some(index));
                    Reading::Addresses(ranges.len() - 1)
                })
            } else if is_type(location, "countryNamedLocation") {
                countries_of(location)
            } else {
                is_type(location, "compliantNetworkNamedLocation")
                    .then_some(Reading::CompliantNetwork)
            };
            readings.push(reading.unwrap_or(Reading::Unreadable));
        }
        ranges.push(mfa_trusted_ips.iter().copied().map(Range::from).collect());
        members.push(None);
        let named = |wanted: Lookup| {
            let codes: BTreeSet<&String> = readings
                .iter()
                .filter_map(|reading| match reading {
                    Reading::Countries { lookup, codes, .. } if *lookup == wanted => Some(codes),
                    _ => None,
                })
                .flatten()
                .collect();
            Countries(codes.into_iter().cloned().collect())
        };
        let (ip_countries, gps_countries) = (named(Lookup::Ip), named(Lookup::Gps));
        let mut by_id = BTreeMap::new();
        for (index, location) in locations.iter().enumerate() {
            if let Some(id) = location.id {
                by_id.entry(id.to_string()).or_insert(index);
            }
        }
        Self {
            locations,
            readings,
            by_id,
            addresses: Addresses::read(&ranges),
            members,
            ip_countries,
            gps_countries,
        }
    }

    /// How many classes a dimension has.
    pub(super) fn size(&self, dim: usize) -> usize {
        match dim {
            IP => self.addresses.len(),
            IP_COUNTRY => self.ip_countries.size(),
            GPS_COUNTRY => self.gps_countries.size(),
            _ => 2,
        }
    }

    /// A class in plain words, inert on a terminal.
    pub(super) fn label(&self, dim: usize, class: usize) -> String {
        match dim {
            IP => self.address_label(class),
            IP_COUNTRY => format!("{} (by IP address)", self.ip_countries.label(class)),
            GPS_COUNTRY => format!("{} (by GPS)", self.gps_countries.label(class)),
            _ if class == 0 => "outside the compliant network".to_owned(),
            _ => "through the compliant network".to_owned(),
        }
    }

    fn address_label(&self, class: usize) -> String {
        let mut names: Vec<String> = self
            .locations_of(class)
            .into_iter()
            .filter_map(|index| self.locations.get(index))
            .map(|location| format!("'{}'", name(location)))
            .collect();
        if self.is_mfa_trusted(class) {
            names.push("the trusted IPs of multifactor authentication".to_owned());
        }
        if names.is_empty() {
            return "outside every named IP location".to_owned();
        }
        format!("in {}", names.join(" and "))
    }

    /// One address of a class of [`IP`]: public and ordinary if the class has such a one.
    pub(super) fn ip_example(&self, class: usize) -> Option<IpAddr> {
        self.addresses.example(class)
    }

    /// A country code of a class of [`IP_COUNTRY`]; empty if none is known.
    pub(super) fn ip_country_example(&self, class: usize) -> String {
        self.ip_countries.example(class)
    }

    /// A country code of a class of [`GPS_COUNTRY`]; empty if none is known.
    pub(super) fn gps_country_example(&self, class: usize) -> String {
        self.gps_countries.example(class)
    }

    /// Which of the locations, by their place in the list, the addresses of a class lie in.
    pub(super) fn locations_of(&self, ip_class: usize) -> Vec<usize> {
        let members = self.addresses.members(ip_class);
        members
            .filter_map(|member| self.members.get(member).copied().flatten())
            .collect()
    }

    /// Whether the addresses of a class are trusted by the service settings of multifactor authentication.
    pub(super) fn is_mfa_trusted(&self, ip_class: usize) -> bool {
        self.addresses
            .members(ip_class)
            .any(|member| self.members.get(member) == Some(&None))
    }

    /// The class of an address.
    pub(super) fn ip_class(&self, address: IpAddr) -> usize {
        self.addresses.class(address)
    }

    /// The class of a country that an address maps to, by its ISO 3166 code; empty if none is known.
    pub(super) fn ip_country_class(&self, code: &str) -> usize {
        self.ip_countries.class(code)
    }

    /// The class of a country that the Authenticator app reports, by its ISO 3166 code; empty if none is known.
    pub(super) fn gps_country_class(&self, code: &str) -> usize {
        self.gps_countries.class(code)
    }

    /// What a word of `includeLocations` or `excludeLocations` stands for: `All`, `AllTrusted`, or the id of a location.
    pub(super) fn place(&self, word: &str) -> Place {
        let word = word.trim();
        if word.eq_ignore_ascii_case("All") {
            return exactly(self.everywhere());
        }
        if word.eq_ignore_ascii_case("AllTrusted") {
            return self.all_trusted();
        }
        let id = word.parse::<Guid>().map(|id| id.to_string());
        let id = id.as_deref().unwrap_or_default();
        if id == ALL_COMPLIANT_NETWORKS {
            return exactly(compliant_network());
        }
        let reading = self.by_id.get(id).and_then(|&at| self.readings.get(at));
        match reading {
            Some(Reading::Addresses(member)) => exactly(self.addresses(|other| other == *member)),
            Some(Reading::CompliantNetwork) => exactly(compliant_network()),
            Some(Reading::Countries {
                lookup,
                codes,
                unknown,
            }) => {
                let (dim, countries) = match lookup {
                    Lookup::Ip => (IP_COUNTRY, &self.ip_countries),
                    Lookup::Gps => (GPS_COUNTRY, &self.gps_countries),
                };
                let mut set = Bits::none(countries.size());
                for code in codes {
                    set.insert(countries.class(code));
                }
                if *unknown {
                    set.insert(countries.none());
                }
                exactly(some(dim, set))
            }
            Some(Reading::Unreadable) | None => Place {
                must: Vec::new(),
                may: self.everywhere(),
            },
        }
    }

    fn everywhere(&self) -> Vec<(usize, Bits)> {
        vec![(IP, Bits::all(self.size(IP)))]
    }

    /// Addresses that lie in some member of which the closure says yes.
    fn addresses(&self, wanted: impl Fn(usize) -> bool) -> Vec<(usize, Bits)> {
        let lies = |class| self.addresses.members(class).any(&wanted);
        some(IP, Bits::of(self.size(IP), lies))
    }

    /// Trusted IP locations and the trusted addresses of multifactor authentication. Of other locations that say they are trusted
    /// nobody knows whether they count.
    fn all_trusted(&self) -> Place {
        let trusted = |index: usize| {
            let location = self.locations.get(index);
            location.is_some_and(|location| location.is_trusted == Some(true))
        };
        let must = self.addresses(|member| {
            let location = self.members.get(member).copied().flatten();
            location.is_none_or(trusted)
        });
        let mut may = must.clone();
        for (index, reading) in self.readings.iter().enumerate() {
            match reading {
                Reading::Unreadable if trusted(index) => may = self.everywhere(),
                Reading::CompliantNetwork if trusted(index) => may.extend(compliant_network()),
                _ => {}
            }
        }
        may.dedup();
        Place { must, may }
    }
}

fn exactly(union: Vec<(usize, Bits)>) -> Place {
    Place {
        must: union.clone(),
        may: union,
    }
}

/// A set as a union; nothing if it is empty.
fn some(dim: usize, set: Bits) -> Vec<(usize, Bits)> {
    if set.is_empty() {
        Vec::new()
    } else {
        vec![(dim, set)]
    }
}

fn compliant_network() -> Vec<(usize, Bits)> {
    vec![(COMPLIANT_NETWORK, Bits::one(2, 1))]
}

/// Its name, or its id where it has none.
fn name(location: &NamedLocation) -> String {
    let named = location
        .display_name
        .as_ref()
        .filter(|name| !name.is_blank());
    match (named, location.id) {
        (Some(name), _) => name.for_terminal(),
        (None, Some(id)) => id.to_string(),
        (None, None) => "a location without a name".to_owned(),
    }
}

fn is_type(location: &NamedLocation, wanted: &str) -> bool {
    let given = location.odata_type.as_ref().map_or("", Untrusted::raw);
    let given = given.strip_prefix('#').unwrap_or(given);
    given
        .strip_prefix("microsoft.graph.")
        .is_some_and(|given| given.eq_ignore_ascii_case(wanted))
}

/// All ranges of an IP location; `None` if one makes no sense or there is no list.
fn addresses_of(location: &NamedLocation) -> Option<Vec<Range>> {
    let ranges = location.ip_ranges.as_ref()?.iter();
    ranges
        .map(|range| Range::parse(range.cidr_address.as_ref()?.raw()))
        .collect()
}

/// The countries of a location; `None` if the list is missing or the lookup is unknown.
fn countries_of(location: &NamedLocation) -> Option<Reading> {
    let lookup = match &location.country_lookup_method {
        None => Lookup::Ip, // what Graph says of a location that does not say
        Some(method) if method.is("clientIpAddress") => Lookup::Ip,
        Some(method) if method.is("authenticatorAppGps") => Lookup::Gps,
        Some(_) => return None,
    };
    let codes = location.countries_and_regions.as_ref()?.iter();
    Some(Reading::Countries {
        lookup,
        codes: codes
            .filter(|code| !code.is_blank())
            .map(|code| country(code.raw()))
            .collect(),
        unknown: location.include_unknown_countries_and_regions == Some(true),
    })
}

fn country(code: &str) -> String {
    code.trim().to_ascii_uppercase()
}
