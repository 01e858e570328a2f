//! The kinds of errors, and what an error shows.

use store::{Organizations, StoreError, StoreErrorKind};

use crate::{
    fixtures::id,
    scripted::{ERROR_MESSAGE, ScriptedDynamoDb, error_response, internal_server_error},
};

#[tokio::test]
async fn errors_are_classified_and_contain_no_item_contents() {
    let kinds = [
        (internal_server_error(), StoreErrorKind::Unavailable, true),
        (
            error_response("ThrottlingException"),
            StoreErrorKind::Throttled,
            true,
        ),
        (
            error_response("AccessDeniedException"),
            StoreErrorKind::Refused,
            false,
        ),
        (
            error_response("ValidationException"),
            StoreErrorKind::InvalidRequest,
            false,
        ),
    ];
    for (response, kind, is_retryable) in kinds {
        let dynamodb = ScriptedDynamoDb::start(vec![response; 4]).await;

        let error: StoreError = dynamodb.organizations().get(&id(1)).await.unwrap_err();

        assert_eq!((error.kind(), error.is_retryable()), (kind, is_retryable));
        assert!(
            !format!("{error} {error:?}").contains(ERROR_MESSAGE),
            "{error:?}"
        );
        assert!(error.to_string().contains("request R7"), "{error}");
    }
}

#[tokio::test]
async fn an_unreachable_dynamodb_is_a_retryable_error() {
    let client = store::client(&test_support::sdk_config("http://127.0.0.1:1"));
    let organizations = Organizations::new(client, "organizations".to_owned());

    let error = organizations.get(&id(1)).await.unwrap_err();

    assert_eq!(
        (error.kind(), error.is_retryable()),
        (StoreErrorKind::Unavailable, true)
    );
}
