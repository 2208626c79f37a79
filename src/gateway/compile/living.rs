//! What outlives the table that it was made for: counts and knowledge of operations and verifiers, by their names.

use std::collections::HashMap;

use super::Compiled;
use super::bind::Windows;
use crate::authenticate::Verifiers;
use crate::dispatch::Binding;
use crate::gateway::operation::{Finding, Operation};
use crate::translate::outbound::Mapping;

/// The former table, if there is one.
pub(super) struct Living<'a> {
    former: Option<&'a Compiled>,
    operations: HashMap<&'a str, &'a Operation>,
}

impl<'a> Living<'a> {
    pub(super) fn of(former: Option<&'a Compiled>) -> Living<'a> {
        let operations = former.iter().flat_map(|table| &table.operations);
        Living { former, operations: operations.map(|one| (&*one.name, &**one)).collect() }
    }

    /// The former operation of a name.
    pub(super) fn operation(&self, name: &str) -> Option<&'a Operation> {
        self.operations.get(name).copied()
    }

    /// The former verifiers.
    pub(super) fn verifiers(&self) -> Option<&'a Verifiers> {
        self.former.map(|table| &table.verifiers)
    }

    /// The windows of the streams: the messages of former operations still await their acknowledgements in them.
    pub(super) fn windows(&self) -> Windows {
        let publishes = self.operations.values().filter_map(|operation| match operation.binding()? {
            Binding::Publish(publish) => Some((publish.stream.clone(), publish.window.clone())),
            Binding::Request(_) => None,
        });
        publishes.collect()
    }

    /// What the start checks have found of the former operation, where that asked the same of the server.
    pub(super) fn findings(
        &self,
        mut binding: Binding,
        mapping: &Mapping,
        former: Option<&Operation>,
    ) -> (Binding, Finding) {
        let same = |former: &&Operation| former.subject() == Some(mapping.subject.pattern());
        let Some(former) = former.filter(same) else { return (binding, Finding::default()) };
        match (&mut binding, former.binding()) {
            (Binding::Request(request), Some(Binding::Request(before))) => {
                request.captured = before.captured.clone();
            }
            (Binding::Publish(publish), Some(Binding::Publish(before)))
                if publish.stream == before.stream => {}
            _ => return (binding, Finding::default()),
        }
        (binding, former.finding.clone())
    }
}
