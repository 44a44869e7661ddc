//! From an offset in a program's file, which is what `strace -k` prints, to
//! the address that its line table uses. `man 5 elf`.

use std::fs;
use std::path::Path;

/// A part of the file that is mapped into memory: offset, size, address.
type Segment = (u64, u64, u64);

/// `PT_LOAD`
const LOAD: u32 = 1;

/// The segments of a 64-bit program; none of another.
pub(crate) fn segments(program: &Path) -> Vec<Segment> {
    let file = fs::read(program).unwrap_or_default();
    read(&file).unwrap_or_default()
}

fn read(file: &[u8]) -> Option<Vec<Segment>> {
    let is_64_bit = file.starts_with(b"\x7fELF\x02");
    let table = usize::try_from(number(file, 0x20)?).ok()?;
    let size = usize::from(short(file, 0x36)?);
    let count = usize::from(short(file, 0x38)?);
    let headers = (0..count).map(|index| table + index * size);
    let load = |at: &usize| word(file, *at) == Some(LOAD);
    is_64_bit.then(|| {
        let loaded = headers.filter(load).filter_map(|at| {
            let (offset, size) = (at + 0x08, at + 0x20);
            let address = number(file, at + 0x10)?;
            Some((number(file, offset)?, number(file, size)?, address))
        });
        loaded.collect()
    })
}

/// The address of what stands at `offset` in the file.
pub(crate) fn address(segments: &[Segment], offset: u64) -> u64 {
    let found = segments
        .iter()
        .find(|(from, size, _)| (*from..from + size).contains(&offset));
    found.map_or(offset, |(from, _, address)| offset - from + address)
}

fn bytes<const N: usize>(file: &[u8], at: usize) -> Option<[u8; N]> {
    file.get(at..at + N)?.try_into().ok()
}

fn number(file: &[u8], at: usize) -> Option<u64> {
    bytes(file, at).map(u64::from_le_bytes)
}

fn word(file: &[u8], at: usize) -> Option<u32> {
    bytes(file, at).map(u32::from_le_bytes)
}

fn short(file: &[u8], at: usize) -> Option<u16> {
    bytes(file, at).map(u16::from_le_bytes)
}
