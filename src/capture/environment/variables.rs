//! The variables that may change what a run computes. All others stay out of the record.

use super::search::Variables;
use crate::capture::redact;
use crate::object::canonical::Object;

/// Most bytes of one value.
const VALUE_BYTES_MAX: usize = 4096;

/// Names that are recorded.
const NAMES: &[&str] = &[
    "CONDA_DEFAULT_ENV",
    "CONDA_PREFIX",
    "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_DEVICE_ORDER",
    "CUDA_HOME",
    "CUDA_LAUNCH_BLOCKING",
    "CUDA_VISIBLE_DEVICES",
    "CUDNN_DETERMINISTIC",
    "DATASETS_CACHE",
    "GPU_DEVICE_ORDINAL",
    "HIP_VISIBLE_DEVICES",
    "JULIA_NUM_THREADS",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "LOCAL_RANK",
    "LOCAL_WORLD_SIZE",
    "MASTER_ADDR",
    "MASTER_PORT",
    "NODE_RANK",
    "NUMEXPR_NUM_THREADS",
    "NVIDIA_TF32_OVERRIDE",
    "NVIDIA_VISIBLE_DEVICES",
    "PYTHONHASHSEED",
    "PYTHONNOUSERSITE",
    "PYTHONOPTIMIZE",
    "PYTHONPATH",
    "PYTORCH_ENABLE_MPS_FALLBACK",
    "RANK",
    "ROCR_VISIBLE_DEVICES",
    "SLURM_ARRAY_JOB_ID",
    "SLURM_ARRAY_TASK_ID",
    "SLURM_CLUSTER_NAME",
    "SLURM_CPUS_PER_TASK",
    "SLURM_GPUS",
    "SLURM_JOB_ID",
    "SLURM_JOB_NAME",
    "SLURM_JOB_NODELIST",
    "SLURM_JOB_PARTITION",
    "SLURM_NNODES",
    "SLURM_NODEID",
    "SLURM_NTASKS",
    "SLURM_PROCID",
    "SLURM_STEP_ID",
    "TOKENIZERS_PARALLELISM",
    "TRANSFORMERS_CACHE",
    "TRANSFORMERS_OFFLINE",
    "TZ",
    "VECLIB_MAXIMUM_THREADS",
    "VIRTUAL_ENV",
    "WORLD_SIZE",
    "PBS_JOBID",
    "LSB_JOBID",
    "JOB_ID",
];

/// Beginnings of names that are recorded.
const PREFIXES: &[&str] = &[
    "ACCELERATE_",
    "BLIS_",
    "DEEPSPEED_",
    "FLASH_ATTENTION_",
    "FSDP_",
    "GOTO_",
    "HF_",
    "JAX_",
    "KMP_",
    "MKL_",
    "NCCL_",
    "OMP_",
    "OPENBLAS_",
    "PYTORCH_",
    "TF_",
    "TORCH_",
    "TORCHINDUCTOR_",
    "VLLM_",
    "XLA_",
];

/// Chooses what is recorded, without secrets.
pub(super) fn choose(variables: &Variables) -> Object {
    let mut chosen = Object::new();
    for (name, value) in variables.iter() {
        let is_known =
            NAMES.contains(&name) || PREFIXES.iter().any(|start| name.starts_with(start));
        if is_known && value.len() <= VALUE_BYTES_MAX {
            chosen.set(name, redact::variable(name, value).into_owned());
        }
    }
    chosen
}
