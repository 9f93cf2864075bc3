//! What one emulator knows and remembers while it runs: tokens, downloads, what was charged, what was asked.
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use super::device_code::Codes;
use super::errors::Failure;
use super::faults::Faults;
use super::licences::Licences;
use super::network::Network;
use super::page::Places;
use super::summary::{Counts, Summary};
use super::tenant::TenantData;
use super::throttle::{Buckets, Service};
use super::{Options, Pace, RequestLine};

/// All that one emulator knows.
pub(super) struct State {
    pub(super) tenant: TenantData,
    pub(super) options: Options,
    pub(super) faults: Faults,
    pub(super) places: Places,
    pub(super) network: Network,
    licences: Licences,
    buckets: Mutex<Buckets>,
    tokens: Mutex<HashMap<String, Token>>,
    downloads: Mutex<HashMap<String, String>>,
    pub(super) codes: Codes,
    log: Mutex<Vec<RequestLine>>,
    counts: Mutex<Counts>,
    stopped: AtomicBool,
}

#[derive(Debug, Clone)]
struct Token {
    expires: jiff::Timestamp,
    requests: u64,
    refused: bool,
    permissions: Vec<String>,
}

/// A poisoned lock holds whole values all the same: nothing here is left half done.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    pub(super) fn new(tenant: TenantData, mut options: Options) -> Self {
        let licences = tenant.licences();
        let buckets = Buckets::new(tenant.users(), options.unit_scale);
        let network = Network::new(
            options.seed,
            options.latency,
            options.trouble.clone(),
            options.bandwidth,
        );
        Self {
            faults: Faults::new(std::mem::take(&mut options.faults)),
            tenant,
            options,
            places: Places::default(),
            network,
            licences,
            buckets: Mutex::new(buckets),
            tokens: Mutex::default(),
            downloads: Mutex::default(),
            codes: Codes::default(),
            log: Mutex::default(),
            counts: Mutex::default(),
            stopped: AtomicBool::new(false),
        }
    }

    pub(super) fn log(&self) -> Vec<RequestLine> {
        lock(&self.log).clone()
    }

    /// Notes an answer; `broken`: its connection breaks before it.
    pub(super) fn record(&self, line: RequestLine, broken: bool) {
        lock(&self.counts).answered(&line, broken);
        if !self.options.counts_only {
            lock(&self.log).push(line);
        }
    }

    pub(super) fn summary(&self) -> Summary {
        lock(&self.counts).summary(self.network.hit())
    }

    /// Connections that are still open break off from now on.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    pub(super) fn licences(&self) -> &Licences {
        &self.licences
    }

    /// Takes units of a service; in the fast pace nothing is refused.
    pub(super) fn take(&self, service: Service, units: u32) -> Result<Option<f64>, Failure> {
        let share = if self.options.pace == Pace::Fast {
            None
        } else {
            let ids = (self.tenant.client_id(), self.tenant.tenant_id());
            lock(&self.buckets).take(service, units, ids, Instant::now())?
        };
        if service == Service::Identity {
            lock(&self.counts).charged(units);
        }
        Ok(share)
    }

    /// Makes a token with `make` and remembers it with its permissions.
    pub(super) fn issue(
        &self,
        lifetime: u64,
        permissions: &[String],
        make: impl FnOnce(jiff::Timestamp) -> String,
    ) -> String {
        let now = self.options.clock.now();
        let token = make(now);
        let lifetime = i64::try_from(lifetime).unwrap_or(i64::MAX);
        let expires = now
            .checked_add(jiff::SignedDuration::from_secs(lifetime))
            .unwrap_or(jiff::Timestamp::MAX);
        let entry = Token {
            expires,
            requests: 0,
            refused: false,
            permissions: permissions.to_vec(),
        };
        lock(&self.tokens).insert(token.clone(), entry);
        token
    }

    /// Permissions of a token, if it may still be used.
    pub(super) fn redeem(&self, token: Option<&str>) -> Result<Vec<String>, Failure> {
        let invalid = |message: &str| Failure::new("invalidToken", &[message]);
        let Some(token) = token.filter(|token| !token.is_empty()) else {
            return Err(invalid("Access token is empty."));
        };
        let mut tokens = lock(&self.tokens);
        let Some(entry) = tokens.get_mut(token) else {
            return Err(invalid(
                "CompactToken parsing failed with error code: 80049217",
            ));
        };
        entry.requests += 1;
        let used_up = self
            .options
            .token_requests
            .is_some_and(|limit| entry.requests > limit);
        if entry.refused || used_up || entry.expires <= self.options.clock.now() {
            return Err(invalid("Access token has expired or is not yet valid."));
        }
        Ok(entry.permissions.clone())
    }

    /// Refuses a token from now on.
    pub(super) fn revoke(&self, token: &str) {
        if let Some(entry) = lock(&self.tokens).get_mut(token) {
            entry.refused = true;
        }
    }

    /// Keeps a file for download without a token and returns its name.
    pub(super) fn keep_download(&self, text: &str) -> String {
        let name = uuid::Uuid::new_v4().simple().to_string();
        lock(&self.downloads).insert(name.clone(), text.to_owned());
        name
    }

    /// The file that is kept under this name.
    pub(super) fn download(&self, name: &str) -> Option<String> {
        lock(&self.downloads).get(name).cloned()
    }

    /// Notes how long an answer is, in bytes.
    pub(super) fn sent(&self, bytes: u64) {
        lock(&self.counts).sent(bytes);
    }
}

/// A request that waits for its answer, until its client gives up or gets it.
pub(super) struct Waiting<'a>(&'a State);

impl<'a> Waiting<'a> {
    pub(super) fn begin(state: &'a State) -> Self {
        lock(&state.counts).begin(Instant::now());
        Self(state)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        lock(&self.0.counts).end(Instant::now());
    }
}
