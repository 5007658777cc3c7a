//! The commands beside `serve`: process, explain, config, backup and restore.

use std::fs;
use std::process::Stdio;

use crate::harness::{DataFolder, Gray, Server, ServerOptions, eventually, pixmill, run, testdata, testdata_path};

#[test]
fn process_mills_files_and_folders() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("in/deeper");
    fs::create_dir_all(&folder).unwrap();
    fs::copy(testdata_path("bench/restart_markers_0.3mp.jpg"), folder.join("b.jpg")).unwrap();
    let output = scratch.path().join("out");
    let (code, _, errors) = run(
        pixmill(["process", "--jobs", "2", "--steps", "orient | grayscale | blur:2", "-o"])
            .arg(&output)
            .arg(testdata_path("bench/photo_0.3mp.jpg"))
            .arg(scratch.path().join("in")),
    );
    assert_eq!(code, Some(0), "{errors}");
    for (result, reference, x, y) in [
        ("processed_photo_0.3mp.jpg", "golden/default_photo.png", 256, 224),
        ("deeper/processed_b.jpg", "golden/default_restart.png", 0, 0),
    ] {
        let result = Gray::from_jpeg(&fs::read(output.join(result)).unwrap());
        let psnr = result.psnr_at(x, y, &Gray::from_png(&testdata(reference)));
        assert!(psnr >= 45.0, "{psnr:.1} dB against {reference}");
    }
}

#[test]
fn process_says_which_files_failed_and_mills_the_others() {
    let scratch = tempfile::tempdir().unwrap();
    let output = scratch.path().join("out");
    let (code, _, errors) = run(pixmill(["process", "-o"])
        .arg(&output)
        .arg(testdata_path("hostile/body_cut.jpg"))
        .arg(testdata_path("pngsuite/basn2c08.png"))
        .arg(testdata_path("hostile/bomb_65536.png")));
    assert_eq!(code, Some(1), "{errors}");
    for name in ["body_cut.jpg", "bomb_65536.png"] {
        assert_eq!(errors.lines().filter(|line| line.contains(name)).count(), 1, "{errors}");
    }
    let names: Vec<_> = fs::read_dir(&output)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["processed_basn2c08.png"]);
}

#[test]
fn process_overwrites_no_input_whichever_it_is() {
    let scratch = tempfile::tempdir().unwrap();
    let (first, second) = (scratch.path().join("a.png"), scratch.path().join("processed_a.png"));
    fs::copy(testdata_path("formats/rgb.png"), &first).unwrap();
    fs::copy(testdata_path("formats/rgba.png"), &second).unwrap();
    let before = [fs::read(&first).unwrap(), fs::read(&second).unwrap()];
    let (code, _, errors) = run(pixmill(["process", "--steps", "=> png", "-o"])
        .arg(scratch.path())
        .args([&first, &second]));
    assert_eq!(code, Some(1), "{errors}");
    assert!(
        errors.contains("would overwrite") && errors.contains("which is an input too"),
        "{errors}"
    );
    assert_eq!([fs::read(&first).unwrap(), fs::read(&second).unwrap()], before);
    assert!(scratch.path().join("processed_processed_a.png").exists());
}

#[test]
fn process_keeps_names_in_whatever_letters() {
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("in");
    fs::create_dir(&folder).unwrap();
    for name in ["日本.png", "東京.png", "ä b.png", ".hidden.png", "no extension"] {
        fs::copy(testdata_path("formats/rgb.png"), folder.join(name)).unwrap();
    }
    let output = scratch.path().join("out");
    let (code, _, errors) = run(
        pixmill(["process", "--steps", "=> webp ; png:name=small_{name}_x", "-o"])
            .arg(&output)
            .args([folder.as_path(), &folder.join("no extension")]),
    );
    assert_eq!(code, Some(0), "{errors}");
    let mut names: Vec<_> = fs::read_dir(&output)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let mut expected: Vec<_> = ["日本", "東京", "ä b", ".hidden", "no extension"]
        .iter()
        .flat_map(|name| [format!("processed_{name}.webp"), format!("small_{name}_x.png")])
        .collect();
    expected.sort();
    assert_eq!(names, expected);
}

#[test]
fn process_says_what_a_person_should_know() {
    let scratch = tempfile::tempdir().unwrap();
    let (code, _, errors) = run(pixmill(["process", "--steps", "=> jpeg", "-o"])
        .arg(scratch.path())
        .arg(testdata_path("webp/animated.webp"))
        .arg(testdata_path("color/damaged.png")));
    assert_eq!(code, Some(0), "{errors}");
    for (name, warning) in [("animated.webp", "first frame"), ("damaged.png", "profile")] {
        let told = errors.lines().any(|line| line.contains(name) && line.contains(warning));
        assert!(told, "{name}: {errors}");
    }
}

#[test]
fn process_refuses_an_unknown_step_and_says_what_is_allowed() {
    let scratch = tempfile::tempdir().unwrap();
    let (code, _, errors) = run(pixmill(["process", "--steps", "sketch", "-o"])
        .arg(scratch.path())
        .arg(testdata_path("pngsuite/basn2c08.png")));
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains("sketch") && errors.contains("grayscale"), "{errors}");
}

#[test]
fn explain_prints_the_plan_without_milling() {
    let (code, plan, errors) =
        run(pixmill(["explain", "--steps", "orient | grayscale | blur:2"]).arg(testdata_path("bench/photo_2mp.jpg")));
    assert_eq!(code, Some(0), "{errors}");
    assert!(
        plan.contains("1664") && plan.contains("1248") && plan.contains("orient | grayscale | blur"),
        "{plan}"
    );
}

#[test]
fn explain_prints_the_plan_for_programs() {
    let photo = testdata_path("bench/photo_2mp.jpg");
    let (code, plan, errors) = run(pixmill([
        "explain",
        "--json",
        "--steps",
        "=> resize:100 | png:name=a ; resize:900 | jpeg:name=b",
    ])
    .arg(&photo));
    assert_eq!(code, Some(0), "{errors}");
    let plan: serde_json::Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plan["input"]["width"], 1664);
    let stages = plan["stages"].as_array().unwrap();
    let names: Vec<_> = stages.iter().map(|stage| stage["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["decode", "resize", "encode", "resize", "encode"]);
    assert_eq!(
        (&stages[3]["output"], &stages[3]["from_output"]),
        (&0.into(), &1.into())
    );
    for document in stages.iter().chain([&plan]) {
        assert!(document["estimated_memory_bytes"].as_u64().unwrap() > 0, "{document}");
        assert!(document["estimated_ms"].as_f64().unwrap() > 0.0, "{document}");
    }
    assert!(plan["estimated_for"].as_str().unwrap().contains("core"), "{plan}");
}

#[test]
fn config_prints_what_applies_and_where_it_comes_from() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("settings.toml");
    fs::write(&file, "[worker]\nslots = 3\n[broker]\nmax_attempts = 7\n").unwrap();
    let (code, settings, errors) = run(pixmill(["config", "--max-attempts", "9", "--config"])
        .arg(&file)
        .env("PIXMILL_MAX_QUEUED", "77"));
    assert_eq!(code, Some(0), "{errors}");
    for (setting, value) in [
        ("slots", "3"),
        ("max_attempts", "9"),
        ("max_queued", "77"),
        ("listen", "127.0.0.1:8000"),
    ] {
        let line = settings.lines().find(|line| line.starts_with(setting));
        assert!(
            line.is_some_and(|line| line.contains(value)),
            "{setting}: {line:?} in\n{settings}"
        );
    }
    let (code, _, errors) = run(pixmill(["config", "--slots", "many"]).env_clear());
    assert_eq!(code, Some(1), "{errors}");
    assert!(errors.contains("slots") && errors.contains("many"), "{errors}");
}

#[test]
fn config_prints_no_password_and_neither_does_a_refusal() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("settings.toml");
    let told = |variable: &str, value: &str, text: &str, expected: i32| {
        fs::write(&file, text).unwrap();
        let mut command = pixmill(["config", "--config"]);
        let (code, settings, errors) = run(command.arg(&file).env(variable, value));
        assert_eq!(code, Some(expected), "{value} {text}: {errors}");
        assert!(
            !settings.contains("TOPSECRET") && !errors.contains("TOPSECRET"),
            "{settings}{errors}"
        );
        settings + &errors
    };
    for address in ["redis://:TOPSECRET@h:6379/0", "redis+unix:///run/r.sock?pass=TOPSECRET"] {
        let settings = told("PIXMILL_BROKER", address, "", 0);
        assert!(settings.contains("broker = \"redis"), "{settings}");
    }
    for (variable, value, text) in [
        ("PIXMILL_BROKER", "valkey://user:TOPSECRET@h:6379/0", ""),
        ("PIXMILL_BROKER", "\"redis://:TOPSECRET@h:6379/0\"", ""),
        ("PIXMILL_S3_ENDPOINT", "http://key:TOPSECRET@minio:9000", ""),
        (
            "PIXMILL_QUEUE",
            "images",
            "[broker]\nbroker = \"http://:TOPSECRET@h\"\n",
        ),
        (
            "PIXMILL_QUEUE",
            "images",
            "[broker]\nbroker = \"rediss//:TOPSECRET@h\"\n",
        ),
        (
            "PIXMILL_QUEUE",
            "images",
            "[broker]\nbroker = \"redis:/:TOPSECRET@h\"\n",
        ),
    ] {
        let errors = told(variable, value, text, 1);
        assert!(errors.contains("…@") && errors.contains("expected "), "{errors}");
    }
    let errors = told(
        "PIXMILL_QUEUE",
        "images",
        "[broker]\nbroker = \"redis://:TOPSECRET@h\n",
        1,
    );
    assert!(errors.contains("line 2, column "), "{errors}");
}

#[test]
fn a_misspelt_variable_is_told_and_stops_nothing() {
    let (code, settings, errors) = run(pixmill(["config"])
        .env("PIXMILL_SLOT", "3")
        .env("PIXMILL_GATEWAY_PORT_8000_TCP", "tcp://10.0.0.1:8000"));
    assert_eq!(code, Some(0), "{errors}");
    assert!(settings.contains("slots = \"auto\""), "{settings}");
    assert!(
        errors.contains("unknown setting PIXMILL_SLOT in the environment (did you mean PIXMILL_SLOTS?), see"),
        "{errors}"
    );
    assert!(!errors.contains("PIXMILL_GATEWAY"), "{errors}");

    let data = DataFolder::new();
    let server = ServerOptions::new().env("PIXMILL_SLOT", "3").start(&data);
    server.wait_for_line("did you mean PIXMILL_SLOTS?");
    server.client().get("/readyz").expect(200);
}

#[test]
fn a_server_refuses_settings_that_cannot_be_meant() {
    let here = "127.0.0.1:8000";
    for (arguments, told) in [
        (
            &["--slots", "100000"][..],
            "slots is \"100000\" (flag --slots), expected a whole number up to 1024",
        ),
        (
            &["--slots", "-1"],
            "slots is \"-1\" (flag --slots), expected a whole number",
        ),
        (
            &["--max-uploads", "-1"],
            "max_uploads is \"-1\" (flag --max-uploads), expected a whole number",
        ),
        (
            &["--lease", "-5s"],
            "lease is \"-5s\" (flag --lease), expected a duration",
        ),
        (
            &["--task-timeout", "0s"],
            "task_timeout is \"0s\" (flag --task-timeout), expected a duration of at least 1ms",
        ),
        (
            &["--cors-origins", "https://a.example/"],
            "cors_origins is \"https://a.example/\" (flag --cors-origins)",
        ),
        (
            &["--max-pixels", "0"],
            "max_pixels is \"0\" (flag --max-pixels), expected at least 1",
        ),
        (
            &["--memory-budget", "1"],
            "memory_budget is \"1\" (flag --memory-budget), expected at least 1MiB",
        ),
        (
            &["--upkeep", "yes"],
            "upkeep is \"yes\" (flag --upkeep), expected true or false",
        ),
        (
            &["--listen", here, "--metrics-listen", here],
            "listen is \"127.0.0.1:8000\" (flag --listen) and metrics_listen is \"127.0.0.1:8000\" (flag --metrics-listen)",
        ),
        (
            &["--metrics-listen", "0.0.0.0:8000"],
            "listen is \"127.0.0.1:8000\" (default) and metrics_listen is \"0.0.0.0:8000\" (flag --metrics-listen)",
        ),
    ] {
        let (code, _, errors) = run(pixmill(["serve", "--data", "/nonexistent/data"]).args(arguments));
        assert_eq!(code, Some(1), "{errors}");
        assert!(errors.contains(told), "{errors}");
    }
    let (code, settings, errors) = run(&mut pixmill(["config", "--accept-tasks", "false"]));
    assert_eq!(code, Some(0), "{errors}");
    assert!(
        settings.contains("accept_tasks = false  # flag --accept-tasks"),
        "{settings}"
    );
}

#[test]
fn a_backup_of_a_running_server_restores_its_tasks() {
    let data = DataFolder::new();
    let server = Server::start(&data);
    let task = server.client().upload("photo.jpg", &testdata("bench/photo_0.3mp.jpg"));
    assert_eq!(server.client().wait_until_final(&task)["state"], "completed");
    let scratch = tempfile::tempdir().unwrap();
    let copy = scratch.path().join("copy.db");
    let command = |name: &str| run(pixmill([name, "--data"]).arg(data.path()).arg(&copy));
    let (code, _, errors) = command("backup");
    assert_eq!(code, Some(0), "{errors}");
    let (code, _, errors) = command("backup");
    assert_eq!(code, Some(1), "a backup must not take the place of a file");
    assert!(errors.contains("exists already; name a file that does not"), "{errors}");
    let later = server.client().upload("later.jpg", &testdata("bench/photo_0.3mp.jpg"));
    server.client().wait_until_final(&later);

    let (code, _, errors) = command("restore");
    assert_eq!(code, Some(1), "restore must refuse while a server runs: {errors}");
    let replaced = data.path().join("pixmill.db.replaced-1");
    assert!(!replaced.exists());
    server.stop();
    let (code, output, errors) = command("restore");
    assert_eq!(code, Some(0), "{errors}");
    assert!(output.contains(&replaced.display().to_string()), "{output}");

    let server = Server::start(&data);
    let client = server.client();
    assert_eq!(
        client.get(&format!("/status/{task}")).expect(200).json()["status"],
        "COMPLETED"
    );
    client
        .get(&format!("/v1/tasks/{task}/outputs/processed_photo.jpg"))
        .expect(200);
    client
        .get(&format!("/status/{later}"))
        .expect_problem(404, "task_not_found");
    server.stop();

    // What was replaced is whole, and can be put back.
    let (code, _, errors) = run(pixmill(["restore", "--data"]).arg(data.path()).arg(&replaced));
    assert_eq!(code, Some(0), "{errors}");
    let server = Server::start(&data);
    server.client().get(&format!("/status/{later}")).expect(200);
}

#[test]
fn help_teaches_every_command() {
    let (code, help, _) = run(&mut pixmill(["--help"]));
    assert_eq!(code, Some(0));
    for word in [
        "serve", "process", "explain", "info", "recipes", "licence", "config", "backup", "restore", "bench",
        "--listen", "--data",
    ] {
        assert!(help.contains(word), "{word} is not in\n{help}");
    }
    let (code, licence, _) = run(&mut pixmill(["licence"]));
    assert_eq!(code, Some(0));
    assert!(
        licence.contains("Apache") && licence.contains("Bitstream Vera"),
        "{licence}"
    );
}

#[test]
fn load_sees_every_task_done_with_and_without_a_backlog() {
    let data = DataFolder::new();
    let server = Server::start(&data);
    let load = |more: &[&str]| {
        let (code, printed, errors) = run(
            pixmill(["load", "--json", "--tasks", "5", "--connections", "2", "--url"])
                .arg(server.url(""))
                .args(more)
                .arg(testdata_path("bench/photo_0.3mp.jpg")),
        );
        assert_eq!(code, Some(0), "{errors}");
        serde_json::from_str::<serde_json::Value>(&printed).unwrap()["tasks"].clone()
    };
    assert_eq!(load(&[]), 5);
    assert_eq!(load(&["--backlog", "1"]), 5);
    let done = server.client().get("/v1/tasks?state=completed").json();
    assert_eq!(done["tasks"].as_array().map(Vec::len), Some(10), "{done:#}");
}

#[test]
fn load_tells_what_it_saw_when_the_server_goes() {
    let data = DataFolder::new();
    let server = Server::start(&data);
    let load = pixmill(["load", "--json", "--tasks", "1000000", "--backlog", "2", "--url"])
        .arg(server.url(""))
        .arg(testdata_path("bench/photo_0.3mp.jpg"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let client = server.client();
    // More than can be under way: of some, the load knows that they are done.
    eventually("tasks of the load are done", || {
        let done = client.get("/v1/tasks?state=completed").json();
        done["tasks"]
            .as_array()
            .is_some_and(|tasks| tasks.len() > 12)
            .then_some(())
    });
    server.kill();
    let ended = load.wait_with_output().unwrap();
    let errors = String::from_utf8(ended.stderr).unwrap();
    assert_eq!(ended.status.code(), Some(1), "{errors}");
    let figures: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert!(figures["tasks"].as_u64() > Some(12), "{figures}");
    assert!(figures["tasks_per_second"].as_f64() > Some(0.0), "{figures}");
    assert!(errors.contains("of 1000000 uploads: "), "{errors}");
}
