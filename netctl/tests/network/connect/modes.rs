//! Networks `none` and `host`.

use crate::{Machine, Test};

#[test]
fn whoever_is_on_none_has_lo_and_is_on_no_other_network() -> Test {
    let machine = Machine::with("none", "blue")?;
    machine.ok("create web")?;
    machine.quietly("connect none blue")?;
    assert_eq!(machine.sh("ip -n blue -br link | cut -d' ' -f1")?, "lo\n");
    assert!(machine.sh("ip -n blue addr show lo")?.contains("inet 127.0.0.1/8"));
    assert_eq!(machine.inspect("none")?["Containers"]["blue"]["Interface"], "lo");
    let said = "error: cannot connect blue to network web: it is on network none, and whoever is on network none has \
        nothing but lo\nhint: `netctl disconnect none blue` first\n";
    machine.refuses("connect web blue", said);
    machine.refuses(
        "connect none blue",
        "error: blue is connected to network none already: blue (lo, 127.0.0.1, ::1)\n\
        hint: `netctl disconnect none blue` takes it away; --ifname NAME gives it a second interface there\n",
    );
    machine.quietly("disconnect none blue")?;
    machine.ok("connect web blue")?;
    machine.refuses(
        "connect none blue",
        "error: cannot connect blue to network none: it is on network web, and whoever is on network none has nothing \
        but lo\nhint: `netctl disconnect web blue` first\n",
    );
    machine.ok("disconnect web blue")?;
    machine.quietly("connect none blue")?;
    Ok(())
}

#[test]
fn nobody_can_be_connected_to_the_host() -> Test {
    let machine = Machine::with("host", "blue")?;
    let said =
        "error: cannot connect blue to network host: whoever is on it was made in the host's namespace\n";
    machine.refuses("connect host blue", said);
    machine.ok("connect bridge blue")?;
    machine.refuses("connect host blue", said);
    assert_eq!(machine.ok("ls -j -f name=host")?.matches("\"Containers\":0").count(), 1);
    Ok(())
}
