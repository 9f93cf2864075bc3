//! Whether an Intune policy reaches anybody.

use crate::snapshot::model::AssignmentTarget;

/// Whether these targets reach anybody: there is one, and not all of them are exclusions.
///
/// `None` when the data does not tell: a target without a type might be an exclusion. A type that this version does not know is
/// not an exclusion. Source: `exclusionGroupAssignmentTarget`, Graph v1.0.
pub(super) fn reaches_anybody<'a>(
    targets: impl Iterator<Item = Option<&'a AssignmentTarget>>,
) -> Option<bool> {
    let mut untold = false;
    for target in targets {
        match target.and_then(|target| target.odata_type.as_ref()) {
            None => untold = true,
            Some(kind) if kind.is("#microsoft.graph.exclusionGroupAssignmentTarget") => {}
            Some(_) => return Some(true),
        }
    }
    (!untold).then_some(false)
}

/// Whether any of several answers is yes; `None` when none is and one of them is not known.
pub(super) fn any(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut untold = false;
    for answer in answers {
        match answer {
            Some(true) => return Some(true),
            Some(false) => {}
            None => untold = true,
        }
    }
    (!untold).then_some(false)
}
