//! The figures of the terminal interface in their short form: what must hold on any machine, however busy.
//! The program `figures` measures times.
#![allow(clippy::print_stdout, reason = "figures are the result")]

use chaffinch_tests::figures::{ALL, Scale};
use chaffinch_tests::tools;
use std::sync::{PoisonError, RwLock};

/// Alone where bytes are counted until nothing more comes, or keys wait for their frames; beside each other where nothing is counted.
static ALONE: RwLock<()> = RwLock::new(());

fn hold(name: &str) {
    let _alone = ALONE.write().unwrap_or_else(PoisonError::into_inner);
    check(name);
}

fn hold_beside_others(name: &str) {
    let _beside = ALONE.read().unwrap_or_else(PoisonError::into_inner);
    check(name);
}

fn check(name: &str) {
    let Some((_, about, measure)) = ALL.iter().find(|figure| figure.0 == name) else {
        panic!("there is no figure '{name}'")
    };
    let report = measure(Scale { full: false });
    println!("{about}");
    report.0.iter().for_each(|number| println!("{number}"));
    assert_eq!(report.broken(), Vec::<String>::new());
}

#[test]
fn every_key_gets_its_frame_while_scans_run() {
    hold("keys");
}

#[test]
fn pictures_come_in_two_steps_and_are_true() {
    hold("pictures");
}

#[test]
fn idle_costs_nothing_and_moves_cost_little() {
    hold("bytes");
}

#[test]
fn what_was_shown_as_saved_survives_kills() {
    hold_beside_others("kills");
}

#[test]
fn a_lost_terminal_ends_the_program() {
    hold_beside_others("lost");
}

#[test]
fn tmux_is_sent_what_it_can_show_and_only_while_somebody_looks() {
    if !tools::installed(&["tmux"], "tmux") {
        return;
    }
    hold("tmux");
}

#[test]
fn a_held_key_sends_few_pictures() {
    hold("held");
}

#[test]
fn late_answers_of_twelve_terminals_reach_no_shell() {
    hold_beside_others("garbage");
}

#[test]
fn large_sessions_open_and_filter() {
    hold_beside_others("rows");
}

#[test]
fn a_decision_takes_little_more_than_one_key() {
    hold("triage");
}

#[test]
fn huge_pictures_stay_within_the_budget() {
    hold("memory");
}

#[test]
fn nothing_piles_up_while_it_is_used() {
    hold_beside_others("soak");
}

#[test]
fn decisions_are_saved_while_detectors_misbehave() {
    hold("detectors");
}

#[test]
fn dialogs_about_many_samples_keep_nothing_waiting() {
    hold("dialogs");
}
