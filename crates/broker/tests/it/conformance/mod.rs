//! What every broker must do, one named test a case and backend. Knows no backend: each brings a [`Backend`].
//!
//! `broker_conformance!(name, constructor)` expands to a module `name` with one test for each case below. A bug found
//! on one backend becomes a case here.

mod bench;
mod clock;
mod tasks;

pub(crate) mod submit;

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
