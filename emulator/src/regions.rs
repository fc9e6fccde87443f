//! The account's regions, told apart by what a request is signed for: names are a region's own, buckets the account's.

use std::{collections::BTreeMap, fs, io, sync::Arc};

use http::request::Parts;
use tokio::sync::Mutex;

use crate::{
    REGION, StartError,
    account::Account,
    cloudwatch, endpoint, jobs,
    route::{parameters, signed_region},
    scheduler,
};

/// Every region that something was asked of.
pub(crate) struct Regions {
    home: Arc<Account>,
    others: Mutex<BTreeMap<String, Arc<Account>>>,
}

impl Regions {
    /// The account's own region, and those that an earlier run left something in.
    pub fn open(home: Account) -> Result<Regions, StartError> {
        let mut others = BTreeMap::new();
        for region in left(&home).map_err(|e| StartError::file(&home.regions(), e))? {
            let account = begin(home.in_region(&region)?)?;
            others.insert(region, account);
        }
        Ok(Regions { home: begin(home)?, others: Mutex::new(others) })
    }

    /// What every region shares: settings, buckets, credentials.
    pub fn home(&self) -> &Arc<Account> {
        &self.home
    }

    /// The region that a request is for; one that nobody asked before is opened.
    pub async fn of(&self, head: &Parts) -> Result<Arc<Account>, StartError> {
        let query = head.uri.query().unwrap_or_default();
        let region = signed_region(&head.headers, query).or_else(|| named(query)).filter(|name| is_region(name));
        let Some(region) = region.filter(|name| name != REGION) else { return Ok(self.home.clone()) };
        let mut others = self.others.lock().await;
        if let Some(known) = others.get(&region) {
            return Ok(known.clone());
        }
        let opened = begin(self.home.in_region(&region)?)?;
        others.insert(region, opened.clone());
        Ok(opened)
    }

    /// Ends every child process of every region.
    pub async fn close(&self) {
        let others = self.others.lock().await;
        futures::future::join_all(others.values().chain([&self.home]).map(|account| async {
            let grace = account.timing.shutdown_grace;
            tokio::join!(account.tasks.close(), account.fleets.close(grace));
            // What a task brought up in the meantime.
            account.fleets.close(grace).await;
        }))
        .await;
    }
}

/// Goes on where an earlier run stopped, and begins to keep time.
fn begin(account: Account) -> Result<Arc<Account>, StartError> {
    let account = Arc::new(account);
    jobs::fail_abandoned(&account).map_err(|e| StartError::file(&account.settings.state, e))?;
    endpoint::restore(&account);
    account.tasks.spawn(scheduler::run(account.clone()));
    account.tasks.spawn(cloudwatch::run(account.clone()));
    Ok(account)
}

fn left(home: &Account) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(home.regions()) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        found.extend(entry?.file_name().into_string().ok().filter(|name| is_region(name)));
    }
    Ok(found)
}

/// The region of an ARN in an unsigned link, for instance that by which a subscription is confirmed.
fn named(query: &str) -> Option<String> {
    let arn = parameters(query).into_iter().find(|(_, value)| value.starts_with("arn:"))?.1;
    arn.split(':').nth(3).map(str::to_owned)
}

/// `eu-central-1`; what is spelled otherwise, as some clients do where it does not matter, is the account's own region.
fn is_region(name: &str) -> bool {
    let words: Vec<&str> = name.split('-').collect();
    let (number, words) = words.split_last().unwrap_or((&"", &[]));
    let lower = |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    let digits = !number.is_empty() && number.len() < 3 && number.bytes().all(|b| b.is_ascii_digit());
    (2..=4).contains(&words.len()) && words.iter().all(lower) && digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_told_by_their_spelling() {
        for (name, want) in [
            ("us-east-1", true),
            ("eu-central-1", true),
            ("us-gov-west-1", true),
            ("us-east", false),
            ("auto", false),
            ("", false),
            ("../x-1", false),
            ("EU-central-1", false),
        ] {
            assert_eq!(is_region(name), want, "{name}");
        }
    }
}
