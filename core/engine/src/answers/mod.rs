//! What the engine answers with: `rows` makes rows and details, `candidates` the labels that digits stand for, `lists`
//! runs queries, `overview` counts over the whole dataset, `pictures` decodes for the screen, `groups` and `views` answer
//! views of many samples: groups, clusters and the map. `worker_queue` is the thread that each of them has.

pub(crate) mod candidates;
pub(crate) mod groups;
pub(crate) mod internal;
pub(crate) mod list_result;
pub(crate) mod lists;
pub(crate) mod overview;
pub(crate) mod pictures;
pub(crate) mod rows;
pub(crate) mod views;
pub(crate) mod worker_queue;
