//! `permissions`: what has to be granted, for people, for a registration's manifest, and as commands.
//!
//! Nothing here comes from a tenant: permissions, resources and rules are this program's own words.

use std::io::{self, Write};

use serde::Serialize;

use super::table::{Style, unbroken};
use crate::rules::Rule;
use crate::rules::preflight::Need;
use crate::snapshot::reference::{self, MICROSOFT_GRAPH};
use crate::snapshot::{Guid, Resource};

/// What needs a permission only on request.
#[derive(Debug, Clone)]
pub struct OptIn {
    /// The group's name on the command line.
    pub group: &'static str,
    /// What belongs to it.
    pub resources: &'static [Resource],
}

/// Writes the permissions as a table.
pub fn table(
    needs: &[Need],
    opt_in: &[OptIn],
    left_out: &[(&'static str, Vec<&'static str>)],
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let header = [
        "Permission, app role id",
        "Level",
        "What is read with it",
        "Rules",
    ];
    let mut table = super::table::table(style, &header);
    // What cannot be copied whole is of no use.
    unbroken(&mut table, 0);
    unbroken(&mut table, 1);
    for need in needs {
        let known = reference::permission_named(need.permission);
        let level = known.and_then(|(_, known)| known.level);
        let reads: Vec<&str> = need
            .resources
            .iter()
            .map(|resource| resource.key())
            .collect();
        let mut name = need.permission.to_owned();
        if let Some((id, _)) = known {
            name = format!("{name}\n{id}");
        }
        for group in only_with(need, opt_in) {
            name = format!("{name}\nopt-in: --with {group}");
        }
        table.add_row([
            name,
            level.map_or("-".to_owned(), |level| level.to_string()),
            reads.join(", "),
            need.rules.len().to_string(),
        ]);
    }
    writeln!(
        out,
        "{table}\n{} application permissions of Microsoft Graph, all of them to read. Level: Microsoft's own, 1 to 5.",
        needs.len()
    )?;
    for (group, permissions) in left_out {
        writeln!(
            out,
            "Not among them: {}, which --with {group} needs",
            permissions.join(", ")
        )?;
    }
    Ok(())
}

/// The groups without which nobody would need this permission.
fn only_with(need: &Need, opt_in: &[OptIn]) -> Vec<&'static str> {
    let holds = |group: &OptIn, resource| group.resources.contains(resource);
    let is_opt_in = |resource| opt_in.iter().any(|group| holds(group, resource));
    if !need.resources.iter().all(is_opt_in) {
        return Vec::new();
    }
    let groups = opt_in.iter();
    groups
        .filter(|group| {
            let mut resources = need.resources.iter();
            resources.any(|resource| holds(group, resource))
        })
        .map(|group| group.group)
        .collect()
}

/// Writes what each rule needs.
pub fn by_rule(
    rules: &[&'static Rule],
    needs: &[Need],
    style: Style,
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut table = super::table::table(style, &["Rule", "Permissions"]);
    unbroken(&mut table, 0);
    for rule in rules {
        let of: Vec<&str> = needs
            .iter()
            .filter(|need| need.rules.iter().any(|other| other.id == rule.id))
            .map(|need| need.permission)
            .collect();
        let of = if of.is_empty() {
            "none".to_owned()
        } else {
            of.join(", ")
        };
        table.add_row([rule.id.to_owned(), of]);
    }
    writeln!(out, "{table}\n{} rules", rules.len())
}

/// App role ids with the names of the permissions, in the order of the names.
fn app_roles(needs: &[Need]) -> impl Iterator<Item = (Guid, &'static str)> {
    needs.iter().filter_map(|need| {
        let (id, known) = reference::permission_named(need.permission)?;
        Some((id, known.name))
    })
}

/// `requiredResourceAccess` of an application registration: what its manifest, `azuread_application` of Terraform and Bicep take.
/// Source: <https://learn.microsoft.com/graph/api/resources/requiredresourceaccess>.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequiredResourceAccess {
    resource_app_id: Guid,
    resource_access: Vec<ResourceAccess>,
}

#[derive(Serialize)]
struct ResourceAccess {
    id: Guid,
    #[serde(rename = "type")]
    kind: &'static str,
}

fn required_resource_access(needs: &[Need]) -> [RequiredResourceAccess; 1] {
    let role = |(id, _)| ResourceAccess { id, kind: "Role" };
    [RequiredResourceAccess {
        resource_app_id: MICROSOFT_GRAPH,
        resource_access: app_roles(needs).map(role).collect(),
    }]
}

/// Writes the array of `requiredResourceAccess`, and nothing around it: it is pasted as it is.
pub fn json(needs: &[Need], out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, &required_resource_access(needs))?;
    writeln!(out)
}

/// Writes a POSIX shell script that creates the registration with these permissions and a certificate, by the Azure CLI. Every word in
/// it is ours, so nothing has to be quoted but JSON, which holds no single quote.
/// Source: the Azure CLI's reference of `az ad app`, `az ad sp` and `az rest`.
pub fn az(needs: &[Need], out: &mut dyn Write) -> io::Result<()> {
    let count = needs.len();
    let access = serde_json::to_string(&required_resource_access(needs))?;
    // One permission a line: a line of two thousand characters is read by nobody.
    let access = access.replace("{\"id\"", "\n    {\"id\"");
    write!(
        out,
        r#"#!/bin/sh
# Registers an application for m365audit: {count} application permissions of Microsoft Graph, all of them to read, and a certificate.
#
# Who runs it: Cloud Application Administrator (or Application Administrator) for steps 1, 2 and 4; step 3 grants application
# permissions of Microsoft Graph, which takes Privileged Role Administrator (or Global Administrator).
# Where: any POSIX shell with the Azure CLI, Azure Cloud Shell too, after: az login --tenant TENANT --allow-no-subscriptions
# Needs Azure CLI 2.37 or later. A registration is known everywhere only after some seconds: if a step does not find it, wait and run that step again.
# az ad app create changes a registration of the same name, if there is one, instead of adding a second.
set -eu
NAME=${{NAME:-m365audit}}

# 1. The registration, with the permissions that it asks for
APP_ID=$(az ad app create --display-name "$NAME" --sign-in-audience AzureADMyOrg --query appId --output tsv \
  --required-resource-accesses '{access}')

# 2. Its service principal
SP_ID=$(az ad sp create --id "$APP_ID" --query id --output tsv)

# 3. Admin consent: one app role assignment for each permission, and no other
GRAPH=$(az cloud show --query endpoints.microsoftGraphResourceId --output tsv)
GRAPH_ID=$(az ad sp show --id {MICROSOFT_GRAPH} --query id --output tsv)
while read -r ROLE_ID PERMISSION; do
  printf 'granting %s\n' "$PERMISSION"
  az rest --method POST --url "${{GRAPH%/}}/v1.0/servicePrincipals/$GRAPH_ID/appRoleAssignedTo" \
    --headers 'Content-Type=application/json' --output none </dev/null \
    --body "{{\"principalId\": \"$SP_ID\", \"resourceId\": \"$GRAPH_ID\", \"appRoleId\": \"$ROLE_ID\"}}"
done <<'PERMISSIONS'
"#
    )?;
    for (id, name) in app_roles(needs) {
        writeln!(out, "{id} {name}")?;
    }
    write!(
        out,
        r#"PERMISSIONS

# 4. A certificate for a year. Its private key is made on this machine, in a file of your home folder that you alone can read
CERTIFICATE=$(az ad app credential reset --id "$APP_ID" --create-cert --years 1 --append --query fileWithCertAndPrivateKey --output tsv)

# 5. How to call m365audit
TENANT_ID=$(az account show --query tenantId --output tsv)
printf '\n%s\n' "m365audit doctor --tenant $TENANT_ID --client-id $APP_ID --certificate '$CERTIFICATE'"
"#
    )
}
