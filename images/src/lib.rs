//! Images on this machine: loaded, checked, unpacked once, named.
mod attributes;
mod beneath;
mod digest;
mod entries;
mod fault;
mod limits;
mod packed;
mod platform;
mod reference;
mod unpack;
