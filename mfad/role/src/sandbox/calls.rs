//! Which system calls are made, by seccomp. Refused ones answer as on a kernel that never had them (`ENOSYS`), so
//! that libraries go the older way they know.
//!
//! A role that runs no programs has a list of what it may; everything new is refused. One that runs programs
//! cannot know what those need, and has a list of what no program needs that is no part of the system itself.

use std::collections::BTreeMap;

use nix::libc;
use seccompiler::{
    Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter_all_threads,
};

use super::{Rules, SandboxError};

/// A system call with the rules one of which has to fit; without any, it always does.
type Calls = BTreeMap<i64, Vec<SeccompRule>>;

/// Filters the calls of this process from now on, all threads. False where the kernel cannot.
pub(super) fn filter(rules: &Rules) -> Result<bool, SandboxError> {
    let Ok(machine) = TargetArch::try_from(std::env::consts::ARCH) else { return Ok(false) };
    let absent = SeccompAction::Errno(u32::try_from(libc::ENOSYS).unwrap_or_default());
    let filter = if rules.has_programs() {
        SeccompFilter::new(refused().map_err(Error::from)?, SeccompAction::Allow, absent, machine)
    } else {
        SeccompFilter::new(allowed(rules).map_err(Error::from)?, absent, SeccompAction::Allow, machine)
    };
    let program: seccompiler::BpfProgram = filter.and_then(TryInto::try_into).map_err(Error::from)?;
    match apply_filter_all_threads(&program) {
        Ok(()) => Ok(true),
        Err(Error::Seccomp(error)) if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EINVAL)) => {
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

fn allowed(rules: &Rules) -> Result<Calls, seccompiler::BackendError> {
    let mut calls: Calls = OWN.iter().chain(OLDER).map(|call| (number(*call), Vec::new())).collect();
    if rules.has_children() {
        calls.extend(CHILDREN.iter().map(|call| (number(*call), Vec::new())));
    }
    let network: &[libc::c_int] = if rules.has_network() { &[libc::AF_INET, libc::AF_INET6] } else { &[] };
    let families: Vec<_> = [libc::AF_UNIX].iter().chain(network).map(|family| word(*family)).collect();
    calls.insert(number(libc::SYS_socket), any_of(0, &families)?);
    calls.insert(number(libc::SYS_socketpair), any_of(0, &[word(libc::AF_UNIX)])?);
    calls.insert(number(libc::SYS_ioctl), any_of(1, &REQUESTS)?);
    calls.insert(number(libc::SYS_prctl), any_of(0, &OPTIONS.map(word))?);
    // Threads, and no processes. What the newer call is asked for cannot be seen, so it is refused.
    let thread = word(libc::CLONE_THREAD);
    calls.insert(number(libc::SYS_clone), vec![rule(0, SeccompCmpOp::MaskedEq(thread), thread)?]);
    // Signals and limits: one's own.
    calls.insert(number(libc::SYS_tgkill), any_of(0, &[u64::from(std::process::id())])?);
    calls.insert(number(libc::SYS_prlimit64), any_of(0, &[0])?);
    Ok(calls)
}

fn refused() -> Result<Calls, seccompiler::BackendError> {
    let mut calls: Calls = REFUSED.iter().map(|call| (number(*call), Vec::new())).collect();
    let condition = |family: libc::c_int| {
        SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, word(family))
    };
    let others = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6].into_iter().map(condition);
    calls.insert(number(libc::SYS_socket), vec![SeccompRule::new(others.collect::<Result<_, _>>()?)?]);
    let spaces = NAMESPACES.iter().map(|flag| rule(0, SeccompCmpOp::MaskedEq(word(*flag)), word(*flag)));
    calls.insert(number(libc::SYS_clone), spaces.collect::<Result<_, _>>()?);
    calls.insert(number(libc::SYS_prctl), any_of(0, &[word(libc::PR_SET_DUMPABLE)])?);
    Ok(calls)
}

fn any_of(argument: u8, values: &[u64]) -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    values.iter().map(|value| rule(argument, SeccompCmpOp::Eq, *value)).collect()
}

/// Of the lower half of an argument: the kernel looks at no more of these.
fn rule(argument: u8, how: SeccompCmpOp, value: u64) -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(argument, SeccompCmpArgLen::Dword, how, value)?])
}

#[allow(clippy::useless_conversion, reason = "it is the same type on some machines only")]
fn number(call: libc::c_long) -> i64 {
    call.into()
}

fn word(value: libc::c_int) -> u64 {
    u64::from(value.cast_unsigned())
}

/// Requests to files: whether they wait, whether they pass to programs, how much there is to read, whether they are a
/// terminal.
const REQUESTS: [u64; 5] = [libc::FIONBIO, libc::FIOCLEX, libc::FIONREAD, libc::TCGETS, libc::TIOCGWINSZ];

/// What is asked of oneself: names of threads and of memory. Never to be dumpable again.
const OPTIONS: [libc::c_int; 4] =
    [libc::PR_SET_NAME, libc::PR_GET_NAME, libc::PR_SET_VMA, libc::PR_GET_DUMPABLE];

const NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

/// Processes that were started before: to be told, ended, waited for.
const CHILDREN: [libc::c_long; 5] =
    [libc::SYS_kill, libc::SYS_pidfd_open, libc::SYS_pidfd_send_signal, libc::SYS_wait4, libc::SYS_waitid];

/// What the roles themselves do, the C library, SQLite and the modules of the account database within them.
const OWN: &[libc::c_long] = &[
    // Time and luck first: the kernel looks them up by number, but people read from the top.
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_getrandom,
    libc::SYS_gettimeofday,
    libc::SYS_nanosleep,
    libc::SYS_timerfd_create,
    libc::SYS_timerfd_gettime,
    libc::SYS_timerfd_settime,
    // Waiting.
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    libc::SYS_eventfd2,
    libc::SYS_futex,
    libc::SYS_futex_waitv,
    libc::SYS_inotify_add_watch,
    libc::SYS_inotify_init1,
    libc::SYS_inotify_rm_watch,
    libc::SYS_ppoll,
    libc::SYS_pselect6,
    libc::SYS_restart_syscall,
    libc::SYS_signalfd4,
    // Sockets, once there are some.
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_bind,
    libc::SYS_connect,
    libc::SYS_getpeername,
    libc::SYS_getsockname,
    libc::SYS_getsockopt,
    libc::SYS_recvfrom,
    libc::SYS_recvmmsg,
    libc::SYS_recvmsg,
    libc::SYS_sendmmsg,
    libc::SYS_sendmsg,
    libc::SYS_sendto,
    libc::SYS_setsockopt,
    libc::SYS_shutdown,
    // Files, as far as Landlock lets them be reached.
    libc::SYS_close,
    libc::SYS_close_range,
    libc::SYS_copy_file_range,
    libc::SYS_dup,
    libc::SYS_dup3,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_fadvise64,
    libc::SYS_fallocate,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fcntl,
    libc::SYS_fdatasync,
    libc::SYS_flock,
    libc::SYS_fstat,
    libc::SYS_fstatfs,
    libc::SYS_fsync,
    libc::SYS_ftruncate,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    libc::SYS_linkat,
    libc::SYS_lseek,
    libc::SYS_memfd_create,
    libc::SYS_mkdirat,
    libc::SYS_name_to_handle_at,
    libc::SYS_newfstatat,
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_pipe2,
    libc::SYS_pread64,
    libc::SYS_preadv,
    libc::SYS_pwrite64,
    libc::SYS_pwritev,
    libc::SYS_read,
    libc::SYS_readlinkat,
    libc::SYS_readv,
    libc::SYS_renameat2,
    libc::SYS_sendfile,
    libc::SYS_statfs,
    libc::SYS_statx,
    libc::SYS_umask,
    libc::SYS_unlinkat,
    libc::SYS_utimensat,
    libc::SYS_write,
    libc::SYS_writev,
    // Memory.
    libc::SYS_brk,
    libc::SYS_madvise,
    libc::SYS_mlock,
    libc::SYS_mlock2,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_msync,
    libc::SYS_munlock,
    libc::SYS_munmap,
    // Threads and signals, within this process.
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_get_robust_list,
    libc::SYS_getcpu,
    libc::SYS_membarrier,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigpending,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigsuspend,
    libc::SYS_rt_sigtimedwait,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_set_robust_list,
    libc::SYS_set_tid_address,
    libc::SYS_sigaltstack,
    // Who and where one is.
    libc::SYS_getegid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getgroups,
    libc::SYS_getpgid,
    libc::SYS_getpid,
    libc::SYS_getppid,
    libc::SYS_getresgid,
    libc::SYS_getresuid,
    libc::SYS_getrusage,
    libc::SYS_gettid,
    libc::SYS_getuid,
    libc::SYS_sysinfo,
    libc::SYS_times,
    libc::SYS_uname,
];

/// The same by older names that not all machines have.
#[cfg(target_arch = "x86_64")]
const OLDER: &[libc::c_long] = &[
    libc::SYS_access,
    libc::SYS_arch_prctl,
    libc::SYS_chmod,
    libc::SYS_dup2,
    libc::SYS_epoll_wait,
    libc::SYS_getdents,
    libc::SYS_getpgrp,
    libc::SYS_getrlimit,
    libc::SYS_link,
    libc::SYS_lstat,
    libc::SYS_mkdir,
    libc::SYS_open,
    libc::SYS_pipe,
    libc::SYS_poll,
    libc::SYS_readlink,
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_rmdir,
    libc::SYS_select,
    libc::SYS_stat,
    libc::SYS_time,
    libc::SYS_unlink,
];
#[cfg(target_arch = "aarch64")]
const OLDER: &[libc::c_long] = &[libc::SYS_renameat];
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const OLDER: &[libc::c_long] = &[];

/// What changes the system, looks into other processes, or has often been the way out of a sandbox.
const REFUSED: &[libc::c_long] = &[
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_adjtimex,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    // Its flags, which may ask for namespaces, cannot be seen; libraries fall back to the older call.
    libc::SYS_clone3,
    libc::SYS_delete_module,
    libc::SYS_fanotify_init,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kcmp,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_lookup_dcookie,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_nfsservctl,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_personality,
    libc::SYS_pidfd_getfd,
    libc::SYS_pivot_root,
    libc::SYS_process_madvise,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
];
