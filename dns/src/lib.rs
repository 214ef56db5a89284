//! The files by which a container finds names: hosts and resolv.conf.
//!
//! All of it is texts made of values; nothing is read or written here but by [`resolv_conf::read_host`].

pub mod hosts;
pub mod resolv_conf;
