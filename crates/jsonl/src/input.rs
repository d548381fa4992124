//! From the paths that were named to the files that are read: directories are walked, and a file
//! that can be reached twice is read once.

use std::collections::HashSet;
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use foldhash::fast::FixedState;
use rayon::prelude::*;

/// A file to read.
#[derive(Clone, Debug)]
pub struct Found {
    /// The path as it was named, or below the directory that was named.
    pub path: PathBuf,
    /// Whether it was found by walking a directory.
    pub walked: bool,
    /// Bytes on disk; 0 as long as nobody asked.
    pub size: u64,
    /// When it was last written.
    pub modified: Option<SystemTime>,
    /// Device and inode; none of standard input, and as long as nobody asked.
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
    walk_asking(paths, true)
}

/// The same for who opens all files that are found, and learns more of them then: see
/// [`Found::learn`]. What a directory lists as a file is not asked about, and files with several names
/// are found under each of them.
pub fn walk_names(paths: &[PathBuf]) -> Inputs {
    walk_asking(paths, false)
}

fn walk_asking(paths: &[PathBuf], ask: bool) -> Inputs {
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
            Ok(meta) if meta.is_dir() => inputs.walk_directory(path, ask),
            Ok(meta) => inputs.files.push(Found::new(path.clone(), &meta, false)),
            Err(e) => inputs.unreadable.push((path.clone(), e)),
        }
    }
    inputs.keep_each_once();
    inputs
}

impl Found {
    fn new(path: PathBuf, meta: &Metadata, walked: bool) -> Self {
        let mut found = Self::listed(path);
        (found.walked, found.is_regular) = (walked, meta.is_file());
        found.learn(meta);
        found
    }

    /// A file of a directory of which nothing more is known.
    fn listed(path: PathBuf) -> Self {
        Self { path, walked: true, size: 0, modified: None, id: None, is_regular: true }
    }

    /// Takes what the system says of the file.
    pub fn learn(&mut self, meta: &Metadata) {
        self.size = meta.len();
        self.modified = meta.modified().ok();
        self.id = Some((meta.dev(), meta.ino()));
    }
}

impl Inputs {
    fn walk_directory(&mut self, root: &Path, ask: bool) {
        for found in logs_below(root, Walk { root, ask }) {
            match found {
                Ok(file) => self.files.push(file),
                Err(unreadable) => self.unreadable.push(unreadable),
            }
        }
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
        let mut seen: HashSet<_, FixedState> = HashSet::default();
        self.files.retain(|file| {
            if is_compressed(file) && plain.contains(&file.path.with_extension("")) {
                return false;
            }
            file.id.is_none_or(|id| seen.insert(id))
        });
    }
}

/// How many entries of a directory one thread looks at: fewer are not worth waking another.
const AT_ONCE: usize = 8;

/// A log that was found by walking, or what cannot be read, and why.
type Walked = Result<Found, (PathBuf, io::Error)>;

/// A directory that is walked.
#[derive(Clone, Copy)]
struct Walk<'p> {
    root: &'p Path,
    /// Whether the system is asked about each file.
    ask: bool,
}

/// The logs below a directory, in order of path. Directories are read on all cores: projects are
/// many, and so may be their files.
fn logs_below(dir: &Path, walk: Walk<'_>) -> Vec<Walked> {
    let entries = match fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(e) => return vec![Err((dir.to_owned(), e))],
    };
    let (entries, broken): (Vec<_>, Vec<_>) = entries.partition(Result::is_ok);
    let mut entries: Vec<DirEntry> = entries.into_iter().flatten().collect();
    entries.sort_by_cached_key(DirEntry::file_name);
    let found: Vec<Walked> = entries
        .par_iter()
        .with_min_len(AT_ONCE)
        .fold(Vec::new, |mut found, entry| {
            logs_at(entry, walk, &mut found);
            found
        })
        .collect_vec_list()
        .into_iter()
        .flatten()
        .flatten()
        .collect();
    let broken = broken.into_iter().filter_map(Result::err);
    found.into_iter().chain(broken.map(|e| Err((dir.to_owned(), e)))).collect()
}

/// Adds the log that an entry of a directory is, or the logs below it. Links are followed; one in a
/// circle leads to what is found anyway, one to nowhere matters only if it should be a log.
fn logs_at(entry: &DirEntry, walk: Walk<'_>, found: &mut Vec<Walked>) {
    let (path, kind) = (entry.path(), entry.file_type());
    let is_log = is_log_name(&path);
    let meta = match kind {
        Ok(kind) if kind.is_dir() => return found.extend(logs_below(&path, walk)),
        Ok(kind) if kind.is_file() && is_log && !walk.ask => {
            return found.push(Ok(Found::listed(path)));
        }
        // It is no link. The entry knows its directory: the way there is not gone again.
        Ok(kind) if kind.is_file() && is_log => entry.metadata(),
        Ok(kind) if !kind.is_symlink() => return,
        _ => fs::metadata(&path),
    };
    match meta {
        Ok(meta) if meta.is_dir() && leads_back(&path, &meta, walk.root) => {}
        Ok(meta) if meta.is_dir() => found.extend(logs_below(&path, walk)),
        Ok(meta) if meta.is_file() && is_log => found.push(Ok(Found::new(path, &meta, true))),
        Ok(_) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound && !is_log => {}
        Err(e) => found.push(Err((path, e))),
    }
}

/// Whether a link leads to a directory that it is below of.
fn leads_back(link: &Path, target: &Metadata, root: &Path) -> bool {
    let id = |meta: &Metadata| (meta.dev(), meta.ino());
    let above = link.ancestors().skip(1).take_while(|dir| dir.starts_with(root));
    above.filter_map(|dir| fs::metadata(dir).ok()).any(|dir| id(&dir) == id(target))
}

/// Whether a file of that path counts as a log if it stands in a directory that is walked.
#[allow(clippy::case_sensitive_file_extension_comparisons)] // As the writers spell them.
pub fn is_log_name(path: &Path) -> bool {
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

    #[test]
    fn names_alone_tell_what_is_learnt_of_the_open_file() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a.jsonl", "b.jsonl.gz", "notes.txt"] {
            fs::write(dir.path().join(name), name).unwrap();
        }
        let paths = [dir.path().to_owned()];
        let asked = walk(&paths).files;
        let mut listed = walk_names(&paths).files;
        assert!(listed.iter().all(|file| file.id.is_none() && file.is_regular && file.walked));
        for file in &mut listed {
            let meta = fs::File::open(&file.path).unwrap().metadata().unwrap();
            file.learn(&meta);
        }
        let known = |file: &Found| (file.path.clone(), file.id, file.size, file.modified);
        assert!(asked.iter().map(known).eq(listed.iter().map(known)), "{asked:?} {listed:?}");
        assert_eq!(asked.len(), 2);
    }

    #[test]
    fn links_are_followed_but_not_in_circles() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("root/a")).unwrap();
        fs::create_dir_all(at("other")).unwrap();
        fs::write(at("root/a/x.jsonl"), "{}\n").unwrap();
        fs::write(at("other/y.jsonl"), "{}\n").unwrap();
        symlink(at("root"), at("root/a/up")).unwrap();
        symlink(at("root/a"), at("root/a/here")).unwrap();
        symlink(at("other"), at("root/out")).unwrap();
        symlink(at("other"), at("other/again")).unwrap();
        symlink(at("nowhere"), at("root/note")).unwrap();
        symlink(at("nowhere"), at("root/gone.jsonl")).unwrap();
        let inputs = walk(&[at("root")]);
        let found: Vec<_> = inputs.files.iter().map(|file| file.path.clone()).collect();
        assert_eq!(found, [at("root/a/x.jsonl"), at("root/out/y.jsonl")]);
        let unreadable: Vec<_> = inputs.unreadable.into_iter().map(|(path, _)| path).collect();
        assert_eq!(unreadable, [at("root/gone.jsonl")]);
    }
}
