//! The whole of it: a recipe, a line feed, a picture. A result that is what was promised, or a reason.

use pixmill_engine::probe::probe;
use pixmill_types::{FileFormat, ImageFormat, Recipe};

/// Mills what follows the first line by the recipe in it.
pub fn process(data: &[u8]) {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else {
        return;
    };
    let Ok(text) = std::str::from_utf8(&data[..end]) else {
        return;
    };
    let Ok(recipe) = text.parse::<Recipe>() else { return };
    let Ok(milled) = crate::mill(&data[end + 1..], &recipe) else {
        return;
    };
    assert_eq!(milled.outputs.len(), recipe.outputs().len(), "{recipe}");
    for output in &milled.outputs {
        let pixels = u64::from(output.width) * u64::from(output.height);
        assert!(pixels <= crate::limits().max_output_pixels, "{recipe}: {output:?}");
        if output.format == FileFormat::Info {
            assert!(std::str::from_utf8(&output.bytes).is_ok(), "{recipe}: {output:?}");
            continue;
        }
        if output.format == FileFormat::Image(ImageFormat::Avif) {
            // It is not read.
            assert_eq!(&output.bytes[4..12], b"ftypavif", "{recipe}");
            continue;
        }
        let header = probe(&output.bytes).unwrap_or_else(|error| panic!("{recipe}: {output:?} is not read: {error}"));
        assert_eq!(FileFormat::from(header.format), output.format, "{recipe}: {output:?}");
        assert_eq!(
            (header.width, header.height),
            (output.width, output.height),
            "{recipe}: {output:?}"
        );
    }
}
