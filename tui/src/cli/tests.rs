//! The command line as a whole: that it is consistent, and that the manual says of it what is so.

use super::*;

#[test]
fn the_command_line_is_consistent() {
    command().debug_assert();
}

#[test]
fn lists_are_split_at_commas() {
    let cli = Cli::parse_from(["chaffinch", "leaks", "--train", "a", "--test", "b", "--output", "c"]);
    assert!(matches!(cli.command, Command::Leaks(_)));
}
