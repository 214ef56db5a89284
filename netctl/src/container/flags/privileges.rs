//! Flags about what a container may do.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use runner::Privileges;

use super::Invalid;

#[derive(Debug, Args)]
#[group(skip)]
#[command(next_help_heading = "Privileges")]
pub(super) struct Flags {
    /// Let it do what root may, with every device of the host
    #[arg(long)]
    privileged: bool,
    /// Let it do more, by capabilities(7): NET_ADMIN, or ALL
    #[arg(long, value_name = "CAPABILITY")]
    cap_add: Vec<String>,
    /// Let it do less, by capabilities(7): NET_RAW, or ALL
    #[arg(long, value_name = "CAPABILITY")]
    cap_drop: Vec<String>,
    /// no-new-privileges, or seccomp=unconfined
    #[arg(long, value_name = "OPTION")]
    security_opt: Vec<String>,
    /// Let it write nothing but volumes
    #[arg(long)]
    read_only: bool,
    /// Set a kernel setting of its own namespaces
    #[arg(long, value_name = "NAME=VALUE")]
    sysctl: Vec<String>,
    /// Give it a device of the host: FROM[:TO[:rwm]]
    #[arg(long, value_name = "FROM[:TO]")]
    device: Vec<String>,
}

impl Flags {
    pub(super) fn privileges(&self) -> Result<Privileges, Invalid> {
        let mut privileges = Privileges {
            privileged: self.privileged,
            cap_add: self.cap_add.clone(),
            cap_drop: self.cap_drop.clone(),
            read_only: self.read_only,
            devices: self.device.iter().map(|text| device(text)).collect::<Result<_, _>>()?,
            ..Privileges::default()
        };
        for option in &self.security_opt {
            match option.replace(':', "=").as_str() {
                "no-new-privileges" | "no-new-privileges=true" => privileges.no_new_privileges = true,
                "no-new-privileges=false" => privileges.no_new_privileges = false,
                "seccomp=unconfined" => privileges.seccomp_unconfined = true,
                _ => {
                    let reason = "expected no-new-privileges or seccomp=unconfined";
                    return Err(Invalid::new("--security-opt", option.clone(), reason));
                }
            }
        }
        Ok(privileges)
    }

    pub(super) fn sysctl(&self) -> Result<BTreeMap<String, String>, Invalid> {
        let pair = |text: &String| match text.split_once('=') {
            Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
            _ => Err(Invalid::new("--sysctl", text.clone(), "expected NAME=VALUE")),
        };
        self.sysctl.iter().map(pair).collect()
    }
}

fn device(text: &str) -> Result<(PathBuf, PathBuf, String), Invalid> {
    let words: Vec<&str> = text.split(':').collect();
    let (from, to, access) = match words.as_slice() {
        [from] => (*from, *from, "rwm"),
        [from, second] if second.starts_with('/') => (*from, *second, "rwm"),
        [from, access] => (*from, *from, *access),
        [from, to, access] => (*from, *to, *access),
        _ => return Err(Invalid::new("--device", text, "expected FROM, FROM:TO or FROM:TO:rwm")),
    };
    if !from.starts_with('/') || !to.starts_with('/') {
        return Err(Invalid::new("--device", text, "expected absolute paths"));
    }
    Ok((from.into(), to.into(), access.to_owned()))
}
