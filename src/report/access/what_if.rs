//! One sign-in: the decision, what is still to be met, and what each policy has to say.

use std::io::{self, Write};

use anstyle::AnsiColor;
use comfy_table::{ColumnConstraint, Width};

use crate::access::{Decision, Outcome, PolicyDecision, SignIn};
use crate::report::table::{Style, table};
use crate::snapshot::Untrusted;

/// What the page is about.
#[derive(Debug)]
pub struct Heading<'a> {
    /// The user's name.
    pub user: Untrusted,
    /// The account is not switched off.
    pub is_enabled: bool,
    /// The name of what is signed in to.
    pub target: Untrusted,
    /// The named location that was asked for.
    pub location: Option<Untrusted>,
    /// The sign-in.
    pub sign_in: &'a SignIn,
}

/// Writes the JSON form, indented by two, with a line break at its end.
pub fn write_json(decision: &Decision, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, decision)?;
    out.write_all(b"\n")
}

/// Writes it for people.
pub fn write(
    heading: &Heading<'_>,
    decision: &Decision,
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let (colour, says) = match decision.decision {
        Outcome::Allowed => (AnsiColor::Green, "Allowed: nothing is asked for"),
        Outcome::AllowedWithControls => (AnsiColor::Yellow, "Allowed, once the controls are met"),
        Outcome::CannotBeSatisfied => (
            AnsiColor::Red,
            "Not let in: a policy asks for what this sign-in cannot meet",
        ),
        Outcome::Blocked => (AnsiColor::Red, "Blocked"),
        Outcome::Unknown => (
            AnsiColor::Magenta,
            "Not known: the decision rests on what is not known",
        ),
    };
    let bold = anstyle::Style::new().bold();
    let shown = bold.fg_color(Some(colour.into()));
    writeln!(out, "{}", painted(style, shown, says))?;
    writeln!(out, "{}", sign_in(heading))?;
    if !heading.is_enabled {
        writeln!(
            out,
            "The account is switched off: it cannot sign in, whatever policies say."
        )?;
    }
    if !decision.assumed.is_empty() {
        writeln!(
            out,
            "Not given, and taken for granted: {}.",
            decision.assumed.join("; ")
        )?;
    }
    let section =
        |out: &mut dyn Write, title: &str| writeln!(out, "\n{}", painted(style, bold, title));
    if !decision.undecided.is_empty() {
        section(out, "Why it is not known")?;
        for why in &decision.undecided {
            writeln!(out, "  {}", why.for_terminal())?;
        }
    }
    if !decision.required.is_empty() {
        let title = match decision.decision {
            Outcome::AllowedWithControls => "Still to be met",
            _ => "Asked for besides",
        };
        section(out, title)?;
        for clause in &decision.required {
            writeln!(out, "  {}", alternatives(decision, clause))?;
        }
    }
    if !decision.session.is_empty() {
        section(out, "Session")?;
        for control in &decision.session {
            writeln!(out, "  {}", session(control))?;
        }
    }
    let mut policies: Vec<&PolicyDecision> = decision.policies.iter().collect();
    policies.sort_by_key(|policy| (policy.applies != Some(true), &policy.name, &policy.id));
    let (not, applied): (Vec<_>, Vec<_>) = policies
        .into_iter()
        .partition(|policy| policy.applies == Some(false));
    if !applied.is_empty() {
        let surely = applied.iter().all(|policy| policy.applies == Some(true));
        let may = if surely { "" } else { " or may" };
        section(out, &format!("Policies that apply{may}: {}", applied.len()))?;
        writeln!(out, "{}", applies(&applied, decision, style))?;
    }
    if !not.is_empty() {
        section(out, &format!("Policies that do not apply: {}", not.len()))?;
        writeln!(out, "{}", applies_not(&not, style))?;
    }
    Ok(())
}

fn painted(style: Style, paint: anstyle::Style, text: &str) -> String {
    if style.colour {
        format!("{paint}{text}{paint:#}")
    } else {
        text.to_owned()
    }
}

/// The sign-in in one sentence.
fn sign_in(heading: &Heading<'_>) -> String {
    let sign_in = heading.sign_in;
    let mut parts = Vec::new();
    let mut part = |what: &str, given: Option<String>| {
        if let Some(given) = given {
            parts.push(format!("{what}{given}"));
        }
    };
    let word = |given: Option<&str>| given.map(str::to_owned);
    let risk = |given: &str| (given != "none").then(|| given.to_owned());
    part("by ", word(sign_in.client_app));
    part("on ", word(sign_in.platform));
    match &heading.location {
        Some(location) => part("from ", Some(format!("'{}'", location.for_terminal()))),
        None => part("from country ", sign_in.country.clone()),
    }
    part("from ", sign_in.ip.map(|ip| ip.to_string()));
    part("authentication context ", sign_in.auth_context.clone());
    part("sign-in risk ", risk(sign_in.sign_in_risk));
    part("user risk ", risk(sign_in.user_risk));
    part("insider risk ", risk(sign_in.insider_risk));
    part("authentication flow ", risk(sign_in.authentication_flow));
    let parts = if parts.is_empty() {
        String::new()
    } else {
        format!(", {}", parts.join(", "))
    };
    format!(
        "{} to {}{parts}",
        heading.user.for_terminal(),
        heading.target.for_terminal()
    )
}

/// One list of controls, strengths by their names.
fn alternatives(decision: &Decision, clause: &[String]) -> String {
    let named = clause.iter().map(|control| control_name(decision, control));
    named.collect::<Vec<_>>().join(" or ")
}

fn control_name(decision: &Decision, control: &str) -> String {
    if let Some(name) = decision.strengths.get(control) {
        return format!("strength '{}'", name.for_terminal());
    }
    let known = match control {
        "mfa" => "multifactor authentication",
        "compliantDevice" => "a compliant device",
        "domainJoinedDevice" => "a hybrid joined device",
        "approvedApplication" => "an approved client app",
        "compliantApplication" => "an app protection policy",
        "passwordChange" => "a new password",
        "riskRemediation" => "risk remediation",
        "custom" => "a custom control",
        other => match other.split_once(':') {
            Some(("termsOfUse", id)) => return format!("accepted terms of use {id}"),
            Some(("strength", id)) => return format!("strength {id}"),
            _ => other,
        },
    };
    known.to_owned()
}

fn session(control: &str) -> String {
    let (name, value) = control.split_once(':').unwrap_or((control, ""));
    match (name, value) {
        ("applicationEnforcedRestrictions", _) => "restrictions that the app enforces".to_owned(),
        ("cloudAppSecurity", how) => format!("through Defender for Cloud Apps ({how})"),
        ("persistentBrowser", mode) => format!("browser stays signed in: {mode}"),
        ("signInFrequency", "everyTime") => "sign in again every time".to_owned(),
        ("signInFrequency", hours) => format!("sign in again after {hours}"),
        ("secureSignInSession", _) => "tokens bound to the device".to_owned(),
        _ => control.to_owned(),
    }
}

fn applies(policies: &[&PolicyDecision], decision: &Decision, style: Style) -> String {
    let mut table = table(style, &["Policy", "Asks for", "Why it applies"]);
    columns(&mut table, style, &[30, 25]);
    for policy in policies {
        let asks = match () {
            () if policy.blocks => "block".to_owned(),
            () if policy.required.is_empty() => "nothing more".to_owned(),
            () => {
                let clauses = policy.required.iter();
                let clauses = clauses.map(|clause| alternatives(decision, clause));
                clauses.collect::<Vec<_>>().join("\nand ")
            }
        };
        let perhaps = match policy.applies {
            None => "not known: ",
            _ => "",
        };
        table.add_row(vec![
            name(policy),
            asks,
            format!("{perhaps}{}", policy.reason.for_terminal()),
        ]);
    }
    table.to_string()
}

fn applies_not(policies: &[&PolicyDecision], style: Style) -> String {
    let mut table = table(style, &["Policy", "Why not"]);
    columns(&mut table, style, &[40]);
    for policy in policies {
        table.add_row(vec![name(policy), policy.reason.for_terminal()]);
    }
    table.to_string()
}

fn name(policy: &PolicyDecision) -> String {
    let state = match policy.state {
        "enabled" => "",
        "disabled" => " (off)",
        _ => " (report-only)",
    };
    format!("{}{state}", policy.name.for_terminal())
}

/// All columns but the last take at most so many percent.
fn columns(table: &mut comfy_table::Table, style: Style, percent: &[u16]) {
    let width = |percent: u16| {
        let columns = u32::from(style.width) * u32::from(percent) / 100;
        Width::Fixed(u16::try_from(columns).unwrap_or(u16::MAX))
    };
    let constraints = percent
        .iter()
        .map(|&percent| ColumnConstraint::UpperBoundary(width(percent)));
    table.set_constraints(constraints);
}
