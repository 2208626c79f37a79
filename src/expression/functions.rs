//! The functions that expressions may call, and the one environment in which every program runs.
//!
//! The list is closed: what can make much out of little (`format`, ranges) is left out, and the functions whose cost
//! depends on an argument take only a literal there.

use crate::subject::encode_token;
use cel::common::types::{CelInt, CelString, CelUInt, INT_TYPE, STRING_TYPE, UINT_TYPE};
use cel::common::value::CowVal;
use cel::{DeclarationError, Env, ExecutionError, extensions};
use std::sync::{Arc, LazyLock};

/// The standard library, the string extension and `token`; optional values are on.
pub(super) static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| {
    let mut env = Env::stdlib();
    // Names can only clash with another version of the crate; a test calls what is added here.
    let _ = add(&mut env);
    Arc::new(env)
});

/// What a function demands of its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    Nothing,
    /// Arguments are literals, so that a caller cannot choose how much comes out.
    Literals,
    /// The last argument is a literal pattern, and there is no loop around: patterns are compiled at every call.
    Pattern,
}

pub(super) fn demand(function: &str) -> Option<Demand> {
    match function {
        "matches" => Some(Demand::Pattern),
        "replace" | "join" => Some(Demand::Literals),
        _ => FUNCTIONS.contains(&function).then_some(Demand::Nothing),
    }
}

/// All names, for the help of an error.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.into_iter().chain(["matches", "replace", "join"]).chain(MACROS)
}

/// The functions of the name space `optional`.
pub(super) const OPTIONAL: [&str; 3] = ["none", "of", "ofNonZeroValue"];
/// The types that an expression can compare `type(x)` with.
pub(super) const TYPES: [&str; 11] =
    ["bool", "bytes", "double", "int", "list", "map", "null_type", "optional_type", "string", "type", "uint"];

const MACROS: [&str; 9] =
    ["has", "all", "exists", "exists_one", "existsOne", "map", "filter", "optMap", "optFlatMap"];

const FUNCTIONS: [&str; 37] = [
    "bool",
    "bytes",
    "charAt",
    "contains",
    "double",
    "duration",
    "dyn",
    "endsWith",
    "getDate",
    "getDayOfMonth",
    "getDayOfWeek",
    "getDayOfYear",
    "getFullYear",
    "getHours",
    "getMilliseconds",
    "getMinutes",
    "getMonth",
    "getSeconds",
    "hasValue",
    "indexOf",
    "int",
    "lastIndexOf",
    "lowerAscii",
    "or",
    "orValue",
    "size",
    "split",
    "startsWith",
    "string",
    "substring",
    "timestamp",
    "token",
    "trim",
    "type",
    "uint",
    "upperAscii",
    "value",
];

fn add(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_extension(extensions::strings)?;
    env.add_overload("token", "token_string", vec![STRING_TYPE], token)?;
    env.add_overload("token", "token_int", vec![INT_TYPE], token)?;
    env.add_overload("token", "token_uint", vec![UINT_TYPE], token)
}

fn token<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let argument = arguments.into_iter().next().ok_or_else(ExecutionError::missing_argument_or_target)?;
    let text = if let Some(text) = argument.downcast_ref::<CelString<'_>>() {
        encode_token(text.inner()).into_owned()
    } else if let Some(number) = argument.downcast_ref::<CelInt>() {
        number.inner().to_string()
    } else if let Some(number) = argument.downcast_ref::<CelUInt>() {
        number.inner().to_string()
    } else {
        return Err(ExecutionError::function_error("token", "takes a text or an integer"));
    };
    Ok(CowVal::owned(CelString::from(text)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cel::{Context, Program};

    fn undeclared(source: &str) -> bool {
        let program: Program = ENV.compile(source).unwrap();
        let result = program.execute(&Context::with_env(Arc::clone(&ENV)));
        matches!(result, Err(ExecutionError::UndeclaredReference(_)))
    }

    #[test]
    fn every_listed_function_exists() {
        for name in FUNCTIONS.into_iter().chain(["matches", "replace", "join"]) {
            let global = undeclared(&format!("{name}()"));
            let member = undeclared(&format!("\"x\".{name}()"));
            assert!(!global || !member, "{name}");
        }
        assert!(undeclared("nothing()") && undeclared("\"x\".nothing()"));
        for name in OPTIONAL {
            assert!(!undeclared(&format!("optional.{name}()")), "{name}");
        }
        for name in TYPES {
            assert!(!undeclared(&format!("type(1) == {name}")), "{name}");
        }
    }
}
