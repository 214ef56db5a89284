//! What a template is once it is read.

use crate::error::Position;
use crate::functions::Function;
use serde_json::Value;

#[derive(Debug, Clone)]
pub(crate) enum Node {
    Text(String),
    /// `{{pipe}}`; prints nothing where the pipe names a variable.
    Action(Pipe),
    If(Branches),
    With(Branches),
    Range(Range),
}

/// `{{if a}}…{{else if b}}…{{else}}…{{end}}`, and the same with `with`.
#[derive(Debug, Clone)]
pub(crate) struct Branches {
    /// At least one; the first whose pipe is true is taken.
    pub(crate) arms: Vec<(Pipe, Vec<Node>)>,
    pub(crate) otherwise: Vec<Node>,
}

#[derive(Debug, Clone)]
pub(crate) struct Range {
    /// `$k` in `range $k, $v := …`.
    pub(crate) key: Option<String>,
    /// `$v`.
    pub(crate) item: Option<String>,
    pub(crate) pipe: Pipe,
    pub(crate) body: Vec<Node>,
    pub(crate) otherwise: Vec<Node>,
}

#[derive(Debug, Clone)]
pub(crate) struct Pipe {
    pub(crate) at: Position,
    pub(crate) bind: Option<Bind>,
    /// At least one; each but the first gets the value of the one before as its last argument.
    pub(crate) commands: Vec<Command>,
}

#[derive(Debug, Clone)]
pub(crate) enum Bind {
    /// `$x := …`
    Declare(String),
    /// `$x = …`
    Assign(String),
}

impl Bind {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Declare(name) | Self::Assign(name) => name,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Command {
    pub(crate) at: Position,
    pub(crate) head: Head,
    pub(crate) arguments: Vec<Operand>,
}

#[derive(Debug, Clone)]
pub(crate) enum Head {
    Function(&'static Function),
    Operand(Operand),
}

#[derive(Debug, Clone)]
pub(crate) struct Operand {
    pub(crate) at: Position,
    pub(crate) root: Root,
    pub(crate) fields: Vec<Field>,
}

#[derive(Debug, Clone)]
pub(crate) enum Root {
    Dot,
    /// With its dollar sign; `$` alone is what was given to the template.
    Variable(String),
    Literal(Value),
    Pipe(Box<Pipe>),
}

#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) at: Position,
    pub(crate) name: String,
}

impl Operand {
    /// How the operand reads with the first `count` of its fields, for messages.
    pub(crate) fn text(&self, count: usize) -> String {
        let root = match &self.root {
            Root::Dot => "",
            Root::Variable(name) => name,
            Root::Literal(value) => &value.to_string(),
            Root::Pipe(_) => "(…)",
        };
        let fields = self.fields.iter().take(count).map(|field| format!(".{}", field.name));
        let text = fields.fold(root.to_owned(), |text, field| text + &field);
        if text.is_empty() { ".".to_owned() } else { text }
    }
}
