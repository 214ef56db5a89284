//! Lines and tables of rows.

use crate::Listing;
use serde_json::{Value, json};

const STANDARD: &str = r"{{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}";

fn rows() -> [Value; 2] {
    [
        json!({
            "ID": "4d6f8a5e1c2b", "Name": "backend-network", "Driver": "bridge", "Scope": "local",
            "CreatedAt": "2024-01-02", "Internal": false, "IPv6": true, "Label": { "com.example.cost-center": "7" },
            "Ports": [80, 443],
        }),
        json!({
            "ID": "0c1d2e3f4a5b", "Name": "none", "Driver": "null", "Scope": "local",
            "CreatedAt": "2023-12-31", "Internal": true, "IPv6": false, "Label": {},
            "Ports": [],
        }),
    ]
}

fn list(format: &str) -> String {
    let listing = Listing::parse(format, STANDARD).unwrap_or_else(|error| panic!("{format}: {error}"));
    listing.render(&rows(), &[("ID", "NETWORK ID")]).unwrap_or_else(|error| panic!("{format}: {error}"))
}

#[test]
fn a_template_makes_a_line_for_each_row() {
    assert_eq!(list(r"{{.Name}}\t{{.Driver}}"), "backend-network\tbridge\nnone\tnull\n");
    assert_eq!(list("  {{.ID}}: {{.Driver}} "), "4d6f8a5e1c2b: bridge\n0c1d2e3f4a5b: null\n");
    assert_eq!(list("tables of {{.Name}}"), "tables of backend-network\ntables of none\n");
}

#[test]
fn json_makes_an_object_of_each_row() {
    let text = list("json");
    let read: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, rows());
}

#[test]
fn table_alone_is_the_commands_own_table() {
    let table = "NETWORK ID     NAME              DRIVER    SCOPE\n\
                 4d6f8a5e1c2b   backend-network   bridge    local\n\
                 0c1d2e3f4a5b   none              null      local\n";
    assert_eq!(list("table"), table);
    assert_eq!(list(r"table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}"), table);
    assert_eq!(list(r#"table {{.ID}}{{"\t"}}{{.Name}}{{"\t"}}{{.Driver}}{{"\t"}}{{.Scope}}"#), table);
}

#[test]
fn titles_are_the_names_of_the_fields_whatever_is_done_to_them() {
    let title = |format: &str| list(format).lines().next().map(str::to_owned).unwrap_or_default();
    for (format, expected) in [
        ("table {{.CreatedAt}}", "CREATED AT"),
        ("table{{.IPv6}}", "IPV6"),
        ("table {{upper .Name}}", "NAME"),
        ("table {{.ID | printf \"%s!\"}}", "NETWORK ID"),
        ("table {{join (split .Name \"-\") \"/\"}}", "NAME"),
        ("table {{if .Internal}}yes{{else}}no{{end}}", "INTERNAL"),
        ("table {{range $p := .Ports}}{{$p}} {{end}}", "PORTS"),
        ("table {{$n := .Name}}{{$n}}", "NAME"),
        ("table {{.Label \"com.example.cost-center\"}}", "cost center"),
        ("table {{.Name}} ({{.Driver}})", "NAME (DRIVER)"),
        ("table {{json .}}|", "|"),
        ("table {{printf \"%s-\" \"a\"}}{{.Name}}", "a-NAME"),
    ] {
        assert_eq!(title(format), expected, "{format}");
    }
}

#[test]
fn a_table_without_rows_has_its_titles() {
    let listing = Listing::parse("table", STANDARD).unwrap();
    assert_eq!(listing.render(&[], &[]).unwrap(), "ID        NAME      DRIVER    SCOPE\n");
    let lines = Listing::parse("{{.Name}}", STANDARD).unwrap();
    assert_eq!(lines.render(&[], &[]).unwrap(), "");
}

#[test]
fn errors_count_columns_in_what_was_written() {
    for (format, column) in
        [("table {{.Nmae}}", 9), ("  {{.Nmae}}", 5), (r"\t{{.Nmae}}", 5), ("table\n{{.Nmae}}", 3)]
    {
        let error = Listing::parse(format, STANDARD).unwrap().render(&rows(), &[]).unwrap_err();
        assert!(error.to_string().contains(&format!("column {column}: no field .Nmae")), "{format}: {error}");
    }
    let error = Listing::parse("table {{uper .Name}}", STANDARD).unwrap_err();
    assert_eq!(error.to_string(), "template: column 9: no function uper: did you mean upper?");
}
