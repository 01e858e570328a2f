//! The way of a request: which operation, whose organization, within the limits, broken on demand,
//! answered.

use std::{io, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    http::Response,
};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::sleep,
};

use crate::{
    SandboxState,
    answers::{Answer, ErrorResponse, UNKNOWN_CODE},
    control,
    endpoints::{self, Call},
    faults::FaultKind,
};

/// Serves until the task is aborted, which closes all connections too.
pub(crate) async fn serve(listener: TcpListener, shared: Arc<SandboxState>) {
    let router = Router::new()
        .nest("/_sandbox", control::router())
        .nest("/connect/_sandbox", control::router())
        .fallback(answer)
        .with_state(shared);
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                connections.spawn(serve_connection(stream, router.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(Duration::from_millis(50)).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Answers the requests of one connection. An answer marked [`Reset`] is never sent: hyper closes a
/// connection whose service fails.
async fn serve_connection(stream: TcpStream, router: Router) {
    // Answers are small: waiting to fill a packet would add 40 ms to each.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let answer = TowerToHyperService::new(router.clone()).call(request);
        async move {
            let Ok(response) = answer.await;
            if response.extensions().get::<Reset>().is_some() {
                return Err(io::Error::from(io::ErrorKind::ConnectionReset));
            }
            Ok(response)
        }
    });
    if let Err(error) = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await
    {
        tracing::debug!(%error, "a connection ended early");
    }
}

/// Marks an answer that must not be sent.
#[derive(Clone, Copy)]
struct Reset;

/// Any request outside the control API.
async fn answer(State(shared): State<Arc<SandboxState>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let now = shared.clock.now();
    let body = to_bytes(body, MAX_BODY_BYTES).await.unwrap_or_default();
    let Some(call) = Call::read(&head, &body, now) else {
        shared.statistics.lock().request(None);
        return send(
            &shared,
            ErrorResponse::new(404, "BDC_1121").into_api_response(now),
        );
    };
    shared.statistics.lock().request(Some(call.operation));
    let organization_id = endpoints::target_organization_id(&shared, &call);
    let under_way = organization_id.as_deref().map(|id| {
        let under_way = shared.limits.enter(id);
        shared
            .statistics
            .lock()
            .organization(id, under_way.concurrent);
        under_way
    });
    let switches = shared.switches.read().clone();
    if switches.latency_ms > 0 {
        sleep(Duration::from_millis(switches.latency_ms)).await;
    }

    let fault = shared
        .faults
        .lock()
        .take_matching(call.operation, organization_id.as_deref());
    match &fault {
        Some(FaultKind::Status {
            status,
            code,
            retry_after,
        }) => {
            let code = code.as_deref().unwrap_or(if *status >= 500 {
                "BDC_1001"
            } else {
                UNKNOWN_CODE
            });
            return send(
                &shared,
                ErrorResponse::new(*status, code)
                    .retry_after(*retry_after)
                    .into_api_response(now),
            );
        }
        Some(FaultKind::Html { status }) => return send(&shared, Answer::html(*status)),
        Some(FaultKind::Reset) => {
            let mut response = Response::new(Body::empty());
            response.extensions_mut().insert(Reset);
            return response;
        }
        Some(FaultKind::Delay { milliseconds }) => {
            sleep(Duration::from_millis(*milliseconds)).await;
        }
        Some(FaultKind::Truncated) | None => {}
    }

    let concurrent = under_way
        .as_ref()
        .map_or(0, |under_way| under_way.concurrent);
    let mut answer = if !shared.limits.take_request(now, switches.hourly_limit) {
        let message = format!(
            "Max number of allowed requests per hour reached: {}.",
            switches.hourly_limit
        );
        hourly_limit_error("BDC_1144", &message, &switches).into_api_response(now)
    } else if concurrent > switches.concurrent_limit {
        ErrorResponse::new(switches.limit_status, "BDC_1322")
            .retry_after(switches.retry_after)
            .into_api_response(now)
    } else {
        endpoints::answer(&shared, &call, &switches)
            .await
            .unwrap_or_else(|refusal| refusal.into_api_response(now))
    };
    if fault == Some(FaultKind::Truncated) {
        answer.truncate();
    }
    send(&shared, answer)
}

/// A refusal by the hourly limit.
pub(crate) fn hourly_limit_error(
    code: &str,
    message: &str,
    switches: &crate::Switches,
) -> ErrorResponse {
    ErrorResponse::with_message(switches.limit_status, code, message)
        .retry_after(switches.retry_after)
}

fn send(shared: &SandboxState, answer: Answer) -> Response<Body> {
    if !answer.codes.is_empty() {
        let mut statistics = shared.statistics.lock();
        answer.codes.iter().for_each(|code| statistics.error(code));
    }
    answer.into_response()
}

/// Bytes of a request body; no body of the contract comes near.
const MAX_BODY_BYTES: usize = 1 << 20;
