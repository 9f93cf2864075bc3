//! `permissions`: what has to be granted. Talks to nobody.

use std::collections::BTreeSet;
use std::io::Write as _;

use super::args::{PermissionsArgs, PermissionsFormat};
use super::scan::ended;
use super::{Ended, World, select};
use crate::ExitStatus;
use crate::collect::{self, Group};
use crate::report::permissions::{self as page, OptIn};
use crate::report::table::Style;
use crate::rules::{self, Rule, preflight};
use crate::snapshot::Resource;

pub(super) fn run(args: &PermissionsArgs, world: &World) -> Ended {
    let opt_in = opt_in();
    let (rules, resources) = if args.all {
        let rules: Vec<&'static Rule> = rules::registry().collect();
        (rules, Resource::ALL.iter().copied().collect())
    } else {
        let rules = select::rules_shown(&args.select)?;
        let resources = select::resources(&rules, &args.read);
        (rules, resources)
    };
    let needs = preflight::needs(&rules, &resources, collect::with_needs);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let style = Style {
        width: world.width,
        colour: world.colour,
    };
    let written = match args.format {
        PermissionsFormat::Table if args.by_rule => page::by_rule(&rules, &needs, style, &mut out),
        PermissionsFormat::Table => {
            let left_out = left_out(&rules, &resources, &opt_in);
            page::table(&needs, &opt_in, &left_out, style, &mut out)
        }
        PermissionsFormat::Json => page::json(&needs, &mut out),
        PermissionsFormat::Az => page::az(&needs, &mut out),
    };
    ended(written.and_then(|()| out.flush()))?;
    Ok(ExitStatus::Done)
}

fn opt_in() -> Vec<OptIn> {
    let groups = Group::ALL.iter().filter(|group| group.is_opt_in());
    groups
        .map(|group| OptIn {
            group: group.name(),
            resources: group.resources(),
        })
        .collect()
}

/// Groups that the rules would look at and that were not asked for, with what they would need besides.
fn left_out(
    rules: &[&'static Rule],
    resources: &BTreeSet<Resource>,
    opt_in: &[OptIn],
) -> Vec<(&'static str, Vec<&'static str>)> {
    let wanted: BTreeSet<Resource> = rules
        .iter()
        .flat_map(|rule| preflight::all_of(rule, collect::with_needs))
        .collect();
    let granted: BTreeSet<&str> = resources
        .iter()
        .flat_map(|resource| resource.permissions().iter().copied())
        .collect();
    opt_in
        .iter()
        .filter_map(|group| {
            let more: BTreeSet<&'static str> = group
                .resources
                .iter()
                .filter(|resource| wanted.contains(resource) && !resources.contains(resource))
                .flat_map(|resource| resource.permissions().iter().copied())
                .filter(|permission| !granted.contains(permission))
                .collect();
            (!more.is_empty()).then(|| (group.group, more.into_iter().collect()))
        })
        .collect()
}
