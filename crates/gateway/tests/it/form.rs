//! Forms as clients write them, however their bytes are cut into pieces.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use bytes::Bytes;
use futures::stream;

use crate::harness::{BOUNDARY, Form, World, small_png, testdata, upload};

fn in_pieces(form: &Form, size: usize) -> Request<Body> {
    let bytes = form.bytes();
    let pieces: Vec<_> = bytes
        .chunks(size)
        .map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece)))
        .collect();
    Request::post("/v1/tasks")
        .header("content-type", format!("multipart/form-data; boundary=\"{BOUNDARY}\""))
        .body(Body::from_stream(stream::iter(pieces)))
        .unwrap()
}

#[tokio::test]
async fn a_form_is_the_same_however_it_is_cut() {
    let world = World::new().await;
    // An image whose bytes are full of what looks like the beginning of a delimiter.
    let mut image = small_png();
    image.extend_from_slice(format!("\r\r\n\r\n-\r\n--\r\n--{}", &BOUNDARY[..BOUNDARY.len() - 1]).as_bytes());
    let form = Form::default()
        .and_field("recipe", "blur:3")
        .and_file("a.png", &image)
        .and_field("priority", "9");
    let mut hashes = Vec::new();
    for size in [1, 2, 3, 5, 7, 16, 64, 1_000_000] {
        let answer = world.send(in_pieces(&form, size)).await;
        assert_eq!(
            answer.status,
            StatusCode::ACCEPTED,
            "pieces of {size}: {}",
            answer.text()
        );
        let task = answer.json();
        assert_eq!(task["recipe"], "blur:3");
        assert_eq!(task["priority"], 9);
        assert_eq!(task["input"]["bytes"], image.len());
        hashes.push(task["input"]["blake3"].clone());
    }
    hashes.dedup();
    assert_eq!(hashes.len(), 1);
}

#[tokio::test]
async fn names_are_harmless() {
    let world = World::new().await;
    let long = format!("{}.png", "a".repeat(10_000));
    for (client, shown, stored) in [
        ("../../etc/passwd", "passwd", "passwd"),
        (
            &long,
            &format!("{}.png", "a".repeat(251)),
            &format!("{}.png", "a".repeat(116)),
        ),
        ("📷 été.png", "📷 été.png", "___t_.png"),
        ("a\u{202e}gnp.exe", "agnp.exe", "agnp.exe"),
        ("a\u{7}\u{1b}b.png", "ab.png", "ab.png"),
        ("", "image", "image"),
    ] {
        let answer = world.send(upload(Form::file(client, &small_png()))).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{client:?}: {}", answer.text());
        let document = answer.json();
        assert_eq!(document["filename"], shown, "{client:?}");
        let id = document["task_id"].as_str().unwrap();
        let path = format!("tasks/{}/{id}/in/{stored}", &id[34..]);
        assert_eq!(std::fs::read(world.folder.path().join(path)).unwrap(), small_png());
    }
}

#[tokio::test]
async fn a_part_without_a_file_name_is_an_image_all_the_same() {
    let world = World::new().await;
    let form = Form::default().part("form-data; name=file", &small_png());
    assert_eq!(world.send(upload(form)).await.json()["filename"], "image");
    let form = Form::default().part("form-data; name=file; filename*=UTF-8''%C3%A9t%C3%A9.png", &small_png());
    assert_eq!(world.send(upload(form)).await.json()["filename"], "été.png");
}

#[tokio::test]
async fn two_uploads_of_one_name_at_the_same_time_are_both_kept() {
    let world = World::new().await;
    let other = testdata("pngsuite/basn0g08.png");
    let one = world.send(upload(Form::file("a.png", &small_png())));
    let two = world.send(upload(Form::file("a.png", &other)));
    let (one, two) = tokio::join!(one, two);
    let (one, two) = (one.json(), two.json());
    assert_ne!(one["task_id"], two["task_id"]);
    for (document, bytes) in [(one, small_png()), (two, other)] {
        let id = document["task_id"].as_str().unwrap();
        let path = format!("tasks/{}/{id}/in/a.png", &id[34..]);
        assert_eq!(std::fs::read(world.folder.path().join(path)).unwrap(), bytes);
    }
}

#[tokio::test]
async fn content_decides_not_the_name_or_the_declared_type() {
    let world = World::new().await;
    let form = Form::file("photo.jpg", &testdata("hostile/png_named.jpg"));
    let answer = world.send(form.post("/v1/tasks")).await;
    assert_eq!(answer.json()["input"]["format"], "png");
}

#[tokio::test]
async fn images_that_only_their_pixels_condemn_are_accepted() {
    let world = World::new().await;
    for name in ["body_cut.jpg", "body_cut.png", "body_cut.webp", "bytes_after_end.jpg"] {
        let form = Form::file(name, &testdata(&format!("hostile/{name}")));
        assert_eq!(world.send(upload(form)).await.status, StatusCode::ACCEPTED, "{name}");
    }
}

#[tokio::test]
async fn what_stands_around_a_form_means_nothing() {
    let world = World::new().await;
    let bytes = [
        b"This is a form.\r\n",
        &Form::file("a.png", &small_png()).bytes()[..],
        b"The end.",
    ]
    .concat();
    let request = Request::post("/upload")
        .header(
            "content-type",
            format!("Multipart/Form-Data; charset=utf-8; Boundary={BOUNDARY}"),
        )
        .body(Body::from(bytes))
        .unwrap();
    assert_eq!(world.send(request).await.status, StatusCode::ACCEPTED);
}
