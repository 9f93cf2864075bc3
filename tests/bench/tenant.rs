//! A synthetic tenant of any size: the same for the same size, in the proportions of real ones.
//!
//! Rows are made as Graph sends them, with the properties that collection selects, and folded or written like collected ones.

#![allow(dead_code, reason = "each benchmark uses its own part")]

use std::collections::BTreeMap;
use std::path::Path;

use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use m365audit::snapshot::file::Writer;
use m365audit::snapshot::reference::{self, GLOBAL_ADMINISTRATOR, MICROSOFT_GRAPH};
use m365audit::snapshot::{Guid, Header, Page, Record, Resource, State, Tenant};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Rows of one list, or of one object of a list by object.
pub(crate) struct List {
    pub(crate) resource: Resource,
    pub(crate) of: Option<Guid>,
    pub(crate) rows: Vec<Box<RawValue>>,
}

/// The moment at which the tenant was read.
pub(crate) fn now() -> Timestamp {
    "2026-11-02T08:00:00Z".parse().unwrap()
}

pub(crate) fn header() -> Header {
    let asked = Resource::ALL.to_vec();
    Header::new(
        "synthetic.example".to_owned(),
        "global".to_owned(),
        now(),
        asked,
    )
}

/// Every list of a tenant with so many users.
pub(crate) fn lists(users: usize) -> Vec<List> {
    let mut make = Maker {
        random: Rng::with_seed(0x0365),
        lists: Vec::new(),
    };
    let ids = make.accounts(users);
    make.tenant(users);
    make.roles(&ids);
    make.policies(&ids);
    make.applications(users / 10, &ids);
    make.devices(users / 3);
    make.risks(&ids);
    make.lists
}

/// The lists folded; what the generator does not make was read and is empty.
pub(crate) fn fold(lists: &[List]) -> Tenant {
    let mut tenant = Tenant::empty();
    for list in lists {
        for row in &list.rows {
            tenant.fold(list.resource, list.of, row).unwrap();
        }
        if let Some(subject) = list.of {
            tenant.touch(list.resource, subject);
        }
    }
    tenant
}

/// How the reading of each list ended: to its end.
pub(crate) fn records(lists: &[List]) -> BTreeMap<Resource, Record> {
    let collected = |resource: &Resource| {
        let state = State::Collected;
        (
            *resource,
            Record {
                state,
                ..Record::default()
            },
        )
    };
    let mut records: BTreeMap<_, _> = Resource::ALL.iter().map(collected).collect();
    for list in lists {
        let record = records.entry(list.resource).or_default();
        record.count += list.rows.len() as u64;
        record.requests += 1;
    }
    records
}

/// Writes the lists as a snapshot file, in pages as Graph sends them.
pub(crate) fn write(lists: &[List], path: &Path) {
    let mut writer = Writer::create(path, &header()).unwrap();
    for list in lists {
        for page in list.rows.chunks(999) {
            let page = Page {
                of: list.of,
                rows: page,
                ..Page::empty(list.resource)
            };
            writer.page(&page).unwrap();
        }
    }
    writer.finish(&records(lists)).unwrap();
}

struct Maker {
    random: Rng,
    lists: Vec<List>,
}

impl Maker {
    fn add(&mut self, resource: Resource, of: Option<Guid>, rows: impl IntoIterator<Item = Value>) {
        let raw = |row: Value| RawValue::from_string(row.to_string()).unwrap();
        let rows = rows.into_iter().map(raw).collect();
        self.lists.push(List { resource, of, rows });
    }

    fn id(&mut self) -> Guid {
        Guid::new(self.random.u128(..))
    }

    fn chance(&mut self, percent: u8) -> bool {
        self.random.u8(..100) < percent
    }

    /// A moment up to so many days before the tenant was read.
    fn ago(&mut self, days: i64) -> String {
        let hours = self.random.i64(1..days * 24);
        (now() - SignedDuration::from_hours(hours)).to_string()
    }

    fn pick(&mut self, ids: &[Guid]) -> Guid {
        ids[self.random.usize(..ids.len())]
    }

    fn tenant(&mut self, users: usize) {
        let plan = |name: &str| json!({"servicePlanId": reference::service_plan(name), "servicePlanName": name, "provisioningStatus": "Success", "appliesTo": "User"});
        let plans = [
            "AAD_PREMIUM",
            "AAD_PREMIUM_P2",
            "INTUNE_A",
            "EXCHANGE_S_ENTERPRISE",
            "SHAREPOINTENTERPRISE",
            "WINDEFATP",
        ]
        .map(plan);
        let id = self.id();
        self.add(Resource::Organization, None, [json!({"id": id, "displayName": "Synthetic", "technicalNotificationMails": ["it@synthetic.example"],
            "verifiedDomains": [{"name": "synthetic.example", "isDefault": true, "isInitial": false}]})]);
        self.add(Resource::Domains, None, [json!({"id": "synthetic.example", "authenticationType": "Managed", "isVerified": true, "isDefault": true, "isInitial": false})]);
        self.add(Resource::SubscribedSkus, None, [json!({"skuId": id, "skuPartNumber": "SPE_E5", "capabilityStatus": "Enabled", "consumedUnits": users,
            "prepaidUnits": {"enabled": users, "warning": 0, "suspended": 0}, "servicePlans": plans})]);
        self.add(
            Resource::SecurityDefaults,
            None,
            [json!({"isEnabled": false})],
        );
        self.add(Resource::AuthorizationPolicy, None, [json!({"allowInvitesFrom": "everyone", "guestUserRoleId": "10dae51f-b6af-4016-8d66-8c2a99b929b3",
            "defaultUserRolePermissions": {"allowedToCreateApps": true, "permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForSelf.microsoft-user-default-legacy"]}})]);
        self.add(
            Resource::AdminConsentRequestPolicy,
            None,
            [json!({"isEnabled": false})],
        );
        self.add(Resource::SharePointSettings, None, [json!({"sharingCapability": "externalUserAndGuestSharing", "isResharingByExternalUsersEnabled": true, "isLegacyAuthProtocolsEnabled": false})]);
        self.add(
            Resource::DeviceManagement,
            None,
            [json!({"subscriptionState": "active", "settings": {"secureByDefault": false}})],
        );
        self.add(
            Resource::ManagedDeviceOverview,
            None,
            [json!({"enrolledDeviceCount": users / 3})],
        );
        self.add(
            Resource::DeviceRegistrationPolicy,
            None,
            [json!({"multiFactorAuthConfiguration": "notRequired"})],
        );
    }

    /// Accounts with sign-ins and registered methods; 15 in 100 are guests.
    fn accounts(&mut self, users: usize) -> Vec<Guid> {
        let ids: Vec<Guid> = (0..users).map(|_| self.id()).collect();
        let sku = self.id();
        let (mut accounts, mut signs, mut registered) = (Vec::new(), Vec::new(), Vec::new());
        for (number, &id) in ids.iter().enumerate() {
            let guest = self.chance(15);
            let name = if guest {
                format!("guest{number}_partner.example#EXT#@synthetic.example")
            } else {
                format!("person{number}@synthetic.example")
            };
            accounts.push(json!({
                "id": id, "userPrincipalName": name, "displayName": format!("Person Number {number}"), "mail": name,
                "userType": if guest { "Guest" } else { "Member" }, "accountEnabled": self.chance(93),
                "createdDateTime": self.ago(2_000), "creationType": guest.then_some("Invitation"),
                "externalUserState": guest.then_some("Accepted"), "onPremisesSyncEnabled": self.chance(60).then_some(true),
                "assignedLicenses": if guest { json!([]) } else { json!([{"disabledPlans": [], "skuId": sku}]) },
            }));
            let signed = self.chance(95).then(|| json!({"lastSignInDateTime": self.ago(200), "lastNonInteractiveSignInDateTime": self.ago(120),
                "lastSuccessfulSignInDateTime": self.ago(200)}));
            signs.push(json!({"id": id, "signInActivity": signed}));
            let strong = self.chance(80);
            let methods = if strong {
                json!(["microsoftAuthenticatorPush", "softwareOneTimePasscode"])
            } else {
                json!([])
            };
            registered.push(json!({"id": id, "userPrincipalName": name, "isAdmin": false, "isMfaCapable": strong, "isMfaRegistered": strong, "methodsRegistered": methods}));
        }
        self.add(Resource::Users, None, accounts);
        self.add(Resource::SignInActivity, None, signs);
        self.add(Resource::RegistrationDetails, None, registered);
        ids
    }

    fn roles(&mut self, ids: &[Guid]) {
        let others = [
            "29232cdf-9323-42fd-ade2-1d097af3e4de",
            "f28a1f50-f6e7-4571-818b-6a12f2af6b6c",
            "fe930be7-5e62-47db-91af-98c3a49a38b1",
            "88d8e3e3-8f55-4a1e-953a-9b9898b8876b",
        ];
        let rows: Vec<Value> = (0..200)
            .map(|number| {
                let (id, principal) = (self.id(), self.pick(ids));
                let role = match number {
                    0..8 => GLOBAL_ADMINISTRATOR.to_string(),
                    _ => others[number % others.len()].to_owned(),
                };
                json!({"id": id, "principalId": principal, "roleDefinitionId": role, "directoryScopeId": "/",
                    "principal": {"@odata.type": "#microsoft.graph.user", "id": principal, "displayName": "Somebody"}})
            })
            .collect();
        self.add(Resource::RoleAssignments, None, rows);
    }

    /// Twenty Conditional Access policies, each with a group that it is for and one that it leaves out.
    fn policies(&mut self, ids: &[Guid]) {
        let states = [
            "enabled",
            "enabled",
            "enabledForReportingButNotEnforced",
            "disabled",
        ];
        let mut rows = Vec::new();
        for number in 0..20 {
            let (policy, inside, outside) = (self.id(), self.id(), self.id());
            for (group, size) in [(inside, ids.len() / 20), (outside, ids.len() / 500)] {
                let members: Vec<Value> =
                    (0..size).map(|_| json!({"id": self.pick(ids)})).collect();
                self.add(Resource::GroupTransitiveMembers, Some(group), members);
            }
            rows.push(json!({
                "id": policy, "displayName": format!("Policy {number}"), "createdDateTime": self.ago(900),
                "state": states[number % states.len()],
                "conditions": {
                    "users": {"includeUsers": if number % 2 == 0 { json!(["All"]) } else { json!([]) }, "excludeUsers": [], "includeGroups": if number % 2 == 0 { json!([]) } else { json!([inside]) },
                        "excludeGroups": [outside], "includeRoles": [], "excludeRoles": []},
                    "applications": {"includeApplications": ["All"], "excludeApplications": [], "includeUserActions": []},
                    "clientAppTypes": if number % 5 == 0 { json!(["exchangeActiveSync", "other"]) } else { json!(["all"]) },
                    "userRiskLevels": [], "signInRiskLevels": [],
                },
                "grantControls": {"operator": "OR", "builtInControls": [if number % 5 == 0 { "block" } else { "mfa" }], "customAuthenticationFactors": [], "termsOfUse": []},
                "sessionControls": null,
            }));
        }
        self.add(Resource::ConditionalAccessPolicies, None, rows);
    }

    /// Service principals with the permissions that they were granted; half of them are registered here.
    fn applications(&mut self, count: usize, users: &[Guid]) {
        let graph = self.id();
        let mut principals = vec![
            json!({"id": graph, "appId": MICROSOFT_GRAPH, "displayName": "Microsoft Graph", "servicePrincipalType": "Application", "accountEnabled": true,
            "appOwnerOrganizationId": "f8cdef31-a31e-4b4a-93e4-5f571e91255a"}),
        ];
        let mut credentials =
            vec![json!({"id": graph, "passwordCredentials": [], "keyCredentials": []})];
        // Mail.Read, User.Read.All, Directory.Read.All, Sites.Read.All and, rarely, RoleManagement.ReadWrite.Directory.
        let roles = [
            "810c84a8-4a9e-49e6-bf7d-12d183f40d01",
            "df021288-bdef-4463-88db-98f22de89214",
            "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
            "332a536c-c7ef-4017-ab91-336970924f0d",
        ];
        let (mut applications, mut assigned, mut grants) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..count {
            let (id, app, other) = (self.id(), self.id(), self.id());
            let secret = json!([{"keyId": other, "startDateTime": self.ago(700), "endDateTime": "2027-08-01T00:00:00Z"}]);
            principals.push(json!({"id": id, "appId": app, "displayName": format!("Application {number}"), "servicePrincipalType": "Application", "accountEnabled": true,
                "appOwnerOrganizationId": other, "verifiedPublisher": {"verifiedPublisherId": null}}));
            credentials.push(json!({"id": id, "passwordCredentials": [], "keyCredentials": []}));
            if number % 2 == 0 {
                applications.push(json!({"id": other, "appId": app, "displayName": format!("Application {number}"), "passwordCredentials": secret, "keyCredentials": []}));
            }
            let role = if number % 97 == 0 {
                "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8"
            } else {
                roles[number % roles.len()]
            };
            assigned.push(json!({"appRoleId": role, "createdDateTime": self.ago(900), "principalId": id, "principalType": "ServicePrincipal", "resourceId": graph}));
            let user = self.pick(users);
            grants.push(json!({"clientId": id, "consentType": "Principal", "principalId": user, "resourceId": graph, "scope": "User.Read Mail.Read offline_access"}));
        }
        self.add(Resource::ServicePrincipals, None, principals);
        self.add(Resource::ServicePrincipalCredentials, None, credentials);
        self.add(Resource::Applications, None, applications);
        self.add(Resource::AppRoleAssignedTo, Some(graph), assigned);
        self.add(Resource::OAuth2PermissionGrants, None, grants);
    }

    fn devices(&mut self, count: usize) {
        let systems = ["Windows", "iOS", "Android", "macOS"];
        let rows: Vec<Value> = (0..count)
            .map(|number| {
                let id = self.id();
                json!({
                    "id": id, "deviceName": format!("LAPTOP-{number}"), "managedDeviceOwnerType": "company", "operatingSystem": systems[number % systems.len()],
                    "complianceState": if self.chance(90) { "compliant" } else { "noncompliant" }, "isEncrypted": self.chance(95), "lastSyncDateTime": self.ago(40),
                    "partnerReportedThreatState": "activated", "userPrincipalName": format!("person{number}@synthetic.example"),
                })
            })
            .collect();
        self.add(Resource::ManagedDevices, None, rows);
    }

    fn risks(&mut self, ids: &[Guid]) {
        let risky: Vec<Value> = (0..ids.len() / 200)
            .map(|_| json!({"id": self.pick(ids), "isDeleted": false, "riskLevel": "medium", "riskState": "atRisk", "riskLastUpdatedDateTime": self.ago(60)}))
            .collect();
        self.add(Resource::RiskyUsers, None, risky);
        let alerts: Vec<Value> = (0..200)
            .map(|number| json!({"id": format!("alert{number}"), "title": "Suspicious activity", "severity": "medium", "status": "new", "createdDateTime": self.ago(80)}))
            .collect();
        self.add(Resource::Alerts, None, alerts);
    }
}
