//! Recipes through their public doors: text, documents, canonical form, errors.

mod documents;
mod errors;

use proptest::prelude::*;

use super::*;
use crate::{
    Color, Focus, Gravity, ImageFormat, Length, OutputFormat, ReadyRecipe, Segment, Subsampling, WriteOptions,
};

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
            "=> gif:dither=false,colors=16; tiff:compression=lzw,name=t;webp:lossless=true,effort=6,name=w",
            "=> gif:colors=16,dither=false ; tiff:name=t,compression=lzw ; webp:name=w,lossless=true,effort=6",
            "[[outputs]]\nformat = 'gif'\ncolors = 16\ndither = false\n[[outputs]]\nformat = 'tiff'\nname = 't'\n\
             compression = 'lzw'\n[[outputs]]\nformat = 'webp'\nname = 'w'\nlossless = true\neffort = 6",
            r#"{"outputs": [{"format": "gif", "colors": 16, "dither": false},
                {"format": "tiff", "name": "t", "compression": "lzw"},
                {"format": "webp", "name": "w", "lossless": true, "effort": 6}]}"#,
        ),
        (
            "=> jpeg:subsampling = 4:4:4,progressive=true,optimize=true;jpeg:90,optimize=false,name=b",
            "=> jpeg:progressive=true,optimize=true,subsampling=4:4:4 ; jpeg:90,name=b",
            "[[outputs]]\nformat = 'jpeg'\nsubsampling = '4:4:4'\nprogressive = true\noptimize = true\n[[outputs]]\n\
             format = 'jpeg'\nquality = 90\nname = 'b'\noptimize = false",
            r#"{"outputs": [{"format": "jpeg", "optimize": true, "progressive": true, "subsampling": "4:4:4"},
                {"format": "jpeg", "quality": 90, "name": "b", "progressive": false}]}"#,
        ),
        (
            "=> auto:80,profile=srgb;jpeg:metadata=keep,profile=keep,name=j",
            "=> auto:80 ; jpeg:name=j,profile=keep,metadata=keep",
            "[[outputs]]\nformat = 'auto'\nquality = 80\n[[outputs]]\nformat = 'jpeg'\nname = 'j'\nprofile = 'keep'\n\
             metadata = 'keep'",
            r#"{"outputs": [{"format": "auto", "quality": 80},
                {"format": "jpeg", "name": "j", "metadata": "keep", "profile": "keep"}]}"#,
        ),
        (
            "resize:9=>webp:name=a;info:name={name};info:name=a",
            "resize:9 => webp:name=a ; info ; info:name=a",
            "steps = ['resize:9']\n[[outputs]]\nformat = 'webp'\nname = 'a'\n[[outputs]]\nformat = 'info'\n\
             [[outputs]]\nformat = 'info'\nname = 'a'",
            r#"{"steps": ["resize:9"], "outputs": [{"format": "webp", "name": "a"}, {"format": "info"},
                {"format": "info", "name": "a"}]}"#,
        ),
        (
            "text : \"Hi; there, you | me => 50% [x]=\\\"y\\\" \\\\\\n2\", gravity = north =>png:name=a; text:plain text|webp:name=b",
            "text:\"Hi; there, you | me => 50% [x]=\\\"y\\\" \\\\\\n2\",gravity=north => png:name=a ; \
             text:\"plain text\" | webp:name=b",
            "steps = [{ op = 'text', text = \"Hi; there, you | me => 50% [x]=\\\"y\\\" \\\\\\r\\n2\", gravity = 'north' }]\n\
             [[outputs]]\nformat = 'png'\nname = 'a'\n[[outputs]]\nformat = 'webp'\nname = 'b'\nsteps = ['text:\"plain text\"']",
            r#"{"steps": [{"op": "text", "gravity": "north", "text": "Hi; there, you | me => 50% [x]=\"y\" \\\n2"}], "outputs": [
                {"format": "png", "name": "a"}, {"format": "webp", "name": "b", "steps": [{"op": "text", "text": "plain text"}]}]}"#,
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
fn ready_recipes_are_the_documents_of_their_folder() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../recipes");
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), ReadyRecipe::ALL.len());
    for ready in ReadyRecipe::ALL {
        let recipe: Recipe = ready.text.parse().unwrap();
        assert_eq!(recipe.to_string(), ready.text, "{}", ready.name);
        assert_eq!(from_toml(ready.document).unwrap(), recipe, "{}", ready.name);
        assert_eq!(format!(" {} ", ready.name).parse(), Ok(recipe), "{}", ready.name);
        // Nobody who means a step gets a recipe.
        let is_step = Step::from_call(call::Call {
            place: String::new(),
            name: ready.name.to_owned(),
            arguments: Vec::new(),
        });
        assert!(is_step.is_err(), "{}", ready.name);
    }
    assert_eq!("default".parse(), Ok(Recipe::default()));
    for not_alone in [
        "thumbnail | blur:2",
        "thumbnail => webp",
        "thumbnail:400",
        "=> thumbnail",
    ] {
        assert!(not_alone.parse::<Recipe>().is_err(), "{not_alone}");
    }
}

#[test]
fn a_recipe_knows_the_assets_it_needs() {
    let text = "watermark:a.png | blur:2 => text:x,font=b.ttf | png ; text:y | watermark:a.png | webp";
    let recipe: Recipe = text.parse().unwrap();
    let names: Vec<_> = recipe.assets().map(|name| name.to_string()).collect();
    assert_eq!(names, ["a.png", "b.ttf", "a.png"]);
}

#[test]
fn outputs_of_one_name_are_of_different_formats() {
    for (text, is_allowed) in [
        ("=> jpeg ; png", true),
        ("=> jpeg:name=a ; webp:name=a ; info:name=a", true),
        ("=> jpeg:80 ; jpeg:90", false),
        ("=> same ; webp", false),
        ("=> webp ; same", false),
        ("=> same:name=a ; info:name=a", true),
        ("=> info ; info", false),
    ] {
        assert_eq!(text.parse::<Recipe>().is_ok(), is_allowed, "{text}");
    }
}

#[test]
fn shapes_have_one_canonical_text() {
    for (text, canonical) in [
        ("crop:width=10", "crop:10"),
        ("crop:height=5,gravity=center", "crop:height=5"),
        ("crop:top=3", "crop:left=0,top=3"),
        ("crop:9,8,7,6", "crop:9,height=8,left=7,top=6"),
        ("crop:9,8,gravity=attention", "crop:9,height=8,gravity=attention"),
        ("pad:7", "pad:7"),
        ("pad:left=7,top=7,right=7,bottom=7,background=#FFF", "pad:7"),
        ("pad:2,top=0", "pad:left=2,right=2,bottom=2"),
        (
            "pad:width=20,gravity=south-west,background=transparent",
            "pad:width=20,gravity=south-west,background=#00000000",
        ),
        ("rotate:90,white,catmull_rom", "rotate:90"),
        ("rotate:-0,background=red", "rotate:0,background=#ff0000"),
        ("flatten:white | flatten:aqua", "flatten | flatten:#00ffff"),
        ("trim:10 | trim:0", "trim | trim:0"),
        ("round:50 % | round:12", "round:50% | round:12"),
        (
            "resize:9,height=9,fit=contain,gravity=east,background=#00f,linear=true,enlarge=false",
            "resize:9,height=9,fit=contain,gravity=east,background=#0000ff,linear=true",
        ),
        (
            "resize:9,9,cover,gravity=attention",
            "resize:9,height=9,fit=cover,gravity=attention",
        ),
        ("resize:9,fit=outside", "resize:9,fit=outside"),
        (
            "tint:Teal,amount=1 | tint:#f00,0.5",
            "tint:#008080 | tint:#ff0000,amount=0.5",
        ),
        (
            "watermark:logo.png,south-east,1 | watermark:image=a.webp,tile=true,scale=9.5,gravity=north,margin=0,opacity=0.25",
            "watermark:logo.png | watermark:a.webp,gravity=north,opacity=0.25,scale=9.5,tile=true,margin=0",
        ),
        (
            "text:\"a\",5%,white,bold=false,outline_color=black,padding=25 | text:a,12,#F00,b.ttf,angle=-30,opacity=0.5",
            "text:\"a\" | text:\"a\",size=12,color=#ff0000,font=b.ttf,opacity=0.5,angle=-30",
        ),
        (
            "text: a b ,bold=true,tile=true,width=50%,align=left,line_height=1,outline=5,outline_color=red,\
             background=#0008,padding=0,margin=3",
            "text:\"a b\",bold=true,margin=3,tile=true,width=50%,align=left,line_height=1,outline=5,\
             outline_color=#ff0000,background=#00000088,padding=0",
        ),
    ] {
        let recipe: Recipe = text.parse().unwrap();
        assert_eq!(recipe.to_string(), canonical);
        assert_eq!(canonical.parse(), Ok(recipe));
    }
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
        ("=> info", "my_photo.json"),
        ("=> info:name=about_{name}", "about_my_photo.json"),
        ("=> info:name=about_{name}_it", "about_my_photo_it.json"),
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
    let name = recipe.outputs()[0].segment_for(&input, ImageFormat::Png.into());
    assert!(
        name.as_str().starts_with("xxx") && name.as_str().ends_with("yyy.png"),
        "{name}"
    );
}

fn any_step() -> impl Strategy<Value = Step> {
    use steps::{
        Blur, Brightness, Edge, EdgeOperator, Filter, Fit, Flip, Grayscale, Hue, Invert, Median, Normalise, Orient,
        Pixelate, Resize, Sharpen, Threshold,
    };
    let fit = prop_oneof![Just(Fit::Inside), Just(Fit::Outside), Just(Fit::Cover), Just(Fit::Fill)];
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
            let complete = matches!(fit, Fit::Inside | Fit::Outside) || (width.is_some() && height.is_some());
            (in_range && complete).then_some(Step::Resize(Resize {
                width,
                height,
                fit,
                filter,
                enlarge,
                gravity: match fit {
                    Fit::Cover => Focus::Attention,
                    _ => Focus::CENTER,
                },
                background: Color::WHITE,
                linear: enlarge,
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
        (0.3_f32..=20.0, 0.0_f32..=10.0, 0_u32..=255).prop_map(|(sigma, amount, threshold)| {
            Step::Sharpen(Sharpen {
                sigma,
                amount,
                threshold,
            })
        }),
        (2_u32..=1_000).prop_map(|size| Step::Pixelate(Pixelate { size })),
        (1_u32..=20).prop_map(|radius| Step::Median(Median { radius })),
        prop_oneof![Just(EdgeOperator::Sobel), Just(EdgeOperator::Laplacian)]
            .prop_map(|operator| Step::Edge(Edge { operator })),
        (0.0_f32..=49.0, prop_oneof![Just(1.0_f32), 0.0_f32..=49.0])
            .prop_map(|(low, high)| Step::Normalise(Normalise { low, high })),
        resize,
        any_shape(),
        any_text(),
    ]
}

fn any_shape() -> impl Strategy<Value = Step> {
    use steps::{Crop, CropAt, Pad, PadBy, Rotate, RotateFilter, Round, Trim};
    let side = || prop::option::of(1_u32..=65_535);
    let sides = [0_u32..=3, 0..=3, 0..=3, 0..=65_535];
    let background = any::<[u8; 4]>().prop_map(|[red, green, blue, alpha]| Color {
        red,
        green,
        blue,
        alpha,
    });
    let gravity = (0..Gravity::WORDS.len()).prop_map(|index| Gravity::WORDS[index].1);
    let crop =
        (1_u32..=65_535, side(), any::<bool>(), gravity.clone()).prop_map(|(width, height, is_box, gravity)| Crop {
            width: Some(width),
            height,
            at: match is_box {
                true => CropAt::Offset { left: width, top: 0 },
                false => CropAt::Focus(Focus::Place(gravity)),
            },
        });
    let by = prop_oneof![
        sides.prop_map(|[left, top, right, bottom]| PadBy::Sides {
            left,
            top,
            right,
            bottom: bottom.max(1),
        }),
        (1_u32..=65_535, side(), gravity).prop_map(|(height, width, gravity)| PadBy::Size {
            width,
            height: Some(height),
            gravity,
        }),
    ];
    prop_oneof![
        crop.prop_map(Step::Crop),
        (by, background.clone()).prop_map(|(by, background)| Step::Pad(Pad { by, background })),
        (-360.0_f32..=360.0, background).prop_map(|(angle, background)| Step::Rotate(Rotate {
            angle,
            background,
            filter: RotateFilter::Bilinear,
        })),
        (0_u32..=254).prop_map(|tolerance| Step::Trim(Trim { tolerance })),
        (1_u32..=65_535).prop_map(|radius| Step::Round(Round {
            radius: Length::Pixels(radius)
        })),
        (0.001_f32..=100.0).prop_map(|radius| Step::Round(Round {
            radius: Length::Percent(radius)
        })),
    ]
}

fn any_text() -> impl Strategy<Value = Step> {
    use steps::{Align, Font, Text};
    let words = prop_oneof!["[a-z |;,=\"\\\\\n>%\\[:]{0,12}x", "\\PC{0,12}x"];
    let color = any::<[u8; 4]>().prop_map(|[red, green, blue, alpha]| Color {
        red,
        green,
        blue,
        alpha,
    });
    let font = prop_oneof![
        Just(Font::Sans),
        Just(Font::SansBold),
        Just(Font::Asset("a-b.ttf".parse().unwrap()))
    ];
    let width = prop_oneof![
        Just(None),
        (1_u32..=65_535).prop_map(|width| Some(Length::Pixels(width))),
        (0.001_f32..=100.0).prop_map(|width| Some(Length::Percent(width)))
    ];
    let align = prop::option::of(prop_oneof![Just(Align::Left), Just(Align::Center), Just(Align::Right)]);
    let share = 0.0_f32..=1.0;
    (
        words,
        font,
        [color.clone(), color.clone(), color],
        width,
        align,
        share,
        any::<bool>(),
    )
        .prop_filter_map(
            "no text",
            |(words, font, [color, outline_color, background], width, align, share, tile)| {
                Some(Step::Text(Text {
                    text: words.parse().ok()?,
                    size: width.unwrap_or(Length::Percent(5.0)),
                    color,
                    font,
                    gravity: Gravity::SouthWest,
                    margin: 3,
                    opacity: share,
                    angle: share * 360.0,
                    tile,
                    width,
                    align,
                    line_height: 0.5 + share,
                    outline: share * 50.0,
                    outline_color,
                    background,
                    padding: share * 500.0,
                }))
            },
        )
}

fn any_recipe() -> impl Strategy<Value = Recipe> {
    let format = prop_oneof![
        Just(OutputFormat::Same),
        Just(OutputFormat::Auto),
        Just(OutputFormat::Fixed(ImageFormat::Jpeg)),
        Just(OutputFormat::Fixed(ImageFormat::Webp)),
        Just(OutputFormat::Info),
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
            quality: (format != OutputFormat::Info).then_some(quality),
            options: WriteOptions {
                effort: (format == OutputFormat::Fixed(ImageFormat::Webp)).then_some(quality % 7),
                progressive: format == OutputFormat::Fixed(ImageFormat::Jpeg) && quality % 2 == 1,
                optimize: format == OutputFormat::Fixed(ImageFormat::Jpeg) && quality % 3 == 1,
                subsampling: [None, Some(Subsampling::Half), Some(Subsampling::None)][usize::from(quality % 3)]
                    .filter(|_| format == OutputFormat::Fixed(ImageFormat::Jpeg)),
                ..WriteOptions::default()
            },
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
