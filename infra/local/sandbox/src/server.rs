//! The HTTP server: accepts connections, counts requests, and applies faults and request limits.

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
    control, endpoints,
    faults::FaultKind,
    limits::InFlightRequest,
    operations::Operation,
    request::ApiRequest,
    responses::{ApiResponse, ErrorResponse, UNKNOWN_CODE},
    state::SandboxState,
    switches::Switches,
};

/// Bytes that are read of a request body. Every body of the contract is much smaller.
const MAX_BODY_BYTES: usize = 1 << 20;

/// Serves until the task is aborted, which also closes all connections.
pub(crate) async fn serve(listener: TcpListener, state: Arc<SandboxState>) {
    let router = Router::new()
        .nest("/_sandbox", control::router())
        .nest("/connect/_sandbox", control::router())
        .fallback(handle_request)
        .with_state(state);

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

/// Serves the requests of one connection. A response marked with [`AbortConnection`] is not sent:
/// hyper closes the connection when the service returns an error.
async fn serve_connection(stream: TcpStream, router: Router) {
    // Responses are small. With Nagle's algorithm each one would be delayed by up to 40 ms.
    if stream.set_nodelay(true).is_err() {
        return;
    }

    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let response = TowerToHyperService::new(router.clone()).call(request);
        async move {
            let Ok(response) = response.await;
            if response.extensions().get::<AbortConnection>().is_some() {
                return Err(io::Error::from(io::ErrorKind::ConnectionReset));
            }
            Ok(response)
        }
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);

    if let Err(error) = connection.await {
        tracing::debug!(%error, "connection closed before the response was complete");
    }
}

/// Marks a response that must not be sent.
#[derive(Clone, Copy)]
struct AbortConnection;

/// Handles every request outside the control API.
async fn handle_request(
    State(state): State<Arc<SandboxState>>,
    request: Request,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    let now = state.clock.now();
    let body = to_bytes(body, MAX_BODY_BYTES).await.unwrap_or_default();
    let Some(request) = ApiRequest::parse(&head, &body, now) else {
        state.statistics.lock().count_request(None);
        let error = ErrorResponse::new(404, "BDC_1121");
        return send(&state, error.into_api_response(now));
    };

    state
        .statistics
        .lock()
        .count_request(Some(request.operation));
    let organization_id = request.target_organization_id(&state.sessions.lock());
    let in_flight = organization_id
        .as_deref()
        .map(|id| start_organization_request(&state, id, request.operation));

    let switches = state.switches.read().clone();
    if switches.latency_ms > 0 {
        sleep(Duration::from_millis(switches.latency_ms)).await;
    }

    let fault = state
        .faults
        .lock()
        .take_matching(request.operation, organization_id.as_deref());
    if let Some(response) = apply_fault(&state, fault.as_ref(), &request).await {
        return response;
    }

    let result = match check_limits(&state, &request, &switches, in_flight.as_ref()) {
        Ok(()) => endpoints::dispatch(&state, &request, &switches).await,
        Err(error) => Err(error),
    };
    let mut response = result.unwrap_or_else(|error| error.into_api_response(now));
    if fault == Some(FaultKind::Truncated) {
        response.truncate();
    }

    send(&state, response)
}

/// Counts a request about this organization as in flight until the result is dropped.
fn start_organization_request(
    state: &SandboxState,
    organization_id: &str,
    operation: Operation,
) -> InFlightRequest {
    let in_flight = state.limits.start_request(organization_id);
    state
        .statistics
        .lock()
        .count_organization(organization_id, operation, in_flight.concurrent);

    in_flight
}

/// The response that the fault sends instead of the operation's. `None` means that the operation is
/// carried out, after the delay of [`FaultKind::Delay`].
async fn apply_fault(
    state: &SandboxState,
    fault: Option<&FaultKind>,
    request: &ApiRequest,
) -> Option<Response<Body>> {
    match fault? {
        FaultKind::Status {
            status,
            code,
            retry_after,
        } => {
            let default_code = if *status >= 500 {
                "BDC_1001"
            } else {
                UNKNOWN_CODE
            };
            let error = ErrorResponse::new(*status, code.as_deref().unwrap_or(default_code))
                .retry_after(*retry_after);
            Some(send(state, error.into_api_response(request.now)))
        }
        FaultKind::Html { status } => Some(send(state, ApiResponse::html(*status))),
        FaultKind::Reset => {
            let mut response = Response::new(Body::empty());
            response.extensions_mut().insert(AbortConnection);
            Some(response)
        }
        FaultKind::Delay { milliseconds } => {
            sleep(Duration::from_millis(*milliseconds)).await;
            None
        }
        FaultKind::Truncated => None,
    }
}

/// Counts the request in its clock hour. `Err` means that the hourly limit or the limit of
/// concurrent requests is exceeded.
fn check_limits(
    state: &SandboxState,
    request: &ApiRequest,
    switches: &Switches,
    in_flight: Option<&InFlightRequest>,
) -> Result<(), ErrorResponse> {
    if !state
        .limits
        .take_request(request.now, switches.hourly_limit)
    {
        let message = format!(
            "Max number of allowed requests per hour reached: {}.",
            switches.hourly_limit
        );
        return Err(ErrorResponse::hourly_limit(&message, switches));
    }

    let concurrent = in_flight.map_or(0, |in_flight| in_flight.concurrent);
    if concurrent > switches.concurrent_limit {
        return Err(
            ErrorResponse::new(switches.limit_status, "BDC_1322").retry_after(switches.retry_after)
        );
    }

    Ok(())
}

/// Counts the response's error codes and converts it.
fn send(state: &SandboxState, response: ApiResponse) -> Response<Body> {
    if !response.codes.is_empty() {
        let mut statistics = state.statistics.lock();
        response
            .codes
            .iter()
            .for_each(|code| statistics.count_error(code));
    }

    response.into_response()
}
