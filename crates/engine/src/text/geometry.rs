//! Where text lies: its size, the room it has, and how much of a picture it may take.

use pixmill_types::steps::Text;

/// Lengths of a text in a picture, pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Geometry {
    /// Of the picture.
    pub(super) width: f64,
    pub(super) height: f64,
    /// Of an em.
    pub(super) size: f64,
    /// How far the line around letters reaches beyond them.
    pub(super) line_width: f64,
    /// How far what belongs to a text reaches beyond it: its box, or the line around its letters.
    pub(super) edge: f64,
    /// From one line to the next.
    pub(super) leading: f64,
    margin: f64,
    /// Sine and cosine of the angle, clockwise.
    turn: (f64, f64),
    /// Where lines end at the latest.
    most: f64,
}

impl Geometry {
    pub(super) fn new(step: &Text, (width, height): (u32, u32)) -> Self {
        let shorter = width.min(height);
        let (width, height) = (f64::from(width), f64::from(height));
        let size = step.size.pixels(shorter).max(1.0);
        let of_size = |percent: f32| size * f64::from(percent) / 100.0;
        let line_width = of_size(step.outline);
        let edge = match step.background.alpha {
            0 => line_width,
            _ => line_width.max(of_size(step.padding)),
        };
        // Between texts that repeat it is a gap, and takes nothing from any of them.
        let margin = if step.tile { 0.0 } else { f64::from(step.margin) };
        let turn = sine_and_cosine(step.angle);
        let room = |side: f64| (side - 2.0 * margin).max(1.0);
        // How long a line of that direction is within the picture, at its middle.
        let across = (room(width) / turn.1.abs()).min(room(height) / turn.0.abs());
        let most = match step.width {
            Some(most) => most.pixels(width as u32),
            None => across - 2.0 * edge,
        };
        Self {
            width,
            height,
            size,
            line_width,
            edge,
            leading: size * f64::from(step.line_height),
            margin,
            turn,
            most: most.max(1.0),
        }
    }

    /// Where lines end at the latest, ems.
    pub(super) fn most_ems(&self) -> f32 {
        (self.most / self.size) as f32
    }

    /// Whether rows of pixels are lines of the text.
    pub(super) fn is_level(&self) -> bool {
        self.turn == (0.0, 1.0)
    }

    /// A place beside the middle of the text, turned with it.
    pub(super) fn turned(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let (sin, cos) = self.turn;
        (x * cos - y * sin, x * sin + y * cos)
    }

    /// The sides of the upright box around a text of those sides.
    pub(super) fn around(&self, (width, height): (f64, f64)) -> (f64, f64) {
        let (sin, cos) = (self.turn.0.abs(), self.turn.1.abs());
        (width * cos + height * sin, width * sin + height * cos)
    }

    /// Where the middle of a text lies that is so large with all that belongs to it.
    pub(super) fn middle(&self, step: &Text, sides: (f64, f64)) -> (f64, f64) {
        let (left_share, top_share) = step.gravity.shares();
        let (width, height) = self.around(sides);
        let begin = |side: f64, own: f64, share: f64| {
            let room = side - own;
            // A text that is too large for its margins has as much as there is; one for which the picture is too small
            // is cut off on the other side.
            let margin = self.margin.min((room / 2.0).max(0.0));
            (margin + (room - 2.0 * margin) * share).floor()
        };
        (
            begin(self.width, width, left_share) + width / 2.0,
            begin(self.height, height, top_share) + height / 2.0,
        )
    }

    /// How many pixels a text takes, at the most, in a usual font.
    pub(super) fn most_pixels(&self, step: &Text) -> u64 {
        /// More than a letter is wide on average, ems.
        const LETTER: f64 = 1.5;
        /// Room for what letters reach beyond their lines, ems.
        const BEYOND: f64 = 3.0;
        let most = self.most / self.size;
        let (mut widest, mut lines) = (0.0_f64, 0.0);
        for line in step.text.as_str().split('\n') {
            let letters = line.chars().count().max(1) as f64;
            widest = widest.max((letters * LETTER).min(most.max(LETTER)));
            // Lines that are broken have at least one letter each, and two together are longer than one may be.
            lines += (2.0 * letters * LETTER / most).ceil().clamp(1.0, letters);
        }
        let beyond = BEYOND * self.size + 2.0 * self.edge;
        let sides = (widest * self.size + beyond, (lines - 1.0) * self.leading + beyond);
        let (width, height) = self.around(sides);
        let reach = 2.0 * self.reach();
        let within = |own: f64, side: f64| own.min(side + reach).ceil() as u64 + 2;
        within(width, self.width).saturating_mul(within(height, self.height))
    }

    /// How far beyond the picture letters are drawn that are not seen there, for the line around them.
    pub(super) fn reach(&self) -> f64 {
        if self.line_width > 0.0 {
            self.line_width.ceil() + 1.0
        } else {
            0.0
        }
    }
}

/// Exact for right angles.
fn sine_and_cosine(degrees: f32) -> (f64, f64) {
    match degrees.rem_euclid(360.0) {
        0.0 => (0.0, 1.0),
        90.0 => (1.0, 0.0),
        180.0 => (0.0, -1.0),
        270.0 => (-1.0, 0.0),
        other => f64::from(other).to_radians().sin_cos(),
    }
}
