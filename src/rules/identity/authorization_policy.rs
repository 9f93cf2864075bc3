//! What the authorization policy lets every user do with applications.

use std::collections::BTreeSet;

use crate::rules::prelude::*;
use crate::snapshot::model::PermissionGrantPolicy;

declare_rule! {
    /// A registered application is an identity of its own: it can carry secrets, be granted permissions and sign in without
    /// any user. When everybody can register one, nobody keeps count, and a stolen account has a place to hide in.
    ///
    /// Developers who need it get the role Application Developer; nobody else notices.
    pub(crate) static USERS_CAN_REGISTER_APPS = {
        id: "users-can-register-apps",
        title: "Every user can register applications",
        area: Area::Identity,
        kind: Kind::Setting,
        side: Side::Shared,
        risk: Risk(2, 2, 1),
        effort: Effort::S.always(),
        disruption: Disruption::Nobody,
        licence: Licence::Any,
        reads: &[Resource::AuthorizationPolicy],
        controls: &[Cis7("5.1.2.2"), Cis6("5.1.2.2"), Scuba("MS.AAD.5.1v1"), Eidsca("AP10"), MitreAttack("T1098.001"), NistCsf2("PR.AA-05")],
        evidence: Expected { source: Some(Resource::AuthorizationPolicy), property: "defaultUserRolePermissions.allowedToCreateApps", expected: "false" },
        remediation: Remediation {
            summary: "Only administrators and holders of the role Application Developer can register applications.",
            notices: "Developers without the role; applications that exist are not touched.",
            check_first: "Audit log, category ApplicationManagement, activity 'Add application' of the last 90 days: who registers applications.",
            steps: &[
                "Give the people in that list who still need it the role Application Developer.",
                "Set 'Users can register applications' to 'No'.",
            ],
            portal: "Entra admin center > Users > User settings",
            request: "PATCH /v1.0/policies/authorizationPolicy {\"defaultUserRolePermissions\": {\"allowedToCreateApps\": false}}",
            roll_out: "In one step once the developers have their role; there is no report-only mode.",
            verify: "allowedToCreateApps is false.",
            roll_back: "Set 'Users can register applications' back to 'Yes' on the same page.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/identity/role-based-access-control/delegate-app-roles"],
        },
        check: users_can_register_apps,
    }
}

fn users_can_register_apps(cx: &Context<'_>) -> Verdict {
    let allowed = cx
        .authorization_policy()?
        .default_user_role_permissions
        .as_ref()
        .and_then(|permissions| permissions.allowed_to_create_apps);
    let (actual, fails) = match allowed {
        Some(false) => ("false", ""),
        Some(true) => ("true", "every user can register applications"),
        None => (
            "null",
            "nothing keeps users from registering applications: the setting is absent",
        ),
    };
    Ok(Outcome::setting(
        allowed == Some(false),
        actual,
        "only administrators and application developers can register applications",
        fails,
    ))
}

declare_rule! {
    /// Consent phishing needs no password: the user signs in at Microsoft, with the second factor, and presses Accept. The
    /// application then reads the mailbox on its own, and goes on after the password was changed.
    ///
    /// Accepted is: users consent to nothing, or only to permissions that you classified as low and to applications of
    /// verified publishers. The setting that Microsoft manages is not accepted: what it allows changes without you.
    pub(crate) static USER_CONSENT_UNRESTRICTED = {
        id: "user-consent-unrestricted",
        title: "Users can consent to applications without a limit",
        area: Area::Identity,
        kind: Kind::Setting,
        side: Side::Shared,
        risk: Risk(3, 3, 3),
        effort: Effort::S.always(),
        disruption: Disruption::Admins,
        after: &["admin-consent-workflow-off"],
        licence: Licence::Any,
        reads: &[Resource::AuthorizationPolicy],
        may_read: &[Resource::PermissionGrantPolicies],
        controls: &[Scuba("MS.AAD.5.2v1"), Eidsca("AP08"), MitreAttack("T1528"), MitreAttack("T1550.001"), NistCsf2("PR.AA-05")],
        evidence: Expected {
            source: Some(Resource::AuthorizationPolicy),
            property: "defaultUserRolePermissions.permissionGrantPoliciesAssigned",
            expected: "no entry ManagePermissionGrantsForSelf.*, or only microsoft-user-default-low or a policy of your own that is as narrow",
        },
        remediation: Remediation {
            summary: "Users can consent only to applications of verified publishers that ask for permissions classified as low; for everything else they ask.",
            notices: "Users who try a new application get 'Approval required' and, with the admin consent workflow on, a form to ask; consents given before stay as they are.",
            check_first: "Audit log, category ApplicationManagement, activity 'Consent to application' of the last 90 days: which applications users consented to, and how often somebody will have to decide.",
            steps: &[
                "Turn the admin consent workflow on first, so that users have a way to ask.",
                "Classify the permissions that are harmless in your view under 'Permission classifications' as low: openid, profile, email and User.Read are the usual ones.",
                "Set 'User consent for applications' to 'Allow user consent for apps from verified publishers, for selected permissions', or to 'Do not allow user consent'.",
                "Look through the consents that were given before (user-consented-risky-grant).",
            ],
            portal: "Entra admin center > Enterprise apps > Consent and permissions > User consent settings",
            request: "PATCH /v1.0/policies/authorizationPolicy {\"defaultUserRolePermissions\": {\"permissionGrantPoliciesAssigned\": [\"ManagePermissionGrantsForSelf.microsoft-user-default-low\"]}} (keep the ManagePermissionGrantsForOwnedResource entries that are there)",
            roll_out: "In one step after the workflow has reviewers; tell the help desk what 'Approval required' means. There is no report-only mode.",
            verify: "permissionGrantPoliciesAssigned has no entry ManagePermissionGrantsForSelf.* other than microsoft-user-default-low or a policy of your own that is as narrow.",
            roll_back: "Set the former choice on the same page.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/entra/identity/enterprise-apps/configure-user-consent"],
        },
        check: user_consent_unrestricted,
    }
}

/// In front of the policies under which users consent for themselves; those for resources that they own are another matter.
const FOR_SELF: &str = "ManagePermissionGrantsForSelf.";
/// Microsoft's policy for verified publishers and permissions classified as low.
const LOW: &str = "microsoft-user-default-low";
/// Microsoft's policies without a limit of one's own: everything that needs no administrator, and whatever Microsoft recommends.
const WIDE: [&str; 2] = [
    "microsoft-user-default-legacy",
    "microsoft-user-default-recommended",
];

fn user_consent_unrestricted(cx: &Context<'_>) -> Verdict {
    let assigned = cx
        .authorization_policy()?
        .default_user_role_permissions
        .as_ref()
        .and_then(|permissions| permissions.permission_grant_policies_assigned.as_ref())
        .ok_or_else(|| NotEvaluated::unknown("permissionGrantPoliciesAssigned is absent"))?;
    let policies: BTreeSet<&str> = assigned
        .iter()
        .filter_map(|entry| policy_for_self(entry.raw()))
        .collect();
    let mut wide = Affected::default();
    let mut in_doubt = None;
    for &policy in &policies {
        match narrow(cx, policy) {
            Ok(true) => {}
            Ok(false) => wide.add(
                Object::new(ObjectType::PermissionGrantPolicy, policy, policy).detail(
                    "allows more than permissions classified as low to verified publishers",
                ),
            ),
            Err(why) => in_doubt = Some(why),
        }
    }
    let open = wide.count();
    if let (0, Some(why)) = (open, in_doubt) {
        return Err(why);
    }
    let outcome = match (policies.len(), open) {
        (0, _) => Outcome::pass("users cannot consent to applications"),
        (_, 0) => Outcome::pass("users can consent only to low permissions of verified publishers"),
        (all, open) => Outcome::fail(format!(
            "{open} of {all} policies under which users consent have no such limit"
        )),
    };
    let actual: Vec<&str> = policies.iter().copied().collect();
    // One open door is enough: the share of open policies says nothing, so all that is judged is affected.
    let outcome = if open == 0 {
        outcome
    } else {
        outcome.affecting(wide, open)
    };
    Ok(outcome.actual(if actual.is_empty() {
        "none".to_owned()
    } else {
        actual.join(", ")
    }))
}

/// The policy that an entry names, if users consent for themselves under it.
fn policy_for_self(entry: &str) -> Option<&str> {
    let prefix = entry.get(..FOR_SELF.len())?;
    prefix
        .eq_ignore_ascii_case(FOR_SELF)
        .then(|| &entry[FOR_SELF.len()..])
}

/// Whether a policy lets users consent to nothing but low permissions of verified publishers.
fn narrow(cx: &Context<'_>, policy: &str) -> Result<bool, NotEvaluated> {
    if policy.eq_ignore_ascii_case(LOW) {
        return Ok(true);
    }
    if WIDE.iter().any(|wide| policy.eq_ignore_ascii_case(wide)) {
        return Ok(false);
    }
    let read = cx
        .permission_grant_policies()?
        .iter()
        .find(|known| known.id.as_ref().is_some_and(|id| id.is(policy)));
    let Some(read) = read else {
        cx.whole(Resource::PermissionGrantPolicies)?;
        return Err(NotEvaluated::unknown(
            "an assigned policy is not in the list of permission grant policies",
        ));
    };
    all_low_and_verified(read)
        .ok_or_else(|| NotEvaluated::unknown("an assigned policy does not say what it allows"))
}

/// Whether every set of conditions asks for both; `None` when one that could be narrow does not say.
fn all_low_and_verified(policy: &PermissionGrantPolicy) -> Option<bool> {
    let mut known = true;
    for set in policy.includes.as_ref()? {
        let low = set
            .permission_classification
            .as_ref()
            .map(|classification| classification.is("low"));
        let verified = set.client_applications_from_verified_publisher_only;
        match (low, verified) {
            (Some(true), Some(true)) => {}
            (Some(false), _) | (_, Some(false)) => return Some(false),
            _ => known = false,
        }
    }
    known.then_some(true)
}
