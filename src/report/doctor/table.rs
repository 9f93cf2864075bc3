//! The page for people: sections of lines, each with how good or bad it is.

use std::collections::BTreeSet;
use std::io::{self, Write};

use comfy_table::{Cell, Color, ColumnConstraint, Width, presets};

use super::{Examination, GrantSource, Rules, SignIn, through};
use crate::report::table::{Style, table, unbroken};
use crate::rules::preflight::{self, Level};
use crate::snapshot::{Untrusted, reference};

/// `note` and `warn`, with a blank on both sides.
const LEVEL_COLUMN: u16 = 6;

/// One line of a section: how good, and what.
type Line = (Level, String);

/// Writes it for people.
pub fn write(examination: &Examination, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let tenant = &examination.tenant;
    let name = tenant.display_name.as_ref().unwrap_or(&tenant.id);
    let domain = tenant.default_domain.as_ref();
    let domain = domain.map(|domain| format!(" ({})", domain.for_terminal()));
    writeln!(out, "{}{}", name.for_terminal(), domain.unwrap_or_default())?;
    section("Sign-in", &sign_in(examination), style, out)?;
    section("Permissions", &permissions(examination), style, out)?;
    missing(examination, style, out)?;
    section("Licences", &licences(examination), style, out)?;
    let application: Vec<Line> = examination
        .application
        .iter()
        .map(|check| {
            let fix = check
                .fix
                .map(|fix| format!("\nhelp: {fix}"))
                .unwrap_or_default();
            (
                check.level,
                format!("{}{fix}", check.message.for_terminal()),
            )
        })
        .collect();
    section("Our own application", &application, style, out)?;
    section("Rules", &rules(examination), style, out)
}

fn sign_in(examination: &Examination) -> Vec<Line> {
    let SignIn {
        credential,
        cloud,
        tenant,
        application_id,
        delegated,
        token_minutes_left,
        ..
    } = &examination.sign_in;
    let shown = |id: &Option<String>| id.clone().unwrap_or_else(|| "unknown".to_owned());
    let mut lines = vec![(
        Level::Ok,
        format!(
            "by {credential}, tenant {}, {cloud} cloud, application {}",
            shown(tenant),
            shown(application_id)
        ),
    )];
    let life = format!("its token lives for {token_minutes_left} more minutes");
    lines.push(match delegated {
        Some(false) => (Level::Ok, format!("as the application itself; {life}")),
        Some(true) => (
            Level::Note,
            format!("as a person, whose directory roles bound what can be read; {life}"),
        ),
        None => (
            Level::Note,
            format!("the token cannot be read, so it does not say as whom; {life}"),
        ),
    });
    lines.push(clock(examination.ahead));
    let network = &examination.network;
    let via = match &network.proxy {
        None => "no proxy in the environment".to_owned(),
        Some(proxy) => format!(
            "through the proxy {}",
            Untrusted::from(&**proxy).for_terminal()
        ),
    };
    let hosts = if network.login == network.graph {
        network.graph.clone()
    } else {
        format!("{} and {}", network.login, network.graph)
    };
    let reached = format!("{hosts} answered; {via}");
    lines.push((Level::Ok, reached));
    if let Some(other) = &network.tenant_graph {
        lines.push((
            Level::Fail,
            format!(
                "the tenant belongs to {}, another cloud than the one that is asked: see --cloud",
                other.for_terminal()
            ),
        ));
    }
    lines
}

fn clock(ahead: Option<i64>) -> Line {
    let Some(ahead) = ahead else {
        let unknown = "Entra did not say what the time is, so this machine's clock was not checked";
        return (Level::Note, unknown.to_owned());
    };
    if ahead == 0 {
        return (
            Level::Ok,
            "this machine's clock agrees with Entra's".to_owned(),
        );
    }
    let side = if ahead < 0 { "behind" } else { "ahead of" };
    let off = format!(
        "this machine's clock is {} s {side} Entra's",
        ahead.unsigned_abs()
    );
    match preflight::clock(ahead) {
        Level::Ok => (Level::Ok, off),
        level => (
            level,
            format!(
                "{off}: set it by a time server; above 5 minutes certificates are refused (AADSTS700024)"
            ),
        ),
    }
}

fn permissions(examination: &Examination) -> Vec<Line> {
    let granted = &examination.granted;
    let known = match examination.source {
        GrantSource::Application => "by the token",
        GrantSource::Person => "delegated, by the token",
        GrantSource::Directory => "by the directory; the token cannot be read",
        GrantSource::Unknown => {
            let unknown = "neither the token nor the directory says what was granted";
            return vec![(Level::Fail, unknown.to_owned())];
        }
    };
    let needed: BTreeSet<&str> = examination
        .resources
        .iter()
        .flat_map(|resource| resource.permissions().iter().copied())
        .collect();
    let missing = examination.missing().len();
    let level = match missing {
        0 => Level::Ok,
        _ if examination.is_complete() => Level::Warn,
        _ => Level::Fail,
    };
    let number = granted.len();
    let mut lines = vec![(
        level,
        match missing {
            0 => format!(
                "nothing is missing of the {} that are needed; {number} are granted ({known})",
                needed.len()
            ),
            _ => format!(
                "{missing} are missing of the {} that are needed; {number} are granted ({known})",
                needed.len()
            ),
        },
    )];
    if !examination.pending.is_empty() {
        lines.push((
            Level::Note,
            format!(
                "granted, but not in this token yet: {}; a new token has them within the hour, one of a managed identity within a day",
                examination.pending.join(", ")
            ),
        ));
    }
    lines
}

fn missing(examination: &Examination, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let missing = examination.missing();
    if missing.is_empty() {
        return Ok(());
    }
    let header = [
        "Missing, app role id",
        "Rules that go unevaluated without it",
    ];
    let mut table = table(style, &header);
    unbroken(&mut table, 0);
    for (permission, cost) in missing {
        let id = reference::permission_named(permission);
        let id = id.map(|(id, _)| format!("\n{id}")).unwrap_or_default();
        let mut rules = cost.rules.join(", ");
        if cost.rules.is_empty() && cost.doubtful.is_empty() {
            rules = format!("none; reports lack {}", cost.resources.join(", "));
        }
        if !cost.doubtful.is_empty() {
            if !rules.is_empty() {
                rules.push('\n');
            }
            rules.push_str("in some tenants: ");
            rules.push_str(&cost.doubtful.join(", "));
        }
        table.add_row([format!("{permission}{id}"), rules]);
    }
    let mends = match examination.source {
        GrantSource::Person => {
            "Consent to these delegated permissions for the application, as an administrator."
        }
        _ => {
            "Grant them under App registrations > API permissions > Microsoft Graph > Application permissions, then\n\
             give admin consent; or run step 3 of `m365audit permissions --format az`. Privileged Role Administrator can."
        }
    };
    writeln!(out, "{table}\n{mends}")
}

fn licences(examination: &Examination) -> Vec<Line> {
    let own = match &examination.licences {
        Ok(own) => own,
        Err(error) => {
            let unknown = format!("what the tenant owns could not be read: {error}");
            return vec![(Level::Note, unknown)];
        }
    };
    let line = |(name, plans): (String, &'static [&'static str])| {
        if own.owns_any(plans) {
            let through = through(own, plans);
            let through: Vec<String> = through.iter().map(Untrusted::for_terminal).collect();
            let owned = format!("{name}: owned through {}", through.join(", "));
            return (Level::Ok, owned);
        }
        let rules = examination.not_licensed(plans);
        let cost = if rules.is_empty() {
            "no selected rule depends on it alone".to_owned()
        } else {
            format!("not_licensed: {}", rules.join(", "))
        };
        (Level::Note, format!("{name}: not owned; {cost}"))
    };
    examination.licences().into_iter().map(line).collect()
}

fn rules(examination: &Examination) -> Vec<Line> {
    let rules = Rules::of(&examination.prospects);
    let level = if examination.is_complete() {
        Level::Ok
    } else {
        Level::Fail
    };
    let Rules {
        selected,
        evaluated,
        ..
    } = rules;
    let mut lines = vec![(
        level,
        format!("{evaluated} of {selected} selected rules can be evaluated"),
    )];
    for (level, rules, why) in [
        (
            Level::Fail,
            rules.unevaluated,
            "go unevaluated for want of a permission",
        ),
        (
            Level::Warn,
            rules.doubtful,
            "may go unevaluated for want of a permission",
        ),
        (Level::Note, rules.not_licensed, "are not licensed"),
        (
            Level::Note,
            rules.left_out,
            "look at what is not asked for (--with, --without, --no-beta)",
        ),
    ] {
        if !rules.is_empty() {
            lines.push((
                level,
                format!("{} {why}: {}", rules.len(), rules.join(", ")),
            ));
        }
    }
    lines
}

fn section(heading: &str, lines: &[Line], style: Style, out: &mut dyn Write) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let bold = anstyle::Style::new().bold();
    if style.colour {
        writeln!(out, "\n{bold}{heading}{bold:#}")?;
    } else {
        writeln!(out, "\n{heading}")?;
    }
    let mut table = table(style, &[]);
    table.load_style(presets::NOTHING);
    for (level, text) in lines {
        let word = match level {
            _ if !style.colour => Cell::new(level.word()),
            Level::Ok => Cell::new(level.word()).fg(Color::Green),
            Level::Note => Cell::new(level.word()).fg(Color::Blue),
            Level::Warn => Cell::new(level.word()).fg(Color::Yellow),
            Level::Fail => Cell::new(level.word()).fg(Color::Red),
        };
        table.add_row([word, Cell::new(text)]);
    }
    table.set_constraints([ColumnConstraint::Absolute(Width::Fixed(LEVEL_COLUMN))]);
    // An empty header is an empty line.
    let page = table.to_string();
    for line in page.lines().skip_while(|line| line.trim().is_empty()) {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
