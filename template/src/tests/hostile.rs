//! Whoever may write a format may not stop the program with it.

use crate::{Error, Listing, MAX_DEPTH, Template};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

fn value() -> Value {
    json!({
        "Name": "näme", "N": 3, "Null": null, "List": [1, "two", [3], { "a": 1 }], "Map": { "a": "b", "c": { "d": [] } },
    })
}

/// SplitMix64: the same inputs every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(bound).unwrap()).unwrap()
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

const PIECES: [&str; 74] = [
    "{{",
    "}}",
    "{{-",
    "-}}",
    "{{- ",
    " -}}",
    "{{/*",
    "*/}}",
    " ",
    "\n",
    "\t",
    ".",
    ".Name",
    ".N",
    ".List",
    ".Map",
    ".a",
    ".Nope",
    "$",
    "$x",
    "$y",
    ":=",
    "=",
    ",",
    "|",
    "(",
    ")",
    "if",
    "else",
    "end",
    "range",
    "with",
    "nil",
    "true",
    "false",
    "{{end}}",
    "{{else}}",
    "{{if .N}}",
    "{{range .List}}",
    "{{range $x, $y := .Map}}",
    "{{with .Map}}",
    "define",
    "break",
    "\"",
    "`",
    "\"a\"",
    "\"\\n\"",
    "\"\\",
    "'",
    "0",
    "1",
    "-1",
    "2.5",
    "1e9",
    "0x",
    "9223372036854775807",
    "len",
    "index",
    "join",
    "json",
    "split",
    "pad",
    "truncate",
    "slice",
    "printf",
    "\"%s%d%\"",
    "print",
    "eq",
    "lt",
    "and",
    "é",
    "🦀",
    "\u{0}",
    "x",
];

fn run(template: &str) {
    if let Ok(parsed) = Template::parse(template) {
        let _ = parsed.render(&value()).map_err(|error| (error.to_string(), error.hint()));
    }
    if let Ok(listing) = Listing::parse(&format!("table{template}"), "") {
        let _ = listing.render(&[value()], &[]).map_err(|error| (error.to_string(), error.hint()));
    }
}

#[test]
fn words_in_any_order_never_panic() {
    let mut dice = Dice(1);
    for _ in 0..20_000 {
        let length = 1 + dice.below(24);
        let template: String = (0..length).map(|_| dice.pick(&PIECES)).collect();
        run(&template);
    }
}

#[test]
fn good_templates_with_slips_never_panic() {
    let good = [
        "{{range $k, $v := .Map}}{{$k}} {{$v}}{{\"\\n\"}}{{else}}none{{end}}",
        "{{if and .N (eq .Name \"x\")}}a{{else if .List}}{{(index .List 3).a}}{{end}}",
        "{{- /* note */ -}} {{$x := split .Name \"ä\"}}{{join $x \",\" | upper | printf \"%q\"}}",
        "{{with .Map}}{{.a}}{{end}}{{slice .Name 0 1}}{{truncate .Name 2}}{{pad .Name 1 2}}",
    ];
    let mut dice = Dice(2);
    for _ in 0..20_000 {
        let mut characters: Vec<char> = dice.pick(&good).chars().collect();
        for _ in 0..=dice.below(4) {
            let at = dice.below(characters.len());
            match dice.below(3) {
                0 => drop(characters.remove(at)),
                1 => characters.splice(at..at, dice.pick(&PIECES).chars()).for_each(drop),
                _ => {
                    let other = dice.below(characters.len());
                    characters.swap(at, other);
                }
            }
            if characters.is_empty() {
                break;
            }
        }
        run(&characters.into_iter().collect::<String>());
    }
}

#[test]
fn every_beginning_of_a_template_is_read_or_refused() {
    let template =
        "{{range $k, $v := .Map}}{{- /* é */ -}}{{$k | printf \"%s\\u00e9\" -}} {{end}}{{(index .List 3).a}}";
    for (end, _) in template.char_indices() {
        run(&template[..end]);
        run(&template[end..]);
    }
}

fn render(template: &str) -> Result<String, Error> {
    Template::parse(template)?.render(&value())
}

#[test]
fn nesting_is_limited_and_the_limit_can_be_reached() {
    let blocks = |depth| "{{if 1}}".repeat(depth) + "x" + &"{{end}}".repeat(depth);
    let parentheses = |depth| format!("{{{{{}.N{}}}}}", "(".repeat(depth), ")".repeat(depth));
    for nested in [&blocks as &dyn Fn(usize) -> String, &parentheses] {
        assert!(render(&nested(MAX_DEPTH)).is_ok());
        for depth in [MAX_DEPTH + 1, 100_000] {
            assert!(matches!(render(&nested(depth)), Err(Error::TooDeep { .. })), "{depth}");
        }
    }
}

#[test]
fn many_branches_are_no_nesting() {
    let template = format!("{{{{if 0}}}}{}{{{{else}}}}x{{{{end}}}}", "{{else if 0}}y".repeat(1000));
    assert_eq!(render(&template).unwrap(), "x");
}

#[test]
fn text_is_limited_however_it_is_made() {
    let doubling = "{{$x := .Name}}".to_owned() + &"{{$x = print $x $x}}".repeat(64);
    let in_a_loop = format!(
        "{{{{$x := .Name}}}}{}{{{{$x = print $x $x}}}}{}",
        "{{range $.List}}".repeat(30),
        "{{end}}".repeat(30)
    );
    for template in [
        "{{pad .Name 9223372036854775807 9223372036854775807}}",
        "{{pad .Name 1000000000 0}}",
        &doubling,
        &in_a_loop,
        "{{$x := pad .Name 30000000 0}}{{json $x}}{{$x}}",
    ] {
        assert!(matches!(render(template), Err(Error::TooLong { .. })), "{:.60}", template);
    }
}

#[test]
fn a_table_shares_one_limit_between_its_titles_its_rows_and_their_alignment() {
    let rows: Vec<Value> = (0..100).map(|_| value()).collect();
    for format in [
        "table {{pad \"a\" 40000000 0}}{{pad \"a\" 40000000 0}}",
        "table {{.Name}}{{pad .Name 1000000 0}}",
        "{{pad .Name 1000000 0}}",
    ] {
        let rendered = Listing::parse(format, "").unwrap().render(&rows, &[]);
        assert!(matches!(rendered, Err(Error::TooLong { .. })), "{format}");
    }
    let one_is_long = (0..5000).map(|n| json!({ "A": "x".repeat(if n == 0 { 100_000 } else { 0 }) }));
    let aligned =
        Listing::parse(r"table {{.A}}\tx", "").unwrap().render(&one_is_long.collect::<Vec<_>>(), &[]);
    assert!(matches!(aligned, Err(Error::TooLong { .. })));
}

#[test]
fn loops_in_loops_end() {
    let empty = format!("{}{}", "{{range $.List}}".repeat(40), "{{end}}".repeat(40));
    let asking =
        format!("{}{{{{if eq 1 2}}}}x{{{{end}}}}{}", "{{range $.List}}".repeat(40), "{{end}}".repeat(40));
    let comparing = format!(
        "{{{{$x := pad .Name 9000000 0}}}}{}{{{{if eq $x $x}}}}{{{{end}}}}{}",
        "{{range $.List}}".repeat(40),
        "{{end}}".repeat(40)
    );
    assert!(matches!(render(&comparing), Err(Error::TooLong { .. })));
    let many_variables = (0..5000).map(|n| format!("{{{{$v{n} := 1}}}}")).collect::<String>();
    let looking_far =
        format!("{many_variables}{}{{{{or 0 $v0}}}}{}", "{{range $.List}}".repeat(40), "{{end}}".repeat(40));
    let many_values =
        format!("{}{{{{or{}}}}}{}", "{{range $.List}}".repeat(40), " 0".repeat(10_000), "{{end}}".repeat(40));
    for template in [empty, asking, looking_far, many_values] {
        let began = Instant::now();
        assert!(matches!(render(&template), Err(Error::TooSlow { .. })));
        assert!(began.elapsed() < Duration::from_secs(30));
    }
}

#[test]
fn a_value_as_deep_as_json_may_be_is_printed() {
    let deep = "[".repeat(127) + &"]".repeat(127);
    let value: Value = serde_json::from_str(&deep).unwrap();
    let parsed = Template::parse("{{.}}{{json .}}").unwrap();
    assert_eq!(parsed.render(&value).unwrap(), format!("{deep}{deep}"));
}

#[test]
fn long_templates_take_little_time() {
    let began = Instant::now();
    let text = "é{{.Name}}\n".repeat(20_000);
    assert_eq!(render(&text).unwrap().lines().count(), 20_000);
    assert!(began.elapsed() < Duration::from_secs(10));
}
