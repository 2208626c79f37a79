//! Values of `format` that the library does not know: those of OpenAPI. All others are ignored, as JSON Schema says.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use jsonschema::ValidationOptions;
use serde_json::{Map, Number, Value};

/// `byte`: base64 with padding, as RFC 4648 wants it.
const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, GeneralPurposeConfig::new());
/// The URL-safe alphabet, where padding is usually left out.
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(
    &alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Adds the formats of texts.
pub(super) fn add<R, F: jsonschema::json::Json>(
    options: ValidationOptions<'_, R, F>,
) -> ValidationOptions<'_, R, F> {
    options
        .should_validate_formats(true)
        .with_format("byte", |text: &str| BASE64.decode(text).is_ok())
        .with_format("base64url", |text: &str| BASE64_URL.decode(text).is_ok())
}

/// The lowest and the highest number of a format.
fn range(format: &str) -> Option<(Number, Number)> {
    Some(match format {
        "int8" => (i8::MIN.into(), i8::MAX.into()),
        "int16" => (i16::MIN.into(), i16::MAX.into()),
        "int32" => (i32::MIN.into(), i32::MAX.into()),
        "int64" => (i64::MIN.into(), i64::MAX.into()),
        "uint8" => (0.into(), u8::MAX.into()),
        "uint16" => (0.into(), u16::MAX.into()),
        "uint32" => (0.into(), u32::MAX.into()),
        "uint64" => (0.into(), u64::MAX.into()),
        _ => return None,
    })
}

/// Writes the range of a numeric format as bounds, unless the schema has its own.
pub(super) fn bound_numbers(schema: &mut Map<String, Value>) {
    let Some((low, high)) = schema.get("format").and_then(Value::as_str).and_then(range) else { return };
    for (own, exclusive, limit) in
        [("minimum", "exclusiveMinimum", low), ("maximum", "exclusiveMaximum", high)]
    {
        let narrower = |key: &str| {
            let bound = schema.get(key).and_then(Value::as_f64)?;
            let limit = limit.as_f64()?;
            Some(if own == "minimum" { bound >= limit } else { bound <= limit })
        };
        if narrower(own) != Some(true) && narrower(exclusive) != Some(true) {
            schema.insert(own.to_owned(), Value::Number(limit));
        }
    }
}
