//! Every setting there is: name, kind, default and meaning, written once.

use std::path::PathBuf;
use std::time::Duration;

use pixmill_types::{DiskSync, QueueName};

use super::place::{Endpoint, EndpointPath, Place};
use super::setting::section;
use super::value::{Auto, BrokerKind, Bytes, ListenAddress, LogFilter, LogFormat};

section! {
    /// The HTTP side.
    Server = "server" {
        /// Address and port to listen on. Beyond loopback only together with allow_anonymous.
        listen: ListenAddress = "127.0.0.1:8000",
        /// Lets everybody who can reach the address upload and fetch: there are no keys yet. Needed to listen beyond
        /// loopback.
        allow_anonymous: bool = "false",
        /// Origins whose pages may call from a browser, such as https://app.example.com, without a path; * for any.
        cors_origins: Vec<String> = "",
        /// Whether new tasks are taken. With false an upload or a retry is answered 503 with code not_accepting, and all else
        /// goes on: to let a queue run empty before a move, and to keep old results readable after it.
        accept_tasks: bool = "true",
        /// Uploads under way at the same time; one more is answered 503 with Retry-After.
        max_uploads: u32 = "256",
        /// Connections open at the same time; more wait until one closes.
        max_connections: u32 = "4096",
        /// How long a client may pause in the middle of an upload before it is dropped; the head of a request has 30 s.
        upload_idle_timeout: Duration = "30s",
        /// Longest wait a client may ask for with ?wait=.
        max_wait: Duration = "60s",
    }
}

section! {
    /// Where things lie and how long.
    Storage = "storage" {
        /// Folder of the database and, with local storage, of the uploads and the results; made when missing.
        data: PathBuf = "data",
        /// Where uploads and results lie: local, in the data folder, or in a bucket of S3 or of what speaks its protocol
        /// (s3://), of Google Cloud Storage (gs://) or of Azure Blob Storage (az://).
        storage: Place = "local",
        /// When the data folder counts something as stored: always, once it is on the disk, or never waiting for the disk.
        /// With never a crash of pixmill loses nothing, and a power cut or a crash of the machine what was acknowledged in
        /// about the last half minute: uploads, tasks and results. The database stays whole. Give every process over the
        /// folder the same. A Redis and a bucket have settings of their own.
        sync: DiskSync = "always",
        /// How long the record and the files of a finished task are kept, from its end on; a task that ended before keeps what was set
        /// then.
        retention: Option<Duration> = "none",
        /// Files without a task, and abandoned uploads, are swept at this age. At least 10m.
        sweep_age: Duration = "24h",
    }
}

section! {
    /// The bucket, when storage is s3://. Credentials are no settings: they come from AWS_ACCESS_KEY_ID and
    /// AWS_SECRET_ACCESS_KEY, from a file, from a web identity, or from the role of the container or machine.
    S3 = "s3" {
        /// Where the store listens; none for S3 of AWS.
        s3_endpoint: Option<Endpoint> = "none",
        /// The region; auto takes AWS_REGION or AWS_DEFAULT_REGION, and us-east-1 without either.
        s3_region: Auto<String> = "auto",
        /// Whether the bucket stands in the path of a request rather than in the name of the host; auto does when
        /// there is an s3_endpoint.
        s3_path_style: Auto<bool> = "auto",
        /// A file in the format of ~/.aws/credentials to take the credentials from; read again every minute.
        s3_credentials_file: Option<PathBuf> = "none",
        /// The section of that file.
        s3_profile: String = "default",
        /// Downloads are answered with a redirect to a signed link that is good for this long, so that the bytes do not
        /// pass through pixmill; none sends them itself. At most 7d.
        s3_redirect: Option<Duration> = "none",
        /// Where clients reach the store, when that is not s3_endpoint.
        s3_redirect_endpoint: Option<Endpoint> = "none",
    }
}

section! {
    /// The bucket, when storage is gs://. Credentials are no settings: they come from GOOGLE_APPLICATION_CREDENTIALS,
    /// GOOGLE_SERVICE_ACCOUNT or GOOGLE_SERVICE_ACCOUNT_KEY, or from the identity of the machine or pod.
    Gcs = "gcs" {
        /// Where the store listens; none for Google's own.
        gcs_endpoint: Option<Endpoint> = "none",
        /// Downloads are answered with a redirect to a signed link that is good for this long, so that the bytes do not
        /// pass through pixmill; none sends them itself. At most 7d. Without the key of a service account at hand Google
        /// is asked to sign each one.
        gcs_redirect: Option<Duration> = "none",
        /// Where clients reach the store, when that is not gcs_endpoint.
        gcs_redirect_endpoint: Option<Endpoint> = "none",
    }
}

section! {
    /// The container, when storage is az://. Credentials are no settings: they come from AZURE_STORAGE_KEY, from
    /// AZURE_STORAGE_SAS_TOKEN, from AZURE_CLIENT_ID and AZURE_TENANT_ID with AZURE_FEDERATED_TOKEN_FILE or
    /// AZURE_CLIENT_SECRET, or from the identity of the machine.
    Azure = "azure" {
        /// The storage account; auto takes AZURE_STORAGE_ACCOUNT or AZURE_STORAGE_ACCOUNT_NAME.
        azure_account: Auto<String> = "auto",
        /// Where the store listens; none for https://ACCOUNT.blob.core.windows.net. An emulator has the account in the path.
        azure_endpoint: Option<EndpointPath> = "none",
        /// Downloads are answered with a redirect to a signed link that is good for this long, so that the bytes do not
        /// pass through pixmill; none sends them itself. At most 7d. Cannot be with a shared access signature.
        azure_redirect: Option<Duration> = "none",
        /// Where clients reach the store, when that is not azure_endpoint.
        azure_redirect_endpoint: Option<EndpointPath> = "none",
    }
}

section! {
    /// Tasks and their attempts.
    Broker = "broker" {
        /// What keeps the tasks: sqlite is durable, memory forgets everything at exit, a Redis serves many machines.
        /// Its address is redis://[user:password@]host[:port][/database], rediss:// with TLS,
        /// redis+unix:///path/to.sock, redis+cluster://host:port,host:port or
        /// redis+sentinel://host:port,host:port/master[/database]. A password is better given through the environment.
        broker: BrokerKind = "sqlite",
        /// Tasks that may wait; one more is answered 503 with Retry-After. With several partitions of a Redis so many in
        /// each: a task is refused when its own is full.
        max_queued: u64 = "100000",
        /// Attempts before a task is a dead letter. At least 1.
        max_attempts: u32 = "3",
        /// How long a task stays with a worker that gives no sign of life. At least 1s.
        lease: Duration = "30s",
        /// Waiting this long raises a task by one priority, so that nothing starves. At least 1s.
        ageing: Duration = "60s",
        /// First delay before a retry; doubles with each attempt, with full jitter.
        backoff_base: Duration = "1s",
        /// Longest delay before a retry.
        backoff_cap: Duration = "5m",
        /// How long an Idempotency-Key is remembered.
        idempotency_ttl: Duration = "24h",
        /// Events kept; older ones are trimmed.
        max_events: u64 = "1000000",
        /// What all keys in Redis begin with: several installations may share one.
        redis_prefix: String = "pixmill",
        /// Partitions the tasks in Redis are spread over, 1 to 256: on a cluster each may lie on another node. Fixed by
        /// the first process; docs/operations.md says how it is changed.
        redis_partitions: u32 = "1",
        /// Replicas that must have a write before it is acknowledged; 0 waits for none.
        redis_replicas: u32 = "0",
        /// How long to wait for them before the call is unavailable. At least 1ms.
        redis_replica_timeout: Duration = "1s",
        /// With rediss://: a file of certificates in PEM, one of which must have signed the server's; none takes those of
        /// the system.
        redis_ca_file: Option<PathBuf> = "none",
    }
}

section! {
    /// The milling, and the upkeep.
    Worker = "worker" {
        /// The queue that tasks are taken from; uploads go to images.
        queue: QueueName = "images",
        /// Images under way at the same time; auto takes two a core, so that one is milled while another waits for the
        /// broker or the disk. 0 mills nothing and leaves the upkeep. At most 1024.
        slots: Auto<u32> = "auto",
        /// Memory that the images under way may be estimated to take together; auto takes half of what the machine, or
        /// its container, has. At least 1MiB.
        memory_budget: Auto<Bytes> = "auto",
        /// Folder of the files that recipes name, watermarks and fonts; it may be missing. A process that has a gateway and no
        /// worker looks there only when this is set.
        assets: PathBuf = "assets",
        /// How long a shutdown lets running tasks and requests finish before it gives them back or cuts them off.
        drain_grace: Duration = "25s",
        /// Whether this process looks after what others leave: leases of workers that are gone, expired records, files
        /// without a task. Any number of processes may do so at once, and at least one must.
        upkeep: bool = "true",
        /// How often expired leases are looked for.
        reap_interval: Duration = "5s",
        /// How often expired records and files without a task are looked for.
        janitor_interval: Duration = "5m",
    }
}

section! {
    /// For those who watch over a process.
    Operations = "operations" {
        /// A second address, for /healthz, /readyz and /metrics alone: the only one a worker process can have. It takes no
        /// uploads and gives out no images, so it may be reached from beyond loopback. Not at the port of listen, unless the
        /// IP addresses are two of the machine's own.
        metrics_listen: Option<ListenAddress> = "none",
    }
}

section! {
    /// What one image may cost. A bound is inclusive.
    ImageLimits = "limits" {
        /// Size of the uploaded file.
        max_input_bytes: Bytes = "64MiB",
        /// Width x height x frames of the input, pixels.
        max_pixels: u64 = "100000000",
        /// Width of the input, pixels.
        max_width: u32 = "30000",
        /// Height of the input, pixels.
        max_height: u32 = "30000",
        /// Frames of the input.
        max_frames: u32 = "1000",
        /// Width x height of one output, pixels.
        max_output_pixels: u64 = "100000000",
        /// Estimated memory of milling one image.
        max_task_memory_bytes: Bytes = "2GiB",
        /// Wall-clock time of one attempt. At least 1ms.
        task_timeout: Duration = "60s",
    }
}

section! {
    /// What is written to standard error.
    Log = "log" {
        /// Which lines. What is at info leaves out that requests to a bucket are tried again.
        log_level: LogFilter = "info",
        /// How they look: text for people, json for machines.
        log_format: LogFormat = "text",
    }
}
