//! Any sequence of operations, against a map in memory: every answer the same, before and after a restart.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::S3;

#[derive(Clone, Debug)]
enum Op {
    Put(&'static str, u8),
    Copy(&'static str, &'static str),
    Delete(&'static str),
    /// The version at this place among a key's, modulo their number.
    DeleteVersion(&'static str, usize),
    Suspend(bool),
    Reopen,
    List {
        prefix: &'static str,
        delimiter: &'static str,
        page: usize,
    },
}

/// Of every key its versions, oldest first: id, and bytes unless it is a delete marker.
type Model = BTreeMap<&'static str, Vec<(String, Option<Vec<u8>>)>>;

const KEYS: [&str; 7] = ["a", "a/", "a/b", "a/b/c", "a0", "b/x", "ü/y"];

fn op() -> impl Strategy<Value = Op> {
    let key = || prop::sample::select(&KEYS[..]);
    let prefix = prop::sample::select(&["", "a", "a/", "b/", "ü", "zz"][..]);
    let delimiter = prop::sample::select(&["", "/", "b"][..]);
    prop_oneof![
        6 => (key(), any::<u8>()).prop_map(|(key, byte)| Op::Put(key, byte)),
        2 => (key(), key()).prop_map(|(from, to)| Op::Copy(from, to)),
        3 => key().prop_map(Op::Delete),
        3 => (key(), any::<usize>()).prop_map(|(key, place)| Op::DeleteVersion(key, place)),
        1 => any::<bool>().prop_map(Op::Suspend),
        1 => Just(Op::Reopen),
        4 => (prefix, delimiter, 1..5_usize).prop_map(|(prefix, delimiter, page)| Op::List { prefix, delimiter, page }),
    ]
}

fn path(key: &str) -> String {
    format!("/bucket/{}", key.replace('ü', "%C3%BC"))
}

fn add(model: &mut Model, key: &'static str, id: &str, bytes: Option<Vec<u8>>) {
    let versions = model.entry(key).or_default();
    versions.retain(|(old, _)| id != "null" || old != "null");
    versions.push((id.to_owned(), bytes));
}

/// Keys and rolled-up prefixes, the slow way.
fn listed(model: &Model, prefix: &str, delimiter: &str) -> (Vec<String>, BTreeSet<String>) {
    let (mut keys, mut prefixes) = (Vec::new(), BTreeSet::new());
    for (key, versions) in model {
        let (Some(rest), true) = (key.strip_prefix(prefix), versions.last().is_some_and(|(_, bytes)| bytes.is_some()))
        else {
            continue;
        };
        match rest.find(delimiter).filter(|_| !delimiter.is_empty()) {
            Some(at) => _ = prefixes.insert(key[..prefix.len() + at + delimiter.len()].to_owned()),
            None => keys.push((*key).to_owned()),
        }
    }
    (keys, prefixes)
}

async fn check_list(s3: &S3, model: &Model, prefix: &str, delimiter: &str, page: usize) {
    let query = format!("/bucket?prefix={}&delimiter={delimiter}&max-keys={page}", prefix.replace('ü', "%C3%BC"));
    let (mut keys, mut prefixes, mut token) = (Vec::new(), Vec::new(), String::new());
    loop {
        let answer = s3.get(&format!("{query}&list-type=2{token}")).await;
        keys.extend(answer.all("Key"));
        prefixes.extend(
            answer.all("CommonPrefixes").into_iter().map(|it| it.replace("<Prefix>", "").replace("</Prefix>", "")),
        );
        if answer.one("IsTruncated") == "false" {
            break;
        }
        assert_eq!(answer.one("KeyCount"), page.to_string(), "a page that is not the last is full");
        token = format!("&continuation-token={}", answer.one("NextContinuationToken"));
    }
    let (want_keys, want_prefixes) = listed(model, prefix, delimiter);
    assert_eq!(keys, want_keys, "{query}");
    assert_eq!(prefixes, want_prefixes.into_iter().collect::<Vec<_>>(), "{query}");
}

async fn check_versions(s3: &S3, model: &Model, page: usize) {
    let (mut seen, mut marker) = (Vec::new(), String::new());
    loop {
        let answer = s3.get(&format!("/bucket?versions&max-keys={page}{marker}")).await;
        seen.extend(answer.all("VersionId").into_iter().filter(|id| !id.is_empty()));
        if answer.one("IsTruncated") == "false" {
            break;
        }
        let (key, id) = (answer.one("NextKeyMarker"), answer.one("NextVersionIdMarker"));
        marker = format!("&key-marker={}&version-id-marker={id}", key.replace('ü', "%C3%BC"));
    }
    let mut want: Vec<_> = model.values().flatten().map(|(id, _)| id.clone()).collect();
    // A page has delete markers and versions apart.
    want.sort();
    seen.sort();
    assert_eq!(seen, want, "versions in pages of {page}");
}

async fn check_all(s3: &S3, model: &Model) {
    for key in KEYS {
        let versions = model.get(key).map_or(&[][..], Vec::as_slice);
        for (id, bytes) in versions {
            let got = s3.get(&format!("{}?versionId={id}", path(key))).await;
            match bytes {
                Some(bytes) => assert_eq!(&got.body[..], &bytes[..], "{key} {id}"),
                None => assert_eq!(got.code(), "MethodNotAllowed", "{key} {id}"),
            }
        }
        let got = s3.get(&path(key)).await;
        match versions.last().and_then(|(_, bytes)| bytes.as_ref()) {
            Some(bytes) => assert_eq!(&got.body[..], &bytes[..], "{key}"),
            None => assert_eq!(got.code(), "NoSuchKey", "{key}"),
        }
    }
    let objects = model.values().flatten().filter(|(_, bytes)| bytes.is_some()).count();
    assert_eq!(s3.files(), objects, "files on disk");
}

async fn run(ops: Vec<Op>) {
    let mut s3 = S3::new().await;
    let mut model = Model::new();
    for op in ops {
        match op {
            Op::Put(key, byte) => {
                let bytes = vec![byte; usize::from(byte)];
                let answer = s3.put(&path(key), bytes.clone()).await;
                add(&mut model, key, answer.header("x-amz-version-id"), Some(bytes));
            }
            Op::Copy(from, to) => {
                let source = path(from);
                let headers = [("x-amz-copy-source", source.as_str()), ("x-amz-metadata-directive", "REPLACE")];
                let answer = s3.send(http::Method::PUT, &path(to), &headers, "").await;
                match model.get(from).and_then(|versions| versions.last()).and_then(|(_, bytes)| bytes.clone()) {
                    Some(bytes) => add(&mut model, to, answer.header("x-amz-version-id"), Some(bytes)),
                    None => assert_eq!(answer.code(), "NoSuchKey", "copy of {from}"),
                }
            }
            Op::Delete(key) => {
                let answer = s3.delete(&path(key)).await;
                add(&mut model, key, answer.header("x-amz-version-id"), None);
            }
            Op::DeleteVersion(key, place) => {
                if let Some(versions) = model.get_mut(key) {
                    let (id, _) = versions.remove(place % versions.len());
                    if versions.is_empty() {
                        model.remove(key);
                    }
                    assert_eq!(s3.delete(&format!("{}?versionId={id}", path(key))).await.status, 204);
                }
            }
            Op::Suspend(suspend) => {
                let status = if suspend { "Suspended" } else { "Enabled" };
                let body = format!("<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>");
                assert_eq!(s3.put("/bucket?versioning", body).await.status, 200);
            }
            Op::Reopen => s3 = s3.reopened().await,
            Op::List { prefix, delimiter, page } => {
                check_list(&s3, &model, prefix, delimiter, page).await;
                check_versions(&s3, &model, page).await;
            }
        }
    }
    check_all(&s3, &model).await;
    check_all(&s3.reopened().await, &model).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_is_a_map_of_versions(ops in prop::collection::vec(op(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(run(ops));
    }
}
