//! Which objects of Intune are asked about one by one.

use std::collections::BTreeSet;

use super::super::Guid;
use super::super::model::{DeviceManagementConfigurationPolicy, TemplateFamily};
use super::Tenant;

impl Tenant {
    /// The tenant's own id, by which alone it tells who manages its devices.
    pub fn organization_id(&self) -> Option<Guid> {
        self.organization()?.id
    }

    /// Assigned policies whose settings a rule looks into.
    ///
    /// On Windows Hello for Business may be set in any of them, so only families that are known to hold nothing of what is looked for
    /// stay out. On macOS and iOS it is software updates, which are settings catalogue policies without a template.
    pub fn policies_with_settings(&self) -> BTreeSet<Guid> {
        let policies = self.configuration_policies.hints().iter();
        policies
            .filter(|policy| policy.is_in_use() && is_looked_into(policy))
            .filter_map(|policy| policy.id)
            .collect()
    }

    /// Tokens of Apple's automated device enrolment.
    pub fn enrolment_tokens(&self) -> BTreeSet<Guid> {
        let tokens = self.dep_onboarding_settings.hints().iter();
        tokens.filter_map(|token| token.id).collect()
    }

    /// Approval policies of which the list does not tell who approves.
    pub fn policies_without_approvers(&self) -> BTreeSet<Guid> {
        let policies = self.operation_approval_policies.hints().iter();
        policies
            .filter(|policy| policy.approver_group_ids.as_ref().is_none_or(Vec::is_empty))
            .filter_map(|policy| policy.id)
            .collect()
    }

    /// Assignments of Intune roles of which the list does not tell the groups.
    pub fn intune_assignments_without_members(&self) -> BTreeSet<Guid> {
        let assignments = self.intune_role_assignments.hints().iter();
        assignments
            .filter(|assignment| assignment.members.as_ref().is_none_or(Vec::is_empty))
            .filter_map(|assignment| assignment.id)
            .collect()
    }
}

fn is_looked_into(policy: &DeviceManagementConfigurationPolicy) -> bool {
    let family = policy.family();
    let apple = policy.is_for("macOS") || policy.is_for("iOS");
    match family {
        // A template that nobody knows yet may hold anything.
        None | Some(TemplateFamily::None | TemplateFamily::Other(_)) => {
            apple || policy.is_for("windows10")
        }
        Some(
            TemplateFamily::Baseline
            | TemplateFamily::AccountProtection
            | TemplateFamily::Antivirus
            | TemplateFamily::ApplicationControl
            | TemplateFamily::AttackSurfaceReduction
            | TemplateFamily::DiskEncryption
            | TemplateFamily::DeviceConfigurationPolicies,
        ) => policy.is_for("windows10"),
        Some(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::snapshot::{Resource, State};

    fn tenant(resource: Resource, rows: &serde_json::Value) -> Tenant {
        let mut tenant = Tenant::empty();
        for row in rows.as_array().unwrap() {
            let row = serde_json::value::to_raw_value(row).unwrap();
            tenant.fold(resource, None, &row).unwrap();
        }
        tenant.end(resource, State::Collected);
        tenant
    }

    fn id(number: u128) -> Guid {
        Guid::new(0x00e3_0000_0000_4000_8000_0000_0000_0000 + number)
    }

    /// A policy: platforms, family, `isAssigned`, number of assignments; and whether it is looked into.
    #[test]
    fn settings_are_asked_of_assigned_policies_that_may_hold_what_is_looked_for() {
        let yes = json!(true);
        let no = json!(false);
        let null = json!(null);
        let cases = [
            ("windows10", "endpointSecurityDiskEncryption", &yes, 1, true),
            ("windows10", "endpointSecurityAntivirus", &yes, 0, true),
            ("windows10", "endpointSecurityAntivirus", &null, 1, true),
            ("windows10", "endpointSecurityAntivirus", &no, 0, false),
            ("windows10", "endpointSecurityAntivirus", &null, 0, false),
            ("macOS", "endpointSecurityAntivirus", &yes, 1, false),
            (
                "windows10",
                "endpointSecurityAttackSurfaceReduction",
                &yes,
                1,
                true,
            ),
            (
                "windows10",
                "endpointSecurityAccountProtection",
                &yes,
                1,
                true,
            ),
            (
                "windows10",
                "endpointSecurityApplicationControl",
                &yes,
                1,
                true,
            ),
            ("windows10", "baseline", &yes, 1, true),
            ("windows10", "endpointSecurityFirewall", &yes, 1, false),
            (
                "windows10",
                "endpointSecurityEndpointDetectionAndResponse",
                &yes,
                1,
                false,
            ),
            ("windows10", "none", &yes, 1, true),
            ("macOS", "none", &yes, 1, true),
            ("iOS,macOS", "none", &yes, 1, true),
            ("linux", "none", &yes, 1, false),
            ("androidEnterprise", "none", &yes, 1, false),
            ("windows10", "aFamilyOfTomorrow", &yes, 1, true),
        ];
        for (platforms, family, is_assigned, assignments, wanted) in cases {
            let policy = json!({
                "id": id(1),
                "platforms": platforms,
                "isAssigned": is_assigned,
                "templateReference": {"templateFamily": family},
                "assignments": vec![json!({}); assignments],
            });
            let tenant = tenant(Resource::ConfigurationPolicies, &json!([policy]));
            let asked = tenant.policies_with_settings().contains(&id(1));
            assert_eq!(asked, wanted, "{policy}");
        }
    }

    #[test]
    fn only_what_the_list_does_not_tell_is_asked_for_by_id() {
        let rows = json!([
            {"id": id(1), "approverGroupIds": ["g"]},
            {"id": id(2), "approverGroupIds": []},
            {"id": id(3), "approverGroupIds": null},
            {"id": id(4)},
        ]);
        let tenant = tenant(Resource::OperationApprovalPolicies, &rows);
        let asked = tenant.policies_without_approvers();
        assert_eq!(asked, BTreeSet::from([id(2), id(3), id(4)]));
    }

    #[test]
    fn role_assignments_are_asked_for_by_id_where_the_list_has_no_members() {
        let rows =
            json!([{"id": id(1), "members": ["g"]}, {"id": id(2), "members": []}, {"id": id(3)}]);
        let tenant = tenant(Resource::IntuneRoleAssignments, &rows);
        let asked = tenant.intune_assignments_without_members();
        assert_eq!(asked, BTreeSet::from([id(2), id(3)]));
    }
}
