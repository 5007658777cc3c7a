//! Servers whose files lie with Azure or Google: what differs from the bucket of `bucket`.

use http::{Method, Uri};

use crate::answering::answering;
use crate::azure_server::{ACCOUNT, AzureServer, CONTAINER, KEY};
use crate::google_server::{GoogleServer, MACHINE_TOKEN};
use crate::harness::{Client, DataFolder, Request, Response, ServerOptions, testdata};
use crate::s3_server::BUCKET;

/// Uploads a photo through the gateway, follows the redirect of its result, and deletes it.
fn mill_and_fetch(client: Client) -> Response {
    let task = client.upload("photo.jpg", &testdata("bench/photo_0.3mp.jpg"));
    let done = client.wait_until_final(&task);
    assert_eq!(done["state"], "completed", "{done:#}");
    let output = &done["outputs"][0];
    let redirect = client.get(output["url"].as_str().unwrap()).expect(302);
    let link: Uri = redirect.header("location").parse().unwrap();
    let store = Client::new(link.authority().unwrap().as_str().parse().unwrap());
    let path = link.path_and_query().unwrap().as_str();
    let image = store.get(path).expect(200);
    assert_eq!(
        output["blake3"],
        pixmill_types::ContentHash::of(&image.body).to_string()
    );
    let request = Request::new(Method::DELETE, format!("/v1/tasks/{task}"));
    client.send(request).expect(204);
    store.get(path).expect(404);
    image
}

fn in_azure(server: &AzureServer) -> ServerOptions {
    let place = format!("--storage=az://{CONTAINER}/shop");
    let endpoint = format!("--azure-endpoint={}", server.endpoint());
    ServerOptions::new()
        .args([&place, &endpoint])
        .args(["--slots=1", "--azure-redirect=10m"])
        .env("AZURE_STORAGE_ACCOUNT", ACCOUNT)
}

#[test]
fn files_may_lie_in_a_container_of_azure() {
    let (azure, data) = (AzureServer::start(), DataFolder::new());
    let server = in_azure(&azure).env("AZURE_STORAGE_KEY", KEY).start(&data);
    let image = mill_and_fetch(server.client());
    assert_eq!(image.header("content-type"), "image/jpeg");
    server.stop();
}

#[test]
fn a_container_that_cannot_be_used_is_named_at_start() {
    let (azure, data) = (AzureServer::start(), DataFolder::new());
    let place = format!("az://{CONTAINER}/shop at {}: ", azure.endpoint());
    let wrong = in_azure(&azure).env("AZURE_STORAGE_KEY", "Z3Vlc3NlZA==");
    let (status, output) = wrong.start_refused(&data, "127.0.0.1:0");
    assert!(!status.success());
    assert!(output.contains(&format!("cannot use {place}")), "{output}");
    assert!(
        output.contains("AuthorizationFailure") && !output.contains("Z3Vlc3NlZA"),
        "{output}"
    );

    let torn = in_azure(&azure).env("AZURE_STORAGE_KEY", "half-a-key");
    let (status, output) = torn.start_refused(&data, "127.0.0.1:0");
    assert!(!status.success());
    let named = "AZURE_STORAGE_KEY is not base64, expected an access key";
    assert!(output.contains(&format!("cannot use {place}{named}")), "{output}");
    assert!(!output.contains("half-a-key"), "{output}");

    let nowhere = ServerOptions::new().args(["--storage=az://pictures"]);
    let (status, output) = nowhere.start_refused(&data, "127.0.0.1:0");
    assert!(!status.success());
    assert!(output.contains("AZURE_STORAGE_ACCOUNT"), "{output}");
    assert!(!data.path().exists(), "it is refused before anything is written");
}

fn at_google(server: &GoogleServer, options: ServerOptions) -> ServerOptions {
    let place = format!("--storage=gs://{BUCKET}/shop");
    let endpoint = format!("--gcs-endpoint=http://{}", server.address());
    options.args([&place, &endpoint])
}

/// With nothing but what the machine knows: a token, and nobody who would sign.
fn on_a_machine_of_google(server: &GoogleServer, options: ServerOptions) -> ServerOptions {
    let machine = answering(|head| {
        let is_token = head[0].contains("/computeMetadata/v1/instance/service-accounts/default/token");
        is_token.then(|| format!(r#"{{"access_token":"{MACHINE_TOKEN}","expires_in":3600}}"#))
    });
    let machine = machine.trim_start_matches("http://");
    at_google(server, options)
        .env("GCE_METADATA_HOST", machine)
        .env("GCE_METADATA_IP", machine)
        // The gcloud tool of whoever runs the test may have left an identity of its own below the home folder.
        .env("HOME", "/nonexistent")
}

#[test]
fn files_may_lie_in_a_bucket_of_google() {
    let (root, data) = (tempfile::tempdir().unwrap(), DataFolder::new());
    let google = GoogleServer::start(root.path());
    let gateway = at_google(&google, ServerOptions::gateway())
        .args(["--gcs-redirect=10m"])
        .env("GOOGLE_SERVICE_ACCOUNT_KEY", google.key())
        .start(&data);
    let miller = on_a_machine_of_google(&google, ServerOptions::worker().args(["--slots=1"])).start(&data);
    mill_and_fetch(gateway.client());
    miller.stop();
    gateway.stop();
}

#[test]
fn a_bucket_of_google_that_cannot_be_used_is_named_at_start() {
    let (root, data) = (tempfile::tempdir().unwrap(), DataFolder::new());
    let google = GoogleServer::start(root.path());
    let place = format!("gs://{BUCKET}/shop at http://{}: ", google.address());
    let half = r#"{"private_key":"guessed"}"#;
    let wrong = at_google(&google, ServerOptions::new()).env("GOOGLE_SERVICE_ACCOUNT_KEY", half);
    let (status, output) = wrong.start_refused(&data, "127.0.0.1:0");
    assert!(!status.success());
    assert!(
        output.contains(&format!("cannot use {place}")) && !output.contains("guessed"),
        "{output}"
    );

    let mute = on_a_machine_of_google(&google, ServerOptions::new().args(["--gcs-redirect=10m"]));
    let (status, output) = mute.start_refused(&data, "127.0.0.1:0");
    assert!(!status.success());
    assert!(output.contains(&format!("cannot sign links to {place}")), "{output}");
    assert!(!data.path().exists(), "it is refused before anything is written");
}
