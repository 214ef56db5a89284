//! Which connections are forgotten, decided without a kernel.

use netlink_packet_core::{DefaultNla, Emitable, NLA_F_NESTED};

use super::*;

fn nest(kind: u16, inside: &[DefaultNla]) -> DefaultNla {
    let mut value = vec![0; inside.buffer_len()];
    inside.emit(&mut value);
    DefaultNla::new(kind | NLA_F_NESTED, value)
}

fn tuple(kind: u16, from: &str, to: &str) -> DefaultNla {
    let [from, to]: [SocketAddr; 2] = [from, to].map(|text| text.parse().unwrap());
    let (addresses, first) = match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => ([from.octets().to_vec(), to.octets().to_vec()], 1),
        (IpAddr::V6(from), IpAddr::V6(to)) => ([from.octets().to_vec(), to.octets().to_vec()], 3),
        _ => panic!("two families"),
    };
    let ip: Vec<_> = (first..).zip(addresses).map(|(kind, value)| DefaultNla::new(kind, value)).collect();
    let mut protocol = vec![DefaultNla::new(1, vec![17])];
    protocol.extend(
        (2..).zip([from, to]).map(|(kind, end)| DefaultNla::new(kind, end.port().to_be_bytes().to_vec())),
    );
    nest(kind, &[nest(1, &ip), nest(2, &protocol)])
}

/// A connection from `client` to `destination` which `server` answers.
fn connection(client: &str, destination: &str, server: &str) -> Connection {
    let id = DefaultNla::new(12, vec![1, 2, 3, 4]);
    let attributes = [tuple(1, client, destination), tuple(2, server, client), id];
    let mut bytes = vec![0; attributes.as_slice().buffer_len()];
    attributes.as_slice().emit(&mut bytes);
    Connection::read(&bytes).unwrap()
}

fn flow(host: &str, target: Option<&str>) -> Flow {
    Flow {
        protocol: Protocol::Udp,
        host_address: host.parse().unwrap(),
        host_port: Port::new(53).unwrap(),
        target: target.map(|target| target.parse().unwrap()),
    }
}

fn dooms(flows: &[Flow], connection: &Connection, doomed: Doomed) -> bool {
    // Whatever needs a look at the host's routes is tested with a host.
    Index::new(flows).dooms(connection, doomed, &mut LocalAddresses::default()).unwrap()
}

#[test]
fn a_connection_is_told_by_both_of_its_tuples() {
    let led = connection("10.0.0.2:4000", "10.0.0.1:53", "10.22.0.11:5353");
    assert!(led.leads_to("10.22.0.11:5353".parse().unwrap()) && led.is_redirected());
    assert!(!led.leads_to("10.22.0.11:53".parse().unwrap()));
    assert!(!connection("[fd99::2]:4000", "[fd22::11]:53", "[fd22::11]:53").is_redirected());
    assert_eq!(Connection::read(&[]), None);
}

#[test]
fn what_leads_to_the_target_stays_when_it_is_published_and_goes_with_it() {
    let flows = [flow("10.0.0.1", Some("10.22.0.11:53"))];
    let right = connection("10.0.0.2:4000", "10.0.0.1:53", "10.22.0.11:53");
    let stale = connection("10.0.0.2:4000", "10.0.0.1:53", "10.22.0.12:53");
    let other_port = connection("10.0.0.2:4000", "10.0.0.1:54", "10.22.0.12:53");
    let other_address = connection("10.0.0.2:4000", "10.0.0.9:53", "10.22.0.12:53");
    let seen = |doomed| [&right, &stale, &other_port, &other_address].map(|one| dooms(&flows, one, doomed));
    assert_eq!(seen(Doomed::Others), [false, true, false, false]);
    assert_eq!(seen(Doomed::Own), [true, false, false, false]);
}

#[test]
fn a_port_that_leads_to_two_families_keeps_both() {
    let flows = [flow("", Some("10.22.0.11:53")), flow("", Some("[fd22::11]:53"))];
    let v4 = connection("10.0.0.2:4000", "10.0.0.1:53", "10.22.0.11:53");
    let v6 = connection("[fd99::2]:4000", "[fd99::1]:53", "[fd22::11]:53");
    for right in [&v4, &v6] {
        assert!(!dooms(&flows, right, Doomed::Others));
        assert!(dooms(&flows, right, Doomed::Own));
        // A flow to one family says nothing about the other.
        let of_other = flows.map(|flow| dooms(&[flow], right, Doomed::Own));
        assert_eq!(of_other.iter().filter(|doomed| **doomed).count(), 1);
    }
}

#[test]
fn who_asks_the_container_itself_has_not_come_by_the_port() {
    let flows = [flow("", Some("10.22.0.11:53"))];
    let direct = connection("10.22.0.12:4000", "10.22.0.11:53", "10.22.0.11:53");
    assert!(!dooms(&flows, &direct, Doomed::Own));
    assert!(!dooms(&flows, &direct, Doomed::Others));
}
