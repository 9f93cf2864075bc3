//! What is asked object by object, because no list answers it: members of the groups that matter, grants and owners of the
//! applications that matter. The objects follow from what was read before; each kind is batched and bounded by them.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::pin;

use futures_util::StreamExt as _;

use super::answers::tell_answer;
use super::chain::{Broken, Ended, Reader, state_of};
use super::{Ask, Told, list, requests};
use crate::graph::Effort;
use crate::snapshot::{Guid, Resource, State, Tenant, Untrusted};

/// Answers of several pages that are read to their ends side by side.
const AT_ONCE: usize = 16;

/// Whether what is asked, or whether it is asked at all, follows from other answers.
pub(super) fn follows(resource: Resource) -> bool {
    !needs(resource).is_empty() || !also(resource).is_empty()
}

/// Everything that has to end before it is known what to ask for this resource.
pub(super) fn waits_for(resource: Resource) -> impl Iterator<Item = Resource> {
    needs(resource).iter().chain(also(resource)).copied()
}

/// What adds objects to ask about, where it is read.
const fn also(resource: Resource) -> &'static [Resource] {
    match resource {
        Resource::GroupTransitiveMembers => &[
            Resource::RoleEligibilityScheduleInstances,
            Resource::RoleAssignmentScheduleInstances,
            Resource::AdminConsentRequestPolicy,
            Resource::AssignmentPolicies,
        ],
        Resource::ApplicationOwners | Resource::ServicePrincipalOwners => &[
            Resource::GroupTransitiveMembers,
            Resource::RoleAssignments,
            Resource::RoleDefinitions,
            Resource::RoleEligibilityScheduleInstances,
        ],
        Resource::AuthenticationMethods => &[Resource::RegistrationDetails],
        _ => &[],
    }
}

/// What has to be read before it is known which objects this resource is asked about, or whether it is asked at all.
pub(super) const fn needs(resource: Resource) -> &'static [Resource] {
    match resource {
        // Groups
        Resource::GroupTransitiveMembers => &[
            Resource::ConditionalAccessPolicies,
            Resource::RoleAssignments,
        ],
        Resource::GroupOwners => &[
            Resource::RoleAssignments,
            Resource::RoleEligibilityScheduleInstances,
        ],
        // Tenant, Conditional Access, governance
        Resource::FederationConfiguration => &[Resource::Domains],
        Resource::ConditionalAccessPoliciesBeta => &[Resource::ConditionalAccessPolicies],
        Resource::NamedLocationsBeta => &[Resource::NetworkAccessConditionalAccess],
        Resource::AccessPackages => &[Resource::AccessPackageCatalogs],
        // Applications
        Resource::AppRoleAssignedTo
        | Resource::SecureAccessAssignments
        | Resource::DelegatedPermissionClassifications
        | Resource::OwnAppRoleAssignments => &[Resource::ServicePrincipals],
        Resource::ApplicationOwners => &[
            Resource::AppRoleAssignedTo,
            Resource::ServicePrincipals,
            Resource::Applications,
        ],
        Resource::ServicePrincipalOwners => {
            &[Resource::AppRoleAssignedTo, Resource::ServicePrincipals]
        }
        Resource::ApplicationPublishing | Resource::ApplicationSegments => {
            &[Resource::ServicePrincipals, Resource::Applications]
        }
        Resource::AssignedGroupNestedGroups => &[Resource::SecureAccessAssignments],
        Resource::AgentIdentityOwners => &[Resource::AgentIdentities],
        Resource::FederatedIdentityCredentials => &[Resource::Applications],
        // Single accounts
        Resource::AuthenticationMethods
        | Resource::InboxRules
        | Resource::MailboxSettings
        | Resource::AuthenticationRequirements => &[Resource::Users],
        // Devices
        Resource::DeviceCompliancePoliciesBeta | Resource::CompliancePolicies => {
            &[Resource::ManagedDevices]
        }
        Resource::MobileDeviceManagementAuthority => &[Resource::Organization],
        Resource::ConfigurationPolicySettings => &[Resource::ConfigurationPolicies],
        Resource::DepEnrollmentProfiles => &[Resource::DepOnboardingSettings],
        Resource::OperationApprovalPolicy => &[Resource::OperationApprovalPolicies],
        Resource::IntuneRoleAssignment => &[Resource::IntuneRoleAssignments],
        _ => &[],
    }
}

/// What there is to ask.
pub(super) enum Work {
    /// One list by object.
    Objects(Subjects),
    /// A list after all.
    List,
    /// Nothing: the tenant has no such thing.
    Nothing,
}

/// The objects to ask about.
pub(super) struct Subjects {
    ids: BTreeSet<Guid>,
    /// What stands in the path of those that Graph knows by name.
    names: BTreeMap<Guid, Untrusted>,
    /// Why there may be others: the list that they follow from was read in part. Then no list by object is whole either.
    doubt: Option<String>,
}

/// What there is to ask, or why that is not known.
pub(super) fn next(resource: Resource, tenant: &Tenant, ask: &Ask) -> Result<Work, State> {
    if resource.is_per_object() {
        return subjects(resource, tenant, ask).map(Work::Objects);
    }
    // What an earlier run has begun is read to its end.
    let is_begun = !ask.earlier.chains(resource, None).is_empty();
    Ok(if is_begun || is_wanted(resource, tenant)? {
        Work::List
    } else {
        Work::Nothing
    })
}

/// The objects to ask about, or why they are not known.
fn subjects(resource: Resource, tenant: &Tenant, ask: &Ask) -> Result<Subjects, State> {
    let mut doubt = None;
    let mut names = BTreeMap::new();
    let mut known = |source: Resource| {
        // What hangs below a list that needs a licence needs the same.
        if let State::NotLicensed { error } = tenant.state(source).0 {
            return Err(State::NotLicensed {
                error: error.clone(),
            });
        }
        let Some(how) = not_whole(source, tenant) else {
            return Ok(());
        };
        let follows = format!(
            "which objects to ask about follows from {}, which was {how}",
            source.source()
        );
        if matches!(tenant.state(source).0, State::Partial { .. }) {
            doubt.get_or_insert(follows);
            return Ok(());
        }
        Err(State::Failed {
            error: follows.into(),
        })
    };
    let ids = match resource {
        Resource::GroupTransitiveMembers => {
            let mut groups = tenant.role_holding_groups();
            groups.extend(tenant.policy_groups());
            groups.extend(tenant.approving_groups());
            groups
        }
        Resource::GroupOwners => {
            known(Resource::RoleAssignments)?;
            // Without the licence nothing is eligible.
            if !is_unlicensed(Resource::RoleEligibilityScheduleInstances, tenant) {
                known(Resource::RoleEligibilityScheduleInstances)?;
            }
            tenant.role_holding_groups()
        }
        Resource::FederationConfiguration => {
            known(Resource::Domains)?;
            names = tenant.federated_domains();
            names.keys().copied().collect()
        }
        Resource::AccessPackages => {
            known(Resource::AccessPackageCatalogs)?;
            tenant.access_package_ids()
        }
        Resource::AppRoleAssignedTo | Resource::DelegatedPermissionClassifications => {
            known(Resource::ServicePrincipals)?;
            tenant.permission_resources()
        }
        Resource::ServicePrincipalOwners => {
            known(Resource::AppRoleAssignedTo)?;
            tenant.powerful_service_principals()
        }
        Resource::ApplicationOwners => {
            known(Resource::AppRoleAssignedTo)?;
            known(Resource::Applications)?;
            tenant.powerful_applications()
        }
        // The report tells about all accounts at once; only those that it leaves out are asked for one by one.
        Resource::AuthenticationMethods => tenant.without_registration_row(&ask.emergency_accounts),
        Resource::InboxRules => {
            known(Resource::Users)?;
            tenant.mailbox_candidates()
        }
        // Devices
        Resource::MobileDeviceManagementAuthority => {
            known(Resource::Organization)?;
            tenant.organization_id().into_iter().collect()
        }
        Resource::ConfigurationPolicySettings => {
            known(Resource::ConfigurationPolicies)?;
            tenant.policies_with_settings()
        }
        Resource::DepEnrollmentProfiles => {
            known(Resource::DepOnboardingSettings)?;
            tenant.enrolment_tokens()
        }
        Resource::OperationApprovalPolicy => {
            known(Resource::OperationApprovalPolicies)?;
            tenant.policies_without_approvers()
        }
        Resource::IntuneRoleAssignment => {
            known(Resource::IntuneRoleAssignments)?;
            tenant.intune_assignments_without_members()
        }
        Resource::MailboxSettings => {
            known(Resource::Users)?;
            tenant.accounts_with_mail()
        }
        Resource::AuthenticationRequirements => {
            known(Resource::Users)?;
            tenant.enabled_accounts()
        }
        Resource::AgentIdentityOwners => {
            known(Resource::AgentIdentities)?;
            tenant.agents()
        }
        Resource::ApplicationPublishing => {
            known(Resource::ServicePrincipals)?;
            known(Resource::Applications)?;
            tenant.published_applications()
        }
        Resource::ApplicationSegments => {
            known(Resource::ServicePrincipals)?;
            known(Resource::Applications)?;
            tenant.private_access_applications()
        }
        Resource::SecureAccessAssignments => {
            known(Resource::ServicePrincipals)?;
            tenant.secure_access_principals()
        }
        Resource::AssignedGroupNestedGroups => {
            known(Resource::SecureAccessAssignments)?;
            tenant.secure_access_groups()
        }
        Resource::OwnAppRoleAssignments => {
            known(Resource::ServicePrincipals)?;
            own_service_principal(tenant, ask)?
        }
        Resource::FederatedIdentityCredentials => {
            known(Resource::Applications)?;
            tenant.application_ids()
        }
        _ => BTreeSet::new(),
    };
    Ok(Subjects { ids, names, doubt })
}

/// How the reading of a resource fell short; `None` when it is whole.
fn not_whole(source: Resource, tenant: &Tenant) -> Option<&'static str> {
    Some(match tenant.state(source).0 {
        State::Collected => return None,
        State::Partial { .. } => "read in part",
        State::Skipped => "not asked for",
        _ => "not read",
    })
}

fn is_unlicensed(resource: Resource, tenant: &Tenant) -> bool {
    matches!(tenant.state(resource).0, State::NotLicensed { .. })
}

/// Whether another answer shows that there is something to ask. Where that answer did not come, nobody knows, and the resource
/// ends as failed rather than as something that need not be asked.
fn is_wanted(resource: Resource, tenant: &Tenant) -> Result<bool, State> {
    let (source, seen) = match resource {
        // Where devices were not read, those of other platforms are judged all the same.
        Resource::DeviceCompliancePoliciesBeta | Resource::CompliancePolicies => {
            return Ok(has_platform(resource, tenant));
        }
        Resource::NamedLocationsBeta => (
            Resource::NetworkAccessConditionalAccess,
            tenant.signals_compliant_network(),
        ),
        _ => (
            Resource::ConditionalAccessPolicies,
            tenant.has_enabled_policy(),
        ),
    };
    match not_whole(source, tenant) {
        _ if seen || is_unlicensed(source, tenant) => Ok(seen),
        None => Ok(false),
        Some(how) => Err(State::Failed {
            error: format!(
                "whether there is anything to ask follows from {}, which was {how}",
                source.source()
            )
            .into(),
        }),
    }
}

/// The service principal that signs in. That it is not found says nothing of what it was granted.
fn own_service_principal(tenant: &Tenant, ask: &Ask) -> Result<BTreeSet<Guid>, State> {
    let failed = |error: &str| State::Failed {
        error: error.into(),
    };
    let client_id = ask
        .client_id
        .ok_or_else(|| failed("it is not known which application signed in"))?;
    let own = tenant.service_principal_of(client_id);
    if own.is_empty() {
        return Err(failed(
            "the application that signed in is not among the service principals",
        ));
    }
    Ok(own)
}

fn has_platform(resource: Resource, tenant: &Tenant) -> bool {
    match resource {
        Resource::DeviceCompliancePoliciesBeta => tenant.has_managed_device("Android"),
        _ => tenant.has_managed_device("Linux"),
    }
}

/// Reads what there is to ask and tells how it ended.
pub(super) async fn read(reader: &Reader, resource: Resource, work: Work) {
    match work {
        Work::List => list::read(reader, resource).await,
        Work::Nothing => {
            let _ = reader.tell.send(Told::Forget(resource)).await;
        }
        Work::Objects(subjects) => {
            reader.begin(resource).await;
            let (state, of) = read_objects(reader, resource, subjects).await;
            reader.end(resource, state, of, Effort::default()).await;
        }
    }
}

async fn read_objects(
    reader: &Reader,
    resource: Resource,
    subjects: Subjects,
) -> (State, Option<u64>) {
    let Subjects { ids, names, doubt } = subjects;
    let mut open: Vec<Guid> = Vec::new();
    let mut sum = Sum::new(doubt);
    for id in ids {
        // Only what an earlier run has brought whole is not asked again.
        let chains = reader.ask.earlier.chains(resource, Some(id));
        match chains.first().and_then(|(_, chain)| Ended::earlier(chain)) {
            Some(ended) => sum.add(id, ended),
            None => open.push(id),
        }
    }
    let queries = open.into_iter().map(move |id| match names.get(&id) {
        Some(name) => (id, requests::query_of_name(resource, name.raw())),
        None => (id, requests::query_of(resource, id)),
    });
    let tell = async |(id, answer)| {
        let mut ended = tell_answer(reader, resource, Some(id), answer).await;
        // A deleted group has no members, an account without a mailbox no rules.
        let is_gone = ended.forgive_absence();
        if is_gone || ended.effort != Effort::default() {
            let spent = Told::Spent {
                resource,
                of: is_gone.then_some(id),
                effort: ended.effort,
            };
            let _ = reader.tell.send(spent).await;
        }
        (id, ended)
    };
    let answers = reader.client.answers(queries);
    let mut told = pin!(answers.map(tell).buffer_unordered(AT_ONCE));
    while let Some((id, ended)) = told.next().await {
        sum.add(id, ended);
    }
    sum.state(resource)
}

/// What the lists of all objects come to together.
struct Sum {
    done: u64,
    /// Rows that Graph counted, where it did for each.
    counted: Option<u64>,
    /// Why it cannot be whole whatever is read.
    doubt: Option<String>,
    /// What went wrong with the first object in order: answers come in any.
    error: Option<(Guid, Broken)>,
    shortfall: Option<(Guid, String)>,
}

impl Sum {
    fn new(doubt: Option<String>) -> Self {
        Self {
            done: 0,
            counted: doubt.is_none().then_some(0),
            doubt,
            error: None,
            shortfall: None,
        }
    }

    fn add(&mut self, id: Guid, ended: Ended) {
        let is_first = |known: Option<Guid>| known.is_none_or(|known| id < known);
        if let Some(error) = ended.error {
            if is_first(self.error.as_ref().map(|(id, _)| *id)) {
                self.error = Some((id, error));
            }
            return;
        }
        self.done += 1;
        self.counted = self
            .counted
            .zip(ended.of)
            .map(|(sum, of)| sum.saturating_add(of));
        if let Some(text) = ended.shortfall()
            && is_first(self.shortfall.as_ref().map(|(id, _)| *id))
        {
            self.shortfall = Some((id, text));
        }
    }

    fn state(self, resource: Resource) -> (State, Option<u64>) {
        let counted = self.counted;
        let shortfall = self.doubt.or(self.shortfall.map(|(_, text)| text));
        let state = match (self.error, shortfall) {
            (None, None) => State::Collected,
            (None, Some(shortfall)) => State::Partial {
                of: counted,
                error: shortfall.into(),
            },
            (Some((_, error)), _) if self.done > 0 => State::Partial {
                of: None,
                error: error.to_string().into(),
            },
            (Some((_, error)), _) => state_of(resource, &error),
        };
        (state, counted)
    }
}
