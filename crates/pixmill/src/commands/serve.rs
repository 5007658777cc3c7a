//! `pixmill serve`, `gateway` and `worker`: both parts in one process, or each in its own.

use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail};
use pixmill_blob::AssetFolder;
use pixmill_gateway::{Gateway, GatewayOptions};
use pixmill_types::Causes;
use pixmill_worker::Worker;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::services::{Opened, gateway_options, kept, worker_options};
use crate::config::value::{Auto, BrokerKind};
use crate::config::{Config, Flags};
use crate::stop::StopSignals;
use crate::{machine, output, telemetry};

/// What this process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Both,
    Gateway,
    Worker,
}

pub(super) fn run(flags: &Flags, part: Part) -> anyhow::Result<ExitCode> {
    let (config, layers) = Config::resolve(flags)?;
    // What a worker finds under `listen`, in the settings of all, is for others.
    if part != Part::Worker {
        config.check_listen(&layers)?;
    }
    if part != Part::Both && config.broker.broker == BrokerKind::Memory {
        bail!("broker is memory, which no other process can reach: expected sqlite or a Redis, or `pixmill serve`");
    }
    telemetry::init(&config.log)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(async_threads(part))
        .enable_all()
        .thread_name("pixmill-async")
        .build()
        .context("cannot start the async runtime")?;
    // A gateway alone knows the workers' folder only when it was told: another machine may have none at the default place.
    let assets = (part == Part::Both || layers.names("assets")).then(|| AssetFolder::new(config.worker.assets.clone()));
    runtime.block_on(serve(&config, part, assets))
}

/// Threads of the async runtime: half the cores. Milling, hashing and the disk have threads of their own, and waking a
/// second thread for the little that is left costs more than it brings. A gateway alone has the machine to itself.
fn async_threads(part: Part) -> usize {
    match part {
        Part::Both | Part::Worker => (machine::cores() / 2).max(1),
        Part::Gateway => machine::cores(),
    }
}

async fn serve(config: &Config, part: Part, assets: Option<AssetFolder>) -> anyhow::Result<ExitCode> {
    let mut signals = StopSignals::listen()?;
    // Before anything is opened: a second instance on the same port stops here.
    let listeners = Listeners::bind(config, part).await?;
    let opened = Opened::open(config, part).await?;
    let slots = slots(config, part);
    let worker = Worker::start(opened.for_worker(), worker_options(config, slots)?)?;
    let options = GatewayOptions {
        queue_metrics: part != Part::Worker,
        assets,
        ..gateway_options(config)
    };
    let gateway = Gateway::new(opened.for_gateway(), options);
    if let Err(error) = greet(&listeners, config, slots) {
        tracing::warn!("{}", Causes(&*error));
    }
    let mut serving = Serving::start(&gateway, listeners);

    tokio::select! {
        () = signals.next() => tracing::info!("stopping: finishing what runs, a second signal stops at once"),
        error = serving.broke() => return Err(error),
    }
    gateway.announce_shutdown();
    tokio::select! {
        () = serving.drain(&worker) => {}
        () = signals.next() => {
            tracing::warn!("stopping at once: running tasks go back to the queue");
            worker.stop_now();
            worker.drain().await;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The addresses this process listens on.
struct Listeners {
    gateway: Option<(TcpListener, SocketAddr)>,
    probes: Option<(TcpListener, SocketAddr)>,
}

impl Listeners {
    async fn bind(config: &Config, part: Part) -> anyhow::Result<Self> {
        let gateway = match part {
            Part::Both | Part::Gateway => Some(bind(config.server.listen.0).await?),
            Part::Worker => None,
        };
        let probes = match &config.operations.metrics_listen {
            Some(address) => Some(bind(address.0).await?),
            None => None,
        };
        Ok(Self { gateway, probes })
    }
}

async fn bind(address: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))?;
    let address = listener.local_addr().context("cannot tell the address listened on")?;
    Ok((listener, address))
}

/// The HTTP side while it runs.
struct Serving {
    clients: Option<Server>,
    probes: Option<Server>,
}

/// One listener that is being served.
struct Server {
    task: JoinHandle<io::Result<()>>,
    stop: CancellationToken,
}

impl Server {
    fn start<F: Future<Output = io::Result<()>> + Send + 'static>(serve: impl FnOnce(CancellationToken) -> F) -> Self {
        let stop = CancellationToken::new();
        Self {
            task: tokio::spawn(serve(stop.clone())),
            stop,
        }
    }

    /// Returns when the listener broke: until it is told to stop, a server does not end.
    async fn broke(&mut self) -> anyhow::Error {
        match (&mut self.task).await {
            Ok(Ok(())) => anyhow!("a listener ended"),
            Ok(Err(error)) => anyhow::Error::new(error).context("a listener failed"),
            Err(error) => anyhow::Error::new(error).context("a listener's task ended"),
        }
    }

    /// Lets what is under way finish.
    async fn stop(self) {
        self.stop.cancel();
        if let Ok(Err(error)) = self.task.await {
            tracing::warn!(%error, "a listener failed while it was closed");
        }
    }
}

impl Serving {
    fn start(gateway: &Gateway, listeners: Listeners) -> Self {
        let clients = listeners.gateway.map(|(listener, _)| {
            let gateway = gateway.clone();
            Server::start(|stop| gateway.serve(listener, stop))
        });
        let probes = listeners.probes.map(|(listener, _)| {
            let gateway = gateway.clone();
            Server::start(|stop| gateway.serve_probes(listener, stop))
        });
        Self { clients, probes }
    }

    /// Returns when a listener broke.
    async fn broke(&mut self) -> anyhow::Error {
        let one = async |server: &mut Option<Server>| match server {
            Some(server) => server.broke().await,
            None => std::future::pending().await,
        };
        tokio::select! {
            error = one(&mut self.clients) => error,
            error = one(&mut self.probes) => error,
        }
    }

    /// Lets the worker and the requests under way finish. Probes are answered until then, so that it can be watched.
    async fn drain(self, worker: &Worker) {
        let clients = async {
            if let Some(clients) = self.clients {
                clients.stop().await;
            }
        };
        tokio::join!(clients, worker.drain());
        if let Some(probes) = self.probes {
            probes.stop().await;
        }
    }
}

fn slots(config: &Config, part: Part) -> usize {
    match (part, config.worker.slots) {
        (Part::Gateway, _) => 0,
        (Part::Both | Part::Worker, Auto::Auto) => 2 * machine::cores(),
        (Part::Both | Part::Worker, Auto::Given(slots)) => slots as usize,
    }
}

/// Says what runs, where it listens and what to try first.
fn greet(listeners: &Listeners, config: &Config, slots: usize) -> anyhow::Result<()> {
    let version = env!("CARGO_PKG_VERSION");
    let kept = kept(config);
    let slots = if slots == 0 {
        ", nothing is milled here".to_owned()
    } else {
        format!(", {slots} slots")
    };
    let mut text = match &listeners.gateway {
        Some((_, address)) if !config.server.accept_tasks => format!(
            "pixmill {version} listening on http://{address}\n\
             {kept}{slots}; takes no new tasks (accept_tasks is false)\n"
        ),
        Some((_, address)) => format!(
            "pixmill {version} listening on http://{address}\n\
             {kept}{slots}; try it, and see http://{address}/docs:\n  \
             curl -F file=@photo.jpg http://{address}/upload\n"
        ),
        None => format!(
            "pixmill {version} taking tasks from the queue {}\n{kept}{slots}\n",
            config.worker.queue
        ),
    };
    if let Some((_, address)) = &listeners.probes {
        text += &format!("health and metrics on http://{address}\n");
    }
    output::print(&text)
}
