//! What a tenant has to own for Graph to answer.

/// Licences without which Graph refuses a request or answers nothing of use.
/// Source: Microsoft Graph reference pages and the licensing terms of each feature, mid-2026.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Licence {
    /// Every tenant may ask.
    None,
    /// Microsoft Entra ID P1 or P2.
    EntraP1,
    /// Microsoft Entra ID P2.
    EntraP2,
    /// Microsoft Entra ID P2 or Entra ID Governance.
    EntraP2OrGovernance,
    /// Microsoft Entra ID Governance.
    Governance,
    /// Microsoft Entra Workload ID Premium.
    WorkloadIdentities,
    /// Microsoft Entra Internet Access or Private Access.
    GlobalSecureAccess,
    /// Microsoft Entra Private Access.
    PrivateAccess,
    /// Microsoft Intune.
    Intune,
    /// SharePoint Online.
    SharePoint,
    /// Exchange Online.
    Exchange,
    /// A workload of Microsoft Defender XDR.
    Defender,
    /// Microsoft Defender for Identity.
    DefenderForIdentity,
    /// Microsoft Defender for Office 365 plan 2.
    DefenderForOffice2,
    /// Microsoft Purview Information Protection.
    InformationProtection,
}

impl Licence {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::None,
        Self::EntraP1,
        Self::EntraP2,
        Self::EntraP2OrGovernance,
        Self::Governance,
        Self::WorkloadIdentities,
        Self::GlobalSecureAccess,
        Self::PrivateAccess,
        Self::Intune,
        Self::SharePoint,
        Self::Exchange,
        Self::Defender,
        Self::DefenderForIdentity,
        Self::DefenderForOffice2,
        Self::InformationProtection,
    ];

    /// How people call it; `None` where nothing is needed.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::None => return None,
            Self::EntraP1 => "Entra ID P1",
            Self::EntraP2 => "Entra ID P2",
            Self::EntraP2OrGovernance => "Entra ID P2 or ID Governance",
            Self::Governance => "Entra ID Governance",
            Self::WorkloadIdentities => "Workload ID Premium",
            Self::GlobalSecureAccess => "Entra Internet Access or Private Access",
            Self::PrivateAccess => "Entra Private Access",
            Self::Intune => "Intune",
            Self::SharePoint => "SharePoint Online",
            Self::Exchange => "Exchange Online",
            Self::Defender => "a Defender XDR workload",
            Self::DefenderForIdentity => "Defender for Identity",
            Self::DefenderForOffice2 => "Defender for Office 365 Plan 2",
            Self::InformationProtection => "Purview Information Protection",
        })
    }

    /// The service plans that give it, any of them, by name in Microsoft's licensing list; empty for [`Licence::None`].
    pub const fn plans(self) -> &'static [&'static str] {
        match self {
            Self::None => &[],
            Self::EntraP1 => &["AAD_PREMIUM", "AAD_PREMIUM_P2"],
            Self::EntraP2 => &["AAD_PREMIUM_P2"],
            Self::EntraP2OrGovernance => &["AAD_PREMIUM_P2", "Entra_Identity_Governance"],
            Self::Governance => &["Entra_Identity_Governance"],
            Self::WorkloadIdentities => &["AAD_WRKLDID_P1", "AAD_WRKLDID_P2"],
            Self::GlobalSecureAccess => &[
                "Entra_Premium_Internet_Access",
                "Entra_Premium_Private_Access",
            ],
            Self::PrivateAccess => &["Entra_Premium_Private_Access"],
            // INTUNE_O365 is Basic Mobility and Security, which has no Intune in Graph.
            Self::Intune => &[
                "INTUNE_A",
                "INTUNE_A_VL",
                "INTUNE_A_GOV",
                "INTUNE_EDU",
                "INTUNE_SMBIZ",
            ],
            Self::SharePoint => &[
                "SHAREPOINTSTANDARD",
                "SHAREPOINTENTERPRISE",
                "SHAREPOINTDESKLESS",
                "SHAREPOINTSTANDARD_EDU",
                "SHAREPOINTENTERPRISE_EDU",
                "SHAREPOINTENTERPRISE_GOV",
                "SHAREPOINTDESKLESS_GOV",
                "SHAREPOINTENTERPRISE_MIDMARKET",
                "SHAREPOINT_S_DEVELOPER",
            ],
            Self::Exchange => &[
                "EXCHANGE_S_STANDARD",
                "EXCHANGE_S_ENTERPRISE",
                "EXCHANGE_S_DESKLESS",
                "EXCHANGE_S_ESSENTIALS",
                "EXCHANGE_S_STANDARD_GOV",
                "EXCHANGE_S_ENTERPRISE_GOV",
                "EXCHANGE_S_DESKLESS_GOV",
                "EXCHANGE_S_STANDARD_MIDMARKET",
            ],
            Self::Defender => &[
                "WINDEFATP",
                "MDE_SMB",
                "ATP_ENTERPRISE",
                "ATP_ENTERPRISE_GOV",
                "THREAT_INTELLIGENCE",
                "THREAT_INTELLIGENCE_GOV",
                "ATA",
                "ADALLOM_S_STANDALONE",
                "ADALLOM_S_STANDALONE_DOD",
            ],
            Self::DefenderForIdentity => &["ATA"],
            Self::DefenderForOffice2 => &["THREAT_INTELLIGENCE", "THREAT_INTELLIGENCE_GOV"],
            Self::InformationProtection => &[
                "RMS_S_ENTERPRISE",
                "RMS_S_ENTERPRISE_GOV",
                "RMS_S_PREMIUM",
                "RMS_S_PREMIUM_GOV",
                "RMS_S_PREMIUM2",
                "RMS_S_PREMIUM2_GOV",
                "MIP_S_CLP1",
                "MIP_S_CLP2",
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::reference;

    #[test]
    fn licences_are_made_of_plans_that_microsoft_sells() {
        for licence in Licence::ALL {
            assert_eq!(licence.plans().is_empty(), licence.name().is_none());
            for plan in licence.plans() {
                assert!(reference::service_plan(plan).is_some(), "{plan}");
            }
        }
    }
}
