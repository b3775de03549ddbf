//! Every test that is a row or a folder of data, in one program: each is a test of its own.
//!
//! `cargo test --test cases -- FILTER` runs those whose name holds the filter. A case folder's name is its path
//! below `testdata`; the others have the name of the file that makes them in front (`[flows] …`, `[traces] …`).
//! A new case is a new folder or row; see the file that reads it.

mod cilium;
mod container;
mod envsubst;
mod findings;
mod flows;
mod folders;
mod overlays;
mod recorded;
mod rewrite;
mod traces;

use std::process::ExitCode;

use libtest_mimic::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = folders::trials();
    let named = [
        ("cilium", cilium::trials()),
        ("container", container::trials()),
        ("envsubst", envsubst::trials()),
        ("findings", findings::trials()),
        ("flows", flows::trials()),
        ("overlays", overlays::trials()),
        ("recorded", recorded::trials()),
        ("rewrite", rewrite::trials()),
        ("traces", traces::trials()),
    ];
    for (file, of_file) in named {
        trials.extend(of_file.into_iter().map(|trial| trial.with_kind(file)));
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}
