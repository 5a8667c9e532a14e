//! Clones: what Offshoot promises of them, each promise broken by a clone that copies row by row.
//!
//! Which defect of such a clone is shown to be none here by which test:
//!
//! | a clone that copies row by row | here |
//! |---|---|
//! | serves the flags it has so far, and takes edits of them | `consistency::a_half_copied_environment_is_neither_served_nor_edited` |
//! | shows neither counts nor failures, and cannot be stopped | `answers::the_status_of_a_clone_says_everything`, `following`, `failure::a_running_clone_is_cancelled_and_its_name_is_free_again` |
//! | takes old values and new weights of a flag that changes meanwhile | `consistency::what_changes_in_the_source_after_the_request_is_not_in_the_clone` |
//! | serves flags that were deleted meanwhile | `consistency::a_feature_deleted_during_the_copy_is_not_shown_by_the_clone` |
//! | stops for ever at a feature that came between the request and the start | `side_effects::a_feature_created_before_the_first_batch_does_no_harm`; during the copy: `consistency::a_feature_created_during_the_copy_is_in_the_clone_with_its_defaults` |
//! | undoes edits of its settings when it ends | `consistency::settings_edited_before_the_copy_is_complete_survive_it` |
//! | ignores the description that it is given | `side_effects::a_clone_has_the_description_that_was_asked_for` |
//! | sets the time of its last change back, so that clients keep half of it | `consistency::the_time_of_the_last_change_never_goes_back` |
//! | is given up after a minute, while it goes on | `failure::a_clone_goes_on_by_itself_when_a_store_that_was_away_for_everything_is_back` (nothing else ends an attempt) |
//! | is retried by several at once, who die of each other | `side_effects::two_workers_at_one_clone_copy_every_batch_once`, `side_effects::of_two_retries_at_once_one_is_refused_and_no_batch_is_copied_twice` |
//! | stays half done when its process dies | `failure::a_clone_goes_on_after_a_restart_without_anyone_asking`, `crate::crash` |
//! | holds up a server that is told to stop | `resting::a_server_whose_clone_rests_stops_at_once_and_the_next_one_completes_it`, `crate::crash::stopping` |
//! | leaves half of itself behind when a synchronous one fails | `side_effects::a_synchronous_clone_that_cannot_be_recorded_leaves_nothing` |
//! | cannot be resumed or retried | `failure::a_store_that_stays_away_fails_the_attempt_and_a_retry_goes_on_with_the_failed_batch` |
//! | leaves two tasks a flag to others, who suffer from them | `side_effects::a_clone_leaves_an_event_a_batch_and_holds_up_nobody`, `failure::several_clones_take_turns_batch_by_batch` |
//! | is told in the audit log as a new environment, by nobody | `side_effects::the_audit_log_says_what_was_cloned_by_whom_and_how_much` |
//! | can be taken by who may not see the source | `answers::a_caller_needs_to_see_the_source_and_to_be_allowed_to_create` |
//! | takes a name that another environment has | `answers::a_request_that_is_wrong_is_told_which_field_and_creates_nothing` |

mod agreement;
mod answers;
mod consistency;
mod failure;
mod following;
pub mod observed;
mod resting;
mod side_effects;
mod switched;
