//! The open connections, and which of them something has happened to.

use std::collections::VecDeque;

use crate::connection::Connection;

/// The open connections, by descriptor.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    /// Boxed, so that an empty place is a pointer.
    by_fd: Vec<Option<Box<Connection>>>,
    open: usize,
    touched: VecDeque<u32>,
}

impl Connections {
    /// How many there are.
    pub(crate) fn open(&self) -> usize {
        self.open
    }

    /// Adds one, whose descriptor is not there yet.
    pub(crate) fn insert(&mut self, connection: Connection) {
        let index = connection.token() as usize;
        if self.by_fd.len() <= index {
            self.by_fd.resize_with(index + 1, || None);
        }
        self.by_fd[index] = Some(Box::new(connection));
        self.open += 1;
    }

    pub(crate) fn get(&mut self, fd: u32) -> Option<&mut Connection> {
        self.by_fd.get_mut(fd as usize)?.as_deref_mut()
    }

    /// Something happens to this one: what it wants next is for
    /// [`next_touched`](Self::next_touched).
    pub(crate) fn touch(&mut self, fd: u32) -> Option<&mut Connection> {
        let connection = self.by_fd.get_mut(fd as usize)?.as_deref_mut()?;
        if !connection.is_touched {
            connection.is_touched = true;
            self.touched.push_back(fd);
        }
        Some(connection)
    }

    /// Of how many [`next_touched`](Self::next_touched) will tell.
    pub(crate) fn touched(&self) -> usize {
        self.touched.len()
    }

    /// The next of those to which something has happened.
    pub(crate) fn next_touched(&mut self) -> Option<u32> {
        self.touched.pop_front()
    }

    pub(crate) fn remove(&mut self, fd: u32) -> Option<Connection> {
        let connection = self.by_fd.get_mut(fd as usize)?.take()?;
        self.open -= 1;
        Some(*connection)
    }

    /// The numbers among which all of theirs are.
    pub(crate) fn descriptors(&self) -> std::ops::Range<u32> {
        0..self.by_fd.len() as u32
    }
}
