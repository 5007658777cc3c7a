//! What a gateway needs to be told. Defaults stand here and nowhere else.

use std::time::Duration;

use pixmill_blob::AssetFolder;
use pixmill_types::{DEFAULT_MAX_ATTEMPTS, Limits};

/// How a gateway behaves.
#[derive(Debug, Clone)]
pub struct GatewayOptions {
    /// What one image may cost.
    pub limits: Limits,
    /// The workers' folder of assets, when it is known here: then a recipe that names what is not there is refused.
    pub assets: Option<AssetFolder>,
    /// Origins that browsers may call from; `*` for any, none by default.
    pub cors_origins: Vec<String>,
    /// Whether tasks are taken; where not, uploads and retries are answered 503 and all else goes on.
    pub accept_tasks: bool,
    /// Uploads under way at the same time; more are answered 503.
    pub max_uploads: usize,
    /// How long a client may take to send the next piece of an upload.
    pub upload_idle_timeout: Duration,
    /// Longest long-poll a client may ask for.
    pub max_wait: Duration,
    /// How far in the future a task's earliest start may lie.
    pub max_start_delay: Duration,
    /// Attempts a task gets.
    pub max_attempts: u32,
    /// Connections open at the same time; more wait in the listener's backlog.
    pub max_connections: usize,
    /// How long a client may take to send the headers of a request, the pause before it on an open connection included.
    pub header_timeout: Duration,
    /// How long a client may take to read the next piece of a response.
    pub write_idle_timeout: Duration,
    /// How long requests under way may take to finish once the gateway is told to stop.
    pub drain_grace: Duration,
    /// How long a link to a finished file is good for, when the blob store gives out links and downloads are to be
    /// answered with one.
    pub redirect_downloads: Option<Duration>,
    /// Whether `/metrics` tells the state of queues and workers, which is the same wherever it is asked for. Off in a
    /// process that serves nothing but probes: of many of these, each would tell it again.
    pub queue_metrics: bool,
}

impl Default for GatewayOptions {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            assets: None,
            cors_origins: Vec::new(),
            accept_tasks: true,
            max_uploads: 256,
            upload_idle_timeout: Duration::from_secs(30),
            max_wait: Duration::from_secs(60),
            max_start_delay: Duration::from_secs(30 * 24 * 60 * 60),
            max_attempts: DEFAULT_MAX_ATTEMPTS,
            max_connections: 4_096,
            header_timeout: Duration::from_secs(30),
            write_idle_timeout: Duration::from_secs(60),
            drain_grace: Duration::from_secs(20),
            redirect_downloads: None,
            queue_metrics: true,
        }
    }
}
