//! An SMTP server (RFC 5321) that keeps the messages it receives, byte for byte.

use std::{io, net::SocketAddr, slice, time::Duration};

use anyhow::{Context, Result};
use smtp_proto::{
    Error, Request,
    request::receiver::{DataReceiver, RequestReceiver},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
    time::timeout,
};

/// A time-out for hangs only.
const RECEIVE_TIMEOUT: Duration = Duration::from_mins(1);

/// The reply to QUIT (RFC 5321, section 4.2.3).
const CLOSING_REPLY: &str = "221 closing";

/// A running SMTP server on 127.0.0.1. It stops when dropped.
pub struct SmtpServer {
    address: SocketAddr,
    messages: watch::Receiver<Vec<Vec<u8>>>,
    server: JoinHandle<()>,
}

impl SmtpServer {
    /// Starts on a free port.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (sender, messages) = watch::channel(Vec::new());

        Ok(Self {
            address,
            messages,
            server: tokio::spawn(serve(listener, sender)),
        })
    }

    /// The address on which the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits for at least `expected` messages and returns all of them as they were received,
    /// without the transparency dots of SMTP.
    pub async fn received(&self, expected: usize) -> Result<Vec<Vec<u8>>> {
        let mut messages = self.messages.clone();
        let received = timeout(
            RECEIVE_TIMEOUT,
            messages.wait_for(|messages| messages.len() >= expected),
        )
        .await;

        let count = || {
            format!(
                "received {} of {expected} messages",
                self.messages.borrow().len()
            )
        };
        Ok(received.with_context(count)?.with_context(count)?.clone())
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, sender: watch::Sender<Vec<Vec<u8>>>) {
    let mut sessions = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        sessions.spawn(serve_session(stream, sender.clone()));
    }
}

async fn serve_session(
    mut stream: TcpStream,
    sender: watch::Sender<Vec<Vec<u8>>>,
) -> io::Result<()> {
    stream.write_all(b"220 ready\r\n").await?;
    let mut session = Session {
        sender,
        commands: RequestReceiver::default(),
        message: None,
    };
    let mut buffer = vec![0; 16 * 1024];

    loop {
        let length = stream.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }

        let mut bytes = buffer[..length].iter();
        while let Some(reply) = session.process(&mut bytes) {
            stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
            if reply == CLOSING_REPLY {
                return Ok(());
            }
        }
    }
}

struct Session {
    sender: watch::Sender<Vec<Vec<u8>>>,
    commands: RequestReceiver,
    /// The message in progress after DATA.
    message: Option<(DataReceiver, Vec<u8>)>,
}

impl Session {
    /// Consumes one command or message and returns the reply; `None` when it needs more bytes.
    fn process(&mut self, bytes: &mut slice::Iter<'_, u8>) -> Option<&'static str> {
        if bytes.as_slice().is_empty() {
            return None;
        }

        if let Some((receiver, message)) = &mut self.message {
            if !receiver.ingest(bytes, message) {
                return None;
            }
            let message = std::mem::take(message);
            self.message = None;
            self.sender.send_modify(|messages| messages.push(message));
            return Some("250 accepted");
        }

        match self.commands.ingest(bytes) {
            Ok(Request::Data) => {
                self.message = Some((DataReceiver::new(), Vec::new()));
                Some("354 start mail input")
            }
            Ok(Request::Quit) => Some(CLOSING_REPLY),
            Ok(
                Request::Ehlo { .. }
                | Request::Helo { .. }
                | Request::Mail { .. }
                | Request::Rcpt { .. }
                | Request::Rset
                | Request::Noop { .. },
            ) => Some("250 ok"),
            Ok(_) => Some("502 not implemented"),
            Err(Error::NeedsMoreData { .. }) => None,
            Err(_) => Some("500 syntax error"),
        }
    }
}

#[tokio::test]
async fn smtp_server_keeps_messages_byte_for_byte_for_any_chunking() -> Result<()> {
    let server = SmtpServer::start().await?;
    let session = "EHLO test\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n\
        Subject: dots\r\n\r\n..one\r\nno. dot.\r\n...\r\n.\r\n\
        MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nsecond\r\n.\r\nQUIT\r\n";

    for chunk in [session.len(), 7, 1] {
        let mut stream = TcpStream::connect(server.address()).await?;
        stream.set_nodelay(true)?;
        for bytes in session.as_bytes().chunks(chunk) {
            stream.write_all(bytes).await?;
            tokio::task::yield_now().await;
        }

        let mut replies = String::new();
        stream.read_to_string(&mut replies).await?;
        let codes: Vec<&str> = replies.lines().map(|line| &line[..3]).collect();
        assert_eq!(
            codes,
            [
                "220", "250", "250", "250", "354", "250", "250", "250", "354", "250", "221"
            ]
        );
    }

    let expected = [
        "Subject: dots\r\n\r\n.one\r\nno. dot.\r\n..\r\n",
        "second\r\n",
    ]
    .map(|message| message.as_bytes().to_vec());
    let received = server.received(6).await?;
    assert!(
        received.len() == 6 && received.chunks(2).all(|messages| messages == expected),
        "{received:?}"
    );
    Ok(())
}
