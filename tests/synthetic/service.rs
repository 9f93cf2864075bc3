//! How the service behaves: limits, trouble, time.
