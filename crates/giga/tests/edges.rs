//! The edges of a live server: who else is on the machine, what is left behind, what comes in too large a number.
#![cfg(all(feature = "live", unix))]

#[expect(dead_code, reason = "not every test uses all of a server")]
mod live;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use live::Live;

#[test]
fn others_of_the_machine_can_not_look_in() {
    let mut live = Live::start();
    let mode = |live: &Live| fs::metadata(live.folder.path()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&live), 0o700);
    assert!(live.end("TERM"));
    // As an earlier version left it.
    fs::set_permissions(live.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    live.stop_and_start();
    assert_eq!(mode(&live), 0o700);
}
