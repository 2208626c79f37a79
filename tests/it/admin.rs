//! The admin listener: who may use what, and what the API tells.

mod access;
mod answers;
mod changes;
mod connections;
mod migrations;
mod problems;

/// Every path that reads what is not for everybody.
const READING: [&str; 7] = [
    "/api/status",
    "/api/problems",
    "/api/config",
    "/api/migrations",
    "/api/log-level",
    "/docs/openapi.json",
    "/docs/openapi.yaml",
];
