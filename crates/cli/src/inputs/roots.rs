//! Where logs are looked for if nobody names a path.

use std::env;
use std::path::PathBuf;

/// Where the agents keep their logs on this machine.
pub fn default_roots() -> Vec<PathBuf> {
    if let Some(roots) = env::var_os("ALOG_ROOTS").filter(|roots| !roots.is_empty()) {
        return env::split_paths(&roots).collect();
    }
    let home = env::home_dir().unwrap_or_default();
    let mut roots = vec![home.join("centralized-logs")];
    if let Some(dirs) = comma_list("CLAUDE_CONFIG_DIR") {
        roots.extend(dirs.into_iter().map(|dir| {
            let projects = dir.join("projects");
            if dir.ends_with("projects") || !projects.exists() { dir } else { projects }
        }));
    } else {
        let config = env::var_os("XDG_CONFIG_HOME").filter(|dir| !dir.is_empty());
        let config = config.map_or_else(|| home.join(".config"), PathBuf::from);
        roots.push(home.join(".claude/projects"));
        roots.push(config.join("claude/projects"));
    }
    for dir in comma_list("CODEX_HOME").unwrap_or_else(|| vec![home.join(".codex")]) {
        roots.push(dir.join("sessions"));
        roots.push(dir.join("archived_sessions"));
    }
    roots
}

fn comma_list(name: &str) -> Option<Vec<PathBuf>> {
    let list = env::var(name).ok().filter(|list| !list.is_empty())?;
    Some(list.split(',').map(|dir| PathBuf::from(dir.trim())).collect())
}
