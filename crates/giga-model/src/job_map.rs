//! Values by job: a page is freed when all its jobs are gone, so that memory follows what lives.

use std::collections::VecDeque;

use crate::ids::JobId;
use crate::image::{Image, ImageError, Source};

/// Small, since one long job keeps its whole page.
const PAGE: u64 = 64;
/// Between the oldest and the newest job of an image: 134 million jobs. Bounds what a false number can make it reserve.
const PAGES_MAX: usize = 1 << 21;

#[derive(Debug, Clone)]
struct Page<T> {
    live: u32,
    slots: Box<[Option<T>]>,
}

/// A map from jobs, whose numbers are given out in order, to values that come and go.
#[derive(Debug, Clone)]
pub struct JobMap<T> {
    pages: VecDeque<Option<Page<T>>>,
    /// The number of pages dropped at the front.
    dropped: u64,
    live: usize,
}

impl<T> Default for JobMap<T> {
    fn default() -> Self {
        Self { pages: VecDeque::new(), dropped: 0, live: 0 }
    }
}

impl<T> JobMap<T> {
    fn page_of(&self, job: JobId) -> Option<usize> {
        usize::try_from((job.0 / PAGE).checked_sub(self.dropped)?).ok()
    }

    /// The value of a job.
    #[must_use]
    pub fn get(&self, job: JobId) -> Option<&T> {
        let page = self.pages.get(self.page_of(job)?)?.as_ref()?;
        page.slots[(job.0 % PAGE) as usize].as_ref()
    }

    /// The value of a job, to change it.
    pub fn get_mut(&mut self, job: JobId) -> Option<&mut T> {
        let page = self.page_of(job)?;
        let page = self.pages.get_mut(page)?.as_mut()?;
        page.slots[(job.0 % PAGE) as usize].as_mut()
    }

    /// Whether an image may go on with a value of this job: images list jobs in order and leave no gap that is out of
    /// all proportion.
    #[must_use]
    pub fn may_follow(&self, job: JobId) -> bool {
        let last = self.pages.len().checked_sub(1);
        let Some(last) = last else { return true };
        let page = self.page_of(job);
        page.is_some_and(|page| page >= last && page < PAGES_MAX) && self.get(job).is_none()
    }

    /// Gives a job its value.
    ///
    /// # Panics
    /// Panics when it has one.
    pub fn insert(&mut self, job: JobId, value: T) {
        if self.pages.is_empty() {
            self.dropped = job.0 / PAGE;
        }
        while job.0 / PAGE < self.dropped {
            self.pages.push_front(None);
            self.dropped -= 1;
        }
        let place = self.page_of(job).expect("the first page is at most this one");
        while self.pages.len() <= place {
            self.pages.push_back(None);
        }
        let empty = || Page { live: 0, slots: (0..PAGE).map(|_| None).collect() };
        let page = self.pages[place].get_or_insert_with(empty);
        let slot = &mut page.slots[(job.0 % PAGE) as usize];
        assert!(slot.is_none(), "job {job} has a value already");
        *slot = Some(value);
        page.live += 1;
        self.live += 1;
    }

    /// Takes the value of a job out.
    pub fn remove(&mut self, job: JobId) -> Option<T> {
        let place = self.page_of(job)?;
        let entry = self.pages.get_mut(place)?;
        let page = entry.as_mut()?;
        let value = page.slots[(job.0 % PAGE) as usize].take()?;
        page.live -= 1;
        self.live -= 1;
        if page.live == 0 {
            *entry = None;
        }
        // The last page stays, so that the numbers after it keep their place.
        while self.pages.len() > 1 && self.pages.front().is_some_and(Option::is_none) {
            self.pages.pop_front();
            self.dropped += 1;
        }
        Some(value)
    }

    /// How many jobs have a value.
    #[must_use]
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether no job has a value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// All values in the order of their jobs.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages.iter().flatten().flat_map(|page| page.slots.iter().flatten())
    }
}

impl<T: Image> Image for JobMap<T> {
    fn write(&self, out: &mut Vec<u8>) {
        (self.live as u64).write(out);
        for (place, page) in self.pages.iter().enumerate() {
            let first = (self.dropped + place as u64) * PAGE;
            let slots = page.iter().flat_map(|page| page.slots.iter().zip(first..));
            for (slot, number) in slots {
                if let Some(value) = slot {
                    JobId(number).write(out);
                    value.write(out);
                }
            }
        }
    }
    fn read(source: &mut Source<'_>) -> Result<Self, ImageError> {
        let mut map = Self::default();
        for _ in 0..u64::read(source)? {
            let (job, value) = (JobId::read(source)?, T::read(source)?);
            if !map.may_follow(job) {
                return Err(source.bad_tag(0));
            }
            map.insert(job, value);
        }
        Ok(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_given_up_when_their_values_are_gone() {
        let mut map = JobMap::default();
        for number in 0..10 * PAGE {
            map.insert(JobId(number), number);
            if number >= 10 {
                assert_eq!(map.remove(JobId(number - 10)), Some(number - 10));
            }
        }
        assert_eq!(map.len(), 10);
        assert_eq!(map.pages.len(), 1);
        assert_eq!(map.get(JobId(5)), None);
        assert_eq!(map.get(JobId(10 * PAGE - 1)), Some(&(10 * PAGE - 1)));
        assert_eq!(map.iter().count(), 10);
        let bytes = crate::image::to_bytes(&map);
        let again: JobMap<u64> = crate::image::from_bytes(&bytes).expect("an image reads back");
        assert!(again.iter().eq(map.iter()));
    }
}
