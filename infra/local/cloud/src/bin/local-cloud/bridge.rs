//! A way from a container to servers that listen on this machine's loopback alone.
//!
//! `sam local invoke` cannot put a container into the host's network (`--docker-network host`
//! leaves it on Docker's bridge), so in the container `localhost` gets a second address, that of
//! the host on the bridge, and what arrives there is handed on to loopback.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Context, Result};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    process::Command,
    task::JoinSet,
};

/// Hands connections on while it lives.
pub(crate) struct LoopbackForwarder {
    _forwarders: JoinSet<()>,
}

impl LoopbackForwarder {
    /// Makes these loopback ports reachable from containers, under the same numbers, by the name
    /// `localhost`.
    ///
    /// The host's address on the bridge is not routed to anywhere else. Where Docker runs in a
    /// virtual machine of its own that address is not ours, and Docker does the handing on.
    pub(crate) async fn open(ports: [u16; 2]) -> Result<Self> {
        let mut forwarders = JoinSet::new();
        let host = host_address().await?;
        for port in ports {
            if let Ok(listener) = TcpListener::bind((host, port)).await {
                forwarders.spawn(forward(listener, port));
            }
        }
        Ok(Self {
            _forwarders: forwarders,
        })
    }
}

async fn forward(listener: TcpListener, port: u16) {
    while let Ok((mut from, _)) = listener.accept().await {
        tokio::spawn(async move {
            if let Ok(mut to) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
                // A broken connection is the business of its two ends.
                let _ = copy_bidirectional(&mut from, &mut to).await;
            }
        });
    }
}

/// The host's address on Docker's bridge: the gateway, which is the first address of the subnet
/// unless Docker says otherwise.
async fn host_address() -> Result<IpAddr> {
    let format = "{{range .IPAM.Config}}{{.Gateway}} {{.Subnet}}{{end}}";
    let output = Command::new("docker")
        .args(["network", "inspect", "bridge", "--format", format])
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stdout);
    parse_host_address(&said)
        .with_context(|| format!("docker does not tell the address of its bridge: {said}"))
}

fn parse_host_address(gateway_and_subnet: &str) -> Option<IpAddr> {
    let mut words = gateway_and_subnet.split_whitespace();
    let first = words.next()?;
    if let Ok(gateway) = first.parse() {
        return Some(gateway);
    }
    let network: Ipv4Addr = first.split('/').next()?.parse().ok()?;
    Some(IpAddr::V4(Ipv4Addr::from_bits(network.to_bits() + 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_address_is_the_gateway_or_first_subnet_address() {
        let expected = Some(IpAddr::from([172, 17, 0, 1]));
        assert_eq!(parse_host_address("172.17.0.1 172.17.0.0/16\n"), expected);
        assert_eq!(parse_host_address(" 172.17.0.0/16\n"), expected);
        assert_eq!(parse_host_address("\n"), None);
    }
}
