//! What flags and variables of the process say instead of the file: put into the tree before it is read, so
//! that one set of checks holds for both.

use std::path::Path;

use super::hide;
use crate::diagnostic::{Diagnostics, Place};
use crate::yaml::{Key, Node, Value};

/// What flags and variables of the process set instead of the file.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// `--listen`, `NATSGATE_LISTEN`: instead of `server.listen`.
    pub listen: Option<String>,
    /// `--admin-listen`, `NATSGATE_ADMIN_LISTEN`: instead of `server.admin`.
    pub admin: Option<String>,
    /// `--nats`, `NATSGATE_NATS_SERVERS`: instead of `nats.servers`; commas between several.
    pub nats: Option<String>,
}

impl Overrides {
    pub(super) fn apply(&self, root: &mut Node, diagnostics: &mut Diagnostics) {
        if let Some(address) = &self.listen {
            let place = source("--listen (NATSGATE_LISTEN)", address, diagnostics);
            set(root, "server", "listen", Node::text(place, address.trim()));
        }
        if let Some(address) = &self.admin {
            let place = source("--admin-listen (NATSGATE_ADMIN_LISTEN)", address, diagnostics);
            set(root, "server", "admin", Node::text(place, address.trim()));
        }
        if let Some(servers) = &self.nats {
            let place = source("--nats (NATSGATE_NATS_SERVERS)", servers, diagnostics);
            let mut items = Vec::new();
            for server in servers.split(',').map(str::trim).filter(|server| !server.is_empty()) {
                let place = inside(place, servers, server);
                hide::user_info(place, server, false, diagnostics);
                items.push(Node::text(place, server));
            }
            set(root, "nats", "servers", Node { place, value: Value::List(items) });
        }
    }
}

/// A source of its own, so that what is wrong with it is shown where it was said.
fn source(name: &str, text: &str, diagnostics: &mut Diagnostics) -> Place {
    let file = diagnostics.add_source(Path::new(name), text);
    Place { file, line: 1, column: 1, length: count(text) }
}

/// The place of one item of a list with commas.
fn inside(place: Place, all: &str, item: &str) -> Place {
    let start = item.as_ptr() as usize - all.as_ptr() as usize;
    let before = all.get(..start).map_or(0, count);
    Place { column: 1 + before, length: count(item), ..place }
}

fn count(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(1)
}

/// Sets a key of a section. A section of the wrong kind stays, and is reported when it is read.
fn set(root: &mut Node, section: &str, name: &str, node: Node) {
    let place = node.place;
    let Some(section) = child(root, section, place) else { return };
    if let Some(slot) = child(section, name, place) {
        *slot = node;
    }
}

/// The value under a key of a map, made if it is not there.
fn child<'a>(parent: &'a mut Node, name: &str, place: Place) -> Option<&'a mut Node> {
    if matches!(parent.value, Value::Null) {
        parent.value = Value::Map(Vec::new());
    }
    let Value::Map(entries) = &mut parent.value else { return None };
    let at = entries.iter().position(|(key, _)| key.name == name).unwrap_or_else(|| {
        entries.push((Key { place, name: name.to_owned() }, Node { place, value: Value::Null }));
        entries.len() - 1
    });
    entries.get_mut(at).map(|(_, node)| node)
}
