//! Descriptors for thousands of clients. `man 2 getrlimit`.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// More than this no case asks for.
const PLENTY: u64 = 8_192;

/// Raises this process's limit on open files so that there is room for `count`,
/// as far as it may, and says for how many there is room. A server that we
/// start from then on inherits the limit.
#[must_use]
pub fn room_for(count: usize) -> usize {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return 0 };
    let wanted = (count as u64).min(hard);
    let raised = soft < wanted
        && setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).is_ok();
    let now = if raised { wanted } else { soft };
    usize::try_from(now).unwrap_or(usize::MAX)
}

/// Raises this process's limit on open files as far as it may, and says
/// whether there are `count`: if not, why not. A server that we start inherits
/// the limit.
#[must_use]
pub fn too_few_for(count: u64) -> Option<String> {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else {
        return Some("the limit on open files is unknown".into());
    };
    let wanted = PLENTY.min(hard);
    if soft < wanted {
        // Where it fails the old limit counts.
        let _ = setrlimit(Resource::RLIMIT_NOFILE, wanted, hard);
    }
    let now = getrlimit(Resource::RLIMIT_NOFILE).map_or(soft, |(soft, _)| soft);
    (now < count).then(|| {
        format!("needs {count} open files, and ulimit -n allows {now}")
    })
}
