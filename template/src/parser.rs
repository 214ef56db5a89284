//! Makes a tree of words, and checks what can be checked without a value: blocks, functions, their arguments,
//! variables.

use crate::ast::{Bind, Branches, Command, Field, Head, Node, Operand, Pipe, Range, Root};
use crate::error::{Error, Position};
use crate::functions::{self, Function};
use crate::lexer::{Lexeme, Token};
use serde_json::Value;

/// How deep blocks and parentheses may stand in each other.
pub const MAX_DEPTH: usize = 64;

const OPERAND: &str = "a field, variable, text, number or parenthesis";

pub(crate) fn parse(lexemes: &[Lexeme<'_>]) -> Result<Vec<Node>, Error> {
    let mut parser = Parser { lexemes, next: 0, variables: vec!["$".to_owned()], depth: 0 };
    let (nodes, stop) = parser.list()?;
    match stop {
        Stop::Text => Ok(nodes),
        Stop::End(at) => Err(Error::Syntax { at, found: "{{end}}".to_owned(), expected: "nothing to end" }),
        Stop::Else(at) => Err(Error::Syntax { at, found: "{{else}}".to_owned(), expected: "an open {{if}}" }),
    }
}

struct Parser<'l, 't> {
    lexemes: &'l [Lexeme<'t>],
    next: usize,
    /// Those that can be seen here, innermost last.
    variables: Vec<String>,
    depth: usize,
}

/// What a list of nodes ends at.
enum Stop {
    /// The whole text is over.
    Text,
    End(Position),
    /// `{{else`, whose rest is still to be read.
    Else(Position),
}

impl<'l, 't> Parser<'l, 't> {
    /// The last lexeme is the end and stays there to be seen: nothing reads past it.
    fn peek(&self) -> &'l Lexeme<'t> {
        &self.lexemes[self.next.min(self.lexemes.len() - 1)]
    }

    fn take(&mut self) -> &'l Lexeme<'t> {
        let lexeme = self.peek();
        self.next += 1;
        lexeme
    }

    fn take_if(&mut self, token: &Token<'_>) -> bool {
        let is_there = self.peek().token == *token;
        self.next += usize::from(is_there);
        is_there
    }

    fn unexpected(&self, expected: &'static str) -> Error {
        let Lexeme { at, token, raw, .. } = self.peek();
        let found = match token {
            Token::End => "the end".to_owned(),
            _ => (*raw).to_owned(),
        };
        Error::Syntax { at: *at, found, expected }
    }

    fn expect(&mut self, token: &Token<'_>, expected: &'static str) -> Result<(), Error> {
        if self.take_if(token) { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    /// Reads something that may contain the like of itself.
    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.depth == MAX_DEPTH {
            return Err(Error::TooDeep { at: self.peek().at });
        }
        self.depth += 1;
        let read = read(self);
        self.depth -= 1;
        read
    }

    /// Nodes, and what they end at. Their variables end with them.
    fn list(&mut self) -> Result<(Vec<Node>, Stop), Error> {
        let seen_before = self.variables.len();
        let mut nodes = Vec::new();
        let stop = loop {
            let Lexeme { at, token, .. } = self.take();
            match token {
                Token::Text(text) => nodes.push(Node::Text(text.clone())),
                Token::Open if self.take_if(&Token::Word("else")) => break Stop::Else(*at),
                Token::Open if self.take_if(&Token::Word("end")) => {
                    self.expect(&Token::Close, "}}")?;
                    break Stop::End(*at);
                }
                Token::Open => nodes.push(self.action(*at)?),
                _ => break Stop::Text,
            }
        };
        self.variables.truncate(seen_before);
        Ok((nodes, stop))
    }

    fn action(&mut self, at: Position) -> Result<Node, Error> {
        let Token::Word(word) = self.peek().token else {
            return Ok(Node::Action(self.closed_pipe()?));
        };
        match word {
            "if" => self.branches(at, "if").map(Node::If),
            "with" => self.branches(at, "with").map(Node::With),
            "range" => self.range(at).map(Node::Range),
            "define" | "template" | "block" | "break" | "continue" => {
                Err(Error::Unsupported { at, word: word.to_owned() })
            }
            _ => Ok(Node::Action(self.closed_pipe()?)),
        }
    }

    fn closed_pipe(&mut self) -> Result<Pipe, Error> {
        let bind = self.bind()?;
        let pipe = self.pipe(bind)?;
        self.expect(&Token::Close, "| or }}")?;
        Ok(pipe)
    }

    /// `if` and `with`, up to their end; the word is still to be read.
    fn branches(&mut self, opened: Position, word: &'static str) -> Result<Branches, Error> {
        let seen_before = self.variables.len();
        let mut arms = Vec::new();
        let mut otherwise = Vec::new();
        loop {
            self.take();
            let pipe = self.closed_pipe()?;
            let (body, stop) = self.nested(Self::list)?;
            arms.push((pipe, body));
            match stop {
                Stop::Else(_) if self.peek().token == Token::Word(word) => {}
                Stop::Else(_) => {
                    otherwise = self.otherwise(opened, word)?;
                    break;
                }
                Stop::End(_) => break,
                Stop::Text => return Err(unclosed(opened, word)),
            }
        }
        self.variables.truncate(seen_before);
        Ok(Branches { arms, otherwise })
    }

    /// What stands between the rest of `{{else}}` and `{{end}}`.
    fn otherwise(&mut self, opened: Position, word: &'static str) -> Result<Vec<Node>, Error> {
        self.expect(&Token::Close, "}} after else")?;
        let (body, stop) = self.nested(Self::list)?;
        match stop {
            Stop::End(_) => Ok(body),
            Stop::Else(at) => {
                Err(Error::Syntax { at, found: "{{else}}".to_owned(), expected: "{{end}} after an {{else}}" })
            }
            Stop::Text => Err(unclosed(opened, word)),
        }
    }

    fn range(&mut self, opened: Position) -> Result<Range, Error> {
        let seen_before = self.variables.len();
        self.take();
        let (key, item) = self.range_variables()?;
        let pipe = self.pipe(None)?;
        self.expect(&Token::Close, "| or }}")?;
        self.variables.extend(key.iter().chain(&item).cloned());
        let (body, stop) = self.nested(Self::list)?;
        self.variables.truncate(seen_before);
        let otherwise = match stop {
            Stop::Else(_) => self.otherwise(opened, "range")?,
            Stop::End(_) => Vec::new(),
            Stop::Text => return Err(unclosed(opened, "range")),
        };
        Ok(Range { key, item, pipe, body, otherwise })
    }

    /// `$k, $v :=` or `$v :=`, if that is there.
    fn range_variables(&mut self) -> Result<(Option<String>, Option<String>), Error> {
        let following = |ahead: usize| self.lexemes.get(self.next + ahead).map(|lexeme| &lexeme.token);
        let Some(Token::Variable(first)) = following(0) else { return Ok((None, None)) };
        match (following(1), following(2)) {
            (Some(Token::Declare), _) => {
                self.next += 2;
                Ok((None, Some((*first).to_owned())))
            }
            (Some(Token::Comma), Some(Token::Variable(second))) => {
                self.next += 3;
                self.expect(&Token::Declare, ":= after the variables of range")?;
                Ok((Some((*first).to_owned()), Some((*second).to_owned())))
            }
            _ => Ok((None, None)),
        }
    }

    /// `$x :=` or `$x =`, if that is there.
    fn bind(&mut self) -> Result<Option<Bind>, Error> {
        let Token::Variable(name) = self.peek().token else { return Ok(None) };
        let is_declared = match self.lexemes.get(self.next + 1).map(|lexeme| &lexeme.token) {
            Some(Token::Declare) => true,
            Some(Token::Assign) => false,
            Some(Token::Comma) => {
                self.take();
                return Err(self.unexpected(":= after one variable, for range alone takes two"));
            }
            _ => return Ok(None),
        };
        let at = self.take().at;
        self.take();
        if is_declared {
            return Ok(Some(Bind::Declare(name.to_owned())));
        }
        self.check_variable(at, name)?;
        Ok(Some(Bind::Assign(name.to_owned())))
    }

    fn check_variable(&self, at: Position, name: &str) -> Result<(), Error> {
        if self.variables.iter().any(|known| known == name) {
            return Ok(());
        }
        Err(Error::NoVariable { at, name: name.to_owned(), known: self.variables[1..].to_vec() })
    }

    /// Commands with bars between them; what they are bound to can be seen after them only.
    fn pipe(&mut self, bind: Option<Bind>) -> Result<Pipe, Error> {
        let at = self.peek().at;
        let mut commands = vec![self.command(false)?];
        while self.take_if(&Token::Bar) {
            commands.push(self.command(true)?);
        }
        if let Some(Bind::Declare(name)) = &bind {
            self.variables.push(name.clone());
        }
        Ok(Pipe { at, bind, commands })
    }

    /// `is_piped` tells whether the value of another command comes as the last argument.
    fn command(&mut self, is_piped: bool) -> Result<Command, Error> {
        let at = self.peek().at;
        let head = match self.peek().token {
            Token::Word("nil") => return Err(self.unexpected("a value: nil is an argument only")),
            Token::Word(word) if !matches!(word, "true" | "false") => {
                let found = functions::find(word);
                let function = found.ok_or_else(|| Error::NoFunction { at, name: word.to_owned() })?;
                self.take();
                self.check_apart()?;
                Head::Function(function)
            }
            _ => Head::Operand(self.operand("a field, function, variable or text")?),
        };
        let mut arguments = Vec::new();
        while !matches!(self.peek().token, Token::Bar | Token::Close | Token::RightParenthesis | Token::End) {
            arguments.push(self.operand("an argument, | or }}")?);
        }
        let given = arguments.len() + usize::from(is_piped);
        match &head {
            Head::Function(function) => check_arguments(function, given, at)?,
            // A field may be one that is called with a key.
            Head::Operand(operand) if given > 0 && operand.fields.is_empty() => {
                return Err(Error::NotAFunction { at, text: operand.text(0) });
            }
            Head::Operand(_) => {}
        }
        Ok(Command { at, head, arguments })
    }

    fn operand(&mut self, expected: &'static str) -> Result<Operand, Error> {
        let Lexeme { at, token, .. } = self.peek();
        let mut fields = Vec::new();
        let root = match token {
            Token::Dot => Root::Dot,
            Token::Field(name) => {
                fields.push(Field { at: *at, name: (*name).to_owned() });
                Root::Dot
            }
            Token::Variable(name) => {
                self.check_variable(*at, name)?;
                Root::Variable((*name).to_owned())
            }
            Token::Quoted(text) => Root::Literal(Value::String(text.clone())),
            Token::Number(number) => Root::Literal(Value::Number(number.clone())),
            Token::Word("true") => Root::Literal(Value::Bool(true)),
            Token::Word("false") => Root::Literal(Value::Bool(false)),
            Token::Word("nil") => Root::Literal(Value::Null),
            Token::Word(word) if functions::find(word).is_some() => {
                return Err(self.unexpected("parentheses around a function that is an argument"));
            }
            Token::Word(_) => return Err(self.unexpected(OPERAND)),
            Token::LeftParenthesis => return self.parenthesis(),
            _ => return Err(self.unexpected(expected)),
        };
        self.take();
        if !matches!(root, Root::Literal(_)) && !matches!(token, Token::Dot) {
            self.fields(&mut fields);
        }
        self.check_apart()?;
        Ok(Operand { at: *at, root, fields })
    }

    fn parenthesis(&mut self) -> Result<Operand, Error> {
        let at = self.take().at;
        let pipe = self.nested(|parser| parser.pipe(None))?;
        self.expect(&Token::RightParenthesis, ")")?;
        let mut fields = Vec::new();
        self.fields(&mut fields);
        self.check_apart()?;
        Ok(Operand { at, root: Root::Pipe(Box::new(pipe)), fields })
    }

    /// `.B.C` right after something.
    fn fields(&mut self, fields: &mut Vec<Field>) {
        while let Lexeme { at, token: Token::Field(name), is_apart: false, .. } = self.peek() {
            fields.push(Field { at: *at, name: (*name).to_owned() });
            self.take();
        }
    }

    /// Two words without white space between them are a slip: `.A-b`, `"a"b`, `print(1)`.
    fn check_apart(&self) -> Result<(), Error> {
        let Lexeme { at, token, raw, is_apart } = self.peek();
        let ends = matches!(token, Token::Bar | Token::Close | Token::RightParenthesis | Token::End);
        if *is_apart || ends {
            return Ok(());
        }
        let before = self.next.checked_sub(1).and_then(|before| self.lexemes.get(before));
        let word = before.map_or("", |before| before.raw);
        Err(Error::Glued { at: *at, found: (*raw).to_owned(), word: word.to_owned() })
    }
}

fn unclosed(at: Position, opened: &'static str) -> Error {
    Error::Unclosed { at, opened, expected: "{{end}}" }
}

fn check_arguments(function: &'static Function, given: usize, at: Position) -> Result<(), Error> {
    if function.takes(given) {
        return Ok(());
    }
    Err(Error::Arguments { at, function: function.name, given, usage: function.usage })
}
