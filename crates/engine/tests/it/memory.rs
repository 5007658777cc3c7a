//! What a plan says it takes, against what the allocator is asked for.
//!
//! libwebp's encoder allocates beside Rust's allocator and is not seen here.
#![expect(unsafe_code, reason = "an allocator that counts wraps the one that allocates")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use pixmill_engine::plan;
use pixmill_engine::probe::probe;
use pixmill_types::{Limits, Recipe};

use crate::support::{mill, read};

thread_local! {
    /// Bytes held by this thread's allocations, and the most that ever were.
    static HELD: Cell<(isize, isize)> = const { Cell::new((0, 0)) };
}

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn count(bytes: isize) {
    // While a thread ends there is nothing left to count with.
    let _uncounted = HELD.try_with(|held| {
        let (now, most) = held.get();
        held.set((now + bytes, most.max(now + bytes)));
    });
}

// SAFETY: every call is handed to the system's allocator unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: the caller keeps the contract, which is the same.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

/// The most that this thread held while `work` ran, beyond what it held before, bytes.
pub(crate) fn peak_of(work: impl FnOnce()) -> u64 {
    let before = HELD.get().0;
    HELD.set((before, before));
    work();
    u64::try_from(HELD.get().1 - before).unwrap()
}

#[test]
fn plans_say_what_milling_takes() {
    let cases = [
        ("bench/photo_2mp.jpg", "orient | grayscale | blur:2"),
        ("bench/photo_12mp.jpg", "orient | grayscale | blur:2"),
        ("bench/photo_2mp.jpg", "orient | grayscale | blur:20"),
        ("bench/photo_2mp.jpg", "resize:700"),
        ("orientation/Landscape_6.jpg", "orient | grayscale | blur:2"),
        ("bench/photo_2mp.jpg", "blur:2"),
        ("bench/photo_2mp.jpg", "blur:11"),
        ("bench/photo_2mp.jpg", "blur:60"),
        ("bench/photo_2mp.jpg", "orient => png"),
        ("bench/progressive_2mp.jpg", "grayscale"),
        ("bench/progressive_2mp.jpg", "blur:2"),
        ("bench/cmyk_2mp.jpg", "blur:2 => png"),
        ("camera/canon_hdr_NO.jpg", "orient | resize:2000,enlarge=true"),
        ("camera/canon_hdr_NO.jpg", "orient | resize:300"),
        ("photos/kodak_14.png", "grayscale | blur:2"),
        ("bench/photo_2mp.jpg", "blur:2 => jpeg:progressive=true"),
        ("bench/photo_2mp.jpg", "blur:1 => jpeg:95,optimize=true"),
        ("bench/dense_12mp.jpg", "orient | grayscale => jpeg:85,progressive=true"),
        ("photos/kodak_14.png", "orient => jpeg ; info"),
        ("bench/photo_12mp.jpg", "orient => info"),
        ("bench/photo_2mp.jpg", "sharpen:3"),
        ("bench/photo_2mp.jpg", "grayscale | median:1 | edge"),
        ("bench/photo_2mp.jpg", "median:20"),
        ("webp/lossless_alpha.webp", "median:2 | pixelate:9 | normalise => png"),
        (
            "photos/kodak_14.png",
            "orient => jpeg:name=a ; blur:3 | png:name=b ; resize:100 | jpeg:name=c",
        ),
        (
            "bench/photo_2mp.jpg",
            "=> resize:200 | jpeg:name=a ; resize:450 | png:name=b ; resize:1300 | blur:2 | jpeg:name=c ; info",
        ),
        ("webp/lossless_alpha.webp", "resize:1500,enlarge=true => png"),
        ("photos/kodak_14.png", "resize:1536,enlarge=true => gif"),
        ("webp/animated.webp", "resize:1024,enlarge=true => gif"),
        ("webp/animated.webp", "resize:1024,enlarge=true => png"),
        ("formats/animated.png", "resize:1024,enlarge=true => gif:colors=64"),
        ("color/p3.png", "resize:1024,enlarge=true | blur:2 => png"),
        ("photos/kodak_14.png", "resize:1536,enlarge=true => tiff"),
        ("photos/kodak_14.png", "resize:1536,enlarge=true => bmp"),
        ("photos/kodak_14.png", "resize:1536,enlarge=true => qoi"),
        ("photos/kodak_14.png", "grayscale | resize:1536,enlarge=true => qoi"),
        ("photos/kodak_14.png", "resize:1536,enlarge=true => avif:effort=0"),
        ("photos/kodak_14.png", "resize:1536,enlarge=true => avif:95"),
        ("photos/kodak_14.png", "grayscale | resize:1536,enlarge=true => avif"),
        ("formats/gray16_big_endian.tiff", "resize:1536,enlarge=true => avif"),
        ("pngsuite/basn6a16.png", "resize:1200,enlarge=true => avif:95"),
        ("webp/lossless_alpha.webp", "resize:1500,enlarge=true => avif:effort=3"),
        ("webp/lossless_alpha.webp", "resize:1500,enlarge=true | blur:2 => png"),
        ("webp/lossless_alpha.webp", "resize:1500,enlarge=true | blur:30 => png"),
        ("jxl/photo.jxl", "orient => png"),
        ("jxl/gray16.jxl", "orient => png"),
        (
            "bench/photo_2mp.jpg",
            "crop:1200,height=900 | pad:40,background=transparent => png",
        ),
        ("bench/photo_2mp.jpg", "rotate:30"),
        ("photos/kodak_14.png", "rotate:30,background=transparent => jpeg"),
        ("photos/kodak_14.png", "resize:500,linear=true"),
        (
            "bench/photo_2mp.jpg",
            "resize:1000,height=1000,fit=cover,gravity=attention",
        ),
        (
            "photos/kodak_14.png",
            "crop:700,height=500,gravity=attention | round:50% => png",
        ),
        ("photos/kodak_14.png", "trim | pad:100 | flatten"),
    ];
    for (name, recipe) in cases {
        let input = read(name);
        let parsed: Recipe = recipe.parse().unwrap();
        let estimated = plan(&probe(&input).unwrap(), &parsed, &Limits::default())
            .unwrap()
            .memory_bytes();
        let measured = peak_of(|| drop(mill(&input, recipe).unwrap()));
        // The estimate may not be too low, for a budget is made of it; nor so high that slots stay empty.
        println!(
            "{name} ({recipe}): estimated {estimated}, measured {measured}, input {}",
            input.len()
        );
        let room = measured.max(4_000_000);
        assert!(
            measured <= estimated + input.len() as u64,
            "{name} ({recipe}): {measured} of {estimated}"
        );
        assert!(
            estimated <= room * 5 / 2,
            "{name} ({recipe}): {measured} of {estimated}"
        );
    }
}
