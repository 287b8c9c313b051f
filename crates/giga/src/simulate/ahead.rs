//! An iterator that is drawn from ahead of its use, on a thread of its own. The order stays what it was.

use std::sync::mpsc::{Receiver, sync_channel};

/// Items that travel together, and bundles that may wait.
const BUNDLE: usize = 1_024;
const WAITING: usize = 4;

/// The items of another iterator.
pub(super) struct Ahead<T> {
    bundles: Receiver<Vec<T>>,
    current: std::vec::IntoIter<T>,
}

impl<T: Send + 'static> Ahead<T> {
    /// Begins to draw. The thread ends with the items, or when nobody wants more of them.
    pub(super) fn of(mut items: impl Iterator<Item = T> + Send + 'static) -> Self {
        let (sender, bundles) = sync_channel(WAITING);
        std::thread::spawn(move || {
            loop {
                let bundle: Vec<T> = items.by_ref().take(BUNDLE).collect();
                if bundle.is_empty() || sender.send(bundle).is_err() {
                    return;
                }
            }
        });
        Self { bundles, current: Vec::new().into_iter() }
    }
}

impl<T> Iterator for Ahead<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        if let Some(item) = self.current.next() {
            return Some(item);
        }
        self.current = self.bundles.recv().ok()?.into_iter();
        self.current.next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_items_come_in_their_order() {
        assert!(Ahead::of(0..5_000).eq(0..5_000));
        assert_eq!(Ahead::of(std::iter::empty::<u8>()).next(), None);
        assert_eq!(Ahead::of(0..).nth(10_000), Some(10_000), "what nobody wants is not waited for");
    }
}
