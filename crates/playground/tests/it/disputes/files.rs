//! Attachments: what is taken, what is refused, and what comes back.

use serde_json::{Value, json};

use crate::common::{self, World};
use crate::disputes::case::{Case, DOCX, JPEG, PDF, PNG, line, line_v2, send_form};

#[tokio::test]
async fn each_type_of_file_is_taken_and_given_back_unchanged() {
    for engine in common::engines().await {
        let world = engine.world().await;
        let case = Case::raise(&world, json!({})).await;
        let word = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
        let files: [(&str, &[u8], &str); 5] = [
            ("proof.pdf", PDF, "application/pdf"),
            ("photo.JPG", JPEG, "image/jpeg"),
            ("photo.jpeg", JPEG, "image/jpeg"),
            ("skärm.png", PNG, "image/png"),
            ("letter.docx", DOCX, word),
        ];
        for (name, content, mime_type) in files {
            let reply = case.upload(&[("file", Some(name), content)]).await;
            assert_eq!(reply.status, 201, "{reply:?}");
            let id = reply.json["payment_dispute_attachment_id"].as_str().unwrap().to_owned();
            assert!(id.starts_with(&format!("{}:attachment:", case.id)), "{id}");
            let reply = case.v4("GET", &format!("/attachments/{id}/download"), &Value::Null).await;
            assert_eq!((reply.status, reply.header("content-type")), (200, mime_type));
            assert_eq!(reply.text.as_bytes(), String::from_utf8_lossy(content).as_bytes());
            assert!(reply.header("content-disposition").starts_with("attachment; filename="));
        }
        // What the shopper shows, under the link that the dispute names.
        let evidence = case.read().await["customer_evidences"][0].clone();
        let url = evidence["attachment"]["url"].as_str().unwrap();
        let path = url.strip_prefix(&world.public_url()).unwrap();
        let reply = world.call("GET", path, &Value::Null).await;
        assert_eq!((reply.status, reply.header("content-type")), (200, "application/pdf"));
        let missing = "404 RESOURCE_NOT_FOUND RESOURCE_ERROR";
        for id in ["99", "x", "krn:network:eu1:test:payment:dispute:1:attachment:1"] {
            case.check("GET", &format!("/attachments/{id}/download"), Value::Null, missing).await;
        }
        // A file of another dispute is not of this one.
        let other = Case::raise(&world, json!({})).await;
        let foreign = other.file().await;
        case.check("GET", &format!("/attachments/{foreign}/download"), Value::Null, missing).await;
        world.stop().await;
    }
}

#[tokio::test]
async fn a_given_name_is_used_if_its_extension_fits() {
    let world = World::start().await;
    let case = Case::raise(&world, json!({ "framework": "framework_2020" })).await;
    let reply = case
        .upload_v2(&[("file", Some("a.pdf"), PDF), ("filename", None, b"Delivery note.PDF")])
        .await;
    assert_eq!((reply.status, &reply.json["filename"]), (201, &json!("Delivery note.PDF")));
    let reply = case.upload_v2(&[("filename", None, b"stream.pdf"), ("file", None, PDF)]).await;
    assert_eq!((reply.status, &reply.json["filename"]), (201, &json!("stream.pdf")));
    world.stop().await;
}

/// The parts of a form: name, file name, content.
type Parts<'a> = Vec<(&'a str, Option<&'a str>, &'a [u8])>;

#[tokio::test]
async fn what_breaks_a_rule_is_refused_and_named() {
    let world = World::start().await;
    let case = Case::raise(&world, json!({})).await;
    let long = format!("{}.pdf", "x".repeat(1_001));
    let fits = format!("{}.pdf", "x".repeat(1_000));
    let mut large = vec![0; 7 * 1024 * 1024 + 1];
    large[..PDF.len()].copy_from_slice(PDF);
    let mut largest = large.clone();
    largest.pop();
    let cases: Vec<(Parts<'_>, &str)> = vec![
        (vec![], "file"),
        (vec![("other", None, b"x")], "file"),
        (vec![("file", None, PDF)], "file"),
        (vec![("file", Some("run.exe"), PDF)], "file"),
        (vec![("file", Some("noextension"), PDF)], "file"),
        (vec![("file", Some(".pdf"), PDF)], "file"),
        (vec![("file", Some("a.pdf"), b"")], "file"),
        (vec![("file", Some("a.pdf"), b"MZ not a document")], "file"),
        (vec![("file", Some("a.png"), PDF)], "file"),
        (vec![("file", Some("a.pdf"), &large)], "file"),
        (vec![("file", Some(&long), PDF)], "file"),
        (vec![("file", Some("a.pdf"), PDF), ("file", Some("b.pdf"), PDF)], "file"),
        (vec![("file", Some("a.pdf"), PDF), ("filename", None, b"a.png")], "filename"),
        (vec![("file", Some("a.pdf"), PDF), ("filename", None, b"../../etc/a.pdf")], "filename"),
        (vec![("file", Some("a.pdf"), PDF), ("filename", None, b"a\r\nb.pdf")], "filename"),
        (vec![("file", Some("a.pdf"), PDF), ("filename", None, long.as_bytes())], "filename"),
    ];
    for (parts, parameter) in cases {
        let reply = case.upload(&parts).await;
        let expected = format!("400 VALIDATION_ERROR INPUT_ERROR {parameter}");
        assert_eq!(line(&reply), expected, "{:?}", parts.first().map(|part| (part.0, part.1)));
        let reply = case.upload_v2(&parts).await;
        assert_eq!(line_v2(&reply), "400 INVALID_FIELD", "{reply:?}");
    }
    for parts in [
        vec![("file", Some("a.pdf"), largest.as_slice())],
        vec![("file", Some(fits.as_str()), PDF)],
    ] {
        assert_eq!(case.upload(&parts).await.status, 201);
    }
    // More than any form with such a file needs is refused before it is read to its end.
    let huge = vec![b'x'; 9 * 1024 * 1024];
    let reply = case.upload(&[("file", Some("a.pdf"), &huge)]).await;
    assert_eq!(line(&reply), "413 VALIDATION_ERROR INPUT_ERROR");
    let path = format!("/v4/payment/disputes/{}/attachments", case.id);
    for (content_type, body, expected) in [
        ("application/json", "{}", "400 INVALID_CONTENT_TYPE INPUT_ERROR"),
        ("multipart/form-data", "--x", "400 INVALID_CONTENT_TYPE INPUT_ERROR"),
        (
            "multipart/form-data; boundary=x",
            "--x\r\nbroken",
            "400 VALIDATION_ERROR INPUT_ERROR body",
        ),
    ] {
        let headers = [
            ("authorization", world.merchant.authorization.as_str()),
            ("content-type", content_type),
        ];
        let reply = world.send("POST", &path, &headers, body).await;
        assert_eq!(line(&reply), expected, "{content_type}");
    }
    world.stop().await;
}

#[tokio::test]
async fn the_files_of_a_dispute_are_bounded_in_number() {
    let world = World::start().await;
    let case = Case::raise(&world, json!({})).await;
    for _ in 0..30 {
        case.file().await;
    }
    let path = format!("/v4/payment/disputes/{}/attachments", case.id);
    let parts: [(&str, Option<&str>, &[u8]); 1] = [("file", Some("a.pdf"), PDF)];
    let reply = send_form(&world, &world.merchant, &path, &parts).await;
    assert_eq!(line(&reply), "400 VALIDATION_ERROR INPUT_ERROR file");
    world.stop().await;
}

#[tokio::test]
async fn many_uploads_at_once_wait_for_each_other_and_all_arrive() {
    let world = World::start().await;
    let case = Case::raise(&world, json!({})).await;
    let mut large = vec![0; 2 * 1024 * 1024];
    large[..PDF.len()].copy_from_slice(PDF);
    let parts = [("file", Some("proof.pdf"), large.as_slice())];
    let uploads = (0..12).map(|_| case.upload(&parts));
    for reply in futures_util::future::join_all(uploads).await {
        assert_eq!(reply.status, 201, "{reply:?}");
    }
    world.stop().await;
}
