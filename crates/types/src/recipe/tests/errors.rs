//! What a recipe that cannot be read is told.

use super::*;

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
            "sharpen:0.1",
            "step 1 (sharpen): sigma is \"0.1\", allowed is a number from 0.3 to 20",
        ),
        (
            "sharpen:2,amount=11",
            "step 1 (sharpen): amount is \"11\", allowed is a number from 0 to 10",
        ),
        (
            "sharpen:threshold=256",
            "step 1 (sharpen): threshold is \"256\", allowed is a whole number from 0 to 255",
        ),
        (
            "pixelate:1",
            "step 1 (pixelate): size is \"1\", allowed is a whole number from 2 to 1000",
        ),
        (
            "median:21",
            "step 1 (median): radius is \"21\", allowed is a whole number from 1 to 20",
        ),
        (
            "edge:canny",
            "step 1 (edge): operator is \"canny\", allowed is one of sobel, laplacian",
        ),
        ("tint", "step 1 (tint): color is not given, it is needed"),
        (
            "tint:#0000",
            "step 1 (tint): color is \"#00000000\", allowed is an opaque colour",
        ),
        (
            "watermark:tile=true",
            "step 1 (watermark): image is not given, it is needed",
        ),
        (
            "watermark:../logo.png",
            "step 1 (watermark): image is \"../logo.png\", allowed is a file of the assets: 1 to 64 characters of A-Z a-z \
             0-9 . _ -, no dot or dash first",
        ),
        (
            "watermark:logo.png,scale=0",
            "step 1 (watermark): scale is \"0\", allowed is a number from 1 to 100",
        ),
        ("text", "step 1 (text): text is not given, it is needed"),
        (
            "text:\"a\\n\u{7}\"",
            "step 1 (text): text has the control character U+0007, allowed are characters that can be seen, spaces and new \
             lines",
        ),
        (
            "text:\" \"",
            "step 1 (text): text is blank, allowed are characters that can be seen, spaces and new lines",
        ),
        (
            "text:a,size=0",
            "step 1 (text): size is \"0\", allowed is a whole number of pixels from 1 to 65535, or a percentage up to 100%",
        ),
        (
            "text:a,bold=true,font=a.ttf",
            "step 1 (text): bold is true and font is given, only one of them may be",
        ),
        (
            "text:a,line_height=9",
            "step 1 (text): line_height is \"9\", allowed is a number from 0.5 to 5",
        ),
        (
            "text:\"a | blur:2",
            "step 1 (text): the quote that begins \"\\\"a | blur:2\" is not closed",
        ),
        (
            "text:5\" wide",
            "step 1 (text): a quote stands within \"5\\\" wide\", allowed is all of a value in quotes, with \\\" for a quote \
             in it",
        ),
        (
            "text:\"a\\tb\"",
            "step 1 (text): \\t stands in quotes, allowed are \\\", \\\\ and \\n",
        ),
        (
            "normalise:high=50",
            "step 1 (normalise): high is \"50\", allowed is a number from 0 to 49",
        ),
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
            "step 1 (resize): fit is \"squash\", allowed is one of inside, outside, contain, cover, fill",
        ),
        (
            "=> heic",
            "output 1 (heic): unknown output format \"heic\", allowed are same, auto, jpeg, png, webp, gif, tiff, bmp, qoi, avif, info",
        ),
        (
            "=> png:80",
            "output 1 (png): \"80\" stands for no parameter, those here are given by name: name, effort, profile, \
             metadata, frames",
        ),
        (
            "resize:9,height=9,gravity=east",
            "step 1 (resize): gravity is given, it needs a fit of cover or contain",
        ),
        (
            "resize:9,height=9,fit=contain,gravity=attention",
            "step 1 (resize): gravity is \"attention\", it needs a fit of cover",
        ),
        (
            "resize:9,height=9,fit=cover,background=red",
            "step 1 (resize): background is given, it needs a fit of contain",
        ),
        (
            "resize:9,fit=contain",
            "step 1 (resize): this fit needs both width and height, give both or leave fit at inside",
        ),
        (
            "crop",
            "step 1 (crop): neither width, height, left nor top is given, at least one is needed",
        ),
        (
            "crop:9,left=1,gravity=north",
            "step 1 (crop): gravity is given beside left or top, only one of them may be",
        ),
        (
            "crop:9,gravity=northeast",
            "step 1 (crop): gravity is \"northeast\", allowed is one of center, north, north-east, east, south-east, \
             south, south-west, west, north-west, attention",
        ),
        (
            "pad",
            "step 1 (pad): neither pixels of a side nor width or height are given, they are needed",
        ),
        (
            "pad:9,width=20",
            "step 1 (pad): a size is given beside pixels of a side, only one of them may be",
        ),
        (
            "pad:9,gravity=north",
            "step 1 (pad): gravity is given without width or height, it says where in these the picture lies",
        ),
        (
            "pad:9,background=#12",
            "step 1 (pad): background is \"#12\", allowed is a colour: #rgb, #rrggbb, #rrggbbaa, a basic name of CSS such \
             as white, or transparent",
        ),
        (
            "flatten:transparent",
            "step 1 (flatten): background is \"#00000000\", allowed is an opaque colour",
        ),
        ("rotate", "step 1 (rotate): angle is not given, it is needed"),
        (
            "rotate:361",
            "step 1 (rotate): angle is \"361\", allowed is a number from -360 to 360",
        ),
        (
            "trim:255",
            "step 1 (trim): tolerance is \"255\", allowed is a whole number from 0 to 254",
        ),
        (
            "round:0%",
            "step 1 (round): radius is \"0%\", allowed is a whole number of pixels from 1 to 65535, or a percentage up to \
             100%",
        ),
        (
            "=> jpeg:0",
            "output 1 (jpeg): quality is \"0\", allowed is a whole number from 1 to 100",
        ),
        (
            "=> webp:80,lossless=true",
            "output 1 (webp): quality is given and lossless is true, allowed is one of them",
        ),
        (
            "=> avif:60,effort=10",
            "output 1 (avif): effort is \"10\", allowed is a whole number from 0 to 9",
        ),
        (
            "=> jpeg:subsampling=4:1:1",
            "output 1 (jpeg): subsampling is \"4:1:1\", allowed is one of 4:2:0, 4:4:4",
        ),
        (
            "=> jpeg:progressive=yes",
            "output 1 (jpeg): progressive is \"yes\", allowed is true or false",
        ),
        (
            "=> gif:colors=1",
            "output 1 (gif): colors is \"1\", allowed is a whole number from 2 to 256",
        ),
        (
            "=> same ; png",
            "output 2: the name \"processed_{name}\" is taken by an earlier output, give each its own",
        ),
        (
            "=> info ; info",
            "output 2: the name \"{name}\" is taken by an earlier output, give each its own",
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
    assert_eq!(
        "blurr".parse::<Recipe>().unwrap_err().to_string(),
        format!(
            "step 1 (blurr): {allowed}; or, alone, the recipes {}",
            ReadyRecipe::names()
        )
    );
    let many = vec!["grayscale"; 65].join("|");
    assert_eq!(
        many.parse::<Recipe>().unwrap_err().to_string(),
        "steps: 65 steps, at most 64 are allowed"
    );
    let words = "é".repeat(1_001);
    assert_eq!(
        format!("text:{words}").parse::<Recipe>().unwrap_err().to_string(),
        "step 1 (text): text has 1001 characters, at most 1000 are allowed"
    );
    // A document may say in fewer bytes what the compact form, which is stored, needs more for.
    let step = format!("{{ op = 'text', text = '{}' }}", "\"".repeat(1_000));
    assert_eq!(
        from_toml(&format!("steps = [{step}, {step}, {step}, {step}, {step}]")).unwrap_err(),
        "recipe: 10047 bytes long in its compact form, at most 8192 are allowed"
    );
    let long = "x".repeat(9_000);
    assert!(long.parse::<Recipe>().unwrap_err().to_string().contains("at most 8192"));
}
