//! What the plugin says of Docker's keys, word by word: people search for these lines.

use cni::{Call, Config, Environment, InProcess, Registry};

use super::read;

/// What is said of a network with these keys.
fn refusal(keys: &str) -> String {
    let text = format!(r#"{{"name": "n", {keys}}}"#);
    let config = Config::parse(text.into_bytes()).unwrap();
    let call = Call::new(config, Environment::default(), Registry::new(&[], InProcess::Never));
    let text = read(&call).err().unwrap().to_string();
    text.strip_prefix("invalid network configuration: ").unwrap_or(&text).to_owned()
}

#[test]
fn each_of_dockers_keys_that_cannot_work_is_named_with_its_value_and_what_was_expected() {
    let said: Vec<String> = [
        r#""bip": """#,
        r#""bip": "192.168.1.5""#,
        r#""bip": "192.168.1.5/255.255.255.0""#,
        r#""bip": "192.168.1.5/+24""#,
        r#""bip": "fd00::1/64""#,
        r#""bip": "192.168.1.0/24""#,
        r#""bip": "192.168.1.255/24""#,
        r#""bip": "192.168.1.5/31""#,
        r#""bip": "192.168.1.5/24", "fixed-cidr": "192.168.1.128""#,
        r#""bip": "192.168.1.5/24", "fixed-cidr": "10.20.0.0/16""#,
        r#""bip": "192.168.1.5/24", "fixed-cidr": "192.168.0.0/16""#,
        r#""bip": "192.168.1.5/24", "fixed-cidr": "fd00::/64""#,
        r#""bip": "192.168.1.5/24", "default-gateway": "10.20.1.1""#,
        r#""bip": "192.168.1.5/24", "default-gateway": "192.168.1.255""#,
        r#""bip": "192.168.1.5/24", "default-gateway": "fd00::1""#,
        r#""fixed-cidr": "172.30.0.0""#,
        r#""fixed-cidr": "fd00::/64""#,
        r#""fixed-cidr": "172.30.0.4/31""#,
        r#""fixed-cidr": "172.30.0.0/16", "default-gateway": "172.31.0.1""#,
        r#""fixed-cidr-v6": "172.30.0.0/16""#,
        r#""fixed-cidr-v6": "fd00::""#,
        r#""fixed-cidr-v6": "fd00::/127""#,
        r#""fixed-cidr-v6": "2001:db8::/64", "default-gateway-v6": "2001:db8:abcd::89""#,
        r#""default-gateway": "10.20.1.1""#,
        r#""default-gateway-v6": "fd00::1""#,
        r#""bip": "192.168.1.5/24", "ipam": {"type": "static"}"#,
    ]
    .map(refusal)
    .into();
    assert_eq!(said.join("\n"), include_str!("said_of_dockers_keys.txt").trim_end());
}
