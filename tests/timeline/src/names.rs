//! What a descriptor is: the listener, a client, the epoll set.

use std::collections::HashMap;

use crate::model::Step;
use crate::strace::Raw;

/// A descriptor that we follow.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Thing {
    Socket,
    Listener,
    Epoll,
    Client(String),
}

/// What the numbers mean at a time.
#[derive(Debug)]
pub(crate) struct Names {
    things: HashMap<i32, Thing>,
    /// What an epoll event carries, and whose event it is.
    tokens: HashMap<String, String>,
    ports: HashMap<u16, String>,
    /// Clients that were met and whose ports we did not know.
    strangers: usize,
}

impl Names {
    /// With the names of the clients that are known, by port.
    pub(crate) fn new(ports: HashMap<u16, String>) -> Self {
        let (things, tokens) = (HashMap::new(), HashMap::new());
        Self { things, tokens, ports, strangers: 0 }
    }

    /// Whether `call` is on a socket that has no client, or makes one.
    pub(crate) fn is_socket(&self, call: &Raw) -> bool {
        let name = call.name.as_str();
        if name == "socket" {
            return call.args.starts_with("AF_INET");
        }
        let thing = call.fd().and_then(|fd| self.things.get(&fd));
        ["bind", "listen", "setsockopt", "shutdown", "close"].contains(&name)
            && matches!(thing, Some(Thing::Socket | Thing::Listener))
    }

    /// Says in `step` which client `call` concerns, and learns from it.
    pub(crate) fn attribute(&mut self, call: &Raw, step: &mut Step) {
        let name = call.name.as_str();
        let thing = call.fd().and_then(|fd| self.things.get(&fd)).cloned();
        if let Some(Thing::Client(client)) = &thing {
            step.client = Some(client.clone());
        }
        let returned = call.value().and_then(|value| i32::try_from(value).ok());
        match (name, returned) {
            ("socket", Some(fd)) if call.args.starts_with("AF_INET") => {
                self.things.insert(fd, Thing::Socket);
            }
            ("listen", Some(0)) => {
                let fd = call.fd().unwrap_or_default();
                self.things.insert(fd, Thing::Listener);
            }
            ("epoll_create1", Some(fd)) => {
                self.things.insert(fd, Thing::Epoll);
            }
            ("accept" | "accept4", Some(fd)) if fd >= 0 => {
                let client = self.client(call);
                step.client = Some(client.clone());
                self.things.insert(fd, Thing::Client(client));
            }
            ("close", _) if thing == Some(Thing::Listener) => {
                step.events = vec!["listener".into()];
            }
            // Another process may follow, with the same numbers.
            ("exit_group", _) => self.things.clear(),
            ("epoll_ctl", _) => self.control(call, step),
            ("epoll_wait" | "epoll_pwait", _) => {
                step.events = self.events(&call.args);
            }
            _ => {}
        }
    }

    /// To be called when all of `call` is known: its descriptor is free again.
    fn client(&mut self, call: &Raw) -> String {
        let port = call.after("htons(").and_then(|port| port.parse().ok());
        if let Some(name) = port.and_then(|port: u16| self.ports.get(&port)) {
            return name.clone();
        }
        let index = self.strangers;
        self.strangers += 1;
        let letter = char::from(b'A' + u8::try_from(index % 26).unwrap_or(0));
        match index / 26 {
            0 => letter.to_string(),
            round => format!("{letter}{round}"),
        }
    }

    /// `epoll_ctl(5, EPOLL_CTL_ADD, 6, {events=…, data={u32=6, u64=6}})`
    fn control(&mut self, call: &Raw, step: &mut Step) {
        let fd = call.args.split(", ").nth(2).and_then(|fd| fd.parse().ok());
        let name = match fd.and_then(|fd: i32| self.things.get(&fd)) {
            Some(Thing::Client(client)) => {
                step.client = Some(client.clone());
                client.clone()
            }
            Some(Thing::Listener | Thing::Socket) => "listener".into(),
            _ => "signals".into(),
        };
        if let Some(token) = call.after("u64=") {
            self.tokens.insert(token.to_owned(), name.clone());
        }
        step.events = vec![name];
    }

    /// `epoll_wait(5, [{events=EPOLLIN, data={u32=6, u64=6}}, …], 1024, -1)`
    fn events(&self, args: &str) -> Vec<String> {
        let tokens = args.split("u64=").skip(1);
        let tokens = tokens.filter_map(|rest| rest.split('}').next());
        let name = |token| self.tokens.get(token).cloned();
        tokens.map(|t| name(t).unwrap_or_else(|| "?".into())).collect()
    }
}
