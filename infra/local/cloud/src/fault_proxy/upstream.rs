//! The server behind the proxy.

use std::io;

use http_body_util::{BodyExt, Full};
use hyper::{Response, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A request as it came from the client.
pub(super) type Request = hyper::Request<Full<Bytes>>;

/// Asked over a connection of its own for each request, so that no idle connection can break one.
pub(super) struct Upstream {
    address: String,
}

impl Upstream {
    pub(super) fn new(address: &str) -> Self {
        Self {
            address: address.to_owned(),
        }
    }

    /// The answer with its whole body. `Err`: the server cannot be reached, or broke off.
    pub(super) async fn ask(&self, request: Request) -> io::Result<Response<Bytes>> {
        let stream = TcpStream::connect(&self.address).await?;
        stream.set_nodelay(true)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(io::Error::other)?;
        let connection = tokio::spawn(connection);
        let answer = sender
            .send_request(request)
            .await
            .map_err(io::Error::other)?;
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
        connection.abort();
        Ok(Response::from_parts(head, body))
    }
}
