//! The `kiwi` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    kiwi_cli::main()
}
