//! One page of memory for keys: locked against swapping where the system allows, wiped when dropped.

use std::fmt;

use zeroize::Zeroize;

const SIZE: usize = 4096;

#[repr(align(4096))]
struct Page([u8; SIZE]);

/// A page that holds keys of 32 bytes each.
pub(crate) struct LockedPage {
    // Declared before the page: unlocked while the page still exists, after `drop` has wiped it.
    guard: Option<region::LockGuard>,
    page: Box<Page>,
}

impl LockedPage {
    /// Bytes in a page.
    pub(crate) const SIZE: usize = SIZE;

    /// An empty page.
    pub(crate) fn new() -> Self {
        let page = Box::new(Page([0; SIZE]));
        let guard = match region::lock(page.0.as_ptr(), SIZE) {
            Ok(guard) => Some(guard),
            Err(error) => {
                tracing::warn!(%error, "keys cannot be locked in memory and might be swapped out; raise RLIMIT_MEMLOCK");
                None
            }
        };
        Self { guard, page }
    }

    /// Whether the system keeps the page out of swap.
    #[cfg(test)]
    pub(crate) fn is_locked(&self) -> bool {
        self.guard.is_some()
    }

    /// All bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.page.0
    }

    /// All bytes, to be filled.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.page.0
    }

    /// The key in a place.
    pub(crate) fn key(&self, place: usize) -> Option<&[u8; 32]> {
        self.page.0.as_chunks::<32>().0.get(place)
    }

    /// The key in a place, to be filled.
    pub(crate) fn key_mut(&mut self, place: usize) -> Option<&mut [u8; 32]> {
        self.page.0.as_chunks_mut::<32>().0.get_mut(place)
    }
}

impl Drop for LockedPage {
    fn drop(&mut self) {
        self.page.0.zeroize();
        drop(self.guard.take());
    }
}

impl fmt::Debug for LockedPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LockedPage(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_locked_and_has_room_for_128_keys() {
        let mut page = LockedPage::new();
        *page.key_mut(127).unwrap() = [7; 32];
        assert_eq!(page.key(127), Some(&[7; 32]));
        assert!(page.key(128).is_none() && page.key_mut(128).is_none());
        assert!(page.is_locked(), "one page is below every usual RLIMIT_MEMLOCK");
        assert_eq!(format!("{page:?}"), "LockedPage(redacted)");
    }
}
