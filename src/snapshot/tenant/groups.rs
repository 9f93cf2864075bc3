//! Groups, in compact form.

use super::compact::{Distinct, Table, Texts, readers};
use super::fold::{Bad, Fold};
use crate::snapshot::model::{self, GroupVisibility, MembershipRuleProcessingState};
use crate::snapshot::{Guid, Untrusted, UntrustedRef};

/// What many groups have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Traits {
    group_types: Option<Vec<Untrusted>>,
    provisioning: Option<Vec<Untrusted>>,
    visibility: Option<GroupVisibility>,
    rule_state: Option<MembershipRuleProcessingState>,
    is_assignable_to_role: Option<bool>,
    is_management_restricted: Option<bool>,
    on_premises_sync_enabled: Option<bool>,
    is_licensed: bool,
    has_rule: bool,
    lists_owners: bool,
}

#[derive(Debug, Clone)]
struct Row {
    traits: u32,
    /// Where its owners end, and those of the next group begin.
    owners_end: u32,
}

/// All groups, by object id: some seventy bytes each, and sixteen for each owner.
#[derive(Debug, Clone, Default)]
pub struct Groups {
    list: Table<Row>,
    /// The name to show and the membership rule, of each in turn.
    texts: Texts,
    traits: Distinct<Traits>,
    owners: Vec<Guid>,
}

/// A group.
#[derive(Debug, Clone, Copy)]
pub struct Group<'a> {
    groups: &'a Groups,
    place: u32,
    id: Guid,
    row: &'a Row,
    traits: &'a Traits,
}

impl<'a> Group<'a> {
    /// Object id.
    pub fn id(self) -> Guid {
        self.id
    }

    /// The name to show.
    pub fn display_name(self) -> UntrustedRef<'a> {
        self.groups.texts.get(2 * self.place as usize)
    }

    /// The rule that decides who is a member; `None` where people do.
    pub fn membership_rule(self) -> Option<UntrustedRef<'a>> {
        let rule = || self.groups.texts.get(2 * self.place as usize + 1);
        self.traits.has_rule.then(rule)
    }

    /// Whether that rule is being worked on.
    pub fn membership_rule_processing_state(self) -> Option<&'a MembershipRuleProcessingState> {
        self.traits.rule_state.as_ref()
    }

    /// Whether a type (`Unified`, `DynamicMembership`) is among its types; `None` when Graph did not say.
    pub fn is_of_type(self, name: &str) -> Option<bool> {
        let types = self.traits.group_types.as_ref()?;
        Some(types.iter().any(|one| one.is(name)))
    }

    /// `resourceProvisioningOptions` has `Team`; `None` when Graph did not say.
    pub fn is_team(self) -> Option<bool> {
        let options = self.traits.provisioning.as_ref()?;
        Some(options.iter().any(|one| one.is("Team")))
    }

    /// Who sees its content; `None` for security groups.
    pub fn visibility(self) -> Option<&'a GroupVisibility> {
        self.traits.visibility.as_ref()
    }

    /// Whether directory roles can be given to it.
    pub fn is_assignable_to_role(self) -> Option<bool> {
        self.traits.is_assignable_to_role
    }

    /// Whether it is in a restricted management administrative unit.
    pub fn is_management_restricted(self) -> Option<bool> {
        self.traits.is_management_restricted
    }

    /// Synchronised from on-premises; null is cloud-only.
    pub fn on_premises_sync_enabled(self) -> Option<bool> {
        self.traits.on_premises_sync_enabled
    }

    /// Gives its members at least one licence.
    pub fn is_licensed(self) -> bool {
        self.traits.is_licensed
    }

    /// Ids of its owners as far as Graph expands them (twenty); `None` when Graph sent no list.
    pub fn owners(self) -> Option<&'a [Guid]> {
        let groups = self.groups;
        let before = self
            .place
            .checked_sub(1)
            .and_then(|place| groups.list.at(place));
        let begin = before.map_or(0, |(_, row)| row.owners_end as usize);
        let owners = groups.owners.get(begin..self.row.owners_end as usize);
        owners.filter(|_| self.traits.lists_owners)
    }
}

impl Groups {
    pub(super) fn push(&mut self, row: model::Group) -> Result<Fold, Bad> {
        let id = row.id.ok_or_else(|| Bad::new("id", "missing"))?;
        let ids = row.owners.iter().flatten().map(|owner| owner.id);
        let ids: Option<Vec<Guid>> = ids.collect();
        let ids = ids.ok_or_else(|| Bad::new("owners.id", "missing"))?;
        let traits = Traits {
            group_types: row.group_types,
            provisioning: row.resource_provisioning_options,
            visibility: row.visibility,
            rule_state: row.membership_rule_processing_state,
            is_assignable_to_role: row.is_assignable_to_role,
            is_management_restricted: row.is_management_restricted,
            on_premises_sync_enabled: row.on_premises_sync_enabled,
            is_licensed: row.assigned_licenses.is_some_and(|list| !list.is_empty()),
            has_rule: row.membership_rule.is_some(),
            lists_owners: row.owners.is_some(),
        };
        let (texts, common, owners) = (&mut self.texts, &mut self.traits, &mut self.owners);
        self.list.insert(id, || {
            let owners_end =
                u32::try_from(owners.len() + ids.len()).map_err(|_| Bad::too_many())?;
            let traits = common.place(traits)?;
            texts.push(row.display_name.unwrap_or_default().raw())?;
            texts.push(row.membership_rule.unwrap_or_default().raw())?;
            owners.extend(ids);
            Ok(Row { traits, owners_end })
        })
    }

    fn show<'a>(&'a self, place: u32, (id, row): &'a (Guid, Row)) -> Option<Group<'a>> {
        Some(Group {
            groups: self,
            place,
            id: *id,
            row,
            traits: self.traits.at(row.traits)?,
        })
    }
}

readers!(Groups of Group);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_group_has_its_own_owners_and_rule() {
        let mut groups = Groups::default();
        let owner = |number: u128| json!({"id": Guid::new(number)});
        for row in [
            json!({"id": Guid::new(1), "displayName": "A", "groupTypes": ["Unified"], "visibility": "Public", "owners": [owner(11), owner(12)]}),
            json!({"id": Guid::new(2), "displayName": "B", "groupTypes": ["DynamicMembership"], "membershipRule": "user.userType -eq \"Guest\"", "membershipRuleProcessingState": "On", "owners": []}),
            json!({"id": Guid::new(3), "displayName": "C", "resourceProvisioningOptions": ["Team"], "assignedLicenses": [{"skuId": Guid::new(9)}]}),
            json!({"id": Guid::new(1), "displayName": "again", "owners": [owner(13)]}),
        ] {
            assert!(groups.push(serde_json::from_value(row).unwrap()).is_ok());
        }
        assert_eq!((groups.len(), groups.is_empty()), (3, false));
        let all: Vec<_> = groups
            .iter()
            .map(|group| (group.display_name().raw(), group.owners()))
            .collect();
        let two = [Guid::new(11), Guid::new(12)];
        assert_eq!(
            all,
            [("A", Some(&two[..])), ("B", Some(&[][..])), ("C", None)]
        );
        let rules: Vec<_> = groups
            .iter()
            .map(|group| group.membership_rule().is_some())
            .collect();
        assert_eq!(rules, [false, true, false]);
        let group = |number| groups.get(Guid::new(number)).unwrap();
        assert_eq!(group(1).id(), Guid::new(1));
        assert_eq!(
            (
                group(1).is_of_type("unified"),
                group(3).is_of_type("Unified")
            ),
            (Some(true), None)
        );
        assert_eq!(group(1).visibility(), Some(&GroupVisibility::Public));
        assert_eq!(
            group(2).membership_rule_processing_state(),
            Some(&MembershipRuleProcessingState::On)
        );
        assert_eq!((group(3).is_team(), group(1).is_team()), (Some(true), None));
        assert_eq!(
            (group(3).is_licensed(), group(1).is_licensed()),
            (true, false)
        );
        let flags = [
            group(1).is_assignable_to_role(),
            group(1).is_management_restricted(),
            group(1).on_premises_sync_enabled(),
        ];
        assert_eq!(flags, [None; 3]);
        assert!(groups.get(Guid::new(4)).is_none());
    }

    #[test]
    fn an_owner_without_an_id_is_not_left_out() {
        let row = json!({"id": Guid::new(1), "owners": [{"id": null}]});
        assert!(
            Groups::default()
                .push(serde_json::from_value(row).unwrap())
                .is_err()
        );
    }
}
