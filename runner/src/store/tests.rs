use super::*;
use crate::scratch::{Scratch, config};

fn store(scratch: &Scratch) -> Store {
    Store::new(scratch.places())
}

#[test]
fn a_container_is_found_by_name_id_and_the_beginning_of_its_id() {
    let scratch = Scratch::new();
    let store = store(&scratch);
    let container = store.create(config("web-1", 0xa1)).unwrap();
    for wanted in ["web-1", "/web-1", "a1", "a1a1a1a1a1a1", container.id().as_str()] {
        assert_eq!(store.find(wanted).unwrap().id(), container.id(), "{wanted}");
    }
    assert_eq!(store.find("web-2").unwrap_err().hint().unwrap(), "did you mean web-1?");
    store.create(config("db", 0xa2)).unwrap();
    assert!(matches!(store.find("a").unwrap_err(), FindError::Several { .. }));
}

#[test]
fn a_name_is_given_once_and_free_when_its_container_is_gone() {
    let scratch = Scratch::new();
    let store = store(&scratch);
    let first = store.create(config("web", 1)).unwrap();
    let error = store.create(config("web", 2)).unwrap_err();
    assert_eq!(error.to_string(), format!("the name web is that of container {}", first.id().short()));
    assert_eq!(store.ids().unwrap().len(), 1);
    store.remove(&first).unwrap();
    store.remove(&first).unwrap();
    store.create(config("web", 2)).unwrap();
}

#[test]
fn a_renamed_container_leaves_its_name_to_others() {
    let scratch = Scratch::new();
    let store = store(&scratch);
    let web = store.create(config("web", 1)).unwrap();
    store.rename(&web, Name::new("old").unwrap()).unwrap();
    store.create(config("web", 2)).unwrap();
    assert_eq!(store.find("old").unwrap().id(), web.id());
    assert!(matches!(store.rename(&web, Name::new("web").unwrap()), Err(StoreError::NameTaken { .. })));
}

#[test]
fn whoever_is_killed_while_renaming_leaves_one_name_that_is_nobody_elses() {
    let scratch = Scratch::new();
    let store = store(&scratch);
    let web = store.create(config("web", 1)).unwrap();
    let link = |name: &str| store.places.names().join(name);
    // Killed after the link: it has the old name, and the new one is free.
    symlink(web.id().as_str(), link("new")).unwrap();
    assert_eq!(store.find("web").unwrap().id(), web.id());
    assert!(store.find("new").is_err());
    // Killed before the old link is removed: the other way round.
    let renamed = Config { name: Name::new("new").unwrap(), ..web.config().clone() };
    files::write(&web.folder().config(), &renamed).unwrap();
    assert_eq!(store.find("new").unwrap().id(), web.id());
    assert!(store.find("web").is_err());
    assert!(matches!(store.create(config("new", 2)), Err(StoreError::NameTaken { .. })));
    store.create(config("web", 2)).unwrap();
}

#[test]
fn who_knows_an_old_name_renames_the_container_all_the_same() {
    let scratch = Scratch::new();
    let store = store(&scratch);
    let web = store.create(config("web", 1)).unwrap();
    store.rename(&web, Name::new("one").unwrap()).unwrap();
    store.rename(&web, Name::new("two").unwrap()).unwrap();
    assert_eq!(store.find("two").unwrap().id(), web.id());
    for old in ["web", "one"] {
        assert!(store.find(old).is_err());
        assert!(fs::read_link(store.places.names().join(old)).is_err());
    }
}

#[test]
fn what_a_killed_program_left_is_in_nobodys_way() {
    let scratch = Scratch::new();
    let store = store(&scratch);
    let web = store.create(config("web", 1)).unwrap();
    // Killed before the link; killed with half a folder; killed while removing.
    fs::remove_file(store.places.names().join("web")).unwrap();
    fs::create_dir(store.places.container(&Id::from_bytes([2; 32])).path().with_extension("new")).unwrap();
    fs::create_dir(store.places.container(&Id::from_bytes([3; 32])).path().with_extension("gone")).unwrap();
    symlink(Id::from_bytes([9; 32]).as_str(), store.places.names().join("db")).unwrap();
    assert_eq!(store.find("web").unwrap().id(), web.id());
    assert!(matches!(store.create(config("web", 4)), Err(StoreError::NameTaken { .. })));
    store.create(config("db", 2)).unwrap();
    store.sweep().unwrap();
    let left: Vec<_> = fs::read_dir(store.places.containers()).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(left.iter().filter(|path| path.extension().is_some()).count(), 0, "{left:?}");
    assert_eq!(store.list().unwrap().0.len(), 2);
}

#[test]
fn a_file_that_cannot_be_understood_is_named() {
    let scratch = Scratch::new();
    let store = store(&scratch);
    let web = store.create(config("web", 1)).unwrap();
    store.create(config("db", 2)).unwrap();
    fs::write(web.folder().config(), "{").unwrap();
    let (whole, broken) = store.list().unwrap();
    assert_eq!((whole.len(), broken.len()), (1, 1));
    assert!(broken[0].to_string().starts_with("understand "), "{}", broken[0]);
}
