//! What a workout is: one canonical model that every format reads into and writes from.

mod activity;
mod channel;
mod column;
mod glance;
mod parts;
mod sphere;
mod sport;
mod stats;
mod summary;
pub mod time;
mod track;

pub use activity::{Activity, Basis, Clock, Companion, Draft, Evidence, Origin, Recording};
pub use channel::{Channel, ChannelInfo};
pub use column::{Column, DeveloperField, ExtraColumn, ExtraKey, FitField};
pub use glance::{Glance, GlancedChannels, GlancedTotals, Mean};
pub use parts::{
    Athlete, Device, Event, FieldValue, Intensity, Lap, LapTrigger, Length, Pause, RrInterval, Session, Set, SetKind,
    Split, StatedField, Stroke, Totals, Waypoint, Zones,
};
pub use sphere::Position;
pub use sport::{Sport, SubSport, parse_sport};
pub use stats::{ChannelStats, StatsByName};
pub use summary::{DeviceSummary, Summary};
pub use track::Track;
