//! Messages as they are on the wire (D-Bus specification, "Message Protocol"): calls whose arguments are strings, and
//! the little that is read of the answers.

/// What a message is.
const METHOD_CALL: u8 = 1;
const METHOD_RETURN: u8 = 2;
const ERROR: u8 = 3;
/// Nobody is started to answer.
const NO_AUTO_START: u8 = 2;
const VERSION: u8 = 1;
/// Numbers of header fields.
const PATH: u8 = 1;
const INTERFACE: u8 = 2;
const MEMBER: u8 = 3;
const ERROR_NAME: u8 = 4;
const REPLY_SERIAL: u8 = 5;
const DESTINATION: u8 = 6;
const SIGNATURE: u8 = 8;
/// Order, type, flags, version, length of the body, serial, length of the fields.
pub(crate) const FIXED: usize = 16;
/// The specification allows 128 MiB; no answer that is read here has a thousandth.
const LONGEST: usize = 1 << 20;

/// Which method of whom.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The name of the service.
    pub destination: &'a str,
    /// Its object.
    pub path: &'a str,
    /// The interface of the object.
    pub interface: &'a str,
    /// The method of the interface.
    pub member: &'a str,
    /// All of them are strings.
    pub arguments: &'a [&'a str],
}

impl Call<'_> {
    pub(crate) fn encode(&self, serial: u32) -> Vec<u8> {
        let mut body = Writer::default();
        self.arguments.iter().for_each(|argument| body.string(argument));
        let mut fields = Writer::default();
        fields.field(PATH, "o", |value| value.string(self.path));
        fields.field(INTERFACE, "s", |value| value.string(self.interface));
        fields.field(MEMBER, "s", |value| value.string(self.member));
        fields.field(DESTINATION, "s", |value| value.string(self.destination));
        if !self.arguments.is_empty() {
            fields.field(SIGNATURE, "g", |value| value.signature(&"s".repeat(self.arguments.len())));
        }
        let mut message = Writer(vec![b'l', METHOD_CALL, NO_AUTO_START, VERSION]);
        message.number(body.0.len() as u32);
        message.number(serial);
        message.number(fields.0.len() as u32);
        message.0.extend(fields.0);
        message.align(8);
        message.0.extend(body.0);
        message.0
    }
}

/// Bytes that begin at a multiple of 8: the fields' place is one, and the body's, too.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn align(&mut self, to: usize) {
        self.0.resize(self.0.len().next_multiple_of(to), 0);
    }

    fn number(&mut self, number: u32) {
        self.align(4);
        self.0.extend(number.to_le_bytes());
    }

    fn string(&mut self, text: &str) {
        self.number(text.len() as u32);
        self.0.extend(text.as_bytes());
        self.0.push(0);
    }

    fn signature(&mut self, text: &str) {
        self.0.push(text.len() as u8);
        self.0.extend(text.as_bytes());
        self.0.push(0);
    }

    fn field(&mut self, number: u8, signature: &str, value: impl FnOnce(&mut Self)) {
        self.align(8);
        self.0.push(number);
        self.signature(signature);
        value(self);
    }
}

/// A message that has arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    /// To which call it is the answer; none if it is no answer.
    pub(crate) reply_to: Option<u32>,
    /// The name of the error that it is.
    pub(crate) error: Option<String>,
    pub(crate) reply: Reply,
}

/// The values in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    order: Order,
    signature: String,
    body: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

/// How long the message is in all that begins like that; nothing, if none does.
pub(crate) fn length(head: &[u8; FIXED]) -> Option<usize> {
    let mut reader = Reader::new(head, 4)?;
    let (body, _serial, fields) = (reader.number()?, reader.number()?, reader.number()?);
    let fields = usize::try_from(fields).ok()?.checked_next_multiple_of(8)?;
    let length = FIXED.checked_add(fields)?.checked_add(usize::try_from(body).ok()?)?;
    (head[3] == VERSION && length <= LONGEST).then_some(length)
}

impl Message {
    /// Reads a whole message; nothing, if it is malformed.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let kind = *bytes.get(1)?;
        let mut reader = Reader::new(bytes, 12)?;
        let end = FIXED.checked_add(usize::try_from(reader.number()?).ok()?)?;
        let (mut reply_to, mut error, mut signature) = (None, None, String::new());
        while reader.position < end {
            reader.align(8);
            let field = reader.byte()?;
            match (field, reader.signature()?) {
                (REPLY_SERIAL, "u") => reply_to = Some(reader.number()?),
                (ERROR_NAME, "s") => error = Some(reader.string()?.to_owned()),
                (SIGNATURE, "g") => reader.signature()?.clone_into(&mut signature),
                (_, "s" | "o") => drop(reader.string()?),
                (_, "u") => drop(reader.number()?),
                (_, "g") => drop(reader.signature()?),
                _ => return None,
            }
        }
        let body = bytes.get(end.checked_next_multiple_of(8)?..)?.to_vec();
        let is_answer = matches!(kind, METHOD_RETURN | ERROR);
        Some(Self {
            reply_to: reply_to.filter(|_| is_answer),
            error: error.filter(|_| kind == ERROR),
            reply: Reply { order: reader.order, signature, body },
        })
    }
}

impl Reply {
    /// The first value, a string.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        let mut reader = self.reader();
        self.signature.starts_with('s').then(|| reader.string().map(str::to_owned))?
    }

    /// The first value, a truth value.
    #[must_use]
    pub fn boolean(&self) -> Option<bool> {
        let number = self.reader().number()?;
        (self.signature.starts_with('b') && number <= 1).then_some(number == 1)
    }

    /// The first value, a list of strings.
    #[must_use]
    pub fn texts(&self) -> Option<Vec<String>> {
        let mut reader = self.reader();
        let end = usize::try_from(reader.number()?).ok()?.checked_add(4)?;
        let mut texts = Vec::new();
        while reader.position < end {
            texts.push(reader.string()?.to_owned());
        }
        self.signature.starts_with("as").then_some(texts)
    }

    fn reader(&self) -> Reader<'_> {
        Reader { order: self.order, bytes: &self.body, position: 0 }
    }
}

struct Reader<'a> {
    order: Order,
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    /// Reads a message from some position on.
    fn new(bytes: &'a [u8], position: usize) -> Option<Self> {
        let order = match bytes.first()? {
            b'l' => Order::Little,
            b'B' => Order::Big,
            _ => return None,
        };
        Some(Self { order, bytes, position })
    }

    fn align(&mut self, to: usize) {
        self.position = self.position.next_multiple_of(to);
    }

    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.position..self.position.checked_add(count)?)?;
        self.position += count;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn number(&mut self) -> Option<u32> {
        self.align(4);
        let bytes = *self.take(4)?.first_chunk()?;
        Some(match self.order {
            Order::Little => u32::from_le_bytes(bytes),
            Order::Big => u32::from_be_bytes(bytes),
        })
    }

    fn string(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        self.text(length)
    }

    fn signature(&mut self) -> Option<&'a str> {
        let length = self.byte()?;
        self.text(length.into())
    }

    /// Text and the zero byte behind it.
    fn text(&mut self, length: usize) -> Option<&'a str> {
        let text = std::str::from_utf8(self.take(length)?).ok()?;
        (self.byte()? == 0).then_some(text)
    }
}

#[cfg(test)]
mod tests;
