//! Misuse that bypasses the safe half of the contract: null pointers, wrong lengths, unknown numbers.
#![cfg(feature = "testing")]
#![allow(unsafe_code)] // Calls the host's table by hand.

use chaffinch_plugin::abi::*;
use chaffinch_plugin::prelude::*;
use chaffinch_plugin::testing::MemoryHost;
use std::ptr::{null, null_mut};

/// Declares the parameters and needs for the raw calls.
struct Declared;

impl Detector for Declared {
    const INFO: Info = Info::new("declared", "Asks by hand").needs(
        Needs::EMBEDDINGS.and(Needs::NEIGHBORS).and(Needs::TEXTS).and(Needs::HASHES).and(Needs::PIXELS),
    );

    fn detect(&self, _: &View<'_>, _: &Report<'_>) -> Result<()> {
        Ok(())
    }
}

fn host() -> MemoryHost {
    MemoryHost::new()
        .classes(&["cat", "dog"])
        .labels(&[0, 1, 0])
        .decodable(&[true, true, false])
        .embeddings(&[1.0, 0.0, 0.0, 1.0, 0.0, 0.0], 2)
        .hashes(&[1, 2, 3], &[1, 2, 3])
        .texts(|text| if text == "panic" { panic!("the model fell over") } else { Some(vec![1.0, 0.0]) })
}

/// How a call ended, and what the host says of it. Only for calls that have just been made.
fn said(table: &HostTable, status: Status) -> (Status, String) {
    // SAFETY: the table is that of a run that goes on; the sentence is copied.
    (status, unsafe { (table.message)(table.ctx).as_str().to_owned() })
}

#[test]
fn null_pointers_and_wrong_lengths_are_refused() {
    let outcome = host().run_by_hand(&Declared, |table| {
        let ctx = table.ctx;
        let null_pointer = (Status::ERROR, "the detector passed a null pointer".to_owned());
        // SAFETY: the table is valid during this call; null is what is tried, and lengths are those of the buffers.
        unsafe {
            assert_eq!(said(table, (table.dataset)(ctx, null_mut())), null_pointer);
            assert_eq!(said(table, (table.embeddings)(ctx, null_mut())), null_pointer);
            assert_eq!(said(table, (table.neighbors)(ctx, 1, null_mut())), null_pointer);
            assert_eq!(said(table, (table.hashes)(ctx, 0, null_mut())), null_pointer);
            assert_eq!(said(table, (table.kept)(ctx, Str::new("a"), 0, null_mut())), null_pointer);
            assert_eq!(
                said(table, (table.keep)(ctx, Str::new("a"), Slice::new(b"x"), null_mut())),
                null_pointer
            );
            let mut dim = 0;
            assert_eq!(said(table, (table.model)(ctx, &raw mut dim, null_mut())), null_pointer);

            let mut short = [0.0; 2];
            let texts = [Str::new("a"), Str::new("b")];
            let status = (table.embed_texts)(ctx, Slice::new(&texts), short.as_mut_ptr(), 2);
            assert_eq!(said(table, status).1, "the detector's buffer holds 2 numbers but needs 4");
            let status = (table.block)(ctx, Slice::new(&[0]), Slice::new(&[1]), null_mut(), 1);
            assert_eq!(said(table, status).1, "the detector's buffer holds 1 numbers but needs 1");
            let status = (table.similarities)(ctx, null(), 1, short.as_mut_ptr(), 2);
            assert_eq!(said(table, status).1, "the detector passed 0 numbers instead of 1 vectors of 2");
            let status = (table.similarities)(ctx, short.as_ptr(), usize::MAX, short.as_mut_ptr(), 2);
            assert_eq!(said(table, status).1, "too many vectors");
        }
        Status::OK
    });
    assert_eq!(outcome.error, None);
}

#[test]
fn unknown_numbers_are_refused() {
    let outcome = host().run_by_hand(&Declared, |table| {
        let (mut hashes, mut pairs) = (Slice::empty(), Slice::empty());
        // SAFETY: the table is valid during this call, and so is what is passed.
        unsafe {
            let status = (table.hashes)(table.ctx, 3, &raw mut hashes);
            assert_eq!(said(table, status).1, "there is no perceptual hash of kind 3");
            let status = (table.near_hashes)(table.ctx, 0, 17, &raw mut pairs);
            assert_eq!(said(table, status).1, "the radius 17 is too large; use at most 16 bits");
        }
        Status(77)
    });
    assert_eq!(outcome.error.as_deref(), Some("returned the unknown status 77"));
}

/// A status that is only passed on has the message of what it was the answer to.
#[test]
fn what_was_refused_is_said_of_a_detector_that_says_nothing() {
    for (passed, status) in [(true, Status::ERROR), (true, Status::MISSING), (false, Status::ERROR)] {
        let outcome = host().run_by_hand(&Declared, |table| {
            let mut hashes = Slice::empty();
            if passed {
                // SAFETY: the table is valid during this call, and so is what is passed.
                let answered = unsafe { (table.hashes)(table.ctx, 3, &raw mut hashes) };
                assert_eq!(answered, Status::ERROR);
            }
            status
        });
        let error = outcome.error.unwrap();
        assert_eq!(error.contains("there is no perceptual hash of kind 3"), passed, "{error}");
        assert!(error.starts_with("failed without an error message"), "{error}");
    }
}

#[test]
fn a_panic_of_the_host_is_a_status() {
    let outcome = host().run_by_hand(&Declared, |table| {
        let (texts, mut out) = ([Str::new("panic")], [0.0; 2]);
        // SAFETY: the table is valid during this call, and so is what is passed.
        let status = unsafe { (table.embed_texts)(table.ctx, Slice::new(&texts), out.as_mut_ptr(), 2) };
        assert_eq!(
            said(table, status),
            (Status::ERROR, "the host panicked while serving a detector: the model fell over".to_owned())
        );
        Status::ERROR
    });
    assert_eq!(outcome.error.as_deref(), Some("failed without an error message"));
}

#[test]
fn a_score_that_is_none_and_a_null_issue_refuse_the_report() {
    let issue = IssueRecord {
        sample: 0,
        score: f32::NAN,
        suggested: u32::MAX,
        group: u32::MAX,
        related: Slice::empty(),
        reason: Str::new(""),
    };
    for (record, reason) in [
        (null(), "wrote a null issue"),
        (&raw const issue, "gives sample 0 the score NaN, which is not between 0 and 1"),
    ] {
        let outcome = host().run_by_hand(&Declared, |table| {
            // SAFETY: the table is valid during this call; the record is null or outlives it.
            unsafe { (table.issue)(table.ctx, record) };
            Status::OK
        });
        assert_eq!(outcome.error.as_deref(), Some(reason));
    }
}

#[test]
fn missing_neighbors_are_padded_as_the_contract_says() {
    host().run_by_hand(&Declared, |table| {
        let mut lists = NeighborsTable { indices: Slice::empty(), similarities: Slice::empty(), k: 0 };
        // SAFETY: the table is valid during this call; what it lends lives as long.
        let (indices, similarities) = unsafe {
            assert_eq!((table.neighbors)(table.ctx, 2, &raw mut lists), Status::OK);
            (lists.indices.as_slice(), lists.similarities.as_slice())
        };
        // Two samples are each other's only neighbors, and the third cannot be decoded.
        assert_eq!(indices, [1, u32::MAX, 0, u32::MAX, u32::MAX, u32::MAX]);
        assert_eq!(similarities, [0.0, -1.0, 0.0, -1.0, -1.0, -1.0]);
        Status::OK
    });
}

/// A detector of this version, as a library exports it.
struct Today;

impl Detector for Today {
    const INFO: Info = Info::new("today", "Uses what there is today")
        .needs(Needs::EMBEDDINGS.and(Needs::NEIGHBORS).and(Needs::HASHES))
        .columns(const { &[Str::new("label")] });

    fn detect(&self, view: &View<'_>, report: &Report<'_>) -> Result<()> {
        let (nearest, hashes) = (view.neighbors(1)?, view.hashes(HashKind::Phash)?);
        let labels = view.column("label")?;
        report.note("saw", &format!("{} {} {:?}", nearest.k(), hashes.len(), labels))?;
        report.attribute("first", "", &[1.0, 0.0, 0.5])?;
        report.finding(Severity::Info, "all is well", &[0])?;
        report.regions(1, &[Region::new(0.0, 0.0, 0.5, 1.0).label("left")])?;
        report.scores(&[0.25, 0.75, 0.5])
    }
}

export_detector!(Today);

unsafe extern "C" {
    /// What the macro above exports.
    static CHAFFINCH_PLUGIN: PluginTable;
}

/// The table of a later version: a service has been appended.
#[repr(C)]
struct Later {
    table: HostTable,
    added: unsafe extern "C" fn(*mut std::ffi::c_void) -> Status,
}

unsafe extern "C" fn added(_: *mut std::ffi::c_void) -> Status {
    Status::ERROR
}

#[test]
fn a_detector_of_this_version_works_after_an_addition() {
    // SAFETY: the static is of this very program, and its function is a detector's.
    let run = unsafe { CHAFFINCH_PLUGIN.detectors.as_slice() }[0].run.unwrap();
    let now = host().run(&Today);
    let later = host().run_by_hand(&Today, |table| {
        // As the host does: the version is that of the detector.
        let later = Later { table: HostTable { size: size_of::<Later>() as u32, ..*table }, added };
        // SAFETY: the table is complete and lives until the function returns.
        unsafe { run(&raw const later.table) }
    });
    assert_eq!(now.error, None);
    assert_eq!(now.scores, [Some(0.25), Some(0.75), None]);
    assert_eq!(format!("{now:?}"), format!("{later:?}"));
}
