//! Whether what the application signs in with is sound: not too long-lived, not about to end, not lying about unused.

use jiff::{SignedDuration, Timestamp};

use super::Level;
use super::own::{Check, unread};
use crate::snapshot::model::{Application, ServicePrincipal};
use crate::snapshot::preview::Own;

/// The longest that a secret should live. Source: Microsoft's guidance for application credentials (at most 180 days).
const LONGEST: SignedDuration = SignedDuration::from_hours(180 * 24);
/// How long before its end a credential should be replaced.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Judges what the application proves itself with.
pub(super) fn credentials(
    own: &Own,
    now: Timestamp,
    signs_by_secret: bool,
    checks: &mut Vec<Check>,
) {
    let application = match (&own.application, &own.service_principal) {
        (Ok(Some(application)), _) => application,
        (_, Ok(Some(principal))) if is_managed_identity(principal) => {
            let message = "a managed identity: Azure keeps and renews its credential";
            checks.push(Check::new("credential", Level::Ok, message));
            return;
        }
        (Ok(None), _) => {
            let message =
                "it is registered in another tenant, so its credentials cannot be seen here";
            checks.push(Check::new("credential-unread", Level::Note, message));
            return;
        }
        (Err(error), _) => {
            checks.push(unread("credential-unread", "its credentials", error));
            return;
        }
    };
    let before = checks.len();
    let secrets = secrets(application, now, checks);
    let certificates = certificates(application, now, checks);
    if secrets > 0 && !signs_by_secret {
        let message = format!("secrets that are valid beside what it signs in with: {secrets}");
        checks.push(
            Check::new("secret-unused", Level::Warn, message)
                .fix("delete what nothing uses: a secret works from anywhere"),
        );
    } else if secrets > 0 && certificates == 0 {
        let message = "it signs in with a secret, and has no certificate that is valid";
        checks.push(
            Check::new("certificate-missing", Level::Warn, message).fix(
                "add a certificate (`m365audit permissions --format az` shows how), then delete the secret",
            ),
        );
    }
    if checks.len() == before {
        let message = format!("secrets that are valid: {secrets}, certificates: {certificates}");
        checks.push(Check::new("credential", Level::Ok, message));
    }
}

fn is_managed_identity(principal: &ServicePrincipal) -> bool {
    let kind = principal.service_principal_type.as_ref();
    kind.is_some_and(|kind| kind.is("ManagedIdentity"))
}

/// Judges the secrets and counts those that are valid.
fn secrets(application: &Application, now: Timestamp, checks: &mut Vec<Check>) -> usize {
    let mut valid = 0;
    for secret in application.password_credentials.iter().flatten() {
        let name = secret
            .key_id
            .map_or("without id".to_owned(), |id| id.to_string());
        let Some(end) = secret.end_date_time else {
            valid += 1;
            let message = format!("the secret {name} has no end");
            checks.push(Check::new("secret-long-lived", Level::Warn, message).fix(SHORTER));
            continue;
        };
        if end <= now {
            let message = format!("the secret {name} ended on {}", day(end));
            checks.push(
                Check::new("secret-ended", Level::Note, message).fix("delete it: it is of no use"),
            );
            continue;
        }
        valid += 1;
        let life = end.duration_since(secret.start_date_time.unwrap_or(now));
        if life > LONGEST {
            let message = format!(
                "the secret {name} lives {} days, until {}",
                days(life),
                day(end)
            );
            checks.push(Check::new("secret-long-lived", Level::Warn, message).fix(SHORTER));
        }
        ends_soon("secret", &name, end, now, checks);
    }
    valid
}

const SHORTER: &str =
    "use a certificate, a managed identity or federation; or a secret of 180 days at most";

/// Judges the certificates and counts those that are valid.
fn certificates(application: &Application, now: Timestamp, checks: &mut Vec<Check>) -> usize {
    let mut valid = 0;
    for certificate in application.key_credentials.iter().flatten() {
        let name = certificate
            .key_id
            .map_or("without id".to_owned(), |id| id.to_string());
        match certificate.end_date_time {
            Some(end) if end <= now => {}
            Some(end) => {
                valid += 1;
                ends_soon("certificate", &name, end, now, checks);
            }
            None => valid += 1,
        }
    }
    valid
}

fn ends_soon(
    what: &'static str,
    name: &str,
    end: Timestamp,
    now: Timestamp,
    checks: &mut Vec<Check>,
) {
    let left = end.duration_since(now);
    if left > SOON {
        return;
    }
    let id = if what == "secret" {
        "secret-ends-soon"
    } else {
        "certificate-ends-soon"
    };
    let message = format!(
        "the {what} {name} ends on {}, in {} days",
        day(end),
        days(left)
    );
    checks.push(
        Check::new(id, Level::Warn, message).fix("add its successor now, and delete it afterwards"),
    );
}

fn days(span: SignedDuration) -> i64 {
    span.as_hours() / 24
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}
