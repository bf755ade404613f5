//! Garmin's "Export Your Data": summaries in `DI_CONNECT/DI-Connect-Fitness`, the uploaded files in archives of their own.

use super::{Matching, Platform, Role, is_recording, split};

/// Garmin's row of the table of platforms.
pub(super) const PLATFORM: Platform =
    Platform { id: "garmin", name: "Garmin account export", root, generation, role, matching: Matching::Start };

/// Up to `DI_CONNECT/`; without it the folder of the summaries, or that of an archive of uploaded files.
fn root(name: &str) -> Option<&str> {
    let folder = |at: usize| name.get(..at).filter(|before| before.is_empty() || before.ends_with('/'));
    if let Some(root) = name.match_indices("DI_CONNECT/").find_map(|(at, _)| folder(at)) {
        return Some(root);
    }
    let (own, file) = split(name);
    if is_summary(file) {
        return Some(own);
    }
    let archive = name.match_indices("UploadedFiles_").find_map(|(at, _)| folder(at))?;
    name[archive.len()..].split_once('/').is_some_and(|(archive, _)| archive.ends_with(".zip!")).then_some(archive)
}

fn is_summary(file: &str) -> bool {
    file.ends_with("_summarizedActivities.json") || file == "summarizedActivities.json"
}

fn generation(names: &[&str]) -> Option<&'static str> {
    let uploads = names.iter().find(|name| name.contains("UploadedFiles_"));
    let summaries = names.iter().any(|name| is_summary(split(name).1));
    Some(match uploads {
        Some(name) if name.contains("DI-Connect-Fitness/UploadedFiles_") => "2018, uploaded files beside the summaries",
        Some(_) if summaries => "summaries and uploaded files",
        Some(_) => "uploaded files only",
        None if summaries => "summaries only",
        None => return None,
    })
}

fn role(name: &str) -> Role {
    let (folder, file) = split(name);
    if is_summary(file) || file.ends_with("_gear.json") {
        return Role::Table;
    }
    if !folder.contains("DI_CONNECT/") || folder.contains("UploadedFiles_") || is_recording(file) {
        return Role::Recording;
    }
    Role::Ignored(match () {
        () if folder.contains("Wellness") || folder.contains("Metrics") || folder.contains("Aggregator") => {
            "wellness data"
        }
        () if folder.contains("Fitness") => "plans and records",
        () => "account data",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_found_from_every_kind_of_member() {
        let of = |name: &'static str| root(name);
        assert_eq!(of("x.zip!/DI_CONNECT/DI-Connect-Wellness/a.json"), Some("x.zip!/"));
        assert_eq!(of("DI_CONNECT/DI-Connect-User/user.json"), Some(""));
        assert_eq!(of("f/jo_0_summarizedActivities.json"), Some("f/"));
        assert_eq!(of("d/UploadedFiles_0-_Part1.zip!/jo@example.com_46.fit"), Some("d/"));
        assert_eq!(of("d/UploadedFiles_0-_Part1/jo@example.com_46.fit"), None);
        assert_eq!(of("ride.fit"), None);
    }

    #[test]
    fn members_have_roles() {
        assert_eq!(role("DI_CONNECT/DI-Connect-Fitness/jo_1001_summarizedActivities.json"), Role::Table);
        assert_eq!(role("DI_CONNECT/DI-Connect-Fitness/jo_gear.json"), Role::Table);
        assert_eq!(role("DI_CONNECT/DI-Connect-Fitness/jo_courses.json"), Role::Ignored("plans and records"));
        assert_eq!(role("DI_CONNECT/DI-Connect-Wellness/a_sleepData.json"), Role::Ignored("wellness data"));
        assert_eq!(role("DI_CONNECT/DI-Connect-Uploaded-Files/UploadedFiles_0-_Part1.zip!/jo_4.fit"), Role::Recording);
        assert_eq!(role("holiday.gpx"), Role::Recording);
    }
}
