//! Cuts a template into text and the words of its actions.

use crate::error::{Error, Position};
use crate::literal;
use serde_json::Number;

/// What Go's trimming takes away, and what separates words.
const WHITE: [char; 4] = [' ', '\t', '\r', '\n'];

/// What becomes of `\t` and `\n` outside of actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escapes {
    Keep,
    /// Into a tab and a new line: shells do not make them inside of quotes.
    Turn,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Token<'t> {
    /// Outside of actions.
    Text(String),
    Open,
    Close,
    Dot,
    /// Without its dot.
    Field(&'t str),
    /// With its dollar sign.
    Variable(&'t str),
    /// A keyword or the name of a function.
    Word(&'t str),
    Quoted(String),
    Number(Number),
    Bar,
    LeftParenthesis,
    RightParenthesis,
    Declare,
    Assign,
    Comma,
    End,
}

#[derive(Debug)]
pub(crate) struct Lexeme<'t> {
    pub(crate) at: Position,
    pub(crate) token: Token<'t>,
    /// How it is written.
    pub(crate) raw: &'t str,
    /// Whether white space stands before it.
    pub(crate) is_apart: bool,
}

/// The last lexeme is [`Token::End`], and no other is.
pub(crate) fn lex(text: &str, start: Position, escapes: Escapes) -> Result<Vec<Lexeme<'_>>, Error> {
    let mut lexer = Lexer { rest: text, at: start, escapes, is_trimming: false, lexemes: Vec::new() };
    while let Some(length) = lexer.rest.find("{{") {
        lexer.text(length);
        lexer.action()?;
    }
    lexer.text(lexer.rest.len());
    lexer.push(Token::End, 0, false);
    Ok(lexer.lexemes)
}

struct Lexer<'t> {
    rest: &'t str,
    at: Position,
    escapes: Escapes,
    /// The action before ended with `-}}`.
    is_trimming: bool,
    lexemes: Vec<Lexeme<'t>>,
}

impl<'t> Lexer<'t> {
    /// Goes on by `length` bytes, which end a character.
    fn take(&mut self, length: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(length);
        self.at = self.at.after(taken);
        self.rest = rest;
        taken
    }

    fn push(&mut self, token: Token<'t>, length: usize, is_apart: bool) {
        let at = self.at;
        let raw = self.take(length);
        self.lexemes.push(Lexeme { at, token, raw, is_apart });
    }

    /// Text outside of actions; the `{{-` after it and the `-}}` before it trim.
    fn text(&mut self, length: usize) {
        let (piece, after) = self.rest.split_at(length);
        let mut piece = match self.escapes {
            Escapes::Keep => piece.to_owned(),
            Escapes::Turn => piece.replace(r"\t", "\t").replace(r"\n", "\n"),
        };
        if after.strip_prefix("{{-").is_some_and(|after| after.starts_with(WHITE)) {
            piece.truncate(piece.trim_end_matches(WHITE).len());
        }
        if std::mem::take(&mut self.is_trimming) {
            piece = piece.trim_start_matches(WHITE).to_owned();
        }
        if piece.is_empty() {
            self.take(length);
        } else {
            self.push(Token::Text(piece), length, false);
        }
    }

    fn action(&mut self) -> Result<(), Error> {
        let start = self.at;
        let trims = self.rest.strip_prefix("{{-").is_some_and(|after| after.starts_with(WHITE));
        let opening = if trims { 3 } else { 2 };
        if self.rest.get(opening..).is_some_and(|inside| inside.trim_start_matches(WHITE).starts_with("/*")) {
            self.take(opening);
            return self.comment();
        }
        self.push(Token::Open, opening, false);
        loop {
            let is_apart = self.skip_white();
            match self.closing(is_apart) {
                Some(length) => {
                    self.push(Token::Close, length, is_apart);
                    return Ok(());
                }
                None if self.rest.is_empty() => {
                    return Err(Error::Unclosed { at: start, opened: "{{", expected: "}}" });
                }
                None => self.word(is_apart)?,
            }
        }
    }

    fn skip_white(&mut self) -> bool {
        let length = self.rest.len() - self.rest.trim_start_matches(WHITE).len();
        self.take(length);
        length > 0
    }

    /// The length of what closes the action here; notes whether it trims.
    fn closing(&mut self, is_apart: bool) -> Option<usize> {
        let trims = is_apart && self.rest.starts_with("-}}");
        self.is_trimming = trims;
        if trims { Some(3) } else { self.rest.starts_with("}}").then_some(2) }
    }

    fn comment(&mut self) -> Result<(), Error> {
        self.skip_white();
        let start = self.at;
        let Some(length) = self.rest[2..].find("*/") else {
            return Err(Error::Unclosed { at: start, opened: "/*", expected: "*/" });
        };
        self.take(length + 4);
        let is_apart = self.skip_white();
        match self.closing(is_apart) {
            Some(length) => self.take(length),
            None => return Err(self.unexpected(self.rest.chars().next(), "}} after a comment")),
        };
        Ok(())
    }

    fn unexpected(&self, found: Option<char>, expected: &'static str) -> Error {
        let found = found.map_or_else(|| "the end".to_owned(), |found| format!("{found:?}"));
        Error::Syntax { at: self.at, found, expected }
    }

    fn word(&mut self, is_apart: bool) -> Result<(), Error> {
        const EXPECTED: &str = "a field, function, variable, text in double quotes or number";
        let rest = self.rest;
        let mut characters = rest.chars();
        let (first, second) = (characters.next(), characters.next());
        let is_digit = |character: Option<char>| character.is_some_and(|c| c.is_ascii_digit());
        let (token, length) = match first {
            Some('"') => return self.quoted(is_apart),
            Some('`') => return self.raw_quoted(is_apart),
            Some('0'..='9') => return self.number(is_apart),
            Some('.' | '+' | '-') if is_digit(second) => return self.number(is_apart),
            Some('+' | '-') if second == Some('.') && is_digit(characters.next()) => {
                return self.number(is_apart);
            }
            Some('|') => (Token::Bar, 1),
            Some('(') => (Token::LeftParenthesis, 1),
            Some(')') => (Token::RightParenthesis, 1),
            Some(',') => (Token::Comma, 1),
            Some('=') => (Token::Assign, 1),
            Some(':') if second == Some('=') => (Token::Declare, 2),
            Some('.') => match name(&rest[1..]) {
                "" => (Token::Dot, 1),
                name => (Token::Field(name), 1 + name.len()),
            },
            Some('$') => {
                let length = 1 + name(&rest[1..]).len();
                (Token::Variable(&rest[..length]), length)
            }
            Some('\'') => return Err(self.unexpected(first, "a text in double quotes")),
            other => match name(rest) {
                "" => {
                    let unexpected = self.unexpected(other, EXPECTED);
                    return Err(self.glued(is_apart).unwrap_or(unexpected));
                }
                word => (Token::Word(word), word.len()),
            },
        };
        self.push(token, length, is_apart);
        Ok(())
    }

    /// `-b` of `.a-b`: at least one character right after a word, up to the next white space or brace.
    fn glued(&self, is_apart: bool) -> Option<Error> {
        let before = self.lexemes.last().filter(|_| !is_apart)?;
        if !matches!(before.token, Token::Field(_) | Token::Variable(_) | Token::Word(_)) {
            return None;
        }
        let ends =
            |(at, character): &(usize, char)| *at > 0 && (WHITE.contains(character) || *character == '}');
        let end = self.rest.char_indices().find(ends).map_or(self.rest.len(), |(at, _)| at);
        let (found, word) = (self.rest[..end].to_owned(), before.raw.to_owned());
        Some(Error::Glued { at: self.at, found, word })
    }

    fn quoted(&mut self, is_apart: bool) -> Result<(), Error> {
        let mut is_escaped = false;
        let inside = &self.rest[1..];
        let end = inside.find(|character| match character {
            '\n' => true,
            _ if is_escaped => {
                is_escaped = false;
                false
            }
            '\\' => {
                is_escaped = true;
                false
            }
            _ => character == '"',
        });
        let end = end.filter(|end| inside[*end..].starts_with('"'));
        let Some(end) = end else {
            return Err(Error::Unclosed { at: self.at, opened: "\"", expected: "\" in the same line" });
        };
        let found = &self.rest[..end + 2];
        let text = literal::unquote(&inside[..end]).map_err(|expected| Error::Syntax {
            at: self.at,
            found: found.to_owned(),
            expected,
        })?;
        self.push(Token::Quoted(text), found.len(), is_apart);
        Ok(())
    }

    fn raw_quoted(&mut self, is_apart: bool) -> Result<(), Error> {
        let inside = &self.rest[1..];
        let Some(end) = inside.find('`') else {
            return Err(Error::Unclosed { at: self.at, opened: "`", expected: "`" });
        };
        self.push(Token::Quoted(inside[..end].to_owned()), end + 2, is_apart);
        Ok(())
    }

    fn number(&mut self, is_apart: bool) -> Result<(), Error> {
        let mut before = '+';
        let end = self.rest.find(|character: char| {
            let is_sign = matches!(character, '+' | '-') && matches!(before, 'e' | 'E' | '+');
            before = character;
            !(is_sign || character == '.' || character == '_' || character.is_alphanumeric())
        });
        let found = &self.rest[..end.unwrap_or(self.rest.len())];
        let number = literal::number(found).ok_or_else(|| Error::Syntax {
            at: self.at,
            found: found.to_owned(),
            expected: "a decimal number",
        })?;
        self.push(Token::Number(number), found.len(), is_apart);
        Ok(())
    }
}

/// The name at the beginning of `text`; may be empty.
fn name(text: &str) -> &str {
    let end = text.find(|character: char| character != '_' && !character.is_alphanumeric());
    &text[..end.unwrap_or(text.len())]
}
