//! Which file systems a database may lie on: those whose locks and shared memory this machine alone looks after.

use std::path::Path;

use super::error::OpenError;

/// Magic numbers of network file systems (linux/magic.h and the file systems' own headers), with their names.
#[cfg(target_os = "linux")]
const REMOTE_MAGIC: &[(u64, &str)] = &[
    (0x6969, "nfs"),
    (0x517b, "smb"),
    (0xff53_4d42, "cifs"),
    (0xfe53_4d42, "smb2"),
    (0x0102_1997, "9p"),
    (0x00c3_6400, "ceph"),
    (0x5346_414f, "afs"),
    (0x6b41_4653, "afs"),
    (0x7375_7245, "coda"),
    (0x564c, "ncpfs"),
    (0x0bd0_0bd0, "lustre"),
    (0x1983_0326, "beegfs"),
    (0x4750_4653, "gpfs"),
    (0x0116_1970, "gfs2"),
    (0x7461_636f, "ocfs2"),
    (0x786f_4256, "vboxsf"),
];

/// What file systems in user space report; which one it is stands in the table of mounts.
#[cfg(target_os = "linux")]
const FUSE_MAGIC: u64 = 0x6573_5546;

/// File systems in user space whose bytes lie on another machine.
#[cfg(target_os = "linux")]
const REMOTE_FUSE: &[&str] = &[
    "sshfs",
    "s3fs",
    "s3ql",
    "goofys",
    "gcsfuse",
    "geesefs",
    "mount-s3",
    "mountpoint-s3",
    "blobfuse",
    "blobfuse2",
    "rclone",
    "glusterfs",
    "juicefs",
    "cephfs",
    "ceph-fuse",
    "seaweedfs",
    "davfs",
    "davfs2",
    "curlftpfs",
    "smbnetfs",
    "gvfsd-fuse",
    "grpcfuse",
    "osxfs",
];

/// Refuses a folder on a network file system.
///
/// # Errors
/// [`OpenError::NetworkFileSystem`], or [`OpenError::Io`] when the system does not tell.
#[cfg(target_os = "linux")]
pub(super) fn check(folder: &Path, database: &Path) -> Result<(), OpenError> {
    let io = |source: std::io::Error| OpenError::Io {
        action: "examine the file system of",
        path: folder.to_owned(),
        source,
    };
    let found = rustix::fs::statfs(folder).map_err(|error| io(error.into()))?;
    // The width and sign of the field depend on the machine; the magic is its low 32 bits.
    let magic = (found.f_type as u64) & 0xffff_ffff;
    let mount = if magic == FUSE_MAGIC {
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").map_err(io)?;
        let real = folder.canonicalize().map_err(io)?;
        mount_type(&mounts, &real).map(str::to_owned)
    } else {
        None
    };
    match remote_kind(magic, mount.as_deref()) {
        Some(kind) => Err(OpenError::NetworkFileSystem {
            path: database.to_owned(),
            kind,
        }),
        None => Ok(()),
    }
}

/// Knows nothing of the file systems of this platform.
#[cfg(not(target_os = "linux"))]
pub(super) fn check(_folder: &Path, _database: &Path) -> Result<(), OpenError> {
    Ok(())
}

/// The name of the network file system, when it is one.
#[cfg(target_os = "linux")]
fn remote_kind(magic: u64, mount: Option<&str>) -> Option<String> {
    if let Some((_, name)) = REMOTE_MAGIC.iter().find(|known| known.0 == magic) {
        return Some((*name).to_owned());
    }
    let fuse = mount?;
    let name = fuse.strip_prefix("fuse.").unwrap_or(fuse);
    REMOTE_FUSE.contains(&name).then(|| fuse.to_owned())
}

/// The type of the mount that `path` lies on, by the text of `/proc/self/mountinfo`.
#[cfg(target_os = "linux")]
fn mount_type<'a>(mountinfo: &'a str, path: &Path) -> Option<&'a str> {
    mountinfo
        .lines()
        .filter_map(|line| {
            // proc_pid_mountinfo(5): id parent device root mount-point options [optional...] - type source options
            let (head, tail) = line.split_once(" - ")?;
            let point = unescape(head.split(' ').nth(4)?);
            let kind = tail.split(' ').next()?;
            path.starts_with(&point).then_some((point.len(), kind))
        })
        // The last of equals hides the others.
        .max_by_key(|found| found.0)
        .map(|found| found.1)
}

/// Undoes the octal escapes of spaces and the like.
#[cfg(target_os = "linux")]
fn unescape(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (escape, plain)| text.replace(escape, plain))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    const MOUNTS: &str = "\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 22 0:50 / /mnt/far rw,nosuid shared:20 - fuse.sshfs me@host:/ rw,user_id=0
41 22 0:51 / /mnt/with\\040space rw - fuse.rclone remote: rw
42 22 8:17 / /mnt/disk rw - fuseblk /dev/sdb1 rw
";

    #[test]
    fn remote_file_systems_are_known_by_magic_or_mount() {
        let kind = |magic, path: &str| remote_kind(magic, mount_type(MOUNTS, Path::new(path)));
        assert_eq!(kind(0x6969, "/x").as_deref(), Some("nfs"));
        assert_eq!(kind(0xff53_4d42, "/x").as_deref(), Some("cifs"));
        assert_eq!(kind(0x0102_1997, "/x").as_deref(), Some("9p"));
        assert_eq!(kind(FUSE_MAGIC, "/mnt/far/data").as_deref(), Some("fuse.sshfs"));
        assert_eq!(kind(FUSE_MAGIC, "/mnt/with space/a").as_deref(), Some("fuse.rclone"));
        assert_eq!(kind(FUSE_MAGIC, "/mnt/disk/data"), None, "a local disk through FUSE");
        assert_eq!(kind(0xef53, "/home"), None, "ext4");
    }

    #[test]
    fn a_local_folder_is_accepted() {
        let folder = tempfile::tempdir().unwrap();
        check(folder.path(), &folder.path().join("pixmill.db")).unwrap();
    }
}
