//! What goes to NATS, what to a legacy service, and what is on its way from one to the other.

use serde_json::{Value, json};

use crate::config::Stage;
use crate::gateway::compile::Compiled;

/// Operations by where they go.
#[derive(Debug, Default)]
pub(super) struct Sides {
    /// All that are bound.
    pub(super) operations: usize,
    /// Those that go to a legacy service alone.
    pub(super) forwards: usize,
    /// The upstream of everything else.
    pub(super) fallback: Option<String>,
    moving: Vec<Moving>,
}

/// An operation with two sides.
#[derive(Debug)]
struct Moving {
    operation: String,
    upstream: String,
    stage: Stage,
    percent: f64,
}

impl Sides {
    pub(super) fn of(table: &Compiled) -> Sides {
        let upstream = |forward: &crate::forward::Forward| forward.upstream.name().to_owned();
        let fallback = table.fallback.as_ref().and_then(|one| one.legacy.as_ref()).map(upstream);
        let mut sides = Sides { fallback, ..Sides::default() };
        let is_fallback =
            |name: &str| table.fallback.as_ref().is_some_and(|fallback| &*fallback.name == name);
        for operation in table.operations.iter().filter(|operation| !is_fallback(&operation.name)) {
            sides.operations += 1;
            let Some(legacy) = &operation.legacy else { continue };
            match &operation.migration {
                None => sides.forwards += 1,
                Some(migration) => sides.moving.push(Moving {
                    operation: operation.name.to_string(),
                    upstream: upstream(legacy),
                    stage: migration.stage,
                    percent: migration.percent(),
                }),
            }
        }
        sides
    }

    pub(super) fn migrations(&self) -> Value {
        let row = |one: &Moving| {
            json!({
                "operation": one.operation,
                "upstream": one.upstream,
                "stage": one.stage.name(),
                "percent": one.percent,
            })
        };
        self.moving.iter().map(row).collect()
    }

    /// For people: nothing of legacy services where there is none.
    pub(super) fn text(&self) -> String {
        let rest = "every request would be answered 404 or 501";
        let mut out = match (self.operations, &self.fallback) {
            (0, None) => format!("no operation is bound; {rest}\n"),
            (0, Some(_)) => "no operation is bound\n".to_owned(),
            (1, _) => "1 operation is bound\n".to_owned(),
            (number, _) => format!("{number} operations are bound\n"),
        };
        match self.forwards {
            0 => {}
            1 => out.push_str("  1 goes to a legacy service\n"),
            number => out.push_str(&format!("  {number} go to a legacy service\n")),
        }
        for stage in Stage::ALL {
            for one in self.moving.iter().filter(|one| one.stage == stage) {
                let percent =
                    if stage == Stage::Canary { format!(" {}%", one.percent) } else { String::new() };
                let stage = format!("{}{percent}", stage.name());
                out.push_str(&format!("  {stage:<12} {} (legacy: {})\n", one.operation, one.upstream));
            }
        }
        if let Some(upstream) = &self.fallback {
            out.push_str(&format!("  everything else goes to {upstream}\n"));
        }
        out
    }
}
