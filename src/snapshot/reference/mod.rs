//! Microsoft's published tables, embedded as dated data: roles, permissions, service plans, well-known ids.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::Guid;

/// Global Administrator.
pub const GLOBAL_ADMINISTRATOR: Guid = Guid::new(0x62e9_0394_69f5_4237_9190_0121_7714_5e10);
/// Microsoft Graph, as an application.
pub const MICROSOFT_GRAPH: Guid = Guid::new(0x0000_0003_0000_0000_c000_0000_0000_0000);
/// Office 365 Exchange Online, as an application.
pub const EXCHANGE_ONLINE: Guid = Guid::new(0x0000_0002_0000_0ff1_ce00_0000_0000_0000);
/// Office 365 SharePoint Online, as an application.
pub const SHAREPOINT_ONLINE: Guid = Guid::new(0x0000_0003_0000_0ff1_ce00_0000_0000_0000);

/// `full_access_as_app` of Exchange Online: every mailbox through Exchange Web Services. Source: Exchange Online's app roles.
pub const EXCHANGE_FULL_ACCESS_AS_APP: Guid = Guid::new(0xdc89_0d15_9560_4a4c_9b7f_a736_ec74_ec40);
/// `Exchange.ManageAsApp` of Exchange Online: its PowerShell, as far as the application's roles go. Source: Microsoft's page on
/// app-only authentication in Exchange Online PowerShell.
pub const EXCHANGE_MANAGE_AS_APP: Guid = Guid::new(0xdc50_a0fb_09a3_484d_be87_e023_b12c_6440);
/// `Sites.FullControl.All` of SharePoint Online (not the one of Microsoft Graph). Source: SharePoint Online's app roles.
pub const SHAREPOINT_SITES_FULL_CONTROL: Guid =
    Guid::new(0x6785_36fe_1083_478a_9c59_b992_65e6_b0d3);

/// The guest role that shows a guest only its own entry. Source: `authorizationPolicy.guestUserRoleId`, Graph v1.0.
pub const GUEST_ROLE_RESTRICTED: Guid = Guid::new(0x2af8_4b1e_32c8_42b7_82bc_daa8_2404_023b);
/// The guest role with limited access to the directory, Entra's default. Source: as above.
pub const GUEST_ROLE_LIMITED: Guid = Guid::new(0x10da_e51f_b6af_4016_8d66_8c2a_99b9_29b3);

/// The tenants that own Microsoft's own applications.
pub const MICROSOFT_TENANTS: [Guid; 2] = [
    Guid::new(0xf8cd_ef31_a31e_4b4a_93e4_5f57_1e91_255a),
    Guid::new(0x72f9_88bf_86f1_41af_91ab_2d7c_d011_db47),
];

/// Roles held by the accounts that synchronise the local directory: Directory Synchronization Accounts and
/// On Premises Directory Sync Account.
pub const SYNC_ROLES: [Guid; 2] = [
    Guid::new(0xd29b_2b05_8046_44ba_8758_1e26_182f_cf32),
    Guid::new(0xa92a_ed5d_d78a_4d16_b381_09ad_b37e_b3b0),
];

/// Roles that Microsoft does not flag as privileged and that administer content or money all the same:
/// Exchange, SharePoint and Billing Administrator.
const ADMIN_ROLES_BESIDE_PRIVILEGED: [Guid; 3] = [
    Guid::new(0x2923_2cdf_9323_42fd_ade2_1d09_7af3_e4de),
    Guid::new(0xf28a_1f50_f6e7_4571_818b_6a12_f2af_6b6c),
    Guid::new(0xb0f5_4661_2d74_4c50_afa3_1ec8_03f1_2efe),
];

/// Names of the roles from which the whole tenant can be taken.
const TIER_0_ROLE_NAMES: [&str; 9] = [
    "Global Administrator",
    "Privileged Role Administrator",
    "Privileged Authentication Administrator",
    "Partner Tier2 Support",
    "Hybrid Identity Administrator",
    "Application Administrator",
    "Cloud Application Administrator",
    "Domain Name Administrator",
    "External Identity Provider Administrator",
];

/// A built-in directory role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Role {
    /// Its display name.
    pub name: &'static str,
    /// Microsoft's `isPrivileged`.
    pub privileged: bool,
}

/// An application permission of Microsoft Graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// For example `Mail.Read`.
    pub name: &'static str,
    /// 0 leads to control of the tenant, 1 to the content of many users, 2 is everything else.
    pub tier: u8,
    /// Microsoft's privilege level, 1 to 5, the most powerful; `None` where Microsoft gives none.
    pub level: Option<u8>,
}

/// Whether the name of a permission says that it can do nothing but read: `User.Read.All`, `Mail.ReadBasic.All`.
///
/// Whatever is not known to read counts as more: `Sites.Selected` is as much as each site grants.
pub fn only_reads(permission: &str) -> bool {
    let mut verbs = permission.split('.').skip(1);
    verbs.any(|verb| {
        verb.starts_with("Read") && !verb.starts_with("ReadWrite") && verb != "ReadUpdate"
    })
}

/// The built-in role with this template id.
pub fn role(template: Guid) -> Option<Role> {
    static ROLES: LazyLock<HashMap<Guid, Role>> = LazyLock::new(|| {
        table(include_str!("roles.tsv"), |flag, name| Role {
            name,
            privileged: flag == "privileged",
        })
    });
    ROLES.get(&template).copied()
}

/// The template id of a built-in role by its name.
pub fn role_named(name: &str) -> Option<Guid> {
    lines(include_str!("roles.tsv"))
        .find(|(_, _, known)| known.eq_ignore_ascii_case(name))
        .and_then(|(id, ..)| id.parse().ok())
}

/// Names of all built-in roles.
pub fn role_names() -> impl Iterator<Item = &'static str> {
    lines(include_str!("roles.tsv")).map(|(.., name)| name)
}

/// Whether a role counts as an admin role: flagged as privileged by Microsoft, or one of three more.
pub fn is_admin_role(template: Guid) -> bool {
    role(template).is_some_and(|role| role.privileged)
        || ADMIN_ROLES_BESIDE_PRIVILEGED.contains(&template)
}

/// Template ids of all admin roles (see [`is_admin_role`]).
pub fn admin_roles() -> impl Iterator<Item = Guid> {
    lines(include_str!("roles.tsv"))
        .filter(|(_, flag, _)| *flag == "privileged")
        .filter_map(|(id, ..)| id.parse().ok())
        .chain(ADMIN_ROLES_BESIDE_PRIVILEGED)
}

/// Whether the tenant can be taken from this role.
pub fn is_tier_0_role(template: Guid) -> bool {
    role(template).is_some_and(|role| TIER_0_ROLE_NAMES.contains(&role.name))
}

/// The application permission of Microsoft Graph with this app role id.
pub fn permission(app_role: Guid) -> Option<Permission> {
    static PERMISSIONS: LazyLock<HashMap<Guid, Permission>> =
        LazyLock::new(|| table(include_str!("permissions.tsv"), permission_of));
    PERMISSIONS.get(&app_role).copied()
}

/// The application permission of Microsoft Graph with this name, and its app role id.
pub fn permission_named(name: &str) -> Option<(Guid, Permission)> {
    static IDS: LazyLock<HashMap<&'static str, Guid>> = LazyLock::new(|| {
        lines(include_str!("permissions.tsv"))
            .filter_map(|(id, tier, name)| Some((permission_of(tier, name).name, id.parse().ok()?)))
            .collect()
    });
    let id = *IDS.get(name)?;
    Some((id, permission(id)?))
}

/// The fields of one line behind the id.
fn permission_of(tier: &'static str, name_and_level: &'static str) -> Permission {
    let (name, level) = name_and_level
        .split_once('\t')
        .unwrap_or((name_and_level, ""));
    Permission {
        name,
        tier: tier.parse().unwrap_or(2),
        level: level.parse().ok(),
    }
}

/// The id of the service plan with this name.
pub fn service_plan(name: &str) -> Option<Guid> {
    static PLANS: LazyLock<HashMap<&'static str, Guid>> = LazyLock::new(|| {
        lines(include_str!("service-plans.tsv"))
            .filter_map(|(id, name, _)| Some((name, id.parse().ok()?)))
            .collect()
    });
    PLANS.get(name).copied()
}

fn table<T>(
    text: &'static str,
    entry: impl Fn(&'static str, &'static str) -> T,
) -> HashMap<Guid, T> {
    lines(text)
        .filter_map(|(id, middle, name)| Some((id.parse().ok()?, entry(middle, name))))
        .collect()
}

fn lines(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut fields = line.splitn(3, '\t');
            Some((fields.next()?, fields.next()?, fields.next()?))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_whole() {
        assert_eq!(
            role(GLOBAL_ADMINISTRATOR),
            Some(Role {
                name: "Global Administrator",
                privileged: true
            })
        );
        let tier_0 = lines(include_str!("roles.tsv"))
            .filter(|(id, ..)| is_tier_0_role(id.parse().unwrap()))
            .count();
        assert_eq!(
            tier_0,
            TIER_0_ROLE_NAMES.len(),
            "every tier-0 role is in the table under that name"
        );
        let tiers = lines(include_str!("permissions.tsv"))
            .filter(|(_, tier, _)| *tier == "0")
            .count();
        assert_eq!(tiers, 56);
        assert!(service_plan("AAD_PREMIUM_P2").is_some());
    }

    #[test]
    fn permissions_are_found_by_id_and_by_name() {
        let (mut all, mut twice) = (0, Vec::new());
        for (id, ..) in lines(include_str!("permissions.tsv")) {
            let id: Guid = id.parse().unwrap();
            let known = permission(id).unwrap();
            let (found, same) = permission_named(known.name).unwrap();
            assert_eq!(same.name, known.name);
            if found != id {
                twice.push(known.name);
            }
            assert!(known.level.is_none_or(|level| (1..=5).contains(&level)));
            all += 1;
        }
        assert!(all > 700, "{all}");
        // Microsoft lists some under two ids; nothing here asks for them.
        assert_eq!(
            twice,
            [
                "Contacts-OnPremisesSyncBehavior.ReadWrite.All",
                "EntraBackup.Read.All"
            ]
        );
        assert_eq!(permission_named("User.Read"), None, "delegated only");
    }

    #[test]
    fn what_does_more_than_read_is_known_by_its_name() {
        for name in [
            "User.Read.All",
            "Mail.ReadBasic.All",
            "MailboxSettings.Read",
            "RoleManagement.Read.Directory",
            "Domain-InternalFederation.Read.All",
            "ChannelMember.Read.Group",
        ] {
            assert!(only_reads(name), "{name}");
        }
        for name in [
            "User.ReadWrite.All",
            "Application.ReadUpdate.All",
            "Chat.ReadWriteSelfForUser.All",
            "Sites.FullControl.All",
            "Sites.Selected",
            "Exchange.ManageAsApp",
            "Mail.Send",
            "Read.All",
            "",
        ] {
            assert!(!only_reads(name), "{name}");
        }
    }
}
