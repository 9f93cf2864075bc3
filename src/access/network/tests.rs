use super::{
    ALL_COMPLIANT_NETWORKS, COMPLIANT_NETWORK, DIMENSIONS, GPS_COUNTRY, IP, IP_COUNTRY, Networks,
    Place,
};
use crate::access::bits::Bits;
use crate::snapshot::model::NamedLocation;
use ipnet::IpNet;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

fn id(number: u8) -> String {
    format!("00000000-0000-4000-8000-0000000000{number:02x}")
}

fn location(kind: &str, number: u8, more: &Value) -> NamedLocation {
    let mut all = json!({
        "@odata.type": format!("#microsoft.graph.{kind}"),
        "id": id(number),
        "displayName": format!("L{number}"),
    });
    let fields = all.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

fn ip(number: u8, trusted: bool, ranges: &[&str]) -> NamedLocation {
    let ranges: Vec<Value> = ranges
        .iter()
        .map(|range| json!({"cidrAddress": range}))
        .collect();
    location(
        "ipNamedLocation",
        number,
        &json!({"isTrusted": trusted, "ipRanges": ranges}),
    )
}

fn countries(number: u8, more: &Value) -> NamedLocation {
    location("countryNamedLocation", number, more)
}

fn lies(place: &[(usize, Bits)], dim: usize, class: usize) -> bool {
    place
        .iter()
        .any(|(other, set)| *other == dim && set.has(class))
}

/// Whether the address lies in the place for certain; what may lie there is the same.
fn has(networks: &Networks<'_>, word: &str, address: &str) -> bool {
    let place = networks.place(word);
    assert_eq!(place.must, place.may, "{word}");
    lies(&place.must, IP, networks.ip_class(address.parse().unwrap()))
}

fn nothing_for_certain(networks: &Networks<'_>, word: &str) -> bool {
    let everything = vec![(IP, Bits::all(networks.size(IP)))];
    let place = networks.place(word);
    place
        == Place {
            must: vec![],
            may: everything,
        }
}

#[test]
fn addresses_beside_a_range_are_not_in_it() {
    let locations = [
        ip(1, false, &["192.0.2.77/25", "198.51.100.7"]),
        ip(2, true, &["2001:db8:1::/48", "2001:db8:2::1"]),
    ];
    let networks = Networks::read(&locations, &[]);
    for (number, inside, outside) in [
        (
            1,
            ["192.0.2.0", "192.0.2.127"],
            ["192.0.1.255", "192.0.2.128"],
        ),
        (
            1,
            ["198.51.100.7", "::ffff:198.51.100.7"],
            ["198.51.100.6", "198.51.100.8"],
        ),
        (
            2,
            ["2001:db8:1::", "2001:db8:1:ffff:ffff:ffff:ffff:ffff"],
            ["2001:db8:0:ffff:ffff:ffff:ffff:ffff", "2001:db8:2::"],
        ),
        (
            2,
            ["2001:db8:2::1", "2001:db8:2::1"],
            ["2001:db8:2::", "2001:db8:2::2"],
        ),
    ] {
        for address in inside {
            assert!(has(&networks, &id(number), address), "{address}");
        }
        for address in outside {
            assert!(!has(&networks, &id(number), address), "{address}");
        }
    }
    assert_eq!(networks.size(IP), 3);
}

#[test]
fn each_version_speaks_for_itself() {
    let locations = [
        ip(1, false, &["0.0.0.0/0"]),
        ip(2, false, &["::/0"]),
        ip(3, false, &["::ffff:192.0.2.0/120"]),
        ip(4, false, &["::fffe:0:0/95"]),
    ];
    let networks = Networks::read(&locations, &[]);
    for (address, expected) in [
        ("0.0.0.0", [true, false, false, false]),
        ("255.255.255.255", [true, false, false, false]),
        ("192.0.2.255", [true, false, true, false]),
        ("::ffff:192.0.3.0", [true, false, false, false]),
        ("::", [false, true, false, false]),
        (
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            [false, true, false, false],
        ),
        ("::fffe:0:0", [false, true, false, true]),
        ("::1:0:0:0", [false, true, false, false]),
    ] {
        let found = [1, 2, 3, 4].map(|number| has(&networks, &id(number), address));
        assert_eq!(found, expected, "{address}");
    }
}

#[test]
fn overlaps_are_classes_of_their_own_with_public_examples() {
    let locations = [
        ip(1, false, &["10.0.0.0/8", "8.0.0.0/7"]),
        ip(2, true, &["9.0.0.0/8", "10.1.0.0/16", "2001:db8::/32"]),
        ip(3, false, &[]),
    ];
    let networks = Networks::read(&locations, &["9.9.9.9/32".parse().unwrap()]);
    let found: Vec<(String, String)> = (0..networks.size(IP))
        .map(|class| {
            (
                networks.label(IP, class),
                networks.ip_example(class).unwrap().to_string(),
            )
        })
        .collect();
    let expected = [
        ("outside every named IP location", "1.0.0.1"),
        ("in 'L1'", "8.0.0.1"),
        ("in 'L1' and 'L2'", "9.0.0.1"),
        (
            "in 'L1' and 'L2' and the trusted IPs of multifactor authentication",
            "9.9.9.9",
        ),
        ("in 'L2'", "2001:db8::"),
    ];
    assert_eq!(
        found,
        expected.map(|(label, example)| (label.to_owned(), example.to_owned()))
    );
    assert!(networks.is_mfa_trusted(3) && !networks.is_mfa_trusted(2));
    assert_eq!(networks.locations_of(3), [0, 1]);
    assert_eq!(networks.place(&id(3)), Place::default());
    assert!(!networks.label(IP, 9).contains('L'));
}

#[test]
fn all_trusted_is_trusted_addresses_with_those_of_the_service_settings() {
    let open = [
        ip(1, true, &["192.0.2.0/24"]),
        ip(2, false, &["198.51.100.0/24"]),
        countries(
            3,
            &json!({"countriesAndRegions": ["CH"], "isTrusted": true}),
        ),
    ];
    let networks = Networks::read(&open, &["203.0.113.0/24".parse().unwrap()]);
    for (address, trusted) in [
        ("192.0.2.1", true),
        ("198.51.100.1", false),
        ("203.0.113.1", true),
        ("8.8.8.8", false),
    ] {
        assert_eq!(has(&networks, "alltrusted", address), trusted, "{address}");
    }
    assert!(has(&networks, "ALL", "8.8.8.8"));
    assert_eq!(
        Networks::read(&[], &[]).place("AllTrusted"),
        Place::default()
    );
    // Trusted, and nobody knows what it is.
    let unreadable = [open[0].clone(), ip(4, true, &["192.0.2.0/33"])];
    let networks = Networks::read(&unreadable, &[]);
    let place = networks.place("AllTrusted");
    let class = networks.ip_class(Ipv4Addr::new(192, 0, 2, 1).into());
    assert_eq!(place.must, [(IP, Bits::one(2, class))]);
    assert_eq!(place.may, [(IP, Bits::all(2))]);
    let tunnelled = [location(
        "compliantNetworkNamedLocation",
        5,
        &json!({"isTrusted": true}),
    )];
    let place = Networks::read(&tunnelled, &[]).place("AllTrusted");
    assert_eq!((place.must, place.may.len()), (vec![], 1));
}

#[test]
fn countries_are_looked_up_by_address_or_by_gps() {
    let locations = [
        countries(
            1,
            &json!({"countriesAndRegions": ["CH", "de"], "countryLookupMethod": "clientIpAddress"}),
        ),
        countries(
            2,
            &json!({"countriesAndRegions": ["DE"], "includeUnknownCountriesAndRegions": true}),
        ),
        countries(
            3,
            &json!({"countriesAndRegions": ["NZ"], "countryLookupMethod": "authenticatorAppGps"}),
        ),
    ];
    let networks = Networks::read(&locations, &[]);
    assert_eq!(
        (networks.size(IP_COUNTRY), networks.size(GPS_COUNTRY)),
        (4, 3)
    );
    let by_ip = |number, code: &str| {
        lies(
            &networks.place(&id(number)).must,
            IP_COUNTRY,
            networks.ip_country_class(code),
        )
    };
    let by_gps = |number, code: &str| {
        lies(
            &networks.place(&id(number)).must,
            GPS_COUNTRY,
            networks.gps_country_class(code),
        )
    };
    let codes = ["ch", "DE", "FR", ""];
    assert_eq!(codes.map(|code| by_ip(1, code)), [true, true, false, false]);
    assert_eq!(codes.map(|code| by_ip(2, code)), [false, true, false, true]);
    assert_eq!(
        ["nz", "CH", ""].map(|code| by_gps(3, code)),
        [true, false, false]
    );
    assert!(!by_ip(3, "NZ") && !by_gps(1, "CH"));
    for class in 0..4 {
        assert_eq!(
            networks.ip_country_class(&networks.ip_country_example(class)),
            class
        );
    }
    for class in 0..3 {
        assert_eq!(
            networks.gps_country_class(&networks.gps_country_example(class)),
            class
        );
    }
    assert_eq!(
        networks.label(IP_COUNTRY, 2),
        "any other country (by IP address)"
    );
    assert_eq!(networks.label(GPS_COUNTRY, 2), "no known country (by GPS)");
}

#[test]
fn compliant_networks_are_known_by_their_type_or_by_the_common_id() {
    let locations = [location("compliantNetworkNamedLocation", 1, &json!({}))];
    let networks = Networks::read(&locations, &[]);
    let through = vec![(COMPLIANT_NETWORK, Bits::one(2, 1))];
    for word in [id(1), ALL_COMPLIANT_NETWORKS.to_ascii_uppercase()] {
        let place = networks.place(&word);
        assert_eq!((&place.must, &place.may), (&through, &through), "{word}");
    }
    assert_eq!(
        (0..DIMENSIONS)
            .map(|dim| networks.size(dim))
            .collect::<Vec<_>>(),
        [1, 2, 2, 2]
    );
}

#[test]
fn what_cannot_be_read_may_be_anything() {
    let locations = [
        location("somethingNewNamedLocation", 1, &json!({})),
        ip(2, false, &["192.0.2.0/24", "192.0.2.0/33"]),
        ip(3, false, &["here"]),
        location("ipNamedLocation", 4, &json!({"ipRanges": [{}]})),
        location("ipNamedLocation", 5, &json!({})),
        countries(
            6,
            &json!({"countriesAndRegions": ["CH"], "countryLookupMethod": "starSigns"}),
        ),
        countries(7, &json!({})),
        serde_json::from_value(json!({"id": id(8)})).unwrap(),
        ip(9, false, &["198.51.100.0/24"]),
    ];
    let networks = Networks::read(&locations, &[]);
    for number in 1..=8 {
        assert!(nothing_for_certain(&networks, &id(number)), "{number}");
    }
    for word in [
        &id(10),
        "",
        "AllUntrusted",
        "\u{1b}[2J",
        "00000000-0000-0000-0000-000000000000",
    ] {
        assert!(nothing_for_certain(&networks, word), "{word:?}");
    }
    assert!(has(&networks, &id(9).to_ascii_uppercase(), "198.51.100.9"));
    let hostile = location(
        "ipNamedLocation",
        1,
        &json!({"displayName": "\u{1b}[2J", "ipRanges": [{"cidrAddress": "::/0"}]}),
    );
    let locations = [hostile];
    let networks = Networks::read(&locations, &[]);
    assert!((0..2).all(|class| !networks.label(IP, class).contains('\u{1b}')));
}

/// Few bits differ, so that ranges meet, nest and touch.
fn some_range() -> impl Strategy<Value = IpNet> {
    let v4 = (any::<u8>(), any::<u8>(), 0_u8..=32).prop_map(|(high, low, prefix)| {
        let address = Ipv4Addr::new(high & 0x81, 0, 0, low & 0x83);
        IpNet::new(address.into(), prefix).unwrap()
    });
    let v6 = (any::<u8>(), any::<u8>(), any::<bool>(), 0_u8..=128).prop_map(
        |(high, low, mapped, prefix)| {
            let middle = if mapped { 0xffff } else { 0 };
            let first = if mapped {
                0
            } else {
                u16::from(high & 0x81) << 8
            };
            let address = Ipv6Addr::new(first, 0, 0, 0, 0, middle, 0, u16::from(low & 0x83));
            IpNet::new(address.into(), prefix).unwrap()
        },
    );
    prop_oneof![v4, v6]
}

/// Whether the range has the address, from the meaning of a prefix alone.
fn covers(range: &IpNet, address: IpAddr) -> bool {
    let lowered = match range {
        IpNet::V6(range) if range.prefix_len() >= 96 => range
            .addr()
            .to_ipv4_mapped()
            .map(|v4| IpNet::new(v4.into(), range.prefix_len() - 96).unwrap()),
        _ => None,
    };
    lowered
        .as_ref()
        .unwrap_or(range)
        .contains(&address.to_canonical())
}

proptest! {
    /// Addresses at the ends of ranges, beside them, and the examples lie in exactly the locations that their class says;
    /// no two classes say the same; each example lies in its class.
    #[test]
    fn classes_say_where_addresses_lie(lists in vec(vec(some_range(), 0..5), 0..5), trusted in vec(some_range(), 0..2)) {
        let locations: Vec<NamedLocation> = lists
            .iter()
            .zip(1..)
            .map(|(ranges, number)| {
                let written: Vec<String> = ranges.iter().map(ToString::to_string).collect();
                ip(number, number % 2 == 0, &written.iter().map(String::as_str).collect::<Vec<_>>())
            })
            .collect();
        let networks = Networks::read(&locations, &trusted);
        let classes = 0..networks.size(IP);
        let mut addresses: Vec<IpAddr> = Vec::new();
        for class in classes.clone() {
            let example = networks.ip_example(class).unwrap();
            prop_assert_eq!(networks.ip_class(example), class);
            addresses.push(example);
        }
        for range in lists.iter().flatten().chain(&trusted) {
            for end in [range.network(), range.broadcast()] {
                addresses.push(end);
                match end {
                    IpAddr::V4(end) => addresses.extend([end.to_bits().wrapping_sub(1), end.to_bits().wrapping_add(1)].map(|bits| IpAddr::from(Ipv4Addr::from_bits(bits)))),
                    IpAddr::V6(end) => addresses.extend([end.to_bits().wrapping_sub(1), end.to_bits().wrapping_add(1)].map(|bits| IpAddr::from(Ipv6Addr::from_bits(bits)))),
                }
            }
        }
        for address in addresses {
            let lies_in = |ranges: &[IpNet]| ranges.iter().any(|range| covers(range, address));
            let expected: Vec<usize> = lists.iter().enumerate().filter(|(_, ranges)| lies_in(ranges)).map(|(index, _)| index).collect();
            let class = networks.ip_class(address);
            prop_assert_eq!(networks.locations_of(class), expected.clone(), "{}", address);
            prop_assert_eq!(networks.is_mfa_trusted(class), lies_in(&trusted));
            let all_trusted = lies_in(&trusted) || expected.iter().any(|index| (index + 1) % 2 == 0);
            prop_assert_eq!(has(&networks, "AllTrusted", &address.to_string()), all_trusted);
        }
        let mut said: Vec<_> = classes.map(|class| (networks.locations_of(class), networks.is_mfa_trusted(class))).collect();
        let count = said.len();
        said.sort();
        said.dedup();
        prop_assert_eq!(said.len(), count);
    }
}
