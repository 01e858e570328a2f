use reqwest::header::HeaderValue;

use super::*;

fn error_of(operation: Operation, status: u16, body: &str) -> Error {
    let response = ApiResponse {
        status,
        body: body.to_owned(),
        retry_after: None,
    };
    response.parse(operation, ignore_body).unwrap_err()
}

#[test]
fn error_code_takes_precedence_over_status() {
    for (code, kind) in [
        ("BDC_1109", ErrorKind::SessionExpired),
        ("BDC_1101", ErrorKind::BadCredentials),
        ("BDC_1102", ErrorKind::BadCredentials),
        ("BDC_1144", ErrorKind::HourExhausted),
        ("BDC_1322", ErrorKind::TooManyAtOnce),
        ("BDC_1361", ErrorKind::UntrustedSession),
    ] {
        for status in [400, 401, 403, 404, 422, 429, 500, 503] {
            let body = format!(
                concat!(
                    r#"[{{"timestamp":"t","code":"{code}","#,
                    r#""severity":"ERROR","category":"REQUEST"}}]"#
                ),
                code = code
            );
            assert_eq!(
                error_of(Operation::ListPayments, status, &body).kind(),
                kind,
                "{code} {status}"
            );
            let single = format!(r#"{{"code":"{code}"}}"#);
            assert_eq!(
                error_of(Operation::PartnerLogin, status, &single).kind(),
                kind,
                "{code} {status}"
            );
        }
    }
}

#[test]
fn status_decides_without_a_known_code() {
    for body in [
        "",
        "<html><body>BDC_1144</body></html>",
        "[]",
        "{}",
        "[{\"code\":",
        "[{\"code\":\"BDC_9999\"}]",
        "null",
        "[7]",
    ] {
        // A page that is not BILL's own says nothing about the call.
        let rejected = if body.contains("BDC_9999") {
            ErrorKind::Refused
        } else {
            ErrorKind::BadAnswer
        };
        for (status, kind) in [
            (301, rejected),
            (400, rejected),
            (401, ErrorKind::SessionExpired),
            (403, rejected),
            (404, rejected),
            (408, ErrorKind::Unavailable),
            (422, rejected),
            (429, ErrorKind::Unavailable),
            (500, ErrorKind::Unavailable),
            (503, ErrorKind::Unavailable),
            (599, ErrorKind::Unavailable),
        ] {
            assert_eq!(
                error_of(Operation::ListPayments, status, body).kind(),
                kind,
                "{status} {body}"
            );
        }
        assert_eq!(
            error_of(Operation::PartnerLogin, 401, body).kind(),
            ErrorKind::BadCredentials
        );
        assert_eq!(
            error_of(Operation::LoginAsUser, 401, body).kind(),
            ErrorKind::SessionExpired
        );
    }
}

#[test]
fn strictest_of_several_codes_decides() {
    let exhausted = error_of(
        Operation::ListPayments,
        422,
        r#"[{"code":"BDC_1322"},{"code":"BDC_1144"},{"code":"BDC_1002"}]"#,
    );
    assert_eq!(exhausted.kind(), ErrorKind::HourExhausted);
    assert_eq!(exhausted.codes().len(), 3);

    let rejected = error_of(
        Operation::ListPayments,
        422,
        r#"[{"code":"BDC_1109"},{"code":"BDC_1102"}]"#,
    );
    assert_eq!(rejected.kind(), ErrorKind::BadCredentials);
}

#[test]
fn error_contains_no_text_of_the_response() {
    let body = concat!(
        r#"[{"code":"BDC_1002","message":"PRIVATE","detail":"PRIVATE","#,
        r#""params":[{"name":"PRIVATE","value":"PRIVATE"}]},"#,
        r#"{"code":"PRIVATE PERSON"},{"code":"BDC_private"},{"code":7}]"#
    );

    let error = error_of(Operation::ListPayments, 400, body);
    assert_eq!(
        error.to_string(),
        "listPayments: request is refused, status 400, BDC_1002"
    );
    assert!(!format!("{error:?}").to_lowercase().contains("private"));
}

#[test]
fn error_array_with_status_200_is_an_error() {
    let response = ApiResponse {
        status: 200,
        body: r#"[{"code":"BDC_1144"}]"#.to_owned(),
        retry_after: None,
    };

    let error = response
        .parse::<()>(Operation::ListPayments, |_| Err(Cause::UnexpectedJson))
        .unwrap_err();

    assert_eq!(error.kind(), ErrorKind::HourExhausted);
}

#[test]
fn retry_after_is_seconds_or_a_date() {
    let parse = |value: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(value));
        headers.insert(
            DATE,
            HeaderValue::from_static("Wed, 21 Oct 2026 07:28:00 GMT"),
        );
        parse_retry_after(&headers)
    };
    assert_eq!(parse("120"), Some(Duration::from_mins(2)));
    assert_eq!(
        parse("Wed, 21 Oct 2026 07:28:09 GMT"),
        Some(Duration::from_secs(9))
    );
    assert_eq!(parse("Wed, 21 Oct 2026 07:27:00 GMT"), Some(Duration::ZERO));
    for invalid in ["", "soon", "-1", "1.5", "99999999999999999999999"] {
        assert_eq!(parse(invalid), None, "{invalid}");
    }
}
