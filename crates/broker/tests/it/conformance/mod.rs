//! What every broker must do, one named test a case and backend. Knows no backend: each brings a [`Backend`].
//!
//! `broker_conformance!(name, constructor)` expands to a module `name` with one test for each case below. A bug found
//! on one backend becomes a case here.

/// Expects a call to the broker to be refused with an error of this pattern.
macro_rules! assert_refused {
    ($call:expr, $error:pat $(if $condition:expr)?) => {
        match $call {
            Err($error) $(if $condition)? => {}
            other => panic!("expected {}, got {other:?}", stringify!($error)),
        }
    };
}

mod bench;
mod clock;
pub(crate) mod tasks;

pub(crate) mod cancel;
pub(crate) mod claim;
pub(crate) mod claim_wait;
pub(crate) mod complete;
pub(crate) mod delete;
pub(crate) mod ended;
pub(crate) mod events;
pub(crate) mod fail;
pub(crate) mod heartbeat;
pub(crate) mod list;
pub(crate) mod read;
pub(crate) mod reap;
pub(crate) mod registry;
pub(crate) mod release;
pub(crate) mod retry;
pub(crate) mod revoked;
pub(crate) mod stats;
pub(crate) mod submit;
pub(crate) mod workers;

pub(crate) use bench::{Backend, Bench, Opened};

/// Expands one named test for each case; `$constructor` is called to make a fresh [`Backend`] for each.
macro_rules! broker_conformance {
    ($name:ident, $constructor:expr) => {
        mod $name {
            use super::*;
            conformance_cases! { $constructor }
        }
    };
}

/// The cases by subject. A case that is missing here is dead code, and the compiler says so.
macro_rules! conformance_cases {
    ($constructor:expr) => {
        conformance_tests! { $constructor =>
            submit: {
                a_created_task_is_queued_and_as_it_was_described,
                the_same_id_again_is_the_existing_task,
                the_same_key_and_request_again_is_the_existing_task,
                the_same_key_with_another_request_is_refused,
                a_key_is_forgotten_after_its_time,
                a_key_is_free_again_once_its_task_is_deleted,
                a_full_queue_takes_no_more,
                a_full_queue_still_knows_what_it_holds,
                an_input_that_was_staged_too_long_ago_is_refused,
                of_many_at_once_with_one_id_one_creates,
                of_many_at_once_with_one_key_one_creates,
                many_at_once_never_overfill_a_queue,
            }
            claim: {
                a_claimed_task_runs_until_its_lease_expires,
                the_urgent_come_first_and_then_the_old,
                waiting_raises_a_task,
                never_more_tasks_than_free_slots,
                small_tasks_pass_those_that_do_not_fit,
                an_idle_worker_takes_one_task_of_any_size,
                queues_are_apart,
                a_delayed_task_is_due_when_it_said,
                a_start_time_in_the_past_is_now,
                a_lost_reply_asked_again_brings_the_same_leases,
                an_empty_reply_asked_again_looks_again,
                a_request_is_its_workers_own,
                claims_at_once_never_share_a_task,
            }
            claim_wait: {
                it_gives_up_when_the_wait_is_over,
                a_submission_wakes_it,
                a_follow_up_wakes_it,
                a_release_wakes_it,
                a_retry_by_hand_wakes_it,
                an_expired_lease_wakes_it,
                a_due_time_wakes_it,
                an_earlier_due_time_wakes_it,
                each_of_many_gets_a_task,
                one_that_is_dropped_takes_nothing,
                what_does_not_fit_does_not_end_it,
            }
            heartbeat: {
                it_renews_the_lease,
                it_never_goes_past_the_deadline_of_the_attempt,
                it_saves_an_expired_lease_that_nobody_reaped,
                it_answers_in_the_order_asked,
                it_renews_for_the_holder_only,
                it_reports_every_lost_lease_as_stale,
            }
            complete: {
                the_record_has_the_outputs,
                repeated_it_succeeds_and_changes_nothing,
                repeated_with_other_outputs_it_keeps_the_first,
                an_expired_lease_that_nobody_reaped_completes,
                a_lost_lease_completes_nothing,
                a_lease_that_ended_otherwise_completes_nothing,
                of_many_at_once_one_result_counts,
                either_it_or_a_cancel_at_the_same_time_counts,
                follow_ups_are_enqueued_in_the_same_step,
                follow_ups_pass_the_cap_and_come_once,
            }
            fail: {
                another_attempt_follows_after_a_backoff,
                backoffs_differ,
                the_last_attempt_makes_a_dead_letter,
                a_lasting_failure_ends_the_task_at_once,
                repeated_it_succeeds_and_burns_no_attempt,
                a_lost_lease_fails_nothing,
                a_later_success_clears_the_failure,
                follow_ups_wait_for_the_last_attempt,
            }
            release: {
                it_burns_no_attempt_and_keeps_the_place,
                its_fence_never_comes_back,
                repeated_it_succeeds_even_when_the_task_runs_again,
                a_lost_lease_releases_nothing,
            }
            reap: {
                an_expired_lease_is_taken_and_the_task_runs_again,
                a_requeued_task_keeps_its_place,
                a_crash_in_the_last_attempt_fails_the_task,
                an_attempt_past_its_deadline_timed_out,
                a_lease_in_force_is_left_alone,
                never_more_than_the_limit,
                nobody_expires_right_after_the_broker_was_away,
                who_stays_silent_after_the_broker_was_away_expires,
            }
            revoked: {
                a_cancelled_lease_is_told_to_its_worker_only,
                a_deleted_lease_is_told,
                a_reaped_lease_is_told,
                what_the_worker_gave_up_itself_is_not_told,
                a_waiting_worker_is_woken,
                it_gives_up_when_the_wait_is_over,
            }
            cancel: {
                a_queued_task_is_never_claimed,
                a_delayed_task_is_no_longer_due,
                a_running_task_loses_its_lease_at_once,
                again_it_returns_the_task_as_it_is,
                a_finished_task_is_a_conflict,
                follow_ups_come_once,
            }
            retry: {
                a_failed_task_starts_anew,
                what_has_not_failed_is_a_conflict,
            }
            delete: {
                in_every_state_a_record_goes_and_its_blobs_are_noted,
                a_running_task_loses_its_lease,
                what_was_accepted_before_cannot_be_repeated,
                done_deletions_are_forgotten,
                purge_takes_what_has_expired_and_nothing_else,
                purge_never_takes_more_than_its_limit,
                one_loop_purges_everything_that_has_expired,
                a_retried_task_no_longer_expires,
                without_retention_everything_is_kept,
            }
            read: {
                an_unknown_task_is_not_found,
                known_answers_in_the_order_asked,
                a_final_task_is_not_waited_for,
                the_wait_ends_at_completion,
                the_wait_ends_at_the_last_failure_only,
                the_wait_ends_at_a_cancel,
                the_wait_ends_at_a_delete,
                a_wait_that_is_over_returns_the_task_as_it_is,
                it_could_store_a_task,
            }
            list: {
                newest_first_in_pages,
                filters_by_state_and_queue,
                pages_are_stable_while_tasks_come_and_go,
                a_foreign_cursor_is_refused,
            }
            ended: {
                they_come_in_the_order_they_ended,
                a_task_that_is_retried_or_deleted_is_none_of_them,
            }
            stats: {
                every_state_is_counted,
                a_delayed_task_counts_as_ready_once_it_is_due,
                the_oldest_are_found,
                deletions_are_counted_until_they_are_done,
            }
            events: {
                a_life_is_told_in_order,
                pages_join_without_a_gap_or_a_repetition,
                those_of_one_task_are_read_alone,
                a_reader_at_the_end_sees_what_comes,
                a_waiting_reader_is_woken,
                a_waiting_reader_of_one_task_sees_no_other,
                it_gives_up_when_the_wait_is_over,
                a_trimmed_log_answers_gap_once,
                a_reader_that_keeps_up_sees_no_gap,
                a_foreign_cursor_is_refused,
            }
            registry: {
                what_is_put_is_got,
                every_write_has_a_version_of_its_own,
                a_version_never_comes_back,
                absent_means_nothing_or_expired,
                a_version_must_be_the_one_found,
                expired_entries_do_not_exist,
                a_write_without_a_ttl_stays,
                lists_are_ordered_and_go_on_after_a_key,
                namespaces_are_apart,
                a_delete_takes_what_it_expects_only,
                of_many_at_once_one_creates,
            }
            workers: {
                they_are_listed_until_they_end_or_fall_silent,
                the_brokers_clock_dates_what_they_say,
            }
        }
    };
}

macro_rules! conformance_tests {
    ($constructor:expr => $($subject:ident: { $($case:ident),+ $(,)? })+) => {$(
        mod $subject {
            use super::*;
            $(
                #[tokio::test]
                async fn $case() {
                    $crate::conformance::$subject::$case(Box::new($constructor())).await;
                }
            )+
        }
    )+};
}
