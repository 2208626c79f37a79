//! Priority groups of pull consumers.

use super::{ConsumerRule, Reader};
use crate::diagnostic::Diagnostic;
use crate::jetstream::manifest::{Consumer, PriorityPolicy};
use crate::jetstream::rule::{
    PINNED_TTL_MISSING, PRIORITY_GROUP_NAME, PRIORITY_GROUPS_MISSING, PRIORITY_ON_PUSH,
    PRIORITY_POLICY_MISSING,
};
use crate::yaml::Located;

pub(super) const RULES: &[ConsumerRule] = &[
    priority_on_push,
    priority_groups_missing,
    priority_policy_missing,
    priority_group_name,
    pinned_ttl_missing,
];

const LONGEST_NAME: usize = 16;

fn policy(consumer: &Consumer) -> Option<&Located<PriorityPolicy>> {
    consumer.priority_policy.as_ref().filter(|policy| policy.value != PriorityPolicy::None)
}

fn groups(consumer: &Consumer) -> &[Located<String>] {
    consumer.priority_groups.as_deref().unwrap_or_default()
}

fn priority_on_push(reader: &Reader<'_>) -> Option<Diagnostic> {
    let consumer = reader.consumer;
    let place =
        policy(consumer).map(|policy| policy.place).or(groups(consumer).first().map(|group| group.place))?;
    super::deliver::is_push(consumer).then(|| {
        PRIORITY_ON_PUSH
            .at(place, "a push consumer has no priority groups")
            .help("remove `deliverSubject` and let workers pull, or remove the priorities")
    })
}

fn priority_groups_missing(reader: &Reader<'_>) -> Option<Diagnostic> {
    let policy = policy(reader.consumer).filter(|_| groups(reader.consumer).is_empty())?;
    Some(
        PRIORITY_GROUPS_MISSING
            .at(policy.place, "a priority policy needs `priorityGroups`")
            .help("add `priorityGroups: [jobs]`; pull requests then name the group"),
    )
}

fn priority_policy_missing(reader: &Reader<'_>) -> Option<Diagnostic> {
    let group = groups(reader.consumer).first().filter(|_| policy(reader.consumer).is_none())?;
    Some(
        PRIORITY_POLICY_MISSING
            .at(group.place, "priority groups need a `priorityPolicy`")
            .help("add `priorityPolicy: overflow`, pinned_client or prioritized, or remove the groups"),
    )
}

fn priority_group_name(reader: &Reader<'_>) -> Option<Diagnostic> {
    let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '=' | '-');
    let is_name = |name: &str| !name.is_empty() && name.len() <= LONGEST_NAME && name.chars().all(legal);
    let group = groups(reader.consumer).iter().find(|group| !is_name(&group.value))?;
    Some(
        PRIORITY_GROUP_NAME
            .at(group.place, format!("`{}` is no name of a priority group", group.value.escape_debug()))
            .help("write a short name, as in `jobs`"),
    )
}

fn pinned_ttl_missing(reader: &Reader<'_>) -> Option<Diagnostic> {
    let policy = policy(reader.consumer).filter(|policy| policy.value == PriorityPolicy::PinnedClient)?;
    reader.consumer.pinned_ttl.is_none().then(|| {
        PINNED_TTL_MISSING
            .at(policy.place, "`pinned_client` has no pinnedTtl")
            .help("add `pinnedTtl: 2m`: how long the pinned worker may be silent")
    })
}
