//! Interrupted anywhere: the orchestrator is killed after a call, or a call goes wrong; the next run ends where an
//! undisturbed one ends, with the same resources, each made once.
//!
//! By default at the calls that make something, each in one way; every call of every story in every way with `--ignored`,
//! but for the fifth and later times that the same poll is repeated:
//!
//! ```sh
//! cargo test -p orchestrator --test it matrix:: -- --ignored --nocapture --test-threads 1
//! cargo test -p orchestrator --test it matrix::a_batch::every_call_delayed -- --ignored --nocapture
//! ```

mod cell;
mod every;
mod left;
mod story;

use story::{BATCH, LOOP, SEARCH, WATCH};

use self::cell::Cell;

/// What is made is made once: every call of a story that makes something, in the way that is worst for it.
#[test]
fn what_the_loop_makes_is_made_once() {
    let cells = [
        ("CreateTrainingJob", "kill"),
        ("CreateTrainingJob", "reset-after"),
        ("CreateModelPackage", "reset-after"),
        ("CreateModelPackage", "duplicate"),
        ("UpdateModelPackage", "kill"),
        ("CreateModel", "reset-after"),
        ("CreateEndpointConfig", "kill"),
        ("CreateEndpoint", "reset-after"),
        ("CreateProcessingJob", "kill"),
        ("CreateSchedule", "reset-after"),
        ("PutObject", "throttle"),
    ];
    every::cells(&LOOP, &cells.map(|(operation, way)| Cell::new(way, operation, 1)));
}

#[test]
fn what_watches_is_made_once() {
    let cells = [
        ("CreateTopic", "reset-after"),
        ("CreateTopic", "kill"),
        ("Subscribe", "duplicate"),
        ("PutMetricAlarm", "kill"),
        ("PutMetricAlarm", "reset-after"),
        ("Publish", "reset-before"),
        ("CreateTopic", "throttle"),
    ];
    every::cells(&WATCH, &cells.map(|(operation, way)| Cell::new(way, operation, 1)));
}

#[test]
fn what_searches_and_what_transforms_is_made_once() {
    let cells = [
        ("CreateHyperParameterTuningJob", "kill"),
        ("CreateHyperParameterTuningJob", "reset-after"),
        ("CreateHyperParameterTuningJob", "duplicate"),
        ("CreateTrainingJob", "kill"),
    ];
    every::cells(&SEARCH, &cells.map(|(operation, way)| Cell::new(way, operation, 1)));
    let cells = [
        ("CreateModel", "kill"),
        ("CreateTransformJob", "kill"),
        ("CreateTransformJob", "reset-after"),
        ("CreateTransformJob", "duplicate"),
    ];
    every::cells(&BATCH, &cells.map(|(operation, way)| Cell::new(way, operation, 1)));
}

/// Every call of a story, in every way.
macro_rules! every_way {
    ($name:ident of $story:ident: $($test:ident $way:literal)*) => {
        mod $name {
            use super::{every, story};
            $(
                #[test]
                #[ignore = "minutes; see the top of this file"]
                fn $test() {
                    every::call(&story::$story, $way);
                }
            )*
        }
    };
    ($($name:ident of $story:ident)*) => {
        $(every_way! { $name of $story:
            killed_after_every_call "kill"
            every_call_throttled "throttle"
            every_call_fails "internal-error"
            every_call_unavailable "unavailable"
            every_call_delayed "delay"
            every_call_lost_on_the_way "reset-before"
            every_answer_lost "reset-after"
            every_call_delivered_twice "duplicate"
        })*
    };
}

every_way! { the_loop of LOOP a_search of SEARCH a_batch of BATCH the_watch of WATCH }
