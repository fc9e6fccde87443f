//! `[regions]`: where else the endpoint serves, and how long a wave is watched before the next.

use serde::Deserialize;

/// `[regions]`; without waves the endpoint serves in one region.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Regions {
    /// Further regions, wave after wave; the settings' own comes first, by itself.
    pub waves: Vec<Vec<String>>,
    /// Minutes that a wave must stay healthy before the next begins.
    pub healthy_minutes: f64,
}

impl Default for Regions {
    fn default() -> Self {
        Regions { waves: Vec::new(), healthy_minutes: 10.0 }
    }
}

impl Regions {
    /// The key and what is wrong with it.
    pub fn check(&self, own: Option<&str>) -> Result<(), (&'static str, String, &'static str)> {
        if !(0.0..=10_080.0).contains(&self.healthy_minutes) {
            return Err(("regions.healthy_minutes", self.healthy_minutes.to_string(), "0 to a week's 10080"));
        }
        let mut seen: Vec<&str> = own.into_iter().collect();
        for wave in &self.waves {
            if wave.is_empty() {
                return Err(("regions.waves", "[]".into(), "at least one region in each wave"));
            }
            for region in wave {
                let spelled = region.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
                if !spelled || region.split('-').count() < 3 {
                    return Err(("regions.waves", format!("{region:?}"), "names of AWS regions, as \"eu-central-1\""));
                }
                if seen.contains(&region.as_str()) {
                    let expected = "each region once, and the settings' own not at all: it is the first by itself";
                    return Err(("regions.waves", format!("{region:?}"), expected));
                }
                seen.push(region);
            }
        }
        Ok(())
    }
}
