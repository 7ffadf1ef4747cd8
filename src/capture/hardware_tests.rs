//! Made-up machines, and this one.

use std::fs;
use std::time::{Duration, Instant};

use super::*;
use crate::object::{Author, Commit, Timestamp, tree::EMPTY_TREE};

/// A machine whose files are these.
fn machine(files: &[(&str, &str)]) -> System {
    let root = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::io::Write::write_all(&mut fs::File::create(path).unwrap(), content.as_bytes())
            .unwrap();
    }
    describe(root.path())
}

#[test]
fn a_machine_with_two_nvidia_cards() {
    let card = |model: &str, uuid: &str| {
        format!("Model: \t\t {model}\nIRQ:   \t\t 51\nGPU UUID: \t {uuid}\nBus Type: \t PCIe\n")
    };
    let found = machine(&[
        ("etc/os-release", "NAME=\"Debian\"\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n"),
        ("proc/cpuinfo", "processor\t: 0\nmodel name\t: AMD EPYC 9654\n"),
        ("proc/meminfo", "MemTotal:       24684092 kB\nMemFree: 1 kB\n"),
        ("sys/devices/system/cpu/online", "0-3,8,10-11\n"),
        ("proc/driver/nvidia/gpus/0000:41:00.0/information", &card("NVIDIA H100", "GPU-1b")),
        ("proc/driver/nvidia/gpus/0000:21:00.0/information", &card("NVIDIA A100", "GPU-??")),
        (
            "proc/driver/nvidia/version",
            "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19\nGCC version: \
             gcc version 12.2.0\n",
        ),
        ("usr/local/cuda/version.json", r#"{"cuda": {"name": "SDK", "version": "12.2.1"}}"#),
    ]);
    assert_eq!(found.os.as_deref(), Some("Debian GNU/Linux 12"));
    assert_eq!(found.cpu.as_deref(), Some("AMD EPYC 9654"));
    assert_eq!((found.cores, found.memory), (Some(7), Some(24_684_092 * 1024)));
    assert_eq!(found.driver.as_deref(), Some("535.104.05"));
    assert_eq!(found.cuda.as_deref(), Some("12.2.1"));
    let gpus = found.gpus.unwrap();
    assert_eq!((gpus[0].name.as_str(), &gpus[0].uuid), ("NVIDIA A100", &None));
    assert_eq!((gpus[1].name.as_str(), gpus[1].uuid.as_deref()), ("NVIDIA H100", Some("GPU-1b")));
}

#[test]
fn a_machine_with_one_amd_card_and_a_display() {
    let found = machine(&[
        ("sys/class/drm/card1/device/vendor", "0x1002\n"),
        ("sys/class/drm/card1/device/device", "0x740f\n"),
        ("sys/class/drm/card1/device/mem_info_vram_total", "68702699520\n"),
        ("sys/class/drm/card1-HDMI-A-1/device/vendor", "0x1002\n"),
        ("sys/class/drm/card0/device/vendor", "0x1a03\n"),
        ("sys/module/amdgpu/version", "6.3.6\n"),
        ("usr/local/cuda/version.txt", "CUDA Version 10.1.243\n"),
    ]);
    let name = "AMD device 0x740f".to_owned();
    let card = crate::object::Gpu { name, memory: Some(68_702_699_520), uuid: None };
    assert_eq!(found.gpus, Some(vec![card]));
    assert_eq!(found.driver.as_deref(), Some("6.3.6"));
    assert_eq!(found.cuda.as_deref(), Some("10.1.243"));
}

#[test]
fn nothing_and_nonsense_leave_fields_out() {
    let none = System { gpus: Some(Vec::new()), ..System::default() };
    assert_eq!(machine(&[]), none);
    let nonsense = [
        ("etc/os-release", "PRETTY_NAME=\"\u{1b}[2J\"\n"),
        ("proc/cpuinfo", "model name\t: \n"),
        ("proc/meminfo", "MemTotal: 99999999999999999999 kB\n"),
        ("sys/devices/system/cpu/online", "3-0\n"),
        ("proc/driver/nvidia/gpus/0/information", "Model: \t \n"),
        ("proc/driver/nvidia/version", "NVRM version: none\n"),
        ("usr/local/cuda/version.json", "{\"cuda\": 12}"),
    ];
    assert_eq!(machine(&nonsense), none);
}

#[test]
fn what_this_machine_says_may_stand_in_a_commit_and_is_said_fast() {
    let quickest = (0..20).map(|_| {
        let started = Instant::now();
        system();
        started.elapsed()
    });
    assert!(quickest.min().unwrap() < Duration::from_millis(1));
    let author = Author { name: "a".to_owned(), email: String::new() };
    let commit = Commit {
        tree: EMPTY_TREE,
        parents: Vec::new(),
        author,
        time: Timestamp(0),
        message: String::new(),
        system: system(),
        artifacts: Vec::new(),
        run: None,
        code: None,
        environment: None,
        fine_tune: None,
        overlaps: None,
    };
    assert!(commit.encode().is_ok());
    assert!(commit.system.kernel.is_some() && commit.system.cores.is_some());
}
