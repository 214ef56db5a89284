//! The plugin `firewall` behind `bridge`, on hosts whose own firewall drops what it forwards.

mod apart;
mod closed;
mod ends;
mod faults;
mod firewalld;
mod leaving;
mod scene;
mod turns;
mod way;
