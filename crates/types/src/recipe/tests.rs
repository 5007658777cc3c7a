//! Recipes through their public doors: text, documents, canonical form, errors.

use proptest::prelude::*;

use super::*;
use crate::{ImageFormat, OutputFormat, Segment};

fn from_toml(text: &str) -> Result<Recipe, String> {
    let document: RecipeDocument = toml::from_str(text).map_err(|error| error.to_string())?;
    Recipe::try_from(document).map_err(|error| error.to_string())
}

#[test]
fn compact_and_document_forms_give_the_same_value() {
    for (compact, canonical, toml, json) in [
        (
            " grayscale|blur : 2 ",
            "grayscale | blur:2",
            "steps = ['grayscale', 'blur']",
            r#"{"steps": ["grayscale", {"op": "blur", "sigma": 2}]}"#,
        ),
        (
            "resize:400,height=300,fit=cover => webp:80,name={name}_small",
            "resize:400,height=300,fit=cover => webp:80,name={name}_small",
            "steps = [{ op = 'resize', width = 400, height = 300, fit = 'cover' }]\n\
             [[outputs]]\nformat = 'webp'\nquality = 80\nname = '{name}_small'",
            r#"{"steps": ["resize:width=400,height=300,fit=cover"],
                "outputs": [{"format": "webp", "quality": 80, "name": "{name}_small"}]}"#,
        ),
        (
            "orient => resize:width=100 | png:name=a; blur:1.5 | same",
            "orient => resize:100 | png:name=a ; blur:1.5 | same",
            "steps = ['orient']\n[[outputs]]\nsteps = ['resize:100']\nformat = 'png'\nname = 'a'\n\
             [[outputs]]\nsteps = [{ op = 'blur', sigma = 1.5 }]",
            r#"{"steps": ["orient"], "outputs": [
                {"steps": ["resize:100"], "format": "png", "name": "a"}, {"steps": ["blur:1.5"]}]}"#,
        ),
        (
            "=> jpeg",
            "=> jpeg",
            "[[outputs]]\nformat = 'jpeg'",
            r#"{"outputs": [{"format": "jpeg"}]}"#,
        ),
    ] {
        let recipe: Recipe = compact.parse().unwrap();
        assert_eq!(recipe.to_string(), canonical);
        assert_eq!(canonical.parse(), Ok(recipe.clone()));
        assert_eq!(from_toml(toml).unwrap(), recipe);
        let document: RecipeDocument = serde_json::from_str(json).unwrap();
        assert_eq!(Recipe::try_from(document).unwrap(), recipe);
        assert_eq!(recipe.hash(), canonical.parse::<Recipe>().unwrap().hash());
    }
}

#[test]
fn the_hash_is_stable_over_releases() {
    let recipe = Recipe::default();
    assert_eq!(recipe.to_string(), "orient | grayscale | blur:2");
    assert_eq!(recipe.hash(), ContentHash::of(b"orient | grayscale | blur:2"));
}

#[test]
fn errors_say_where_and_what_is_allowed() {
    for (text, expected) in [
        ("", "recipe: empty, at least one step or output is needed"),
        (
            "grayscale |",
            "step 2: empty, expected a name such as grayscale or blur:2",
        ),
        (
            "blur:900",
            "step 1 (blur): sigma is \"900\", allowed is a number from 0.3 to 100",
        ),
        (
            "blur:NaN",
            "step 1 (blur): sigma is \"NaN\", allowed is a number from 0.3 to 100",
        ),
        (
            "blur:inf",
            "step 1 (blur): sigma is \"inf\", allowed is a number from 0.3 to 100",
        ),
        ("blur:2,3", "step 1 (blur): too many arguments, allowed are sigma"),
        ("blur:2,sigma=3", "step 1 (blur): parameter \"sigma\" is given twice"),
        (
            "blur:radius=3",
            "step 1 (blur): unknown parameter \"radius\", allowed are sigma",
        ),
        (
            "grayscale:1",
            "step 1 (grayscale): too many arguments, allowed are none",
        ),
        (
            "threshold:256",
            "step 1 (threshold): level is \"256\", allowed is a whole number from 1 to 255",
        ),
        ("hue", "step 1 (hue): degrees is not given, it is needed"),
        (
            "resize",
            "step 1 (resize): neither width nor height is given, at least one is needed",
        ),
        (
            "resize:0",
            "step 1 (resize): width is \"0\", allowed is a whole number from 1 to 65535",
        ),
        (
            "resize:-1",
            "step 1 (resize): width is \"-1\", allowed is a whole number from 1 to 65535",
        ),
        (
            "resize:400,fit=cover",
            "step 1 (resize): this fit needs both width and height, give both or leave fit at inside",
        ),
        (
            "resize:4,4,fit=squash",
            "step 1 (resize): fit is \"squash\", allowed is one of inside, cover, fill",
        ),
        (
            "=> gif",
            "output 1 (gif): unknown output format \"gif\", allowed are same, jpeg, png, webp",
        ),
        (
            "=> png:80",
            "output 1 (png): \"80\" stands for no parameter, those here are given by name: name",
        ),
        (
            "=> jpeg:0",
            "output 1 (jpeg): quality is \"0\", allowed is a whole number from 1 to 100",
        ),
        (
            "=> jpeg ; png",
            "output 2: the name \"processed_{name}\" is taken by an earlier output, give each its own",
        ),
        (
            "=> jpeg:name=../x",
            "output 1 (jpeg): name is \"../x\", allowed is 1 to 64 characters of A-Z a-z 0-9 . _ - and {name} for the \
             input's name",
        ),
    ] {
        assert_eq!(text.parse::<Recipe>().unwrap_err().to_string(), expected, "{text:?}");
    }
    assert_eq!(
        from_toml("steps = ['grayscale', { op = 'blur', sigma = 900 }]").unwrap_err(),
        "steps[1] (blur): sigma is \"900\", allowed is a number from 0.3 to 100"
    );
    let known: Vec<_> = Step::REFERENCE.iter().map(|step| step.name).collect();
    let allowed = format!("unknown step \"blurr\", allowed are {}", known.join(", "));
    assert_eq!(
        "grayscale | blurr:2".parse::<Recipe>().unwrap_err().to_string(),
        format!("step 2 (blurr): {allowed}")
    );
    assert_eq!(
        from_toml("[[outputs]]\nsteps = ['blurr']").unwrap_err(),
        format!("outputs[0].steps[0] (blurr): {allowed}")
    );
    let many = vec!["grayscale"; 65].join("|");
    assert_eq!(
        many.parse::<Recipe>().unwrap_err().to_string(),
        "steps: 65 steps, at most 64 are allowed"
    );
    let long = "x".repeat(9_000);
    assert!(long.parse::<Recipe>().unwrap_err().to_string().contains("at most 8192"));
}

#[test]
fn output_names_follow_input_and_format() {
    let input = Segment::parse("my_photo.JPG").unwrap();
    for (recipe, expected) in [
        ("grayscale", "processed_my_photo.JPG"),
        ("=> webp", "processed_my_photo.webp"),
        ("=> jpeg:name={name}", "my_photo.JPG"),
        ("=> png:name={name}_small", "my_photo_small.png"),
        ("=> png:name=fixed", "fixed.png"),
    ] {
        let recipe: Recipe = recipe.parse().unwrap();
        let output = &recipe.outputs()[0];
        let format = output.format_for(ImageFormat::Jpeg);
        assert_eq!(output.segment_for(&input, format).as_str(), expected);
    }
}

#[test]
fn the_longest_names_still_fit() {
    let input = crate::DisplayName::from_client(&format!("{}.jpg", "a".repeat(300))).segment();
    let text = format!("=> png:name={}{{name}}{}", "x".repeat(28), "y".repeat(29));
    let recipe: Recipe = text.parse().unwrap();
    let name = recipe.outputs()[0].segment_for(&input, ImageFormat::Png);
    assert!(
        name.as_str().starts_with("xxx") && name.as_str().ends_with("yyy.png"),
        "{name}"
    );
}

fn any_step() -> impl Strategy<Value = Step> {
    use steps::{Blur, Brightness, Filter, Fit, Flip, Grayscale, Hue, Invert, Orient, Resize, Threshold};
    let fit = prop_oneof![Just(Fit::Inside), Just(Fit::Cover), Just(Fit::Fill)];
    let filter = prop_oneof![
        Just(Filter::Lanczos3),
        Just(Filter::CatmullRom),
        Just(Filter::Bilinear),
        Just(Filter::Box),
        Just(Filter::Nearest)
    ];
    let resize = (any::<Option<u16>>(), any::<Option<u16>>(), fit, filter, any::<bool>()).prop_filter_map(
        "resize needs its sides",
        |(width, height, fit, filter, enlarge)| {
            let (width, height) = (width.map(u32::from), height.map(u32::from));
            let in_range = width != Some(0) && height != Some(0) && (width.is_some() || height.is_some());
            let complete = fit == Fit::Inside || (width.is_some() && height.is_some());
            (in_range && complete).then_some(Step::Resize(Resize {
                width,
                height,
                fit,
                filter,
                enlarge,
            }))
        },
    );
    prop_oneof![
        Just(Step::Grayscale(Grayscale {})),
        Just(Step::Orient(Orient {})),
        (0.3_f32..=100.0).prop_map(|sigma| Step::Blur(Blur { sigma })),
        Just(Step::Flip(Flip {})),
        (0.0_f32..=10.0).prop_map(|factor| Step::Brightness(Brightness { factor })),
        (-360.0_f32..=360.0).prop_map(|degrees| Step::Hue(Hue { degrees })),
        (0.0_f32..=1.0).prop_map(|amount| Step::Invert(Invert { amount })),
        (1_u32..=255).prop_map(|level| Step::Threshold(Threshold { level })),
        resize,
    ]
}

fn any_recipe() -> impl Strategy<Value = Recipe> {
    let format = prop_oneof![
        Just(OutputFormat::Same),
        Just(OutputFormat::Fixed(ImageFormat::Jpeg)),
        Just(OutputFormat::Fixed(ImageFormat::Webp)),
    ];
    let output = (
        prop::collection::vec(any_step(), 0..3),
        "[a-z]{1,5}(\\{name\\})?[a-z]{0,5}",
        format,
        1_u8..=100,
    )
        .prop_map(|(steps, name, format, quality)| OutputSpec {
            steps,
            name,
            format,
            quality: Some(quality),
        });
    (
        prop::collection::vec(any_step(), 0..5),
        prop::collection::vec(output, 0..4),
    )
        .prop_filter_map("two outputs of one name", |(steps, outputs)| {
            Recipe::new(steps, outputs).ok()
        })
}

proptest! {
    #[test]
    fn canonical_text_reads_back_to_the_same_recipe(recipe in any_recipe()) {
        let text = recipe.to_string();
        let again: Recipe = text.parse().unwrap();
        prop_assert_eq!(&again, &recipe);
        prop_assert_eq!(again.to_string(), text);
    }

    #[test]
    fn any_text_parses_or_errs(text in "\\PC{0,60}") {
        if let Ok(recipe) = text.parse::<Recipe>() {
            prop_assert_eq!(recipe.to_string().parse(), Ok(recipe));
        }
    }

    #[test]
    fn any_client_name_becomes_a_stored_name(name in any::<String>()) {
        let display = crate::DisplayName::from_client(&name);
        prop_assert!(!display.as_str().is_empty() && !display.as_str().contains(['/', '\\', '\0', '\n']));
        let segment = display.segment();
        prop_assert_eq!(Segment::parse(segment.as_str()), Some(segment));
    }
}
