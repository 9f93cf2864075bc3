//! What the Conditional Access analyzer answers, for people and for programs.

pub mod compare;
pub mod prove;
pub mod review;
pub mod what_if;
