//! Sensitivity labels.

use crate::rules::prelude::*;

declare_rule! {
    /// Nothing tells people or tools which file is secret.
    ///
    /// A label travels with the file: it can encrypt, it can mark, and data loss prevention and sharing rules can look at it.
    /// Without labels each tool guesses from the content, and people decide by feeling.
    ///
    /// Graph shows which labels exist, not to whom they are published nor whether anybody uses them: a pass says no more than that
    /// there are at least two, so that there is a choice.
    pub(crate) static SENSITIVITY_LABELS_MISSING = {
        id: "sensitivity-labels-missing",
        title: "No sensitivity labels exist although the licence is owned",
        area: Area::Data,
        kind: Kind::Entitlement,
        risk: Risk(2, 2, 1),
        confidence: 60,
        effort: Effort::L.always(),
        disruption: Disruption::Users,
        licence: Licence::OneOf(&["MIP_S_CLP1", "MIP_S_CLP2"]),
        protection: Some(Protection { name: "Sensitivity labels" }),
        reads: &[Resource::SensitivityLabels],
        controls: &[Cis7("3.3.1"), Cis6("3.3.1"), Maester("MT.1173"), NistCsf2("PR.DS-01")],
        evidence: Expected { source: Some(Resource::SensitivityLabels), property: "name", expected: "at least 2 labels or sublabels; whether they are published is not in Graph" },
        remediation: Remediation {
            summary: "A few labels exist and are published to everybody, with a default for new files and mails.",
            notices: "Everybody sees a label button and a default label in the Office apps and in Outlook.",
            check_first: "Purview portal > Information protection > Labels, and Content explorer: what kinds of data there are, and whether labels exist that were never published.",
            steps: &[
                "Agree on three to five labels with the owners of the data, for example Public, Internal, Confidential, Strictly confidential.",
                "Create them; let only the highest encrypt at first.",
                "Turn on labels for files in SharePoint and OneDrive.",
                "Publish them with a label policy: default label Internal, a reason asked for when a label is lowered.",
                "Show people in ten minutes which label is for what.",
            ],
            portal: "Microsoft Purview portal > Solutions > Information Protection > Sensitivity labels",
            request: "",
            roll_out: "Publish to a pilot department for 14 days, then to everybody; let labels encrypt after that only.",
            verify: "At least two labels or sublabels exist; confirm in the Purview portal that a policy publishes them.",
            roll_back: "Take the labels out of the label policy; files keep the label they have. Do not delete a label that encrypts.",
            dangers: &[Danger::VisibleToAll],
            learn: &["https://learn.microsoft.com/purview/create-sensitivity-labels"],
        },
        check: sensitivity_labels_missing,
    }
}

fn sensitivity_labels_missing(cx: &Context<'_>) -> Verdict {
    let labels = cx.sensitivity_labels()?;
    let sublabels: usize = labels
        .iter()
        .map(|label| label.sublabels.as_ref().map_or(0, Vec::len))
        .sum();
    let all = labels.len() + sublabels;
    let numbers = format!("{} labels and {sublabels} sublabels exist", labels.len());
    let actual = format!("{all} labels and sublabels");
    if all >= 2 {
        return Ok(Outcome::pass(format!(
            "{numbers}; whether they are published and used is not in Graph"
        ))
        .actual(actual)
        .entitlement(EntitlementState::InUse));
    }
    cx.whole(Resource::SensitivityLabels)?;
    if labels.iter().any(|label| label.sublabels.is_none()) {
        return Err(NotEvaluated::unknown(
            "there is one label and whether it has sublabels is not said",
        ));
    }
    Ok(Outcome::fail(match all {
        0 => "no sensitivity label exists".to_owned(),
        _ => format!("{numbers}: one label gives no choice"),
    })
    .actual(actual)
    .entitlement(match all {
        0 => EntitlementState::Off,
        _ => EntitlementState::Partial,
    }))
}
