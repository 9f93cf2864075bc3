//! Whether users can ask for consent.

use crate::rules::Evidence;
use crate::rules::prelude::*;

declare_rule! {
    /// Somebody wants to use an application and is told that an administrator must approve it. Without a way to ask, the
    /// answer is a ticket that says "please just allow it", a private account, or pressure to open consent for everybody.
    ///
    /// The workflow brings the request to people who can judge it, with the publisher and the permissions on one page.
    /// It is the step before user consent can be closed.
    pub(crate) static ADMIN_CONSENT_WORKFLOW_OFF = {
        id: "admin-consent-workflow-off",
        title: "Users cannot ask an administrator for consent",
        area: Area::Identity,
        kind: Kind::Setting,
        side: Side::Shared,
        risk: Risk(3, 3, 1),
        effort: Effort::S.always(),
        disruption: Disruption::Nobody,
        licence: Licence::Any,
        reads: &[Resource::AdminConsentRequestPolicy],
        may_read: &[Resource::GroupSettings],
        controls: &[Cis7("5.1.5.2"), Cis6("5.1.5.2"), Scuba("MS.AAD.5.3v1"), Eidsca("CR01"), Eidsca("CP04"), MitreAttack("T1528"), NistCsf2("PR.AA-05")],
        evidence: Expected { source: Some(Resource::AdminConsentRequestPolicy), property: "isEnabled", expected: "true" },
        remediation: Remediation {
            summary: "Users who need consent can ask for it, and named reviewers get the request by mail.",
            notices: "Users see a form instead of a dead end; the reviewers get mails.",
            check_first: "Decide who reviews: at least two people, who must hold a role that can consent (Cloud Application Administrator, for permissions of Microsoft Graph on the application level Privileged Role Administrator).",
            steps: &[
                "Set 'Users can request admin consent to apps they are unable to consent to' to 'Yes'.",
                "Choose the reviewers, turn on their mails and the reminders, and let requests expire after 30 days.",
                "Write down for the reviewers what is approved: a verified publisher, least permissions, a person who answers for it.",
            ],
            portal: "Entra admin center > Enterprise apps > Consent and permissions > Admin consent settings",
            request: "PUT /v1.0/policies/adminConsentRequestPolicy {\"isEnabled\": true, \"notifyReviewers\": true, \"remindersEnabled\": true, \"requestDurationInDays\": 30, \"reviewers\": [{\"query\": \"/users/{id}\", \"queryType\": \"MicrosoftGraph\"}]}",
            roll_out: "In one step; it takes up to an hour to work. Have a reviewer answer a test request the same day.",
            verify: "isEnabled is true.",
            roll_back: "Set the choice back to 'No' on the same page; open requests are lost.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/identity/enterprise-apps/configure-admin-consent-workflow"],
        },
        check: admin_consent_workflow_off,
    }
}

/// The older switch for the same feature, in the directory settings.
const OLD_SETTING: &str = "EnableAdminConsentRequests";

fn admin_consent_workflow_off(cx: &Context<'_>) -> Verdict {
    let Some(enabled) = cx.admin_consent_request_policy()?.is_enabled else {
        return Err(NotEvaluated::unknown("isEnabled is absent"));
    };
    let outcome = Outcome::setting(
        enabled,
        if enabled { "true" } else { "false" },
        "users can ask for admin consent",
        "users who need admin consent have no way to ask for it",
    );
    Ok(match old_setting(cx) {
        Some(value) => outcome.with_evidence(Evidence::new(
            Some(Resource::GroupSettings),
            OLD_SETTING,
            "the same as isEnabled, which decides",
            value,
        )),
        None => outcome,
    })
}

/// What the directory setting says, where the list was read to its end; it never decides, so nothing rests on it.
fn old_setting(cx: &Context<'_>) -> Option<Untrusted> {
    cx.whole(Resource::GroupSettings).ok()?;
    let value = cx
        .group_settings()
        .ok()?
        .iter()
        .flat_map(|setting| setting.values.iter().flatten())
        .find(|value| value.name.as_ref().is_some_and(|name| name.is(OLD_SETTING)))
        .and_then(|value| value.value.clone());
    Some(value.unwrap_or_else(|| "not set".into()))
}
