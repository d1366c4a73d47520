//! The folder of a run: `<work>/<run>/tree` once the fetch is complete.

use super::Kiwi;
use crate::domain::{RunId, RunStatus};
use crate::error::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

impl Kiwi {
    pub(super) fn run_folder(&self, run: &RunId) -> PathBuf {
        self.inner.work.join(run.as_str())
    }

    /// The complete tree, if an earlier fetch left it.
    pub(super) fn finished_tree(&self, run: &RunId) -> Option<PathBuf> {
        let tree = self.run_folder(run).join("tree");
        tree.is_dir().then_some(tree)
    }

    /// An empty folder for a fetch; [`keep_tree`](Self::keep_tree) makes it the tree.
    pub(super) async fn new_tree(&self, run: &RunId) -> Result<PathBuf> {
        let partial = self.run_folder(run).join("partial");
        blocking(move || {
            remove(&partial)?;
            std::fs::create_dir_all(&partial)?;
            Ok(partial)
        })
        .await
    }

    pub(super) async fn keep_tree(&self, run: &RunId) -> Result<PathBuf> {
        let folder = self.run_folder(run);
        blocking(move || {
            let tree = folder.join("tree");
            std::fs::rename(folder.join("partial"), &tree)?;
            Ok(tree)
        })
        .await
    }

    pub(super) async fn remove_run_folder(&self, run: &RunId) -> Result<()> {
        let folder = self.run_folder(run);
        blocking(move || remove(&folder)).await
    }

    /// Removes the folders of runs that are finished or unknown: a killed process could not.
    pub async fn sweep_work_directory(&self) -> Result<()> {
        let work = self.inner.work.clone();
        let names = blocking(move || {
            let entries = match std::fs::read_dir(&work) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
                entries => entries?,
            };
            entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect::<std::io::Result<Vec<_>>>()
        })
        .await?;
        for name in names {
            // Only names that Kiwi gives are Kiwi's to remove.
            if let Ok(run) = name.parse::<RunId>()
                && self.store().run(&run).await?.is_none_or(|run| run.status.is_final() || run.status == RunStatus::Queued)
            {
                self.remove_run_folder(&run).await?;
            }
        }
        Ok(())
    }
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> std::io::Result<T> + Send + 'static) -> Result<T> {
    let fail = |error: std::io::Error| Error::new(ErrorKind::Storage, "use work directory", "a file operation failed").with_source(error);
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(fail),
        Err(error) => Err(Error::new(ErrorKind::Internal, "use work directory", "a file operation panicked").with_source(error)),
    }
}
