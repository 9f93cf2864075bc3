//! The sample tenant that is built in: `scan --demo`.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{EmulatorError, TenantData, packed};

/// What the sample tenant has declared in its `m365audit.toml`.
pub const CONFIG: &str = include_str!("../../fixtures/tenants/demo/m365audit.toml");

impl TenantData {
    /// The sample tenant.
    pub fn demo() -> Result<Self, EmulatorError> {
        let text = packed::demo();
        let files: BTreeMap<&str, &RawValue> =
            serde_json::from_str(&text).map_err(|source| EmulatorError::Json {
                file: "the sample tenant".to_owned(),
                source,
            })?;
        Self::from_files(files.into_iter().map(|(name, text)| (name, text.get())))
    }
}
