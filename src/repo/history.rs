//! The history of commits by position, for operations that walk it.

use super::{Error, Repository};
use crate::object::ObjectId;
use crate::progress::Progress;
use crate::store::{Cache, Commits, Position, StoreError};
use crate::worktree::local;

impl Repository {
    /// Asks something of the history of `tips`; `ask` also gets the positions of the tips.
    ///
    /// Shape: a damaged cache is found out while it is read; it is then built anew and `ask` is
    /// called once more. Errors: those of `ask`; a commit that is missing or malformed.
    pub fn with_history<T>(
        &self,
        tips: &[ObjectId],
        progress: &Progress,
        mut ask: impl FnMut(Commits<'_>, &[Position]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match self.ask_history(tips, progress, &mut ask) {
            Err(Error::Store(StoreError::StaleGraph(_))) => {
                self.store.forget_history(&self.cache());
                self.ask_history(tips, progress, &mut ask)
            }
            answer => answer,
        }
    }

    fn ask_history<T>(
        &self,
        tips: &[ObjectId],
        progress: &Progress,
        ask: &mut impl FnMut(Commits<'_>, &[Position]) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let history = self.store.history(&self.cache(), tips, progress)?;
        let commits = history.commits()?;
        let found = commits.find_all(tips)?;
        let positions: Option<Vec<Position>> = found.into_iter().collect();
        let positions = positions.ok_or_else(|| {
            Error::Internal("a commit is not in the history that was built for it".to_owned())
        })?;
        ask(commits, &positions)
    }

    /// Where derived files are kept.
    pub(super) fn cache(&self) -> Cache {
        let folder = &self.location.folder;
        Cache::new(local::cache(folder), local::temporaries(folder))
    }
}
