//! Groups and what governs them.

use super::{AssignedLicense, graph_enum, wire};
use crate::snapshot::{Guid, Untrusted};

wire! {
    /// A group with its first twenty owners.
    Group = "group" {
        id: Option<Guid>,
        display_name: Option<Untrusted>,
        /// `Unified` for Microsoft 365 groups, `DynamicMembership` where a rule decides.
        group_types: Option<Vec<Untrusted>>,
        visibility: Option<GroupVisibility>,
        is_assignable_to_role: Option<bool>,
        is_management_restricted: Option<bool>,
        membership_rule: Option<Untrusted>,
        membership_rule_processing_state: Option<MembershipRuleProcessingState>,
        on_premises_sync_enabled: Option<bool>,
        /// `Team` for a team.
        resource_provisioning_options: Option<Vec<Untrusted>>,
        assigned_licenses: Option<Vec<AssignedLicense>>,
        owners: Option<Vec<ObjectReference>>,
    }

    /// An object of the directory by its id alone.
    ObjectReference = "directoryObject" {
        id: Option<Guid>,
    }

    /// When groups that nobody renews expire.
    GroupLifecyclePolicy = "groupLifecyclePolicy" {
        group_lifetime_in_days: Option<i64>,
        managed_group_types: Option<ManagedGroupTypes>,
    }

    /// Directory settings as they are where nobody made an object of them.
    GroupSettingTemplate = "groupSettingTemplate" {
        id: Option<Guid>,
        display_name: Option<Untrusted>,
        values: Option<Vec<SettingTemplateValue>>,
    }

    /// One setting and its default; every value is a string.
    SettingTemplateValue = "settingTemplateValue" {
        name: Option<Untrusted>,
        default_value: Option<Untrusted>,
    }
}

graph_enum! {
    /// Who sees the content of a Microsoft 365 group; null for security groups.
    GroupVisibility { Public = "Public", Private = "Private", HiddenMembership = "HiddenMembership" }
    /// Whether the rule of a dynamic group is being worked on.
    MembershipRuleProcessingState { On = "On", Paused = "Paused" }
    /// Which Microsoft 365 groups expire.
    ManagedGroupTypes { All = "All", Selected = "Selected", None = "None" }
}
