//! Deployments: up beside what serves, then all requests at once, then the old one down.

use std::sync::Arc;

use super::fleet::Fleet;
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
    match outcome {
        Ok(fleet) => {
            let old = account.fleets.shift(name, Some(fleet));
            account.endpoints.change(name, |endpoint| {
                endpoint.deployed = endpoint.wanted.take();
                endpoint.enter(EndpointStatus::InService, None);
            });
            if let Some(old) = old {
                old.end(account.timing.instance_grace).await;
            }
        }
        Err(reason) => account.endpoints.change(name, |endpoint| {
            endpoint.wanted = None;
            let serving = endpoint.deployed.is_some();
            endpoint.enter(if serving { EndpointStatus::InService } else { EndpointStatus::Failed }, Some(reason));
        }),
    }
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
                EndpointStatus::Updating if endpoint.wanted.as_ref().is_some_and(|w| w.at < account.opened) => {
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
