//! What there is one of for each number, as long as it is there.

/// Values by a small number, such as a descriptor: the kernel always gives out
/// the lowest that is free.
#[derive(Debug)]
pub(crate) struct Table<T> {
    slots: Vec<Option<T>>,
    len: usize,
}

impl<T> Table<T> {
    pub(crate) fn new() -> Self {
        Self { slots: Vec::new(), len: 0 }
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The numbers among which all are that have a value.
    pub(crate) fn numbers(&self) -> std::ops::Range<usize> {
        0..self.slots.len()
    }

    pub(crate) fn get_mut(&mut self, number: usize) -> Option<&mut T> {
        self.slots.get_mut(number)?.as_mut()
    }

    /// Returns the value that had this number before.
    pub(crate) fn insert(&mut self, number: usize, value: T) -> Option<T> {
        if number >= self.slots.len() {
            self.slots.resize_with(number + 1, || None);
        }
        let old = self.slots[number].replace(value);
        self.len += usize::from(old.is_none());
        old
    }

    pub(crate) fn remove(&mut self, number: usize) -> Option<T> {
        let value = self.slots.get_mut(number)?.take()?;
        self.len -= 1;
        Some(value)
    }
}
