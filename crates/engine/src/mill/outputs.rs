//! Makes the outputs of a still picture: each run of files of one picture once, and small ones of larger ones as planned.
//!
//! Owns how long the picture that outputs share is held, and those that others are made of.

use super::{Mill, Rendered};
use crate::EngineError;
use crate::pixels::Image;
use crate::plan::{Operation, OutputPlan, runs};
use crate::steps;

impl Mill<'_> {
    /// One output for each plan, in their order.
    pub(super) fn outputs(&mut self, image: Image, plans: &[OutputPlan]) -> Result<Vec<Rendered>, EngineError> {
        let mut shared = Some(image);
        let mut kept: Vec<Option<Image>> = plans.iter().map(|_| None).collect();
        let mut outputs: Vec<Option<Rendered>> = plans.iter().map(|_| None).collect();
        for run in runs(plans) {
            let source = match run.from {
                None => &mut shared,
                Some(from) => &mut kept[from],
            };
            let plan = &plans[run.outputs.start];
            let (image, rest) = self.begun(source, plan, run.is_last_of_source)?;
            if run.is_source {
                kept[run.outputs.start] = Some(image.try_clone()?);
            }
            let image = match rest {
                Some(operations) => self.work(image, operations)?,
                None => self.own_work(image, plan)?,
            };
            let last = run.outputs.end - 1;
            for index in run.outputs.start..last {
                outputs[index] = Some(self.file(index, image.try_clone()?, &plans[index])?);
            }
            outputs[last] = Some(self.file(last, image, &plans[last])?);
        }
        Ok(outputs.into_iter().flatten().collect())
    }

    /// The picture that an output begins with, and what is left to do when its first resize is done already. One that is kept
    /// for others is read where it is by a resize, copied by anything else.
    fn begun<'p>(
        &mut self,
        source: &mut Option<Image>,
        plan: &'p OutputPlan,
        is_last: bool,
    ) -> Result<(Image, Option<&'p [Operation]>), EngineError> {
        let image = source
            .as_ref()
            .ok_or_else(|| EngineError::Internal("an output is made of a picture that is gone".into()))?;
        let begun = match plan.operations.split_first() {
            Some((Operation::Resize(resize), rest)) if plan.resizes_first() => {
                let scaled = self.timed("resize", |_| steps::scaled(image, resize))?;
                (scaled, Some(rest))
            }
            _ if is_last => match source.take() {
                Some(image) => return Ok((image, None)),
                None => return Err(EngineError::Internal("a picture is taken twice".into())),
            },
            _ => (image.try_clone()?, None),
        };
        if is_last {
            *source = None;
        }
        Ok(begun)
    }
}
