//! The channel table: one row per quantity that a sample can carry. Writers, range checks, merge rules and JSON names
//! all read it. Units and scales follow the FIT profile (record message 20).

macro_rules! channels {
    ($($(#[doc = $doc:literal])+ $variant:ident $name:literal $unit:literal $low:literal .. $high:literal, $decimals:literal;)+) => {
        /// A quantity that a sample can carry besides time, position and distance.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Channel { $($(#[doc = $doc])+ $variant,)+ }

        impl Channel {
            /// All channels in table order; `Channel::ALL[c as usize] == c`.
            pub const ALL: &'static [Channel] = &[$(Channel::$variant,)+];
        }

        static TABLE: &[ChannelInfo] = &[$(ChannelInfo {
            name: $name, unit: $unit, low: $low as f32, high: $high as f32, decimals: $decimals,
        },)+];
    };
}

/// One row of the channel table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ChannelInfo {
    /// Stable lower-case name, as JSON and CSV print it.
    pub name: &'static str,
    /// Unit as printed.
    pub unit: &'static str,
    /// Smallest plausible value; smaller ones are dropped by `fix::range` with a note.
    pub low: f32,
    /// Largest plausible value.
    pub high: f32,
    /// Decimals that recorders resolve; content digests and computed values round to them.
    pub decimals: u8,
}

channels! {
    /// Height above mean sea level as recorded.
    Altitude "altitude" "m" -1000..20000, 2;
    /// Beats per minute; 0 means "no signal" and is absent.
    HeartRate "heart_rate" "bpm" 1..255, 0;
    /// Revolutions, or strides of ONE side, per minute (steps per minute are halved at the door).
    Cadence "cadence" "rpm" 0..300, 2;
    /// Mechanical power; 0 is a value.
    Power "power" "W" 0..10000, 0;
    /// Speed as recorded.
    Speed "speed" "m/s" 0..300, 3;
    /// Ambient temperature.
    Temperature "temperature" "°C" -90..100, 1;
    /// Slope.
    Grade "grade" "%" -300..300, 2;
    /// Breaths per minute.
    Respiration "respiration_rate" "/min" 0..100, 2;
    /// Estimated horizontal position error.
    GpsAccuracy "gps_accuracy" "m" 0..10000, 1;
    /// Estimated vertical position error.
    VerticalAccuracy "vertical_accuracy" "m" 0..10000, 1;
    /// Course over ground, from north.
    Heading "heading" "°" 0..360, 2;
    /// Rate of climb.
    VerticalSpeed "vertical_speed" "m/s" -100..100, 3;
    /// Share of the right side in power.
    LeftRightBalance "left_right_balance" "%" 0..100, 2;
    /// Vertical movement of the trunk per step.
    VerticalOscillation "vertical_oscillation" "mm" 0..1000, 1;
    /// Vertical oscillation over step length.
    VerticalRatio "vertical_ratio" "%" 0..100, 2;
    /// Ground contact time.
    StanceTime "stance_time" "ms" 0..3000, 1;
    /// Ground contact time over the whole step.
    StanceTimePercent "stance_time_percent" "%" 0..100, 2;
    /// Share of the left side in ground contact time.
    StanceTimeBalance "stance_time_balance" "%" 0..100, 2;
    /// Length of a step.
    StepLength "step_length" "mm" 0..5000, 1;
    /// Body core temperature.
    CoreTemperature "core_temperature" "°C" 20..50, 2;
    /// Skin temperature.
    SkinTemperature "skin_temperature" "°C" 0..60, 2;
    /// Blood oxygen saturation by pulse oximetry.
    Spo2 "spo2" "%" 0..100, 1;
    /// Muscle oxygen saturation.
    MuscleOxygen "muscle_oxygen" "%" 0..100, 1;
    /// Total haemoglobin concentration.
    Hemoglobin "hemoglobin" "g/dL" 0..50, 2;
    /// Work meter: the sum of one-second powers.
    AccumulatedPower "accumulated_power" "W" 0..1e9, 0;
    /// Crank torque.
    Torque "torque" "Nm" -1000..1000, 2;
    /// Left torque effectiveness.
    LeftTorqueEffectiveness "left_torque_effectiveness" "%" 0..100, 1;
    /// Right torque effectiveness.
    RightTorqueEffectiveness "right_torque_effectiveness" "%" 0..100, 1;
    /// Left pedal smoothness.
    LeftPedalSmoothness "left_pedal_smoothness" "%" 0..100, 1;
    /// Right pedal smoothness.
    RightPedalSmoothness "right_pedal_smoothness" "%" 0..100, 1;
    /// Combined pedal smoothness.
    CombinedPedalSmoothness "combined_pedal_smoothness" "%" 0..100, 1;
    /// Left platform centre offset.
    LeftPlatformOffset "left_pco" "mm" -128..128, 0;
    /// Right platform centre offset.
    RightPlatformOffset "right_pco" "mm" -128..128, 0;
    /// Left power phase start angle.
    LeftPhaseStart "left_power_phase_start" "°" 0..360, 1;
    /// Left power phase end angle.
    LeftPhaseEnd "left_power_phase_end" "°" 0..360, 1;
    /// Left peak power phase start angle.
    LeftPeakStart "left_power_phase_peak_start" "°" 0..360, 1;
    /// Left peak power phase end angle.
    LeftPeakEnd "left_power_phase_peak_end" "°" 0..360, 1;
    /// Right power phase start angle.
    RightPhaseStart "right_power_phase_start" "°" 0..360, 1;
    /// Right power phase end angle.
    RightPhaseEnd "right_power_phase_end" "°" 0..360, 1;
    /// Right peak power phase start angle.
    RightPeakStart "right_power_phase_peak_start" "°" 0..360, 1;
    /// Right peak power phase end angle.
    RightPeakEnd "right_power_phase_peak_end" "°" 0..360, 1;
    /// Charge of the recording device.
    Battery "battery" "%" 0..100, 1;
    /// Trainer or machine resistance level.
    Resistance "resistance" "" 0..254, 0;
    /// Energy used since the start.
    Calories "calories" "kcal" 0..65534, 0;
    /// Water depth below the surface.
    Depth "depth" "m" -10..500, 3;
    /// Water temperature.
    WaterTemperature "water_temperature" "°C" -5..60, 1;
    /// Ambient pressure.
    Pressure "pressure" "Pa" 0..10000000, 0;
}

impl Channel {
    /// How many channels the table has.
    pub const COUNT: usize = Channel::ALL.len();

    /// This channel's row of the table.
    pub fn info(self) -> &'static ChannelInfo {
        &TABLE[self as usize]
    }

    /// Stable lower-case name.
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// The channel with this stable name.
    pub fn by_name(name: &str) -> Option<Channel> {
        Channel::ALL.iter().copied().find(|channel| channel.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_found() {
        for (i, channel) in Channel::ALL.iter().enumerate() {
            assert_eq!(*channel as usize, i);
            assert_eq!(Channel::by_name(channel.name()), Some(*channel));
            assert!(channel.info().low < channel.info().high);
        }
    }
}
