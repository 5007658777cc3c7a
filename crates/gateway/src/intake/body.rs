//! The body of an upload as it arrives: in pieces, within a time, and what happens to the rest of one that is refused.

use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_LENGTH, EXPECT};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout};

use crate::error::Problem;
use crate::problem::ProblemCode;
use crate::state::App;

/// A refused upload with no more than this to come, bytes, keeps its connection.
const KEEP_ALIVE_REST: u64 = 1024 * 1024;
/// Most bytes read of a refused upload, so that a client that reads no answer before it has sent everything gets one.
const LINGER_BYTES: u64 = 256 * 1024 * 1024;
/// Longest time spent on that.
const LINGER_TIME: Duration = Duration::from_secs(5);
/// Slower than this on average, bytes a second, is too slow: a trickle must not hold a place among the uploads.
const MIN_BYTES_PER_SECOND: u64 = 512;

/// The pieces of a request's body.
#[derive(Debug)]
pub(crate) struct UploadBody {
    body: Body,
    idle_timeout: Duration,
    began: Instant,
    received: u64,
    declared: Option<u64>,
    waits_for_continue: bool,
    ended: bool,
}

impl UploadBody {
    pub(crate) fn new(headers: &HeaderMap, body: Body, idle_timeout: Duration) -> Self {
        let declared = headers
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.parse().ok());
        Self {
            body,
            idle_timeout,
            began: Instant::now(),
            received: 0,
            declared,
            waits_for_continue: headers.contains_key(EXPECT),
            ended: false,
        }
    }

    /// Size that the client declared, bytes.
    pub(crate) fn declared(&self) -> Option<u64> {
        self.declared
    }

    /// When the first byte was awaited.
    pub(crate) fn began(&self) -> Instant {
        self.began
    }

    /// The next piece, never empty; `None` at the end.
    ///
    /// # Errors
    /// A problem when the client is too slow, or is gone.
    ///
    /// # Cancel safety
    /// No piece is lost when the future is dropped.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            if self.ended {
                return Ok(None);
            }
            self.waits_for_continue = false;
            let frame = timeout(self.idle_timeout, self.body.frame())
                .await
                .map_err(|_| self.too_slow())?;
            match frame {
                None => self.ended = true,
                Some(Err(error)) => {
                    self.ended = true;
                    tracing::debug!(%error, "the body of an upload broke off");
                    let detail = "the body ended before it was complete";
                    return Err(Problem::new(ProblemCode::IncompleteBody, detail));
                }
                Some(Ok(frame)) => {
                    let Ok(bytes) = frame.into_data() else { continue };
                    if bytes.is_empty() {
                        continue;
                    }
                    self.received += bytes.len() as u64;
                    self.check_rate()?;
                    return Ok(Some(bytes));
                }
            }
        }
    }

    fn check_rate(&self) -> Result<(), Problem> {
        let beyond_grace = self.began.elapsed().saturating_sub(self.idle_timeout);
        if self.received < beyond_grace.as_secs() * MIN_BYTES_PER_SECOND {
            return Err(self.too_slow());
        }
        Ok(())
    }

    fn too_slow(&self) -> Problem {
        let detail = format!(
            "{} bytes came in {} s; the next piece must come within {} s, and {MIN_BYTES_PER_SECOND} bytes a second on \
             average",
            self.received,
            self.began.elapsed().as_secs(),
            self.idle_timeout.as_secs()
        );
        Problem::new(ProblemCode::UploadTimeout, detail)
    }

    /// Gives the upload up. The rest of it is read and forgotten, within bounds, while the answer is on its way:
    /// closing a connection with unread bytes would reset it, and the client might never see why it was refused.
    pub(crate) fn refuse(mut self, app: &App, problem: Problem) -> Problem {
        let slow = problem.code() == ProblemCode::UploadTimeout;
        if self.ended || slow {
            return if slow { problem.closing() } else { problem };
        }
        let rest = self.declared.map(|declared| declared.saturating_sub(self.received));
        let keeps_connection = rest.is_some_and(|rest| rest <= KEEP_ALIVE_REST) && !self.waits_for_continue;
        // Reading would tell a client that waits for `100 Continue` to send what nobody wants.
        if !self.waits_for_continue
            && let Ok(permit) = app.lingering.clone().try_acquire_owned()
        {
            app.tasks.spawn(async move {
                let _permit = permit;
                // Out of time is as good an end as any.
                let _ = timeout(LINGER_TIME, self.discard()).await;
            });
        }
        if keeps_connection { problem } else { problem.closing() }
    }

    async fn discard(&mut self) {
        let until = self.received.saturating_add(LINGER_BYTES);
        while self.received < until {
            match self.body.frame().await {
                Some(Ok(frame)) => self.received += frame.data_ref().map_or(0, |bytes| bytes.len() as u64),
                Some(Err(_)) | None => return,
            }
        }
    }
}
