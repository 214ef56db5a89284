//! The first line of a table: each action says what it would show.

use crate::ast::{Bind, Command, Head, Node, Operand, Pipe, Root};
use crate::budget::Budget;
use crate::error::Error;
use crate::eval;
use serde_json::Value;
use std::slice;

/// The line for `nodes`. Where `titles` has a name for a field, that is its title.
///
/// An action stands for the first field that it names, whatever functions do with it; a block for the one that it asks.
/// What has literals only is rendered, for some write their tabs as `{{"\t"}}`.
pub(crate) fn header(nodes: &[Node], titles: &[(&str, &str)], budget: &mut Budget) -> Result<String, Error> {
    let mut header = Header { titles, variables: Vec::new(), budget };
    nodes.iter().map(|node| header.node(node)).collect()
}

struct Header<'t> {
    titles: &'t [(&'t str, &'t str)],
    variables: Vec<(&'t str, String)>,
    budget: &'t mut Budget,
}

impl<'t> Header<'t> {
    fn node(&mut self, node: &'t Node) -> Result<String, Error> {
        let pipe = match node {
            Node::Text(text) => return Ok(text.clone()),
            Node::Action(pipe) if pipe.bind.is_none() && is_constant(pipe) => {
                return eval::render(slice::from_ref(node), &Value::Null, self.budget);
            }
            Node::Action(pipe) => Some(pipe),
            Node::If(branches) | Node::With(branches) => branches.arms.first().map(|(pipe, _)| pipe),
            Node::Range(range) => Some(&range.pipe),
        };
        let title = pipe.and_then(|pipe| self.pipe(pipe)).unwrap_or_default();
        match pipe.and_then(|pipe| pipe.bind.as_ref()) {
            Some(Bind::Declare(name) | Bind::Assign(name)) if matches!(node, Node::Action(_)) => {
                self.variables.push((name, title));
                Ok(String::new())
            }
            _ => Ok(title),
        }
    }

    fn pipe(&self, pipe: &Pipe) -> Option<String> {
        pipe.commands.iter().find_map(|command| self.command(command))
    }

    fn command(&self, command: &Command) -> Option<String> {
        if let (Head::Operand(operand), [argument]) = (&command.head, &command.arguments[..])
            && let (false, Root::Literal(Value::String(key))) = (operand.fields.is_empty(), &argument.root)
        {
            return Some(label(key));
        }
        let head = match &command.head {
            Head::Function(_) => None,
            Head::Operand(operand) => Some(operand),
        };
        head.into_iter().chain(&command.arguments).find_map(|operand| self.operand(operand))
    }

    fn operand(&self, operand: &Operand) -> Option<String> {
        match (&operand.root, &operand.fields[..]) {
            (Root::Dot, [field]) => {
                let named = self.titles.iter().find(|(name, _)| *name == field.name);
                Some(named.map_or_else(|| words(&field.name), |(_, title)| (*title).to_owned()))
            }
            (_, [.., field]) => Some(words(&field.name)),
            (Root::Pipe(pipe), []) => self.pipe(pipe),
            (Root::Variable(name), []) => {
                let known = self.variables.iter().rev().find(|(known, _)| known == name);
                known.map(|(_, title)| title.clone())
            }
            (Root::Dot | Root::Literal(_), []) => None,
        }
    }
}

fn is_constant(pipe: &Pipe) -> bool {
    pipe.commands.iter().all(|command| {
        let head = match &command.head {
            Head::Function(_) => None,
            Head::Operand(operand) => Some(operand),
        };
        head.into_iter().chain(&command.arguments).all(|operand| match &operand.root {
            Root::Literal(_) => true,
            Root::Pipe(pipe) => operand.fields.is_empty() && is_constant(pipe),
            Root::Dot | Root::Variable(_) => false,
        })
    })
}

/// `com.example.some-label` is `some label`, as Docker has it.
fn label(key: &str) -> String {
    let last = key.rsplit('.').next().unwrap_or(key);
    last.replace(['-', '_'], " ")
}

/// `CreatedAt` is `CREATED AT`. Capitals that follow each other are one word, up to the last of them where at least
/// two small letters come after it: `IPAMDriver` is two words, `PIDs` and `IPv6` are one.
fn words(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let is = |at: usize, test: fn(&char) -> bool| characters.get(at).is_some_and(test);
    let is_upper = |at| is(at, |c| c.is_uppercase());
    let is_lower = |at| is(at, |c| c.is_lowercase());
    let mut words = String::new();
    for (at, character) in characters.iter().enumerate() {
        let after_small = at > 0 && !is_upper(at - 1) && characters[at - 1] != '_';
        let after_capitals =
            at > 1 && is_upper(at - 1) && is_upper(at - 2) && is_lower(at + 1) && is_lower(at + 2);
        if is_upper(at) && (after_small || after_capitals) {
            words.push(' ');
        }
        words.extend(character.to_uppercase());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_into_words() {
        for (name, title) in [
            ("ID", "ID"),
            ("Name", "NAME"),
            ("CreatedAt", "CREATED AT"),
            ("RunningFor", "RUNNING FOR"),
            ("IPv6", "IPV6"),
            ("IPv4Address", "IPV4 ADDRESS"),
            ("GlobalIPv6Address", "GLOBAL IPV6 ADDRESS"),
            ("IPAMDriver", "IPAM DRIVER"),
            ("EndpointID", "ENDPOINT ID"),
            ("PIDs", "PIDS"),
            ("LinkLocalIPs", "LINK LOCAL IPS"),
            ("name", "NAME"),
        ] {
            assert_eq!(words(name), title);
        }
    }
}
