//! Raise, lower and retire, of plugins that are ours and of others.

use std::time::Duration;

use crate::fake::{Fake, list, parse, request};
use crate::own::{Log, registry};
use cni::Reloaded::{AsItWas, PutBack};
use cni::{Failure, Reloaded};
use network::{Doing, Errors, Folder, List, Reason};
use serde_json::json;

type Plugins<'a> = &'a [(&'static str, Reloaded, &'static [&'static str])];

/// A runtime of which these plugins are its own; the others of `a`, `b` and `c` are executables.
fn with_own(plugins: Plugins<'_>) -> (Fake, &'static Log) {
    let log: &Log = Box::leak(Box::default());
    let mut fake = Fake::new();
    fake.runtime.registry = registry(log, plugins);
    (fake, log)
}

#[test]
fn plugins_of_ours_are_raised_in_order_and_lowered_in_reverse() {
    let (fake, log) = with_own(&[("a", AsItWas, &[]), ("c", PutBack, &[])]);
    let list = parse(&list("0.4.0"));
    assert_eq!(fake.runtime.raise(&list).unwrap(), PutBack);
    fake.runtime.lower(&list).unwrap();
    assert_eq!(log.names(), ["a raise", "c raise", "c lower", "a lower"]);
    assert!(fake.names().is_empty(), "b is another's");
    let (fake, _) = with_own(&[("a", AsItWas, &[])]);
    assert_eq!(fake.runtime.raise(&list).unwrap(), AsItWas);
}

#[test]
fn a_raise_that_fails_takes_away_what_it_has_just_made_and_nothing_else() {
    let (fake, log) =
        with_own(&[("a", PutBack, &["lower"]), ("b", AsItWas, &[]), ("c", AsItWas, &["raise"])]);
    let errors = fake.runtime.raise(&parse(&list("1.0.0"))).unwrap_err();
    assert_eq!(errors.iter().map(|error| error.doing).collect::<Vec<_>>(), [Doing::Raise, Doing::Lower]);
    assert_eq!(told(errors), "raise network net: c is tired; lower network net: a is tired");
    assert_eq!(log.names(), ["a raise", "b raise", "c raise", "a lower"]);
}

#[test]
fn lower_goes_on_over_errors_and_reports_all() {
    let (fake, log) =
        with_own(&[("a", PutBack, &["lower"]), ("b", PutBack, &["lower"]), ("c", PutBack, &[])]);
    let errors = fake.runtime.lower(&parse(&list("1.0.0"))).unwrap_err();
    assert_eq!(told(errors), "lower network net: b is tired; lower network net: a is tired");
    assert_eq!(log.names(), ["c lower", "b lower", "a lower"]);
}

/// Retires a network whose file is on the log, too.
fn retire(fake: &Fake, log: &Log, list: &List) -> Result<(), Errors> {
    let is_allowed = |kept: &[network::Entry]| {
        let names: Vec<_> = kept.iter().map(|entry| entry.attachment.to_string()).collect();
        log.note(&format!("kept {}", names.join(" ")));
        Ok(Vec::new())
    };
    fake.runtime.retire(list, is_allowed, || {
        log.note("finish");
        Ok(())
    })
}

#[test]
fn a_network_goes_with_everything_that_is_on_it() {
    for (version, collected) in [("1.1.0", vec!["b GC"]), ("1.0.0", vec![])] {
        let (fake, log) = with_own(&[("a", PutBack, &[]), ("c", PutBack, &[])]);
        let list = parse(&list(version));
        for container in ["one", "two"] {
            fake.runtime.add(&list, &request(container)).unwrap();
        }
        log.names();
        fake.names();
        retire(&fake, log, &list).unwrap();
        let own = ["kept one/eth0 two/eth0", "c DEL", "a DEL", "c DEL", "a DEL"].into_iter();
        // Ours also where the version has no GC.
        let own = own.chain(["a GC", "c GC", "c lower", "a lower", "finish"]);
        assert_eq!(log.names(), own.collect::<Vec<_>>(), "{version}");
        let others = ["b DEL", "b DEL"].into_iter().chain(collected);
        assert_eq!(fake.names(), others.collect::<Vec<_>>(), "{version}");
        assert!(fake.cached().is_empty());
    }
}

#[test]
fn who_is_not_allowed_to_retire_a_network_touches_nothing() {
    #[derive(Debug, thiserror::Error)]
    enum Refused {
        #[error("{0} are on it")]
        Used(usize),
        #[error(transparent)]
        Errors(#[from] Errors),
    }
    let (fake, log) = with_own(&[("a", PutBack, &[]), ("b", PutBack, &[]), ("c", PutBack, &[])]);
    let list = parse(&list("1.1.0"));
    fake.runtime.add(&list, &request("web")).unwrap();
    log.names();
    let refused = fake.runtime.retire(&list, |kept| Err(Refused::Used(kept.len())), || Ok(()));
    assert!(matches!(refused, Err(Refused::Used(1))), "{refused:?}");
    assert!(log.names().is_empty());
    assert_eq!(fake.cached(), ["net-web-eth0"]);
    let unfinished = fake.runtime.retire(&list, |_| Ok(Vec::new()), || Err(Refused::Used(7)));
    assert!(matches!(unfinished, Err(Refused::Used(7))), "{unfinished:?}");
}

#[test]
fn what_cannot_be_taken_away_keeps_the_network() {
    let (fake, log) = with_own(&[("a", PutBack, &["DEL"]), ("b", PutBack, &["GC"]), ("c", PutBack, &[])]);
    let list = parse(&list("1.1.0"));
    fake.runtime.add(&list, &request("web")).unwrap();
    log.names();
    let errors = retire(&fake, log, &list).unwrap_err();
    assert_eq!(
        told(errors),
        "remove web/eth0 from network net: call plugin \"a\": a is tired; \
         collect garbage of network net: call plugin \"b\": b is tired"
    );
    let expected = ["kept web/eth0", "c DEL", "b DEL", "a DEL", "a GC", "b GC", "c GC"];
    assert_eq!(log.names(), expected, "neither lowered nor finished");

    let (fake, log) = with_own(&[("a", PutBack, &[]), ("b", PutBack, &["lower"]), ("c", PutBack, &[])]);
    let errors = retire(&fake, log, &list).unwrap_err();
    assert_eq!(told(errors), "lower network net: b is tired");
    assert_eq!(log.names(), ["kept ", "a GC", "b GC", "c GC", "c lower", "b lower", "a lower"]);
}

#[test]
fn a_list_that_disables_gc_is_left_to_the_other_runtime() {
    let (fake, log) = with_own(&[("a", PutBack, &[]), ("b", PutBack, &[]), ("c", PutBack, &[])]);
    let mut list = list("1.1.0");
    list["disableGC"] = json!(true);
    retire(&fake, log, &parse(&list)).unwrap();
    assert_eq!(log.names(), ["kept ", "c lower", "b lower", "a lower", "finish"]);
}

/// What a person reads; an error itself stays on its thread.
fn told(errors: Errors) -> String {
    Failure::from(errors).to_string()
}

#[test]
fn an_add_that_waited_while_its_network_went_finds_out() {
    let (fake, log) = with_own(&[("a", PutBack, &[]), ("b", PutBack, &[]), ("c", PutBack, &[])]);
    let folder = std::env::temp_dir().join(format!("network-retired-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("net.conflist");
    std::fs::write(&file, list("1.1.0").to_string()).unwrap();
    let networks = Folder::new(&folder);
    let list = networks.find("net").unwrap();
    let add = || fake.runtime.add_if(&list, &request("web"), || networks.confirm(&list));
    add().unwrap();
    log.names();
    let waited = std::thread::scope(|scope| {
        let mut waiting = None;
        let finish = || {
            let told = || add().map(drop).map_err(told);
            waiting = Some(scope.spawn(told));
            std::thread::sleep(Duration::from_millis(100));
            std::fs::remove_file(&file).unwrap();
            Ok::<(), Errors>(())
        };
        fake.runtime.retire(&list, |_| Ok(Vec::new()), finish).unwrap();
        waiting.unwrap().join().unwrap()
    });
    let text = waited.unwrap_err();
    assert!(text.starts_with("add web/eth0 to network net: find network \"net\" in "), "{text}");
    assert!(!log.names().contains(&"a ADD".to_owned()));
    assert!(fake.cached().is_empty());
    let errors = fake.runtime.raise_if(&list, || networks.confirm(&list)).unwrap_err();
    assert!(told(errors).starts_with("raise network net: find network \"net\" in "));
    assert!(!log.names().contains(&"a raise".to_owned()));
    std::fs::write(&file, crate::fake::list("1.0.0").to_string()).unwrap();
    let errors = add().unwrap_err();
    assert!(matches!(errors.iter().next().unwrap().reason, Reason::Replaced));
    std::fs::remove_dir_all(&folder).unwrap();
}
