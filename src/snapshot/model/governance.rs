//! Identity governance: access reviews, access packages, lifecycle workflows.

use super::{graph_enum, wire};
use crate::snapshot::{Guid, Untrusted};

wire! {
    /// An access review, once or in a series.
    AccessReviewScheduleDefinition = "accessReviewScheduleDefinition" {
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        /// `NotStarted`, `InProgress`, `Completed` and others; a plain string to Graph.
        status: Option<Untrusted>,
        scope: Option<AccessReviewScope>,
        /// Over which groups a review of guests runs, one instance each.
        instance_enumeration_scope: Option<AccessReviewScope>,
        reviewers: Option<Vec<AccessReviewReviewerScope>>,
        stage_settings: Option<Vec<AccessReviewStageSettings>>,
        settings: Option<AccessReviewScheduleSettings>,
    }

    /// What is reviewed: a query, or principals and resources by queries of their own. By `odata_type`.
    AccessReviewScope = "accessReviewScope" {
        #[serde(rename = "@odata.type")]
        odata_type: Option<Untrusted>,
        query: Option<Untrusted>,
        principal_scopes: Option<Vec<AccessReviewScope>>,
        resource_scopes: Option<Vec<AccessReviewScope>>,
    }

    /// Who reviews: a relative address of Graph, such as `/groups/{id}/transitiveMembers`.
    AccessReviewReviewerScope = "accessReviewReviewerScope" {
        query: Option<Untrusted>,
    }

    /// One stage of a review in stages.
    AccessReviewStageSettings = "accessReviewStageSettings" {
        reviewers: Option<Vec<AccessReviewReviewerScope>>,
    }

    /// How a review runs.
    AccessReviewScheduleSettings = "accessReviewScheduleSettings" {
        auto_apply_decisions_enabled: Option<bool>,
        /// Null: once.
        recurrence: Option<PatternedRecurrence>,
    }

    /// How often, from when, until when.
    PatternedRecurrence = "patternedRecurrence" {
        pattern: Option<RecurrencePattern>,
        range: Option<RecurrenceRange>,
    }

    /// How often.
    RecurrencePattern = "recurrencePattern" {
        #[serde(rename = "type")]
        pattern_type: Option<RecurrencePatternType>,
        /// Units of the pattern between two rounds.
        interval: Option<i64>,
    }

    /// From when, until when.
    RecurrenceRange = "recurrenceRange" {
        #[serde(rename = "type")]
        range_type: Option<RecurrenceRangeType>,
        start_date: Option<jiff::civil::Date>,
        end_date: Option<jiff::civil::Date>,
    }

    /// Who may ask for an access package, who approves, when it ends.
    AccessPackageAssignmentPolicy = "accessPackageAssignmentPolicy" {
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        allowed_target_scope: Option<AllowedTargetScope>,
        expiration: Option<ExpirationPattern>,
        requestor_settings: Option<AccessPackageAssignmentRequestorSettings>,
        request_approval_settings: Option<AccessPackageAssignmentApprovalSettings>,
        access_package: Option<AccessPackage>,
    }

    /// When an assignment ends.
    ExpirationPattern = "expirationPattern" {
        #[serde(rename = "type")]
        expiration_type: Option<ExpirationPatternType>,
        end_date_time: Option<jiff::Timestamp>,
    }

    /// Who may ask.
    AccessPackageAssignmentRequestorSettings = "accessPackageAssignmentRequestorSettings" {
        enable_targets_to_self_add_access: Option<bool>,
    }

    /// Whether somebody has to approve.
    AccessPackageAssignmentApprovalSettings = "accessPackageAssignmentApprovalSettings" {
        is_approval_required_for_add: Option<bool>,
        stages: Option<Vec<AccessPackageApprovalStage>>,
    }

    /// Who approves, and who does when they cannot.
    AccessPackageApprovalStage = "accessPackageApprovalStage" {
        primary_approvers: Option<Vec<SubjectSet>>,
        fallback_primary_approvers: Option<Vec<SubjectSet>>,
    }

    /// A person, a group, or a relation such as the manager, by `odata_type`.
    SubjectSet = "subjectSet" {
        #[serde(rename = "@odata.type")]
        odata_type: Option<Untrusted>,
        user_id: Option<Guid>,
        group_id: Option<Guid>,
    }

    /// An access package; what it gives only where it was asked for by itself.
    AccessPackage = "accessPackage" {
        id: Option<Guid>,
        display_name: Option<Untrusted>,
        resource_role_scopes: Option<Vec<AccessPackageResourceRoleScope>>,
    }

    /// A role on a resource.
    AccessPackageResourceRoleScope = "accessPackageResourceRoleScope" {
        role: Option<AccessPackageResourceRole>,
        scope: Option<AccessPackageResourceScope>,
    }

    /// The role: `origin_id` is an app role, or `Member_` or `Owner_` before the id of a group.
    AccessPackageResourceRole = "accessPackageResourceRole" {
        origin_id: Option<Untrusted>,
        origin_system: Option<Untrusted>,
    }

    /// The resource: `origin_id` is its object id or address.
    AccessPackageResourceScope = "accessPackageResourceScope" {
        origin_id: Option<Untrusted>,
        origin_system: Option<Untrusted>,
    }

    /// A catalogue, under its beta names.
    AccessPackageCatalog = "accessPackageCatalog" {
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        access_package_resources: Option<Vec<AccessPackageResource>>,
        /// There when the list before is not whole.
        #[serde(rename = "accessPackageResources@odata.nextLink")]
        access_package_resources_next: Option<Untrusted>,
        access_packages: Option<Vec<AccessPackage>>,
        /// There when the list before is not whole.
        #[serde(rename = "accessPackages@odata.nextLink")]
        access_packages_next: Option<Untrusted>,
    }

    /// A resource of a catalogue: `origin_id` is an object id or the address of a site, by `origin_system`.
    AccessPackageResource = "accessPackageResource" {
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        origin_id: Option<Untrusted>,
        origin_system: Option<Untrusted>,
    }

    /// A lifecycle workflow.
    Workflow = "identityGovernance.workflow" {
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        category: Option<LifecycleWorkflowCategory>,
        is_enabled: Option<bool>,
        is_scheduling_enabled: Option<bool>,
    }
}

graph_enum! {
    /// The unit in which a series repeats.
    RecurrencePatternType { Daily = "daily", Weekly = "weekly", AbsoluteMonthly = "absoluteMonthly", RelativeMonthly = "relativeMonthly", AbsoluteYearly = "absoluteYearly", RelativeYearly = "relativeYearly" }
    /// What ends a series.
    RecurrenceRangeType { EndDate = "endDate", NoEnd = "noEnd", Numbered = "numbered" }
    /// Who may ask for an access package.
    AllowedTargetScope { NotSpecified = "notSpecified", SpecificDirectoryUsers = "specificDirectoryUsers", SpecificConnectedOrganizationUsers = "specificConnectedOrganizationUsers", SpecificDirectoryServicePrincipals = "specificDirectoryServicePrincipals", AllMemberUsers = "allMemberUsers", AllDirectoryUsers = "allDirectoryUsers", AllDirectoryServicePrincipals = "allDirectoryServicePrincipals", AllConfiguredConnectedOrganizationUsers = "allConfiguredConnectedOrganizationUsers", AllExternalUsers = "allExternalUsers", AllDirectoryAgentIdentities = "allDirectoryAgentIdentities" }
    /// What ends an assignment.
    ExpirationPatternType { NotSpecified = "notSpecified", NoExpiration = "noExpiration", AfterDateTime = "afterDateTime", AfterDuration = "afterDuration" }
    /// What a workflow is for.
    LifecycleWorkflowCategory { Joiner = "joiner", Leaver = "leaver", Mover = "mover" }
}
