//! The faults of AWS.

use std::collections::BTreeMap;

use local_cloud::{AwsCall, AwsFault};

/// DynamoDB fails at most this many attempts at one operation, fewer than the four attempts of the
/// SDK. notify calls SES without retries.
const MAX_FAULTY_ATTEMPTS: u32 = 2;

/// The fault of each call, by the number of calls to the same operation.
pub fn fault_plan() -> impl FnMut(&AwsCall) -> AwsFault + Send {
    let mut counts = BTreeMap::<String, u64>::new();

    move |call| {
        if call.attempt > MAX_FAULTY_ATTEMPTS {
            return AwsFault::PassThrough;
        }
        let count = counts.entry(call.operation.clone()).or_default();
        *count += 1;

        match (call.operation.as_str(), *count % 40) {
            ("ses.SendEmail", 3 | 4 | 17 | 18 | 31) => {
                AwsFault::error_response(429, "TooManyRequestsException")
            }
            ("ses.SendEmail", 7) => AwsFault::error_response(500, "InternalFailure"),
            ("ses.SendEmail", 11) => AwsFault::DropRequest,
            ("ses.SendEmail", 22) => AwsFault::error_response(400, "MessageRejected"),
            ("ses.SendEmail", 14 | 27)
            | ("dynamodb.TransactWriteItems" | "dynamodb.UpdateItem", 5) => AwsFault::DropResponse,
            ("dynamodb.TransactWriteItems" | "dynamodb.UpdateItem", 19) => {
                AwsFault::error_response(400, "ThrottlingException")
            }
            ("dynamodb.TransactWriteItems" | "dynamodb.UpdateItem" | "dynamodb.Query", 33) => {
                AwsFault::error_response(500, "InternalServerError")
            }
            _ => AwsFault::PassThrough,
        }
    }
}
