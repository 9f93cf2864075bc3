//! Global Secure Access, as beta has it.

use super::{graph_enum, wire};
use crate::snapshot::Untrusted;

wire! {
    /// Which traffic goes through the service.
    ForwardingProfile = "networkaccess.forwardingProfile" {
        id: Option<Untrusted>,
        name: Option<Untrusted>,
        state: Option<NetworkAccessStatus>,
        traffic_forwarding_type: Option<TrafficForwardingType>,
    }

    /// Whether Conditional Access hears of the compliant network.
    NetworkAccessConditionalAccessSettings = "networkaccess.conditionalAccessSettings" {
        signaling_status: Option<NetworkAccessStatus>,
    }

    /// A web filtering policy; without effect until a profile links it.
    FilteringPolicy = "networkaccess.filteringPolicy" {
        id: Option<Untrusted>,
        name: Option<Untrusted>,
        action: Option<FilteringPolicyAction>,
        policy_rules: Option<Vec<FilteringRule>>,
    }

    /// One rule of a filtering policy.
    FilteringRule = "networkaccess.filteringRule" {
        rule_type: Option<NetworkDestinationType>,
    }

    /// A security profile. The one with priority 65000 is for all internet traffic.
    FilteringProfile = "networkaccess.filteringProfile" {
        id: Option<Untrusted>,
        name: Option<Untrusted>,
        state: Option<NetworkAccessStatus>,
        priority: Option<i64>,
        policies: Option<Vec<PolicyLink>>,
    }

    /// A policy that a profile links; `odata_type` says of which kind.
    PolicyLink = "networkaccess.policyLink" {
        #[serde(rename = "@odata.type")]
        odata_type: Option<Untrusted>,
        state: Option<NetworkAccessStatus>,
        policy: Option<LinkedPolicy>,
    }

    /// The policy behind a link.
    LinkedPolicy = "networkaccess.policy" {
        id: Option<Untrusted>,
    }
}

graph_enum! {
    /// On or off.
    NetworkAccessStatus { Enabled = "enabled", Disabled = "disabled" }
    /// Which traffic a forwarding profile takes.
    TrafficForwardingType { M365 = "m365", Internet = "internet", Private = "private" }
    /// What a filtering policy does with what matches.
    FilteringPolicyAction { Block = "block", Allow = "allow", Bypass = "bypass", Alert = "alert" }
    /// What a filtering rule looks at.
    NetworkDestinationType { Url = "url", Fqdn = "fqdn", IpAddress = "ipAddress", IpRange = "ipRange", IpSubnet = "ipSubnet", WebCategory = "webCategory" }
}
