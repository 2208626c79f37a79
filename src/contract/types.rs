//! The types of JSON values as a set.

use std::fmt;

/// A set of types. A number may be an integer, so [`Types::NUMBER`] holds [`Types::INTEGER`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Types(u8);

impl Types {
    /// `null`
    pub const NULL: Types = Types(1);
    /// `true` and `false`
    pub const BOOLEAN: Types = Types(2);
    /// Numbers without a fraction.
    pub const INTEGER: Types = Types(4);
    /// All numbers.
    pub const NUMBER: Types = Types(4 | 8);
    /// Strings.
    pub const TEXT: Types = Types(16);
    /// Lists.
    pub const ARRAY: Types = Types(32);
    /// Maps.
    pub const OBJECT: Types = Types(64);
    /// What one text can be; nothing aside, which is hardly ever written.
    pub const SCALARS: Types = Types(2 | 4 | 8 | 16);

    const NAMED: [(&str, Types); 7] = [
        ("null", Types::NULL),
        ("boolean", Types::BOOLEAN),
        ("number", Types::NUMBER),
        ("integer", Types::INTEGER),
        ("string", Types::TEXT),
        ("array", Types::ARRAY),
        ("object", Types::OBJECT),
    ];

    /// By its name in a schema.
    pub fn named(name: &str) -> Option<Types> {
        Self::NAMED.iter().find(|(known, _)| *known == name).map(|(_, types)| *types)
    }

    /// Whether all of these are in it.
    pub const fn has(self, types: Types) -> bool {
        self.0 & types.0 == types.0
    }

    /// Whether any of these is in it.
    pub const fn any(self, types: Types) -> bool {
        self.0 & types.0 != 0
    }

    /// What is in both.
    #[must_use]
    pub const fn and(self, other: Types) -> Types {
        Types(self.0 & other.0)
    }

    /// What is in either.
    #[must_use]
    pub const fn or(self, other: Types) -> Types {
        Types(self.0 | other.0)
    }

    /// Their names, the widest ones only: a number is not called an integer too.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let number = self.has(Types::NUMBER);
        let named = Self::NAMED.iter().filter(move |(_, types)| self.has(*types));
        named.filter(move |(_, types)| !number || *types != Types::INTEGER).map(|(name, _)| *name)
    }
}

/// `string|integer`
impl fmt::Display for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().collect::<Vec<_>>().join("|"))
    }
}

impl fmt::Debug for Types {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
