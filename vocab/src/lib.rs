//! The words of container networking: values that are valid once they exist.
//!
//! A string from outside becomes one of these types at the door, or an error that names the value and what
//! was expected. Behind the door nobody validates again, because nobody can hold an invalid one.

mod attachment;
mod interface_name;
mod mac_address;
mod mtu;
mod name;
mod port;

pub use attachment::Attachment;
pub use interface_name::{InterfaceName, InvalidInterfaceName};
pub use mac_address::{InvalidMacAddress, MacAddress};
pub use mtu::{InvalidMtu, Mtu};
pub use name::{ContainerId, InvalidName, NetworkName};
pub use port::{
    HostAddress, HostPorts, InvalidHostAddress, InvalidPort, InvalidPortRange, InvalidProtocol,
    InvalidPublish, Port, PortMapping, PortRange, Protocol, Publish, PublishFault,
};

/// Implements text conversions and serde for a checked wrapper around text.
macro_rules! text_value {
    ($type:ty, $error:ty) => {
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl std::str::FromStr for $type {
            type Err = $error;
            fn from_str(text: &str) -> Result<Self, $error> {
                Self::new(text)
            }
        }
        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use text_value;
