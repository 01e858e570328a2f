//! The other end of the mail: an SMTP server (RFC 5321) that keeps whole messages.

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
const PATIENCE: Duration = Duration::from_mins(1);

/// A running SMTP server on 127.0.0.1. It ends when dropped.
pub struct Mailbox {
    address: SocketAddr,
    messages: watch::Receiver<Vec<Vec<u8>>>,
    server: JoinHandle<()>,
}

impl Mailbox {
    /// Starts on a free port.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let (keep, messages) = watch::channel(Vec::new());
        Ok(Self {
            address,
            messages,
            server: tokio::spawn(serve(listener, keep)),
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// All messages as they came, without the transparency dots of SMTP, once there are at least
    /// `expected`.
    pub async fn received(&self, expected: usize) -> Result<Vec<Vec<u8>>> {
        let mut messages = self.messages.clone();
        let enough = timeout(
            PATIENCE,
            messages.wait_for(|messages| messages.len() >= expected),
        )
        .await;
        let came = || {
            format!(
                "{} of {expected} messages came",
                self.messages.borrow().len()
            )
        };
        Ok(enough.with_context(came)?.with_context(came)?.clone())
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, keep: watch::Sender<Vec<Vec<u8>>>) {
    let mut sessions = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        sessions.spawn(converse(stream, keep.clone()));
    }
}

async fn converse(mut stream: TcpStream, keep: watch::Sender<Vec<Vec<u8>>>) -> io::Result<()> {
    stream.write_all(b"220 mailbox\r\n").await?;
    let mut session = Session {
        keep,
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
        while let Some(reply) = session.take(&mut bytes) {
            stream.write_all(format!("{reply}\r\n").as_bytes()).await?;
            if reply == CLOSING_REPLY {
                return Ok(());
            }
        }
    }
}

const CLOSING_REPLY: &str = "221 goodbye";

struct Session {
    keep: watch::Sender<Vec<Vec<u8>>>,
    commands: RequestReceiver,
    /// Under way after DATA.
    message: Option<(DataReceiver, Vec<u8>)>,
}

impl Session {
    /// Takes one command or message, and replies; none when more bytes are needed for that.
    fn take(&mut self, bytes: &mut slice::Iter<'_, u8>) -> Option<&'static str> {
        if bytes.as_slice().is_empty() {
            return None;
        }
        if let Some((receiver, message)) = &mut self.message {
            if !receiver.ingest(bytes, message) {
                return None;
            }
            let message = std::mem::take(message);
            self.message = None;
            self.keep.send_modify(|messages| messages.push(message));
            return Some("250 kept");
        }
        match self.commands.ingest(bytes) {
            Ok(Request::Data) => {
                self.message = Some((DataReceiver::new(), Vec::new()));
                Some("354 go ahead")
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
            Ok(_) => Some("502 not here"),
            Err(Error::NeedsMoreData { .. }) => None,
            Err(_) => Some("500 not understood"),
        }
    }
}

#[tokio::test]
async fn smtp_server_keeps_messages_byte_for_byte_for_any_chunking() -> Result<()> {
    let mailbox = Mailbox::start().await?;
    let session = "EHLO test\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n\
        Subject: dots\r\n\r\n..one\r\nno. dot.\r\n...\r\n.\r\n\
        MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nsecond\r\n.\r\nQUIT\r\n";
    for chunk in [session.len(), 7, 1] {
        let mut stream = TcpStream::connect(mailbox.address()).await?;
        stream.set_nodelay(true)?;
        for bytes in session.as_bytes().chunks(chunk) {
            stream.write_all(bytes).await?;
            tokio::task::yield_now().await;
        }
        let mut said = String::new();
        stream.read_to_string(&mut said).await?;
        let codes: Vec<&str> = said.lines().map(|line| &line[..3]).collect();
        assert_eq!(
            codes,
            [
                "220", "250", "250", "250", "354", "250", "250", "250", "354", "250", "221"
            ]
        );
    }
    let kept = [
        "Subject: dots\r\n\r\n.one\r\nno. dot.\r\n..\r\n",
        "second\r\n",
    ]
    .map(|message| message.as_bytes().to_vec());
    let received = mailbox.received(6).await?;
    assert!(
        received.len() == 6 && received.chunks(2).all(|messages| messages == kept),
        "{received:?}"
    );
    Ok(())
}
