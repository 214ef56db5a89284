//! Removing a network.
