//! The labs, one file each, in the order in which a reader meets them.

use anyhow::Result;

use crate::report::Report;

mod backlog;
mod c10k;
mod descriptors;
mod edge_trigger;
mod framing;
mod nagle;
mod omission;
mod pool;
mod ports;
mod slow_reader;
mod spread;
mod zero_copy;

/// A question, and the experiment that answers it.
#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) name: &'static str,
    pub(crate) question: &'static str,
    /// What the article calls it, where it is one of its optimisations.
    pub(crate) article: &'static str,
    /// It changes settings of the network.
    pub(crate) needs_own_network: bool,
    pub(crate) run: fn(&mut Report<'_>) -> Result<()>,
}

/// All of them.
pub(crate) static LABS: [Lab; 12] = [
    lab("framing", "Is one recv one message?", framing::run),
    lab("backlog", "What if clients come faster than accept?", backlog::run),
    Lab {
        needs_own_network: true,
        article: " (エフェメラルポート枯渇問題への対応)",
        ..lab("ports", "What helps a client out of ports?", ports::run)
    },
    lab("nagle", "Where do 40 milliseconds go?", nagle::run),
    lab("edge-trigger", "What if you read only once?", edge_trigger::run),
    lab("descriptors", "What if accept says EMFILE?", descriptors::run),
    lab("slow-reader", "What if a client never reads?", slow_reader::run),
    Lab {
        article: " (ゼロコピー最適化)",
        ..lab("zero-copy", "When does sendfile beat send?", zero_copy::run)
    },
    Lab {
        article: " (接続プールの実装)",
        ..lab("pool", "What is a connection that is kept worth?", pool::run)
    },
    lab("omission", "Which requests does a load test forget?", omission::run),
    Lab {
        article: " (イベント駆動型アーキテクチャへの移行)",
        ..lab("c10k", "What do 10,000 idle clients cost?", c10k::run)
    },
    lab("spread", "Which loop gets the client?", spread::run),
];

const fn lab(
    name: &'static str,
    question: &'static str,
    run: fn(&mut Report<'_>) -> Result<()>,
) -> Lab {
    Lab { name, question, article: "", needs_own_network: false, run }
}
