//! A map from names, made for many small maps that are built once and read often.

use std::fmt;

use super::CimName;
use super::name::folded_hash;

/// A map from names that keeps declaration order, looks up in any case and numbers its entries:
/// the number (slot) of an entry never changes.
#[derive(Clone)]
pub struct NameMap<V> {
    entries: Vec<(CimName, V)>,
    /// A hash table with linear probing: slots of entries, or [`FREE`]. Its length is a power of two
    /// and at least twice the number of entries; there is none while a search costs less.
    table: Vec<u32>,
}

/// How many entries are searched one by one.
const SEARCHED_ENTRIES: usize = 8;

/// The place in the table is of no entry.
const FREE: u32 = u32::MAX;

impl<V> Default for NameMap<V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<V> NameMap<V> {
    /// An empty map.
    pub const fn new() -> Self {
        Self {
            entries: Vec::new(),
            table: Vec::new(),
        }
    }
    /// An empty map with room for so many entries.
    pub fn with_capacity(entries: usize) -> Self {
        Self {
            entries: Vec::with_capacity(entries),
            table: Vec::new(),
        }
    }
    /// The value under `name`, in any case.
    pub fn get(&self, name: &str) -> Option<&V> {
        self.at(self.slot(name)?)
    }
    /// The value under `name`, to change it in place.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut V> {
        let slot = self.slot(name)?;
        self.entries.get_mut(slot).map(|(_, value)| value)
    }
    /// The value under a name whose hash is known.
    pub fn under(&self, name: &CimName) -> Option<&V> {
        self.at(self.slot_under(name)?)
    }
    /// The slot of `name`, in any case.
    pub fn slot(&self, name: &str) -> Option<usize> {
        if self.table.is_empty() {
            let mut entries = self.entries.iter();
            return if name.is_ascii() {
                entries.position(|(key, _)| key.matches_ascii(name))
            } else {
                entries.position(|(key, _)| key.is(name))
            };
        }
        self.probe(folded_hash(name), |key| key.is(name))
    }
    /// The slot of a name whose hash is known.
    pub fn slot_under(&self, name: &CimName) -> Option<usize> {
        if self.table.is_empty() {
            return self.entries.iter().position(|(key, _)| key == name);
        }
        self.probe(name.hash(), |key| key == name)
    }
    /// The slot of `name`, in any case, which is soonest found where it is `from` or one of the next few.
    pub fn slot_near(&self, name: &str, from: usize) -> Option<usize> {
        let near = self.entries.iter().skip(from).take(SEARCHED_ENTRIES);
        let found = near
            .map(|(own, _)| own.as_str())
            .position(|own| own == name);
        found.map(|at| from + at).or_else(|| self.slot(name))
    }
    /// The value in slot `slot`.
    pub fn at(&self, slot: usize) -> Option<&V> {
        self.entries.get(slot).map(|(_, value)| value)
    }
    /// Adds `value`, or replaces the value that was under an equal name, keeping its slot.
    pub fn insert(&mut self, name: CimName, value: V) -> Option<V> {
        if let Some(slot) = self.slot_under(&name) {
            let (_, old) = self.entries.get_mut(slot)?;
            return Some(std::mem::replace(old, value));
        }
        self.push(name, value);
        None
    }
    /// The same names, each with what `value` makes of its value, and room for `more` entries.
    pub fn map_values<W>(&self, more: usize, value: impl Fn(&V) -> W) -> NameMap<W> {
        let mut entries = Vec::with_capacity(self.len() + more);
        let same = self.entries.iter();
        entries.extend(same.map(|(name, old)| (name.clone(), value(old))));
        let mut map = NameMap {
            entries,
            table: Vec::new(),
        };
        if map.entries.capacity() * 2 <= self.table.len() {
            map.table.clone_from(&self.table);
        } else {
            map.rebuild_table();
        }
        map
    }
    /// The value under `name`, which is there from now on.
    pub fn or_default(&mut self, name: &CimName) -> &mut V
    where
        V: Default,
    {
        let slot = self.slot_under(name).unwrap_or_else(|| {
            self.push(name.clone(), V::default());
            self.entries.len() - 1
        });
        &mut self.entries[slot].1
    }
    /// Whether an entry has this name, in any case.
    pub fn contains(&self, name: &str) -> bool {
        self.slot(name).is_some()
    }
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }
    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
    /// The entries in declaration order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&CimName, &V)> + DoubleEndedIterator {
        self.entries.iter().map(|(name, value)| (name, value))
    }
    /// The values in declaration order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &V> + DoubleEndedIterator {
        self.entries.iter().map(|(_, value)| value)
    }
    /// The values themselves in declaration order.
    pub fn into_values(self) -> impl ExactSizeIterator<Item = V> {
        self.entries.into_iter().map(|(_, value)| value)
    }
    /// The names in declaration order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &CimName> + DoubleEndedIterator {
        self.entries.iter().map(|(name, _)| name)
    }

    /// Adds an entry whose name there is none of.
    fn push(&mut self, name: CimName, value: V) {
        self.entries.push((name, value));
        if self.entries.len() * 2 > self.table.len() {
            self.rebuild_table();
        } else {
            self.enter(self.entries.len() - 1);
        }
    }

    /// The slot that the table has for a hash and that `is_wanted` accepts.
    fn probe(&self, hash: u32, is_wanted: impl Fn(&CimName) -> bool) -> Option<usize> {
        for at in self.places(hash) {
            let slot = *self.table.get(at)?;
            if slot == FREE {
                return None;
            }
            let slot = as_index(slot);
            let (key, _) = self.entries.get(slot)?;
            if key.hash() == hash && is_wanted(key) {
                return Some(slot);
            }
        }
        None
    }

    /// The places in the table where an entry of this hash may be, in the order of the search.
    fn places(&self, hash: u32) -> impl Iterator<Item = usize> + use<V> {
        let mask = self.table.len().wrapping_sub(1);
        let first = as_index(hash);
        (0..self.table.len()).map(move |step| first.wrapping_add(step) & mask)
    }

    fn rebuild_table(&mut self) {
        if self.entries.len() <= SEARCHED_ENTRIES {
            return;
        }
        let places = (self.entries.capacity() * 2).next_power_of_two();
        self.table = vec![FREE; places];
        for slot in 0..self.entries.len() {
            self.enter(slot);
        }
    }

    /// Puts the entry in `slot` into the table, which has room for it.
    fn enter(&mut self, slot: usize) {
        let Some((key, _)) = self.entries.get(slot) else {
            return;
        };
        let is_free = |at: &usize| self.table.get(*at) == Some(&FREE);
        let free = self.places(key.hash()).find(is_free);
        if let Some(place) = free.and_then(|at| self.table.get_mut(at)) {
            *place = u32::try_from(slot).expect("maps have fewer than 2^32 names");
        }
    }
}

fn as_index(number: u32) -> usize {
    usize::try_from(number).expect("pointers have 32 bits or more")
}

/// The same entries, in whatever order.
impl<V: PartialEq> PartialEq for NameMap<V> {
    fn eq(&self, other: &Self) -> bool {
        let same = |(slot, (name, value)): (usize, &(CimName, V))| {
            let theirs = match other.entries.get(slot) {
                Some((key, theirs)) if key == name => Some(theirs),
                _ => other.under(name),
            };
            theirs == Some(value)
        };
        self.len() == other.len() && self.entries.iter().enumerate().all(same)
    }
}

impl<V: fmt::Debug> fmt::Debug for NameMap<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<V> FromIterator<(CimName, V)> for NameMap<V> {
    fn from_iter<I: IntoIterator<Item = (CimName, V)>>(iter: I) -> Self {
        let entries = iter.into_iter();
        let mut map = Self::with_capacity(entries.size_hint().0);
        for (name, value) in entries {
            map.insert(name, value);
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: usize) -> CimName {
        CimName::new(&format!("Name{number}")).expect("a name")
    }

    #[test]
    fn names_are_found_in_any_case() {
        let map: NameMap<u8> = [(CimName::of("CIM_Job"), 1)].into_iter().collect();
        assert_eq!(map.get("CIM_JOB"), Some(&1));
        assert_eq!(map.slot("cim_job"), Some(0));
    }

    #[test]
    fn a_slot_is_found_wherever_it_is_looked_for_first() {
        let map: NameMap<()> = (0..20).map(|at| (name(at), ())).collect();
        for at in 0..20 {
            for from in 0..25 {
                assert_eq!(map.slot_near(&format!("Name{at}"), from), Some(at));
                assert_eq!(map.slot_near(&format!("nAME{at}"), from), Some(at));
                assert_eq!(map.slot_near("Nam", from), None);
            }
        }
    }

    #[test]
    fn maps_of_every_size_find_each_of_their_names_and_no_other() {
        let mut map = NameMap::new();
        for count in 0..1000 {
            assert_eq!(map.insert(name(count), count), None);
            assert_eq!(map.len(), count + 1);
            for number in [0, count / 2, count] {
                assert_eq!(map.get(&format!("NAME{number}")), Some(&number));
                assert_eq!(map.under(&name(number)), Some(&number));
            }
            assert!(!map.contains(&format!("Name{}", count + 1)));
            assert_eq!(map.under(&name(count + 1)), None);
        }
        assert_eq!(map.insert(name(500), 7), Some(500));
        assert_eq!((map.slot("name500"), map.len()), (Some(500), 1000));
        assert!(
            map.values()
                .enumerate()
                .all(|(at, v)| at == 500 || at == *v)
        );
    }

    #[test]
    fn cases_of_other_scripts_are_one_name() {
        // The Kelvin sign: its lower case is an ASCII letter.
        for others in [0, 20] {
            let mut map: NameMap<usize> = (0..others).map(|at| (name(at), at)).collect();
            map.insert(CimName::of("\u{212a}ey"), 99);
            map.insert(CimName::of("\u{c4}pfel"), 98);
            assert_eq!(map.get("key"), Some(&99));
            assert_eq!(map.under(&CimName::of("KEY")), Some(&99));
            assert_eq!(map.get("\u{e4}PFEL"), Some(&98));
            assert_eq!(map.insert(CimName::of("key"), 1), Some(99));
        }
    }

    #[test]
    fn names_are_kept_when_values_change() {
        for (count, more) in [(0, 3), (5, 0), (5, 9), (40, 0), (40, 100)] {
            let map: NameMap<usize> = (0..count).map(|at| (name(at), at)).collect();
            let mut other = map.map_values(more, |at| at + 1);
            for at in count..count + more {
                assert_eq!(other.insert(name(at), at + 1), None);
            }
            let all = (0..count + more).map(|at| (name(at), at + 1));
            assert_eq!(other, all.collect());
        }
    }

    #[test]
    fn maps_are_equal_in_whatever_order() {
        let forwards: NameMap<usize> = (0..20).map(|at| (name(at), at)).collect();
        let backwards: NameMap<usize> = (0..20).rev().map(|at| (name(at), at)).collect();
        assert_eq!(forwards, backwards);
        assert_ne!(forwards, (0..19).map(|at| (name(at), at)).collect());
        assert_ne!(forwards, (1..21).map(|at| (name(at), at)).collect());
        assert_ne!(forwards, (0..20).map(|at| (name(at), at + 1)).collect());
    }
}
