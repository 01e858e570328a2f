//! The command line: commands, flags and their help texts.

use bill::events::SubscriptionId;
use clap::{Parser, Subcommand};
use engage::stack::StackArguments;
use jiff::Timestamp;

/// Operates a deployed BILL Engage stack.
///
/// Takes AWS credentials and region from the environment or the shared files, as the AWS CLI does.
/// With SSO, first run `eval "$(aws configure export-credentials --format env)"`.
#[derive(Parser)]
#[command(name = "engage", version)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) stack: StackArguments,
    /// Print one JSON value instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Manage the subscription to BILL's events, which makes changes at BILL visible within seconds
    /// instead of at the next scheduled sync
    #[command(subcommand)]
    Webhooks(WebhookCommand),
}

#[derive(Subcommand)]
pub(crate) enum WebhookCommand {
    #[command(flatten)]
    Subscription(SubscriptionCommand),
    /// Catch up on missed events: make every organization due and start fan-out
    Replay {
        /// Time since when events were missed (RFC 3339). Shown in the output only; every
        /// organization is synced
        #[arg(long)]
        since: Option<Timestamp>,
    },
}

/// The commands that call BILL.
#[derive(Subcommand)]
pub(crate) enum SubscriptionCommand {
    /// Subscribe the stack and store the key; also finishes an interrupted command
    Create,
    /// List all subscriptions of the partner
    List,
    /// Show a subscription, by default the stack's own
    Show { id: Option<SubscriptionId> },
    /// Make BILL send a test event; fails unless the response is 200
    Test { id: Option<SubscriptionId> },
    /// Delete a subscription, by default the stack's own
    Delete {
        id: Option<SubscriptionId>,
        /// Delete it even if it is not this stack's; its key cannot be recovered
        #[arg(long, requires = "id")]
        force: bool,
    },
    /// Replace the stack's subscription with one that has a new key
    RotateKey {
        /// Stop accepting the old key at once, for example because it was disclosed
        #[arg(long)]
        revoke_previous: bool,
    },
    /// Replace the stack's subscription after BILL disabled it
    Enable,
}
