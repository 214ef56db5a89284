//! `netctl create`

mod conflist;
mod folder;
mod hostile;
mod mtu;
mod refused;
mod refused_options;
mod subnets;
mod words;
