//! Strava's bulk export: `activities.csv` beside a folder `activities/`, in the root of the archive or one folder deep.

use super::{Matching, Platform, Role, is_recording, split};

/// Strava's row of the table of platforms.
pub(super) const PLATFORM: Platform =
    Platform { id: "strava", name: "Strava bulk export", root, generation, role, matching: Matching::File };

fn root(name: &str) -> Option<&str> {
    let (folder, file) = split(name);
    file.eq_ignore_ascii_case("activities.csv").then_some(folder)
}

/// Intervals.icu has an `activities.csv` too, but no such folder. Before May 2018 there were only GPX files.
fn generation(names: &[&str]) -> Option<&'static str> {
    let mut recordings = names.iter().filter(|name| is_member(name)).peekable();
    recordings.peek()?;
    let originals = recordings.any(|name| !name.to_ascii_lowercase().ends_with(".gpx"));
    Some(if originals { "original files" } else { "GPX files only" })
}

/// `activities/<digits>.(fit|gpx|tcx)`, perhaps gzipped.
fn is_member(name: &str) -> bool {
    name.strip_prefix("activities/").is_some_and(|file| {
        let stem = file.split('.').next().unwrap_or_default();
        !stem.is_empty() && stem.bytes().all(|b| b.is_ascii_digit()) && is_recording(file)
    })
}

fn role(name: &str) -> Role {
    let lower = name.to_ascii_lowercase();
    match lower.split_once('/') {
        None if lower == "activities.csv" => Role::Table,
        None if ACCOUNT.contains(&lower.as_str()) => Role::Ignored("account data"),
        Some(("media" | "clubs", _)) => Role::Ignored("media"),
        Some(("routes", _)) => Role::Ignored("planned route"),
        _ => Role::Recording,
    }
}

/// Members of the root that hold no workouts (format note, section 1).
const ACCOUNT: &[&str] = &[
    "applications.csv",
    "bikes.csv",
    "blocks.csv",
    "categories_of_information_we_share.pdf",
    "clubs.csv",
    "comments.csv",
    "community_content.csv",
    "components.csv",
    "connected_apps.csv",
    "contacts.csv",
    "email_preferences.csv",
    "events.csv",
    "favorites.csv",
    "flags.csv",
    "followers.csv",
    "following.csv",
    "general_preferences.csv",
    "global_challenges.csv",
    "goals.csv",
    "group_challenges.csv",
    "information_we_disclose_for_business_purposes.pdf",
    "local_legend_segments.csv",
    "logins.csv",
    "media.csv",
    "memberships.csv",
    "messaging.json",
    "metering.csv",
    "mobile_device_identifiers.csv",
    "orders.csv",
    "partner_opt_outs.csv",
    "posts.csv",
    "privacy_zones.csv",
    "profile.csv",
    "reactions.csv",
    "routes.csv",
    "segments.csv",
    "shoes.csv",
    "social_settings.csv",
    "starred_routes.csv",
    "starred_segments.csv",
    "support_tickets.csv",
    "visibility_settings.csv",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_are_told_by_the_files() {
        assert_eq!(generation(&["activities.csv", "activities/1.gpx"]), Some("GPX files only"));
        assert_eq!(generation(&["activities.csv", "activities/1.gpx", "activities/2.fit.gz"]), Some("original files"));
        assert_eq!(generation(&["activities.csv", "activities/one.gpx", "activities/1.txt"]), None);
    }
}
