//! snapshot file
