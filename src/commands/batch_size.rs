//! How many states a batch has, so that the event log takes each batch at once.

use offshoot_aggregates::environment::CloneReader;
use serde::Serialize;

use super::clones::CloneRejection;
use crate::limits::{CLONE_BATCH_ENVELOPE_BYTES, CLONE_BATCH_SIZE};

/// The greatest batch size, at most [`CLONE_BATCH_SIZE`], with which no batch has more bytes than the log takes at once; 1 if
/// even single states have.
///
/// # Errors
/// The source cannot be copied as it is.
pub(super) fn batch_size(mut reader: CloneReader, append_bytes_max: usize) -> Result<u32, CloneRejection> {
    let mut sizes = Vec::new();
    loop {
        let states = reader.next_batch(CLONE_BATCH_SIZE as usize)?;
        if states.is_empty() {
            break;
        }
        sizes.extend(sizes_of(&states));
    }
    Ok(fitting(&sizes, append_bytes_max.saturating_sub(CLONE_BATCH_ENVELOPE_BYTES)))
}

/// How many bytes each of some items is as JSON, with the comma between two.
pub(super) fn sizes_of<T: Serialize>(items: &[T]) -> impl Iterator<Item = usize> {
    items.iter().map(|item| serde_json::to_string(item).map_or(0, |text| text.len() + 1))
}

/// The greatest batch size, a half of a half of … [`CLONE_BATCH_SIZE`], with which no batch of items of these sizes has more bytes;
/// 1 if even single items have.
pub(super) fn fitting(sizes: &[usize], bytes_max: usize) -> u32 {
    let halves = std::iter::successors(Some(CLONE_BATCH_SIZE), |size| Some(size / 2).filter(|half| *half > 0));
    let fits = |size: &u32| sizes.chunks(*size as usize).all(|batch| batch.iter().sum::<usize>() <= bytes_max);
    halves.into_iter().find(fits).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::fitting;
    use crate::limits::CLONE_BATCH_SIZE;

    #[test]
    fn batches_are_halved_until_each_of_them_fits() {
        assert_eq!(fitting(&[], 10), CLONE_BATCH_SIZE);
        assert_eq!(fitting(&[1; 2_000], CLONE_BATCH_SIZE as usize), CLONE_BATCH_SIZE);
        assert_eq!(fitting(&[1; 2_000], CLONE_BATCH_SIZE as usize - 1), CLONE_BATCH_SIZE / 2);
        let mut sizes = vec![1; 2_000];
        sizes[1_000] = 100;
        assert_eq!(fitting(&sizes, 100), 1);
        assert_eq!(fitting(&sizes, 115), 15);
        assert_eq!(fitting(&[7], 3), 1);
    }
}
