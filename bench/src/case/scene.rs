//! Where one side shows one piece of work: its network, and the containers that have been there.

use super::Error;
use crate::attachment::Attachment;
use crate::container::Container;
use crate::network::{Network, Shape};
use crate::settle::settle;
use crate::side::Side;
use lab::{Here, Place};
use serde_json::Value;
use std::path::Path;

/// One network of one side, and the containers that have been there.
///
/// Their namespaces are kept until the end: the kernel needs long for removing one, and others feel it.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    side: &'a Side,
    network: Network,
    used: Vec<Container>,
    resident: Option<(Container, Value)>,
}

impl<'a> Scene<'a> {
    /// A network that has never been used.
    pub(super) fn new(side: &'a Side, shape: Shape) -> Self {
        Self { side, network: Network::new(side, shape), used: Vec::new(), resident: None }
    }

    /// A network on which a container already is, and stays: its bridge is there and running.
    pub(super) fn inhabited(side: &'a Side, shape: Shape) -> Result<Self, Error> {
        let mut scene = Self::new(side, shape);
        let container = Container::create()?;
        let (_, result) = scene.attachment(&container).add()?;
        scene.resident = Some((container, result));
        settle()?;
        Ok(scene)
    }

    /// The network.
    pub(super) fn network(&self) -> &Network {
        &self.network
    }

    /// A container on this network; nothing has been done yet.
    pub(super) fn attachment<'s>(&'s self, container: &'s Container) -> Attachment<'s> {
        Attachment { side: self.side, network: &self.network, container }
    }

    /// Keeps a container whose turn is over.
    pub(super) fn keep(&mut self, container: Container) {
        self.used.push(container);
    }

    /// Removes the bridge, if it is there.
    pub(super) fn remove_bridge(&self) -> Result<(), Error> {
        let bridge = self.network.bridge();
        if Path::new("/sys/class/net").join(bridge).exists() {
            Here.run(["ip", "link", "delete", bridge]).ok()?;
        }
        Ok(())
    }

    /// Removes everything.
    pub(super) fn end(mut self) -> Result<(), Error> {
        if let Some((container, result)) = self.resident.take() {
            self.attachment(&container).del(&result)?;
            self.used.push(container);
        }
        self.remove_bridge()?;
        self.used.into_iter().try_for_each(Container::remove)?;
        Ok(settle()?)
    }
}
