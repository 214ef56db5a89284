//! `netctl prune`
