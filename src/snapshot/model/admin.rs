//! Tenant-wide settings of the Microsoft 365 admin center.

use super::wire;

wire! {
    /// Whether usage reports show names.
    AdminReportSettings = "adminReportSettings" {
        display_concealed_names: Option<bool>,
    }

    /// User-owned applications and services; beta only.
    AdminAppsAndServices = "adminAppsAndServices" {
        settings: Option<AppsAndServicesSettings>,
    }

    /// What people may get for themselves.
    AppsAndServicesSettings = "appsAndServicesSettings" {
        is_office_store_enabled: Option<bool>,
        is_app_and_services_trial_enabled: Option<bool>,
    }

    /// Microsoft Forms; beta only.
    AdminForms = "adminForms" {
        settings: Option<FormsSettings>,
    }

    /// Whether forms are looked through for questions that phish.
    FormsSettings = "formsSettings" {
        is_in_org_forms_phishing_scan_enabled: Option<bool>,
    }
}
