//! `pixmill health`: asks the process of this machine or container whether it is ready. For container health checks,
//! where there is no curl.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::config::{Config, Flags};
use crate::output;

/// A process that takes longer is not ready. Longer than it takes to find out that broker or store do not answer.
const PATIENCE: Duration = Duration::from_secs(4);
/// No answer of ours is longer, bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

pub(super) fn run(flags: &Flags) -> anyhow::Result<ExitCode> {
    let (config, _) = Config::resolve_silently(flags)?;
    let address = address(&config)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    // Within the runtime, whose clock it needs.
    let asked = runtime.block_on(async { timeout(PATIENCE, ask(address)).await });
    let (status, body) = asked
        .with_context(|| format!("{address} does not answer within {} s", PATIENCE.as_secs()))?
        .with_context(|| format!("{address} does not answer"))?;
    if status == StatusCode::OK {
        output::print(&format!("{address} is ready\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let problem: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let detail = problem["detail"].as_str().unwrap_or("it does not say why");
    let code = problem["code"].as_str().unwrap_or("unknown");
    bail!("{address} is not ready: {detail} ({code})")
}

/// Where the process of these settings answers: at its address for probes when it has one, otherwise where clients do.
fn address(config: &Config) -> anyhow::Result<SocketAddr> {
    let mut address = config
        .operations
        .metrics_listen
        .as_ref()
        .unwrap_or(&config.server.listen)
        .0;
    if address.port() == 0 {
        bail!("the port of {address} is 0, which takes any free one: expected the port the process listens on");
    }
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    Ok(address)
}

async fn ask(address: SocketAddr) -> anyhow::Result<(StatusCode, Bytes)> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::get("/readyz")
        .header(header::HOST, address.to_string())
        .body(Empty::<Bytes>::new())?;
    let answered = async {
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), MAX_BODY_BYTES).collect().await;
        let body = body.map_err(|error| anyhow::anyhow!(error))?;
        anyhow::Ok((status, body.to_bytes()))
    };
    tokio::pin!(answered);
    tokio::select! {
        biased;
        answer = &mut answered => answer,
        _ = connection => answered.await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::all_settings;

    #[test]
    fn the_address_is_the_one_for_probes_or_the_one_for_clients() {
        for (settings, expected) in [
            (&[("listen", "127.0.0.1:8001")][..], Some("127.0.0.1:8001")),
            (
                &[("listen", "127.0.0.1:8001"), ("metrics_listen", "0.0.0.0:9000")],
                Some("127.0.0.1:9000"),
            ),
            (&[("metrics_listen", "[::]:9000")], Some("[::1]:9000")),
            (&[("metrics_listen", "127.0.0.1:0")], None),
        ] {
            let values = settings.iter().map(|(name, value)| {
                let setting = all_settings().find(|setting| setting.name == *name).unwrap();
                (setting, (*value).to_owned())
            });
            let flags = Flags {
                file: None,
                values: values.collect(),
            };
            let (config, _) = Config::resolve(&flags).unwrap();
            assert_eq!(
                address(&config).ok(),
                expected.map(|text| text.parse().unwrap()),
                "{settings:?}"
            );
        }
    }
}
