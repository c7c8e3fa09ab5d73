//! Where the cgroups of runs are made: in the part of the hierarchy that is the server's own.

#![expect(
    clippy::disallowed_methods,
    reason = "the kernel tells of cgroups in files"
)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use thiserror::Error;

use super::cgroup::Cgroup;
use super::identity::{Identity, boot_id};

/// The cgroup, below that of the server, in which those of the runs are.
const NAME: &str = "jobwright";

/// A place for the cgroups of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cgroups {
    /// The folder in which each run has one.
    pub base: PathBuf,
    /// That of the server, where supervisors stay.
    pub home: PathBuf,
}

/// Why runs cannot have cgroups.
#[derive(Debug, Error)]
pub enum NoCgroups {
    /// The kernel or the container shows none.
    #[error("no cgroup2 file system is mounted that shows the server's own cgroup")]
    NotMounted,
    /// They may not be made, or nothing may be moved into them.
    #[error("{}: {source}", path.display())]
    NotWritable {
        /// What.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Processes cannot be in the cgroups that would be made.
    #[error("{} is a cgroup of the type \"{kind}\"", path.display())]
    Type {
        /// Which.
        path: PathBuf,
        /// What the kernel says.
        kind: String,
    },
}

impl Cgroups {
    /// The place `named`, or else one below the server's own cgroup; it is made when it is not there.
    pub fn find(named: Option<&Path>) -> Result<Self, NoCgroups> {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let home = own(&read("/proc/self/mountinfo"), &read("/proc/self/cgroup"));
        let home = home.ok_or(NoCgroups::NotMounted)?;
        let base = named.map_or_else(|| home.join(NAME), Path::to_owned);
        let found = Self { base, home };
        found.check()?;
        Ok(found)
    }

    /// Moving a process takes the right to write to where it comes from, goes to, and to what both
    /// are below.
    fn check(&self) -> Result<(), NoCgroups> {
        let refused = |path: &Path, source: io::Error| NoCgroups::NotWritable {
            path: path.to_owned(),
            source,
        };
        match fs::create_dir(&self.base) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(refused(&self.base, error));
            }
            Ok(()) | Err(_) => {}
        }
        for folder in [&self.base, &self.home] {
            let list = folder.join("cgroup.procs");
            access(&list, Access::WRITE_OK).map_err(|error| refused(&list, error.into()))?;
        }
        // The root of the hierarchy has no type, and is as good as any.
        let kind = fs::read_to_string(self.base.join("cgroup.type")).unwrap_or_default();
        match kind.trim() {
            "" | "domain" => Ok(()),
            kind => Err(NoCgroups::Type {
                path: self.base.clone(),
                kind: kind.to_owned(),
            }),
        }
    }

    /// The cgroup of the run that `supervisor` holds: no other one of this boot had its name.
    pub fn of(&self, supervisor: &Identity) -> Cgroup {
        let name = format!("{}-{}", supervisor.pid, supervisor.started);
        Cgroup::new(self.base.join(name))
    }

    /// Removes those that are empty and whose supervisors are gone, whichever server made them.
    pub fn sweep(&self) {
        let Ok(boot_id) = boot_id() else { return };
        for entry in fs::read_dir(&self.base).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let Some(identity) = name.to_str().and_then(|name| identity(name, &boot_id)) else {
                continue;
            };
            let cgroup = self.of(&identity);
            if !identity.is_alive() && !cgroup.is_populated() {
                // Another server may be doing the same.
                cgroup.remove().ok();
            }
        }
    }
}

/// The supervisor that a cgroup is named after.
fn identity(name: &str, boot_id: &str) -> Option<Identity> {
    let (pid, started) = name.split_once('-')?;
    Some(Identity {
        pid: pid.parse().ok()?,
        started: started.parse().ok()?,
        boot_id: boot_id.to_owned(),
    })
}

/// The folder of the cgroup that `cgroup` (`/proc/self/cgroup`) names in the second hierarchy, as
/// `mountinfo` shows it: what is mounted may be a part of it.
fn own(mountinfo: &str, cgroup: &str) -> Option<PathBuf> {
    let path = cgroup.lines().find_map(|line| line.strip_prefix("0::"))?;
    let shown = |line: &str| {
        let (mount, kind) = line.split_once(" - ")?;
        let mut fields = mount.split(' ').skip(3).map(unescaped);
        let (root, at) = (fields.next()?, fields.next()?);
        let inside = Path::new(path).strip_prefix(&root).ok()?;
        let is_second = kind.split(' ').next() == Some("cgroup2");
        is_second.then(|| Path::new(&at).join(inside))
    };
    mountinfo.lines().find_map(shown)
}

/// A field of mountinfo, where what would end it stands as `\` with three octal digits.
fn unescaped(field: &str) -> String {
    let mut text = String::with_capacity(field.len());
    let mut rest = field;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        let code = after.get(..3).map(|code| u8::from_str_radix(code, 8));
        match code {
            Some(Ok(byte)) => text.push(char::from(byte)),
            Some(Err(_)) | None => return text,
        }
        rest = after.get(3..).unwrap_or_default();
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_own_cgroup_is_found_however_it_is_mounted() {
        let check = |mountinfo: &str, cgroup: &str, expected: Option<&str>| {
            let found = own(mountinfo, cgroup);
            assert_eq!(
                found.as_deref(),
                expected.map(Path::new),
                "{mountinfo} {cgroup}"
            );
        };
        let pure = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate";
        let service = "0::/system.slice/jobwright.service\n";
        let expected = "/sys/fs/cgroup/system.slice/jobwright.service";
        check(pure, service, Some(expected));
        let hybrid = "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n\
                      41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw";
        let cgroup = "1:cpu:/\n0::/\n";
        check(hybrid, cgroup, Some("/sys/fs/cgroup/unified/"));
        let part = "30 23 0:26 /docker/1 /cg\\040v2 rw - cgroup2 cgroup rw";
        check(part, "0::/docker/1/init", Some("/cg v2/init"));
        check(part, "0::/docker/11", None);
        check(hybrid, "1:cpu:/\n", None);
        check("32 31 0:29 / /x rw - cgroup cgroup rw,cpu", cgroup, None);
        check("", cgroup, None);
    }

    #[test]
    fn what_cannot_be_used_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = folder.path().join("a/b");
        let files = Cgroups {
            base: folder.path().to_owned(),
            home: folder.path().to_owned(),
        };
        let nowhere = Cgroups {
            base: missing.clone(),
            ..files.clone()
        };
        let told = |cgroups: &Cgroups| cgroups.check().expect_err("is no cgroup").to_string();
        assert!(told(&nowhere).starts_with(&missing.display().to_string()));
        assert!(told(&files).contains("cgroup.procs: "), "{}", told(&files));
        fs::write(folder.path().join("cgroup.procs"), "").expect("is written");
        fs::write(folder.path().join("cgroup.type"), "threaded\n").expect("is written");
        assert!(told(&files).ends_with("is a cgroup of the type \"threaded\""));
        fs::write(folder.path().join("cgroup.type"), "domain\n").expect("is written");
        assert!(files.check().is_ok());
    }

    #[test]
    fn the_sweep_takes_only_what_nobody_needs() {
        let folder = tempfile::tempdir().expect("a folder");
        let cgroups = Cgroups {
            base: folder.path().to_owned(),
            home: folder.path().to_owned(),
        };
        let own = Identity::of(i32::try_from(std::process::id()).expect("a pid")).expect("lives");
        let gone = Identity {
            started: own.started + 1,
            ..own.clone()
        };
        let others = folder.path().join("machine-1");
        fs::create_dir(&others).expect("is made");
        for identity in [&own, &gone] {
            cgroups.of(identity).make().expect("is made");
        }
        cgroups.sweep();
        assert!(cgroups.of(&own).folder().exists() && others.exists());
        assert!(!cgroups.of(&gone).folder().exists());
    }
}
