//! What only a container of Azure can get wrong: credentials, links, and being away.

use std::fs;
use std::sync::mpsc;
use std::time::Duration;

use pixmill_blob::{AzureOptions, BlobError, BlobStore, BucketOptions, Service};
use pixmill_types::TaskId;

use crate::answering::answering;
use crate::azure_server::{ACCOUNT, AzureServer, CONTAINER, KEY};
use crate::support::{assert_refuses_all, fetch, input, noise, output, tasks_older_than};

const MINUTE: Duration = Duration::from_secs(60);

/// A store in the container of `server`, with the right credentials.
pub(crate) fn options(server: &AzureServer, prefix: &str) -> BucketOptions {
    at(&server.endpoint(), prefix, &[("AZURE_STORAGE_KEY", KEY)])
}

fn at(endpoint: &str, prefix: &str, variables: &[(&str, &str)]) -> BucketOptions {
    let lookup = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    BucketOptions {
        bucket: CONTAINER.to_owned(),
        prefix: prefix.to_owned(),
        endpoint: Some(endpoint.to_owned()),
        link_endpoint: None,
        service: Service::Azure(AzureOptions::from_environment(ACCOUNT.to_owned(), lookup)),
    }
}

#[tokio::test]
async fn a_key_or_a_container_that_is_wrong_does_not_check_out() {
    let server = AzureServer::start();
    let mut elsewhere = options(&server, "");
    elsewhere.bucket = "no-such-container".to_owned();
    let guessed = at(&server.endpoint(), "", &[("AZURE_STORAGE_KEY", "Z3Vlc3NlZA==")]);
    for wrong in [elsewhere, guessed] {
        let checked = BlobStore::bucket(&wrong).unwrap().check().await;
        assert!(matches!(checked, Err(BlobError::Unavailable(_))), "{checked:?}");
    }
}

#[tokio::test]
async fn a_link_is_good_for_one_blob_whose_type_its_extension_told() {
    let server = AzureServer::start();
    let store = BlobStore::bucket(&options(&server, "below")).unwrap();
    store.check_links().await.unwrap();
    let (task, other) = (TaskId::generate(), TaskId::generate());
    for task in [task, other] {
        store.put(&output(task, 1), noise(100)).await.unwrap();
    }
    let signed = store.link(&output(task, 1), "image/jpeg", "inline", MINUTE).await;
    let link = signed.unwrap().unwrap();
    assert_eq!(fetch(&link).await, (200, "image/jpeg".to_owned(), noise(100)), "{link}");
    let forged = link.replace(&task.to_string(), &other.to_string());
    assert_eq!(fetch(&forged).await.0, 403, "{forged}");

    // In parts, too.
    let mut upload = store.upload(&output(task, 2)).await.unwrap();
    upload.write(noise(9 << 20)).await.unwrap();
    upload.finish().await.unwrap();
    let signed = store.link(&output(task, 2), "image/jpeg", "inline", MINUTE).await;
    let (status, media_type, _) = fetch(&signed.unwrap().unwrap()).await;
    assert_eq!((status, media_type.as_str()), (200, "image/jpeg"));
}

/// The name of the host is not signed, that of the account is, and an endpoint need not tell it.
#[tokio::test]
async fn a_link_may_lead_to_another_host() {
    let server = AzureServer::start();
    let store = BlobStore::bucket(&options(&server, "")).unwrap();
    let key = output(TaskId::generate(), 1);
    store.put(&key, noise(100)).await.unwrap();

    let mut moved = options(&server, "");
    moved.link_endpoint = Some("https://pictures.example.com".to_owned());
    let own_domain = at("https://pictures.example.com", "", &[("AZURE_STORAGE_KEY", KEY)]);
    for options in [moved, own_domain] {
        let signed = BlobStore::bucket(&options).unwrap().link(&key, "", "", MINUTE).await;
        let link = signed.unwrap().unwrap();
        let rest = link.strip_prefix("https://pictures.example.com").unwrap();
        assert!(rest.starts_with(&format!("/{CONTAINER}/tasks/")), "{link}");
        let (status, _, body) = fetch(&format!("{}{rest}", server.endpoint())).await;
        assert_eq!((status, body), (200, noise(100)), "{link}");
    }
}

#[tokio::test]
async fn a_shared_access_signature_is_enough_to_read_and_not_to_sign() {
    let server = AzureServer::start();
    let store = BlobStore::bucket(&options(&server, "")).unwrap();
    let (key, other) = (input(TaskId::generate()), input(TaskId::generate()));
    for key in [&key, &other] {
        store.put(key, noise(100)).await.unwrap();
    }
    let link = store.link(&key, "", "", MINUTE).await.unwrap().unwrap();
    let (_, signature) = link.split_once('?').unwrap();
    let guest = at(&server.endpoint(), "", &[("AZURE_STORAGE_SAS_TOKEN", signature)]);
    let guest = BlobStore::bucket(&guest).unwrap();
    assert_eq!(guest.get(&key).await.unwrap(), noise(100));
    let refused = [guest.get(&other).await.err(), guest.check_links().await.err()];
    for refused in refused {
        assert!(matches!(refused, Some(BlobError::Unavailable(_))), "{refused:?}");
        let said = format!("{refused:?}");
        let (_, secret) = signature.split_once("sig=").unwrap();
        assert!(!said.contains(secret), "{said}");
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable_and_heals() {
    let server = AzureServer::start();
    let endpoint: http::Uri = server.endpoint().parse().unwrap();
    let address = endpoint.authority().unwrap().as_str().parse().unwrap();
    let store = BlobStore::bucket(&options(&server, "")).unwrap();
    let task = TaskId::generate();
    let mut upload = store.upload(&input(task)).await.unwrap();
    upload.write(noise(9 << 20)).await.unwrap();
    drop(server);

    assert_refuses_all(&store, task, upload).await;
    let _server = AzureServer::start_at(address);
    store.check().await.unwrap();
    assert_eq!(tasks_older_than(&store, 0).await, []);
    store.put(&input(task), noise(10)).await.unwrap();
}

/// The real server takes no tokens over plain HTTP: one that plays it shows who is asked for a token and that it comes.
#[tokio::test]
async fn an_identity_is_asked_for_a_token_which_comes_along() {
    let folder = tempfile::tempdir().unwrap();
    let assertion = folder.path().join("token");
    fs::write(&assertion, "from-kubernetes").unwrap();
    let assertion = assertion.display().to_string();
    let (heads, asked) = mpsc::channel();
    let server = answering(move |head| {
        heads.send(head.to_vec()).unwrap();
        let body = match head[0].split(' ').nth(1).unwrap() {
            path if path.starts_with("/our-tenant/oauth2/v2.0/token") => {
                r#"{"access_token":"a-token","expires_in":3600}"#.to_owned()
            }
            path if path.starts_with("/machine") => {
                r#"{"access_token":"a-token","expires_in":"3600","expires_on":"4891363200"}"#.to_owned()
            }
            _ => "<EnumerationResults><Blobs></Blobs></EnumerationResults>".to_owned(),
        };
        Some(body)
    });
    let ours = [
        ("AZURE_TENANT_ID", "our-tenant"),
        ("AZURE_CLIENT_ID", "miller"),
        ("AZURE_AUTHORITY_HOST", server.as_str()),
    ];
    let machine = format!("{server}/machine");
    let with = |more| [&ours[..], &[more]].concat();
    for (variables, first) in [
        (with(("AZURE_CLIENT_SECRET", "a-secret")), "POST /our-tenant/"),
        (
            with(("AZURE_FEDERATED_TOKEN_FILE", assertion.as_str())),
            "POST /our-tenant/",
        ),
        (vec![("IDENTITY_ENDPOINT", machine.as_str())], "GET /machine"),
    ] {
        let endpoint = format!("{server}/{ACCOUNT}");
        let store = BlobStore::bucket(&at(&endpoint, "", &variables)).unwrap();
        store.check().await.unwrap();
        let token = asked.recv().unwrap();
        assert!(token[0].starts_with(first), "{token:?}");
        let listing = asked.recv().unwrap();
        let path = format!("GET /{ACCOUNT}/{CONTAINER}?");
        let has_token = listing.iter().any(|line| line == "authorization: Bearer a-token");
        assert!(listing[0].starts_with(&path) && has_token, "{listing:?}");
    }
}
