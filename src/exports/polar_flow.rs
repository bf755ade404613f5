//! Polar Flow's account export: thousands of JSON files in one folder, those of workouts called `training-session…`.

use super::{Matching, Platform, Role, split};

/// Polar Flow's row of the table of platforms.
pub(super) const PLATFORM: Platform =
    Platform { id: "polar_flow", name: "Polar Flow account export", root, generation, role, matching: Matching::Start };

fn root(name: &str) -> Option<&str> {
    let (folder, file) = split(name);
    is_session(file).then_some(folder)
}

fn is_session(file: &str) -> bool {
    (file.starts_with("training-session-") || file.starts_with("training-session_")) && file.ends_with(".json")
}

/// The account changed the shape of names in 2025; what a file holds is decided by its content.
fn generation(names: &[&str]) -> Option<&'static str> {
    let sessions = || names.iter().filter(|name| is_session(name));
    let new = sessions().any(|name| name.starts_with("training-session_"));
    let old = sessions().any(|name| name.starts_with("training-session-"));
    match (old, new) {
        (true, true) => Some("names of before and after 2025"),
        (true, false) => Some("names of before 2025"),
        (false, true) => Some("names since 2025"),
        (false, false) => None,
    }
}

fn role(name: &str) -> Role {
    match OTHERS.iter().find(|(head, _)| name.starts_with(head)) {
        Some((_, what)) => Role::Ignored(what),
        None => Role::Recording,
    }
}

/// What else lies there (format note, section 1).
const OTHERS: &[(&str, &str)] = &[
    ("activity-", "daily activity"),
    ("247ohr_", "daily heart rate"),
    ("ppi_samples_", "daily heart rate"),
    ("training-target-", "plans"),
    ("favourite-targets-", "plans"),
    ("planned-route-", "plans"),
    ("programs-", "plans"),
    ("sleep_", "sleep"),
    ("nightly_recovery_", "sleep"),
    ("fitness-test-results-", "tests"),
    ("orthostatic-test-result-", "tests"),
    ("account-data-", "account data"),
    ("account-profile-", "account data"),
    ("calendar-items-", "account data"),
    ("products-devices-", "account data"),
    ("sport-profiles-", "account data"),
    ("profile-picture-", "account data"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_told_from_targets() {
        assert_eq!(root("a.zip!/training-session_2025-06-01T07-30-00_8-u.json"), Some("a.zip!/"));
        assert_eq!(root("training-session-2023-05-01-7-u.json"), Some(""));
        assert_eq!(root("training-target-2025-06-03-1-u.json"), None);
        assert_eq!(role("training-target-2025-06-03-1-u.json"), Role::Ignored("plans"));
        assert_eq!(role("training-session-2023-05-01-7-u.json"), Role::Recording);
        assert_eq!(generation(&["activity-1.json"]), None);
    }
}
