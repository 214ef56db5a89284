//! What a runtime says of the attachment that a verb is for.

use std::borrow::Cow;
use std::path::PathBuf;

use cni::Args;
use serde_json::{Map, Value};
use vocab::Attachment;

use crate::Entry;

/// An attachment, and what is said of it for one call.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The container and its interface.
    pub attachment: Attachment,
    /// The container's namespace; DEL goes without one when it is gone.
    pub netns: Option<PathBuf>,
    /// `CNI_ARGS`.
    pub args: Args,
    /// Values for capabilities; a plugin sees those that it declares.
    pub capability_args: Map<String, Value>,
}

impl Request {
    /// An attachment about which nothing else is said.
    #[must_use]
    pub fn new(attachment: Attachment, netns: Option<PathBuf>) -> Self {
        Self { attachment, netns, args: Args::default(), capability_args: Map::new() }
    }

    /// The request with what ADD was given where nothing is given now: the plugins are to see in DEL and
    /// CHECK what they saw in ADD.
    pub(super) fn or_kept(&self, kept: Option<&Entry>) -> Cow<'_, Self> {
        let Some(kept) = kept else { return Cow::Borrowed(self) };
        let mut request = self.clone();
        if request.args.is_empty() {
            request.args = kept.args.clone();
        }
        if request.capability_args.is_empty() {
            request.capability_args = kept.capability_args.clone();
        }
        Cow::Owned(request)
    }
}
