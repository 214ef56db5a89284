//! What people are told beside the data: facts that they would otherwise find out too late.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;

use catalog::{Catalog, Network};
use sha2::{Digest, Sha256};

use crate::report;

/// What was told since the host was started is in this file of the run directory: a mark for each.
const TOLD: &str = "told";

/// Names the keys of daemon.json that mean nothing here: once for each content of the file, until the host is restarted.
pub(super) fn tell_of_ignored_keys(catalog: &Catalog) {
    // Whatever is wrong with the file has been told by whoever needed it.
    let Ok(daemon) = catalog.daemon() else { return };
    if daemon.ignored.is_empty() {
        return;
    }
    let file = catalog.places().daemon.display();
    let text = format!("{file}: ignored, for they say nothing of networks: {}", daemon.ignored.join(", "));
    if is_new(catalog, &text) {
        report::note(text);
    }
}

/// Says that daemon.json has changed, and who has to leave before that counts.
pub(super) fn tell_of_outdated(catalog: &Catalog, network: &Network) {
    if !network.is_outdated {
        return;
    }
    let members = catalog.members(network).unwrap_or_default();
    let standing = members.iter().filter(|member| member.is_standing).map(|member| member.label().to_owned());
    let file = catalog.places().daemon.display();
    report::note(format!(
        "network {} stays as it was when its containers came; what {file} says by now counts when they are gone: {}",
        network.name(),
        standing.collect::<Vec<_>>().join(", ")
    ));
}

/// Says which settings of the host were switched on: they stay on.
pub(super) fn tell_of_forwarding(network: &Network, switched_on: &[&'static str]) {
    if switched_on.is_empty() {
        return;
    }
    report::note(format!(
        "switched on {}: this host now forwards packets, which network {} needs to reach others; it stays on (`netctl create --no-forward` makes networks that leave it alone)",
        switched_on.join(" and "),
        network.name()
    ));
}

/// Whether a text was not told yet. Where that cannot be written down, it is told once more.
fn is_new(catalog: &Catalog, text: &str) -> bool {
    let folder = &catalog.places().run_dir;
    let file = folder.join(TOLD);
    let digest = Sha256::digest(text.as_bytes());
    let mark: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let told = fs::read_to_string(&file).unwrap_or_default();
    if told.lines().any(|line| line == mark) {
        return false;
    }
    let created = DirBuilder::new().recursive(true).mode(0o755).create(folder);
    let _ = created.and_then(|()| fs::write(&file, format!("{told}{mark}\n")));
    true
}
