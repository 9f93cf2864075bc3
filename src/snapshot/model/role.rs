//! Directory roles: who holds what, and how.

use super::{graph_enum, wire};
use crate::snapshot::{Guid, Untrusted};

wire! {
    /// An active role assignment, with its principal when expanded.
    UnifiedRoleAssignment = "unifiedRoleAssignment" {
        id: Option<Untrusted>,
        principal_id: Option<Guid>,
        role_definition_id: Option<Guid>,
        directory_scope_id: Option<Untrusted>,
        principal: Option<DirectoryObject>,
    }

    /// An eligible role assignment.
    UnifiedRoleEligibilityScheduleInstance = "unifiedRoleEligibilityScheduleInstance" {
        id: Option<Untrusted>,
        principal_id: Option<Guid>,
        role_definition_id: Option<Guid>,
        directory_scope_id: Option<Untrusted>,
        end_date_time: Option<jiff::Timestamp>,
        member_type: Option<Untrusted>,
        principal: Option<DirectoryObject>,
    }

    /// An active role assignment with how it came about and when it ends.
    UnifiedRoleAssignmentScheduleInstance = "unifiedRoleAssignmentScheduleInstance" {
        id: Option<Untrusted>,
        principal_id: Option<Guid>,
        role_definition_id: Option<Guid>,
        directory_scope_id: Option<Untrusted>,
        assignment_type: Option<AssignmentType>,
        /// Null where the role was not assigned through Privileged Identity Management.
        start_date_time: Option<jiff::Timestamp>,
        end_date_time: Option<jiff::Timestamp>,
        member_type: Option<Untrusted>,
        principal: Option<DirectoryObject>,
    }

    /// A directory role, built in or made by the tenant.
    UnifiedRoleDefinition = "unifiedRoleDefinition" {
        id: Option<Guid>,
        template_id: Option<Guid>,
        display_name: Option<Untrusted>,
        is_built_in: Option<bool>,
        is_enabled: Option<bool>,
        role_permissions: Option<Vec<UnifiedRolePermission>>,
    }

    /// What a role may do.
    UnifiedRolePermission = "unifiedRolePermission" {
        allowed_resource_actions: Option<Vec<Untrusted>>,
    }

    /// Any object of the directory, as `$expand=principal` and `/owners` send it.
    DirectoryObject = "directoryObject" {
        #[serde(rename = "@odata.type")]
        odata_type: Option<Untrusted>,
        id: Option<Guid>,
        display_name: Option<Untrusted>,
        user_principal_name: Option<Untrusted>,
    }
}

graph_enum! {
    /// Whether a role is held outright or was activated from an eligible assignment.
    AssignmentType { Assigned = "Assigned", Activated = "Activated" }
}
