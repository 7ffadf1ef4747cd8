//! The filter that stops calls which open or name files, and lets all others run at full speed.
//!
//! Source: seccomp(2); the kernel's tables of system calls (`arch/*/entry/syscalls/*.tbl`).

use libc::{BPF_ABS, BPF_ALU, BPF_AND, BPF_JEQ, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W};
use libc::{SECCOMP_RET_ALLOW, SECCOMP_RET_USER_NOTIF, sock_filter};

/// A call that stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Open,
    OpenAt,
    OpenAt2,
    Creat,
    Exec,
    ExecAt,
    Rename,
    RenameAt,
    RenameAt2,
    Link,
    LinkAt,
    Symlink,
    SymlinkAt,
    Truncate,
    OpenByHandle,
    IoUringSetup,
}

/// The calls of one architecture, `AUDIT_ARCH_…` of linux/audit.h.
#[derive(Debug)]
pub(super) struct Table {
    arch: u32,
    /// Bits of a number that count.
    mask: u32,
    calls: &'static [(u32, Name)],
}

/// Native calls, and those of 32-bit programs.
#[cfg(target_arch = "x86_64")]
pub(super) const TABLES: &[Table] = &[
    // Programs of x32 set bit 30, and have two numbers of their own.
    Table {
        arch: 0xc000_003e,
        mask: !0x4000_0000,
        calls: &[
            (2, Name::Open),
            (59, Name::Exec),
            (76, Name::Truncate),
            (82, Name::Rename),
            (85, Name::Creat),
            (86, Name::Link),
            (88, Name::Symlink),
            (257, Name::OpenAt),
            (264, Name::RenameAt),
            (265, Name::LinkAt),
            (266, Name::SymlinkAt),
            (304, Name::OpenByHandle),
            (316, Name::RenameAt2),
            (322, Name::ExecAt),
            (425, Name::IoUringSetup),
            (437, Name::OpenAt2),
            (520, Name::Exec),
            (545, Name::ExecAt),
        ],
    },
    Table {
        arch: 0x4000_0003,
        mask: u32::MAX,
        calls: &[
            (5, Name::Open),
            (8, Name::Creat),
            (9, Name::Link),
            (11, Name::Exec),
            (38, Name::Rename),
            (83, Name::Symlink),
            (92, Name::Truncate),
            (193, Name::Truncate),
            (295, Name::OpenAt),
            (302, Name::RenameAt),
            (303, Name::LinkAt),
            (304, Name::SymlinkAt),
            (342, Name::OpenByHandle),
            (353, Name::RenameAt2),
            (358, Name::ExecAt),
            (425, Name::IoUringSetup),
            (437, Name::OpenAt2),
        ],
    },
];

/// Native calls, and those of 32-bit programs.
#[cfg(target_arch = "aarch64")]
pub(super) const TABLES: &[Table] = &[
    Table {
        arch: 0xc000_00b7,
        mask: u32::MAX,
        calls: &[
            (36, Name::SymlinkAt),
            (37, Name::LinkAt),
            (38, Name::RenameAt),
            (45, Name::Truncate),
            (56, Name::OpenAt),
            (221, Name::Exec),
            (265, Name::OpenByHandle),
            (276, Name::RenameAt2),
            (281, Name::ExecAt),
            (425, Name::IoUringSetup),
            (437, Name::OpenAt2),
        ],
    },
    Table {
        arch: 0x4000_0028,
        mask: u32::MAX,
        calls: &[
            (5, Name::Open),
            (8, Name::Creat),
            (9, Name::Link),
            (11, Name::Exec),
            (38, Name::Rename),
            (83, Name::Symlink),
            (92, Name::Truncate),
            (193, Name::Truncate),
            (322, Name::OpenAt),
            (329, Name::RenameAt),
            (330, Name::LinkAt),
            (331, Name::SymlinkAt),
            (371, Name::OpenByHandle),
            (382, Name::RenameAt2),
            (387, Name::ExecAt),
            (425, Name::IoUringSetup),
            (437, Name::OpenAt2),
        ],
    },
];

/// Nothing is known of other architectures: they are refused.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(super) const TABLES: &[Table] = &[];

/// Finds which call a number is.
pub(super) fn name_of(arch: u32, number: i32) -> Option<Name> {
    let table = TABLES.iter().find(|table| table.arch == arch)?;
    let number = number.cast_unsigned() & table.mask;
    table.calls.iter().find(|(known, _)| *known == number).map(|(_, name)| *name)
}

/// Where `struct seccomp_data` has the number of the call, and its architecture.
const NUMBER_OFFSET: u32 = 0;
const ARCH_OFFSET: u32 = 4;

/// Makes the program: what is on none of the tables runs as if there were no filter.
pub(super) fn program() -> Vec<sock_filter> {
    let mut program = vec![step(BPF_LD | BPF_W | BPF_ABS, ARCH_OFFSET)];
    for table in TABLES {
        let mut block = vec![
            step(BPF_LD | BPF_W | BPF_ABS, NUMBER_OFFSET),
            step(BPF_ALU | BPF_AND | BPF_K, table.mask),
        ];
        for (at, (number, _)) in table.calls.iter().enumerate() {
            // Over the other comparisons and the one that allows.
            block.push(jump(*number, table.calls.len() - at, 0));
        }
        block.push(step(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
        block.push(step(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
        program.push(jump(table.arch, 0, block.len()));
        program.extend(block);
    }
    program.push(step(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    program
}

fn step(code: u32, k: u32) -> sock_filter {
    sock_filter { code: u16::try_from(code).expect("codes have 16 bits"), jt: 0, jf: 0, k }
}

fn jump(equal_to: u32, then: usize, otherwise: usize) -> sock_filter {
    let distance = |steps| u8::try_from(steps).expect("a table has few calls");
    let jump = step(BPF_JMP | BPF_JEQ | BPF_K, equal_to);
    sock_filter { jt: distance(then), jf: distance(otherwise), ..jump }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a program as bpf(4) says, over a number and an architecture.
    fn verdict(program: &[sock_filter], arch: u32, number: u32) -> u32 {
        let (mut at, mut held) = (0, 0);
        loop {
            let step = program[at];
            at += 1;
            match u32::from(step.code) {
                code if code == BPF_LD | BPF_W | BPF_ABS => {
                    held = if step.k == ARCH_OFFSET { arch } else { number };
                }
                code if code == BPF_ALU | BPF_AND | BPF_K => held &= step.k,
                code if code == BPF_JMP | BPF_JEQ | BPF_K => {
                    at += usize::from(if held == step.k { step.jt } else { step.jf });
                }
                code if code == BPF_RET | BPF_K => return step.k,
                code => panic!("unknown step {code}"),
            }
        }
    }

    #[test]
    fn exactly_the_calls_of_the_tables_stop() {
        let program = program();
        for table in TABLES {
            for number in 0..1000 {
                let is_named = name_of(table.arch, number).is_some();
                let verdict = verdict(&program, table.arch, number.cast_unsigned());
                let expected = if is_named { SECCOMP_RET_USER_NOTIF } else { SECCOMP_RET_ALLOW };
                assert_eq!(verdict, expected, "{number}");
            }
        }
        assert_eq!(verdict(&program, 0x1234, 257), SECCOMP_RET_ALLOW);
    }

    #[test]
    fn native_numbers_are_those_of_the_system() {
        let native = TABLES.first().expect("this architecture is known").arch;
        for (number, name) in [
            (libc::SYS_openat, Name::OpenAt),
            (libc::SYS_openat2, Name::OpenAt2),
            (libc::SYS_execve, Name::Exec),
            (libc::SYS_execveat, Name::ExecAt),
            (libc::SYS_renameat2, Name::RenameAt2),
            (libc::SYS_linkat, Name::LinkAt),
            (libc::SYS_symlinkat, Name::SymlinkAt),
            (libc::SYS_truncate, Name::Truncate),
            (libc::SYS_open_by_handle_at, Name::OpenByHandle),
            (libc::SYS_io_uring_setup, Name::IoUringSetup),
        ] {
            assert_eq!(name_of(native, i32::try_from(number).unwrap()), Some(name));
        }
    }
}
