//! Carries animations through, frame by frame.
//!
//! What looks at pixels to know what to do looks at all frames first, see [`Look`]. The stages themselves are those of
//! still pictures.

use std::borrow::Cow;

use super::look::Look;
use super::{Mill, Rendered, attached, damaged, guarded};
use crate::EngineError;
use crate::decode::Frames;
use crate::encode::Animation;
use crate::pixels::Image;
use crate::plan::{FilePlan, Operation, OutputPlan, check_output};

/// An output that is an animation, under way.
struct Moving<'p> {
    animation: Animation,
    operations: Cow<'p, [Operation]>,
}

impl<'a> Mill<'a> {
    /// Carries an animation through frame by frame; outputs that hold none take the first.
    pub(super) fn frames(&mut self, shared: &[Operation], plans: &[OutputPlan]) -> Result<Vec<Rendered>, EngineError> {
        self.is_animation = true;
        let shared = self.done_alike(&[], Cow::Borrowed(shared))?;
        let mut frames = self.open()?;
        let mut moving: Vec<Option<Moving>> = plans.iter().map(|_| None).collect();
        let mut outputs: Vec<Option<Rendered>> = plans.iter().map(|_| None).collect();
        for number in 0..self.header.frames {
            let (image, milliseconds) = self.next(&mut frames, number)?;
            let image = self.work(image, &shared)?;
            for (index, plan) in plans.iter().enumerate() {
                if plan.frames == 1 {
                    if number == 0 {
                        outputs[index] = Some(self.output(index, image.try_clone()?, plan)?);
                    }
                    continue;
                }
                let FilePlan::Encode(encode) = &plan.file else { continue };
                let Moving { animation, operations } = match &mut moving[index] {
                    Some(moving) => moving,
                    none => {
                        let own = self.own_operations(image.shape(), plan)?;
                        let operations = self.done_alike(&shared, own)?;
                        let animation =
                            Animation::new(&self.attachments(encode, (image.width, image.height)).1, frames.plays())?;
                        none.insert(Moving { animation, operations })
                    }
                };
                let image = self.work(image.try_clone()?, operations)?;
                check_output(self.limits, index, encode, image.shape())?;
                self.timed("encode", |control| animation.push(image, milliseconds, control))?;
            }
        }
        for ((output, moving), plan) in outputs.iter_mut().zip(moving).zip(plans) {
            if let (Some(Moving { animation, .. }), FilePlan::Encode(encode)) = (moving, &plan.file) {
                let (width, height) = animation.sides();
                let (attachments, encode) = self.attachments(encode, (width, height));
                let bytes = animation.finish()?;
                *output = Some(Rendered {
                    bytes: attached(bytes, &encode, &attachments, width, height)?,
                    format: encode.format.into(),
                    width,
                    height,
                });
            }
        }
        Ok(outputs.into_iter().flatten().collect())
    }

    /// `operations`, which follow `before`, with every one that looks at pixels to know what to do as one that does the same
    /// to all frames. Each takes a look at all of them first: they are not kept, so that memory does not grow with their number.
    fn done_alike<'p>(
        &mut self,
        before: &[Operation],
        mut operations: Cow<'p, [Operation]>,
    ) -> Result<Cow<'p, [Operation]>, EngineError> {
        let looks = |operations: &[Operation]| {
            let mut all = operations.iter().enumerate();
            all.find_map(|(place, operation)| Some((place, Look::of(operation)?)))
        };
        while let Some((place, mut look)) = looks(&operations) {
            let (until, from) = operations.split_at(place);
            let mut done = [before, until].concat();
            let mut shape = None;
            let mut frames = self.open()?;
            for number in 0..self.header.frames {
                let (image, _) = self.next(&mut frames, number)?;
                let image = self.work(image, &done)?;
                shape = Some(image.shape());
                self.timed(from[0].name(), |control| look.at(&image, control))?;
            }
            done.drain(..before.len());
            let alike = look.settled();
            if let (Some(shape), Operation::Trim(trim)) = (shape, &from[0]) {
                let shape = alike.as_ref().map_or(shape, |cut| cut.shape_after(shape));
                done.extend(alike);
                done.extend(trim.later.lower(shape, self.limits)?);
            } else {
                done.extend(alike);
                done.extend_from_slice(&from[1..]);
            }
            operations = Cow::Owned(done);
        }
        Ok(operations)
    }

    fn open(&self) -> Result<Frames<'a>, EngineError> {
        guarded(|| damaged(self.header), || Frames::new(self.input, self.header))
    }

    /// The next frame, the `number`th, and for how long it is seen, milliseconds.
    fn next(&mut self, frames: &mut Frames<'a>, number: u32) -> Result<(Image, u32), EngineError> {
        let header = self.header;
        let frame = self.timed("decode", |control| guarded(|| damaged(header), || frames.next(control)))?;
        match frame {
            Some(frame) => Ok((frame.image, frame.milliseconds)),
            None => Err(EngineError::Truncated(format!(
                "the file ends after {number} of the {} frames of its animation",
                header.frames
            ))),
        }
    }
}
