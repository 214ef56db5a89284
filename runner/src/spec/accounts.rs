//! As whom a program runs: names of the container's own accounts, as numbers.
//!
//! The files are an image's: anything may stand in them, and the host's accounts are never asked.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use oci::User;
use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, fstat, lgetxattr, openat, openat2, statat,
};

use super::{SpecError, Surroundings};

/// No file of accounts is read further than this, in bytes.
const MOST: u64 = 4 << 20;

/// The largest number of an account. Docker's limit; to the kernel, 4294967295 means "as before", which would be root.
const LAST: u32 = i32::MAX as u32;

/// Who a program runs as.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Account {
    /// The numbers.
    pub user: User,
    /// The home folder.
    pub home: String,
}

impl Account {
    /// The account of `name|uid[:group|gid]`; nothing is root.
    ///
    /// # Errors
    /// [`SpecError::NoAccount`] of a name that is not there.
    pub fn find(text: &str, around: &Surroundings<'_>) -> Result<Self, SpecError> {
        let upper = around.folder.upper();
        let layers: Vec<&Path> =
            [upper.as_path()].into_iter().chain(around.lower.iter().map(PathBuf::as_path)).collect();
        Self::among(text, &read(&layers, "passwd")?, || read(&layers, "group"))
    }

    fn among(
        text: &str,
        users: &str,
        groups: impl Fn() -> Result<String, SpecError>,
    ) -> Result<Self, SpecError> {
        let (name, group) = match text.split_once(':') {
            Some((name, group)) => (name, Some(group).filter(|group| !group.is_empty())),
            None => (text, None),
        };
        let name = if name.is_empty() { "0" } else { name };
        let number = name.parse::<u32>().ok();
        let entry = users.lines().filter_map(Entry::of).find(|entry| entry.name == name);
        let entry =
            entry.or_else(|| users.lines().filter_map(Entry::of).find(|entry| Some(entry.uid) == number));
        let uid = match (&entry, number) {
            (Some(entry), _) => entry.uid,
            (None, Some(number)) => number,
            (None, None) => {
                return Err(SpecError::NoAccount {
                    kind: "user",
                    name: name.to_owned(),
                    file: "/etc/passwd",
                });
            }
        };
        let (gid, further) = match group {
            Some(group) => (group_number(group, &groups()?)?, Vec::new()),
            None => {
                let name = entry.as_ref().map(|entry| entry.name);
                let gid = entry.as_ref().map_or(0, |entry| entry.gid);
                (gid, if let Some(name) = name { member_of(name, &groups()?) } else { Vec::new() })
            }
        };
        for (kind, number) in
            [("user", uid), ("group", gid)].into_iter().chain(further.iter().map(|gid| ("group", *gid)))
        {
            if number > LAST {
                return Err(SpecError::AccountNumber { kind, number, last: LAST });
            }
        }
        // With its own group among them: a program that gives that up, as a set-group-ID one does, must not
        // get rid of what files forbid to the group (CVE-2022-36109).
        let additional_gids =
            [gid].into_iter().chain(further.into_iter().filter(|further| *further != gid)).collect();
        let home = entry.map(|entry| entry.home).filter(|home| !home.is_empty()).unwrap_or("/").to_owned();
        Ok(Self { user: User { uid, gid, additional_gids }, home })
    }
}

/// A line of passwd(5).
struct Entry<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

impl<'a> Entry<'a> {
    fn of(line: &'a str) -> Option<Self> {
        let mut words = line.split(':');
        let name = words.next().filter(|name| !name.is_empty())?;
        let (uid, gid) = (words.nth(1)?.parse().ok()?, words.next()?.parse().ok()?);
        Some(Self { name, uid, gid, home: words.nth(1).unwrap_or_default() })
    }
}

/// Name, number and members of a line of group(5).
fn group_of(line: &str) -> Option<(&str, u32, &str)> {
    let mut words = line.split(':');
    let name = words.next().filter(|name| !name.is_empty())?;
    Some((name, words.nth(1)?.parse().ok()?, words.next().unwrap_or_default()))
}

fn group_number(wanted: &str, groups: &str) -> Result<u32, SpecError> {
    let named = groups.lines().filter_map(group_of).find(|(name, ..)| *name == wanted).map(|(_, gid, _)| gid);
    named.or_else(|| wanted.parse().ok()).ok_or_else(|| SpecError::NoAccount {
        kind: "group",
        name: wanted.to_owned(),
        file: "/etc/group",
    })
}

fn member_of(user: &str, groups: &str) -> Vec<u32> {
    let has = |(_, gid, members): (&str, u32, &str)| {
        members.split(',').any(|member| member.trim() == user).then_some(gid)
    };
    groups.lines().filter_map(group_of).filter_map(has).collect()
}

/// `/etc/NAME` of layers that lie on one another, the topmost first: as overlayfs would show it.
fn read(layers: &[&Path], name: &str) -> Result<String, SpecError> {
    for layer in layers {
        let failed =
            |source: std::io::Error| SpecError::Accounts { path: layer.join("etc").join(name), source };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(root) = openat(CWD, *layer, flags, Mode::empty()) else { continue };
        // What is there and no folder, an upper layer's mark of removal among them, hides what is below.
        let (is_there, is_link) = match statat(&root, "etc", AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => (true, FileType::from_raw_mode(found.st_mode) == FileType::Symlink),
            Err(_) => (false, false),
        };
        let Ok(folder) = openat2(&root, "etc", flags, Mode::empty(), ResolveFlags::IN_ROOT) else {
            if is_there {
                break;
            }
            continue;
        };
        match statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            // overlayfs marks what an upper layer removed by such a device.
            Ok(found) if FileType::from_raw_mode(found.st_mode) == FileType::CharacterDevice => {
                return Ok(String::new());
            }
            Ok(_) => {
                let path = Path::new("etc").join(name);
                // Nothing that waits, and nothing outside the layer.
                let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
                let file = match openat2(&root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT) {
                    Err(rustix::io::Errno::NOENT) => return Ok(String::new()),
                    file => file.map_err(|error| failed(error.into()))?,
                };
                let kind = fstat(&file).map_err(|error| failed(error.into()))?.st_mode;
                if FileType::from_raw_mode(kind) != FileType::RegularFile {
                    return Err(failed(ErrorKind::InvalidData.into()));
                }
                let mut bytes = Vec::new();
                File::from(file).take(MOST).read_to_end(&mut bytes).map_err(failed)?;
                return Ok(String::from_utf8_lossy(&bytes).into_owned());
            }
            Err(_) => {}
        }
        // A folder that hides what is below it.
        let opaque = lgetxattr(layer.join("etc"), "trusted.overlay.opaque", &mut [0_u8; 1][..]);
        if is_link || opaque.is_ok_and(|length| length == 1) {
            break;
        }
    }
    Ok(String::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    const USERS: &str = "root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1001::/srv:/bin/sh\nbroken\n:x:1:1::/:\n7:x:5:6::/seven:\n";
    const GROUPS: &str = "root:x:0:\nwww:x:1001:\nstaff:x:50:web,other\nwheel:x:10:root, web\n";

    fn find(text: &str) -> Result<Account, String> {
        Account::among(text, USERS, || Ok(GROUPS.to_owned())).map_err(|error| error.to_string())
    }

    fn account(uid: u32, gid: u32, further: &[u32], home: &str) -> Account {
        Account { user: User { uid, gid, additional_gids: further.to_vec() }, home: home.to_owned() }
    }

    #[test]
    fn a_user_is_found_by_name_and_by_number() {
        assert_eq!(find(""), Ok(account(0, 0, &[0, 10], "/root")));
        assert_eq!(find("web"), Ok(account(1000, 1001, &[1001, 50, 10], "/srv")));
        assert_eq!(find("1000"), Ok(account(1000, 1001, &[1001, 50, 10], "/srv")));
        assert_eq!(find("4711"), Ok(account(4711, 0, &[0], "/")));
    }

    #[test]
    fn a_name_of_digits_is_a_name_first() {
        assert_eq!(find("7"), Ok(account(5, 6, &[6], "/seven")));
    }

    #[test]
    fn a_group_that_is_named_is_the_only_one() {
        assert_eq!(find("web:staff"), Ok(account(1000, 50, &[50], "/srv")));
        assert_eq!(find("web:99"), Ok(account(1000, 99, &[99], "/srv")));
        assert_eq!(find("1000:"), Ok(account(1000, 1001, &[1001, 50, 10], "/srv")));
    }

    #[test]
    fn numbers_that_the_kernel_takes_for_none_are_refused() {
        for (text, kind) in [("4294967295", "user"), ("5:4294967295", "group"), ("2147483648", "user")] {
            let said = find(text).expect_err(text);
            assert!(said.contains(kind) && said.contains("2147483647"), "{said}");
        }
        let users = "evil:x:4294967295:0::/:\n";
        assert!(Account::among("evil", users, || Ok(String::new())).is_err());
        let groups = "some:x:4294967295:evil\n";
        let member = Account::among("evil", "evil:x:5:5::/:\n", || Ok(groups.to_owned()));
        assert!(member.is_err());
    }

    #[test]
    fn a_folder_that_an_upper_layer_hides_is_not_read() {
        let scratch = crate::scratch::Scratch::new();
        let (upper, lower) = (scratch.path().join("upper"), scratch.path().join("lower"));
        std::fs::create_dir_all(&upper).expect("a folder");
        std::fs::create_dir_all(lower.join("etc")).expect("a folder");
        std::fs::write(lower.join("etc/passwd"), USERS).expect("a file");
        let layers = [upper.as_path(), lower.as_path()];
        assert_eq!(read(&layers, "passwd").expect("accounts"), USERS);
        std::fs::write(upper.join("etc"), "a file").expect("a file");
        assert_eq!(read(&layers, "passwd").expect("accounts"), "");
    }

    #[test]
    fn who_is_not_there_is_told_by_kind_and_file() {
        assert_eq!(
            find("nobody"),
            Err("--user: no user \"nobody\" in the container's /etc/passwd".to_owned())
        );
        assert_eq!(find("web:x"), Err("--user: no group \"x\" in the container's /etc/group".to_owned()));
    }
}
