//! From the paths that were named to the files that are read: directories are walked, and a file
//! that can be reached twice is read once.

use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rayon::prelude::*;
use walkdir::{DirEntry, WalkDir};

/// A file to read.
#[derive(Clone, Debug)]
pub struct Found {
    /// The path as it was named, or below the directory that was named.
    pub path: PathBuf,
    /// Whether it was found by walking a directory.
    pub walked: bool,
    /// Bytes on disk.
    pub size: u64,
    /// When it was last written.
    pub modified: Option<SystemTime>,
    /// Device and inode; none of standard input.
    pub id: Option<(u64, u64)>,
    /// Whether it is a regular file: others come only once.
    pub is_regular: bool,
}

/// What a list of paths comes to.
#[derive(Debug, Default)]
pub struct Inputs {
    /// Files, in the order of the paths; those of a directory sorted by path.
    pub files: Vec<Found>,
    /// Paths that cannot be read, and why.
    pub unreadable: Vec<(PathBuf, io::Error)>,
}

/// Resolves paths to files. In directories only names of logs count: `*.jsonl`, `*.jsonl.*`, and
/// `*.json` in a folder `requests`. `-` stays as it is: standard input, which is for the caller.
pub fn walk(paths: &[PathBuf]) -> Inputs {
    let mut inputs = Inputs::default();
    for path in paths {
        if path == Path::new("-") {
            if inputs.files.iter().all(|file| file.path != *path) {
                let (path, modified, id) = (path.clone(), None, None);
                let (walked, size, is_regular) = (false, 0, false);
                inputs.files.push(Found { path, walked, size, modified, id, is_regular });
            }
            continue;
        }
        match fs::metadata(path) {
            Ok(meta) if meta.is_dir() => inputs.walk_directory(path),
            Ok(meta) => inputs.add(path.clone(), &meta, false),
            Err(e) => inputs.unreadable.push((path.clone(), e)),
        }
    }
    inputs.keep_each_once();
    inputs
}

impl Inputs {
    fn walk_directory(&mut self, root: &Path) {
        let mut paths = Vec::new();
        for entry in entries_below(root) {
            match entry {
                Ok(entry) if entry.file_type().is_file() && is_log_name(entry.path()) => {
                    paths.push(entry.into_path());
                }
                Ok(_) => {}
                // A link in a circle leads to what is found anyway; one to nowhere matters only if it
                // should be a log.
                Err(e) if e.loop_ancestor().is_some() => {}
                Err(e) => {
                    let path = e.path().unwrap_or(root).to_owned();
                    let error = io::Error::from(e);
                    if error.kind() != io::ErrorKind::NotFound || is_log_name(&path) {
                        self.unreadable.push((path, error));
                    }
                }
            }
        }
        // There may be tens of thousands.
        let metas: Vec<io::Result<Metadata>> = paths.par_iter().map(fs::metadata).collect();
        for (path, meta) in paths.into_iter().zip(metas) {
            match meta {
                Ok(meta) => self.add(path, &meta, true),
                Err(e) => self.unreadable.push((path, e)),
            }
        }
    }

    fn add(&mut self, path: PathBuf, meta: &Metadata, walked: bool) {
        let modified = meta.modified().ok();
        let (id, is_regular) = (Some((meta.dev(), meta.ino())), meta.is_file());
        self.files.push(Found { path, walked, size: meta.len(), modified, id, is_regular });
    }

    /// Drops files met before (by device and inode), and compressed copies of a plain file.
    fn keep_each_once(&mut self) {
        let ends =
            |file: &Found, end: &str| file.path.as_os_str().as_bytes().ends_with(end.as_bytes());
        let is_compressed = |file: &Found| ends(file, ".zst") || ends(file, ".gz");
        let plain: HashSet<PathBuf> = if self.files.iter().any(is_compressed) {
            self.files.iter().map(|file| file.path.clone()).collect()
        } else {
            HashSet::new()
        };
        let mut seen = HashSet::new();
        self.files.retain(|file| {
            if is_compressed(file) && plain.contains(&file.path.with_extension("")) {
                return false;
            }
            file.id.is_none_or(|id| seen.insert(id))
        });
    }
}

/// All that is below a directory, in order of path. What is in the directories right below it is
/// looked for on all cores: projects are many.
fn entries_below(root: &Path) -> Vec<walkdir::Result<DirEntry>> {
    let walk = |root: &Path| WalkDir::new(root).follow_links(true).sort_by_file_name();
    let top: Vec<walkdir::Result<DirEntry>> = walk(root).max_depth(1).into_iter().collect();
    let of_root = fs::metadata(root).map(|meta| (meta.dev(), meta.ino())).ok();
    let leads_back = |entry: &DirEntry| {
        let id = || entry.metadata().map(|meta| (meta.dev(), meta.ino())).ok();
        entry.path_is_symlink() && id() == of_root
    };
    let below = |entry: walkdir::Result<DirEntry>| match entry {
        Ok(entry) if entry.depth() == 1 && entry.file_type().is_dir() => {
            let entries = walk(entry.path()).into_iter();
            entries.filter_entry(|entry| !leads_back(entry)).collect()
        }
        entry => vec![entry],
    };
    top.into_par_iter().flat_map_iter(below).collect()
}

#[allow(clippy::case_sensitive_file_extension_comparisons)] // As the writers spell them.
fn is_log_name(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|n| n.to_str()) else { return false };
    if name.ends_with(".jsonl") || (name.contains(".jsonl.") && !name.ends_with(".tmp")) {
        return true;
    }
    let in_requests = path.parent().and_then(Path::file_name).is_some_and(|d| d == "requests");
    in_requests && name.ends_with(".json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_log_once_in_order_of_path() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("b/requests")).unwrap();
        for name in [
            "b/x.jsonl",
            "b/x.jsonl.zst",
            "b/y.jsonl.1",
            "b/notes.json",
            "b/requests/r.json",
            "a.jsonl.gz",
        ] {
            fs::write(at(name), "{}\n").unwrap();
        }
        std::os::unix::fs::symlink(at("b/x.jsonl"), at("b/z.jsonl")).unwrap();
        let inputs = walk(&[dir.path().to_owned(), at("b/x.jsonl"), at("missing")]);
        let names: Vec<_> = inputs
            .files
            .iter()
            .map(|f| f.path.strip_prefix(dir.path()).unwrap().to_str().unwrap())
            .collect();
        assert_eq!(names, ["a.jsonl.gz", "b/requests/r.json", "b/x.jsonl", "b/y.jsonl.1"]);
        assert_eq!(inputs.unreadable.len(), 1);
    }
}
