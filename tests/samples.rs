//! Bodies as the documentation shows them, read into the types: what a rule will look at is there, and typed.

#![allow(
    clippy::unwrap_used,
    reason = "a test may fail wherever it finds something else"
)]

use std::collections::BTreeMap;

use m365audit::snapshot::model::*;
use m365audit::snapshot::{Guid, Resource, Tenant};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

fn samples() -> BTreeMap<String, Vec<Box<RawValue>>> {
    serde_json::from_str(include_str!("../fixtures/graph/samples.json")).unwrap()
}

fn rows<T: DeserializeOwned>(resource: Resource) -> Vec<T> {
    samples()[resource.key()]
        .iter()
        .map(|row| serde_json::from_str(row.get()).unwrap())
        .collect()
}

fn first<T: DeserializeOwned>(resource: Resource) -> T {
    rows(resource).swap_remove(0)
}

#[test]
fn every_sample_is_taken_in() {
    let subject: Guid = "00000060-0000-4000-8000-000000000060".parse().unwrap();
    for (key, rows) in samples() {
        let resource: Resource = key.parse().unwrap();
        let mut tenant = Tenant::default();
        for row in &rows {
            let of = resource.is_per_object().then_some(subject);
            tenant.fold(resource, of, row).unwrap();
        }
        assert_eq!(tenant.state(resource).1, rows.len() as u64, "{key}");
    }
}

#[test]
fn applications() {
    let application: Application = first(Resource::Applications);
    assert!(application.sign_in_audience.unwrap().is("AzureADMyOrg"));
    assert_eq!(application.service_principal_lock_configuration, None);
    assert!(application.web.unwrap().redirect_uris.is_some());
    assert_eq!(application.password_credentials.unwrap().len(), 2);

    let principal: ServicePrincipal = first(Resource::ServicePrincipals);
    assert!(principal.is_microsoft_owned());
    assert_eq!(principal.app_role_assignment_required, Some(false));
    assert_eq!(
        (principal.tags, principal.reply_urls),
        (Some(vec![]), Some(vec![]))
    );

    let agents: Vec<AgentIdentity> = rows(Resource::AgentIdentities);
    let sponsors = |agent: &AgentIdentity| agent.sponsors.as_ref().map(Vec::len);
    assert_eq!(
        (sponsors(&agents[0]), sponsors(&agents[1])),
        (Some(1), Some(0))
    );

    let credential: FederatedIdentityCredential = first(Resource::FederatedIdentityCredentials);
    assert!(
        credential
            .issuer
            .unwrap()
            .is("https://token.actions.githubusercontent.com")
    );
    assert!(
        credential
            .subject
            .unwrap()
            .raw()
            .ends_with("refs/heads/main")
    );
    assert_eq!(credential.audiences.unwrap().len(), 1);

    let published: PublishedApplication = first(Resource::ApplicationPublishing);
    let publishing = published.on_premises_publishing.unwrap();
    assert_eq!(
        publishing.external_authentication_type,
        Some(ExternalAuthenticationType::Passthru)
    );

    let segments: Vec<IpApplicationSegment> = rows(Resource::ApplicationSegments);
    assert_eq!(
        segments[1].destination_type,
        Some(PrivateNetworkDestinationType::IpRangeCidr)
    );
    assert!(segments[1].ports.as_ref().unwrap()[0].is("1-65535"));

    let low: DelegatedPermissionClassification =
        first(Resource::DelegatedPermissionClassifications);
    assert_eq!(low.classification, Some(PermissionClassificationType::Low));
    assert!(low.permission_name.unwrap().is("User.Read"));

    let activity: ServicePrincipalSignInActivity =
        first(Resource::ServicePrincipalSignInActivities);
    let last = activity.last_sign_in_activity.unwrap();
    assert_eq!(
        last.last_sign_in_date_time.unwrap().to_string(),
        "2026-08-19T02:00:00Z"
    );

    let own: AppRoleAssignment = first(Resource::OwnAppRoleAssignments);
    assert!(own.app_role_id.is_some() && own.principal_type.unwrap().is("ServicePrincipal"));
}

#[test]
fn accounts() {
    let user: User = first(Resource::Users);
    assert!(
        user.password_policies
            .unwrap()
            .is("DisablePasswordExpiration")
    );
    let mailbox: MailboxSettings = first(Resource::MailboxSettings);
    assert_eq!(mailbox.user_purpose, Some(UserPurpose::Shared));
    let old: StrongAuthenticationRequirements = first(Resource::AuthenticationRequirements);
    assert_eq!(old.per_user_mfa_state, Some(PerUserMfaState::Disabled));
    let row = r#"{"userPrincipalName": "anna@contoso.example", "sendCount": "31"}"#;
    let sent: EmailActivityUserDetail = serde_json::from_str(row).unwrap();
    assert_eq!(sent.send_count, Some(31));
    for (text, count) in [
        (r#"{"sendCount": ""}"#, Some(None)),
        (r#"{"sendCount": "many"}"#, None),
    ] {
        let read: Option<EmailActivityUserDetail> = serde_json::from_str(text).ok();
        assert_eq!(read.map(|row| row.send_count), count, "{text}");
    }
}

#[test]
fn risk_and_alerts() {
    let detection: RiskDetection = first(Resource::RiskDetections);
    assert_eq!(detection.activity, Some(ActivityType::Signin));
    assert_eq!(detection.risk_state, Some(RiskState::AtRisk));
    assert!(detection.user_id.is_some());

    let principal: RiskyServicePrincipal = first(Resource::RiskyServicePrincipals);
    assert_eq!(principal.is_enabled, Some(true));
    assert_eq!(principal.risk_level, Some(RiskLevel::High));

    let notified: RiskNotifications = first(Resource::RiskNotifications);
    assert_eq!(notified.min_risk_level, Some(RiskLevel::High));
    let recipients = notified.notification_recipients.unwrap();
    assert_eq!(recipients[0].is_risky_users_alerts_recipient, Some(false));

    let alert: Alert = first(Resource::Alerts);
    assert!(alert.last_update_date_time.is_some());
    let incident: Incident = first(Resource::ResolvedIncidents);
    assert_eq!(incident.classification, Some(AlertClassification::Unknown));
    assert_eq!(incident.determination, Some(AlertDetermination::Unknown));

    let simulations: Vec<Simulation> = rows(Resource::AttackSimulations);
    assert_eq!(simulations[0].status, Some(SimulationStatus::Succeeded));
    assert_eq!(simulations[1].launch_date_time, None);

    let sensor: Sensor = first(Resource::IdentitySensors);
    assert_eq!(
        sensor.sensor_type,
        Some(SensorType::DomainControllerIntegrated)
    );
    assert_eq!(sensor.deployment_status, Some(DeploymentStatus::UpToDate));
    assert_eq!(sensor.health_status, Some(SensorHealthStatus::Healthy));
    assert_eq!(sensor.service_status, None, "not sent in every cloud");
    let issue: HealthIssue = first(Resource::IdentityHealthIssues);
    assert_eq!(issue.status, Some(HealthIssueStatus::Open));
    assert!(issue.sensor_dns_names.unwrap()[0].is("dc1.contoso.example"));
}

#[test]
fn settings() {
    let sharepoint: SharepointSettings = first(Resource::SharePointSettings);
    assert_eq!(
        sharepoint.sharing_domain_restriction_mode,
        Some(SharingDomainRestrictionMode::None)
    );
    assert_eq!(
        sharepoint.deleted_user_personal_site_retention_period_in_days,
        Some(30)
    );
    let idle = sharepoint.idle_session_sign_out.unwrap();
    assert_eq!(
        (idle.is_enabled, idle.sign_out_after_in_seconds),
        (Some(false), Some(0))
    );

    let store: AdminAppsAndServices = first(Resource::AppsAndServices);
    assert_eq!(store.settings.unwrap().is_office_store_enabled, Some(true));
    let forms: AdminForms = first(Resource::Forms);
    assert_eq!(
        forms
            .settings
            .unwrap()
            .is_in_org_forms_phishing_scan_enabled,
        Some(false)
    );
    let reports: AdminReportSettings = first(Resource::ReportSettings);
    assert_eq!(reports.display_concealed_names, Some(true));
    let label: SensitivityLabel = first(Resource::SensitivityLabels);
    assert_eq!(label.has_protection, Some(false));
}
