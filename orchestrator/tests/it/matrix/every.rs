//! Many disturbances of one story, and what all of them came to.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use super::{
    cell::{Came, Cell},
    story::Story,
};

/// Asked again and again until something has ended: how often is a matter of speed, so that the first few stand for all.
const POLLS: [&str; 8] = [
    "DescribeEndpoint",
    "DescribeHyperParameterTuningJob",
    "DescribeLogStreams",
    "DescribeProcessingJob",
    "DescribeTrainingJob",
    "DescribeTransformJob",
    "GetLogEvents",
    "InvokeEndpoint",
];
/// So many stand for all.
const FEW: usize = 4;

/// Every single call of the story, in one way.
pub fn call(story: &Story, way: &str) {
    let (_, calls) = story.undisturbed();
    let mut times = BTreeMap::<&str, usize>::new();
    let mut cells = Vec::new();
    for operation in calls {
        let nth = times.entry(operation).or_default();
        *nth += 1;
        if *nth <= FEW || !POLLS.contains(&operation.as_str()) {
            cells.push(Cell::new(way, operation, *nth));
        }
    }
    println!("{}, {way}: {} calls of {} operations", story.name, calls.len(), times.len());
    self::cells(story, &cells);
}

/// Every cell, two at a time; fails with all that went wrong.
pub fn cells(story: &Story, cells: &[Cell]) {
    story.undisturbed();
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = cell.disturb(story);
                    if let Err(why) = &result {
                        eprintln!("{why}");
                    }
                    results.lock().unwrap().push((cell, result));
                }
            });
        }
    });
    let results = results.into_inner().unwrap();
    let count = |wanted: fn(&Came) -> bool| results.iter().filter(|(_, r)| r.as_ref().is_ok_and(wanted)).count();
    let wrong: Vec<&String> = results.iter().filter_map(|(_, result)| result.as_ref().err()).collect();
    println!(
        "{}: {} cells: {} killed, {} went through by themselves, {} failed with a reason, {} not reached; {} left something else",
        story.name,
        results.len(),
        count(|came| *came == Came::Killed),
        count(|came| *came == Came::Through),
        count(|came| matches!(came, Came::Failed(_))),
        count(|came| *came == Came::NotReached),
        wrong.len()
    );
    for (cell, result) in &results {
        if let Ok(Came::Failed(said)) = result {
            let said = said.lines().find(|line| line.contains("error: ")).unwrap_or_default();
            println!("  {} failed by itself: {said}", cell.rule);
        }
    }
    assert!(wrong.is_empty(), "{}: {} of {} cells", story.name, wrong.len(), results.len());
}
