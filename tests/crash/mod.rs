//! What is stopped, damaged or raced for: old state or new, every damage found, nothing lost.

mod damage;
mod damage_folder;
mod damage_sample;
mod damage_store;
mod leases;
mod process;
mod processes;
mod race;
mod stopped;
