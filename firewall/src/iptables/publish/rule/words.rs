//! Rules in the words of `iptables-save`.

use vocab::Protocol;

use super::Rule;

impl Rule {
    /// Reads the words that follow `-A CHAIN`.
    pub(crate) fn from_words(words: &[String]) -> Self {
        let mut rule = Self::default();
        let mut words = words.iter().map(String::as_str);
        let mut is_negated = false;
        while let Some(word) = words.next() {
            if word == "!" {
                is_negated = true;
            } else if std::mem::take(&mut is_negated) {
                // All but these: nothing that could be told by a value.
                let _value = words.next();
            } else {
                rule.read(word, &mut words);
            }
        }
        rule
    }

    fn read<'a>(&mut self, option: &str, values: &mut impl Iterator<Item = &'a str>) {
        match option {
            "-j" | "-g" => match values.next() {
                Some("DNAT") => self.translates = true,
                target => self.jump = target.map(str::to_owned),
            },
            "-p" => self.protocol = values.next().and_then(protocol),
            "-d" => self.destination = values.next().and_then(host),
            "--dport" | "--dports" | "--ports" => {
                let ranges = values.next().unwrap_or_default().split(',');
                self.ports.extend(ranges.filter_map(|range| {
                    let (first, last) = range.split_once(':').unwrap_or((range, range));
                    Some(first.parse().ok()?..=last.parse().ok()?)
                }));
            }
            "--comment" => self.comment = values.next().map(str::to_owned),
            "--mark" | "--set-xmark" => self.marks.extend(values.next().and_then(mark)),
            _ => {}
        }
    }
}

fn protocol(text: &str) -> Option<Protocol> {
    let number = text.parse().ok().and_then(Protocol::from_number);
    text.parse().ok().or(number)
}

fn host(text: &str) -> Option<std::net::IpAddr> {
    let (address, prefix) = text.split_once('/')?;
    let address: std::net::IpAddr = address.parse().ok()?;
    let is_whole = prefix == if address.is_ipv4() { "32" } else { "128" };
    is_whole.then_some(address)
}

fn mark(text: &str) -> Option<u32> {
    let (mark, _mask) = text.split_once('/').unwrap_or((text, ""));
    u32::from_str_radix(mark.strip_prefix("0x")?, 16).ok()
}

/// The words of a line, without the quotes and backslashes that iptables needs to tell them apart.
pub(crate) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut is_quoted = false;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                is_quoted = !is_quoted;
                let _begun = word.get_or_insert_default();
            }
            '\\' if is_quoted => word.get_or_insert_default().extend(characters.next()),
            ' ' if !is_quoted => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(line: &str) -> Rule {
        Rule::from_words(&words(line))
    }

    #[test]
    fn words_are_told_apart_as_iptables_writes_them() {
        let line = r#"-A X -m comment --comment "name: \"a b\" \\ \'" --comment "" -j Y"#;
        let comment = r#"name: "a b" \ '"#;
        assert_eq!(
            words(line),
            ["-A", "X", "-m", "comment", "--comment", comment, "--comment", "", "-j", "Y"]
        );
        assert_eq!(words(""), Vec::<String>::new());
    }

    #[test]
    fn an_entry_tells_its_ports_and_owner() {
        let entry = rule(
            r#"! -d 192.0.2.0/24 -p tcp -m comment --comment "dnat name: \"mynet\" id: \"abc\"" -m multiport --dports 80,90:99 -j CNI-DN-1"#,
        );
        assert_eq!(entry.comment.as_deref(), Some(r#"dnat name: "mynet" id: "abc""#));
        assert!(entry.leads_to("CNI-DN-1") && !entry.leads_to("CNI-DN-2"));
        assert!(entry.is_for(Protocol::Tcp, 80) && entry.is_for(Protocol::Tcp, 95));
        assert!(!entry.is_for(Protocol::Tcp, 81) && !entry.is_for(Protocol::Udp, 80));
        assert_eq!(entry.destination, None, "all but some is not one");
    }

    #[test]
    fn a_translation_tells_its_address() {
        let rule = rule("-d 127.0.0.1/32 -p udp -m udp --dport 53 -j DNAT --to-destination 10.22.0.5:53");
        assert!(rule.translates && rule.jump.is_none());
        assert!(rule.is_at(None) && rule.is_at(Some([127, 0, 0, 1].into())));
        assert!(!rule.is_at(Some([192, 0, 2, 1].into())));
    }

    #[test]
    fn marks_are_those_looked_for_and_those_set() {
        assert_eq!(rule("-m mark --mark 0x2000/0x2000 -j MASQUERADE").marks, [0x2000]);
        assert_eq!(rule("-j MARK --set-xmark 0x80000000/0x80000000").marks, [0x8000_0000]);
    }
}
