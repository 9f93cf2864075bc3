//! Privileged Identity Management: how roles are activated, and what it warns of.

use super::{SubjectSet, wire};
use crate::snapshot::{Guid, Untrusted};

wire! {
    /// The policy of one directory role.
    UnifiedRoleManagementPolicyAssignment = "unifiedRoleManagementPolicyAssignment" {
        role_definition_id: Option<Guid>,
        policy: Option<UnifiedRoleManagementPolicy>,
    }

    /// Its rules.
    UnifiedRoleManagementPolicy = "unifiedRoleManagementPolicy" {
        rules: Option<Vec<UnifiedRoleManagementPolicyRule>>,
    }

    /// One rule, by `id`: `Approval_EndUser_Assignment`, `Expiration_EndUser_Assignment` and so on. Which other fields there are depends on it.
    UnifiedRoleManagementPolicyRule = "unifiedRoleManagementPolicyRule" {
        #[serde(rename = "@odata.type")]
        odata_type: Option<Untrusted>,
        id: Option<Untrusted>,
        /// Of an expiration rule. Without it the duration means nothing.
        is_expiration_required: Option<bool>,
        /// An ISO 8601 duration.
        maximum_duration: Option<Untrusted>,
        /// Of an enablement rule: `MultiFactorAuthentication`, `Justification`, `Ticketing`.
        enabled_rules: Option<Vec<Untrusted>>,
        /// Of an approval rule.
        setting: Option<ApprovalSettings>,
        /// Of an authentication context rule.
        is_enabled: Option<bool>,
        claim_value: Option<Untrusted>,
        /// Of a notification rule.
        notification_type: Option<Untrusted>,
        notification_recipients: Option<Vec<Untrusted>>,
    }

    /// Whether somebody has to approve, and who.
    ApprovalSettings = "approvalSettings" {
        is_approval_required: Option<bool>,
        approval_stages: Option<Vec<UnifiedApprovalStage>>,
    }

    /// Who approves.
    UnifiedApprovalStage = "unifiedApprovalStage" {
        primary_approvers: Option<Vec<SubjectSet>>,
    }

    /// An alert; its id ends in the name of its kind.
    UnifiedRoleManagementAlert = "unifiedRoleManagementAlert" {
        id: Option<Untrusted>,
        incident_count: Option<i64>,
        is_active: Option<bool>,
    }

    /// An action of the directory, and the authentication context that it asks for.
    UnifiedRbacResourceAction = "unifiedRbacResourceAction" {
        name: Option<Untrusted>,
        is_authentication_context_settable: Option<bool>,
        authentication_context_id: Option<Untrusted>,
    }
}
