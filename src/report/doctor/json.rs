//! The page for programs.

use std::io::{self, Write};

use serde::Serialize;

use super::{Examination, GrantSource, Network, Rules, SignIn, through};
use crate::rules::preflight::own::Check;
use crate::rules::preflight::{self, Level};
use crate::snapshot::{Guid, Untrusted, reference};

/// The page for programs, in this order.
#[derive(Serialize)]
struct Page<'a> {
    schema_version: &'static str,
    tool: Tool,
    tenant: Tenant<'a>,
    complete: bool,
    sign_in: &'a SignIn,
    clock: Clock,
    network: &'a Network,
    permissions: Permissions<'a>,
    licences: Vec<LicenceLine<'a>>,
    licences_error: Option<&'a str>,
    rules: Rules,
    application: &'a [Check],
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct Tenant<'a> {
    id: &'a Untrusted,
    display_name: Option<&'a Untrusted>,
    default_domain: Option<&'a Untrusted>,
}

#[derive(Serialize)]
struct Clock {
    ahead_seconds: Option<i64>,
    status: Option<Level>,
}

#[derive(Serialize)]
struct Permissions<'a> {
    source: GrantSource,
    granted: Vec<&'a str>,
    pending: &'a [String],
    missing: Vec<MissingLine>,
}

#[derive(Serialize)]
struct MissingLine {
    permission: &'static str,
    app_role_id: Option<Guid>,
    resources: Vec<&'static str>,
    unevaluated_rules: Vec<&'static str>,
    doubtful_rules: Vec<&'static str>,
}

#[derive(Serialize)]
struct LicenceLine<'a> {
    licence: String,
    service_plans: &'a [&'a str],
    owned: Option<bool>,
    owned_through: Vec<Untrusted>,
    not_licensed_rules: Vec<&'static str>,
}

/// Writes it for programs, schema version 1.
pub fn write(examination: &Examination, out: &mut dyn Write) -> io::Result<()> {
    let missing = examination.missing().into_iter();
    let owned = examination.licences.as_ref().ok();
    let licences = examination.licences().into_iter();
    let tenant = &examination.tenant;
    let page = Page {
        schema_version: "1",
        tool: Tool {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
        },
        tenant: Tenant {
            id: &tenant.id,
            display_name: tenant.display_name.as_ref(),
            default_domain: tenant.default_domain.as_ref(),
        },
        complete: examination.is_complete(),
        sign_in: &examination.sign_in,
        clock: Clock {
            ahead_seconds: examination.ahead,
            status: examination.ahead.map(preflight::clock),
        },
        network: &examination.network,
        permissions: Permissions {
            source: examination.source,
            granted: examination.granted.names().collect(),
            pending: &examination.pending,
            missing: missing
                .map(|(permission, missing)| MissingLine {
                    permission,
                    app_role_id: reference::permission_named(permission).map(|(id, _)| id),
                    resources: missing.resources,
                    unevaluated_rules: missing.rules,
                    doubtful_rules: missing.doubtful,
                })
                .collect(),
        },
        licences: licences
            .map(|(licence, plans)| LicenceLine {
                licence,
                service_plans: plans,
                owned: owned.map(|own| own.owns_any(plans)),
                owned_through: owned.map_or_else(Vec::new, |own| through(own, plans)),
                not_licensed_rules: examination.not_licensed(plans),
            })
            .collect(),
        licences_error: examination.licences.as_ref().err().map(String::as_str),
        rules: Rules::of(&examination.prospects),
        application: &examination.application,
    };
    serde_json::to_writer_pretty(&mut *out, &page)?;
    writeln!(out)
}
