//! What is wrong is said with its place, its text, and what was expected.

use crate::{Error, Template};
use serde_json::{Value, json};

fn value() -> Value {
    json!({
        "Name": "n", "Names": 1, "Driver": "bridge", "Null": null,
        "IPAM": { "Config": [{ "Subnet": "s" }], "Driver": "default" },
        "Map": { "a-b": 1, "Plain": 2 },
    })
}

fn error(template: &str) -> Error {
    match Template::parse(template) {
        Err(error) => error,
        Ok(parsed) => parsed.render(&value()).expect_err(template),
    }
}

fn check(cases: &[(&str, &str)]) {
    for (template, message) in cases {
        assert_eq!(error(template).to_string(), format!("template: {message}"), "{template}");
    }
}

#[test]
fn syntax_errors_name_the_place_the_piece_and_what_was_expected() {
    check(&[
        ("{{", "column 1: close {{: expected }} before the end"),
        ("ab{{.Name", "column 3: close {{: expected }} before the end"),
        ("a\nb{{.Name", "line 2, column 2: close {{: expected }} before the end"),
        ("{{/*/}}", "column 3: close /*: expected */ before the end"),
        ("é{{/* x", "column 4: close /*: expected */ before the end"),
        ("{{/* x */ .Name}}", "column 11: found '.': expected }} after a comment"),
        ("{{\"a", "column 3: close \": expected \" in the same line before the end"),
        ("{{`a}}", "column 3: close `: expected ` before the end"),
        ("{{}}", "column 3: found }}: expected a field, function, variable or text"),
        ("{{if}}{{end}}", "column 5: found }}: expected a field, function, variable or text"),
        ("{{.Name | }}", "column 11: found }}: expected a field, function, variable or text"),
        ("{{.Name}", "column 8: found } right after .Name: expected white space, | or }}"),
        (
            "{{.Name } }}",
            "column 9: found '}': expected a field, function, variable, text in double quotes or number",
        ),
        ("{{index .Map 'a-b'}}", "column 14: found '\\'': expected a text in double quotes"),
        (
            r#"{{"\q"}}"#,
            r#"column 3: found "\q": expected one of \n \t \r \a \b \f \v \\ \" \xhh \ooo \uhhhh \Uhhhhhhhh in a text"#,
        ),
        ("{{len 0x1F}}", "column 7: found 0x1F: expected a decimal number"),
        ("{{.Map.a-b}}", "column 9: found -b right after .a: expected white space, | or }}"),
        ("{{.Name\"a\"}}", "column 8: found \"a\" right after .Name: expected white space, | or }}"),
        ("{{print(1)}}", "column 8: found ( right after print: expected white space, | or }}"),
        ("{{(print 1}}", "column 11: found }}: expected )"),
        ("{{print 1)}}", "column 10: found ): expected | or }}"),
        ("{{nil}}", "column 3: found nil: expected a value: nil is an argument only"),
        ("{{if len .Name 1}}{{end}}", "column 6: len: found 2 arguments: expected len VALUE"),
        (
            "{{if eq len .Name 1}}{{end}}",
            "column 9: found len: expected parentheses around a function that is an argument",
        ),
        ("{{print x}}", "column 9: found x: expected a field, variable, text, number or parenthesis"),
        (
            "{{$a, $b := .Name}}",
            "column 5: found ,: expected := after one variable, for range alone takes two",
        ),
        ("{{range $a, $b .Name}}{{end}}", "column 16: found .Name: expected := after the variables of range"),
    ]);
}

#[test]
fn blocks_that_do_not_match_name_what_was_opened() {
    check(&[
        ("x{{if .Name}}y", "column 2: close if: expected {{end}} before the end"),
        (
            "{{range .IPAM.Config}}{{if .Subnet}}{{end}}",
            "column 1: close range: expected {{end}} before the end",
        ),
        ("{{with .Name}}{{else}}", "column 1: close with: expected {{end}} before the end"),
        (
            "{{if .Name}}{{else}}{{else}}{{end}}",
            "column 21: found {{else}}: expected {{end}} after an {{else}}",
        ),
        ("a{{end}}", "column 2: found {{end}}: expected nothing to end"),
        ("a{{else}}", "column 2: found {{else}}: expected an open {{if}}"),
        ("{{if .Name}}{{else with .Name}}{{end}}", "column 20: found with: expected }} after else"),
        ("{{define \"x\"}}{{end}}", "column 1: {{define}} is not supported"),
        ("{{range .Map}}{{break}}{{end}}", "column 15: {{break}} is not supported"),
    ]);
}

#[test]
fn fields_that_are_not_there_name_the_nearest_and_those_that_are() {
    check(&[
        ("{{.Nmae}}", "column 3: no field .Nmae: did you mean .Name?"),
        ("{{.driver}}", "column 3: no field .driver: did you mean .Driver?"),
        ("{{.Gateway}}", "column 3: no field .Gateway"),
        ("{{.IPAM.Confg}}", "column 8: no field .Confg in .IPAM: did you mean .Config?"),
        ("{{range .IPAM.Config}}{{.Subnets}}{{end}}", "column 25: no field .Subnets: did you mean .Subnet?"),
        ("{{(index .IPAM.Config 0).Sub}}", "column 25: no field .Sub in (…)"),
        ("{{$i := .IPAM}}{{$i.Driv}}", "column 20: no field .Driv in $i"),
        ("{{.IPAM.Config.Subnet}}", "column 15: no field .Subnet: .IPAM.Config is a list"),
        ("{{.Name.Length}}", "column 8: no field .Length: .Name is a text"),
        ("{{.Null.A}}", "column 8: no field .A: .Null is null"),
        ("{{.Map.plan}}", "column 7: no field .plan in .Map: did you mean .Plain?"),
    ]);
    assert_eq!(error("{{.Map.x}}").hint().as_deref(), Some("there are .Plain, \"a-b\""));
    assert_eq!(
        error("{{.Nmae}}").hint().as_deref(),
        Some("there are .Driver, .IPAM, .Map, .Name, .Names, .Null")
    );
    assert_eq!(
        error("{{.IPAM.Config.Subnet}}").hint().as_deref(),
        Some("{{range .IPAM.Config}} or {{index .IPAM.Config 0}} reach what a list holds")
    );
    assert_eq!(error("{{.Map.a-b}}").hint().as_deref(), Some("{{index … \"a-b\"}} reaches such a name"));
    assert_eq!(error("{{print(1)}}").hint(), None);
}

#[test]
fn a_long_list_of_fields_is_cut() {
    let wide: serde_json::Map<String, Value> = (10..60).map(|n| (format!("F{n}"), json!(n))).collect();
    let error = Template::parse("{{.Other}}").unwrap().render(&Value::Object(wide)).unwrap_err();
    assert!(error.hint().is_some_and(|hint| hint.ends_with(".F32, .F33 and 26 more")), "{:?}", error.hint());
}

#[test]
fn functions_that_are_not_there_name_the_nearest_and_all_that_are() {
    check(&[
        ("{{upcase .Name}}", "column 3: no function upcase"),
        ("{{.Name | uper}}", "column 11: no function uper: did you mean upper?"),
        ("{{html .Name}}", "column 3: no function html"),
    ]);
    assert_eq!(
        error("{{x}}").hint().as_deref(),
        Some(
            "there are and, eq, ge, gt, index, join, json, le, len, lower, lt, ne, not, or, pad, print, printf, \
             println, slice, split, title, truncate, upper"
        )
    );
}

#[test]
fn variables_are_looked_for_before_anything_is_rendered() {
    for (template, message) in [
        ("{{$x}}", "column 3: no variable $x"),
        ("{{$name := 1}}{{$nmae}}", "column 17: no variable $nmae: did you mean $name?"),
        ("{{if 1}}{{$x := 1}}{{end}}{{$x}}", "column 29: no variable $x"),
        ("{{range $i, $e := .}}{{end}}{{$e}}", "column 31: no variable $e"),
        ("{{$x := $x}}", "column 9: no variable $x"),
        ("{{$x = 1}}", "column 3: no variable $x"),
    ] {
        let error = Template::parse(template).unwrap_err();
        assert_eq!(error.to_string(), format!("template: {message}"), "{template}");
    }
    assert_eq!(error("{{$x}}").hint().as_deref(), Some("{{$x := …}} makes a variable"));
    assert_eq!(error("{{$a := 1}}{{$x}}").hint().as_deref(), Some("there are $a"));
}

#[test]
fn arguments_are_counted_before_anything_is_rendered() {
    for (template, message) in [
        ("{{join .A}}", "column 3: join: found 1 argument: expected join LIST SEPARATOR"),
        ("{{.A | not 1}}", "column 8: not: found 2 arguments: expected not VALUE"),
        ("{{eq 1}}", "column 3: eq: found 1 argument: expected eq A B …"),
        ("{{ne 1 2 3}}", "column 3: ne: found 3 arguments: expected ne A B"),
        ("{{1 2}}", "column 3: 1 takes no arguments: expected a function before them"),
        ("{{1 | \"a\"}}", "column 7: \"a\" takes no arguments: expected a function before them"),
        ("{{. 1}}", "column 3: . takes no arguments: expected a function before them"),
    ] {
        let error = Template::parse(template).unwrap_err();
        assert_eq!(error.to_string(), format!("template: {message}"), "{template}");
    }
}

#[test]
fn functions_say_what_they_cannot_use() {
    check(&[
        ("{{.Name \"a\"}}", "column 3: .Name takes no arguments: expected a function before them"),
        ("{{.Map 1}}", "column 3: .Map takes no arguments: expected a function before them"),
        ("{{join .Name \",\"}}", "column 3: join: found a text: expected a list"),
        ("{{split .Names \",\"}}", "column 3: split: found a number: expected a text"),
        ("{{upper .Null}}", "column 3: upper: found null: expected a text"),
        ("{{.Map | upper}}", "column 10: upper: found an object: expected a text"),
        ("{{truncate .Name -1}}", "column 3: truncate: found -1: expected no negative number"),
        ("{{truncate .Name 1.5}}", "column 3: truncate: found a number: expected a whole number"),
        (
            "{{slice .Name 1 0}}",
            "column 3: slice: found 1 to 0: expected places between characters, in order, within the text",
        ),
        (
            "{{slice \"é\" 1}}",
            "column 3: slice: found 1 to 2: expected places between characters, in order, within the text",
        ),
        ("{{index .IPAM.Config 1}}", "column 3: index: found position 1: expected one within a length of 1"),
        (
            "{{index .IPAM.Config -1}}",
            "column 3: index: found position -1: expected one within a length of 1",
        ),
        (
            "{{index .IPAM.Config \"a\"}}",
            "column 3: index: found a list: expected an object, where the key is a text",
        ),
        ("{{index .Map 0}}", "column 3: index: found an object: expected a list, where the key is a number"),
        ("{{index .Map true}}", "column 3: index: found a boolean: expected a text or whole number as key"),
        ("{{index .Null 0}}", "column 3: index: found position 0: expected one within a length of 0"),
        ("{{len .Names}}", "column 3: len: found a number: expected a text, list or object"),
        (
            "{{eq .Name 1}}",
            "column 3: eq: found a text and a number: expected two texts, two numbers or two booleans",
        ),
        (
            "{{lt true false}}",
            "column 3: lt: found a boolean and a boolean: expected two texts or two numbers",
        ),
        (
            "{{eq .Map .Map}}",
            "column 3: eq: found an object and an object: expected two texts, two numbers or two booleans",
        ),
        ("{{range .Name}}{{end}}", "column 9: range: found a text: expected a list or an object"),
        ("{{printf \"%d\" .Name}}", "column 3: printf: found a text: expected a whole number for %d"),
        ("{{printf \"%s\" 1}}", "column 3: printf: found a number: expected a text for %s, or %v"),
        (
            "{{printf \"%q\" 1}}",
            "column 3: printf: found a number: expected a text or a list of texts for %q",
        ),
        ("{{printf \"%x\" 1}}", "column 3: printf: found %x: expected one of %s %v %d %q %%"),
        ("{{printf \"a%\"}}", "column 3: printf: found %: expected one of %s %v %d %q %%"),
        (
            "{{printf \"%s %s\" .Name}}",
            "column 3: printf: found %s and no value for it: expected as many values as verbs",
        ),
        (
            "{{printf \"%s\" .Name 1 2}}",
            "column 3: printf: found 2 more values than verbs: expected as many values as verbs",
        ),
        ("{{printf .Map}}", "column 3: printf: found an object: expected a text"),
    ]);
}
