//! Parts of a long list that are read side by side.

use serde::{Deserialize, Serialize};

/// One of several disjoint parts that make up a list. A page of a snapshot file names the part that it belongs to, so that an
/// interrupted collection knows what is missing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Shard {
    /// Rows whose key is at least `from` and less than `to`; an end that is not given is open.
    Range {
        /// The least key, in lower case.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        from: Option<String>,
        /// The key that the next part begins with, in lower case.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        to: Option<String>,
    },
    /// Rows whose key begins with this, in lower case.
    Prefix(String),
    /// Rows whose key is this.
    Value(String),
}

impl Shard {
    /// The range from one key to another.
    pub fn range(from: Option<&str>, to: Option<&str>) -> Self {
        Self::Range {
            from: from.map(str::to_owned),
            to: to.map(str::to_owned),
        }
    }
}
