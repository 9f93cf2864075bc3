//! Text that comes from a tenant, and is therefore anybody's.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};

/// Text from a tenant: a display name, a domain, an error message, a setting's value.
///
/// Anyone who can invite himself as a guest chooses some of it, so it has no `Display`: whoever writes it
/// out names the place it goes to ([`for_terminal`](Self::for_terminal)), and forgetting to escape does not
/// compile. JSON escapes by itself, so `Serialize` is the text as it came.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Untrusted(Box<str>);

impl Untrusted {
    /// The text as it came, for comparisons and for parsers. Never for output.
    pub fn raw(&self) -> &str {
        &self.0
    }

    /// Equal without regard to ASCII case, as Graph's enum values and GUIDs are compared.
    pub fn is(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }

    /// Whether nothing is in it but blanks.
    pub fn is_blank(&self) -> bool {
        self.borrowed().is_blank()
    }

    /// The same text, borrowed.
    pub fn borrowed(&self) -> UntrustedRef<'_> {
        UntrustedRef(&self.0)
    }

    /// The text made inert for a terminal, on one line: control characters (escape sequences among them),
    /// line breaks, and the invisible characters that reorder or hide text become `\u{..}`.
    pub fn for_terminal(&self) -> String {
        self.borrowed().for_terminal()
    }
}

/// [`Untrusted`] text that is held elsewhere: the names of a million accounts lie in one piece, and are lent out as this.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UntrustedRef<'a>(&'a str);

impl<'a> UntrustedRef<'a> {
    /// The text as it came, for comparisons and for parsers. Never for output.
    pub fn raw(self) -> &'a str {
        self.0
    }

    /// Equal without regard to ASCII case.
    pub fn is(self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }

    /// Whether nothing is in it but blanks.
    pub fn is_blank(self) -> bool {
        self.0.trim().is_empty()
    }

    /// The text made inert for a terminal, as [`Untrusted::for_terminal`].
    pub fn for_terminal(self) -> String {
        let mut out = String::with_capacity(self.0.len());
        for character in self.0.chars() {
            if is_inert(character) {
                out.push(character);
            } else {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(character));
            }
        }
        out
    }
}

impl fmt::Debug for UntrustedRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0, f)
    }
}

impl<'a> From<&'a str> for UntrustedRef<'a> {
    fn from(text: &'a str) -> Self {
        Self(text)
    }
}

impl From<UntrustedRef<'_>> for Untrusted {
    fn from(text: UntrustedRef<'_>) -> Self {
        Self(text.0.into())
    }
}

/// Whether a character can do nothing to a terminal but be shown.
fn is_inert(character: char) -> bool {
    !matches!(character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}'            // C0 and C1 controls: ESC, CSI, OSC, line breaks
        | '\u{ad}' | '\u{61c}' | '\u{180e}'                // soft hyphen, Arabic letter mark, Mongolian vowel separator
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' // zero widths, marks, separators, embeddings and overrides
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' // isolates, joiners, byte order mark, annotations
        | '\u{e0000}'..='\u{e007f}') // tags
}

impl fmt::Debug for Untrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl From<&str> for Untrusted {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<String> for Untrusted {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_a_terminal_survives() {
        let hostile = "a\x1b[31m\x07\r\nb\u{9b}1m\u{202e}c\u{2066}\u{200b}\u{e0041}é漢";
        let shown = Untrusted::from(hostile).for_terminal();
        assert_eq!(
            shown,
            "a\\u{1b}[31m\\u{7}\\u{d}\\u{a}b\\u{9b}1m\\u{202e}c\\u{2066}\\u{200b}\\u{e0041}é漢"
        );
    }
}
