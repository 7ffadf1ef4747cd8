//! Decisions: one file per operation, a request in and a report out; nothing here prints.

mod add;
mod artifacts;
mod bisect;
mod branch;
mod cat;
pub mod checkout;
mod commit;
mod commit_tree;
mod config;
mod data_diff;
pub mod date;
mod describe;
pub mod diff;
mod du;
mod error;
mod exchange;
mod fresh;
mod fsck;
mod gc;
mod halt;
mod hash;
mod history;
mod impact;
mod init;
mod intake;
mod keyed_diff;
mod keyed_documents;
mod lineage;
mod log;
mod ls;
mod merge_base;
mod paths;
pub mod ref_name;
mod refs;
mod repair;
mod repository;
mod reproduce;
mod restamp;
pub mod restore;
mod rev_list;
mod rev_parse;
pub mod revision;
pub mod rm;
mod rollback;
mod roots;
mod run;
mod run_declared;
mod run_diff;
mod runs;
#[cfg(test)]
mod sample;
mod selection;
mod series;
mod show;
mod source;
mod splits;
pub mod status;
pub mod table;
mod tag;
mod text_diff;
mod trouble;
mod undo;
mod union;
mod write_files;
mod write_out;

pub use crate::capture::process::StartError;
pub use crate::store::IngestFailure;
pub use crate::store::check::Affected;
pub use crate::worktree::head::Head;
pub use crate::worktree::scan::{Change, Problem, ProblemKind};
pub use crate::worktree::stamps::FileKind;
pub use add::{AddReport, AddRequest, add};
pub use bisect::{
    BisectReport, BisectRunRequest, BisectStartRequest, Bisection, Decision, Granularity,
    InputsOutcome, InputsReport, InputsRequest, InputsTest, MetricRule, Said, Side as BoundSide,
    TrialEvent, Tried, Unit, Verdict, bisect_inputs, bisect_next, bisect_replay, bisect_reset,
    bisect_run, bisect_say, bisect_start, bisect_state, bisect_view, first_ancestor, message,
};
pub use branch::{
    Branch, BranchCreateRequest, BranchDeleteRequest, BranchListReport, BranchRenameRequest,
    RefMoved, branch_create, branch_delete, branch_list, branch_rename,
};
pub use cat::cat;
pub use commit::{CommitReport, CommitRequest, Committed, commit};
pub use commit_tree::{CommitTreeReport, CommitTreeRequest, commit_tree};
pub use config::{
    ConfigReport, ConfigRequest, Origin, Setting, config_change, config_get, config_list,
};
pub use du::{DuReport, DuRequest, PathUsage, PathUsageTotal, du};
pub use error::{Error, ErrorKind};
pub use exchange::{
    DvcReport, DvcRequest, ExportReport, ExportRequest, ImportReport, ImportRequest, MlflowReport,
    MlflowRequest, export, import, import_dvc, import_mlflow,
};
pub use fsck::{FsckReport, FsckRequest, fsck};
pub use gc::{GcReport, GcRequest, gc};
pub use hash::{HashReport, HashRequest, hash_files};
pub use impact::{Affected as AffectedArtifact, ImpactReport, ImpactRequest, impact};
pub use init::{InitReport, InitRequest, init};
pub use keyed_diff::{DocumentLanguage, KeyChange, keyed_diff};
pub use lineage::{
    Direction, Edge, JournalPoint, LineageNode, LineageReport, LineageRequest, Link, LinkRole,
    lineage,
};
pub use log::{Label, LogCommit, LogFilter, LogRequest, LogRow, log, log_journal};
pub use ls::{LsRequest, ls};
pub use merge_base::{MergeBaseReport, MergeBaseRequest, is_ancestor, merge_base};
pub use refs::Refs;
pub use repair::Mend;
pub use repository::Repository;
pub use reproduce::{
    FileChange, Match, MetricMatch, OutputFile, OutputMatch, Part, ReproduceReport,
    ReproduceRequest, Reproduction, reproduce_begin,
};
pub use rev_list::{RevListRequest, rev_list, rev_list_bisect, rev_list_count};
pub use rev_parse::{RevParseRequest, RevParseRow, rev_parse};
pub use rollback::{RollbackReport, RollbackRequest, rollback};
pub use run::{
    Ran, RecoverReport, RunReport, RunRequest, Sibling, UnfinishedRun, keep_calls_going, run,
    run_recover, runs_unfinished,
};
pub use run_declared::{RunDeclaration, run_declared};
pub use run_diff::{RunDiff, ValueDiff, run_diff};
pub use runs::{Expression, Field, FoundRun, RunsRequest, runs};
pub use series::series;
pub use show::{ShowRequest, ShowRow, show};
pub use source::{
    SourceCheckReport, SourceCheckRequest, SourceChecked, SourceForgetRequest, SourceOutcome,
    SourceRow, SourceState, StaleSource, source_check, source_forget, source_list,
};
pub use splits::OverlapReport;
pub use tag::{Tag, TagCreateRequest, TagDeleteRequest, tag_create, tag_delete, tag_list};
pub use text_diff::{Hunk, Line, Side, TextDiff, is_binary, text_diff};
pub use undo::{UndoReport, UndoRequest, undo};

pub use crate::store::usage::Usage;
