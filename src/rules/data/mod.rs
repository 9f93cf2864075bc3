//! Data protection.

mod dlp_policies;
mod secure_score;
mod sensitivity_labels;
mod unmanaged_downloads;

use super::Rule;

/// The rules of this area.
pub static RULES: &[&Rule] = &[
    &dlp_policies::DLP_POLICIES_MISSING,
    &secure_score::MAIL_PROTECTION_PRESETS_UNUSED,
    &sensitivity_labels::SENSITIVITY_LABELS_MISSING,
    &unmanaged_downloads::UNMANAGED_DEVICE_DOWNLOAD_ALLOWED,
];
