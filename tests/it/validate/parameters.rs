//! Types, defaults, and objects as clients really send them.

use natsgate::config::Validation;

use super::{Operation, Sent};

fn query(parameters: &str) -> Operation {
    let operation = Operation::new("/x", parameters, Validation::Enforce);
    assert!(!operation.report.contains("error:"), "{}", operation.report);
    operation
}

#[test]
fn brackets_are_read_as_clients_write_them() {
    let filter = query(
        "        - { name: filter, in: query, style: deepObject, schema: { type: object, properties: { status: { type: string }, tags: { type: array, items: { type: string } }, size: { type: object, properties: { min: { type: integer } } }, items: { type: array, items: { type: object, properties: { n: { type: integer } } } } } } }\n",
    );
    for (sent, expected) in [
        ("filter[status]=open&filter[tags]=a", r#"{"status":"open","tags":["a"]}"#),
        ("filter[tags]=a&filter[tags]=b", r#"{"tags":["a","b"]}"#),
        ("filter[tags][]=a&filter[tags][]=b", r#"{"tags":["a","b"]}"#),
        (
            "filter[tags][1]=b&filter[tags][0]=a&filter[tags][]=c&filter[tags]=d",
            r#"{"tags":["a","b","c","d"]}"#,
        ),
        ("filter[tags][999999999]=z&filter[tags][5]=a", r#"{"tags":["a","z"]}"#),
        ("filter[size][min]=12345678901234567890123", r#"{"size":{"min":12345678901234567890123}}"#),
        ("filter[items][0][n]=1&filter[items][1][n]=2", r#"{"items":[{"n":1},{"n":2}]}"#),
        ("filter[items]=[{\"n\":1.0}]", r#"{"items":[{"n":1.0}]}"#),
        (
            "filter[z]=1&filter[a]=2&filter[m][x]=3&filter[m][y]=4",
            r#"{"z":"1","a":"2","m":{"x":"3","y":"4"}}"#,
        ),
        ("filter[l][0]=a&filter[l][1]=b&filter[l2][1]=c", r#"{"l":["a","b"],"l2":{"1":"c"}}"#),
        ("filter[__proto__][x]=1&filter[constructor]=2", r#"{"__proto__":{"x":"1"},"constructor":"2"}"#),
        ("filter[]=1", r#"{"":"1"}"#),
        ("filter%5Btags%5D%5B%5D=%C3%A9+x", r#"{"tags":["é x"]}"#),
        ("filter={\"status\":\"open\"}", r#"{"status":"open"}"#),
    ] {
        assert_eq!(filter.query(sent), format!("filter={expected}"), "{sent}");
    }
    for (sent, told) in [
        ("filter[size]=1", "at /size is not an object"),
        ("filter[size][min]=x", "at /size/min is not an integer"),
        ("filter[tags][x]=1", "at /tags is not an array"),
        ("filter[status][]=1", "at /status is not a string"),
        ("filter[status]=%ff", "at /status is not valid UTF-8"),
        ("filter[a~/b]=1&filter[a~/b]=2&filter[c]=%00", "at /c holds a NUL character"),
    ] {
        assert_eq!(filter.query(sent), format!("wrong: query.filter {told}"), "{sent}");
    }
    assert_eq!(
        filter.query(&format!("filter{}=1", "[a]".repeat(9))),
        "wrong: query.filter has brackets nested deeper than 8 levels"
    );
    assert_eq!(filter.query("filters[a]=1&filter[a=2&filter[a]b=3&xfilter[a]=4"), "");
}

#[test]
fn a_list_or_one_of_several_kinds_in_brackets() {
    let created = query(
        "        - { name: created, in: query, style: deepObject, schema: { anyOf: [{ type: object, properties: { gt: { type: integer } } }, { type: integer }] } }
        - { name: expand, in: query, style: deepObject, schema: { type: array, items: { type: string } } }\n",
    );
    assert_eq!(created.query("created=5&expand[]=a&expand[]=b"), r#"created=5 expand=["a","b"]"#);
    assert_eq!(created.query("created[gt]=5&expand[0]=a"), r#"created={"gt":5} expand=["a"]"#);
    assert_eq!(created.query("expand=a&expand=b"), r#"expand=["a","b"]"#);
    assert_eq!(created.query("created=x"), "wrong: query.created is none of: integer, object");
    let named =
        query("        - { name: 'ids[]', in: query, schema: { type: array, items: { type: integer } } }\n");
    assert_eq!(named.query("ids[]=1&ids%5B%5D=2&ids=3"), "ids[]=[1,2]");
}

#[test]
fn an_object_is_spread_over_the_query() {
    let operation = query(
        "        - { name: page, in: query, schema: { type: object, properties: { limit: { type: integer }, tags: { type: array, items: { type: string } }, sort: { type: object, properties: { by: { type: string } } } } } }
        - { name: q, in: query, schema: { type: string } }
        - { name: rest, in: query, schema: { type: object, properties: { own: { type: string } }, additionalProperties: { type: integer } } }\n",
    );
    for (sent, expected) in [
        ("limit=3&tags=a&tags=b&q=x", r#"page={"limit":3,"tags":["a","b"]} q="x""#),
        ("sort[by]=name", r#"page={"sort":{"by":"name"}}"#),
        ("b=2&own=o&a=1", r#"rest={"own":"o","b":2,"a":1}"#),
        ("q=x", r#"q="x""#),
        ("", ""),
    ] {
        assert_eq!(operation.query(sent), expected, "{sent}");
    }
    assert_eq!(
        operation.query("limit=x&other=y"),
        "wrong: query.page at /limit is not an integer; query.rest at /other is not an integer"
    );
    let required = query(
        "        - { name: page, in: query, required: true, schema: { type: object, properties: { limit: { type: integer } } } }\n",
    );
    assert_eq!(required.query("other=1"), "page={}");
    let none =
        query("        - { name: none, in: query, schema: { type: object, additionalProperties: false } }\n");
    assert_eq!(none.query("a=1"), "");
    let free = query(
        "        - { name: free, in: query, schema: { type: object } }\n        - { name: f, in: query, style: deepObject, schema: { type: object } }\n",
    );
    assert_eq!(
        free.query("a=1&b=x&a=2&f[x]=y&c[d]=e"),
        r#"free={"a":["1","2"],"b":"x","c[d]":"e"} f={"x":"y"}"#
    );
}

#[test]
fn mixed_types_are_decided_by_what_was_sent() {
    let operation = query(
        "        - { name: a, in: query, schema: { type: [integer, string] } }
        - { name: b, in: query, schema: { oneOf: [{ type: boolean }, { type: number }] } }
        - { name: c, in: query, schema: { type: [integer, 'null'] } }
        - { name: d, in: query, explode: false, schema: { anyOf: [{ type: string }, { type: array, items: { type: string } }] } }
        - { name: e, in: query, schema: { anyOf: [{ type: integer }, { type: array, items: { type: integer } }] } }\n",
    );
    for (sent, expected) in [
        ("a=1&b=true&c=null&d=x&e=1", r#"a=1 b=true c=null d="x" e=1"#),
        ("a=x&b=1.50&c=&d=x,y&e=1&e=2", r#"a="x" b=1.50 c=null d=["x","y"] e=[1,2]"#),
        ("a=1.0&b=-0&c=5", r#"a="1.0" b=-0 c=5"#),
    ] {
        assert_eq!(operation.query(sent), expected, "{sent}");
    }
    assert_eq!(
        operation.query("b=x&c=x&e=x"),
        "wrong: query.b is none of: boolean, number; query.c is not an integer; query.e is none of: integer, array"
    );
}

#[test]
fn contents_are_parsed_and_empty_values_allowed_where_the_contract_says_so() {
    let operation = query(
        "        - { name: where, in: query, content: { application/json: { schema: { type: object } } } }
        - { name: note, in: query, content: { text/plain: { schema: { type: string } } } }
        - { name: flag, in: query, allowEmptyValue: true, schema: { type: boolean } }
        - { name: list, in: query, allowEmptyValue: true, schema: { type: array, items: { type: integer } } }
        - { name: limit, in: query, schema: { type: integer, default: '20' } }
        - { name: size, in: query, schema: { type: string, default: 1.5 } }
        - { name: sort, in: query, schema: { type: array, items: { type: string }, default: [a, b] } }
        - { name: X-Where, in: header, content: { application/json: {} } }\n",
    );
    let defaults = r#"limit=20 size="1.5" sort=["a","b"]"#;
    for (sent, expected) in [
        ("where=%7B%22a%22:%201.0%7D&note=a,b", r#"where={"a": 1.0} note="a,b" "#),
        ("flag&list=", r#"flag="" list=[] "#),
        ("flag=true&list=1&list=2", "flag=true list=[1,2] "),
    ] {
        assert_eq!(operation.query(sent), format!("{expected}{defaults}"), "{sent}");
    }
    for (sent, told) in [
        ("where=%7B", "query.where is not valid JSON"),
        ("where={\"a\":1,\"a\":2}", "query.where is not valid JSON"),
        ("where={}&where={}", "query.where is given more than once"),
        ("flag=1", "query.flag is neither `true` nor `false`"),
        ("limit=", "query.limit is not an integer"),
    ] {
        assert_eq!(operation.query(sent), format!("wrong: {told}"), "{sent}");
    }
    let header = Sent { headers: &[("x-where", b"[1, {\"a\": null}]")], ..Sent::default() };
    assert_eq!(operation.seen(header), format!("{defaults} x-where=[1, {{\"a\": null}}]"));
}

#[test]
fn schemas_that_hold_themselves_are_read_as_deep_as_brackets_go() {
    let operation = query(
        "        - { name: tree, in: query, style: deepObject, schema: { $ref: '#/components/schemas/Tree' } }
        - { name: circle, in: query, style: deepObject, schema: { $ref: '#/components/schemas/Circle' } }\n",
    );
    assert_eq!(
        operation
            .query("tree[children][0][children][0][size]=7&tree[up][up][up][size]=8&circle[a][a][a][n]=9"),
        r#"tree={"children":[{"children":[{"size":7}]}],"up":{"up":{"up":{"size":8}}}} circle={"a":{"a":{"a":{"n":9}}}}"#
    );
    assert_eq!(operation.query("tree[up][up][size]=x"), "wrong: query.tree at /up/up/size is not an integer");
}

#[test]
fn where_the_contract_is_not_enforced_everything_is_handed_on_as_it_came() {
    for validation in [Validation::Log, Validation::Off] {
        let operation = Operation::new(
            "/x/{id}",
            "        - { name: id, in: path, required: true, schema: { type: integer } }
        - { name: limit, in: query, required: true, schema: { type: integer } }
        - { name: ids, in: query, schema: { type: array, items: { type: integer } } }
        - { name: f, in: query, style: deepObject, schema: { type: object, properties: { n: { type: integer } } } }
        - { name: one, in: query, schema: { type: string } }\n",
            validation,
        );
        let sent = "limit=01&ids=1&ids=x&f[n]=y&one=a&one=b";
        let decoded = operation.decode(Sent { path: &["x7"], query: Some(sent), ..Sent::default() });
        let told: Vec<String> = decoded.violations.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "path.id is not an integer",
                "query.limit is not an integer",
                "query.ids at /1 is not an integer",
                "query.f at /n is not an integer",
                "query.one is given more than once"
            ]
        );
        let parameters = decoded.parameters;
        assert_eq!(super::line(parameters.path.iter()), r#"id="x7""#);
        assert_eq!(
            super::line(parameters.query.iter()),
            r#"limit="01" ids=[1,"x"] f={"n":"y"} one=["a","b"]"#
        );
        let lost = operation.decode(Sent { path: &["7"], query: Some("one=%ff&ids=%"), ..Sent::default() });
        assert_eq!((lost.parameters.query.len(), lost.violations.len()), (0, 3));
    }
}
