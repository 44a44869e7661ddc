//! A network of one's own, without root.
//!
//! In a new *user namespace* an ordinary process has a superuser's rights, over
//! nothing but what belongs to that namespace. One such thing is a new *network
//! namespace*: an own loopback interface, own ports, own settings, own
//! counters. Both are gone when their last process is. `man 7 user_namespaces`,
//! `man 7 network_namespaces`.

use std::fs;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Error, Result, anyhow, ensure};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, recv, send,
    socket,
};
use nix::unistd::{getegid, geteuid};
use std::os::fd::AsRawFd;

/// Puts this process into a network of its own, for good. To be called before
/// there is a second thread: `unshare` refuses it then. An error names the
/// setting that forbids it, and the process is where it was.
pub(crate) fn enter() -> Result<()> {
    // There is no way back, so a child tries first.
    let trial = Command::new("/proc/self/exe")
        .arg("try-network")
        .stderr(Stdio::null())
        .output()?;
    let reason = String::from_utf8_lossy(&trial.stdout);
    ensure!(trial.status.success(), "{}", reason.trim());
    unshare_all()
}

fn unshare_all() -> Result<()> {
    // In the new namespace a user that is not mapped would be `nobody`.
    let (user, group) = (geteuid(), getegid());
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)
        .map_err(forbidding_setting)?;
    write("/proc/self/setgroups", "deny")?;
    write("/proc/self/uid_map", &format!("{user} {user} 1"))?;
    write("/proc/self/gid_map", &format!("{group} {group} 1"))?;
    raise_loopback()
}

/// What the trial child does: its stdout says why it can't be done.
pub(crate) fn probe() -> ExitCode {
    // A harmless change of a setting, to see whether it can be made.
    let range = "/proc/sys/net/ipv4/ip_local_port_range";
    let tried = unshare_all().and_then(|()| write(range, "32768 60999"));
    let Err(reason) = tried else { return ExitCode::SUCCESS };
    crate::report::print(&format!("{reason:#}"));
    ExitCode::FAILURE
}

/// From a network of our own into another, empty one: no port is taken there,
/// and nothing is in TIME_WAIT. ENOSPC past `user.max_net_namespaces`.
pub(crate) fn renew() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNET).map_err(forbidding_setting)?;
    raise_loopback()
}

/// Changes a setting of our own network: `man 7 tcp`, `man 7 ip`.
pub(crate) fn set(name: &str, value: &str) -> Result<()> {
    write(&format!("/proc/sys/net/ipv4/{name}"), value)
}

fn write(path: &str, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| path.to_owned())
}

/// A new network has a loopback interface, and it is down. To raise it we send
/// the kernel a message, as `ip link set lo up` does. `man 7 rtnetlink`.
fn raise_loopback() -> Result<()> {
    const INTERFACE: i32 = 1; // `lo` is the first of each network
    let up = libc::IFF_UP.cast_unsigned();
    let kind = libc::RTM_NEWLINK;
    let flags = (libc::NLM_F_REQUEST | libc::NLM_F_ACK) as u16;
    let message = [
        &32_u32.to_ne_bytes()[..], // nlmsghdr: length of all
        &kind.to_ne_bytes(),       // change an interface
        &flags.to_ne_bytes(),
        &[0; 8], // sequence number and sender: none
        &[0; 4], // ifinfomsg: family and kind: any
        &INTERFACE.to_ne_bytes(),
        &up.to_ne_bytes(), // the new flags,
        &up.to_ne_bytes(), // and which of them to change
    ]
    .concat();
    acknowledged(&message).context("loopback can't be raised")
}

/// Sends a message to the kernel and reads what it says to it.
fn acknowledged(message: &[u8]) -> nix::Result<()> {
    let (family, protocol) =
        (AddressFamily::Netlink, SockProtocol::NetlinkRoute);
    let socket =
        socket(family, SockType::Raw, SockFlag::SOCK_CLOEXEC, protocol)?;
    send(socket.as_raw_fd(), message, MsgFlags::empty())?;
    let mut reply = [0; 128];
    recv(socket.as_raw_fd(), &mut reply, MsgFlags::empty())?;
    // An acknowledgement is an error message: behind 16 bytes of header stands
    // a negative errno, or 0.
    let error = [reply[16], reply[17], reply[18], reply[19]];
    match i32::from_ne_bytes(error) {
        0 => Ok(()),
        errno => Err(Errno::from_raw(-errno)),
    }
}

/// Names the setting that makes `unshare` fail.
fn forbidding_setting(errno: Errno) -> Error {
    let settings = [
        ("user/max_user_namespaces", "0"),
        ("user/max_net_namespaces", "0"),
        ("kernel/unprivileged_userns_clone", "0"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1"),
    ];
    for (name, forbidding) in settings {
        let value = fs::read_to_string(format!("/proc/sys/{name}"));
        if value.is_ok_and(|value| value.trim() == forbidding) {
            let name = name.replace('/', ".");
            return anyhow!("{name} is {forbidding}, see sysctl(8)");
        }
    }
    anyhow!("unshare(2) says {errno}; perhaps a container's seccomp filter")
}
