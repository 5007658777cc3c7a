//! Results against references that other programs made; `testdata/golden/README.md` says which and how.

use std::fs;
use std::path::PathBuf;

use crate::pixels::{Picture, psnr};
use crate::support::{mill, read, testdata};

struct Case<'a> {
    name: &'a str,
    input: &'a str,
    recipe: &'a str,
    size: Vec<usize>,
    region: Vec<usize>,
    metric: &'a str,
}

fn cases(manifest: &str) -> Vec<Case<'_>> {
    let numbers = |text: &str, separator| text.split(separator).map(|number| number.parse().unwrap()).collect();
    let cases: Vec<_> = manifest
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| {
            let columns: Vec<_> = line.split('\t').collect();
            let [name, input, recipe, size, region, metric] = columns[..] else {
                panic!("not six columns: {line}");
            };
            Case {
                name,
                input,
                recipe,
                size: numbers(size, 'x'),
                region: numbers(region, ','),
                metric,
            }
        })
        .collect();
    assert!(cases.len() > 50, "the manifest lost its cases");
    cases
}

/// What is wrong with a case, if anything.
fn check(case: &Case<'_>) -> Result<(), String> {
    let rendered = &mill(&read(case.input), case.recipe)
        .map_err(|error| error.to_string())?
        .outputs[0];
    let result = Picture::decode(rendered.format, &rendered.bytes);
    if [result.width, result.height] != case.size[..] {
        return Err(format!("is {} x {}", result.width, result.height));
    }
    let actual = result.region(case.region[0], case.region[1], case.region[2], case.region[3]);
    let expected = Picture::from_png(&read(&format!("golden/{}.png", case.name)));
    if actual.channels != expected.channels {
        return Err(format!("has {} channels, not {}", actual.channels, expected.channels));
    }
    let problem = match case.metric.strip_prefix("psnr:") {
        Some(least) => {
            let (found, least) = (psnr(&actual, &expected), least.parse::<f64>().unwrap());
            (found < least).then(|| format!("{found:.2} dB, at least {least} are needed"))
        }
        None => {
            assert_eq!(case.metric, "exact");
            (!is_seen_the_same(&actual, &expected)).then(|| format!("not exact, {:.2} dB", psnr(&actual, &expected)))
        }
    };
    match problem {
        None => Ok(()),
        Some(problem) => {
            let folder = keep(case.name, &actual, &expected);
            Err(format!("{problem}; see {}", folder.display()))
        }
    }
}

/// Exactly the same, but for the colour of pixels that nothing shows through.
fn is_seen_the_same(actual: &Picture, expected: &Picture) -> bool {
    let pixels = |picture: &Picture| {
        picture
            .samples
            .chunks_exact(picture.channels)
            .map(<[u8]>::to_vec)
            .collect::<Vec<_>>()
    };
    let is_unseen = |pixel: &[u8]| actual.has_alpha() && pixel.last() == Some(&0);
    pixels(actual)
        .iter()
        .zip(&pixels(expected))
        .all(|(a, e)| a == e || is_unseen(a) && is_unseen(e))
}

/// Keeps what came out and the difference, stretched, where it can be looked at.
fn keep(name: &str, actual: &Picture, expected: &Picture) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("golden");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(format!("{name}.actual.png")), actual.to_png()).unwrap();
    let difference = Picture {
        channels: 1,
        width: actual.width * actual.channels,
        samples: actual
            .samples
            .iter()
            .zip(&expected.samples)
            .map(|(a, e)| 128_u8.saturating_add_signed((i16::from(*a) - i16::from(*e)).clamp(-12, 12) as i8 * 10))
            .collect(),
        height: actual.height,
    };
    fs::write(folder.join(format!("{name}.difference.png")), difference.to_png()).unwrap();
    folder
}

#[test]
fn results_match_references_made_elsewhere() {
    let manifest = fs::read_to_string(testdata("golden/manifest.tsv")).unwrap();
    let failures: Vec<_> = cases(&manifest)
        .iter()
        .filter_map(|case| {
            check(case)
                .err()
                .map(|problem| format!("{} ({}): {problem}", case.name, case.recipe))
        })
        .collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}
