//! Recipes that come with pixmill, by name.
//!
//! The folder `recipes/` has each as a document, to read and to start from; a test holds the two against each other.

/// A recipe that comes with pixmill. Its name alone, where a recipe is written, stands for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadyRecipe {
    /// Its name.
    pub name: &'static str,
    /// What it is for, one sentence.
    pub about: &'static str,
    /// Its canonical text.
    pub text: &'static str,
    /// Its document (TOML).
    pub document: &'static str,
}

macro_rules! ready {
    ($($name:literal, $about:literal, $text:literal;)+) => {
        &[$(ReadyRecipe {
            name: $name,
            about: $about,
            text: $text,
            document: include_str!(concat!("../../../../recipes/", $name, ".toml")),
        }),+]
    };
}

impl ReadyRecipe {
    /// Every ready recipe.
    pub const ALL: &[Self] = ready![
        "default",
        "Upright, gray and softened, in its own format: what an image gets when nothing is said.",
        "orient | grayscale | blur:2";

        "thumbnail",
        "At most 400 x 400 pixels, all of the picture.",
        "orient => resize:400,height=400 | webp:name={name}_thumbnail";

        "avatar",
        "Round, 256 and 64 pixels across, of what draws the eye.",
        "orient => resize:256,height=256,fit=cover,gravity=attention | round:50% | webp:name={name}_avatar ; \
         resize:64,height=64,fit=cover,gravity=attention | round:50% | webp:name={name}_avatar_small";

        "web",
        "320, 960 and 1920 pixels wide, each as WebP and as JPEG.",
        "orient => resize:320 | webp:name={name}_320 ; resize:320 | jpeg:name={name}_320 ; \
         resize:960 | webp:name={name}_960 ; resize:960 | jpeg:name={name}_960 ; \
         resize:1920 | webp:name={name}_1920 ; resize:1920 | jpeg:name={name}_1920";

        "product",
        "What surrounds the goods cut off, then 1000 x 1000 pixels with a white border.",
        "orient | flatten | trim | resize:900,height=900 | pad:width=1000,height=1000 => jpeg:85,name={name}_product";

        "watermark",
        "The asset logo.png in the right lower corner, a fifth as wide as the picture and half seen through.",
        "orient | watermark:logo.png,opacity=0.5,scale=20 => jpeg:85,name={name}_watermark";

        "placeholder",
        "32 pixels of the picture, and its colours, BlurHash and ThumbHash as JSON.",
        "orient => resize:32,height=32 | webp:50,name={name}_placeholder ; info";

        "archive",
        "Every pixel, upright and without loss, and what the file was as JSON.",
        "orient => png:name={name}_archive ; info";
    ];

    /// The names of all, for people.
    #[must_use]
    pub fn names() -> String {
        let names: Vec<_> = Self::ALL.iter().map(|recipe| recipe.name).collect();
        names.join(", ")
    }

    /// The ready recipe of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().find(|recipe| recipe.name == name)
    }
}
