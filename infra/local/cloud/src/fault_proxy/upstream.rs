//! The HTTP server behind the fault proxy.

use std::io;

use http_body_util::{BodyExt, Full};
use hyper::{Response, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A request as the client sent it.
pub(super) type Request = hyper::Request<Full<Bytes>>;

/// Forwards each request over a new connection, so that a stale idle connection cannot break one.
pub(super) struct Upstream {
    address: String,
}

impl Upstream {
    pub(super) fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
        }
    }

    /// Returns the response with its complete body. `Err` means that the server is unreachable or
    /// closed the connection early.
    pub(super) async fn forward(&self, request: Request) -> io::Result<Response<Bytes>> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        let connection = tokio::spawn(connection);

        let response = sender
            .send_request(request)
            .await
            .map_err(io::Error::other)?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        connection.abort();

        Ok(Response::from_parts(head, body))
    }
}
