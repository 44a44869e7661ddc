//! Takes one `recv` for one message: the lab `framing`.

use std::os::fd::OwnedFd;

use blocking::{accept, recv, send_all};
use protocol::{Call, Frame, Result, ResultExt, reply};

pub(crate) fn serve(listener: &OwnedFd) -> Result<()> {
    loop {
        let (client, _) = accept(listener).context(Call::Accept)?;
        let mut buffer = [0; 1_023]; // the article's
        while let Ok(count @ 1..) = recv(&client, &mut buffer) {
            let line = buffer[..count].split(|&byte| byte == b'\n').next();
            let mut replies = Vec::new();
            reply(Frame::Line(line.unwrap_or_default()), &mut replies);
            if send_all(&client, &replies).is_err() {
                break;
            }
        }
    }
}
