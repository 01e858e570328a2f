//! Batches of events, with the local AWS, and with a stub of AWS that records calls and refuses
//! those that a test chooses.

#[cfg(test)]
mod aws;
#[cfg(test)]
mod tables;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_lambda_events::event::sqs::SqsEvent;
    use runtime::{Deadline, Invocation, Metrics};
    use serde_json::{Value, json};
    use test_support::CapturedOutput;

    use crate::aws::{Aws, NOTICE_ID};

    /// HMAC-SHA256 of `marisol@kestrel.example` with the key of the tests. It is the recipient of
    /// the notice in the samples.
    const MARISOL: &str = "5c6901cf6939e75d33312b9660c194f7afd8ec899bc47e9f5076660ca3f84bd3";

    macro_rules! sample {
        ($name:literal) => {
            serde_json::from_str::<Value>(include_str!(concat!("../events/", $name, ".json")))
                .unwrap()
        };
    }

    #[tokio::test]
    async fn a_complaint_is_recorded_on_notice_and_contact() {
        let run =
            BatchRun::with_bodies(&Aws::accepting().await, &[sample!("complaint").to_string()])
                .await;

        assert_eq!(run.returned, json!([]));
        assert_eq!(
            run.aws.writes("notices"),
            [json!({ "status": "complained", "message_id": true })]
        );
        assert_eq!(run.aws.contacts(), [MARISOL]);
        assert_eq!(
            run.metrics,
            json!({ "feedback_complaint": 1.0, "contacts_suppressed": 1.0, "records_done": 1.0 })
        );
    }

    #[tokio::test]
    async fn the_address_of_the_notice_is_suppressed_with_the_one_that_bounced() {
        let mut event = sample!("bounce-permanent");
        event["detail"]["bounce"]["bouncedRecipients"][0]["emailAddress"] =
            json!("m.vega@forwarded.example");

        let run = BatchRun::with_bodies(&Aws::accepting().await, &[event.to_string()]).await;

        assert_eq!(run.aws.contacts().len(), 2);
        assert!(run.aws.contacts().contains(&MARISOL.to_owned()));
        assert_eq!(run.metrics["contacts_suppressed"], 2.0);
    }

    #[tokio::test]
    async fn of_several_recipients_only_those_that_bounced_are_suppressed() {
        let mut event = sample!("bounce-permanent");
        event["detail"]["mail"]["destination"] = json!([
            "marisol@kestrel.example",
            "tomas@kestrel.example",
            "ana@kestrel.example"
        ]);
        event["detail"]["bounce"]["bouncedRecipients"] = json!([
            { "emailAddress": "tomas@kestrel.example" },
            { "emailAddress": "Ana <ANA@kestrel.example>" },
        ]);

        let run = BatchRun::with_bodies(&Aws::accepting().await, &[event.to_string()]).await;

        assert_eq!(run.aws.contacts().len(), 2);
        assert!(!run.aws.contacts().contains(&MARISOL.to_owned()));
    }

    #[tokio::test]
    async fn an_event_without_a_notice_is_recorded_on_the_contact() {
        let mut event = sample!("bounce-transient");
        event["detail"]["mail"]["tags"] = json!({});

        let run = BatchRun::with_bodies(&Aws::accepting().await, &[event.to_string()]).await;

        assert_eq!(
            (run.aws.writes("notices"), run.aws.contacts()),
            (vec![], vec![MARISOL.to_owned()])
        );
        assert_eq!(
            run.metrics,
            json!({
                "feedback_bounce_transient": 1.0,
                "feedback_without_notice": 1.0,
                "records_done": 1.0,
            })
        );
    }

    #[tokio::test]
    async fn a_delivery_changes_only_the_notice_and_an_open_changes_nothing() {
        let mut opened = sample!("delivery");
        opened["detail"]["eventType"] = json!("Open");

        let run = BatchRun::with_bodies(
            &Aws::accepting().await,
            &[sample!("delivery").to_string(), opened.to_string()],
        )
        .await;

        assert_eq!(
            run.aws.writes("notices"),
            [json!({ "status": "delivered", "message_id": true })]
        );
        assert_eq!(run.aws.contacts(), [""; 0]);
        assert_eq!(
            run.metrics,
            json!({ "feedback_delivery": 1.0, "feedback_other": 1.0, "records_done": 2.0 })
        );
    }

    #[tokio::test]
    async fn an_unreadable_message_becomes_a_redacted_dead_letter() {
        let truncated = &sample!("complaint").to_string()[..1000];
        let run = BatchRun::with_bodies(
            &Aws::accepting().await,
            &[truncated.to_owned(), sample!("delivery").to_string()],
        )
        .await;

        assert_eq!(run.returned, json!([]));
        let reason = "not an event (Eof at line 1, column 1000)";
        assert_eq!(
            run.aws.dead_letters(),
            [json!({ "message_id": "id-0", "reason": reason })]
        );
        assert_eq!(
            run.metrics,
            json!({ "feedback_unreadable": 1.0, "feedback_delivery": 1.0, "records_done": 2.0 })
        );
        assert!(
            !run.aws.sqs_calls().contains("marisol"),
            "{}",
            run.aws.sqs_calls()
        );
        assert!(!run.logs.contains("marisol"), "{}", run.logs);
    }

    #[tokio::test]
    async fn a_permanent_store_error_becomes_a_dead_letter_with_ids() {
        let aws = Aws::refusing("notices", "ValidationException").await;
        let run = BatchRun::with_bodies(&aws, &[sample!("complaint").to_string()]).await;

        assert_eq!(
            (run.returned, run.aws.contacts()),
            (json!([]), vec![MARISOL.to_owned()])
        );
        let dead_letter = json!({
            "message_id": "id-0",
            "reason": "store_refused",
            "event": "feedback_complaint",
            "ses_message_id": "0100019abcdef012-3f1c2b7e-9d4a-4c55-8a0e-6b7c8d9e0f10-000000",
            "notice_id": NOTICE_ID,
        });
        assert_eq!(run.aws.dead_letters(), [dead_letter]);
        assert!(!run.aws.sqs_calls().contains("marisol") && !run.logs.contains("marisol"));
    }

    #[tokio::test]
    async fn a_recoverable_store_error_is_retried_without_limit() {
        let aws = Aws::refusing("contacts", "AccessDeniedException").await;
        let run = BatchRun::with_bodies(&aws, &[sample!("complaint").to_string()]).await;

        assert_eq!(
            (run.returned, run.aws.dead_letters()),
            (json!([{ "itemIdentifier": "id-0" }]), vec![])
        );
        assert_eq!(
            run.aws.writes("notices").len(),
            1,
            "the event is recorded on the notice"
        );
        assert_eq!(run.metrics, json!({ "records_retried": 1.0 }));
        assert!(
            run.logs.contains(r#""level":"WARN""#) && !run.logs.contains(r#""level":"ERROR""#),
            "{}",
            run.logs
        );

        let run = BatchRun::with_receive_count(&aws, &[sample!("complaint").to_string()], 20).await;

        assert_eq!(
            (run.returned, run.aws.dead_letters()),
            (json!([{ "itemIdentifier": "id-0" }]), vec![])
        );
        assert!(
            run.logs.contains(r#""level":"ERROR""#) && run.logs.contains("store_refused"),
            "{}",
            run.logs
        );
    }

    #[tokio::test]
    async fn a_message_is_retried_when_its_dead_letter_cannot_be_sent() {
        let aws = Aws::refusing("dead-letters", "AccessDeniedException").await;
        let run = BatchRun::with_bodies(&aws, &["marisol@kestrel.example".to_owned()]).await;

        assert_eq!(run.returned, json!([{ "itemIdentifier": "id-0" }]));
        assert!(!run.logs.contains("marisol"), "{}", run.logs);
    }

    /// The effects of one batch.
    struct BatchRun {
        aws: Aws,
        returned: Value,
        metrics: Value,
        logs: String,
    }

    impl BatchRun {
        async fn with_bodies(aws: &Aws, bodies: &[String]) -> Self {
            Self::with_receive_count(aws, bodies, 1).await
        }

        async fn with_receive_count(aws: &Aws, bodies: &[String], count: u32) -> Self {
            let logs = CapturedOutput::default();
            let _guard = runtime::telemetry::init_with_writer("debug", logs.clone());
            let records = bodies.iter().enumerate();
            let records: Vec<Value> = records
                .map(|(number, body)| {
                    json!({
                        "messageId": format!("id-{number}"),
                        "body": body,
                        "attributes": { "ApproximateReceiveCount": count.to_string() },
                    })
                })
                .collect();
            let event: SqsEvent = serde_json::from_value(json!({ "Records": records })).unwrap();
            let written = CapturedOutput::default();
            let metrics = Metrics::to_writer("record-feedback", "local", written.clone());

            let deadline = Deadline::after(Duration::from_mins(1));
            let invocation = Invocation::new("request".to_owned(), deadline, metrics.clone());
            let response = aws.recorder().handle(event, &invocation).await.unwrap();
            metrics.flush("request");

            let returned = serde_json::to_value(&response).unwrap()["batchItemFailures"].clone();
            Self {
                aws: aws.clone(),
                returned,
                metrics: nonzero_sums(&written.json_lines()[0]),
                logs: logs.text(),
            }
        }
    }

    /// The sums of a metrics object that are not zero.
    fn nonzero_sums(object: &Value) -> Value {
        let numbers = object
            .as_object()
            .unwrap()
            .iter()
            .filter(|(_, value)| value.as_f64().is_some_and(|sum| sum > 0.0));
        numbers
            .map(|(name, value)| (name.clone(), json!(value.as_f64())))
            .collect()
    }
}
