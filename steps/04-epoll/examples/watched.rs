//! What one call costs where one descriptor is ready and all others are not:
//! `poll` and `epoll_wait`, with more and more descriptors to watch.

use std::io::{Result, Write, stdout};
use std::os::fd::AsFd;
use std::time::Instant;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::{
    Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout,
};
use nix::sys::eventfd::EventFd;
use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Calls of which the shortest is taken: the others were disturbed.
const CALLS: usize = 1_000;

/// Microseconds that `poll` takes.
fn with_poll(idle: &[EventFd], ready: &EventFd) -> f64 {
    let all = idle.iter().chain([ready]);
    let mut list: Vec<_> =
        all.map(|one| PollFd::new(one.as_fd(), PollFlags::POLLIN)).collect();
    shortest(|| poll(&mut list, PollTimeout::NONE) == Ok(1))
}

/// Microseconds that `epoll_wait` takes.
fn with_epoll(idle: &[EventFd], ready: &EventFd) -> Result<f64> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    for one in idle.iter().chain([ready]) {
        epoll.add(one, EpollEvent::new(EpollFlags::EPOLLIN, 0))?;
    }
    let mut events = [EpollEvent::empty(); 16];
    let mut wait = || epoll.wait(&mut events, EpollTimeout::NONE);
    Ok(shortest(|| wait() == Ok(1)))
}

fn shortest(mut call: impl FnMut() -> bool) -> f64 {
    let times = (0..CALLS).map(|_| {
        let start = Instant::now();
        assert!(call(), "one descriptor is ready");
        start.elapsed().as_secs_f64() * 1e6
    });
    times.fold(f64::INFINITY, f64::min)
}

fn main() -> Result<()> {
    let mut out = stdout();
    // As many descriptors as an ordinary user may have.
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE)?;
    setrlimit(Resource::RLIMIT_NOFILE, most, most)?;
    let ready = EventFd::from_value(1)?;
    writeln!(out, "{:>8}{:>12}{:>14}", "watched", "poll", "epoll_wait")?;
    for count in [1, 10, 100, 1_000, 10_000] {
        let idle: std::result::Result<Vec<_>, _> =
            (1..count).map(|_| EventFd::new()).collect();
        let idle = idle?;
        let (poll, epoll) =
            (with_poll(&idle, &ready), with_epoll(&idle, &ready)?);
        writeln!(out, "{count:>8}{poll:>9.1} µs{epoll:>11.1} µs")?;
    }
    Ok(())
}
