//! The system's own reason for a failed call of SQLite, which rusqlite does not pass on.
#![expect(unsafe_code, reason = "the function exists in C only")]

use rusqlite::{Connection, ffi};
use rustix::io::Errno;

/// The error number of the connection's last failed call of the system, when there was one. It may be an old one: ask
/// only after SQLite has reported a failure of the system.
pub(super) fn last(connection: &Connection) -> Option<Errno> {
    // SAFETY: the handle is not null and valid as long as `connection` is borrowed; the function reads one integer of
    // it, and no other thread uses it meanwhile, since a `Connection` is not `Sync`.
    let number = unsafe { ffi::sqlite3_system_errno(connection.handle()) };
    (number > 0).then(|| Errno::from_raw_os_error(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_of_a_failed_open_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open_in_memory().unwrap();
        assert_eq!(last(&connection), None, "nothing has failed yet");
        let path = folder.path().join("missing").join("database");
        let attached = connection.execute("ATTACH ?1 AS other", [path.to_str().unwrap()]);
        attached.unwrap_err();
        assert_eq!(last(&connection), Some(Errno::NOENT));
    }
}
