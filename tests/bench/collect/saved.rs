//! What a snapshot file holds, read without the program that wrote it.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::fs::File;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::time::Instant;

use flate2::read::MultiGzDecoder;
use m365audit::emulator::Mix;
use serde::Deserialize;
use serde_json::Value;

/// One section.
#[derive(Debug, Default)]
struct Section {
    rows: u64,
    ids: HashSet<u64>,
    /// Its entry in the manifest.
    record: Value,
}

/// A snapshot, counted.
#[derive(Debug, Default)]
pub(crate) struct Saved {
    sections: BTreeMap<String, Section>,
}

#[derive(Deserialize)]
struct PageLine {
    page: String,
    of: Option<String>,
    rows: u64,
}

#[derive(Deserialize)]
struct RowLine {
    id: Option<String>,
}

impl Saved {
    pub(crate) fn read(path: &Path) -> Self {
        let mut saved = Self::default();
        let mut lines = lines(path);
        let mut line = String::new();
        let mut next = |line: &mut String| {
            line.clear();
            lines.read_line(line).unwrap() > 0
        };
        while next(&mut line) {
            if let Ok(page) = serde_json::from_str::<PageLine>(&line) {
                let section = saved.sections.entry(page.page).or_default();
                section.rows += page.rows;
                for _ in 0..page.rows {
                    assert!(next(&mut line), "the file ends within a page");
                    if page.of.is_none() {
                        let row: RowLine = serde_json::from_str(&line).unwrap();
                        let mut hasher = DefaultHasher::new();
                        row.id.hash(&mut hasher);
                        section.ids.insert(hasher.finish());
                    }
                }
            } else if line.starts_with("{\"manifest\"") {
                let mut manifest: Value = serde_json::from_str(&line).unwrap();
                let sections = manifest["manifest"]["sections"].as_object_mut().unwrap();
                for (name, record) in sections {
                    saved.sections.entry(name.clone()).or_default().record = record.take();
                }
            }
        }
        saved
    }

    /// Seconds that only unpacking the file takes.
    pub(crate) fn time_to_read(path: &Path) -> f64 {
        let begun = Instant::now();
        let (mut lines, mut line) = (lines(path), Vec::new());
        while lines.read_until(b'\n', &mut line).unwrap() > 0 {
            line.clear();
        }
        begun.elapsed().as_secs_f64()
    }

    /// Rows of a section, those that came twice included.
    pub(crate) fn rows(&self, section: &str) -> u64 {
        self.sections.get(section).map_or(0, |section| section.rows)
    }

    /// Whether Graph was asked for a section, whatever it answered.
    pub(crate) fn was_asked(&self, section: &str) -> bool {
        let status = |section: &Section| section.record["status"].as_str().map(ToOwned::to_owned);
        let status = self.sections.get(section).and_then(status);
        status.is_some_and(|status| status != "skipped")
    }

    /// Sections that another snapshot of the same tenant has otherwise.
    pub(crate) fn differing<'a>(&'a self, other: &'a Self) -> Vec<&'a str> {
        let (own, others) = (self.digests(), other.digests());
        assert!(
            own.values().any(|digest| !digest.is_empty()),
            "no section has a digest"
        );
        let names: BTreeSet<&str> = own.keys().chain(others.keys()).copied().collect();
        names
            .into_iter()
            .filter(|name| own.get(name) != others.get(name))
            .collect()
    }

    /// Rows that are missing and rows that came twice, of the lists whose length is known.
    pub(crate) fn against(&self, mix: &Mix) -> (u64, u64) {
        let truth = [
            ("users", mix.users),
            ("signInActivity", mix.users),
            // Five of the stored accounts have no row in the report.
            ("userRegistrationDetails", mix.users - 5),
            ("devices", mix.devices),
            ("servicePrincipals", mix.service_principals),
            ("applications", mix.applications),
            ("groups", mix.groups),
            ("oauth2PermissionGrants", mix.grants),
            ("riskyUsers", mix.at_risk),
        ];
        let (mut missing, mut repeated) = (0, 0);
        for (name, many) in truth {
            let Some(section) = self.sections.get(name) else {
                continue;
            };
            if section.record["status"] == "skipped" {
                continue;
            }
            let distinct = section.ids.len() as u64;
            missing += u64::from(many).saturating_sub(distinct);
            repeated += section.rows - distinct;
            if distinct > u64::from(many) {
                println!("{name}: {distinct} rows, more than the {many} that there are");
                repeated += distinct - u64::from(many);
            }
        }
        (missing, repeated)
    }

    /// Whether no section that was asked for ended early.
    pub(crate) fn is_whole(&self) -> bool {
        let ended = |section: &Section| {
            matches!(
                section.record["status"].as_str(),
                Some("partial" | "failed")
            )
        };
        !self.sections.values().any(ended)
    }

    pub(crate) fn verdict(&self) -> String {
        let ended = self.sections.iter().filter(|(_, section)| {
            matches!(
                section.record["status"].as_str(),
                Some("partial" | "failed")
            )
        });
        let names: Vec<&str> = ended.map(|(name, _)| name.as_str()).collect();
        if names.is_empty() {
            "whole".to_owned()
        } else {
            format!("in part: {}", names.join(", "))
        }
    }

    /// The digest of every section that was asked for.
    fn digests(&self) -> BTreeMap<&str, &str> {
        self.sections
            .iter()
            .map(|(name, section)| {
                let digest = section.record["digest"].as_str().unwrap_or_default();
                (name.as_str(), digest)
            })
            .collect()
    }
}

fn lines(path: &Path) -> BufReader<MultiGzDecoder<BufReader<File>>> {
    let file = BufReader::with_capacity(1 << 20, File::open(path).unwrap());
    BufReader::with_capacity(1 << 20, MultiGzDecoder::new(file))
}

impl fmt::Display for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, section) in &self.sections {
            let status = section.record["status"].as_str().unwrap_or("?");
            if section.rows >= 100 || !matches!(status, "collected" | "skipped") {
                let error = section.record["error"].as_str().unwrap_or_default();
                writeln!(f, "{:>9} {name}: {status} {error}", section.rows)?;
            }
        }
        Ok(())
    }
}
