//! Facts out of lines of text: routes, queues, and the rules of both firewalls.

/// A line with its blanks made one each.
pub(super) fn words(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A route, without the state of its link and the time it has left.
pub(super) fn route(line: &str) -> String {
    let state = ["linkdown", "dead"];
    without(line, "expires")
        .split_whitespace()
        .filter(|word| !state.contains(word))
        .collect::<Vec<_>>()
        .join(" ")
}

/// A queueing discipline, without the number of those who hold it.
pub(super) fn qdisc(line: &str) -> String {
    without(line, "refcnt")
}

/// The lines of `iptables-save`, each with its table, without counters.
pub(super) fn iptables(program: &str, text: &str) -> Vec<String> {
    let mut table = "";
    let mut facts = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && *line != "COMMIT") {
        match line.strip_prefix('*') {
            Some(name) => table = name,
            None => {
                let rule = line.split(" [").next().filter(|_| line.starts_with(':')).unwrap_or(line);
                facts.push(format!("{program} {table} {rule}"));
            }
        }
    }
    facts
}

/// The lines of `nft list ruleset`, each with the blocks that it is in; an element of a set is a line.
///
/// An empty block is a fact, too: `table inet x`.
pub(super) fn nftables(text: &str) -> Vec<String> {
    let mut blocks: Vec<String> = Vec::new();
    let mut facts = Vec::new();
    let mut elements = false;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(list) = line.strip_prefix("elements = {") {
            elements = true;
            facts.extend(elements_of(list).map(|element| fact(&blocks, &format!("element {element}"))));
        } else if elements {
            facts.extend(elements_of(line).map(|element| fact(&blocks, &format!("element {element}"))));
        } else if let Some(block) = line.strip_suffix(" {") {
            blocks.push(block.to_owned());
            facts.push(fact(&blocks, ""));
            continue;
        } else if line == "}" {
            blocks.pop();
        } else {
            facts.push(fact(&blocks, line));
        }
        elements &= !ends_list(line);
    }
    facts
}

fn fact(blocks: &[String], line: &str) -> String {
    words(&format!("{} {}", blocks.join(" "), without(line, "expires")))
}

/// Elements are separated by commas, which may stand in comments, too.
fn elements_of(list: &str) -> impl Iterator<Item = String> {
    let mut quoted = false;
    let list = if ends_list(list) { list.trim_end().trim_end_matches('}') } else { list };
    let parts = list.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    parts.map(words).filter(|element| !element.is_empty()).collect::<Vec<_>>().into_iter()
}

fn ends_list(line: &str) -> bool {
    line.ends_with('}')
}

/// A line without the word `key` and the one that follows it.
fn without(line: &str, key: &str) -> String {
    let mut kept = Vec::new();
    let mut all = line.split_whitespace();
    while let Some(word) = all.next() {
        if word == key {
            all.next();
        } else {
            kept.push(word);
        }
    }
    kept.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_of_nftables_knows_where_it_is() {
        let text = r#"table inet x {
            set s {
                type ipv4_addr . inet_service
                elements = { 1.1.1.1 . 80 comment "a,b/{c}",
                             1.1.1.2 . 90 expires 5s }
            }
            chain c {
                ip saddr { 1.1.1.1, 1.1.1.2 } accept
            }
        }
        table ip empty {
        }"#;
        assert_eq!(
            nftables(text),
            [
                "table inet x",
                "table inet x set s",
                "table inet x set s type ipv4_addr . inet_service",
                r#"table inet x set s element 1.1.1.1 . 80 comment "a,b/{c}""#,
                "table inet x set s element 1.1.1.2 . 90",
                "table inet x chain c",
                "table inet x chain c ip saddr { 1.1.1.1, 1.1.1.2 } accept",
                "table ip empty",
            ]
        );
    }

    #[test]
    fn a_rule_of_iptables_knows_its_table_and_has_no_counters() {
        let text = "# by\n*nat\n:INPUT ACCEPT [7:8]\n-A INPUT -j RETURN\nCOMMIT\n";
        assert_eq!(
            iptables("iptables", text),
            ["iptables nat :INPUT ACCEPT", "iptables nat -A INPUT -j RETURN"]
        );
    }

    #[test]
    fn a_route_does_not_age() {
        assert_eq!(
            route("10.1.0.0/24 dev br0 expires 7sec scope link linkdown "),
            "10.1.0.0/24 dev br0 scope link"
        );
    }
}
