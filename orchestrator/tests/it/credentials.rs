//! Credentials as the SDK's default chain finds them, addresses that stand in for AWS's, and nothing secret anywhere.

use std::{fs, path::Path, process::Command};

use crate::{
    account::{SETTINGS, at},
    cli::{Project, done},
    stub::{Fate, Stub, query},
};

/// A command with no credentials and no address but those that a test gives it.
fn bare(project: &Project, args: &[&str]) -> Command {
    let mut command = at(project, "http://127.0.0.1:1", args);
    command.arg("--yes");
    for name in ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"] {
        command.env_remove(name);
    }
    command
}

#[test]
fn credentials_come_from_the_default_chain() {
    let project = Project::new();
    project.write("pipeline.toml", SETTINGS);
    let emulator = project.emulator();
    let url = &emulator.url;
    project.write("token", "an.oidc.token");
    project.write(
        "config",
        "[profile base]\naws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = x\n\
         [profile role]\nrole_arn = arn:aws:iam::000000000000:role/deployer\nrole_session_name = from-profile\n\
         source_profile = base\nregion = us-east-1\n\
         [profile process]\ncredential_process = echo '{\"Version\": 1, \"AccessKeyId\": \"AKIAEXAMPLE\", \"SecretAccessKey\": \"x\"}'\n\
         [profile sso]\nsso_start_url = https://x\nsso_region = us-east-1\nsso_account_id = 1\nsso_role_name = r\n",
    );
    let config = project.path("config");
    let who = |configure: &dyn Fn(&mut Command), settings: &str| {
        project.write("pipeline.toml", format!("{SETTINGS}{settings}"));
        let mut command = bare(&project, &["status", "--json"]);
        command.env("AWS_ENDPOINT_URL", url).env("AWS_REGION", "us-east-1").env("AWS_CONFIG_FILE", &config);
        configure(&mut command);
        let said = done(&["status"], command.output().unwrap()).exit(0).json();
        said["caller"].as_str().unwrap().to_owned()
    };
    let web = |command: &mut Command| {
        command.env("AWS_WEB_IDENTITY_TOKEN_FILE", project.path("token"));
        command.env("AWS_ROLE_ARN", "arn:aws:iam::000000000000:role/ci").env("AWS_ROLE_SESSION_NAME", "run-7");
    };
    assert_eq!(who(&web, ""), "arn:aws:sts::000000000000:assumed-role/ci/run-7");
    assert_eq!(who(&|_| (), "profile = \"role\"\n"), "arn:aws:sts::000000000000:assumed-role/deployer/from-profile");
    let profile = |command: &mut Command| {
        command.env("AWS_PROFILE", "process");
    };
    assert_eq!(who(&profile, ""), "arn:aws:iam::000000000000:root");
    assert_eq!(who(&|_| (), "profile = \"base\"\n"), "arn:aws:iam::000000000000:root");

    // None, and one that needs another program.
    for (name, want) in [
        ("missing", "hint: set AWS_PROFILE (or `profile` in pipeline.toml)"),
        (
            "sso",
            "hint: this profile logs in by SSO, and nobody is logged in, or no longer: aws sso login --profile NAME",
        ),
    ] {
        project.write("pipeline.toml", format!("{SETTINGS}profile = \"{name}\"\n"));
        let mut command = bare(&project, &["status"]);
        command.env("AWS_ENDPOINT_URL", url).env("AWS_REGION", "us-east-1").env("AWS_CONFIG_FILE", &config);
        let refused = done(&["status"], command.output().unwrap()).exit(1);
        assert!(refused.stderr.contains(want), "{name}: {}", refused.stderr);
    }
    // Somebody has logged in: the portal gives the role's credentials for the token that the AWS CLI has left.
    let sso = Stub::start(url, |call, _| match call {
        call if call.starts_with("GET /federation/credentials?") => {
            let role = r#"{"roleCredentials": {"accessKeyId": "AKIAEXAMPLE", "secretAccessKey": "x", "sessionToken": "y", "expiration": 4102444800000}}"#;
            Fate::Answer(200, "application/json", role.into())
        }
        _ => Fate::Pass,
    });
    let token = r#"{"accessToken": "an.sso.token", "expiresAt": "2099-01-01T00:00:00Z", "region": "us-east-1", "startUrl": "https://x"}"#;
    // Named by the SHA-1 of the start URL.
    project.write(".aws/sso/cache/98383e6608d65e46b24bbd92582bc8d916605a21.json", token);
    project.write("pipeline.toml", format!("{SETTINGS}profile = \"sso\"\n"));
    let mut command = bare(&project, &["status", "--json"]);
    command.env("AWS_ENDPOINT_URL", &sso.url).env("AWS_REGION", "us-east-1").env("AWS_CONFIG_FILE", &config);
    command.env("HOME", project.path(""));
    let said = done(&["status"], command.output().unwrap()).exit(0);
    assert_eq!(said.json()["caller"], "arn:aws:iam::000000000000:root");
    assert!(!said.stderr.contains("an.sso.token") && !said.stdout.contains("an.sso.token"));
    // The role does not trust the token.
    let stub = Stub::start(url, |call, _| match call {
        "AssumeRoleWithWebIdentity" => {
            query(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
        }
        _ => Fate::Pass,
    });
    project.write("pipeline.toml", SETTINGS);
    let mut command = bare(&project, &["status"]);
    command.env("AWS_ENDPOINT_URL", &stub.url).env("AWS_REGION", "us-east-1");
    web(&mut command);
    let refused = done(&["status"], command.output().unwrap()).exit(1);
    assert!(refused.stderr.contains("hint: the role's trust policy does not admit this token"), "{}", refused.stderr);
    assert!(!refused.stderr.contains("an.oidc.token"), "{}", refused.stderr);
}

#[test]
fn addresses_can_be_other_ones() {
    let project = Project::new();
    let emulator = project.emulator();
    let url = &emulator.url;
    let run = |project: &Project, configure: &dyn Fn(&mut Command)| {
        let mut command = bare(project, &["data"]);
        command.env("AWS_ACCESS_KEY_ID", "any").env("AWS_SECRET_ACCESS_KEY", "any");
        configure(&mut command);
        done(&["data"], command.output().unwrap())
    };
    // The setting, for all services.
    project.write("pipeline.toml", format!("{SETTINGS}region = \"us-east-1\"\nendpoint_url = \"{url}\"\n"));
    run(&project, &|_| ()).exit(0);
    // One for each service, from the environment; and a profile's.
    project.write("pipeline.toml", SETTINGS);
    run(&project, &|command| {
        command.env("AWS_REGION", "us-east-1").env("AWS_ENDPOINT_URL_STS", url).env("AWS_ENDPOINT_URL_S3", url);
    })
    .exit(0);
    project.write("config", format!("[profile there]\nregion = us-east-1\nendpoint_url = {url}\n"));
    let config = project.path("config");
    run(&project, &|command| {
        command.env("AWS_PROFILE", "there").env("AWS_CONFIG_FILE", &config);
    })
    .exit(0);
    let nowhere = run(&project, &|_| ()).exit(2);
    assert!(nowhere.stderr.contains("no AWS region is set"), "{}", nowhere.stderr);
}

/// Every byte of every file below a folder.
fn files(folder: &Path, all: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, all) } else { all.push((path.display().to_string(), fs::read(&path).unwrap())) }
    }
}

#[test]
fn nothing_secret_is_shown_or_kept() {
    const KEY: &str = "AKIAPLANTEDACCESSKEY";
    const SECRET: &str = "planted/secret+access/key0123456789abcdef";
    const TOKEN: &str = "planted-session-token//IQoJb3JpZ2luX2VjEJ3";
    const PROFILE: &str = "planted-profile-secret-0123456789abcdef";
    const PASSWORD: &str = "planted-password";
    let project = Project::new();
    project.write("pipeline.toml", format!("{SETTINGS}[registry]\napproval_status = \"Approved\"\n"));
    let emulator = project.emulator();
    let outside = tempfile::tempdir().unwrap();
    let profile = outside.path().join("credentials");
    fs::write(
        &profile,
        format!("[kept]\naws_access_key_id = {KEY}\naws_secret_access_key = {PROFILE}\naws_session_token = {TOKEN}\n"),
    )
    .unwrap();
    let mut said = Vec::new();
    let mut run = |url: &str, profiled: bool, args: &[&str]| {
        let mut command = bare(&project, args);
        command.env("AWS_ENDPOINT_URL", url).env("AWS_REGION", "us-east-1").env("RUST_LOG", "trace");
        if profiled {
            command.env("AWS_SHARED_CREDENTIALS_FILE", &profile).env("AWS_PROFILE", "kept");
        } else {
            command.env("AWS_ACCESS_KEY_ID", KEY).env("AWS_SECRET_ACCESS_KEY", SECRET).env("AWS_SESSION_TOKEN", TOKEN);
        }
        let output = command.output().unwrap();
        said.push((args.join(" "), [output.stdout, output.stderr].concat()));
        output.status.code()
    };
    let url = emulator.url.clone();
    for (args, code) in [
        (["plan", "--json"], 0),
        (["run", "--json"], 0),
        (["deploy", "--json"], 0),
        (["status", "--json"], 0),
        (["lineage", "1"], 0),
        (["lineage", "99"], 1),
        (["invoke", "great"], 0),
    ] {
        assert_eq!(run(&url, false, &args), Some(code), "{args:?}");
        assert_eq!(run(&url, true, &args), Some(code), "{args:?}");
    }
    // AWS repeats what it was sent, in the first line too.
    let stub = Stub::start(&url, |call, _| match call {
        "GetCallerIdentity" => {
            query(403, "SignatureDoesNotMatch", &format!("key {KEY} token {TOKEN}\nx-amz-security-token:{TOKEN}"))
        }
        _ => Fate::Pass,
    });
    assert_eq!(run(&stub.url, false, &["status"]), Some(1));
    assert_eq!(run(&stub.url, true, &["status"]), Some(1));
    // Nobody there; and an address that holds a password.
    assert_eq!(run("http://127.0.0.1:1", false, &["status"]), Some(1));
    let address = url.replace("http://", &format!("http://user:{PASSWORD}@"));
    assert_eq!(run(&address, false, &["status"]), Some(2));
    assert_eq!(run(&url, true, &["destroy"]), Some(0));
    assert_eq!(emulator.stop(), Some(0));

    let mut all = said;
    files(project.path("").as_path(), &mut all);
    assert!(
        all.iter().any(|(name, _)| name.ends_with("run.json")) && all.len() > 20,
        "there is something to look through"
    );
    for (name, bytes) in &all {
        for secret in [KEY, SECRET, TOKEN, PROFILE, PASSWORD] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} in {name}: {}", String::from_utf8_lossy(bytes));
        }
    }
}
