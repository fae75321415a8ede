#![no_main]

use chaffinch_fuzz::targets::worker::TARGET;
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: TARGET.begin(), |bytes: &[u8]| (TARGET.run)(bytes));
