//! The JSON of a tenant: what each request path answers, who may sign in, which licences there are.
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::EmulatorError;
use super::device_code::Person;
use super::licences::Licences;
use super::platforms::Platforms;
use super::routes::Version;
use super::synthetic::{Lists, Synthetic};

/// A parsed tenant.
///
/// A folder has `tenant.json` (who the tenant is, which application may sign in) and any number of other `*.json` files, each one
/// object: request path -> body. An array is the `value` of a collection, an object the resource itself; a key may begin with `v1.0:`
/// or `beta:` where the two differ. `"like": "<name>"` in `tenant.json` adds the data files of the folder of that name beside this one:
/// the same tenant, asked by an application with other rights.
#[derive(Clone)]
pub struct TenantData {
    pub(super) profile: Profile,
    bodies: BTreeMap<String, Body>,
    /// Big lists that are computed; their first rows are those of `bodies`.
    pub(super) synthetic: Option<Arc<Lists>>,
}

/// The file that says who the tenant is.
const PROFILE: &str = "tenant.json";

/// `tenant.json`.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Profile {
    pub(super) tenant_id: String,
    #[serde(default)]
    pub(super) domains: Vec<String>,
    pub(super) now: jiff::Timestamp,
    #[serde(default)]
    pub(super) absent: Absent,
    pub(super) app: App,
    #[serde(default)]
    pub(super) platforms: Platforms,
}

/// What a child collection without a body answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Absent {
    #[default]
    Forbidden,
    Empty,
}

/// The application that may sign in.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct App {
    pub(super) client_id: String,
    #[serde(default)]
    pub(super) secrets: Vec<Secret>,
    #[serde(default)]
    pub(super) certificates: Vec<Certificate>,
    #[serde(default)]
    pub(super) federated_credentials: Vec<Federated>,
    /// The person who signs in with a device code; without one, the application allows no public client flow.
    pub(super) person: Option<Person>,
    #[serde(default)]
    pub(super) permissions: Vec<String>,
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    #[serde(default = "yes")]
    pub(super) consented: bool,
}

fn yes() -> bool {
    true
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Secret {
    pub(super) value: String,
    pub(super) end_date_time: Option<jiff::Timestamp>,
}

#[derive(Clone, Deserialize)]
pub(super) struct Certificate {
    #[serde(rename = "x5t#S256")]
    pub(super) sha256: Option<String>,
    #[serde(rename = "x5t")]
    pub(super) sha1: Option<String>,
    /// PEM of the public key or of the certificate; without it signatures are not checked.
    #[serde(rename = "publicKey")]
    pub(super) public_key: Option<String>,
}

/// A federated identity credential.
#[derive(Clone, Deserialize)]
pub(super) struct Federated {
    pub(super) issuer: String,
    pub(super) subject: String,
    #[serde(default = "exchange")]
    pub(super) audience: String,
}

fn exchange() -> String {
    "api://AzureADTokenExchange".to_owned()
}

/// The body of a request path.
#[derive(Clone)]
pub(super) enum Body {
    List(List),
    One(Value),
}

/// The rows of a collection.
#[derive(Clone, Default)]
pub(super) struct List {
    pub(super) rows: Vec<Value>,
    by_id: HashMap<String, usize>,
}

impl List {
    fn new(rows: Vec<Value>) -> Self {
        let mut by_id = HashMap::with_capacity(rows.len());
        for (index, row) in rows.iter().enumerate() {
            if let Some(id) = key_of(row) {
                by_id.entry(id.to_ascii_lowercase()).or_insert(index);
            }
        }
        Self { rows, by_id }
    }

    /// The row with this id.
    pub(super) fn by_id(&self, id: &str) -> Option<&Value> {
        let index = self.by_id.get(&id.to_ascii_lowercase())?;
        self.rows.get(*index)
    }
}

/// The key of a row: `id`, or `tenantId` for partners of the cross-tenant access policy.
pub(super) fn key_of(row: &Value) -> Option<&str> {
    row.get("id").or_else(|| row.get("tenantId"))?.as_str()
}

impl Body {
    fn new(value: Value) -> Self {
        match value {
            Value::Array(rows) => Self::List(List::new(rows)),
            Value::Object(mut page)
                if page.contains_key("@odata.context")
                    && page.get("value").is_some_and(Value::is_array) =>
            {
                match page.remove("value") {
                    Some(Value::Array(rows)) => Self::List(List::new(rows)),
                    _ => Self::List(List::default()),
                }
            }
            other => Self::One(other),
        }
    }
}

impl TenantData {
    /// Reads the folder of a tenant: `tenant.json`, all other `*.json` files in it, and those of the folder that it is like.
    pub fn load(dir: &Path) -> Result<Self, EmulatorError> {
        let mut files = json_files(dir)?;
        let own = files.iter().find(|(name, _)| name == PROFILE);
        let like = match own.map(|(_, text)| serde_json::from_str::<Like>(text)) {
            Some(Ok(own)) => own.like,
            // What is wrong with the file is said where it is read as a whole.
            _ => None,
        };
        if let Some(name) = like {
            let is_name = name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
            if name.is_empty() || !is_name {
                return Err(EmulatorError::Like { name });
            }
            let beside = dir.parent().unwrap_or(dir).join(name);
            let data = json_files(&beside)?.into_iter();
            files.extend(data.filter(|(name, _)| name != PROFILE));
        }
        Self::from_files(
            files
                .iter()
                .map(|(name, text)| (name.as_str(), text.as_str())),
        )
    }

    /// The same from files in memory: (file name, text).
    pub fn from_files<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, EmulatorError> {
        let mut profile = None;
        let mut bodies = BTreeMap::new();
        for (file, text) in files {
            let failed = |source| EmulatorError::Json {
                file: file.to_owned(),
                source,
            };
            if file == PROFILE {
                profile = Some(serde_json::from_str(text).map_err(failed)?);
                continue;
            }
            let content: Map<String, Value> = serde_json::from_str(text).map_err(failed)?;
            for (key, value) in content {
                let Some(normal) = normal_key(&key) else {
                    return Err(EmulatorError::Key {
                        file: file.to_owned(),
                        key,
                    });
                };
                if bodies.insert(normal, Body::new(value)).is_some() {
                    return Err(EmulatorError::Duplicate {
                        file: file.to_owned(),
                        key,
                    });
                }
            }
        }
        Ok(Self {
            profile: profile.ok_or(EmulatorError::NoTenantFile)?,
            bodies,
            synthetic: None,
        })
    }

    /// The same tenant grown to any size: its big lists go on with computed rows. They begin with the rows of now: what is
    /// [`set`](Self::set) later does not reach them.
    pub fn grown(mut self, synthetic: &Synthetic) -> Self {
        self.synthetic = Some(Arc::new(Lists::new(synthetic, &self)));
        self
    }

    /// Makes the orders of all computed lists, which else the first request for each has to wait for.
    pub fn prepare(&self) {
        if let Some(lists) = &self.synthetic {
            lists.prepare();
        }
    }

    /// Tenant id, a GUID.
    pub fn tenant_id(&self) -> &str {
        &self.profile.tenant_id
    }

    /// The date at which the data was taken.
    pub fn now(&self) -> jiff::Timestamp {
        self.profile.now
    }

    /// Application (client) id of the one application that may sign in.
    pub fn client_id(&self) -> &str {
        &self.profile.app.client_id
    }

    /// The first client secret of that application, if it has one.
    pub fn first_secret(&self) -> Option<&str> {
        self.profile
            .app
            .secrets
            .first()
            .map(|secret| secret.value.as_str())
    }

    /// Puts a body in place: an array is a collection, an object the resource itself. `path` is a key as in the files.
    pub fn set(&mut self, path: impl AsRef<str>, body: Value) {
        let path = path.as_ref();
        let key = normal_key(path).unwrap_or_else(|| format!("/{}", path.to_ascii_lowercase()));
        self.bodies.insert(key, Body::new(body));
    }

    /// Takes a body away; the path then answers as not held. `path` is a key as in the files.
    pub fn remove(&mut self, path: impl AsRef<str>) {
        if let Some(key) = normal_key(path.as_ref()) {
            self.bodies.remove(&key);
        }
    }

    /// Application permissions that new tokens carry in `roles`.
    pub fn permissions_mut(&mut self) -> &mut Vec<String> {
        &mut self.profile.app.permissions
    }

    /// The body of a path in this version of Graph; `path` without version, any case.
    pub(super) fn body(&self, version: Version, path: &str) -> Option<&Body> {
        let path = path.to_ascii_lowercase();
        self.bodies
            .get(&format!("{}:{path}", version.as_str()))
            .or_else(|| self.bodies.get(&path))
    }

    /// The collection at a path.
    pub(super) fn list(&self, version: Version, path: &str) -> Option<&List> {
        match self.body(version, path) {
            Some(Body::List(list)) => Some(list),
            _ => None,
        }
    }

    /// How many users there are: the size class of the identity limits goes by it.
    pub(super) fn users(&self) -> usize {
        let computed = self
            .synthetic
            .as_ref()
            .and_then(|lists| lists.get("/users"));
        match computed {
            Some(list) => list.len() as usize,
            None => self
                .list(Version::V1, "/users")
                .map_or(0, |list| list.rows.len()),
        }
    }

    /// Collections `{start}/{id}/{end}`, with the id in lower case.
    pub(super) fn children<'a>(
        &'a self,
        start: &'a str,
        end: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a List)> + 'a {
        self.bodies.iter().filter_map(move |(key, body)| {
            let rest = key.strip_prefix(start)?.strip_prefix('/')?;
            let id = rest.strip_suffix(end)?.strip_suffix('/')?;
            match body {
                Body::List(list) if !id.contains('/') => Some((id, list)),
                _ => None,
            }
        })
    }

    /// What the tenant pays for, by its own `/subscribedSkus`.
    pub(super) fn licences(&self) -> Licences {
        Licences::new(self.list(Version::V1, "/subscribedSkus"))
    }
}

impl fmt::Debug for TenantData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TenantData")
            .field("tenant_id", &self.profile.tenant_id)
            .field("bodies", &self.bodies.len())
            .finish_non_exhaustive()
    }
}

/// The part of `tenant.json` that says whose data it uses.
#[derive(Deserialize)]
struct Like {
    like: Option<String>,
}

/// Name and text of every `*.json` file of a folder, by name.
fn json_files(dir: &Path) -> Result<Vec<(String, String)>, EmulatorError> {
    let failed = |path: &Path, source| EmulatorError::Read {
        path: path.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|source| failed(dir, source))? {
        let path = entry.map_err(|source| failed(dir, source))?.path();
        let (Some(name), Some("json")) = (
            path.file_name().and_then(OsStr::to_str),
            path.extension().and_then(OsStr::to_str),
        ) else {
            continue;
        };
        let text = std::fs::read_to_string(&path).map_err(|source| failed(&path, source))?;
        files.push((name.to_owned(), text));
    }
    files.sort();
    Ok(files)
}

/// A key in one spelling: lower case, no slash at the end.
fn normal_key(key: &str) -> Option<String> {
    let lower = key.to_ascii_lowercase();
    let lower = lower.trim_end_matches('/');
    let path = lower
        .strip_prefix("v1.0:")
        .or_else(|| lower.strip_prefix("beta:"))
        .unwrap_or(lower);
    path.starts_with('/').then(|| lower.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENANT: &str = r#"{"tenantId": "t", "now": "2026-08-20T10:00:00Z",
        "app": {"clientId": "c", "secrets": [{"value": "topsecret"}]}}"#;

    #[test]
    fn mistakes_in_files_are_named() {
        let load = |files: &[(&'static str, &'static str)]| {
            TenantData::from_files(files.iter().copied())
                .unwrap_err()
                .to_string()
        };
        assert_eq!(load(&[]), "the tenant has no tenant.json");
        let twice = load(&[
            ("tenant.json", TENANT),
            ("a.json", r#"{"/users": []}"#),
            ("b.json", r#"{"/Users/": []}"#),
        ]);
        assert_eq!(twice, "b.json: /Users/ is already in another file");
        let key = load(&[("tenant.json", TENANT), ("a.json", r#"{"users": []}"#)]);
        assert_eq!(key, "a.json: the key \"users\" is not a request path");
    }

    #[test]
    fn a_tenant_like_another_has_its_data_and_an_application_of_its_own() {
        let tenants = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tenants");
        let load = |name: &str| TenantData::load(&tenants.join(name)).unwrap();
        let (demo, restricted) = (load("demo"), load("restricted"));
        let paths = |tenant: &TenantData| tenant.bodies.keys().cloned().collect::<Vec<_>>();
        assert_eq!(paths(&demo), paths(&restricted));
        assert_eq!(demo.tenant_id(), restricted.tenant_id());
        assert_ne!(demo.client_id(), restricted.client_id());
        assert_eq!(restricted.profile.app.permissions.len(), 4);
    }

    #[test]
    fn the_tenant_that_it_is_like_stands_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("one");
        std::fs::create_dir(&dir).unwrap();
        let load = |like: &str| {
            let text = TENANT.replacen('{', &format!("{{\"like\": \"{like}\", "), 1);
            std::fs::write(dir.join("tenant.json"), text).unwrap();
            TenantData::load(&dir).unwrap_err()
        };
        assert!(matches!(load("../two"), EmulatorError::Like { .. }));
        assert!(matches!(load(""), EmulatorError::Like { .. }));
        assert!(matches!(load("two"), EmulatorError::Read { path, .. } if path.ends_with("two")));
        std::fs::create_dir(folder.path().join("two")).unwrap();
        std::fs::write(folder.path().join("two/users.json"), "[]").unwrap();
        assert!(matches!(load("two"), EmulatorError::Json { file, .. } if file == "users.json"));
    }

    #[test]
    fn secrets_do_not_show() {
        let tenant = TenantData::from_files([("tenant.json", TENANT)]).unwrap();
        assert_eq!(tenant.first_secret(), Some("topsecret"));
        assert!(!format!("{tenant:?}").contains("topsecret"));
    }
}
