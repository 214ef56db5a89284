use std::error::Error;

use super::*;

fn read(text: &str) -> Publish {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The whole chain of causes.
fn refused(text: &str) -> String {
    let error = text.parse::<Publish>().expect_err(text);
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words += &format!(": {cause}");
        source = cause.source();
    }
    words
}

#[test]
fn every_form_of_docker_s_is_read() {
    let forms = [
        ("1232", "1232/tcp"),
        (":1232", "1232/tcp"),
        ("0:1232", "1232/tcp"),
        ("111:1232", "111:1232/tcp"),
        ("111:1232/TCP", "111:1232/tcp"),
        ("111:1232/udp", "111:1232/udp"),
        ("111:1232/sctp", "111:1232/sctp"),
        ("0.0.0.0:111:1232", "0.0.0.0:111:1232/tcp"),
        ("127.0.0.1::1232", "127.0.0.1::1232/tcp"),
        ("127.0.0.1:0:1232", "127.0.0.1::1232/tcp"),
        ("127.0.0.1:111:1232", "127.0.0.1:111:1232/tcp"),
        ("[::1]:111:1232", "[::1]:111:1232/tcp"),
        ("[::1]::1232", "[::1]::1232/tcp"),
        ("[::]:111:1232", "[::]:111:1232/tcp"),
        ("::1:111:1232", "[::1]:111:1232/tcp"),
        ("fd00::5:111:1232", "[fd00::5]:111:1232/tcp"),
        ("8000-8010:80-90", "8000-8010:80-90/tcp"),
        ("8000-8010:80", "8000-8010:80/tcp"),
        ("10.0.0.1:8000-8010:80/udp", "10.0.0.1:8000-8010:80/udp"),
        ("9000-9003", "9000-9003/tcp"),
    ];
    for (text, written) in forms {
        let publish = read(text);
        assert_eq!(publish.to_string(), written, "{text}");
        assert_eq!(read(written), publish, "{written}");
    }
}

#[test]
fn what_is_left_open_is_told_from_what_is_settled() {
    assert_eq!(read("9000-9003").host_ports, HostPorts::Free);
    assert_eq!(read("8000-8010:80").host_ports, HostPorts::OneOf("8000-8010".parse().unwrap()));
    assert_eq!(read("8000-8010:80").settled(), None);
    let mappings = read("127.0.0.1:8000-8001:80-81/udp").settled().unwrap();
    let mappings: Vec<_> = mappings.iter().map(ToString::to_string).collect();
    assert_eq!(mappings, ["127.0.0.1:8000:80/udp", "127.0.0.1:8001:81/udp"]);
}

#[test]
fn all_addresses_are_not_all_ipv4_addresses() {
    assert_eq!(read("111:1232").host_address, HostAddress::Any);
    assert_eq!(read("0.0.0.0:111:1232").host_address, HostAddress::AnyV4);
    assert_eq!(read("[::]:111:1232").host_address, HostAddress::AnyV6);
}

#[test]
fn a_refusal_names_the_text_the_part_and_what_was_expected() {
    let refusals = [
        ("", "no container port: expected [[ADDRESS:]HOST-PORT:]CONTAINER-PORT"),
        ("111:", "no container port"),
        ("70000:80", "host port: invalid port \"70000\": expected a number from 1 to 65535"),
        ("abc:80", "host port: invalid port \"abc\""),
        ("10-5:80", "invalid range of ports \"10-5\": expected the lower number first"),
        ("80:70000", "container port: invalid port \"70000\""),
        ("111:0", "container port: invalid port \"0\""),
        ("300.0.0.1:1:80", "invalid host address \"300.0.0.1\""),
        ("localhost:1:80", "invalid host address \"localhost\""),
        ("eth0:1:80", "invalid host address \"eth0\""),
        ("80/icmp", "invalid protocol \"icmp\": expected tcp, udp or sctp"),
        ("80/", "invalid protocol \"\""),
        ("80/tcp/udp", "invalid protocol \"tcp/udp\""),
        ("8000:9000-9001", "8000 are 1 host ports and 9000-9001 are 2 container ports"),
        ("8000-8002:9000-9001", "8000-8002 are 3 host ports"),
        ("127.0.0.1:80", "expected 127.0.0.1:HOST-PORT:80, or 127.0.0.1::80 for a free port"),
        ("[::1]:80", "expected [::1]:HOST-PORT:80, or [::1]::80"),
        ("[::1:1:80", "invalid host address \"[::1\""),
        ("80:80:80:80", "invalid host address \"80:80\""),
        ("80 ", "container port: invalid port \"80 \""),
        ("1-2-3:80", "host port"),
    ];
    for (text, words) in refusals {
        let told = refused(text);
        assert!(told.starts_with(&format!("publish {text:?}: ")) && told.contains(words), "{text:?}: {told}");
    }
}

#[test]
fn no_text_makes_it_panic() {
    let pieces = ["", ":", "::", "[", "]", "1", "65536", "-", "/", "tcp", ".", "é", "0", "127.0.0.1"];
    for first in pieces {
        for second in pieces {
            for third in pieces {
                for fourth in pieces {
                    let text = [first, second, third, fourth].concat();
                    if let Ok(publish) = text.parse::<Publish>() {
                        assert_eq!(publish.to_string().parse::<Publish>(), Ok(publish), "{text:?}");
                    }
                }
            }
        }
    }
}
