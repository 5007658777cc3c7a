//! A file on its way in: judged by its header as soon as that is there, written to the blob store meanwhile.

use std::sync::Arc;

use bytes::Bytes;
use pixmill_blob::{BlobError, BlobKey, BlobStore, Stored, Upload};
use pixmill_engine::probe::{Header, Prober};
use pixmill_engine::{EngineError, plan};
use pixmill_types::{DisplayName, IdempotencyKey, LimitName, Limits, Recipe, Segment, TaskId};
use tokio_util::task::TaskTracker;

use super::assets;
use super::form::Received;
use super::parameters::Parameters;
use crate::error::Problem;
use crate::problem::ProblemCode;
use crate::state::App;

/// A file while it comes.
pub(super) struct Arrival<'a> {
    app: &'a Arc<App>,
    id: TaskId,
    idempotency_key: Option<&'a IdempotencyKey>,
    name: Option<DisplayName>,
    /// Known already when it came before the file.
    recipe: Option<Recipe>,
    header: Judgement,
    upload: Option<StagedUpload>,
    bytes: u64,
}

/// How far the header is read.
enum Judgement {
    Reading(Box<Prober>),
    Read {
        header: Header,
        /// Estimated memory of the recipe that came before the file, bytes.
        memory_bytes: Option<u64>,
    },
}

impl<'a> Arrival<'a> {
    pub(super) fn new(app: &'a Arc<App>, id: TaskId, idempotency_key: Option<&'a IdempotencyKey>) -> Self {
        Self {
            app,
            id,
            idempotency_key,
            name: None,
            recipe: None,
            header: Judgement::Reading(Box::default()),
            upload: None,
            bytes: 0,
        }
    }

    pub(super) fn app(&self) -> &'a Arc<App> {
        self.app
    }

    /// Whether the file has been announced.
    pub(super) fn has_begun(&self) -> bool {
        self.name.is_some()
    }

    /// Announces the file. With `recipe`, an image that it cannot be carried out on is refused at its header.
    ///
    /// # Errors
    /// A problem when the recipe needs what is not there.
    pub(super) async fn expect(&mut self, client_name: Option<&str>, recipe: Option<&Recipe>) -> Result<(), Problem> {
        self.name = Some(DisplayName::from_client(client_name.unwrap_or_default()));
        self.recipe = recipe.cloned();
        match recipe {
            Some(recipe) => assets::check(self.app, recipe, self.idempotency_key).await,
            None => Ok(()),
        }
    }

    /// Takes the next bytes of the file.
    ///
    /// # Errors
    /// A problem when the file cannot become a task, or cannot be stored.
    pub(super) async fn take(&mut self, bytes: Bytes) -> Result<(), Problem> {
        self.bytes += bytes.len() as u64;
        let limits = &self.app.options.limits;
        limits
            .check(LimitName::InputBytes, self.bytes)
            .map_err(|exceeded| Problem::input_too_large(exceeded, false))?;
        if let Judgement::Reading(prober) = &mut self.header
            && let Some(header) = prober.feed(&bytes)?
        {
            header.check(limits)?;
            let recipe = self.recipe.as_ref();
            let memory_bytes = recipe.map(|recipe| memory(&header, recipe, limits)).transpose()?;
            if let Some(bytes) = memory_bytes {
                cost(bytes, self.bytes, limits)?;
            }
            self.header = Judgement::Read { header, memory_bytes };
        }
        let upload = match &mut self.upload {
            Some(upload) => upload,
            none => none.insert(StagedUpload::begin(self.app, self.id, self.name.as_ref()).await?),
        };
        upload.write(bytes).await
    }

    /// Judges the whole file, now that nothing more comes.
    ///
    /// # Errors
    /// A problem when it cannot become a task.
    pub(super) async fn judge(&mut self, received: Received) -> Result<Parameters, Problem> {
        if self.bytes == 0 {
            return Err(Problem::new(ProblemCode::FileEmpty, "the file has no bytes").parameter("file"));
        }
        let limits = &self.app.options.limits;
        if let Judgement::Reading(prober) = &mut self.header {
            let header = std::mem::take(prober).finish()?;
            header.check(limits)?;
            self.header = Judgement::Read {
                header,
                memory_bytes: None,
            };
        }
        let recipe = &received.parameters.recipe;
        let is_as_expected = self.recipe.as_ref() == Some(recipe);
        if !is_as_expected {
            assets::check(self.app, recipe, self.idempotency_key).await?;
        }
        if let (Judgement::Read { header, memory_bytes }, Some(upload)) = (&self.header, &mut self.upload) {
            let memory_bytes = match memory_bytes {
                Some(bytes) if is_as_expected => *bytes,
                _ => memory(header, recipe, limits)?,
            };
            upload.judged = Some((*header, cost(memory_bytes, self.bytes, limits)?));
        }
        Ok(received.parameters)
    }

    /// The file, ready to be published. Only after [`Arrival::judge`].
    ///
    /// # Errors
    /// A problem when it was not judged: a defect.
    pub(super) fn into_staged(self) -> Result<Staged, Problem> {
        let (Some(name), Some(upload)) = (self.name, self.upload) else {
            return Err(Problem::internal("an upload was accepted without a file"));
        };
        let Some((header, cost_bytes)) = upload.judged else {
            return Err(Problem::internal("an upload was accepted without a header"));
        };
        Ok(Staged {
            id: self.id,
            segment: name.segment(),
            name,
            header,
            cost_bytes,
            upload,
        })
    }

    /// Removes what was written of the file; behind the answer where the store is away, so as not to wait for it twice.
    pub(super) async fn abort(self, problem: &Problem) {
        match self.upload {
            Some(upload) if problem.code() != ProblemCode::StorageUnavailable => upload.abort().await,
            // Whatever drops it has it removed.
            Some(_) | None => {}
        }
    }
}

/// Estimated memory of milling the image, bytes.
fn memory(header: &Header, recipe: &Recipe, limits: &Limits) -> Result<u64, Problem> {
    Ok(plan(header, recipe, limits)?.memory_bytes())
}

/// That of the file included, bytes.
fn cost(memory_bytes: u64, file_bytes: u64, limits: &Limits) -> Result<u64, Problem> {
    let bytes = memory_bytes.saturating_add(file_bytes);
    limits
        .check(LimitName::TaskMemoryBytes, bytes)
        .map_err(EngineError::from)?;
    Ok(bytes)
}

/// A file that came whole and may become a task.
pub(super) struct Staged {
    pub(super) id: TaskId,
    pub(super) name: DisplayName,
    pub(super) segment: Segment,
    pub(super) header: Header,
    pub(super) cost_bytes: u64,
    pub(super) upload: StagedUpload,
}

impl Staged {
    pub(super) fn bytes(&self) -> u64 {
        self.upload.upload.as_ref().map_or(0, Upload::bytes)
    }
}

/// An upload that removes what it wrote when it is dropped, whoever drops it: a client that leaves drops the request.
pub(super) struct StagedUpload {
    upload: Option<Upload>,
    judged: Option<(Header, u64)>,
    tasks: TaskTracker,
    blobs: BlobStore,
    id: TaskId,
}

impl StagedUpload {
    async fn begin(app: &App, id: TaskId, name: Option<&DisplayName>) -> Result<Self, Problem> {
        let segment = name.map_or_else(|| DisplayName::from_client("").segment(), DisplayName::segment);
        let upload = app.services.blobs.upload(&BlobKey::input(id, &segment)).await?;
        Ok(Self {
            upload: Some(upload),
            judged: None,
            tasks: app.tasks.clone(),
            blobs: app.services.blobs.clone(),
            id,
        })
    }

    async fn write(&mut self, bytes: Bytes) -> Result<(), Problem> {
        match &mut self.upload {
            Some(upload) => Ok(upload.write(bytes).await?),
            None => Err(Problem::internal("an upload was written to after its end")),
        }
    }

    /// Publishes the file. When that fails, what was published of it is removed: no task knows of it yet.
    ///
    /// # Errors
    /// A problem when the store is full or does not answer.
    pub(super) async fn finish(mut self) -> Result<Stored, Problem> {
        let Some(upload) = self.upload.take() else {
            return Err(Problem::internal("an upload was finished twice"));
        };
        match upload.finish().await {
            Ok(stored) => Ok(stored),
            Err(error @ BlobError::Unavailable(_)) => {
                // Behind the answer: a store that does not answer is not waited for twice.
                let (blobs, id) = (self.blobs.clone(), self.id);
                self.tasks.spawn(async move { discard(&blobs, id).await });
                Err(error.into())
            }
            Err(error) => {
                discard(&self.blobs, self.id).await;
                Err(error.into())
            }
        }
    }

    async fn abort(mut self) {
        if let Some(upload) = self.upload.take() {
            log_leftover(self.id, upload.abort().await);
        }
    }
}

impl Drop for StagedUpload {
    fn drop(&mut self) {
        if let Some(upload) = self.upload.take() {
            let id = self.id;
            self.tasks.spawn(async move { log_leftover(id, upload.abort().await) });
        }
    }
}

/// Removes the files of a task that does not exist.
pub(super) async fn discard(blobs: &BlobStore, id: TaskId) {
    log_leftover(id, blobs.delete_task(id).await);
}

fn log_leftover(id: TaskId, outcome: Result<(), BlobError>) {
    if let Err(error) = outcome {
        tracing::warn!(task.id = %id, %error, "a refused upload is left behind until the janitor's next sweep");
    }
}
