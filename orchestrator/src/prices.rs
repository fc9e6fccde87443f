//! What an instance costs, by the price list of a day: `[[prices]]` of the settings, else `prices.toml`.

use std::{fmt, sync::LazyLock};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Hours of a month, as AWS counts them.
pub const HOURS_A_MONTH: f64 = 730.0;

/// What an instance is used for: AWS has a price for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// An endpoint.
    Hosting,
    /// A training job.
    Training,
    /// A processing job.
    Processing,
    /// A batch transform job.
    Transform,
    /// A serverless endpoint, an hour in which it computes; its memory stands for an instance type: `2048 MB`.
    Serverless,
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Purpose::Hosting => "hosting",
            Purpose::Training => "training",
            Purpose::Processing => "processing",
            Purpose::Transform => "transform",
            Purpose::Serverless => "serverless",
        })
    }
}

/// One row of a price list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// What the instance is used for.
    pub purpose: Purpose,
    /// Where.
    pub region: String,
    /// Its type.
    pub instance_type: String,
    /// USD an hour.
    pub usd_an_hour: f64,
    /// The day on which the list said so.
    pub looked_up: Date,
}

#[derive(Deserialize)]
struct List {
    prices: Vec<Price>,
}

static LIST: LazyLock<Vec<Price>> = LazyLock::new(|| {
    let list: List = toml::from_str(include_str!("prices.toml")).expect("a unit test reads the same file");
    list.prices
});

/// The price of an instance; none where no list has it.
pub fn find<'a>(own: &'a [Price], purpose: Purpose, region: &str, instance_type: &str) -> Option<&'a Price> {
    let wanted =
        |price: &&Price| price.purpose == purpose && price.region == region && price.instance_type == instance_type;
    own.iter().find(wanted).or_else(|| LIST.iter().find(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_go_before_the_list() {
        let listed = find(&[], Purpose::Hosting, "us-east-1", "ml.m5.large").expect("listed");
        // "about $80 to $170 a month": one instance that idles.
        assert!((80.0..170.0).contains(&(listed.usd_an_hour * HOURS_A_MONTH)), "{listed:?}");
        let own = [Price { usd_an_hour: 1.0, ..listed.clone() }];
        assert_eq!(find(&own, Purpose::Hosting, "us-east-1", "ml.m5.large"), Some(&own[0]));
        assert_eq!(find(&own, Purpose::Hosting, "eu-central-1", "ml.m5.large"), None);
        assert!(find(&own, Purpose::Training, "us-east-1", "ml.m5.large").is_some_and(|price| price.usd_an_hour < 1.0));
    }
}
