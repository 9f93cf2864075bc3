//! Risk, alerts, incidents, Secure Score and labels.

use super::{RiskLevel, graph_enum, wire};
use crate::snapshot::{Guid, Untrusted};

wire! {
    /// A user whom Identity Protection watches.
    RiskyUser = "riskyUser" {
        id: Option<Guid>,
        user_principal_name: Option<Untrusted>,
        user_display_name: Option<Untrusted>,
        is_deleted: Option<bool>,
        risk_level: Option<RiskLevel>,
        risk_state: Option<RiskState>,
        risk_last_updated_date_time: Option<jiff::Timestamp>,
    }

    /// A security alert.
    Alert = "security.alert" {
        id: Option<Untrusted>,
        title: Option<Untrusted>,
        severity: Option<AlertSeverity>,
        status: Option<AlertStatus>,
        classification: Option<AlertClassification>,
        assigned_to: Option<Untrusted>,
        service_source: Option<Untrusted>,
        created_date_time: Option<jiff::Timestamp>,
        last_update_date_time: Option<jiff::Timestamp>,
        investigation_state: Option<InvestigationState>,
    }

    /// A security incident: alerts that belong together.
    Incident = "security.incident" {
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        severity: Option<AlertSeverity>,
        status: Option<IncidentStatus>,
        classification: Option<AlertClassification>,
        determination: Option<AlertDetermination>,
        assigned_to: Option<Untrusted>,
        created_date_time: Option<jiff::Timestamp>,
        last_update_date_time: Option<jiff::Timestamp>,
    }

    /// Something that Identity Protection saw and found risky.
    RiskDetection = "riskDetection" {
        id: Option<Untrusted>,
        activity: Option<ActivityType>,
        risk_event_type: Option<Untrusted>,
        risk_level: Option<RiskLevel>,
        risk_state: Option<RiskState>,
        detected_date_time: Option<jiff::Timestamp>,
        user_id: Option<Guid>,
        user_principal_name: Option<Untrusted>,
        user_display_name: Option<Untrusted>,
    }

    /// A service principal that Identity Protection watches.
    RiskyServicePrincipal = "riskyServicePrincipal" {
        id: Option<Guid>,
        app_id: Option<Guid>,
        display_name: Option<Untrusted>,
        is_enabled: Option<bool>,
        risk_level: Option<RiskLevel>,
        risk_state: Option<RiskState>,
        risk_last_updated_date_time: Option<jiff::Timestamp>,
    }

    /// A simulated attack on the own people.
    Simulation = "simulation" {
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        status: Option<SimulationStatus>,
        created_date_time: Option<jiff::Timestamp>,
        launch_date_time: Option<jiff::Timestamp>,
    }

    /// A sensor of Defender for Identity.
    Sensor = "security.sensor" {
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        domain_name: Option<Untrusted>,
        sensor_type: Option<SensorType>,
        deployment_status: Option<DeploymentStatus>,
        health_status: Option<SensorHealthStatus>,
        /// Not in US Government clouds.
        service_status: Option<ServiceStatus>,
    }

    /// What ails a sensor of Defender for Identity, or all of them.
    HealthIssue = "security.healthIssue" {
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        severity: Option<HealthIssueSeverity>,
        status: Option<HealthIssueStatus>,
        created_date_time: Option<jiff::Timestamp>,
        domain_names: Option<Vec<Untrusted>>,
        #[serde(rename = "sensorDNSNames")]
        sensor_dns_names: Option<Vec<Untrusted>>,
    }

    /// Whom Identity Protection tells of users at risk; beta, undocumented.
    RiskNotifications = "riskNotifications" {
        min_risk_level: Option<RiskLevel>,
        notification_recipients: Option<Vec<RiskNotificationRecipient>>,
        additional_recipients: Option<Vec<RiskNotificationRecipient>>,
    }

    /// One of them.
    RiskNotificationRecipient = "riskNotificationRecipient" {
        id: Option<Untrusted>,
        email: Option<Untrusted>,
        is_risky_users_alerts_recipient: Option<bool>,
    }

    /// A Secure Score: one a day, the newest first.
    SecureScore = "secureScore" {
        id: Option<Untrusted>,
        created_date_time: Option<jiff::Timestamp>,
        control_scores: Option<Vec<ControlScore>>,
    }

    /// What the tenant has of one control.
    ControlScore = "controlScore" {
        control_name: Option<Untrusted>,
        score: Option<f64>,
    }

    /// What a control is; its id is the `controlName` of the scores.
    SecureScoreControlProfile = "secureScoreControlProfile" {
        id: Option<Untrusted>,
        title: Option<Untrusted>,
        service: Option<Untrusted>,
        max_score: Option<f64>,
        deprecated: Option<bool>,
    }

    /// A sensitivity label.
    SensitivityLabel = "sensitivityLabel" {
        id: Option<Untrusted>,
        name: Option<Untrusted>,
        /// Whether the label protects (encrypts) what carries it.
        has_protection: Option<bool>,
        sublabels: Option<Vec<SensitivityLabel>>,
    }
}

graph_enum! {
    /// Where the handling of a risk stands.
    RiskState { None = "none", ConfirmedSafe = "confirmedSafe", Remediated = "remediated", Dismissed = "dismissed", AtRisk = "atRisk", ConfirmedCompromised = "confirmedCompromised" }
    /// How bad it would be.
    AlertSeverity { Unknown = "unknown", Informational = "informational", Low = "low", Medium = "medium", High = "high" }
    /// Where the handling of an alert stands.
    AlertStatus { Unknown = "unknown", New = "new", InProgress = "inProgress", Resolved = "resolved" }
    /// What an alert turned out to be.
    AlertClassification { Unknown = "unknown", FalsePositive = "falsePositive", TruePositive = "truePositive", InformationalExpectedActivity = "informationalExpectedActivity" }
    /// What an alert turned out to be about.
    AlertDetermination { Unknown = "unknown", Apt = "apt", Malware = "malware", SecurityPersonnel = "securityPersonnel", SecurityTesting = "securityTesting", UnwantedSoftware = "unwantedSoftware", OtherKind = "other", MultiStagedAttack = "multiStagedAttack", CompromisedAccount = "compromisedAccount", Phishing = "phishing", MaliciousUserActivity = "maliciousUserActivity", NotMalicious = "notMalicious", NotEnoughDataToValidate = "notEnoughDataToValidate", ConfirmedActivity = "confirmedActivity", LineOfBusinessApplication = "lineOfBusinessApplication" }
    /// Where the automated investigation of an alert stands.
    InvestigationState { Unknown = "unknown", Terminated = "terminated", SuccessfullyRemediated = "successfullyRemediated", Benign = "benign", Failed = "failed", PartiallyRemediated = "partiallyRemediated", Running = "running", PendingApproval = "pendingApproval", PendingResource = "pendingResource", Queued = "queued", InnerFailure = "innerFailure", PreexistingAlert = "preexistingAlert", UnsupportedOs = "unsupportedOs", UnsupportedAlertType = "unsupportedAlertType", SuppressedAlert = "suppressedAlert", PartiallyInvestigated = "partiallyInvestigated", TerminatedByUser = "terminatedByUser", TerminatedBySystem = "terminatedBySystem" }
    /// What a risky activity was.
    ActivityType { Signin = "signin", User = "user", ServicePrincipal = "servicePrincipal" }
    /// Where a simulation stands.
    SimulationStatus { Unknown = "unknown", Draft = "draft", Running = "running", Scheduled = "scheduled", Succeeded = "succeeded", Failed = "failed", Cancelled = "cancelled", Excluded = "excluded" }
    /// What a sensor sits on.
    SensorType { AdConnectIntegrated = "adConnectIntegrated", AdcsIntegrated = "adcsIntegrated", AdfsIntegrated = "adfsIntegrated", DomainControllerIntegrated = "domainControllerIntegrated", DomainControllerStandalone = "domainControllerStandalone" }
    /// How far a sensor is set up.
    DeploymentStatus { UpToDate = "upToDate", Outdated = "outdated", Updating = "updating", UpdateFailed = "updateFailed", NotConfigured = "notConfigured", Unreachable = "unreachable", Disconnected = "disconnected", StartFailure = "startFailure", Syncing = "syncing" }
    /// How a sensor is.
    SensorHealthStatus { Healthy = "healthy", NotHealthyLow = "notHealthyLow", NotHealthyMedium = "notHealthyMedium", NotHealthyHigh = "notHealthyHigh" }
    /// Whether a sensor's service runs.
    ServiceStatus { Stopped = "stopped", Starting = "starting", Running = "running", Disabled = "disabled", Onboarding = "onboarding", Unknown = "unknown" }
    /// How bad a health issue is.
    HealthIssueSeverity { Low = "low", Medium = "medium", High = "high" }
    /// Whether a health issue is still there.
    HealthIssueStatus { Open = "open", Closed = "closed", Suppressed = "suppressed" }
    /// Where the handling of an incident stands.
    IncidentStatus { Active = "active", Resolved = "resolved", InProgress = "inProgress", Redirected = "redirected", AwaitingAction = "awaitingAction" }
}
