//! Runs a command and builds its output.

use anyhow::{Result, bail};
use engage::{
    replay::{FanOutResult, ReplayResult},
    report::{self, SubscriptionView},
    stack::{Stack, StackArguments},
    webhooks::{EnableResult, SubscriptionChange, Webhooks},
};
use jiff::Timestamp;
use serde_json::{Value, json};
use store::MakeDueProgress;

use crate::arguments::{Command, SubscriptionCommand, WebhookCommand};

/// The output of a command, in both forms, and whether the command succeeded.
pub(crate) struct CommandOutput {
    /// Text for people.
    pub(crate) message: String,
    /// The JSON value that `--json` prints.
    pub(crate) value: Value,
    /// Determines the exit code.
    pub(crate) is_success: bool,
}

impl CommandOutput {
    fn success(message: impl Into<String>, value: Value) -> Self {
        Self {
            message: message.into(),
            value,
            is_success: true,
        }
    }
}

/// Runs a command. `Err`: the command did not complete; its message is for the operator.
pub(crate) async fn run(arguments: StackArguments, command: Command) -> Result<CommandOutput> {
    if let Some(name) = &arguments.stack {
        eprintln!("Reading the stack {name}");
    }
    let stack = Stack::load(runtime::aws_config().await, arguments).await?;

    let Command::Webhooks(command) = command;
    match command {
        WebhookCommand::Subscription(command) => {
            let webhooks = stack.webhooks()?;
            eprintln!("Calling BILL");
            run_subscription_command(&webhooks, command).await
        }
        WebhookCommand::Replay { since } => replay(&stack, since).await,
    }
}

async fn run_subscription_command(
    webhooks: &Webhooks,
    command: SubscriptionCommand,
) -> Result<CommandOutput> {
    let view =
        |subscription| SubscriptionView::new(subscription, webhooks.belongs_to_stack(subscription));

    Ok(match command {
        SubscriptionCommand::Create => change_output(
            webhooks,
            &webhooks.create().await?,
            "The stack is subscribed, and its key is stored.",
        ),
        SubscriptionCommand::RotateKey { revoke_previous } => change_output(
            webhooks,
            &webhooks.rotate_key(revoke_previous).await?,
            "The stack's subscription has a new key, which is stored. Deliveries that BILL still \
             has to retry with the old key may be lost. If deliveries failed recently, run \
             `engage webhooks replay` to catch up.",
        ),
        SubscriptionCommand::Enable => match webhooks.enable().await? {
            EnableResult::AlreadyEnabled(subscription) => CommandOutput::success(
                "The stack's subscription is enabled. Nothing was changed.",
                json!({ "subscription": view(&subscription) }),
            ),
            EnableResult::Replaced(change) => change_output(
                webhooks,
                &change,
                "The stack has a new subscription. Events were missed in the meantime: run \
                 `engage webhooks replay` to catch up.",
            ),
        },
        SubscriptionCommand::List => {
            let views: Vec<SubscriptionView> = webhooks.list().await?.iter().map(view).collect();
            CommandOutput::success(report::subscription_list(&views), json!(views))
        }
        SubscriptionCommand::Show { id } => {
            let view = view(&webhooks.show(id.as_ref()).await?);
            CommandOutput::success(report::subscription_details(&view), json!(view))
        }
        SubscriptionCommand::Delete { id, force } => {
            let id = webhooks.delete(id.as_ref(), force).await?;
            CommandOutput::success(
                format!("The subscription {id} is deleted."),
                json!({ "deleted": id }),
            )
        }
        SubscriptionCommand::Test { id } => {
            let test = webhooks.test(id.as_ref()).await?;
            CommandOutput {
                message: report::test_result(test.status_code),
                value: json!({ "event_id": test.id, "status_code": test.status_code }),
                is_success: test.status_code == Some(200),
            }
        }
    })
}

fn change_output(webhooks: &Webhooks, change: &SubscriptionChange, message: &str) -> CommandOutput {
    let SubscriptionChange {
        subscription,
        deleted,
        was_interrupted,
    } = change;
    let view = SubscriptionView::new(subscription, webhooks.belongs_to_stack(subscription));
    let resumed = if *was_interrupted {
        "This finished an interrupted command.\n"
    } else {
        ""
    };

    CommandOutput::success(
        format!(
            "{resumed}{message}\n{}",
            report::subscription_details(&view)
        ),
        // Programs read `ended`: it keeps its name.
        json!({ "subscription": view, "ended": deleted, "was_interrupted": was_interrupted }),
    )
}

async fn replay(stack: &Stack, since: Option<Timestamp>) -> Result<CommandOutput> {
    if since.is_some_and(|since| since > runtime::clock::now()) {
        bail!("--since is in the future");
    }

    eprintln!("Making every organization due");
    let on_progress = |progress: &MakeDueProgress| {
        eprintln!("{} of {} so far", progress.made_due, progress.organizations);
    };
    let result = stack
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
    } = &result;
    let since = since.map(|since| since.to_string());
    let value = json!({
        "since": since,
        "organizations": organizations,
        "made_due": made_due,
        "unreadable": unreadable,
        "outcome": outcome,
        "queued": queued,
    });
    Ok(CommandOutput::success(
        report::replay_summary(&result, since.as_deref()),
        value,
    ))
}
