//! From values to guarantees: who, target, when, assume, must.

use super::countries::country;
use super::names::{self, Names};
use super::tree::{Entry, Node, Value};
use super::{Fault, must};
use crate::access::guarantee::{Asked, Assume, Guarantee, Pim, RoleScope, When, Who};
use crate::access::policy::{CLIENTS, FLOWS, INSIDER_RISKS, PLATFORMS, RISKS};
use crate::access::resources::{REGISTER_DEVICE, REGISTER_SECURITY_INFO};
use crate::snapshot::Guid;

const GUARANTEE: [&str; 7] = ["type", "id", "who", "target", "when", "assume", "must"];
const LISTS: [&str; 2] = ["guarantees", "guarantee"];
const SUITES: [&str; 3] = ["Office365", "MicrosoftAdminPortals", "<app id>"];

/// The guarantees of a whole file: one, a list, or a table that holds one of both.
pub(super) fn guarantees(root: &Node, names: Names<'_>) -> Result<Vec<Guarantee>, Fault> {
    let nodes: Vec<&Node> = match &root.value {
        Value::List(list) => list.iter().collect(),
        Value::Table(entries) if entries.iter().any(|entry| LISTS.contains(&&*entry.key)) => {
            Fields::only(root, entries, &LISTS)?;
            entries
                .iter()
                .flat_map(|entry| match &entry.node.value {
                    Value::List(list) => list.iter().collect(),
                    _ => vec![&entry.node],
                })
                .collect()
        }
        _ => vec![root],
    };
    if nodes.is_empty() {
        return Err(Fault::at(root.at, "there is no guarantee in it"));
    }
    let alone = nodes.len() == 1;
    let mut guarantees: Vec<Guarantee> = Vec::new();
    for (number, node) in (1..).zip(nodes) {
        let unnamed = if alone {
            "query".to_owned()
        } else {
            format!("query-{number}")
        };
        let guarantee = guarantee(node, unnamed, std::ptr::eq(node, root), names)?;
        if guarantees.iter().any(|other| other.id == guarantee.id) {
            return Err(Fault::at(
                node.at,
                format!("two guarantees are called `{}`", guarantee.id),
            ));
        }
        guarantees.push(guarantee);
    }
    Ok(guarantees)
}

fn guarantee(
    node: &Node,
    unnamed: String,
    is_root: bool,
    names: Names<'_>,
) -> Result<Guarantee, Fault> {
    let entries = table(node, "a guarantee")?;
    let fields = Fields {
        at: node.at,
        entries,
    };
    if let Some(unknown) = fields.unknown(&GUARANTEE) {
        // At the top the list of guarantees may be what was meant.
        let more: &[&str] = if is_root { &LISTS[..1] } else { &[] };
        let known = GUARANTEE.iter().chain(more).copied();
        return Err(Fault::unknown(unknown.at, "key", &unknown.key, known));
    }
    if let Some(kind) = fields.get("type") {
        word(kind, "type", &["guarantee"])?;
    }
    let id = match fields.get("id") {
        None => unnamed,
        Some(node) => match text(node, "id")?.trim() {
            "" => return Err(Fault::at(node.at, "`id` must not be empty")),
            id => id.to_owned(),
        },
    };
    let Some(demand) = fields.get("must") else {
        return Err(Fault::at(
            node.at,
            "`must` is missing: what a sign-in has to meet",
        ));
    };
    let (who, except_users) = match fields.get("who") {
        Some(node) => who(node, names)?,
        None => (Who::All, Vec::new()),
    };
    let mut guarantee = Guarantee {
        id,
        says: String::new(),
        who,
        except_users,
        target: match fields.get("target") {
            Some(node) => target(node)?,
            None => Asked::AnyResource,
        },
        when: match fields.get("when") {
            Some(node) => when(node, names)?,
            None => When::default(),
        },
        assume: match fields.get("assume") {
            Some(node) => assume(node)?,
            None => Assume::default(),
        },
        must: must::clauses(demand, names)?,
    };
    guarantee.says = guarantee.in_words();
    Ok(guarantee)
}

fn who(node: &Node, names: Names<'_>) -> Result<(Who, Vec<Guid>), Fault> {
    const KINDS: [&str; 7] = [
        "all",
        "members",
        "guests",
        "users",
        "groups",
        "roles",
        "servicePrincipals",
    ];
    let fields = Fields::of(node, "who", &["kind", "ids", "scope", "exceptUsers"])?;
    let kind = word(fields.needed("kind", "who")?, "kind", &KINDS)?;
    let may_have_ids = ["users", "groups", "roles", "servicePrincipals"].contains(&kind);
    if let Some(ids) = fields.entry("ids").filter(|_| !may_have_ids) {
        return Err(Fault::at(
            ids.at,
            format!("`ids` does not go with `{kind}`"),
        ));
    }
    if let Some(scope) = fields.entry("scope").filter(|_| kind != "roles") {
        return Err(Fault::at(
            scope.at,
            format!("`scope` does not go with `{kind}`"),
        ));
    }
    let ids = |read: &dyn Fn(usize, &str) -> Result<Guid, Fault>| {
        each(fields.needed("ids", "who")?, "ids", read)
    };
    let who = match kind {
        "all" => Who::All,
        "members" => Who::Members,
        "guests" => Who::Guests,
        "users" => Who::Users(ids(&|at, text| names.user(at, text))?),
        "groups" => Who::Groups(ids(&|at, text| {
            names::guid(at, text, "the object id of a group")
        })?),
        "roles" => {
            let scope = match fields.get("scope") {
                None => RoleScope::default(),
                Some(node) => match word(node, "scope", &["directory", "any"])? {
                    "directory" => RoleScope::Directory,
                    _ => RoleScope::Any,
                },
            };
            Who::Roles(ids(&Names::role)?, scope)
        }
        _ if fields.get("ids").is_none() => Who::ServicePrincipals(Vec::new()),
        _ => Who::ServicePrincipals(ids(&|at, text| {
            names::guid(at, text, "the object id of a service principal")
        })?),
    };
    let except = match fields.entry("exceptUsers") {
        None => Vec::new(),
        Some(entry) if kind == "servicePrincipals" => {
            return Err(Fault::at(
                entry.at,
                "`exceptUsers` does not go with `servicePrincipals`",
            ));
        }
        Some(entry) => each(&entry.node, "exceptUsers", &|at, text| names.user(at, text))?,
    };
    Ok((who, except))
}

fn target(node: &Node) -> Result<Asked, Fault> {
    const KINDS: [&str; 4] = ["anyResource", "resources", "userAction", "authContext"];
    let fields = Fields::of(node, "target", &["kind", "id", "ids"])?;
    let kind = word(fields.needed("kind", "target")?, "kind", &KINDS)?;
    let misplaced = match kind {
        "anyResource" => fields.entry("id").or_else(|| fields.entry("ids")),
        "resources" => fields.entry("id"),
        _ => fields.entry("ids"),
    };
    if let Some(entry) = misplaced {
        return Err(Fault::at(
            entry.at,
            format!("`{}` does not go with `{kind}`", entry.key),
        ));
    }
    match kind {
        "anyResource" => Ok(Asked::AnyResource),
        "resources" => {
            each(fields.needed("ids", "target")?, "ids", &resource).map(Asked::Resources)
        }
        "userAction" => {
            let actions = [REGISTER_SECURITY_INFO, REGISTER_DEVICE];
            let action = word(fields.needed("id", "target")?, "id", &actions)?;
            Ok(Asked::UserAction(action.to_owned()))
        }
        _ => {
            let node = fields.needed("id", "target")?;
            let id = text(node, "id")?;
            let number = id.strip_prefix(['c', 'C']).unwrap_or_default();
            match number.parse::<u8>() {
                Ok(plain @ 1..=99) if plain.to_string() == number => {
                    Ok(Asked::AuthContext(format!("c{plain}")))
                }
                _ => Err(Fault::at(
                    node.at,
                    format!("`{id}` is no authentication context: `c1` to `c99` are"),
                )),
            }
        }
    }
}

fn resource(at: usize, text: &str) -> Result<String, Fault> {
    if let Ok(id) = text.parse::<Guid>() {
        return Ok(id.to_string());
    }
    let suite = SUITES
        .iter()
        .take(2)
        .find(|suite| suite.eq_ignore_ascii_case(text));
    suite
        .map(|&suite| suite.to_owned())
        .ok_or_else(|| Fault::unknown(at, "resource", text, SUITES))
}

fn when(node: &Node, names: Names<'_>) -> Result<When, Fault> {
    let fields = Fields::of(
        node,
        "when",
        &[
            "clientAppTypes",
            "platforms",
            "locations",
            "device",
            "signInRisk",
            "userRisk",
            "insiderRisk",
            "authenticationFlows",
        ],
    )?;
    let words = |key: &'static str, known: &[&'static str]| match fields.get(key) {
        None => Ok(Vec::new()),
        Some(node) => each(node, key, &|at, text| {
            canonical(at, key, text, known).map(str::to_owned)
        }),
    };
    let mut when = When {
        client_app_types: words("clientAppTypes", CLIENTS.0)?,
        platforms: words("platforms", PLATFORMS.0)?,
        sign_in_risk: words("signInRisk", RISKS.0)?,
        user_risk: words("userRisk", RISKS.0)?,
        insider_risk: words("insiderRisk", INSIDER_RISKS.0)?,
        authentication_flows: words("authenticationFlows", FLOWS.0)?,
        ..When::default()
    };
    if let Some(node) = fields.get("locations") {
        locations(node, names, &mut when)?;
    }
    if let Some(node) = fields.get("device") {
        device(node, &mut when)?;
    }
    Ok(when)
}

fn locations(node: &Node, names: Names<'_>, when: &mut When) -> Result<(), Fault> {
    let known = ["trusted", "named", "notNamed", "countryIn", "countryNotIn"];
    let fields = Fields::of(node, "locations", &known)?;
    let places = |key: &'static str| match fields.get(key) {
        None => Ok(Vec::new()),
        Some(node) => each(node, key, &|at, text| names.location(at, text)),
    };
    let countries = |key: &'static str| match fields.get(key) {
        None => Ok(Vec::new()),
        Some(node) => each(node, key, &|at, text| match country(text) {
            Some(code) => Ok(code.to_owned()),
            None => Err(Fault::at(
                at,
                format!(
                    "`{text}` is no country code: two letters of ISO 3166 are needed, such as `DE`"
                ),
            )),
        }),
    };
    when.trusted = fields.flag("trusted")?;
    when.named = places("named")?;
    when.not_named = places("notNamed")?;
    when.country_in = countries("countryIn")?;
    when.country_not_in = countries("countryNotIn")?;
    Ok(())
}

fn device(node: &Node, when: &mut When) -> Result<(), Fault> {
    let known = ["registered", "managed", "matches", "notMatches"];
    let fields = Fields::of(node, "device", &known)?;
    let rule = |key: &'static str| {
        let Some(node) = fields.get(key) else {
            return Ok(None);
        };
        let rule = text(node, key)?;
        match crate::access::device::parse(rule) {
            Ok(_) => Ok(Some(rule.to_owned())),
            Err(error) => Err(Fault::at(
                node.at,
                format!("the device rule of `{key}`, {error}"),
            )),
        }
    };
    when.registered = fields.flag("registered")?;
    when.managed = fields.flag("managed")?;
    when.matches = rule("matches")?;
    when.not_matches = rule("notMatches")?;
    Ok(())
}

fn assume(node: &Node) -> Result<Assume, Fault> {
    let fields = Fields::of(node, "assume", &["pim"])?;
    let pim = match fields.get("pim") {
        None => Pim::default(),
        Some(node) => match word(node, "pim", &["inactive", "mayActivate"])? {
            "inactive" => Pim::Inactive,
            _ => Pim::MayActivate,
        },
    };
    Ok(Assume {
        pim,
        ..Assume::default()
    })
}

/// The members of a table.
struct Fields<'n> {
    at: usize,
    entries: &'n [Entry],
}

impl<'n> Fields<'n> {
    fn of(node: &'n Node, what: &str, known: &[&str]) -> Result<Self, Fault> {
        Self::only(node, table(node, &format!("`{what}`"))?, known)
    }

    fn only(node: &Node, entries: &'n [Entry], known: &[&str]) -> Result<Self, Fault> {
        let fields = Self {
            at: node.at,
            entries,
        };
        match fields.unknown(known) {
            None => Ok(fields),
            Some(unknown) => Err(Fault::unknown(
                unknown.at,
                "key",
                &unknown.key,
                known.iter().copied(),
            )),
        }
    }

    fn unknown(&self, known: &[&str]) -> Option<&'n Entry> {
        let mut entries = self.entries.iter();
        entries.find(|entry| !known.contains(&entry.key.as_str()))
    }

    fn entry(&self, key: &str) -> Option<&'n Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    fn get(&self, key: &str) -> Option<&'n Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    fn needed(&self, key: &str, what: &str) -> Result<&'n Node, Fault> {
        self.get(key)
            .ok_or_else(|| Fault::at(self.at, format!("`{what}` needs `{key}`")))
    }

    fn flag(&self, key: &str) -> Result<Option<bool>, Fault> {
        match self.get(key) {
            None => Ok(None),
            Some(Node {
                value: Value::Flag(flag),
                ..
            }) => Ok(Some(*flag)),
            Some(node) => Err(Fault::at(
                node.at,
                format!("`{key}` must be true or false, not {}", node.kind()),
            )),
        }
    }
}

fn table<'n>(node: &'n Node, what: &str) -> Result<&'n [Entry], Fault> {
    match &node.value {
        Value::Table(entries) => Ok(entries),
        _ => Err(Fault::at(
            node.at,
            format!("{what} must be a table, not {}", node.kind()),
        )),
    }
}

fn text<'n>(node: &'n Node, key: &str) -> Result<&'n str, Fault> {
    match &node.value {
        Value::Text(text) => Ok(text),
        _ => Err(Fault::at(
            node.at,
            format!("`{key}` must be a text, not {}", node.kind()),
        )),
    }
}

/// One of some words, as it is properly written.
fn word(node: &Node, key: &str, known: &[&'static str]) -> Result<&'static str, Fault> {
    canonical(node.at, key, text(node, key)?, known)
}

fn canonical(
    at: usize,
    key: &str,
    text: &str,
    known: &[&'static str],
) -> Result<&'static str, Fault> {
    let found = known.iter().find(|word| word.eq_ignore_ascii_case(text));
    found
        .copied()
        .ok_or_else(|| Fault::unknown(at, &format!("`{key}`"), text, known.iter().copied()))
}

fn each<T>(
    node: &Node,
    key: &str,
    read: &dyn Fn(usize, &str) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let Value::List(list) = &node.value else {
        return Err(Fault::at(
            node.at,
            format!("`{key}` must be a list, not {}", node.kind()),
        ));
    };
    list.iter()
        .map(|node| match &node.value {
            Value::Text(text) => read(node.at, text),
            _ => Err(Fault::at(
                node.at,
                format!("`{key}` must list texts, not {}", node.kind()),
            )),
        })
        .collect()
}
