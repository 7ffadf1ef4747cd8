//! The system of continuous integration that runs a job, and the job's address.

use super::search::Variables;
use crate::object::canonical::Object;

/// Name of the system, the variable that shows it, and the variable that holds the address.
const SYSTEMS: &[(&str, &str, &str)] = &[
    ("gitlab", "GITLAB_CI", "CI_JOB_URL"),
    ("jenkins", "JENKINS_URL", "BUILD_URL"),
    ("circleci", "CIRCLECI", "CIRCLE_BUILD_URL"),
    ("travis", "TRAVIS", "TRAVIS_JOB_WEB_URL"),
    ("drone", "DRONE", "DRONE_BUILD_LINK"),
    ("woodpecker", "CI_PIPELINE_URL", "CI_PIPELINE_URL"),
];

/// Finds system and job.
pub(super) fn find(variables: &Variables) -> Option<Object> {
    let get = |name| variables.find(name);
    let (system, job) = if get("GITHUB_ACTIONS").is_some() {
        ("github-actions", github(variables))
    } else if get("BUILDKITE").is_some() {
        let job = get("BUILDKITE_JOB_ID").map(|id| format!("#{id}")).unwrap_or_default();
        ("buildkite", get("BUILDKITE_BUILD_URL").map(|build| format!("{build}{job}")))
    } else if get("TF_BUILD").is_some() {
        ("azure-pipelines", azure(variables))
    } else {
        let (system, _, job) = SYSTEMS.iter().find(|(_, shows, _)| get(shows).is_some())?;
        (*system, get(job).map(str::to_owned))
    };
    let mut object = Object::new();
    object.set("system", system);
    object.set_some("job", job.and_then(|address| super::line(&address)));
    Some(object)
}

fn github(variables: &Variables) -> Option<String> {
    let get = |name| variables.find(name);
    let (server, repository) = (get("GITHUB_SERVER_URL")?, get("GITHUB_REPOSITORY")?);
    let address = format!("{server}/{repository}/actions/runs/{}", get("GITHUB_RUN_ID")?);
    let attempt = get("GITHUB_RUN_ATTEMPT").map(|number| format!("/attempts/{number}"));
    Some(address + &attempt.unwrap_or_default())
}

fn azure(variables: &Variables) -> Option<String> {
    let get = |name| variables.find(name);
    let (server, project) = (get("SYSTEM_COLLECTIONURI")?, get("SYSTEM_TEAMPROJECT")?);
    let build = get("BUILD_BUILDID")?;
    let server = server.trim_end_matches('/');
    let project = project.replace(' ', "%20");
    Some(format!("{server}/{project}/_build/results?buildId={build}"))
}
