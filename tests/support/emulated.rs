//! An emulator and a client that has signed in to it.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test binary uses its own part, and a test stops where its ground is missing"
)]

use m365audit::emulator::{Emulator, Options, TenantData};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

/// What came back.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Sends a request and reads its answer to the end.
pub async fn send(request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Ok(Answer {
        status,
        headers,
        text: response.text().await?,
    })
}

pub struct Client {
    pub http: reqwest::Client,
    pub emulator: Emulator,
    pub token: String,
    tenant_id: String,
    application: String,
    secret: String,
}

impl Client {
    /// Signed in as the application of the tenant.
    pub async fn new(tenant: TenantData, options: Options) -> Self {
        let mut client = Self::without_token(tenant, options).await;
        client.sign_in().await;
        client
    }

    pub async fn without_token(tenant: TenantData, options: Options) -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .user_agent("emulator-test")
            .no_proxy()
            .build()
            .unwrap();
        let (tenant_id, application) =
            (tenant.tenant_id().to_owned(), tenant.client_id().to_owned());
        // An application may have certificates only.
        let secret = tenant.first_secret().unwrap_or_default().to_owned();
        Self {
            http,
            emulator: Emulator::start(tenant, options).await.unwrap(),
            token: String::new(),
            tenant_id,
            application,
            secret,
        }
    }

    pub async fn sign_in(&mut self) {
        let answer = self.ask_token(&self.tenant_id, &[]).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["access_token"]
            .as_str()
            .unwrap()
            .clone_into(&mut self.token);
    }

    /// A token request with the right fields, where some are replaced or (empty) left out.
    pub async fn ask_token(&self, tenant: &str, changes: &[(&str, &str)]) -> Answer {
        let scope = format!("{}/.default", self.emulator.graph_url());
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", &self.application),
            ("client_secret", &self.secret),
            ("scope", scope.as_str()),
        ];
        for (name, value) in changes {
            form.retain(|(own, _)| own != name);
            if !value.is_empty() {
                form.push((name, value));
            }
        }
        let url = format!("{}/{tenant}/oauth2/v2.0/token", self.emulator.login_url());
        send(self.http.post(url).form(&form)).await.unwrap()
    }

    /// A GET of a path or a link.
    pub fn request(&self, path: &str) -> reqwest::RequestBuilder {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.emulator.graph_url())
        };
        self.http.get(url).bearer_auth(&self.token)
    }

    pub async fn get(&self, path: &str) -> Answer {
        send(self.request(path)).await.unwrap()
    }

    /// With the header of advanced queries.
    pub async fn eventual(&self, path: &str) -> Answer {
        send(self.request(path).header("ConsistencyLevel", "eventual"))
            .await
            .unwrap()
    }

    pub fn batch_request(&self, requests: &Value) -> reqwest::RequestBuilder {
        let url = format!("{}/v1.0/$batch", self.emulator.graph_url());
        self.http
            .post(url)
            .bearer_auth(&self.token)
            .header("Content-Type", "application/json")
            .body(json!({"requests": requests}).to_string())
    }

    pub async fn batch(&self, requests: Value) -> Answer {
        send(self.batch_request(&requests)).await.unwrap()
    }
}
