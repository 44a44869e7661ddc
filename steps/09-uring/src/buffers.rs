//! A ring of buffers to receive into, which all clients share.
//!
//! An idle client has no buffer: the kernel takes one from the ring when bytes
//! have arrived, says in the completion which one it was, and we give it back.
//! `man 3 io_uring_register_buf_ring`.

use std::array;
use std::cell::UnsafeCell;
use std::io;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::Submitter;

/// The number by which operations name this ring of buffers.
pub(crate) const GROUP: u16 = 0;
/// Buffers in the ring: a power of two.
const COUNT: u16 = 1_024;
/// Bytes in each: what most requests need. A longer one takes several.
const SIZE: usize = 256;

/// `struct io_uring_buf`. In the first entry of the ring the last field is the
/// ring's tail: how many buffers were ever put in.
// ANCHOR: entry
#[derive(Debug, Default)]
#[repr(C)]
struct Entry {
    address: u64,
    length: u32,
    id: u16,
    tail: AtomicU16,
}

/// The kernel wants the entries to begin with a page of memory.
#[derive(Debug)]
#[repr(C, align(4096))]
struct Entries([Entry; COUNT as usize]);

/// The buffers, and the ring by which they are put at the kernel's disposal.
#[derive(Debug)]
pub(crate) struct Buffers {
    entries: Box<Entries>,
    memory: Box<[UnsafeCell<[u8; SIZE]>]>,
    tail: u16,
}

/// A buffer that the kernel has filled and left to us. It can be given back
/// once: to give it back takes it.
#[derive(Debug)]
#[must_use = "a buffer that is not given back is lost"]
pub(crate) struct Filled {
    id: u16,
    len: usize,
}
// ANCHOR_END: entry

impl Buffers {
    /// A full ring.
    pub(crate) fn new() -> Self {
        let entries = Entries(array::from_fn(|_| Entry::default()));
        let memory = (0..COUNT).map(|_| UnsafeCell::new([0; SIZE])).collect();
        let mut new = Self { entries: Box::new(entries), memory, tail: 0 };
        (0..COUNT).for_each(|id| new.give_back(Filled { id, len: 0 }));
        new
    }

    /// Tells the kernel where the ring is.
    ///
    /// # Errors
    /// EINVAL before Linux 5.19, ENOMEM.
    ///
    /// # Safety
    /// The ring and its buffers stay where they are until the rings of
    /// `submitter` are gone, or nothing is in flight that receives.
    #[expect(unsafe_code, reason = "the kernel keeps the address")]
    pub(crate) unsafe fn register(
        &self,
        submitter: &Submitter<'_>,
    ) -> io::Result<()> {
        let address = (&raw const *self.entries).expose_provenance() as u64;
        // SAFETY: promised by the caller; the ring has COUNT entries.
        unsafe {
            submitter.register_buf_ring_with_flags(address, COUNT, GROUP, 0)
        }
    }

    /// The buffer that a completion with these numbers has left to us.
    pub(crate) fn filled(id: u16, len: usize) -> Filled {
        Filled { id: id % COUNT, len: len.min(SIZE) }
    }

    /// The bytes that were received.
    // ANCHOR: use
    #[expect(unsafe_code, reason = "the kernel writes to this memory")]
    pub(crate) fn bytes(&self, filled: &Filled) -> &[u8] {
        let buffer = self.memory[usize::from(filled.id)].get();
        // SAFETY: between the completion and `give_back`, which takes `filled`
        // away, the kernel does not write to this buffer.
        let bytes: &[u8; SIZE] = unsafe { &*buffer };
        &bytes[..filled.len]
    }

    /// Puts the buffer at the kernel's disposal again.
    pub(crate) fn give_back(&mut self, filled: Filled) {
        let id = usize::from(filled.id);
        let entry = &mut self.entries.0[usize::from(self.tail % COUNT)];
        entry.address = self.memory[id].get().expose_provenance() as u64;
        entry.length = SIZE as u32;
        entry.id = filled.id;
        self.tail = self.tail.wrapping_add(1);
        // Release: the kernel sees the entry before it sees that it is there.
        self.entries.0[0].tail.store(self.tail, Ordering::Release);
    }
    // ANCHOR_END: use
}
