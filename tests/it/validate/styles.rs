//! The style table of the OpenAPI specification, row by row, with its own examples.

use super::{Operation, Sent};

const TEXT: &str = "schema: { type: string }";
const LIST: &str = "schema: { type: array, items: { type: string } }";
const MAP: &str = "schema: { type: object, properties: { R: { type: integer }, G: { type: integer }, B: { type: integer } } }";

const BLUE: &str = "color=\"blue\"";
const COLORS: &str = "color=[\"blue\",\"black\",\"brown\"]";
const RGB: &str = "color={\"R\":100,\"G\":200,\"B\":150}";

/// Sends the text of an example where it belongs.
fn send(location: &str, attributes: &str, text: &str) -> String {
    let operation = Operation::color(location, attributes);
    assert!(operation.report.is_empty() || !operation.report.contains("error:"), "{}", operation.report);
    match location {
        "path" => operation.seen(Sent { path: &[text], ..Sent::default() }),
        "query" => operation.query(text),
        "header" => operation.seen(Sent { headers: &[("color", text.as_bytes())], ..Sent::default() }),
        _ => operation.seen(Sent { headers: &[("cookie", text.as_bytes())], ..Sent::default() }),
    }
}

#[test]
fn every_row_of_the_specification_is_read() {
    for (location, style, schema, text, expected) in [
        ("path", "simple, explode: false", TEXT, "blue", BLUE),
        ("path", "simple, explode: false", LIST, "blue,black,brown", COLORS),
        ("path", "simple, explode: false", MAP, "R,100,G,200,B,150", RGB),
        ("path", "simple, explode: true", TEXT, "blue", BLUE),
        ("path", "simple, explode: true", LIST, "blue,black,brown", COLORS),
        ("path", "simple, explode: true", MAP, "R=100,G=200,B=150", RGB),
        ("path", "matrix, explode: false", TEXT, ";color", "color=\"\""),
        ("path", "matrix, explode: false", TEXT, ";color=", "color=\"\""),
        ("path", "matrix, explode: false", TEXT, ";color=blue", BLUE),
        ("path", "matrix, explode: false", LIST, ";color", "color=[]"),
        ("path", "matrix, explode: false", LIST, ";color=blue,black,brown", COLORS),
        ("path", "matrix, explode: false", MAP, ";color=R,100,G,200,B,150", RGB),
        ("path", "matrix, explode: true", TEXT, ";color", "color=\"\""),
        ("path", "matrix, explode: true", TEXT, ";color=blue", BLUE),
        ("path", "matrix, explode: true", LIST, ";color=blue;color=black;color=brown", COLORS),
        ("path", "matrix, explode: true", MAP, ";R=100;G=200;B=150", RGB),
        ("path", "label, explode: false", TEXT, ".", "color=\"\""),
        ("path", "label, explode: false", TEXT, ".blue", BLUE),
        ("path", "label, explode: false", LIST, ".", "color=[]"),
        ("path", "label, explode: false", LIST, ".blue,black,brown", COLORS),
        ("path", "label, explode: false", LIST, ".blue.black.brown", COLORS),
        ("path", "label, explode: false", MAP, ".R,100,G,200,B,150", RGB),
        ("path", "label, explode: false", MAP, ".R.100.G.200.B.150", RGB),
        ("path", "label, explode: true", TEXT, ".blue", BLUE),
        ("path", "label, explode: true", LIST, ".blue.black.brown", COLORS),
        ("path", "label, explode: true", MAP, ".R=100.G=200.B=150", RGB),
        ("header", "simple, explode: false", TEXT, "blue", BLUE),
        ("header", "simple, explode: false", TEXT, "", "color=\"\""),
        ("header", "simple, explode: false", LIST, "blue,black,brown", COLORS),
        ("header", "simple, explode: false", LIST, "", "color=[]"),
        ("header", "simple, explode: false", MAP, "R,100,G,200,B,150", RGB),
        ("header", "simple, explode: true", LIST, "blue, black , brown", COLORS),
        ("header", "simple, explode: true", MAP, "R=100, G=200, B=150", RGB),
        ("query", "form, explode: false", TEXT, "color=", "color=\"\""),
        ("query", "form, explode: false", TEXT, "color=blue", BLUE),
        ("query", "form, explode: false", LIST, "color=", "color=[]"),
        ("query", "form, explode: false", LIST, "color=blue,black,brown", COLORS),
        ("query", "form, explode: false", MAP, "color=R,100,G,200,B,150", RGB),
        ("query", "form, explode: true", TEXT, "color=", "color=\"\""),
        ("query", "form, explode: true", TEXT, "color=blue", BLUE),
        ("query", "form, explode: true", LIST, "color=", "color=[\"\"]"),
        ("query", "form, explode: true", LIST, "color=blue&color=black&color=brown", COLORS),
        ("query", "form, explode: true", MAP, "R=100&G=200&B=150", RGB),
        ("query", "spaceDelimited, explode: false", LIST, "color=blue%20black%20brown", COLORS),
        ("query", "spaceDelimited, explode: false", LIST, "color=blue+black+brown", COLORS),
        ("query", "spaceDelimited, explode: false", MAP, "color=R%20100%20G%20200%20B%20150", RGB),
        ("query", "pipeDelimited, explode: false", LIST, "color=blue%7Cblack%7Cbrown", COLORS),
        ("query", "pipeDelimited, explode: false", LIST, "color=blue|black%7cbrown", COLORS),
        ("query", "pipeDelimited, explode: false", MAP, "color=R%7C100%7CG%7C200%7CB%7C150", RGB),
        (
            "query",
            "deepObject, explode: true",
            MAP,
            "color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150",
            RGB,
        ),
        ("query", "deepObject, explode: true", MAP, "color[R]=100&color[G]=200&color[B]=150", RGB),
        ("cookie", "form, explode: false", TEXT, "color=blue", BLUE),
        ("cookie", "form, explode: false", TEXT, "color=", "color=\"\""),
        ("cookie", "form, explode: false", LIST, "a=b; color=blue,black,brown", COLORS),
        ("cookie", "form, explode: false", MAP, "color=R,100,G,200,B,150", RGB),
        ("cookie", "form, explode: true", TEXT, "color=blue", BLUE),
        ("cookie", "form, explode: true", LIST, "color=blue&color=black&color=brown", COLORS),
        ("cookie", "cookie, explode: true", LIST, "color=blue; color=black; color=brown", COLORS),
        ("cookie", "form, explode: true", MAP, "R=100&G=200&B=150", RGB),
        ("cookie", "cookie, explode: true", MAP, "R=100; G=200; B=150", RGB),
    ] {
        let seen = send(location, &format!("style: {style}, {schema}"), text);
        assert_eq!(seen, expected, "{location} {style}: {text}");
    }
}

#[test]
fn what_does_not_follow_its_style_is_refused() {
    for (location, style, schema, text, told) in [
        ("path", "label", TEXT, "blue", "path.color does not begin with `.`"),
        ("path", "matrix", TEXT, "blue", "path.color does not begin with `;`"),
        ("path", "matrix", TEXT, ";colour=blue", "path.color does not begin with its name"),
        (
            "path",
            "matrix, explode: true",
            LIST,
            ";color=a;b=c",
            "path.color at /1 does not begin with its name",
        ),
        ("path", "simple", MAP, "R,100,G", "path.color has a name without a value"),
        ("path", "simple, explode: true", MAP, "R=100,G", "path.color has a name without a value"),
        ("path", "simple", MAP, "R,1,R,2", "path.color has a member more than once"),
        (
            "path",
            "simple",
            MAP,
            "R,x,G,1.5",
            "path.color at /R is not an integer; path.color at /G is not an integer",
        ),
        ("path", "simple", MAP, "R,1,%ff,2", "path.color has a name that is not valid UTF-8"),
        ("query", "form, explode: false", MAP, "color=R", "query.color has a name without a value"),
        ("query", "form", MAP, "R=1&R=2", "query.color at /R is given more than once"),
        ("query", "form", MAP, "color=x", "query.color is not an object"),
        ("query", "deepObject", MAP, "color[R]=1&color[R]=2", "query.color at /R is given more than once"),
        ("query", "deepObject", MAP, "color[R][x]=1", "query.color at /R is not an integer"),
        (
            "query",
            "deepObject",
            MAP,
            "color[]=1&color={}",
            "query.color is given both as a whole and in parts",
        ),
    ] {
        let seen = send(location, &format!("style: {style}, {schema}"), text);
        assert_eq!(seen, format!("wrong: {told}"), "{location} {style}: {text}");
    }
}

#[test]
fn a_style_that_its_location_does_not_have_is_told_and_passed_by() {
    for (location, style, error) in [
        ("path", "form", true),
        ("path", "deepObject", true),
        ("query", "matrix", false),
        ("query", "simple", false),
        ("header", "form", false),
        ("cookie", "deepObject", false),
        ("cookie", "simple", false),
        ("query", "formular", false),
    ] {
        let operation = Operation::color(location, &format!("style: {style}, {TEXT}"));
        let said = format!("the {location} parameter `color` cannot have the style `{style}`");
        let severity = if error { "error" } else { "warning" };
        assert!(operation.report.starts_with(&format!("{severity}: {said}\n")), "{}", operation.report);
        assert_eq!(operation.query("color=x"), "", "{location} {style}");
    }
}

#[test]
fn separators_count_before_decoding() {
    for (style, text, expected) in [
        ("form, explode: false", "color=a,b%2Cc", "color=[\"a\",\"b,c\"]"),
        ("form, explode: false", "color=a&color=b,c", "color=[\"a\",\"b\",\"c\"]"),
        ("pipeDelimited, explode: false", "color=a%7Cb&color=c", "color=[\"a\",\"b\",\"c\"]"),
        ("pipeDelimited, explode: true", "color=a%7Cb&color=c", "color=[\"a|b\",\"c\"]"),
        ("form, explode: true", "color=a,b&color=%2520%20+", "color=[\"a,b\",\"%20  \"]"),
    ] {
        assert_eq!(send("query", &format!("style: {style}, {LIST}"), text), expected, "{style}: {text}");
    }
    assert_eq!(send("path", LIST, "a%2Cb,+%2B"), "color=[\"a,b\",\"++\"]");
    assert_eq!(send("header", LIST, "a%2Cb,c"), "color=[\"a%2Cb\",\"c\"]");
    assert_eq!(
        send("path", &format!("style: label, explode: true, {LIST}"), ".a%2Eb.c"),
        "color=[\"a.b\",\"c\"]"
    );
}
