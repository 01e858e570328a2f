//! The `engage` command: parses the arguments, runs one command and prints its output.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the command prints its output and progress"
)]

use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use bill::events::SubscriptionId;
use clap::{Parser, Subcommand};
use engage::{
    replay::{FanOutResult, ReplayResult},
    report::{self, SubscriptionView},
    stack::{Stack, StackArguments},
    webhooks::{Enabled, SubscriptionChange, Webhooks},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::MakeDueProgress;

/// Operates a deployed BILL Engage stack.
///
/// AWS credentials and region are taken from the environment or the shared files, as the AWS CLI
/// does. With SSO, first run `eval "$(aws configure export-credentials --format env)"`.
#[derive(Parser)]
#[command(name = "engage", version)]
struct Arguments {
    #[command(flatten)]
    stack: StackArguments,
    /// Print one JSON value instead of text
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Manage the subscription to BILL's events, with which changes in BILL are synced within
    /// seconds instead of at the next scheduled sync
    #[command(subcommand)]
    Webhooks(WebhookCommand),
}

#[derive(Subcommand)]
enum WebhookCommand {
    /// Subscribe the stack and store the key; completes an interrupted command
    Create,
    /// List all subscriptions of the partner
    List,
    /// Show a subscription; without an id, the stack's own
    Show { id: Option<SubscriptionId> },
    /// Make BILL send a test event; fails unless the stack responds with 200
    Test { id: Option<SubscriptionId> },
    /// Delete a subscription; without an id, the stack's own
    Delete {
        id: Option<SubscriptionId>,
        /// Delete it even if it is not this stack's: its key cannot be recovered
        #[arg(long, requires = "id")]
        force: bool,
    },
    /// Replace the stack's subscription with one that has a new key
    RotateKey {
        /// Also remove the old key: for a key that was disclosed
        #[arg(long)]
        revoke_previous: bool,
    },
    /// Replace the stack's subscription after BILL disabled it
    Enable,
    /// Recover missed events: make every organization due for a sync and start fan-out
    Replay {
        /// Time since which events were missed (RFC 3339); only view in the output, because
        /// every organization is synced
        #[arg(long)]
        since: Option<Timestamp>,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments {
        stack,
        json,
        command,
    } = Arguments::parse();
    let output = tokio::select! {
        output = run(stack, command) => output,
        _ = tokio::signal::ctrl_c() => Err(anyhow!("interrupted; run it again to complete it")),
    };
    match output {
        Ok(CommandOutput {
            text,
            value,
            succeeded,
        }) => {
            if json {
                println!("{value:#}");
            } else {
                println!("{text}");
            }
            if succeeded {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The output of a command, as text and as JSON.
struct CommandOutput {
    text: String,
    value: Value,
    succeeded: bool,
}

impl CommandOutput {
    fn new(text: impl Into<String>, value: Value) -> Self {
        Self {
            text: text.into(),
            value,
            succeeded: true,
        }
    }
}

async fn run(arguments: StackArguments, command: Command) -> Result<CommandOutput> {
    if let Some(name) = &arguments.stack {
        eprintln!("Reading the stack {name}");
    }
    let stack = Stack::find(runtime::aws_config().await, arguments).await?;

    let Command::Webhooks(command) = command;
    if let WebhookCommand::Replay { since } = command {
        return replay(&stack, since).await;
    }

    let webhooks = stack.webhooks()?;
    eprintln!("Calling BILL");
    let view = |subscription| SubscriptionView::new(subscription, webhooks.is_ours(subscription));
    Ok(match command {
        WebhookCommand::Create => change_output(
            &webhooks,
            &webhooks.create().await?,
            "The stack is subscribed and its key is stored.",
        ),
        WebhookCommand::RotateKey { revoke_previous } => change_output(
            &webhooks,
            &webhooks.rotate_key(revoke_previous).await?,
            "The stack's subscription has a new key, and the key is stored. Deliveries that BILL \
             had still to retry under the old subscription may be lost: if deliveries failed \
             recently, run `engage webhooks replay`.",
        ),
        WebhookCommand::Enable => match webhooks.enable().await? {
            Enabled::AlreadyEnabled(subscription) => CommandOutput::new(
                "The stack's subscription is enabled; nothing was changed.",
                json!({ "subscription": view(&subscription) }),
            ),
            Enabled::Replaced(replaced) => change_output(
                &webhooks,
                &replaced,
                "The stack is subscribed again. Events were missed in the meantime: run \
                 `engage webhooks replay`.",
            ),
        },
        WebhookCommand::List => {
            let all: Vec<SubscriptionView> = webhooks.list().await?.iter().map(view).collect();
            CommandOutput::new(report::subscription_list(&all), json!(all))
        }
        WebhookCommand::Show { id } => {
            let view = view(&webhooks.show(id.as_ref()).await?);
            CommandOutput::new(report::subscription_details(&view), json!(view))
        }
        WebhookCommand::Delete { id, force } => {
            let id = webhooks.delete(id.as_ref(), force).await?;
            CommandOutput::new(
                format!("The subscription {id} is deleted."),
                json!({ "deleted": id }),
            )
        }
        WebhookCommand::Test { id } => {
            let test = webhooks.test(id.as_ref()).await?;
            let value = json!({ "event_id": test.id, "status_code": test.status_code });
            CommandOutput {
                text: report::test_result(test.status_code),
                value,
                succeeded: test.status_code == Some(200),
            }
        }
        WebhookCommand::Replay { .. } => bail!("replay needs no subscription"),
    })
}

fn change_output(webhooks: &Webhooks, change: &SubscriptionChange, text: &str) -> CommandOutput {
    let SubscriptionChange {
        subscription,
        ended,
        was_interrupted,
    } = change;
    let view = SubscriptionView::new(subscription, webhooks.is_ours(subscription));
    let interrupted = if *was_interrupted {
        "This completed an interrupted command.\n"
    } else {
        ""
    };
    let text = format!(
        "{interrupted}{text}\n{}",
        report::subscription_details(&view)
    );
    CommandOutput::new(
        text,
        json!({ "subscription": view, "ended": ended, "was_interrupted": was_interrupted }),
    )
}

async fn replay(stack: &Stack, since: Option<Timestamp>) -> Result<CommandOutput> {
    if since.is_some_and(|since| since > runtime::clock::now()) {
        bail!("--since lies in the future");
    }
    eprintln!("Making every organization due");
    let on_progress =
        |MakeDueProgress {
             organizations,
             made_due,
             ..
         }: &MakeDueProgress| eprintln!("{made_due} of {organizations} so far");
    let replayed = stack
        .replay()?
        .run(runtime::clock::now(), on_progress)
        .await?;
    let ReplayResult {
        made_due:
            MakeDueProgress {
                organizations,
                made_due,
                unreadable,
            },
        fan_out: FanOutResult { outcome, queued },
    } = &replayed;
    let since = since.map(|since| since.to_string());
    let value = json!({
        "since": since,
        "organizations": organizations,
        "made_due": made_due,
        "unreadable": unreadable,
        "outcome": outcome,
        "queued": queued,
    });
    Ok(CommandOutput::new(
        report::replay_summary(&replayed, since.as_deref()),
        value,
    ))
}
