//! Told by the system what changes in directories. Directories are watched, not files: a file that
//! comes in the place of another is seen by its name.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jsonl::{FileId, id_of, is_log_name};
use notify::event::{CreateKind, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::bell::Bell;

/// A watch on directories.
pub(crate) struct Watch {
    watcher: RecommendedWatcher,
    names: Arc<Mutex<Names>>,
}

/// What is followed, by the names that the user gave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    /// Files that were named, with those that links of that name lead to.
    files: HashMap<PathBuf, PathBuf>,
    /// Watched directories, by their absolute names, as they were named.
    dirs: HashMap<PathBuf, PathBuf>,
    /// Directories that were named.
    roots: Vec<PathBuf>,
}

impl Names {
    /// Files that were named, and directories.
    pub fn new(paths: &[PathBuf]) -> Self {
        let (roots, files): (Vec<_>, Vec<_>) = paths.iter().cloned().partition(|p| p.is_dir());
        let files = files.into_iter().map(|path| (absolute(&path), path)).collect();
        Self { files, dirs: HashMap::new(), roots }
    }

    /// Whether a path is one of a log, by its name.
    pub fn has(&self, path: &Path) -> bool {
        self.files.contains_key(&absolute(path))
            || is_log_name(path) && self.roots.iter().any(|root| path.starts_with(root))
    }

    /// Whether a path is in a directory that was named.
    pub fn is_below(&self, path: &Path) -> bool {
        self.roots.iter().any(|root| path.starts_with(root))
    }

    /// What the user would call a path that the system tells of.
    fn named(&self, path: &Path) -> Option<PathBuf> {
        if let Some(file) = self.files.get(path) {
            return Some(file.clone());
        }
        Some(self.dirs.get(path.parent()?)?.join(path.file_name()?))
    }
}

/// A path from the root, without looking where links lead.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

impl Watch {
    /// Starts to watch what was named.
    pub fn start(names: &Names, bell: &Arc<Bell>) -> notify::Result<Self> {
        let names = Arc::new(Mutex::new(names.clone()));
        let (bell, known) = (Arc::clone(bell), Arc::clone(&names));
        let watcher = notify::recommended_watcher(move |event| hear(event, &known, &bell))?;
        let mut watch = Self { watcher, names };
        let names = watch.names().clone();
        for root in &names.roots {
            watch.below(root)?;
        }
        for file in names.files.values() {
            watch.file(file)?;
        }
        Ok(watch)
    }

    fn names(&self) -> std::sync::MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Watches the directory of a file, and that of the file that it links to.
    pub fn file(&mut self, path: &Path) -> notify::Result<()> {
        let place = absolute(path);
        let dir = place.parent().unwrap_or(Path::new("/")).to_owned();
        self.watcher.watch(&dir, RecursiveMode::NonRecursive)?;
        let linked = fs::canonicalize(&place).ok().filter(|linked| *linked != place);
        if let Some(linked) = linked {
            let dir = linked.parent().unwrap_or(Path::new("/")).to_owned();
            self.names().files.insert(linked, path.to_owned());
            self.watcher.watch(&dir, RecursiveMode::NonRecursive)?;
        }
        Ok(())
    }

    /// Watches a directory and all below it.
    pub fn below(&mut self, root: &Path) -> notify::Result<()> {
        let mut seen = HashSet::new();
        let mut dirs = vec![root.to_owned()];
        while let Some(dir) = dirs.pop() {
            // What is gone already, or not to be read, is told when it is looked for logs.
            let Some(id) = dir_id(&dir) else { continue };
            if !seen.insert(id) {
                continue;
            }
            self.names().dirs.insert(absolute(&dir), dir.clone());
            match self.watcher.watch(&dir, RecursiveMode::NonRecursive) {
                Err(e) if !matches!(e.kind, notify::ErrorKind::MaxFilesWatch) && !dir.exists() => {}
                watched => watched?,
            }
            let Ok(entries) = fs::read_dir(&dir) else { continue };
            let may_be_dir = |entry: &fs::DirEntry| {
                entry.file_type().is_ok_and(|kind| kind.is_dir() || kind.is_symlink())
            };
            dirs.extend(entries.flatten().filter(may_be_dir).map(|entry| entry.path()));
        }
        Ok(())
    }
}

fn dir_id(path: &Path) -> Option<FileId> {
    fs::metadata(path).ok().filter(fs::Metadata::is_dir).map(|meta| id_of(&meta))
}

/// Rings for what may matter. Files that are only opened or touched do not.
fn hear(event: notify::Result<Event>, names: &Mutex<Names>, bell: &Bell) {
    let Ok(event) = event else { return bell.ring(|news| news.anything = true) };
    if event.need_rescan() {
        return bell.ring(|news| news.anything = true);
    }
    let may_be_dir = match event.kind {
        EventKind::Create(kind) => kind != CreateKind::File,
        EventKind::Modify(ModifyKind::Name(_) | ModifyKind::Any) => true,
        EventKind::Modify(ModifyKind::Data(_)) | EventKind::Remove(_) => false,
        _ => return,
    };
    let names = names.lock().unwrap_or_else(PoisonError::into_inner);
    let paths = event.paths.iter().filter_map(|path| names.named(path));
    let matter = |path: &PathBuf| names.has(path) || may_be_dir && names.is_below(path);
    let paths: Vec<PathBuf> = paths.filter(matter).collect();
    drop(names);
    bell.ring(|news| news.paths.extend(paths));
}
