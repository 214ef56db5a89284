//! Templates as Docker's documentation shows them and as people write them, with what they make.

use crate::Template;
use serde_json::{Value, json};

fn render(template: &str, value: &Value) -> String {
    let parsed = Template::parse(template).unwrap_or_else(|error| panic!("{template}: {error}"));
    parsed.render(value).unwrap_or_else(|error| panic!("{template}: {error}"))
}

fn check(value: &Value, cases: &[(&str, &str)]) {
    for (template, text) in cases {
        assert_eq!(render(template, value), *text, "{template}");
    }
}

fn network() -> Value {
    json!({
        "Name": "backend",
        "Id": "7d86d31b1478e7cca9ebed7e73aa0fdeec46c5ca29497431d3007d2d9e15ed99",
        "Driver": "bridge",
        "Internal": false,
        "EnableIPv6": true,
        "IPAM": {
            "Driver": "default",
            "Options": null,
            "Config": [
                { "Subnet": "172.18.0.0/16", "Gateway": "172.18.0.1" },
                { "Subnet": "fd00::/64" },
            ],
        },
        "Containers": {
            "c1": { "Name": "web", "IPv4Address": "172.18.0.2/16" },
            "b2": { "Name": "db", "IPv4Address": "172.18.0.3/16" },
        },
        "Options": {},
        "Labels": { "tier": "back", "com.example.owner": "ann" },
        "MTU": 1500,
    })
}

#[test]
fn networks_show_what_they_are_asked_for() {
    check(
        &network(),
        &[
            ("no action at all", "no action at all"),
            ("", ""),
            ("{{range .IPAM.Config}}{{.Subnet}}{{end}}", "172.18.0.0/16fd00::/64"),
            ("{{range .IPAM.Config}}{{println .Subnet}}{{end}}", "172.18.0.0/16\nfd00::/64\n"),
            ("{{(index .IPAM.Config 0).Gateway}}", "172.18.0.1"),
            (
                "{{with index .IPAM.Config 0}}{{.Subnet}} by {{.Gateway}}{{end}}",
                "172.18.0.0/16 by 172.18.0.1",
            ),
            (
                "{{range $k, $v := .Containers}}{{$k}} {{$v.IPv4Address}}{{\"\\n\"}}{{end}}",
                "b2 172.18.0.3/16\nc1 172.18.0.2/16\n",
            ),
            ("{{range .Containers}}{{.Name}} {{end}}", "db web "),
            ("{{index .Labels \"tier\"}}", "back"),
            ("{{index .Labels \"com.example.owner\"}}", "ann"),
            ("{{.Labels.tier}}", "back"),
            ("{{if .Internal}}yes{{else}}no{{end}}", "no"),
            ("{{if and .EnableIPv6 (not .Internal)}}dual{{end}}", "dual"),
            ("{{len .Containers}} {{len .IPAM.Config}} {{len .Name}}", "2 2 7"),
            ("{{if gt (len .Containers) 1}}busy{{end}}", "busy"),
            ("{{.Name | upper}}", "BACKEND"),
            ("{{printf \"%s has mtu %d\" .Name .MTU}}", "backend has mtu 1500"),
            (
                "{{json .IPAM.Config}}",
                r#"[{"Gateway":"172.18.0.1","Subnet":"172.18.0.0/16"},{"Subnet":"fd00::/64"}]"#,
            ),
            ("{{.Labels | json}}", r#"{"com.example.owner":"ann","tier":"back"}"#),
            ("{{.Id | printf \"%q\" | len}} {{truncate .Id 12}} {{slice .Id 0 4}}", "66 7d86d31b1478 7d86"),
            ("{{$n := .Name}}{{range .Containers}}{{$n}}/{{.Name}} {{end}}", "backend/db backend/web "),
            ("{{range .Containers}}{{$.Name}}/{{.Name}} {{end}}", "backend/db backend/web "),
        ],
    );
}

#[test]
fn values_are_printed_as_go_prints_them() {
    check(
        &json!({
            "Null": null, "Yes": true, "No": false, "Zero": 0, "Whole": -12, "Big": u64::MAX, "Float": 2.5,
            "Million": 1e6, "Text": "a b", "List": [1, "two", null, [3.5], { "k": null }], "Empty": [],
            "Object": { "b": 2, "a": { "c": [] } }, "Nothing": {},
        }),
        &[
            ("{{.Null}}", "<no value>"),
            ("{{.Yes}} {{.No}}", "true false"),
            ("{{.Zero}} {{.Whole}} {{.Big}} {{.Float}} {{.Million}}", "0 -12 18446744073709551615 2.5 1e+06"),
            ("{{.Text}}", "a b"),
            ("{{.List}} {{.Empty}}", "[1 two <nil> [3.5] map[k:<nil>]] []"),
            ("{{.Object}} {{.Nothing}}", "map[a:map[c:[]] b:2] map[]"),
            ("{{print .Null 1 2 \"a\" \"b\" 3 4 true}}", "<nil> 1 2ab3 4 true"),
            ("{{print}}|{{print \"a\" 1}}|{{println}}", "|a1|\n"),
            ("{{println 1 \"a\" .Null 2}}", "1 a <nil> 2\n"),
            ("{{printf \"%v %v %v\" .Null .List .Yes}}", "<nil> [1 two <nil> [3.5] map[k:<nil>]] true"),
            ("{{printf \"%s|%s|100%%\" .Text .Object}}", "a b|map[a:map[c:[]] b:2]|100%"),
            (r#"{{printf "%q" "a\"b\\\n\x01é"}}"#, r#""a\"b\\\n\x01é""#),
            ("{{printf \"%q\" (split \"a,b\" \",\")}}", r#"["a" "b"]"#),
            ("{{json .Text}} {{json \"<a&b>\"}} {{json .Null}}", "\"a b\" \"<a&b>\" null"),
        ],
    );
}

#[test]
fn what_is_zero_or_empty_is_false() {
    let value = json!({ "A": [null, false, 0, 0.0, "", [], {}], "B": [true, 1, -0.5, "x", [0], { "a": 0 }] });
    check(
        &value,
        &[
            ("{{range .A}}{{if .}}T{{else}}F{{end}}{{end}}", "FFFFFFF"),
            ("{{range .B}}{{if .}}T{{else}}F{{end}}{{end}}", "TTTTTT"),
            ("{{range .A}}{{not .}} {{end}}", "true true true true true true true "),
            ("{{and 1 0 2}} {{and 1 2}} {{or 0 \"\"}}| {{or 0 3 4}}", "0 2 | 3"),
            ("{{0 | or 0}} {{2 | and 1}} {{2 | and 0}}", "0 2 0"),
        ],
    );
}

#[test]
fn and_and_or_do_not_look_further_than_they_must() {
    check(
        &json!({ "List": [] }),
        &[
            ("{{and (len .List) (index .List 0)}}", "0"),
            ("{{or 1 (index .List 0)}}", "1"),
            ("{{if and .List (eq (index .List 0) 1)}}one{{else}}none{{end}}", "none"),
        ],
    );
}

#[test]
fn blocks_choose_and_move_the_dot() {
    check(
        &json!({ "A": 1, "B": "b", "Zero": 0, "Empty": [], "Null": null, "List": ["x", "y"], "In": { "A": 2 } }),
        &[
            ("{{if .Zero}}a{{else if .B}}b{{else}}c{{end}}", "b"),
            ("{{if .Zero}}a{{else if .Zero}}b{{else if .Zero}}c{{else}}d{{end}}", "d"),
            ("{{if .Zero}}a{{end}}", ""),
            ("{{with .In}}{{.A}}{{else}}none{{end}}", "2"),
            ("{{with .Null}}{{.A}}{{else}}{{.A}}{{end}}", "1"),
            ("{{with .Null}}x{{else with .In}}{{.A}}{{end}}", "2"),
            ("{{with $x := .In}}{{$x.A}}{{end}}", "2"),
            ("{{if $x := .B}}{{$x}}{{end}}", "b"),
            ("{{range .List}}{{.}}{{else}}none{{end}}", "xy"),
            ("{{range .Empty}}x{{else}}none {{.A}}{{end}}", "none 1"),
            ("{{range .Null}}x{{else}}none{{end}}", "none"),
            ("{{range $i, $e := .List}}{{if $i}}, {{end}}{{$e}}{{end}}", "x, y"),
            ("{{range $e := .List}}{{$e}}{{end}}", "xy"),
            ("{{range $i, $e := .List}}{{range $.List}}{{$i}}{{.}}{{$e}} {{end}}{{end}}", "0xx 0yx 1xy 1yy "),
        ],
    );
}

#[test]
fn variables_end_with_their_block_and_can_be_assigned_within() {
    check(
        &json!({ "List": [1, 2, 3] }),
        &[
            ("{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}", "2"),
            ("{{$x := 1}}{{if true}}{{$x := 2}}{{$x}}{{end}}{{$x}}", "21"),
            ("{{$last := 0}}{{range .List}}{{$last = .}}{{end}}{{$last}}", "3"),
            ("{{$x := 1}}{{range $x := .List}}{{$x}}{{end}}{{$x}}", "1231"),
            ("{{$x := 1}}{{with 2}}{{$x := .}}{{end}}{{$x}}", "1"),
            ("{{$x := \"a\" | upper}}{{$x}}{{$x | lower}}", "Aa"),
        ],
    );
}

#[test]
fn white_space_is_trimmed_where_a_dash_says_so() {
    check(
        &json!({ "A": "a" }),
        &[
            ("x {{- .A -}} y", "xay"),
            ("x {{.A -}}\n\t y {{- \"z\"}}", "x ayz"),
            ("x\n{{- /* nothing */ -}}\ny", "xy"),
            ("{{/* {{.Not}} \" ` */}}x{{ /* apart */ }}{{/*/ no end yet */}}{{/**/}}", "x"),
            ("{{-1}} {{- -1 -}} {{3 | print -2}}", "-1-1-2 3"),
            ("{{ .A }}{{\n.A\n|\tupper }}", "aA"),
            ("{{.A}}}} {", "a}} {"),
            (r"{{.A}}\t\n", r"a\t\n"),
            ("{{`\\t` }}{{\"\\t\"}}", "\\t\t"),
        ],
    );
}

#[test]
fn docker_functions_do_what_docker_does() {
    check(
        &json!({ "Args": ["-g", "off"], "Numbers": [80, 443], "Image": "img:1.2", "Null": null, "E": "é→x" }),
        &[
            ("{{join .Args \" , \"}}", "-g , off"),
            ("{{join .Numbers \",\"}}|{{join .Null \",\"}}|{{join (split \"a\" \",\") \"-\"}}", "80,443||a"),
            ("{{split .Image \":\"}} {{index (split .Image \":\") 1}}", "[img 1.2] 1.2"),
            ("{{range split \"a,b\" \",\"}}<{{.}}>{{end}}{{split \"é→\" \"\"}}", "<a><b>[é →]"),
            ("{{len (split \"\" \",\")}} {{len (split \"\" \"\")}}", "1 0"),
            ("{{title \"foo bar-baz a_b 1c\"}}", "Foo Bar-Baz A_b 1c"),
            ("{{lower \"AbC\"}} {{upper \"aßc\"}}", "abc ASSC"),
            ("[{{pad \"a\" 2 3}}] [{{pad \"\" 2 3}}] [{{pad .Image 0 1}}]", "[  a   ] [] [img:1.2 ]"),
            (
                "{{truncate \"abcdef\" 3}} {{truncate \"ab\" 3}} {{truncate .E 2}} {{truncate .E 0}}|",
                "abc ab é→ |",
            ),
            ("{{slice \"abcdef\" 1 3}} {{slice \"abc\" 1}} {{slice .E}}", "bc bc é→x"),
        ],
    );
}

#[test]
fn values_compare_with_their_like() {
    check(
        &json!({ "Tier": "web", "N": 2, "Null": null, "List": [] }),
        &[
            ("{{eq .Tier \"db\" \"web\"}} {{eq .Tier \"db\"}} {{ne .Tier \"db\"}}", "true false true"),
            (
                "{{eq .N 2}} {{eq .N 2.0}} {{lt 1 .N}} {{le 2 .N}} {{gt 1.5 .N}} {{ge .N 3}}",
                "true true true true false false",
            ),
            ("{{lt \"a\" \"b\"}} {{ge \"a\" \"b\"}} {{eq true false}}", "true false false"),
            ("{{eq .Null nil}} {{eq .Tier nil}} {{ne .List nil}}", "true false true"),
            ("{{eq 18446744073709551615 -1}} {{gt 18446744073709551615 -1}}", "false true"),
        ],
    );
}

#[test]
fn maps_answer_nothing_for_what_they_lack() {
    check(
        &json!({
            "Labels": { "a": "b" }, "Networks": { "x": { "IPAddress": "10.0.0.2" } }, "Options": null, "Other": {},
            "Ports": { "80/tcp": [{ "HostPort": "8080" }], "53/udp": null },
        }),
        &[
            ("{{.Labels.c}}|{{index .Labels \"c\"}}|", "<no value>||"),
            ("{{with .Labels}}{{.c}}{{end}}", "<no value>"),
            ("{{$l := .Labels}}{{$l.c}}", "<no value>"),
            (
                "{{.Networks.y}} {{index .Networks \"y\"}} {{with index .Networks \"y\"}}x{{end}}",
                "<no value> <no value> ",
            ),
            ("{{(index .Networks \"x\").IPAddress}} {{.Networks.x.IPAddress}}", "10.0.0.2 10.0.0.2"),
            ("{{.Options.c}}|{{index .Options \"c\"}}|{{len .Options}}", "<no value>||0"),
            ("{{.Other.c}}|{{index .Other \"c\"}}", "<no value>|"),
            ("{{(index (index .Ports \"80/tcp\") 0).HostPort}}", "8080"),
            ("{{index .Ports \"80/tcp\" 0 \"HostPort\"}}", "8080"),
            ("{{range $p, $b := .Ports}}{{$p}} {{end}}", "53/udp 80/tcp "),
        ],
    );
}

#[test]
fn a_field_that_is_an_object_can_be_called_with_a_key() {
    check(
        &json!({ "Label": { "tier": "web" }, "In": { "Label": { "tier": "db" } } }),
        &[
            ("{{.Label \"tier\"}} {{.Label \"none\"}}|", "web |"),
            ("{{.In.Label \"tier\"}} {{\"tier\" | .Label | upper}}", "db WEB"),
        ],
    );
}

#[test]
fn the_value_itself_may_be_anything() {
    for (value, text) in
        [(json!(null), "<no value>"), (json!("a"), "a"), (json!([1, 2]), "[1 2]"), (json!(7), "7")]
    {
        assert_eq!(render("{{.}}", &value), text);
        assert_eq!(render("{{$}}", &value), text);
    }
}

#[test]
fn line_templates_turn_tabs_and_new_lines_outside_of_actions() {
    let value = json!({ "Name": "a", "Driver": "b" });
    for (template, text) in [
        (r"{{.Name}}\t{{.Driver}}\n", "a\tb\n"),
        (r#"\\t{{"\\t"}}{{`\n`}}"#, "\\\t\\t\\n"),
        (r"{{.Name}}\t {{- .Driver -}} \n.", "ab."),
    ] {
        assert_eq!(Template::parse_line(template).unwrap().render(&value).unwrap(), text, "{template}");
    }
}
