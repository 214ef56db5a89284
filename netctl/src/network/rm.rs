//! `netctl rm`
