//! What is asked for an attachment, by whichever verb: the keys, the result of the plugins before this one, and whose it
//! is.

use cni::{Config, Failure, Success, Verb};
use firewall::{Ingress, Owner};
use vocab::{Attachment, NetworkName};

use crate::backend::Traffic;
use crate::config::{self, Settings};
use crate::error::StepFault;
use crate::plan::Plan;
use crate::{ingress, notes};

/// What is asked for an attachment.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) network: &'a NetworkName,
    pub(crate) settings: Settings,
    pub(crate) result: Success,
    pub(crate) plan: Plan,
    pub(crate) owner: Owner,
}

/// How a bridge is to be closed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Closing<'a> {
    /// By whomever, if at all.
    pub(crate) any: Option<Ingress<'a>>,
    /// By our own table, before the way is opened.
    pub(crate) by_table: Option<Ingress<'a>>,
}

impl<'a> Asked<'a> {
    pub(crate) fn read(config: &'a Config, attachment: &Attachment, verb: Verb) -> Result<Self, Failure> {
        let settings = config::read(config)?;
        let result = config.expect_prev_result(verb)?;
        let plan = Plan::new(&result)?;
        let owner = notes::owner(config.name(), attachment);
        Ok(Self { network: config.name(), settings, result, plan, owner })
    }

    /// Whether there is anything to do: without addresses nothing passes.
    pub(crate) fn is_empty(&self) -> bool {
        self.plan.addresses.is_empty()
    }

    pub(crate) fn closing(&self) -> Result<Closing<'_>, StepFault> {
        let any = ingress::wanted(&self.settings, &self.plan)?;
        Ok(Closing { any, by_table: any.filter(|_| !ingress::is_by_iptables(&self.settings)) })
    }

    /// What is to pass, and the closing that iptables does in one go with it.
    pub(crate) fn traffic<'b>(&'b self, closing: &Closing<'b>) -> Traffic<'b> {
        Traffic {
            settings: &self.settings,
            owner: &self.owner,
            addresses: &self.plan.addresses,
            ingress: closing.any.filter(|_| closing.by_table.is_none()),
        }
    }
}
