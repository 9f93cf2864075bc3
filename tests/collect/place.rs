//! A tenant that is asked more than once.

use super::*;

/// An emulator, and somebody who may ask it.
pub(super) struct Place {
    emulator: Emulator,
    client: GraphClient,
    ask: Ask,
}

impl Place {
    pub(super) async fn start(
        own: Own,
        tenant: TenantData,
        resources: BTreeSet<Resource>,
        options: Options,
        pace: Pace,
    ) -> Self {
        let now = tenant.now();
        let secret = tenant.first_secret().unwrap().to_owned();
        let credential = Credential::Secret(secret.into());
        let client_id = match own {
            Own::Known => tenant.client_id().parse().ok(),
            Own::NotKnown => None,
            Own::Other(id) => Some(id),
        };
        let sign_in = SignIn::new(tenant.tenant_id(), tenant.client_id(), credential).unwrap();
        let options = Options {
            clock: emulator::Clock::Fixed(now),
            ..options
        };
        let emulator = Emulator::start(tenant, options).await.unwrap();
        let (login, graph) = (emulator.login_url(), emulator.graph_url());
        let endpoints = Endpoints::new(Cloud::Global, Some(&login), Some(&graph)).unwrap();
        let http = http::client(&[&endpoints.login, &endpoints.graph]).unwrap();
        // A wait until a date is counted from the server's time.
        let clock = FakeClock::new();
        let ahead = now.duration_since(Clock::now(&*clock));
        clock.advance(ahead.try_into().unwrap());
        let root = endpoints.graph.clone();
        let tokens = Tokens::new(sign_in, endpoints, http.clone(), clock.clone());
        let client = GraphClient::new(http, root, Arc::new(tokens), clock, pace).unwrap();
        let config = config::parse(emulator::demo::CONFIG, "demo").unwrap();
        let ask = Ask {
            resources,
            now,
            alert_days: 90,
            emergency_accounts: config.emergency_access.accounts,
            client_id,
            ..Ask::default()
        };
        Self {
            emulator,
            client,
            ask,
        }
    }

    /// Collects into `kept`, which has what is known from an earlier run; the requests are those of this collection.
    pub(super) async fn collect(&self, mut kept: Kept, earlier: Earlier) -> Run {
        let before = self.emulator.requests().len();
        let ask = Ask {
            earlier,
            ..self.ask.clone()
        };
        let ended = collect::collect(&self.client, &ask, &mut kept).await;
        Run {
            kept,
            ended,
            requests: self.emulator.requests().split_off(before),
        }
    }
}
