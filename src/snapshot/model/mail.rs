//! Inbox rules, what a mailbox is for, and how much mail is sent.

use std::fmt;

use serde::{Deserializer, de};

use super::{graph_enum, wire};
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

    /// A mailbox's settings, as far as they say whose it is.
    MailboxSettings = "mailboxSettings" {
        user_purpose: Option<UserPurpose>,
    }

    /// A row of the report on mail activity; a CSV file, so that all of it is text.
    EmailActivityUserDetail = "emailActivityUserDetail" {
        /// Hashed where `displayConcealedNames` is set.
        user_principal_name: Option<Untrusted>,
        /// Empty where nothing was counted.
        #[serde(deserialize_with = "count")]
        send_count: Option<u64>,
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

/// A number in a text; an empty text is none.
fn count<'de, D: Deserializer<'de>>(reader: D) -> Result<Option<u64>, D::Error> {
    struct Visitor;
    impl de::Visitor<'_> for Visitor {
        type Value = Option<u64>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a number in a text")
        }
        fn visit_unit<E: de::Error>(self) -> Result<Option<u64>, E> {
            Ok(None)
        }
        // Checked here, while the reader still stands at the value: an error names it.
        fn visit_str<E: de::Error>(self, text: &str) -> Result<Option<u64>, E> {
            let number = (!text.is_empty()).then(|| text.parse());
            number
                .transpose()
                .map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
        }
    }
    reader.deserialize_any(Visitor)
}

graph_enum! {
    /// Whose mailbox it is.
    UserPurpose { User = "user", Linked = "linked", Shared = "shared", Room = "room", Equipment = "equipment", Others = "others" }
}
