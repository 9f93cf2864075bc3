//! What each sign-in must meet: from nested alternatives to a conjunction of them.

use super::names::{self, Names};
use super::tree::{Node, Value};
use super::{Fault, one_of};
use crate::access::guarantee::{Atom, Clause, SessionAtom};

/// How many clauses a conjunction may have: nested alternatives multiply.
const MOST_CLAUSES: usize = 256;

/// Words that stand alone.
const PLAIN: [(&str, &[Atom]); 9] = [
    ("mfa", &[Atom::Mfa]),
    ("phishingResistantMfa", &[Atom::PhishingResistantMfa]),
    ("compliantDevice", &[Atom::CompliantDevice]),
    ("domainJoinedDevice", &[Atom::DomainJoinedDevice]),
    (
        "managedDevice",
        &[Atom::CompliantDevice, Atom::DomainJoinedDevice],
    ),
    ("compliantApplication", &[Atom::CompliantApplication]),
    ("approvedApplication", &[Atom::ApprovedApplication]),
    ("passwordChange", &[Atom::PasswordChange]),
    ("riskRemediation", &[Atom::RiskRemediation]),
];

const SESSIONS: [&str; 5] = [
    "applicationEnforcedRestrictions",
    "cloudAppSecurity",
    "persistentBrowser",
    "signInFrequency",
    "secureSignInSession",
];
const CLOUD_APP_SECURITY: [&str; 3] = ["mcasConfigured", "monitorOnly", "blockDownloads"];
const PERSISTENT_BROWSER: [&str; 2] = ["always", "never"];

/// Reads `must`. Being kept out meets every clause, so `block` is the clause that nothing else meets: beside alternatives it adds
/// nothing, and beside other demands it is all that counts.
pub(super) fn clauses(node: &Node, names: Names<'_>) -> Result<Vec<Clause>, Fault> {
    let mut clauses = formula(node, names)?;
    // What meets the smaller one meets the larger one.
    let all = clauses.clone();
    let mut place = 0;
    clauses.retain(|clause| {
        let own = place;
        place += 1;
        !all.iter().enumerate().any(|(other, smaller)| {
            let within = smaller.iter().all(|atom| clause.contains(atom));
            within && (smaller.len() < clause.len() || other < own)
        })
    });
    Ok(clauses)
}

fn formula(node: &Node, names: Names<'_>) -> Result<Vec<Clause>, Fault> {
    match &node.value {
        Value::Text(word) => Ok(vec![clause(node.at, word, names)?]),
        Value::Table(entries) => {
            if let Some(unknown) = entries
                .iter()
                .find(|entry| !["anyOf", "allOf"].contains(&entry.key.as_str()))
            {
                return Err(Fault::unknown(
                    unknown.at,
                    "key",
                    &unknown.key,
                    ["anyOf", "allOf"],
                ));
            }
            let [entry] = entries.as_slice() else {
                return Err(Fault::at(
                    node.at,
                    "either `anyOf` or `allOf` is needed here",
                ));
            };
            let Value::List(parts) = &entry.node.value else {
                return Err(Fault::at(
                    entry.node.at,
                    format!("`{}` must be a list, not {}", entry.key, entry.node.kind()),
                ));
            };
            if parts.is_empty() {
                return Err(Fault::at(
                    entry.node.at,
                    format!("`{}` must name something", entry.key),
                ));
            }
            let parts = parts
                .iter()
                .map(|part| formula(part, names))
                .collect::<Result<Vec<_>, _>>()?;
            if entry.key == "allOf" {
                bounded(entry.at, parts.concat())
            } else {
                any_of(entry.at, &parts)
            }
        }
        _ => Err(Fault::at(
            node.at,
            format!(
                "a control, `anyOf` or `allOf` is needed here, not {}",
                node.kind()
            ),
        )),
    }
}

/// One clause of each part, joined, in every combination.
fn any_of(at: usize, parts: &[Vec<Clause>]) -> Result<Vec<Clause>, Fault> {
    let mut joined: Vec<Clause> = vec![Vec::new()];
    for part in parts {
        let mut next = Vec::new();
        for left in &joined {
            for right in part {
                let mut both = left.clone();
                for atom in right {
                    if !both.contains(atom) {
                        both.push(atom.clone());
                    }
                }
                next.push(both);
            }
        }
        joined = bounded(at, next)?;
    }
    Ok(joined)
}

fn bounded(at: usize, mut clauses: Vec<Clause>) -> Result<Vec<Clause>, Fault> {
    let mut seen: Vec<Clause> = Vec::new();
    clauses.retain(|clause| {
        let new = !seen.contains(clause);
        if new {
            seen.push(clause.clone());
        }
        new
    });
    if clauses.len() > MOST_CLAUSES {
        return Err(Fault::at(
            at,
            format!(
                "this comes to more than {MOST_CLAUSES} combinations: split it into several guarantees"
            ),
        ));
    }
    Ok(clauses)
}

/// One word: a clause of one atom, of several for what several controls show, of none for `block`.
fn clause(at: usize, word: &str, names: Names<'_>) -> Result<Clause, Fault> {
    if word == "block" {
        return Ok(Vec::new());
    }
    if let Some((_, atoms)) = PLAIN.iter().find(|(known, _)| *known == word) {
        return Ok(atoms.to_vec());
    }
    let (head, rest) = match word.split_once(':') {
        Some((head, rest)) => (head, Some(rest)),
        None => (word, None),
    };
    let needed = |what: &str| {
        rest.ok_or_else(|| Fault::at(at, format!("`{head}` is written `{head}:<{what}>`")))
    };
    let atom = match head {
        "strength" => Atom::Strength(names.strength(at, needed("id")?)?),
        "termsOfUse" => {
            let id = names::guid(at, needed("id")?, "the id of terms of use")?;
            Atom::TermsOfUse(id.to_string())
        }
        "session" => Atom::Session(session(at, needed("name")?)?),
        known if known == "block" || PLAIN.iter().any(|(plain, _)| *plain == known) => {
            return Err(Fault::at(at, format!("`{known}` takes nothing behind it")));
        }
        _ => {
            let plain = PLAIN.iter().map(|(known, _)| *known);
            let known = ["block"].into_iter().chain(plain).chain([
                "strength:<id>",
                "termsOfUse:<id>",
                "session:<name>",
            ]);
            let mut fault = Fault::unknown(at, "control", word, known);
            // What stands behind the colon is no part of the name.
            if let Some(rest) = rest {
                let nearest = super::nearest(head, ["strength", "termsOfUse", "session"]);
                fault.nearest = nearest.map(|nearest| format!("{nearest}:{rest}"));
            }
            return Err(fault);
        }
    };
    Ok(vec![atom])
}

fn session(at: usize, text: &str) -> Result<SessionAtom, Fault> {
    let (name, detail) = match text.split_once(':') {
        Some((name, detail)) => (name, Some(detail)),
        None => (text, None),
    };
    let alone = |atom: SessionAtom| match detail {
        None => Ok(atom),
        Some(_) => Err(Fault::at(
            at,
            format!("`session:{name}` takes nothing behind it"),
        )),
    };
    let one_of_these = |known: &'static [&'static str]| {
        detail
            .map(|detail| {
                let found = known.iter().find(|word| word.eq_ignore_ascii_case(detail));
                found
                    .map(|word| (*word).to_owned())
                    .ok_or_else(|| Fault::unknown(at, "word", detail, known.iter().copied()))
            })
            .transpose()
    };
    match name {
        "applicationEnforcedRestrictions" => alone(SessionAtom::ApplicationEnforcedRestrictions),
        "secureSignInSession" => alone(SessionAtom::SecureSignInSession),
        "cloudAppSecurity" => Ok(SessionAtom::CloudAppSecurity(one_of_these(
            &CLOUD_APP_SECURITY,
        )?)),
        "persistentBrowser" => {
            let mode = one_of_these(&PERSISTENT_BROWSER)?;
            Ok(SessionAtom::PersistentBrowser(
                mode.unwrap_or_else(|| "never".to_owned()),
            ))
        }
        "signInFrequency" => match detail {
            None => Ok(SessionAtom::SignInFrequency(i64::MAX)),
            Some("everyTime") => Ok(SessionAtom::SignInFrequency(0)),
            Some(hours) => match hours.parse::<u32>() {
                Ok(hours) if hours > 0 => Ok(SessionAtom::SignInFrequency(hours.into())),
                _ => Err(Fault::at(
                    at,
                    format!("`{hours}` is neither `everyTime` nor a whole number of hours"),
                )),
            },
        },
        _ => {
            let mut fault = Fault::unknown(at, "session control", name, SESSIONS);
            fault.message = format!(
                "unknown session control `{name}`, expected {}",
                one_of(&SESSIONS)
            );
            fault.nearest = fault.nearest.map(|nearest| format!("session:{nearest}"));
            Err(fault)
        }
    }
}
