//! `engage`: what an operator does with a deployed stack, from a shell.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command that talks to the person who started it"
)]

use std::process::ExitCode;

use anyhow::{Result, bail};
use bill::events::SubscriptionId;
use clap::{Parser, Subcommand};
use engage::{
    replay::{FanOutResult, Replayed},
    report::{self, Shown},
    stack::{Stack, StackArguments},
    webhooks::{Enabled, SubscriptionChange, Webhooks},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::MakeDueProgress;

/// Operates a deployed BILL Engage stack.
///
/// AWS credentials and region are taken from the environment or the shared files, as the AWS CLI
/// takes them; who signs in by SSO runs `eval "$(aws configure export-credentials --format env)"`
/// first.
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
    /// The subscription to BILL's events: it makes changes at BILL visible in seconds, instead of
    /// at an organization's next turn
    #[command(subcommand)]
    Webhooks(WebhookCommand),
}

#[derive(Subcommand)]
enum WebhookCommand {
    /// Subscribe the stack, and store the key; finishes a command that was interrupted
    Create,
    /// List all subscriptions of the partner
    List,
    /// Show a subscription; without an id, the stack's own
    Show { id: Option<SubscriptionId> },
    /// Have BILL send a made-up event; fails unless it was answered with 200
    Test { id: Option<SubscriptionId> },
    /// End a subscription; without an id, the stack's own
    Delete {
        id: Option<SubscriptionId>,
        /// End it even if it is not this stack's: nobody can bring back its key
        #[arg(long, requires = "id")]
        force: bool,
    },
    /// Replace the stack's subscription by one with another key
    RotateKey {
        /// Stop accepting the old key at once: for a key that became known
        #[arg(long)]
        revoke_previous: bool,
    },
    /// Bring back the stack's subscription after BILL switched it off
    Enable,
    /// Catch up on missed events: make every organization due for a look, and begin with the looks
    Replay {
        /// Since when events were missed (RFC 3339); told in the answer, a look finds whatever
        /// changed
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
    let done = tokio::select! {
        done = run(stack, command) => done,
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted; running the command again finishes what it has begun")),
    };
    match done {
        Ok(Done {
            told,
            value,
            succeeded,
        }) => {
            if json {
                println!("{value:#}");
            } else {
                println!("{told}");
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

/// What a command has to say.
struct Done {
    told: String,
    value: Value,
    succeeded: bool,
}

impl Done {
    fn new(told: impl Into<String>, value: Value) -> Self {
        Self {
            told: told.into(),
            value,
            succeeded: true,
        }
    }
}

async fn run(arguments: StackArguments, command: Command) -> Result<Done> {
    if let Some(name) = &arguments.stack {
        eprintln!("Reading the stack {name}");
    }
    let stack = Stack::find(runtime::aws_config().await, arguments).await?;
    let Command::Webhooks(command) = command;
    if let WebhookCommand::Replay { since } = command {
        return replay(&stack, since).await;
    }
    let webhooks = stack.webhooks()?;
    eprintln!("Asking BILL");
    let shown = |subscription| Shown::new(subscription, webhooks.is_ours(subscription));
    Ok(match command {
        WebhookCommand::Create => established(
            &webhooks,
            &webhooks.create().await?,
            "The stack is subscribed, its key is stored.",
        ),
        WebhookCommand::RotateKey { revoke_previous } => established(
            &webhooks,
            &webhooks.rotate_key(revoke_previous).await?,
            "The stack's subscription has a new key, which is stored. What BILL had still to deliver again under the old one may be lost: \
             when deliveries failed lately, `engage webhooks replay` catches up.",
        ),
        WebhookCommand::Enable => match webhooks.enable().await? {
            Enabled::AlreadyEnabled(subscription) => Done::new(
                "The stack's subscription is enabled; nothing was done.",
                json!({ "subscription": shown(&subscription) }),
            ),
            Enabled::Replaced(replaced) => established(
                &webhooks,
                &replaced,
                "The stack is subscribed anew. Events were missed meanwhile: `engage webhooks replay` catches up.",
            ),
        },
        WebhookCommand::List => {
            let all: Vec<Shown> = webhooks.list().await?.iter().map(shown).collect();
            Done::new(report::many(&all), json!(all))
        }
        WebhookCommand::Show { id } => {
            let shown = shown(&webhooks.show(id.as_ref()).await?);
            Done::new(report::one(&shown), json!(shown))
        }
        WebhookCommand::Delete { id, force } => {
            let id = webhooks.delete(id.as_ref(), force).await?;
            Done::new(
                format!("The subscription {id} is ended."),
                json!({ "deleted": id }),
            )
        }
        WebhookCommand::Test { id } => {
            let test = webhooks.test(id.as_ref()).await?;
            let value = json!({ "event_id": test.id, "status_code": test.status_code });
            Done {
                told: report::tested(test.status_code),
                value,
                succeeded: test.status_code == Some(200),
            }
        }
        WebhookCommand::Replay { .. } => bail!("answered above"),
    })
}

fn established(webhooks: &Webhooks, established: &SubscriptionChange, told: &str) -> Done {
    let SubscriptionChange {
        subscription,
        ended,
        was_interrupted,
    } = established;
    let shown = Shown::new(subscription, webhooks.is_ours(subscription));
    let interrupted = if *was_interrupted {
        "This finished what an interrupted command had begun.\n"
    } else {
        ""
    };
    let told = format!("{interrupted}{told}\n{}", report::one(&shown));
    Done::new(
        told,
        json!({ "subscription": shown, "ended": ended, "was_interrupted": was_interrupted }),
    )
}

async fn replay(stack: &Stack, since: Option<Timestamp>) -> Result<Done> {
    if since.is_some_and(|since| since > runtime::clock::now()) {
        bail!("--since lies in the future");
    }
    eprintln!("Making every organization due");
    let told =
        |MakeDueProgress {
             organizations,
             made_due,
             ..
         }: &MakeDueProgress| eprintln!("{made_due} of {organizations} so far");
    let replayed = stack.replay()?.run(runtime::clock::now(), told).await?;
    let Replayed {
        made_due:
            MakeDueProgress {
                organizations,
                made_due,
                unreadable,
            },
        begun: FanOutResult { outcome, queued },
    } = &replayed;
    let since = since.map(|since| since.to_string());
    let value = json!({
        "since": since, "organizations": organizations, "made_due": made_due, "unreadable": unreadable, "outcome": outcome, "queued": queued,
    });
    Ok(Done::new(
        report::replayed(&replayed, since.as_deref()),
        value,
    ))
}
