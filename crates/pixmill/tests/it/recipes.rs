//! Ready recipes and facts about pictures, on the command line and through a server.

use std::fs;

use serde_json::Value;

use crate::harness::{
    DataFolder, Form, Request, Server, ServerOptions, pixmill, run, task_id, testdata, testdata_path,
};

#[test]
fn info_prints_facts_of_every_file() {
    let photo = testdata_path("orientation/Landscape_6.jpg");
    let (code, text, errors) = run(pixmill(["info"])
        .arg(&photo)
        .arg(testdata_path("pngsuite/basn6a16.png")));
    assert_eq!(code, Some(0), "{errors}");
    for expected in [
        "Landscape_6.jpg",
        "orientation 6",
        "blurhash",
        "rgb and alpha, 16 bit",
        "upright     32 x 32 px",
    ] {
        assert!(text.contains(expected), "{expected} is missing in\n{text}");
    }
    let (code, text, errors) = run(pixmill(["info", "--json"])
        .arg(&photo)
        .arg(testdata_path("hostile/body_cut.jpg"))
        .arg(testdata_path("webp/animated.webp")));
    assert_eq!(code, Some(1), "{errors}");
    assert!(errors.contains("body_cut.jpg"), "{errors}");
    let documents: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let [photo, animation] = &documents[..] else {
        panic!("not two lines:\n{text}");
    };
    assert_eq!(photo["format"], "jpeg");
    assert_eq!(photo["width"], photo["picture"]["height"]);
    assert_eq!(
        (&animation["is_animated"], &animation["frames"]),
        (&true.into(), &2.into())
    );
    assert!(animation["file"].as_str().unwrap().ends_with("animated.webp"));
}

#[test]
fn ready_recipes_are_listed_shown_and_used_by_name() {
    let (code, listed, _) = run(&mut pixmill(["recipes"]));
    assert_eq!(code, Some(0));
    let (code, json, _) = run(&mut pixmill(["recipes", "--json"]));
    assert_eq!(code, Some(0));
    let recipes: Value = serde_json::from_str(&json).unwrap();
    assert!(recipes.as_array().unwrap().len() >= 6, "{json}");
    let scratch = tempfile::tempdir().unwrap();
    let assets = scratch.path().join("assets");
    fs::create_dir(&assets).unwrap();
    fs::copy(testdata_path("pngsuite/basn6a08.png"), assets.join("logo.png")).unwrap();
    for recipe in recipes.as_array().unwrap() {
        let name = recipe["name"].as_str().unwrap();
        assert!(
            listed.contains(recipe["recipe"].as_str().unwrap()),
            "{name} in\n{listed}"
        );
        let (code, document, _) = run(&mut pixmill(["recipes", "show", name]));
        assert_eq!(code, Some(0), "{name}");
        let (code, by_name_alone, _) = run(&mut pixmill(["recipes", name]));
        assert_eq!((code, &by_name_alone), (Some(0), &document), "{name}");
        let file = scratch.path().join(format!("{name}.toml"));
        fs::write(&file, document).unwrap();
        let (by_name, by_document) = (scratch.path().join("name"), scratch.path().join("document"));
        let photo = testdata_path("photos/kodak_14.png");
        let process = |with: &[&str]| {
            let first = ["process", "--assets", assets.to_str().unwrap()];
            pixmill(first.iter().chain(with))
        };
        let (code, _, errors) = run(process(&["--steps", name, "-o"]).arg(&by_name).arg(&photo));
        assert_eq!(code, Some(0), "{name}: {errors}");
        let (code, _, errors) = run(process(&["--recipe"])
            .arg(&file)
            .arg("-o")
            .arg(&by_document)
            .arg(&photo));
        assert_eq!(code, Some(0), "{name}: {errors}");
        for made in fs::read_dir(&by_name).unwrap() {
            let made = made.unwrap().file_name();
            assert_eq!(
                fs::read(by_name.join(&made)).unwrap(),
                fs::read(by_document.join(&made)).unwrap(),
                "{name}"
            );
        }
        // Whoever takes the name for a document means the same.
        let explain = |with: &str| run(pixmill(["explain", with, name]).arg(&photo));
        assert_eq!(explain("--recipe"), explain("--steps"), "{name}");
    }
    let (code, _, errors) = run(pixmill(["explain", "--recipe", "sketch"]).arg(testdata_path("photos/kodak_14.png")));
    assert_eq!(code, Some(1));
    assert!(
        errors.contains("recipe sketch: there is no such file") && errors.contains("thumbnail"),
        "{errors}"
    );
    for arguments in [&["recipes", "show", "sketch"][..], &["recipes", "sketch"]] {
        let (code, _, errors) = run(&mut pixmill(arguments));
        assert_eq!(code, Some(1), "{arguments:?}");
        assert!(errors.contains("sketch") && errors.contains("thumbnail"), "{errors}");
    }
}

#[test]
fn a_server_takes_the_name_of_a_recipe_and_gives_out_facts() {
    let data = DataFolder::new();
    let server = Server::start(&data);
    let client = server.client();
    let form =
        Form::new()
            .text("recipe", "placeholder")
            .file("file", "my photo.jpg", &testdata("bench/photo_0.3mp.jpg"));
    let task = task_id(&client.send(Request::form("/upload", &form)).expect(202));
    let record = client.wait_until_final(&task);
    assert_eq!(record["state"], "completed", "{record:#}");
    let outputs = record["outputs"].as_array().unwrap();
    assert_eq!(outputs[0]["name"], "my_photo_placeholder.webp");
    let facts = &outputs[1];
    assert_eq!(
        (&facts["name"], &facts["format"], &facts["media_type"]),
        (&"my_photo.json".into(), &"info".into(), &"application/json".into())
    );
    assert_eq!((&facts["width"], &facts["height"]), (&640.into(), &480.into()));
    let answer = client
        .get(&format!("/v1/tasks/{task}/outputs/my_photo.json"))
        .expect(200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.json()["picture"]["blurhash"].as_str().unwrap().len(), 28);
    let status = client.get(&format!("/status/{task}")).expect(200).json();
    assert_eq!(status["status"], "COMPLETED", "{status:#}");

    let form = Form::new()
        .text("recipe", "sketch")
        .file("file", "a.jpg", &testdata("bench/photo_0.3mp.jpg"));
    let problem = client
        .send(Request::form("/upload", &form))
        .expect_problem(422, "invalid_recipe");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("grayscale") && detail.contains("thumbnail"), "{detail}");
}

#[test]
fn a_server_lays_on_what_lies_in_its_folder_of_assets_and_names_what_does_not() {
    let data = DataFolder::new();
    let folder = testdata_path("pngsuite");
    let server = ServerOptions::new()
        .args(["--assets", folder.to_str().unwrap(), "--max-attempts", "3"])
        .start(&data);
    let client = server.client();
    let upload = |recipe: &str| {
        let form = Form::new()
            .text("recipe", recipe)
            .file("file", "a.jpg", &testdata("bench/photo_0.3mp.jpg"));
        let task = task_id(&client.send(Request::form("/upload", &form)).expect(202));
        client.wait_until_final(&task)
    };
    assert_eq!(upload("watermark:basn6a08.png,scale=30")["state"], "completed");
    assert_eq!(upload("text:\"Hello, world\",size=10%")["state"], "completed");
    let refused = |recipe: &str| {
        let form = Form::new()
            .text("recipe", recipe)
            .file("file", "a.jpg", &testdata("bench/photo_0.3mp.jpg"));
        let problem = client
            .send(Request::form("/upload", &form))
            .expect_problem(422, "asset_unusable");
        problem["detail"].as_str().unwrap().to_owned()
    };
    let detail = refused("watermark:nothing.png");
    assert!(
        detail.contains("nothing.png") && detail.contains("setting assets") && detail.contains("basi0g01.png"),
        "{detail}"
    );
    assert!(!detail.contains(folder.to_str().unwrap()), "{detail}");
    // What is no font is known once it is read.
    let record = upload("text:a,font=basn6a08.png");
    assert_eq!(
        (&record["state"], &record["attempt"]),
        (&"failed".into(), &1.into()),
        "{record:#}"
    );
    let failure = record["failure"].to_string();
    assert!(
        failure.contains("recipe_impossible") && failure.contains("the asset basn6a08.png cannot be used"),
        "{failure}"
    );
}

#[test]
fn a_gateway_alone_looks_for_assets_only_where_it_is_told_to() {
    let data = DataFolder::new();
    let form =
        Form::new()
            .text("recipe", "watermark:nothing.png")
            .file("file", "a.jpg", &testdata("bench/photo_0.3mp.jpg"));
    let untold = ServerOptions::gateway().start(&data);
    let task = task_id(&untold.client().send(Request::form("/upload", &form)).expect(202));
    untold.stop();
    let folder = testdata_path("pngsuite");
    let told = ServerOptions::gateway()
        .env("PIXMILL_ASSETS", folder.to_str().unwrap())
        .start(&data);
    told.client()
        .send(Request::form("/upload", &form))
        .expect_problem(422, "asset_unusable");
    // The worker says of the task that was taken what the gateway would have said.
    let worker = ServerOptions::worker()
        .args(["--assets", folder.to_str().unwrap()])
        .start(&data);
    let record = told.client().wait_until_final(&task);
    worker.stop();
    let failure = record["failure"].to_string();
    assert!(
        failure.contains("recipe_impossible") && failure.contains("basi0g01.png"),
        "{failure}"
    );
}

#[test]
fn what_is_not_there_is_said_before_anything_is_milled() {
    let scratch = tempfile::tempdir().unwrap();
    let photo = testdata_path("photos/kodak_14.png");
    let out = scratch.path().join("out");
    let assets = ["--assets".to_owned(), testdata_path("pngsuite").display().to_string()];
    let steps = ["--steps", "text:a,font=nothing.ttf"];
    let (code, _, errors) = run(pixmill(["process"])
        .args(&assets)
        .args(steps)
        .arg("-o")
        .arg(&out)
        .arg(&photo));
    assert_eq!(code, Some(1));
    assert!(
        errors.contains("the asset nothing.ttf cannot be used") && errors.contains("basi0g01.png"),
        "{errors}"
    );
    assert!(!errors.contains("milled") && !out.exists(), "{errors}");
    let (code, plan, errors) = run(pixmill(["explain"]).args(&assets).args(steps).arg(&photo));
    assert_eq!(code, Some(1));
    assert!(plan.contains("nothing.ttf, south-east") && errors.contains("the asset nothing.ttf cannot be used"));
    let (code, _, errors) = run(pixmill(["explain"])
        .args(&assets)
        .args(["--steps", "watermark:basi0g01.png"])
        .arg(&photo));
    assert_eq!(code, Some(0), "{errors}");
}
