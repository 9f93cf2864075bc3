//! Inbox rules as intruders make them. They are only read when asked for: one request per mailbox, and about people's mail.

use std::collections::BTreeSet;

use serde_json::Value;

use super::handling::conclude;
use crate::rules::prelude::*;
use crate::snapshot::model::{MessageRule, MessageRuleActions, MessageRulePredicates, Recipient};

declare_rule! {
    /// The classic trace of a taken mailbox: a rule that sends a copy of each mail to somebody outside.
    ///
    /// It survives a password reset and needs no session. Some rules are harmless (a private address for the holidays), and even they
    /// take company mail out of the company's hands.
    ///
    /// Outside is every address whose domain is not a verified domain of this tenant. Forwarding that is set on the mailbox itself
    /// is in Exchange, which Graph does not show.
    pub(crate) static INBOX_RULE_FORWARDS_OUTSIDE = {
        id: "inbox-rule-forwards-outside",
        title: "An inbox rule sends mail outside",
        area: Area::Monitoring,
        kind: Kind::Population,
        risk: Risk(2, 3, 3),
        effort: Effort::S.always(),
        disruption: Disruption::Nobody,
        licence: Licence::Any,
        reads: &[Resource::InboxRules, Resource::Domains],
        controls: &[MitreAttack("T1114.003"), MitreAttack("T1564.008"), NistCsf2("DE.CM-03")],
        act_now: true,
        evidence: Expected { source: Some(Resource::InboxRules), property: "actions.forwardTo, forwardAsAttachmentTo, redirectTo", expected: "verified domains of this tenant only" },
        remediation: Remediation {
            summary: "The rules are switched off, and each mailbox is treated as taken until its owner confirms the rule.",
            notices: "The owner of the mailbox, if the rule was wanted: the copies stop.",
            check_first: "Ask each owner by phone, not by mail. In the audit log look for the operations New-InboxRule and Set-InboxRule: when, from which address.",
            steps: &[
                "Switch the rule off; keep it and its details as evidence.",
                "If the owner does not know it: revoke sessions, reset the password, check sign-in methods and application consents, and find out what was sent.",
                "Set automatic forwarding in the outbound spam filter policy to off, with an exception for those who need it.",
                "Look at the other mailboxes for the same target domain.",
            ],
            portal: "Exchange admin center > Recipients > Mailboxes; the rule itself in Outlook > Settings > Mail > Rules",
            request: "PATCH /v1.0/users/{id}/mailFolders/inbox/messageRules/{rule} {\"isEnabled\": false}",
            roll_out: "At once.",
            verify: "No enabled inbox rule sends to a domain that is not verified here.",
            roll_back: "Switch the rule on again once its owner has confirmed it.",
            dangers: &[Danger::BreaksIntegrations],
            learn: &["https://learn.microsoft.com/defender-xdr/alert-grading-playbook-inbox-forwarding-rules"],
        },
        check: inbox_rule_forwards_outside,
    }
}

declare_rule! {
    /// Intruders hide the answers to what they sent.
    ///
    /// Whoever writes invoices in another's name must keep the owner from seeing the replies and the warnings. A rule that deletes such mail,
    /// or puts it where nobody looks, does that: often without any condition, or with a name that is a single dot.
    ///
    /// It is a heuristic: the words come from the configuration, and honest rules can look the same. Graph gives most target folders
    /// as an id only, and an id that is not the name of a well-known folder is not a match; so a rule that moves mail to such a folder by its id is
    /// not found.
    pub(crate) static INBOX_RULE_HIDES_MAIL = {
        id: "inbox-rule-hides-mail",
        title: "An inbox rule hides or deletes mail about money or security",
        area: Area::Monitoring,
        kind: Kind::Population,
        risk: Risk(2, 3, 2),
        confidence: 80,
        effort: Effort::S.always(),
        disruption: Disruption::Nobody,
        licence: Licence::Any,
        reads: &[Resource::InboxRules],
        controls: &[MitreAttack("T1564.008"), NistCsf2("DE.CM-03")],
        evidence: Expected { source: Some(Resource::InboxRules), property: "actions, conditions, displayName", expected: "no rule that hides everything, hides mail by a suspicious word, or hides its name (mail.suspicious-words)" },
        remediation: Remediation {
            summary: "The rules are explained by their owners or switched off.",
            notices: "The owner of the mailbox: mail that was hidden shows up in the inbox again.",
            check_first: "Ask each owner by phone. In the audit log look for the operations New-InboxRule and Set-InboxRule: when, from which address; and look into the folder that the rule moves to.",
            steps: &[
                "Switch off the rules that their owners do not know; keep them as evidence.",
                "Treat these mailboxes as taken: revoke sessions, reset the password, check sign-in methods and application consents.",
                "Read the hidden mail: who was written to, and which payments are under way; warn them by phone.",
            ],
            portal: "Outlook > Settings > Mail > Rules; Microsoft Defender portal > Audit",
            request: "PATCH /v1.0/users/{id}/mailFolders/inbox/messageRules/{rule} {\"isEnabled\": false}",
            roll_out: "At once.",
            verify: "No enabled inbox rule matches any more.",
            roll_back: "Switch the rule on again once its owner has confirmed it.",
            dangers: &[],
            learn: &["https://learn.microsoft.com/defender-xdr/alert-grading-playbook-inbox-manipulation-rules"],
        },
        check: inbox_rule_hides_mail,
    }
}

fn inbox_rule_forwards_outside(cx: &Context<'_>) -> Verdict {
    let domains = cx.domains()?;
    // An address fails because its domain is not in the list.
    cx.whole(Resource::Domains)?;
    let verified: BTreeSet<String> = domains
        .iter()
        .filter(|domain| domain.is_verified == Some(true))
        .map(|domain| domain.id.raw().trim().to_lowercase())
        .collect();
    let (mailboxes, tally) = each_enabled(cx, |rule| {
        let actions = rule.actions.as_ref()?;
        let mut outside = BTreeSet::new();
        let mut untold = false;
        for recipient in recipients(actions) {
            match domain_of(recipient) {
                Some(domain) if verified.contains(&domain) => {}
                Some(domain) => drop(outside.insert(domain)),
                None => untold = true,
            }
        }
        if !outside.is_empty() {
            let domains: Vec<String> = outside.into_iter().collect();
            return Some(Suspicion::Certain(format!(
                "sends to {}",
                domains.join(", ")
            )));
        }
        untold.then_some(Suspicion::Unknown)
    })?;
    Ok(conclude(
        tally,
        &format!("no inbox rule is enabled in {mailboxes} mailboxes"),
        |failing, all| {
            format!(
                "{failing} of {all} enabled inbox rules in {mailboxes} mailboxes send mail outside"
            )
        },
    ))
}

fn inbox_rule_hides_mail(cx: &Context<'_>) -> Verdict {
    let words: Vec<String> = cx
        .config()
        .mail
        .suspicious_words
        .iter()
        .map(|word| word.trim().to_lowercase())
        .filter(|word| !word.is_empty())
        .collect();
    let (mailboxes, tally) = each_enabled(cx, |rule| {
        let how = hides(rule.actions.as_ref()?)?;
        let why = why_suspicious(rule, &words)?;
        Some(Suspicion::Certain(format!("{how}; {why}")))
    })?;
    Ok(conclude(
        tally,
        &format!("no inbox rule is enabled in {mailboxes} mailboxes"),
        |failing, all| {
            format!(
                "{failing} of {all} enabled inbox rules in {mailboxes} mailboxes hide mail in a suspicious way"
            )
        },
    ))
}

/// What a look at one rule gives when it is not harmless.
enum Suspicion {
    /// What is wrong with it.
    Certain(String),
    /// The data does not tell.
    Unknown,
}

/// Judges each enabled rule of each mailbox that was read; gives the number of mailboxes too.
fn each_enabled(
    cx: &Context<'_>,
    look: impl Fn(&MessageRule) -> Option<Suspicion>,
) -> Result<(usize, Tally), NotEvaluated> {
    let mailboxes = cx.inbox_rules()?;
    if mailboxes.is_empty() {
        cx.whole(Resource::InboxRules)?;
        return Err(NotEvaluated::unknown(
            "the inbox rules of no mailbox were read",
        ));
    }
    let mut tally = Tally::new();
    for (&mailbox, rules) in mailboxes {
        for (place, rule) in rules.iter().enumerate() {
            match (rule.is_enabled, look(rule)) {
                (Some(false), _) => {}
                (Some(true), None) => tally.pass(),
                (Some(true), Some(Suspicion::Certain(what))) => {
                    tally.fail(object(cx, mailbox, place, rule, &what));
                }
                (None, _) | (Some(true), Some(Suspicion::Unknown)) => tally.unknown(),
            }
        }
    }
    Ok((mailboxes.len(), tally))
}

/// Rule ids are only unique within a mailbox.
fn object(cx: &Context<'_>, mailbox: Guid, place: usize, rule: &MessageRule, what: &str) -> Object {
    let owner = cx.user_id_object(mailbox);
    let id = match &rule.id {
        Some(id) => format!("{mailbox}/{}", id.raw()),
        None => format!("{mailbox}/#{place}"),
    };
    let name = match &rule.display_name {
        Some(name) if !name.is_blank() => name.clone(),
        _ => "(without a name)".into(),
    };
    let mut object = Object::new(ObjectType::MessageRule, id, name)
        .detail(format!("mailbox of {}: {what}", owner.name.raw()));
    object.tier_0 = owner.tier_0;
    object
}

fn recipients(actions: &MessageRuleActions) -> impl Iterator<Item = &Recipient> {
    [
        &actions.forward_to,
        &actions.forward_as_attachment_to,
        &actions.redirect_to,
    ]
    .into_iter()
    .flatten()
    .flatten()
}

/// The domain of an address, in lower case; `None` for an address that has none, as the old internal form of Exchange.
fn domain_of(recipient: &Recipient) -> Option<String> {
    let address = recipient.email_address.as_ref()?.address.as_ref()?.raw();
    let (_, domain) = address.rsplit_once('@')?;
    let domain = domain.trim().to_lowercase();
    (!domain.is_empty()).then_some(domain)
}

/// How a rule takes mail out of sight, if it does.
fn hides(actions: &MessageRuleActions) -> Option<&'static str> {
    if actions.delete == Some(true) || actions.permanent_delete == Some(true) {
        return Some("deletes mail");
    }
    let folder: String = actions
        .move_to_folder
        .as_ref()?
        .raw()
        .chars()
        .filter(|character| !character.is_whitespace())
        .flat_map(char::to_lowercase)
        .collect();
    Some(match folder.as_str() {
        "rssfeeds" => "moves mail to RSS Feeds",
        "rsssubscriptions" => "moves mail to RSS Subscriptions",
        "conversationhistory" => "moves mail to Conversation History",
        "archive" => "moves mail to Archive",
        "junkemail" => "moves mail to Junk Email",
        "deleteditems" => "moves mail to Deleted Items",
        _ => return None,
    })
}

/// Why a rule that hides mail is suspicious, if it is.
fn why_suspicious(rule: &MessageRule, words: &[String]) -> Option<String> {
    let no_conditions = MessageRulePredicates::default();
    let conditions = rule.conditions.as_ref().unwrap_or(&no_conditions);
    let texts: Vec<&Untrusted> = [
        &conditions.subject_contains,
        &conditions.body_contains,
        &conditions.body_or_subject_contains,
    ]
    .into_iter()
    .flatten()
    .flatten()
    .collect();
    if texts.is_empty() && conditions.others.iter().all(is_no_condition) {
        return Some("it has no conditions".to_owned());
    }
    for text in texts {
        let text = text.raw().to_lowercase();
        if let Some(word) = words.iter().find(|word| text.contains(*word)) {
            return Some(format!("it looks for '{word}'"));
        }
    }
    let name = rule.display_name.as_ref().map_or("", Untrusted::raw).trim();
    let hidden_name =
        !name.is_empty() && name.chars().count() <= 3 && name.chars().all(is_punctuation);
    hidden_name.then(|| "its name is punctuation only".to_owned())
}

/// Graph writes out conditions that are not set as null, false or empty, and marks types with `@odata.type`.
fn is_no_condition((name, value): (&String, &Value)) -> bool {
    name.contains('@') || is_unset(value)
}

fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) | Value::Number(_) => false,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.iter().all(is_no_condition),
    }
}

/// ASCII punctuation and the general punctuation of Unicode (dashes, ellipsis, bullets) with its Latin and CJK relatives.
fn is_punctuation(character: char) -> bool {
    character.is_ascii_punctuation()
        || matches!(character,
            '¡' | '§' | '«' | '¶' | '·' | '»' | '¿'
            | '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{205e}' | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}')
}
