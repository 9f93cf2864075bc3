//! Inbox rules.

use super::wire;
use crate::snapshot::Untrusted;

wire! {
    /// A rule on a mailbox's inbox.
    MessageRule = "messageRule" {
        id: Option<Untrusted>,
        display_name: Option<Untrusted>,
        is_enabled: Option<bool>,
        conditions: Option<MessageRulePredicates>,
        actions: Option<MessageRuleActions>,
    }

    /// What a rule does.
    MessageRuleActions = "messageRuleActions" {
        delete: Option<bool>,
        permanent_delete: Option<bool>,
        /// A folder id, or a well-known folder's name.
        move_to_folder: Option<Untrusted>,
        forward_to: Option<Vec<Recipient>>,
        forward_as_attachment_to: Option<Vec<Recipient>>,
        redirect_to: Option<Vec<Recipient>>,
    }

    /// When a rule acts, as far as rules look at it. `others` holds every other condition, so that a rule with
    /// one is never taken for a rule without any.
    MessageRulePredicates = "messageRulePredicates" {
        subject_contains: Option<Vec<Untrusted>>,
        body_contains: Option<Vec<Untrusted>>,
        body_or_subject_contains: Option<Vec<Untrusted>>,
        #[serde(flatten)]
        others: std::collections::BTreeMap<String, serde_json::Value>,
    }

    /// Somebody that mail goes to.
    Recipient = "recipient" {
        email_address: Option<EmailAddress>,
    }

    /// An address.
    EmailAddress = "emailAddress" {
        address: Option<Untrusted>,
    }
}
