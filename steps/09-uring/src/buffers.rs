//! A ring of buffers to receive into, which all clients share.
//!
//! An idle client has no buffer: the kernel takes one from the ring when bytes
//! have arrived, says in the completion which one it was, and we give it back.
//! `man 3 io_uring_register_buf_ring`.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU16, Ordering};
use std::{array, io};

use io_uring::{Submitter, cqueue};

use crate::operation::result;

/// The number by which operations name this ring of buffers.
pub(crate) const GROUP: u16 = 0;
/// Buffers in the ring: a power of two.
const COUNT: u16 = 1_024;
/// Bytes in each: what most requests need. A longer one takes several.
const SIZE: usize = 256;

/// `struct io_uring_buf`. In the first entry of the ring the last field is the
/// ring's tail: how many buffers were ever put in.
#[derive(Default)]
#[repr(C)]
struct Entry {
    address: u64,
    length: u32,
    id: u16,
    tail: AtomicU16,
}

/// The kernel wants the entries to begin with a page of memory: 4 KiB, or 16 or
/// 64 on some machines.
#[repr(C, align(65_536))]
struct Entries([Entry; COUNT as usize]);

/// The buffers, and the ring by which they are put at the kernel's disposal.
/// Their memory is never freed: the kernel may write to it as long as the
/// rings are there, and that is a little longer than we have them.
pub(crate) struct Buffers {
    entries: &'static mut Entries,
    memory: &'static [UnsafeCell<[u8; SIZE]>],
    tail: u16,
}

impl Buffers {
    /// A full ring, which the kernel knows.
    pub(crate) fn new(submitter: &Submitter<'_>) -> io::Result<Self> {
        let entries = Entries(array::from_fn(|_| Entry::default()));
        let memory = (0..COUNT).map(|_| UnsafeCell::new([0; SIZE]));
        let mut new = Self {
            entries: Box::leak(Box::new(entries)),
            memory: Vec::leak(memory.collect()),
            tail: 0,
        };
        (0..COUNT).for_each(|id| new.give_back(id));
        let address = (&raw const *new.entries).expose_provenance() as u64;
        // SAFETY: there are COUNT entries, and they are never freed.
        #[expect(unsafe_code, reason = "the kernel keeps the address")]
        unsafe {
            submitter.register_buf_ring_with_flags(address, COUNT, GROUP, 0)
        }?;
        Ok(new)
    }

    /// Lets `read` have the bytes that a completion has left in a buffer, or its
    /// error. Then the kernel may have that buffer again.
    #[expect(unsafe_code, reason = "the kernel writes to this memory")]
    pub(crate) fn read(
        &mut self,
        done: &cqueue::Entry,
        read: impl FnOnce(nix::Result<&[u8]>),
    ) {
        let Some(id) = cqueue::buffer_select(done.flags()) else {
            return read(result(done).map(|_| &[][..])); // 0 is the FIN
        };
        let buffer = self.memory[usize::from(id)].get();
        // SAFETY: from the completion until `give_back` the kernel does not
        // write to this buffer, and `bytes` is gone by then.
        let bytes: &[u8; SIZE] = unsafe { &*buffer };
        read(result(done).map(|count| &bytes[..count]));
        self.give_back(id);
    }

    fn give_back(&mut self, id: u16) {
        let entry = &mut self.entries.0[usize::from(self.tail % COUNT)];
        let buffer = self.memory[usize::from(id)].get();
        entry.address = buffer.expose_provenance() as u64;
        entry.length = SIZE as u32;
        entry.id = id;
        self.tail = self.tail.wrapping_add(1);
        // Release: the kernel sees the entry before it sees that it is there.
        self.entries.0[0].tail.store(self.tail, Ordering::Release);
    }
}
