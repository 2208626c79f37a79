//! `Account`: every field of NACK's v1beta2 resource. Known, so that nothing is misspelt; natsgate connects in its own
//! way.

use serde::Deserialize;

use crate::yaml::Located;

/// How NACK's controller connects for the resources that name this account.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(dead_code, reason = "read for its names and types alone")]
pub(super) struct Account {
    name: Option<Located<String>>,
    servers: Option<Vec<Located<String>>>,
    tls: Option<Tls>,
    creds: Option<Creds>,
    nkey: Option<Nkey>,
    token: Option<Token>,
    user: Option<User>,
    tls_first: Option<Located<bool>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read for its names and types alone")]
struct Secret {
    name: Option<Located<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read for its names and types alone")]
struct Tls {
    secret: Option<Secret>,
    ca: Option<Located<String>>,
    cert: Option<Located<String>>,
    key: Option<Located<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read for its names and types alone")]
struct Creds {
    secret: Option<Secret>,
    file: Option<Located<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read for its names and types alone")]
struct Nkey {
    secret: Option<Secret>,
    seed: Option<Located<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read for its names and types alone")]
struct Token {
    secret: Option<Secret>,
    token: Option<Located<String>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read for its names and types alone")]
struct User {
    secret: Option<Secret>,
    user: Option<Located<String>>,
    password: Option<Located<String>>,
}
