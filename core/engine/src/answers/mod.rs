//! The engine's answers: `rows` makes rows and details, `candidates` the labels on the digit keys, `lists` runs
//! queries, `learner` looks whether decisions teach a better order, `overview` counts over the whole dataset, `dataset` finds what is wrong with it, `outputs` describes what can be written, `pictures` decodes for the screen, with the frames of `outline`, `groups`, `search` and
//! `views` serve views of many samples: groups, hits, clusters and the map. Each runs on its own `worker_queue` thread.

pub(crate) mod candidates;
pub(crate) mod dataset;
pub(crate) mod groups;
pub(crate) mod internal;
pub(crate) mod learner;
pub(crate) mod light;
pub(crate) mod list_result;
pub(crate) mod lists;
pub(crate) mod outline;
pub(crate) mod outputs;
pub(crate) mod overview;
pub(crate) mod pictures;
pub(crate) mod rows;
pub(crate) mod search;
pub(crate) mod views;
pub(crate) mod worker_queue;
