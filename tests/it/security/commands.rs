//! What the command line makes for files of keys and users, and what `explain` tells of who may call.

use natsgate::authenticate::made::hash_key;
use serde_json::json;

use crate::support::command::{natsgate, natsgate_reading};

#[test]
fn a_key_is_made_once_and_its_line_fits_the_file() {
    let run = natsgate(".", &["hash-key", "billing"]);
    assert_eq!(run.code, 0, "{}", run.seen());
    let key = run.stderr.lines().last().expect("a key");
    assert!(key.starts_with("natsgate_") && key.len() == 52, "{key}");
    assert_eq!(run.stdout, format!("billing: {}\n", hash_key(key)));
    assert_ne!(natsgate(".", &["hash-key", "billing"]).stdout, run.stdout);

    let given = "0123456789abcdef01234567";
    for input in [given.to_owned(), format!("{given}\n"), format!("{given}\r\n")] {
        let run = natsgate_reading(".", &["hash-key", "my shop", "--stdin"], &input);
        assert_eq!((run.code, run.stdout), (0, format!("\"my shop\": {}\n", hash_key(given))));
        assert!(!run.stderr.contains(given));
    }
    for (name, input) in
        [("a", ""), ("a", "short"), ("a", "0123456789abcdef01234567\nx"), ("", given), ("a\nb", given)]
    {
        let run = natsgate_reading(".", &["hash-key", name, "--stdin"], input);
        assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{name} {input}: {}", run.seen());
    }
}

#[test]
fn a_password_is_hashed_for_the_file() {
    use argon2::password_hash::phc::PasswordHash;
    use argon2::{Argon2, PasswordVerifier};
    let run = natsgate_reading(".", &["hash-password", "ada"], "secret word\n");
    assert_eq!(run.code, 0, "{}", run.seen());
    let hash = run.stdout.trim_end().strip_prefix("ada: ").expect("a line of the file");
    let parsed = PasswordHash::new(hash).expect("a hash");
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    Argon2::default().verify_password(b"secret word", &parsed).expect("the password");
    assert_eq!(natsgate_reading(".", &["hash-password", "ada"], "\n").code, 1);
}

#[test]
fn explain_says_who_may_call_and_asks_nobody() {
    let dir = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("a file");
    write("keys.yaml", &format!("a: {}\n", hash_key("key")));
    write("secret", "a secret of at least thirty-two bytes");
    write(
        "natsgate.yaml",
        r#"security:
  people: { jwt: [{ issuer: i, audience: [a], algorithms: [HS256], secret: { file: secret } }] }
  services: { api_key: { keys: keys.yaml } }
operations:
  GET /a/{org}:
    security: [{ people: [read, write] }, { services: [] }]
    authorize: ${claims.?org.orValue("") == path.org}
    request: { subject: a, payload: { sub: "${claims.?sub}" } }
  GET /b:
    security: [{ people: [] }]
    request: { subject: b, payload: { sub: "${claims.sub}" } }
  GET /c:
    security: [{ people: [] }, {}]
    request: { subject: c, payload: {} }
"#,
    );
    let config = dir.path().join("natsgate.yaml").display().to_string();
    let explain =
        |args: &[&str]| natsgate(".", &[&["explain", "GET"], args, &["--config", &config]].concat());
    let run = explain(&["/a/acme"]);
    assert_eq!(run.code, 0, "{}", run.seen());
    for line in [
        "access       people (Authorization: Bearer; scopes read write), or services (header x-api-key)",
        "authorize    ${claims.?org.orValue(\"\") == path.org} (not decided: nobody calls)",
        "caller       nobody, whom the gateway answers 401; give a token's claims with --claims",
        "  payload    {}",
    ] {
        assert!(run.stdout.lines().any(|one| one == line), "{line}:\n{}", run.stdout);
    }
    let run = explain(&["/a/acme", "--claims", r#"{"sub":"ada","org":"acme"}"#]);
    assert!(
        run.stdout.contains("(holds)") && run.stdout.contains("payload    {\"sub\":\"ada\"}"),
        "{}",
        run.seen()
    );
    let run = explain(&["/a/acme", "--claims", r#"{"sub":"ada","org":"other"}"#]);
    assert!(run.code == 1 && run.stdout.contains("403 Forbidden"), "{}", run.seen());
    let run = explain(&["/b"]);
    assert!(run.code == 1 && run.stdout.contains("the caller's token is missing"), "{}", run.seen());
    assert!(run.stdout.contains("give a token's claims with --claims"), "{}", run.seen());
    assert_eq!(explain(&["/b", "--claims", "[]"]).code, 1);
    let run = explain(&["/c", "--output", "json"]);
    assert_eq!(
        run.json()["access"]["alternatives"],
        json!([[{ "verifier": "people", "sent_as": "Authorization: Bearer", "scopes": [] }], []])
    );
}
