//! `rules list` and `rules show`.

use std::io::Write as _;

use super::args::{Format, RulesArgs, RulesCommand};
use super::scan::ended;
use super::{Ended, World, select};
use crate::ExitStatus;
use crate::report::rules as pages;
use crate::report::table::Style;
use crate::rules;

pub(super) fn run(args: &RulesArgs, world: &World) -> Ended {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let style = Style {
        width: world.width,
        colour: world.colour,
    };
    let written = match &args.command {
        RulesCommand::List { area, format } => {
            let rules: Vec<_> = rules::registry()
                .filter(|rule| area.is_none_or(|area| rule.area == area))
                .collect();
            match format {
                Format::Table => pages::list(&rules, style, &mut out),
                Format::Json => pages::list_json(&rules, &mut out),
            }
        }
        RulesCommand::Show { id, format } => {
            let rule = rules::find(id).ok_or_else(|| select::unknown(id))?;
            match format {
                Format::Table => pages::show(rule, &mut out),
                Format::Json => pages::show_json(rule, &mut out),
            }
        }
    };
    ended(written.and_then(|()| out.flush()))?;
    Ok(ExitStatus::Done)
}
