//! Makes servers on this machine's loopback interface reachable from containers.
//!
//! `sam local invoke` cannot run a container in the host's network: `--docker-network host` leaves
//! it on Docker's bridge network. In the container, `localhost` therefore also resolves to the
//! host's address on the bridge network. This module forwards connections from that address to
//! loopback.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Context, Result};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    process::Command,
    task::JoinSet,
};

/// Forwards connections until it is dropped.
pub(crate) struct LoopbackForwarder {
    _forwarders: JoinSet<()>,
}

impl LoopbackForwarder {
    /// Makes these loopback ports reachable from containers as `localhost` with the same port.
    ///
    /// Only containers can reach the host's address on the bridge network. If Docker runs in its
    /// own virtual machine, this machine does not have that address and Docker forwards the
    /// connections itself; a port that cannot be bound is therefore skipped. `Err` means that
    /// Docker does not report the address.
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
                // Both ends see a broken connection themselves.
                let _ = copy_bidirectional(&mut from, &mut to).await;
            }
        });
    }
}

/// The host's address on Docker's bridge network: the gateway or, when Docker reports none, the
/// first address of the subnet.
async fn host_address() -> Result<IpAddr> {
    let format = "{{range .IPAM.Config}}{{.Gateway}} {{.Subnet}}{{end}}";
    let output = Command::new("docker")
        .args(["network", "inspect", "bridge", "--format", format])
        .output()
        .await?;
    let stdout = String::from_utf8_lossy(&output.stdout);

    parse_host_address(&stdout)
        .with_context(|| format!("docker reports no address of its bridge network: {stdout}"))
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
