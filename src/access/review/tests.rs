//! Small tenants, one for each kind of result.
