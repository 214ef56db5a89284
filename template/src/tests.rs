//! Templates, values, and what is expected of both.

mod errors;
mod hostile;
mod listing;
mod values;
