//! The device code flow, and a person whose deeds stand in `tenant.json`.
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;
use serde_json::{Value, json};

/// Codes and refresh tokens that are out.
#[derive(Debug, Default)]
pub(super) struct Codes {
    /// How often each code was asked about.
    polls: Mutex<HashMap<String, usize>>,
    refresh: Mutex<HashSet<String>>,
}

/// `app.person`: who signs in with a device code.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Person {
    /// Delegated permissions of the token; those of the application when not given.
    pub(super) scopes: Option<Vec<String>>,
    /// What each poll in turn is answered with, the last for good: `pending`, `slow_down`, `declined`, `expired`, an AADSTS number,
    /// or `granted`.
    #[serde(default = "granted")]
    polls: Vec<String>,
    /// Seconds between polls.
    #[serde(default = "interval")]
    interval: u64,
}

fn granted() -> Vec<String> {
    vec!["granted".to_owned()]
}

fn interval() -> u64 {
    5
}

impl Default for Person {
    fn default() -> Self {
        Self {
            scopes: None,
            polls: granted(),
            interval: interval(),
        }
    }
}

/// How a poll is answered.
pub(super) enum Poll {
    Granted,
    /// An AADSTS number.
    Refused(String),
    /// An error of RFC 8628 that has no number.
    Plain(&'static str),
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Codes {
    /// A new code, as the devicecode endpoint hands it out.
    pub(super) fn hand_out(&self, person: &Person, origin: &str) -> Value {
        let device_code = uuid::Uuid::new_v4().simple().to_string();
        let user_code = device_code
            .to_ascii_uppercase()
            .chars()
            .take(9)
            .collect::<String>();
        let address = format!("{origin}/device");
        let message = format!(
            "To sign in, use a web browser to open the page {address} and enter the code {user_code} to authenticate."
        );
        lock(&self.polls).insert(device_code.clone(), 0);
        json!({
            "user_code": user_code,
            "device_code": device_code,
            "verification_uri": address,
            "expires_in": 900,
            "interval": person.interval,
            "message": message,
        })
    }

    /// The answer to the next poll with a code.
    pub(super) fn poll(&self, person: &Person, device_code: &str) -> Poll {
        let mut polls = lock(&self.polls);
        let Some(count) = polls.get_mut(device_code) else {
            return Poll::Refused("70018".to_owned());
        };
        let said = person.polls.get(*count).or_else(|| person.polls.last());
        *count += 1;
        match said.map(String::as_str) {
            None | Some("granted") => {
                polls.remove(device_code);
                Poll::Granted
            }
            Some("pending") => Poll::Refused("70016".to_owned()),
            Some("expired") => Poll::Refused("70020".to_owned()),
            Some("slow_down") => Poll::Plain("slow_down"),
            Some("declined") => Poll::Plain("authorization_declined"),
            Some(code) => Poll::Refused(code.to_owned()),
        }
    }

    /// A refresh token, good for one renewal.
    pub(super) fn refresh_token(&self) -> String {
        let token = format!("1.{}", uuid::Uuid::new_v4().simple());
        lock(&self.refresh).insert(token.clone());
        token
    }

    /// Whether the refresh token was good; it is used up.
    pub(super) fn redeem(&self, token: &str) -> bool {
        lock(&self.refresh).remove(token)
    }
}
