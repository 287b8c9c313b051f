//! Whose work a row is: the names in a trace, mapped to the projects of the federation.
//!
//! A name that a project has is that project. Any other name is given the next project in turn, in the order in which
//! such names first stand in the file; rows without a name are dealt to the projects in turn. Nothing of this
//! depends on chance, so that the same file always gives the same work.

use std::collections::BTreeMap;

use giga_model::ProjectId;

use super::fault::{Cause, quoted};

/// The most names that are kept apart; a file with more is no trace, and memory must stay bounded.
pub const OWNERS_MAX: usize = 65_536;

/// How a name came to its project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match {
    /// The project is called so.
    Exact,
    /// It was this project's turn.
    InTurn,
}

/// What became of one name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// As the trace has it.
    pub name: String,
    /// Who is charged.
    pub project: ProjectId,
    /// Why that one.
    pub how: Match,
    /// Rows with this name.
    pub rows: u64,
}

/// The names of a trace so far.
#[derive(Debug)]
pub(super) struct Owners {
    projects: BTreeMap<String, ProjectId>,
    count: usize,
    places: BTreeMap<String, usize>,
    mappings: Vec<Mapping>,
    in_turn: usize,
    nameless: u64,
}

impl Owners {
    /// With the projects of the federation in their order; at least one.
    pub(super) fn new(projects: &[String]) -> Self {
        assert!(!projects.is_empty(), "work needs a project that is charged");
        let numbered = projects.iter().enumerate().rev();
        Self {
            projects: numbered.map(|(place, name)| (name.clone(), ProjectId::at(place))).collect(),
            count: projects.len(),
            places: BTreeMap::new(),
            mappings: Vec::new(),
            in_turn: 0,
            nameless: 0,
        }
    }

    /// The project for a row with this name.
    pub(super) fn project(&mut self, name: &str) -> Result<ProjectId, Cause> {
        if let Some(&place) = self.places.get(name) {
            self.mappings[place].rows += 1;
            return Ok(self.mappings[place].project);
        }
        if self.mappings.len() >= OWNERS_MAX {
            return Err(Cause::TooManyOwners { max: OWNERS_MAX });
        }
        let (project, how) = match self.projects.get(name) {
            Some(&project) => (project, Match::Exact),
            None => (self.turn(), Match::InTurn),
        };
        self.places.insert(name.to_owned(), self.mappings.len());
        self.mappings.push(Mapping { name: quoted(name), project, how, rows: 1 });
        Ok(project)
    }

    /// The project for a row that names nobody.
    pub(super) fn nobody(&mut self) -> ProjectId {
        let place = self.nameless % self.count as u64;
        self.nameless += 1;
        ProjectId::at(place as usize)
    }

    fn turn(&mut self) -> ProjectId {
        let place = self.in_turn % self.count;
        self.in_turn += 1;
        ProjectId::at(place)
    }

    pub(super) fn mappings(&self) -> &[Mapping] {
        &self.mappings
    }

    pub(super) fn nameless(&self) -> u64 {
        self.nameless
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_to_their_project_or_to_the_next_in_turn() {
        let mut owners = Owners::new(&["bio".into(), "lm".into(), "climate".into()]);
        let got: Vec<u32> =
            ["x", "lm", "y", "x", "z", "w"].iter().map(|name| owners.project(name).unwrap().0).collect();
        assert_eq!(got, [0, 1, 1, 0, 2, 0]);
        assert_eq!(owners.mappings()[1].how, Match::Exact);
        assert_eq!(owners.mappings()[0].rows, 2);
        assert_eq!(
            [owners.nobody().0, owners.nobody().0, owners.nobody().0, owners.nobody().0],
            [0, 1, 2, 0]
        );
    }
}
