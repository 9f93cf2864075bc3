//! `access what-if`.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::IpAddr;

use clap::builder::PossibleValuesParser;
use clap::{ArgGroup, Args};

use super::{AccessFormat, TenantArgs, settings, tenant};
use crate::ExitStatus;
use crate::access::{
    AUTHENTICATION_FLOWS, Analyzer, CLIENT_APPS, INSIDER_RISK_LEVELS, Outcome, PLATFORMS,
    RISK_LEVELS, SignIn, SignInDevice, SignInTarget, Someone, UnfitAttribute, well_known_apps,
    well_known_name,
};
use crate::cli::args::Cli;
use crate::cli::failure::Failure;
use crate::cli::scan::ended;
use crate::cli::{Ended, World};
use crate::report::access::what_if::{self as page, Heading};
use crate::report::table::Style;
use crate::snapshot::{Guid, Resource, Tenant, Untrusted, reference};

/// How many near names an error shows.
const NEAREST: usize = 3;
/// The user actions there are, by the last part of their urns.
const USER_ACTIONS: [&str; 2] = ["registersecurityinfo", "registerdevice"];
/// What user actions begin with.
const USER_ACTION: &str = "urn:user:";
const DEVICE_STATES: [&str; 4] = ["unregistered", "registered", "compliant", "hybrid_joined"];

/// Flags of `access what-if`.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).multiple(true).args(["app", "user_action", "auth_context"]))]
pub(super) struct WhatIfArgs {
    #[command(flatten)]
    tenant: TenantArgs,
    /// Who signs in: object id or UPN
    #[arg(long, value_name = "ID|UPN")]
    user: String,
    /// A built-in role that is activated for the sign-in, by template id or name (repeatable)
    #[arg(long, value_name = "ID|NAME")]
    role: Vec<String>,
    /// To which app: app id or display name
    #[arg(long, value_name = "ID|NAME", conflicts_with = "user_action")]
    app: Option<String>,
    /// Which user action: registersecurityinfo, registerdevice, or its urn
    #[arg(long, value_name = "ACTION", conflicts_with = "auth_context")]
    user_action: Option<String>,
    /// The authentication context that is asked for, c1 to c99; without --app, by an app that no policy names
    #[arg(long, value_name = "ID")]
    auth_context: Option<String>,
    /// With what [default: browser]
    #[arg(long, value_name = "TYPE", value_parser = PossibleValuesParser::new(CLIENT_APPS), ignore_case = true)]
    client_app: Option<String>,
    /// On what [default: unknown, which is none of the others]
    #[arg(long, value_name = "PLATFORM", value_parser = PossibleValuesParser::new(PLATFORMS), ignore_case = true)]
    platform: Option<String>,
    /// From which address [default: one in no named location]
    #[arg(long, value_name = "ADDRESS")]
    ip: Option<IpAddr>,
    /// From which country, by two letters; by address and by GPS alike [default: one that no named location lists]
    #[arg(long, value_name = "CODE")]
    country: Option<String>,
    /// From which named location
    #[arg(long, value_name = "NAME|ID", conflicts_with_all = ["ip", "country"])]
    location: Option<String>,
    /// What the directory knows of the device [default: unregistered; controls on devices can still be met]
    #[arg(long, value_name = "STATE", value_parser = PossibleValuesParser::new(DEVICE_STATES), ignore_case = true)]
    device_state: Option<String>,
    /// An attribute of the device as device filters name it, such as trustType=AzureAD (repeatable)
    #[arg(long, value_name = "KEY=VALUE")]
    device: Vec<String>,
    /// Risk of the sign-in [default: none]
    #[arg(long, value_name = "LEVEL", value_parser = PossibleValuesParser::new(RISK_LEVELS), ignore_case = true)]
    sign_in_risk: Option<String>,
    /// Risk of the user [default: none]
    #[arg(long, value_name = "LEVEL", value_parser = PossibleValuesParser::new(RISK_LEVELS), ignore_case = true)]
    user_risk: Option<String>,
    /// Risk by Microsoft Purview's insider risk management [default: none]
    #[arg(long, value_name = "LEVEL", value_parser = PossibleValuesParser::new(INSIDER_RISK_LEVELS), ignore_case = true)]
    insider_risk: Option<String>,
    /// How the sign-in is handed from one device to another [default: none]
    #[arg(long, value_name = "FLOW", value_parser = PossibleValuesParser::new(AUTHENTICATION_FLOWS), ignore_case = true)]
    auth_flow: Option<String>,
    /// Count report-only policies as if they were on
    #[arg(long)]
    include_report_only: bool,
    /// What to print on stdout
    #[arg(long, value_enum, default_value_t = AccessFormat::Table)]
    format: AccessFormat,
}

pub(super) fn run(args: &WhatIfArgs, cli: &Cli, world: &World) -> Ended {
    // What is wrong whatever the tenant is said before it is read.
    let device = device(args)?;
    let country = args.country.as_deref().map(country).transpose()?;
    let context = args.auth_context.as_deref().map(context).transpose()?;
    let roles = args.role.iter().map(|role| role_of(role));
    let roles = roles.collect::<Result<Vec<_>, _>>()?;

    let (snapshot, config) = tenant(&args.tenant, cli, world)?;
    let tenant = &snapshot.tenant;
    let (id, user_name, is_enabled) = user(&args.user, tenant)?;
    let analyzer = Analyzer::read(tenant, settings(&config, tenant));
    let (target, what) = target(args, &analyzer, tenant)?;
    let mut sign_in = SignIn {
        auth_context: context,
        client_app: known(CLIENT_APPS, args.client_app.as_deref()),
        platform: known(PLATFORMS, args.platform.as_deref()),
        ip: args.ip,
        gps_country: country.clone(),
        country,
        device,
        ..SignIn::new(Someone::Account { id, roles }, target)
    };
    for (held, known) in [
        (
            &mut sign_in.sign_in_risk,
            known(RISK_LEVELS, args.sign_in_risk.as_deref()),
        ),
        (
            &mut sign_in.user_risk,
            known(RISK_LEVELS, args.user_risk.as_deref()),
        ),
        (
            &mut sign_in.insider_risk,
            known(INSIDER_RISK_LEVELS, args.insider_risk.as_deref()),
        ),
        (
            &mut sign_in.authentication_flow,
            known(AUTHENTICATION_FLOWS, args.auth_flow.as_deref()),
        ),
    ] {
        *held = known.unwrap_or(held);
    }
    if let Some(wanted) = &args.location {
        place(wanted, &analyzer, tenant, &mut sign_in)?;
    }
    let decision = analyzer.decide(&sign_in, args.include_report_only);

    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let written = match args.format {
        AccessFormat::Json => page::write_json(&decision, &mut out),
        AccessFormat::Table => {
            let style = Style {
                width: world.width,
                colour: world.colour,
            };
            let heading = Heading {
                user: user_name,
                is_enabled,
                target: what,
                location: args.location.clone().map(Untrusted::from),
                sign_in: &sign_in,
            };
            page::write(&heading, &decision, style, &mut out)
        }
    };
    ended(written.and_then(|()| out.flush()))?;
    Ok(match decision.decision {
        Outcome::Unknown => ExitStatus::Incomplete,
        _ => ExitStatus::Done,
    })
}

/// The word of a list that was given in whatever case.
fn known(words: &'static [&'static str], given: Option<&str>) -> Option<&'static str> {
    let given = given?;
    words
        .iter()
        .find(|word| word.eq_ignore_ascii_case(given))
        .copied()
}

/// An error that names what was asked for and what comes near it.
fn unknown<'n>(
    what: &str,
    given: &str,
    names: impl Iterator<Item = &'n str>,
    note: &str,
) -> Failure {
    let near = nearest(given, names);
    let help = match (near.as_slice(), note) {
        ([], "") => None,
        ([], note) => Some(note.to_owned()),
        (near, note) => {
            let near: Vec<String> = near
                .iter()
                .map(|name| format!("'{}'", Untrusted::from(*name).for_terminal()))
                .collect();
            let note = if note.is_empty() {
                String::new()
            } else {
                format!("; {note}")
            };
            Some(format!("near it: {}{note}", near.join(", ")))
        }
    };
    Failure::usage(format!("no {what} '{given}'"), help)
}

/// The names that come nearest, the nearest first.
fn nearest<'n>(given: &str, names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let given = given.to_lowercase();
    let mut near: BTreeSet<(usize, &str)> = BTreeSet::new();
    for name in names {
        let folded = name.to_lowercase();
        let distance = if folded.starts_with(&given) && !given.is_empty() {
            0
        } else {
            strsim::damerau_levenshtein(&given, &folded)
        };
        if distance <= folded.chars().count().max(2) / 2 {
            near.insert((distance, name));
            if near.len() > NEAREST {
                near.pop_last();
            }
        }
    }
    near.into_iter().map(|(_, name)| name).collect()
}

fn not_read_to_the_end(tenant: &Tenant, list: Resource) -> &'static str {
    match tenant.state(list).0 {
        crate::snapshot::State::Collected => "",
        _ => "not everything was read",
    }
}

fn user(given: &str, tenant: &Tenant) -> Result<(Guid, Untrusted, bool), Failure> {
    let users = tenant.users.hints();
    let Some(user) = users.find(given) else {
        let names = users.iter().map(|user| user.user_principal_name().raw());
        let note = not_read_to_the_end(tenant, Resource::Users);
        return Err(unknown("user", given, names, note));
    };
    let (upn, name) = (user.user_principal_name(), user.display_name());
    let shown = if name.is_blank() {
        upn.into()
    } else {
        format!("{} ({})", name.raw(), upn.raw()).into()
    };
    Ok((user.id(), shown, user.account_enabled() != Some(false)))
}

fn role_of(given: &str) -> Result<Guid, Failure> {
    let id = given
        .parse()
        .ok()
        .filter(|&id| reference::role(id).is_some());
    id.or_else(|| reference::role_named(given))
        .ok_or_else(|| unknown("built-in role", given, reference::role_names(), ""))
}

fn target(
    args: &WhatIfArgs,
    analyzer: &Analyzer<'_>,
    tenant: &Tenant,
) -> Result<(SignInTarget, Untrusted), Failure> {
    if let Some(given) = &args.user_action {
        let urn = action(given, analyzer)?;
        return Ok((SignInTarget::Action(urn.clone()), urn.into()));
    }
    match &args.app {
        Some(given) => app(given, analyzer, tenant),
        None => Ok((SignInTarget::AnyOther, "an app that no policy names".into())),
    }
}

fn action(given: &str, analyzer: &Analyzer<'_>) -> Result<String, Failure> {
    let folded = given.to_ascii_lowercase();
    let urn = if folded.starts_with("urn:") {
        folded
    } else {
        format!("{USER_ACTION}{folded}")
    };
    if analyzer.names_action(&urn) {
        return Ok(urn);
    }
    let short = given.strip_prefix(USER_ACTION).unwrap_or(given);
    Err(unknown("user action", short, USER_ACTIONS.into_iter(), ""))
}

fn app(
    given: &str,
    analyzer: &Analyzer<'_>,
    tenant: &Tenant,
) -> Result<(SignInTarget, Untrusted), Failure> {
    let principals = tenant.service_principals.hints();
    let name_of = |id: Guid| {
        let principal = principals.by_app_id(id);
        principal
            .and_then(|principal| principal.display_name.clone())
            .or_else(|| well_known_name(id).map(Untrusted::from))
    };
    if let Ok(id) = given.parse::<Guid>() {
        let by_object = principals.get(id).and_then(|principal| principal.app_id);
        let id = by_object.unwrap_or(id);
        let is_complete = tenant.service_principals.complete().is_ok();
        if name_of(id).is_none() && is_complete && !analyzer.names_app(id) {
            let help = "no service principal of the tenant, no policy and no app of Microsoft's has this app id";
            return Err(Failure::usage(format!("no app '{given}'"), help.to_owned()));
        }
        let name = name_of(id).unwrap_or_else(|| id.to_string().into());
        return Ok((SignInTarget::App(id), name));
    }
    let sets = ["Office365", "MicrosoftAdminPortals", "All", "None"];
    if let Some(set) = sets.iter().find(|set| set.eq_ignore_ascii_case(given)) {
        let said = format!("'{set}' is a word of policies and no single app");
        let help =
            "a sign-in is to one app: give its id or name, such as 'Office 365 Exchange Online'";
        return Err(Failure::usage(said, help.to_owned()));
    }
    let own = principals
        .iter()
        .filter_map(|principal| Some((principal.app_id?, principal.display_name.as_ref()?.raw())));
    let mut all: Vec<(Guid, &str)> = own.collect();
    for (id, name) in well_known_apps() {
        all.push((id, name));
    }
    let fits = |name: &str| name.eq_ignore_ascii_case(given);
    let found: BTreeSet<Guid> = all
        .iter()
        .filter(|(_, name)| fits(name))
        .map(|(id, _)| *id)
        .collect();
    match found.iter().copied().collect::<Vec<_>>().as_slice() {
        [] => {
            let note = not_read_to_the_end(tenant, Resource::ServicePrincipals);
            let names = all.iter().map(|(_, name)| *name);
            Err(unknown("app", given, names, note))
        }
        [id] => Ok((
            SignInTarget::App(*id),
            name_of(*id).unwrap_or_else(|| given.into()),
        )),
        several => {
            let ids: Vec<String> = several.iter().map(ToString::to_string).collect();
            let help = format!("give the app id: {}", ids.join(", "));
            Err(Failure::usage(
                format!("several apps are called '{given}'"),
                help,
            ))
        }
    }
}

fn context(given: &str) -> Result<String, Failure> {
    let folded = given.to_ascii_lowercase();
    let number = folded
        .strip_prefix('c')
        .and_then(|number| number.parse().ok());
    match number {
        Some(number @ 1..=99_u8) if folded == format!("c{number}") => Ok(folded),
        _ => Err(Failure::usage(
            format!("no authentication context '{given}'"),
            "they are called c1 to c99".to_owned(),
        )),
    }
}

fn country(given: &str) -> Result<String, Failure> {
    if given.len() == 2 && given.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Ok(given.to_ascii_uppercase());
    }
    Err(Failure::usage(
        format!("no country '{given}'"),
        "a country is named by the two letters of ISO 3166, such as DE".to_owned(),
    ))
}

/// Goes to the named location: to an address in it, to one of its countries, through the compliant network.
fn place(
    given: &str,
    analyzer: &Analyzer<'_>,
    tenant: &Tenant,
    sign_in: &mut SignIn,
) -> Result<(), Failure> {
    let locations = tenant.named_locations.hints();
    let id = given.parse::<Guid>().ok();
    let found: Vec<_> = locations
        .iter()
        .filter(|location| {
            let name = location.display_name.as_ref();
            (location.id.is_some() && location.id == id) || name.is_some_and(|name| name.is(given))
        })
        .collect();
    match found.as_slice() {
        [] => {
            let names = locations.iter();
            let names = names.filter_map(|location| Some(location.display_name.as_ref()?.raw()));
            let note = not_read_to_the_end(tenant, Resource::NamedLocations);
            Err(unknown("named location", given, names, note))
        }
        [location] => {
            if location.id.is_some_and(|id| analyzer.go_to(id, sign_in)) {
                return Ok(());
            }
            Err(Failure::usage(
                format!(
                    "nothing lies in the named location '{given}', or what lies in it cannot be read"
                ),
                "give an address by --ip".to_owned(),
            ))
        }
        several => {
            let ids = several.iter().filter_map(|location| location.id);
            let ids: Vec<String> = ids.map(|id| id.to_string()).collect();
            let help = format!("give the id: {}", ids.join(", "));
            Err(Failure::usage(
                format!("several named locations are called '{given}'"),
                help,
            ))
        }
    }
}

/// What was said of the device; nothing where nothing was.
fn device(args: &WhatIfArgs) -> Result<Option<SignInDevice>, Failure> {
    let state = known(&DEVICE_STATES, args.device_state.as_deref());
    let (mut device, implied) = match state {
        None if args.device.is_empty() => return Ok(None),
        Some("unregistered") => (SignInDevice::unregistered(), None),
        Some("compliant") => (SignInDevice::registered(), Some(("isCompliant", "True"))),
        Some("hybrid_joined") => (SignInDevice::registered(), Some(("trustType", "ServerAD"))),
        _ => (SignInDevice::registered(), None),
    };
    if !device.is_registered() && !args.device.is_empty() {
        return Err(Failure::usage(
            "a device that is not registered has no attributes",
            "leave --device out, or give another --device-state".to_owned(),
        ));
    }
    for pair in &args.device {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(Failure::usage(
                format!("--device '{pair}' has no value"),
                "write it as KEY=VALUE, such as trustType=AzureAD".to_owned(),
            ));
        };
        device = device
            .with(name.trim(), value.trim())
            .map_err(|unfit| match unfit {
                UnfitAttribute::Name(known) => {
                    unknown("device attribute", name, known.into_iter(), "")
                }
                UnfitAttribute::Value(known) => Failure::usage(
                    format!("{name} of a device is never '{value}'"),
                    format!("it is {}", known.join(" or ")),
                ),
            })?;
    }
    if let Some((name, value)) = implied {
        if let Some(said) = device
            .says(name)
            .filter(|said| !said.eq_ignore_ascii_case(value))
        {
            return Err(Failure::usage(
                format!(
                    "--device {name}={said} contradicts --device-state {}",
                    state.unwrap_or_default()
                ),
                None,
            ));
        }
        let sure = device.with(name, value);
        device = sure.map_err(|_| Failure::usage(format!("{name} is no attribute"), None))?;
    }
    Ok(Some(device))
}
