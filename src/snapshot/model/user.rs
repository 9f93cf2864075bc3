//! Accounts and when they were last used.

use super::{DirectoryObject, graph_enum, wire};
use crate::snapshot::{Guid, Untrusted};

wire! {
    /// An account of the directory.
    User = "user" {
        id: Option<Guid>,
        user_principal_name: Option<Untrusted>,
        display_name: Option<Untrusted>,
        mail: Option<Untrusted>,
        user_type: Option<UserType>,
        account_enabled: Option<bool>,
        created_date_time: Option<jiff::Timestamp>,
        creation_type: Option<Untrusted>,
        external_user_state: Option<ExternalUserState>,
        external_user_state_change_date_time: Option<jiff::Timestamp>,
        employee_hire_date: Option<jiff::Timestamp>,
        on_premises_sync_enabled: Option<bool>,
        /// Comma separated: `DisablePasswordExpiration`, `DisableStrongPassword`, `None`.
        password_policies: Option<Untrusted>,
        assigned_licenses: Option<Vec<AssignedLicense>>,
    }

    /// One licence of an account.
    AssignedLicense = "assignedLicense" {
        sku_id: Option<Guid>,
        /// Service plans of the licence that are switched off for this account.
        disabled_plans: Option<Vec<Guid>>,
    }

    /// A row of `/users?$filter=userType eq 'Guest'&$expand=sponsors`: twenty sponsors at most.
    GuestSponsors = "user" {
        id: Option<Guid>,
        sponsors: Option<Vec<DirectoryObject>>,
    }

    /// A row of `/users?$select=id,accountEnabled,employeeLeaveDateTime`.
    EmployeeLeave = "user" {
        id: Option<Guid>,
        account_enabled: Option<bool>,
        /// The last day of work; null without `User-LifeCycleInfo.Read.All`.
        employee_leave_date_time: Option<jiff::Timestamp>,
    }

    /// An account that looks like the key distribution account of an on-premises read-only domain controller.
    KrbtgtAccount = "user" {
        id: Option<Guid>,
        user_principal_name: Option<Untrusted>,
        display_name: Option<Untrusted>,
        mail_nickname: Option<Untrusted>,
        on_premises_distinguished_name: Option<Untrusted>,
    }

    /// The old multi-factor authentication setting of one account, beta only.
    StrongAuthenticationRequirements = "strongAuthenticationRequirements" {
        per_user_mfa_state: Option<PerUserMfaState>,
    }

    /// A row of `/users?$select=id,signInActivity`.
    SignInActivityRow = "user" {
        id: Option<Guid>,
        sign_in_activity: Option<SignInActivity>,
    }

    /// When an account last signed in. Graph writes 0001-01-01 for "never".
    SignInActivity = "signInActivity" {
        last_sign_in_date_time: Option<jiff::Timestamp>,
        last_non_interactive_sign_in_date_time: Option<jiff::Timestamp>,
        last_successful_sign_in_date_time: Option<jiff::Timestamp>,
    }
}

graph_enum! {
    /// Member or guest; null counts as member.
    UserType { Member = "Member", Guest = "Guest" }
    /// Whether an invitation was taken up.
    ExternalUserState { PendingAcceptance = "PendingAcceptance", Accepted = "Accepted" }
    /// Whether one account is asked for a second factor outside Conditional Access.
    PerUserMfaState { Disabled = "disabled", Enabled = "enabled", Enforced = "enforced" }
}
