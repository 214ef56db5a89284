//! Renders a tree with a value.

use crate::ast::{Bind, Branches, Command, Field, Head, Node, Operand, Pipe, Range, Root};
use crate::budget::Budget;
use crate::datum::{Datum, Missing};
use crate::error::{Error, Position};
use crate::functions::{Refusal, Run};
use crate::print::Writer;
use serde_json::Value;

pub(crate) fn render<'a>(
    nodes: &'a [Node],
    value: &'a Value,
    budget: &'a mut Budget,
) -> Result<String, Error> {
    let dot = Datum::borrowed(value);
    let variables = vec![("$", dot.clone())];
    let mut render = Render { variables, budget, text: String::new(), at: Position::START };
    render.list(nodes, &dot)?;
    Ok(render.text)
}

/// What is borrowed is the template's or the value's, and both live as long.
struct Render<'a> {
    /// Those that can be seen here, innermost last.
    variables: Vec<(&'a str, Datum<'a>)>,
    budget: &'a mut Budget,
    text: String,
    /// The action that is rendered, for limits that are reached between actions.
    at: Position,
}

impl<'a> Render<'a> {
    fn list(&mut self, nodes: &'a [Node], dot: &Datum<'a>) -> Result<(), Error> {
        let seen_before = self.variables.len();
        for node in nodes {
            self.budget.step().map_err(|refusal| refusal.at(self.at, "text"))?;
            match node {
                Node::Text(text) => self.write(|writer| writer.push(text))?,
                Node::Action(pipe) => {
                    let value = self.pipe(pipe, dot)?;
                    if pipe.bind.is_none() {
                        self.write(|writer| writer.push_printed(&value))?;
                    }
                }
                Node::If(branches) => self.branches(branches, dot, false)?,
                Node::With(branches) => self.branches(branches, dot, true)?,
                Node::Range(range) => self.range(range, dot)?,
            }
        }
        self.variables.truncate(seen_before);
        Ok(())
    }

    fn write(&mut self, write: impl FnOnce(&mut Writer<'_>) -> Result<(), Refusal>) -> Result<(), Error> {
        let at = self.at;
        write(&mut Writer::new(&mut self.text, self.budget)).map_err(|refusal| refusal.at(at, "text"))
    }

    /// `if` and `with`, of which the latter moves the dot.
    fn branches(&mut self, branches: &'a Branches, dot: &Datum<'a>, moves: bool) -> Result<(), Error> {
        let seen_before = self.variables.len();
        for (pipe, body) in &branches.arms {
            let value = self.pipe(pipe, dot)?;
            if value.is_true() {
                self.list(body, if moves { &value } else { dot })?;
                self.variables.truncate(seen_before);
                return Ok(());
            }
        }
        self.list(&branches.otherwise, dot)?;
        self.variables.truncate(seen_before);
        Ok(())
    }

    fn range(&mut self, range: &'a Range, dot: &Datum<'a>) -> Result<(), Error> {
        let pairs = self.pipe(&range.pipe, dot)?.pairs();
        let pairs = pairs.map_err(|refusal| refusal.at(range.pipe.at, "range"))?;
        if pairs.is_empty() {
            return self.list(&range.otherwise, dot);
        }
        let seen_before = self.variables.len();
        for (key, item) in pairs {
            self.budget.step().map_err(|refusal| refusal.at(range.pipe.at, "range"))?;
            self.variables.extend(range.key.as_deref().map(|name| (name, key)));
            self.variables.extend(range.item.as_deref().map(|name| (name, item.clone())));
            self.list(&range.body, &item)?;
            self.variables.truncate(seen_before);
        }
        Ok(())
    }

    fn pipe(&mut self, pipe: &'a Pipe, dot: &Datum<'a>) -> Result<Datum<'a>, Error> {
        let mut value = None;
        for command in &pipe.commands {
            value = Some(self.command(command, value, dot)?);
        }
        let value = value.unwrap_or_else(Datum::null);
        match &pipe.bind {
            Some(Bind::Declare(name)) => self.variables.push((name, value.clone())),
            Some(bind @ Bind::Assign(_)) => *self.variable(pipe.at, bind.name())? = value.clone(),
            None => {}
        }
        Ok(value)
    }

    fn command(
        &mut self,
        command: &'a Command,
        piped: Option<Datum<'a>>,
        dot: &Datum<'a>,
    ) -> Result<Datum<'a>, Error> {
        self.at = command.at;
        let function = match &command.head {
            Head::Operand(operand) if command.arguments.is_empty() && piped.is_none() => {
                return self.operand(operand, dot);
            }
            Head::Operand(operand) => return self.called_field(operand, command, piped, dot),
            Head::Function(function) => *function,
        };
        let refused = |refusal: Refusal| refusal.at(command.at, function.name);
        self.budget.step().map_err(refused)?;
        match function.run {
            Run::Eager(run) => {
                let arguments = self.arguments(command, piped, dot)?;
                self.at = command.at;
                run(&arguments, self.budget).map_err(refused)
            }
            Run::UntilTruth(wanted) => self.until(wanted, command, piped, dot),
        }
    }

    fn arguments(
        &mut self,
        command: &'a Command,
        piped: Option<Datum<'a>>,
        dot: &Datum<'a>,
    ) -> Result<Vec<Datum<'a>>, Error> {
        let mut arguments = Vec::with_capacity(command.arguments.len() + 1);
        for operand in &command.arguments {
            arguments.push(self.operand(operand, dot)?);
        }
        arguments.extend(piped);
        Ok(arguments)
    }

    /// `and` and `or`: the first argument that decides, or the last one. Those after it are not looked at.
    fn until(
        &mut self,
        wanted: bool,
        command: &'a Command,
        piped: Option<Datum<'a>>,
        dot: &Datum<'a>,
    ) -> Result<Datum<'a>, Error> {
        let mut last = Datum::null();
        for operand in &command.arguments {
            last = self.operand(operand, dot)?;
            if last.is_true() == wanted {
                return Ok(last);
            }
        }
        Ok(piped.unwrap_or(last))
    }

    /// `.Label "tier"`: the entry of an object.
    fn called_field(
        &mut self,
        operand: &'a Operand,
        command: &'a Command,
        piped: Option<Datum<'a>>,
        dot: &Datum<'a>,
    ) -> Result<Datum<'a>, Error> {
        let object = self.operand(operand, dot)?;
        let arguments = self.arguments(command, piped, dot)?;
        let key = match &arguments[..] {
            [key] if object.is_object() || object.is_null() => key.as_str(),
            _ => None,
        };
        let Some(key) = key else {
            return Err(Error::NotAFunction { at: command.at, text: operand.text(operand.fields.len()) });
        };
        object.entry(key).map_err(|refusal| refusal.at(command.at, "index"))
    }

    /// The innermost of that name.
    fn variable(&mut self, at: Position, name: &str) -> Result<&mut Datum<'a>, Error> {
        let Some(place) = self.variables.iter().rposition(|(known, _)| *known == name) else {
            // The parser has seen that it is there.
            return Err(Error::NoVariable { at, name: name.to_owned(), known: Vec::new() });
        };
        let passed = self.variables.len() - place;
        self.budget.steps(passed).map_err(|refusal| refusal.at(at, "text"))?;
        Ok(&mut self.variables[place].1)
    }

    fn operand(&mut self, operand: &'a Operand, dot: &Datum<'a>) -> Result<Datum<'a>, Error> {
        self.budget.step().map_err(|refusal| refusal.at(operand.at, "text"))?;
        let root = match &operand.root {
            Root::Dot => dot.clone(),
            Root::Variable(name) => self.variable(operand.at, name)?.clone(),
            Root::Literal(value) => Datum::borrowed(value),
            Root::Pipe(pipe) => self.pipe(pipe, dot)?,
        };
        operand.fields.iter().enumerate().try_fold(root, |value, (depth, Field { at, name })| {
            value.field(name).map_err(|missing| {
                let (at, field, parent) = (*at, name.clone(), operand.text(depth));
                match missing {
                    Missing::Among(known) => Error::NoField { at, field, parent, known },
                    Missing::NoObject(found) => Error::NoObject { at, field, parent, found },
                }
            })
        })
    }
}
