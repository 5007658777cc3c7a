//! The engine as one side of `bench/engine`: one job a line of standard input, one answer a line of standard output.
//!
//! A line is `repeat<TAB>recipe<TAB>input<TAB>output`; the outputs of the last turn are written to `output.0`, `output.1`
//! and so on, the answer is how many there are.

use std::error::Error;
use std::io::{Write as _, stdin, stdout};

use pixmill_engine::{NeverStop, mill};
use pixmill_types::{Limits, Recipe};

fn main() -> Result<(), Box<dyn Error>> {
    for line in stdin().lines() {
        let line = line?;
        let mut parts = line.split('\t');
        let mut next = || parts.next().ok_or("a line has four parts");
        let repeat: u32 = next()?.parse()?;
        let recipe: Recipe = next()?.parse()?;
        let input = std::fs::read(next()?)?;
        let output = next()?;
        let mut milled = mill(&input, &recipe, &Limits::default(), &NeverStop)?;
        for _ in 1..repeat {
            milled = mill(&input, &recipe, &Limits::default(), &NeverStop)?;
        }
        for (index, rendered) in milled.outputs.iter().enumerate() {
            std::fs::write(format!("{output}.{index}"), &rendered.bytes)?;
        }
        println!("{}", milled.outputs.len());
        stdout().flush()?;
    }
    Ok(())
}
