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
    }

    /// A security incident: alerts that belong together.
    Incident = "security.incident" {
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        severity: Option<AlertSeverity>,
        status: Option<IncidentStatus>,
        assigned_to: Option<Untrusted>,
        created_date_time: Option<jiff::Timestamp>,
        last_update_date_time: Option<jiff::Timestamp>,
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
    /// Where the handling of an incident stands.
    IncidentStatus { Active = "active", Resolved = "resolved", InProgress = "inProgress", Redirected = "redirected", AwaitingAction = "awaitingAction" }
}
