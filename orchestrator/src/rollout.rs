//! A deployment config out of the settings.

use aws_sdk_sagemaker::types::{
    Alarm, AutoRollbackConfig, BlueGreenUpdatePolicy, CapacitySize, CapacitySizeType, DeploymentConfig,
    RollingUpdatePolicy, TrafficRoutingConfig, TrafficRoutingConfigType,
};

use crate::settings::{Rollout, Shift};

/// What an update is to be done like; none where nothing is set that AWS would not do anyway.
pub fn config(rollout: &Rollout) -> Option<DeploymentConfig> {
    if *rollout == Rollout::default() {
        return None;
    }
    let share = CapacitySize::builder().r#type(CapacitySizeType::CapacityPercent).value(rollout.step_percent).build();
    let mut config = DeploymentConfig::builder();
    if rollout.shift == Shift::Rolling {
        let policy =
            RollingUpdatePolicy::builder().maximum_batch_size(share).wait_interval_in_seconds(rollout.wait_seconds);
        config = config.rolling_update_policy(policy.build());
    } else {
        let routing = TrafficRoutingConfig::builder().wait_interval_in_seconds(rollout.wait_seconds);
        let routing = match rollout.shift {
            Shift::Canary => routing.r#type(TrafficRoutingConfigType::Canary).canary_size(share),
            Shift::Linear => routing.r#type(TrafficRoutingConfigType::Linear).linear_step_size(share),
            Shift::AllAtOnce | Shift::Rolling => routing.r#type(TrafficRoutingConfigType::AllAtOnce),
        };
        let policy = BlueGreenUpdatePolicy::builder()
            .traffic_routing_configuration(routing.build())
            .termination_wait_in_seconds(rollout.termination_wait_seconds);
        config = config.blue_green_update_policy(policy.build());
    }
    if !rollout.rollback_alarms.is_empty() {
        let alarms = rollout.rollback_alarms.iter().map(|name| Alarm::builder().alarm_name(name).build()).collect();
        config = config.auto_rollback_configuration(AutoRollbackConfig::builder().set_alarms(Some(alarms)).build());
    }
    Some(config.build())
}

/// How long the waits of an update take, all in all, minutes.
pub fn minutes(rollout: &Rollout) -> i32 {
    let steps = match rollout.shift {
        Shift::AllAtOnce => 1,
        Shift::Canary => 2,
        Shift::Linear | Shift::Rolling => 100 / rollout.step_percent.max(1) + 1,
    };
    (rollout.wait_seconds.saturating_mul(steps).saturating_add(rollout.termination_wait_seconds)) / 60
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_become_awss_policies() {
        assert_eq!(config(&Rollout::default()), None);
        let rollout =
            |shift| Rollout { shift, wait_seconds: 60, rollback_alarms: vec!["errors".into()], ..Rollout::default() };
        let canary = config(&rollout(Shift::Canary)).unwrap();
        let policy = canary.blue_green_update_policy().unwrap().traffic_routing_configuration().unwrap();
        assert_eq!(policy.canary_size().and_then(CapacitySize::value), Some(10));
        assert_eq!(canary.auto_rollback_configuration().unwrap().alarms()[0].alarm_name(), Some("errors"));
        let rolling = config(&rollout(Shift::Rolling)).unwrap();
        assert_eq!(rolling.rolling_update_policy().unwrap().wait_interval_in_seconds(), Some(60));
        assert!(rolling.blue_green_update_policy().is_none());
        assert_eq!(minutes(&rollout(Shift::Linear)), 11);
    }
}
