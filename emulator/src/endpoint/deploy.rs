//! Deployments: up beside what serves, then the requests to it as the rollout says, then the old one down; or back.

use std::sync::Arc;

use tokio::time::Instant;

use super::{
    fleet::Fleet,
    rollout::{Rollout, Waited},
};
use crate::{
    account::Account,
    logs,
    sagemaker::{Deployment, Endpoint, EndpointStatus},
};

/// Brings up what the endpoint of that name wants, in the background.
pub(crate) fn deploy(account: &Arc<Account>, name: &str) {
    if let Some(wanted) = account.endpoints.get(name).and_then(|endpoint| endpoint.wanted) {
        let (account, name) = (account.clone(), name.to_owned());
        account.clone().tasks.spawn(async move { replace(&account, &name, wanted).await });
    }
}

async fn replace(account: &Arc<Account>, name: &str, wanted: Deployment) {
    // Where it closes, the next start takes it from here.
    let Some(outcome) = Fleet::bring_up(account, name, &logs::endpoint(name), &wanted).await else { return };
    let fleet = match outcome {
        Ok(fleet) => fleet,
        Err(reason) => return give_up(account, name, reason),
    };
    let rollout = match account.endpoints.get(name).map(|endpoint| endpoint.rollout(&wanted)) {
        Some(Ok(rollout)) => rollout,
        // The request was checked; what the state folder holds may be anybody's.
        Some(Err(reason)) => {
            give_up(account, name, reason);
            return fleet.end(account.timing.instance_grace).await;
        }
        None => return fleet.end(account.timing.instance_grace).await,
    };
    match shift(account, name, &fleet, &rollout).await {
        Waited::Well => {
            let old = account.fleets.shift(name, Some(fleet));
            if old.is_some() {
                rollout.keep_old(account).await;
            }
            account.endpoints.change(name, |endpoint| {
                endpoint.deployed = endpoint.wanted.take();
                endpoint.enter(EndpointStatus::InService, None);
            });
            if let Some(old) = old {
                old.end(account.timing.instance_grace).await;
            }
        }
        Waited::RollBack(reason) => {
            account.fleets.split(name, None);
            account.endpoints.change(name, |endpoint| endpoint.enter(EndpointStatus::RollingBack, None));
            fleet.end(account.timing.instance_grace).await;
            give_up(account, name, reason);
        }
        Waited::Closing => {
            account.fleets.split(name, None);
            fleet.end(account.timing.shutdown_grace).await;
        }
    }
}

/// Gives the new fleet its share of the requests step by step, where an old one has them all.
async fn shift(account: &Arc<Account>, name: &str, fleet: &Arc<Fleet>, rollout: &Rollout) -> Waited {
    if account.endpoints.get(name).is_none_or(|endpoint| endpoint.deployed.is_none()) {
        return Waited::Well;
    }
    let deadline = rollout.limit.map(|limit| Instant::now() + limit);
    for share in &rollout.steps {
        account.fleets.split(name, Some((fleet, *share)));
        match rollout.bake(account, deadline).await {
            Waited::Well => {}
            other => return other,
        }
    }
    Waited::Well
}

/// What served before serves on; where nothing did, the endpoint has failed.
fn give_up(account: &Account, name: &str, reason: String) {
    account.endpoints.change(name, |endpoint| {
        endpoint.wanted = None;
        let serving = endpoint.deployed.is_some();
        endpoint.enter(if serving { EndpointStatus::InService } else { EndpointStatus::Failed }, Some(reason));
    });
}

/// Drains and forgets the endpoint of that name, in the background.
pub(crate) fn delete(account: &Arc<Account>, name: &str) {
    let (account, name) = (account.clone(), name.to_owned());
    account.clone().tasks.spawn(async move {
        if let Some(fleet) = account.fleets.forget(&name) {
            fleet.end(account.timing.instance_grace).await;
        }
        if let Err(e) = account.endpoints.remove(&name) {
            eprintln!("endpoint {name} cannot be removed from the state: {e}");
        }
    });
}

/// Takes up, in the background, every endpoint that an earlier run left.
pub(crate) fn restore(account: &Arc<Account>) {
    for endpoint in account.endpoints.all() {
        match (&endpoint.deployed, endpoint.status) {
            (_, EndpointStatus::Deleting) => delete(account, &endpoint.name),
            (Some(deployed), _) => {
                account.fleets.expect(&endpoint.name);
                let (account, name, deployed) = (account.clone(), endpoint.name.clone(), deployed.clone());
                account.clone().tasks.spawn(async move { start_again(&account, &name, deployed).await });
            }
            (None, EndpointStatus::Creating) => deploy(account, &endpoint.name),
            _ => {}
        }
    }
}

async fn start_again(account: &Arc<Account>, name: &str, deployed: Deployment) {
    let Some(outcome) = Fleet::bring_up(account, name, &logs::endpoint(name), &deployed).await else { return };
    match outcome {
        Ok(fleet) => {
            // An update may have been quicker: what it brought up serves.
            let current = account.endpoints.get(name).and_then(|endpoint| endpoint.deployed).map(|d| d.at);
            let superseded =
                if current == Some(deployed.at) { account.fleets.shift(name, Some(fleet)) } else { Some(fleet) };
            account.endpoints.change(name, |endpoint| match endpoint.status {
                // The update that an emulator left unfinished is over: what served before serves again.
                EndpointStatus::Updating | EndpointStatus::RollingBack
                    if endpoint.wanted.as_ref().is_some_and(|w| w.at < account.opened) =>
                {
                    endpoint.wanted = None;
                    let reason = "InternalServerError: the emulator stopped while the endpoint was updated";
                    endpoint.enter(EndpointStatus::InService, Some(reason.to_owned()));
                }
                EndpointStatus::OutOfService => endpoint.enter(EndpointStatus::InService, None),
                _ => {}
            });
            if let Some(superseded) = superseded {
                superseded.end(account.timing.instance_grace).await;
            }
        }
        Err(reason) => {
            let newer = |endpoint: &Endpoint| endpoint.wanted.as_ref().is_some_and(|w| w.at >= account.opened);
            let current = account.endpoints.get(name).filter(|e| !newer(e)).and_then(|e| e.deployed).map(|d| d.at);
            if current == Some(deployed.at) {
                account.fleets.forget(name);
                account.endpoints.change(name, |endpoint| {
                    endpoint.wanted = None;
                    endpoint.enter(EndpointStatus::OutOfService, Some(reason));
                });
            }
        }
    }
}
