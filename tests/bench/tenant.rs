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

/// How many of what a tenant has.
#[derive(Clone, Copy)]
pub(crate) struct Mix {
    pub(crate) users: usize,
    /// Out of 100 users.
    pub(crate) guests: u8,
    pub(crate) devices: usize,
    pub(crate) service_principals: usize,
    pub(crate) applications: usize,
    pub(crate) grants: usize,
}

impl Mix {
    /// A hundred thousand objects.
    pub(crate) const SMALL: Self = Self {
        users: 60_000,
        guests: 17,
        devices: 20_000,
        service_principals: 8_000,
        applications: 2_000,
        grants: 14_400,
    };
    /// Two million objects.
    pub(crate) const LARGE: Self = Self {
        users: 1_200_000,
        guests: 17,
        devices: 500_000,
        service_principals: 110_000,
        applications: 10_000,
        grants: 198_000,
    };

    /// The proportions of a company in which everybody has an account and one in three a managed device.
    pub(crate) fn of_users(users: usize) -> Self {
        Self {
            users,
            guests: 15,
            devices: users / 3,
            service_principals: users / 10,
            applications: users / 20,
            grants: users / 10,
        }
    }
}

/// Hands out every row of a tenant, one after the other; rows of the lists of users come interleaved, as when lists are read side by side.
pub(crate) fn rows(mix: Mix, out: &mut dyn FnMut(Resource, Option<Guid>, Box<RawValue>)) {
    let random = Rng::with_seed(0x0365);
    let mut make = Maker { random, mix, out };
    make.accounts();
    make.tenant();
    make.roles();
    make.policies();
    make.applications();
    make.devices();
    make.risks();
}

/// Every list of a tenant with so many users.
pub(crate) fn lists(users: usize) -> Vec<List> {
    let mut places = BTreeMap::new();
    let mut lists = Vec::new();
    rows(Mix::of_users(users), &mut |resource, of, row| {
        let place = *places.entry((resource, of)).or_insert_with(|| {
            lists.push(List {
                resource,
                of,
                rows: Vec::new(),
            });
            lists.len() - 1
        });
        lists[place].rows.push(row);
    });
    lists
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

struct Maker<'a> {
    random: Rng,
    mix: Mix,
    out: &'a mut dyn FnMut(Resource, Option<Guid>, Box<RawValue>),
}

impl Maker<'_> {
    fn add(&mut self, resource: Resource, of: Option<Guid>, row: &Value) {
        (self.out)(
            resource,
            of,
            RawValue::from_string(row.to_string()).unwrap(),
        );
    }

    /// The id of an account, without a list of them: its number, spread over all ids.
    fn account(number: usize) -> Guid {
        Guid::new(Rng::with_seed(number as u64 ^ 0xacc0).u128(..))
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

    fn somebody(&mut self) -> Guid {
        let number = self.random.usize(..self.mix.users);
        Self::account(number)
    }

    fn tenant(&mut self) {
        let users = self.mix.users;
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
        self.add(Resource::Organization, None, &json!({"id": id, "displayName": "Synthetic", "technicalNotificationMails": ["it@synthetic.example"],
            "verifiedDomains": [{"name": "synthetic.example", "isDefault": true, "isInitial": false}]}));
        self.add(Resource::Domains, None, &json!({"id": "synthetic.example", "authenticationType": "Managed", "isVerified": true, "isDefault": true, "isInitial": false}));
        self.add(Resource::SubscribedSkus, None, &json!({"skuId": id, "skuPartNumber": "SPE_E5", "capabilityStatus": "Enabled", "consumedUnits": users,
            "prepaidUnits": {"enabled": users, "warning": 0, "suspended": 0}, "servicePlans": plans}));
        self.add(
            Resource::SecurityDefaults,
            None,
            &json!({"isEnabled": false}),
        );
        self.add(Resource::AuthorizationPolicy, None, &json!({"allowInvitesFrom": "everyone", "guestUserRoleId": "10dae51f-b6af-4016-8d66-8c2a99b929b3",
            "defaultUserRolePermissions": {"allowedToCreateApps": true, "permissionGrantPoliciesAssigned": ["ManagePermissionGrantsForSelf.microsoft-user-default-legacy"]}}));
        self.add(
            Resource::AdminConsentRequestPolicy,
            None,
            &json!({"isEnabled": false}),
        );
        self.add(Resource::SharePointSettings, None, &json!({"sharingCapability": "externalUserAndGuestSharing", "isResharingByExternalUsersEnabled": true, "isLegacyAuthProtocolsEnabled": false}));
        self.add(
            Resource::DeviceManagement,
            None,
            &json!({"subscriptionState": "active", "settings": {"secureByDefault": false}}),
        );
        self.add(
            Resource::ManagedDeviceOverview,
            None,
            &json!({"enrolledDeviceCount": self.mix.devices}),
        );
        self.add(
            Resource::DeviceRegistrationPolicy,
            None,
            &json!({"multiFactorAuthConfiguration": "notRequired"}),
        );
    }

    /// Accounts with sign-ins and registered methods.
    fn accounts(&mut self) {
        let sku = self.id();
        for number in 0..self.mix.users {
            let id = Self::account(number);
            let guest = self.chance(self.mix.guests);
            let name = if guest {
                format!("guest{number}_partner.example#EXT#@synthetic.example")
            } else {
                format!("person{number}@synthetic.example")
            };
            let account = json!({
                "id": id, "userPrincipalName": name, "displayName": format!("Person Number {number}"), "mail": name,
                "userType": if guest { "Guest" } else { "Member" }, "accountEnabled": self.chance(93),
                "createdDateTime": self.ago(2_000), "creationType": guest.then_some("Invitation"),
                "externalUserState": guest.then_some("Accepted"), "onPremisesSyncEnabled": self.chance(60).then_some(true),
                "assignedLicenses": if guest { json!([]) } else { json!([{"disabledPlans": [], "skuId": sku}]) },
            });
            self.add(Resource::Users, None, &account);
            let signed = self.chance(95).then(|| json!({"lastSignInDateTime": self.ago(200), "lastNonInteractiveSignInDateTime": self.ago(120),
                "lastSuccessfulSignInDateTime": self.ago(200)}));
            self.add(
                Resource::SignInActivity,
                None,
                &json!({"id": id, "signInActivity": signed}),
            );
            let strong = self.chance(80);
            let methods = if strong {
                json!(["microsoftAuthenticatorPush", "softwareOneTimePasscode"])
            } else {
                json!([])
            };
            self.add(Resource::RegistrationDetails, None, &json!({"id": id, "userPrincipalName": name, "isAdmin": false, "isMfaCapable": strong, "isMfaRegistered": strong, "methodsRegistered": methods}));
        }
    }

    fn roles(&mut self) {
        let others = [
            "29232cdf-9323-42fd-ade2-1d097af3e4de",
            "f28a1f50-f6e7-4571-818b-6a12f2af6b6c",
            "fe930be7-5e62-47db-91af-98c3a49a38b1",
            "88d8e3e3-8f55-4a1e-953a-9b9898b8876b",
        ];
        for number in 0..200 {
            let (id, principal) = (self.id(), self.somebody());
            let role = match number {
                0..8 => GLOBAL_ADMINISTRATOR.to_string(),
                _ => others[number % others.len()].to_owned(),
            };
            let row = json!({"id": id, "principalId": principal, "roleDefinitionId": role, "directoryScopeId": "/",
                "principal": {"@odata.type": "#microsoft.graph.user", "id": principal, "displayName": "Somebody"}});
            self.add(Resource::RoleAssignments, None, &row);
        }
    }

    /// Twenty Conditional Access policies, each with a group that it is for and one that it leaves out.
    fn policies(&mut self) {
        let users = self.mix.users;
        let states = [
            "enabled",
            "enabled",
            "enabledForReportingButNotEnforced",
            "disabled",
        ];
        for number in 0..20 {
            let (policy, inside, outside) = (self.id(), self.id(), self.id());
            for (group, size) in [(inside, users / 20), (outside, users / 500)] {
                // Each once, as a list of members has them.
                let first = self.random.usize(..users);
                for step in 0..size {
                    let member = Self::account((first + 7 * step) % users);
                    let row = json!({"id": member});
                    self.add(Resource::GroupTransitiveMembers, Some(group), &row);
                }
            }
            let row = json!({
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
            });
            self.add(Resource::ConditionalAccessPolicies, None, &row);
        }
    }

    /// Service principals with the permissions that they were granted, and those of them that are registered here.
    fn applications(&mut self) {
        let graph = self.id();
        let row = json!({"id": graph, "appId": MICROSOFT_GRAPH, "displayName": "Microsoft Graph", "servicePrincipalType": "Application", "accountEnabled": true,
            "appOwnerOrganizationId": "f8cdef31-a31e-4b4a-93e4-5f571e91255a", "passwordCredentials": [], "keyCredentials": []});
        self.add(Resource::ServicePrincipals, None, &row);
        // Mail.Read, User.Read.All, Directory.Read.All, Sites.Read.All and, rarely, RoleManagement.ReadWrite.Directory.
        let roles = [
            "810c84a8-4a9e-49e6-bf7d-12d183f40d01",
            "df021288-bdef-4463-88db-98f22de89214",
            "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
            "332a536c-c7ef-4017-ab91-336970924f0d",
        ];
        let Mix {
            service_principals,
            applications,
            grants,
            ..
        } = self.mix;
        for number in 0..service_principals {
            let (id, app, other) = (self.id(), self.id(), self.id());
            let secret = json!([{"keyId": other, "startDateTime": self.ago(700), "endDateTime": "2027-08-01T00:00:00Z"}]);
            let row = json!({"id": id, "appId": app, "displayName": format!("Application {number}"), "servicePrincipalType": "Application", "accountEnabled": true,
                "appOwnerOrganizationId": other, "verifiedPublisher": {"verifiedPublisherId": null}});
            self.add(Resource::ServicePrincipals, None, &row);
            let row = json!({"id": id, "passwordCredentials": [], "keyCredentials": []});
            self.add(Resource::ServicePrincipalCredentials, None, &row);
            if number * applications / service_principals
                != (number + 1) * applications / service_principals
            {
                let row = json!({"id": other, "appId": app, "displayName": format!("Application {number}"), "passwordCredentials": secret, "keyCredentials": []});
                self.add(Resource::Applications, None, &row);
            }
            let role = if number % 97 == 0 {
                "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8"
            } else {
                roles[number % roles.len()]
            };
            let row = json!({"id": self.id(), "appRoleId": role, "createdDateTime": self.ago(900), "principalId": id, "principalType": "ServicePrincipal", "resourceId": graph});
            self.add(Resource::AppRoleAssignedTo, Some(graph), &row);
            let granted =
                number * grants / service_principals..(number + 1) * grants / service_principals;
            for _ in granted {
                let user = self.somebody();
                let row = json!({"id": format!("{}", self.id()), "clientId": id, "consentType": "Principal", "principalId": user, "resourceId": graph, "scope": "User.Read Mail.Read offline_access"});
                self.add(Resource::OAuth2PermissionGrants, None, &row);
            }
        }
    }

    fn devices(&mut self) {
        let systems = ["Windows", "iOS", "Android", "macOS"];
        for number in 0..self.mix.devices {
            let id = self.id();
            let row = json!({
                "id": id, "deviceName": format!("LAPTOP-{number}"), "managedDeviceOwnerType": "company", "operatingSystem": systems[number % systems.len()],
                "complianceState": if self.chance(90) { "compliant" } else { "noncompliant" }, "isEncrypted": self.chance(95), "lastSyncDateTime": self.ago(40),
                "partnerReportedThreatState": "activated", "userPrincipalName": format!("person{number}@synthetic.example"),
            });
            self.add(Resource::ManagedDevices, None, &row);
        }
    }

    fn risks(&mut self) {
        for number in 0..self.mix.users / 200 {
            let row = json!({"id": Self::account(200 * number), "isDeleted": false, "riskLevel": "medium", "riskState": "atRisk", "riskLastUpdatedDateTime": self.ago(60)});
            self.add(Resource::RiskyUsers, None, &row);
        }
        for number in 0..200 {
            let row = json!({"id": format!("alert{number}"), "title": "Suspicious activity", "severity": "medium", "status": "new", "createdDateTime": self.ago(80)});
            self.add(Resource::Alerts, None, &row);
        }
    }
}
