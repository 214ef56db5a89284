use super::*;

#[test]
fn a_config_is_read_as_it_was_written() {
    let text = include_str!("../tests/config.json");
    let spec: Spec = serde_json::from_str(text).unwrap();
    assert_eq!(spec.linux.namespaces.len(), 3);
    assert_eq!(spec.linux.namespaces[1].path.as_deref(), Some(std::path::Path::new("/proc/1/ns/net")));
    assert_eq!(spec.linux.resources.devices[1].kind, Some(DeviceKind::Character));
    let written: serde_json::Value = serde_json::to_value(&spec).unwrap();
    let read: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(written, read);
}
